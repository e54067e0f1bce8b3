"""How OSRM and Valhalla are asked and how their answers read; nothing here talks to a network.

Interfaces as in the projects' own HTTP documentation: "table" and "route" of OSRM, "sources_to_targets" and
"route" of Valhalla.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np

from geo.crs import Floats

_POLYLINE = 1_000_000  # Valhalla writes six decimals


@dataclass(frozen=True, slots=True)
class Question:
    """One request: method, path below the server's address, and a JSON body or None."""

    method: str
    path: str
    body: dict[str, Any] | None = field(default=None)


class Dialect(Protocol):
    """What differs between route servers."""

    name: ClassVar[str]
    profiles: ClassVar[dict[str, str]]

    def ask_table(self, profile: str, rows: Floats, columns: Floats) -> Question:
        """Ask for the seconds from each row to each column, places as lon, lat."""
        ...

    def read_table(self, answer: dict[str, Any]) -> Floats:
        """Read seconds, NaN where there is no way; KeyError, TypeError or ValueError on anything else."""
        ...

    def ask_route(self, profile: str, stops: Floats) -> Question:
        """Ask for the way over stops."""
        ...

    def read_legs(self, answer: dict[str, Any]) -> list[Floats]:
        """Read one line of lon, lat a leg; KeyError, TypeError or ValueError on anything else."""
        ...

    def fault(self, status: int, answer: dict[str, Any]) -> str:
        """Return the server's own code of a refusal, empty if it answered."""
        ...

    def is_no_route(self, fault: str) -> bool:
        """Tell whether a refusal means that there is no way."""
        ...


class Osrm:
    """OSRM's HTTP interface, version 1."""

    name: ClassVar[str] = "OSRM"
    profiles: ClassVar[dict[str, str]] = {"walk": "foot", "ebike": "bike", "car": "driving"}

    def ask_table(self, profile: str, rows: Floats, columns: Floats) -> Question:
        """Ask the table service with sources and destinations."""
        sources = ";".join(map(str, range(len(rows))))
        targets = ";".join(map(str, range(len(rows), len(rows) + len(columns))))
        query = f"sources={sources}&destinations={targets}&annotations=duration"
        return Question("GET", f"table/v1/{profile}/{_written(np.vstack([rows, columns]))}?{query}")

    def read_table(self, answer: dict[str, Any]) -> Floats:
        """Read ``durations``."""
        return np.array([[_seconds(value) for value in row] for row in answer["durations"]])

    def ask_route(self, profile: str, stops: Floats) -> Question:
        """Ask the route service for the steps of each leg."""
        query = "overview=false&steps=true&geometries=geojson"
        return Question("GET", f"route/v1/{profile}/{_written(stops)}?{query}")

    def read_legs(self, answer: dict[str, Any]) -> list[Floats]:
        """Join the lines of each leg's steps."""
        legs = answer["routes"][0]["legs"]
        return [_line([c for step in leg["steps"] for c in step["geometry"]["coordinates"]]) for leg in legs]

    def fault(self, status: int, answer: dict[str, Any]) -> str:
        """Return ``code`` unless it is Ok."""
        code = str(answer.get("code", "no code"))
        return "" if status == 200 and code == "Ok" else code

    def is_no_route(self, fault: str) -> bool:
        """Tell a missing way or road from other refusals."""
        return fault in ("NoRoute", "NoTable", "NoSegment")


class Valhalla:
    """Valhalla's HTTP interface, version 3."""

    name: ClassVar[str] = "Valhalla"
    profiles: ClassVar[dict[str, str]] = {"walk": "pedestrian", "ebike": "bicycle", "car": "auto"}

    def ask_table(self, profile: str, rows: Floats, columns: Floats) -> Question:
        """Ask the time-distance matrix."""
        body = {"sources": _places(rows), "targets": _places(columns), "costing": profile, "verbose": True}
        return Question("POST", "sources_to_targets", body)

    def read_table(self, answer: dict[str, Any]) -> Floats:
        """Read the ``time`` of each cell."""
        return np.array([[_seconds(cell["time"]) for cell in row] for row in answer["sources_to_targets"]])

    def ask_route(self, profile: str, stops: Floats) -> Question:
        """Ask for a route with its shape."""
        return Question(
            "POST", "route", {"locations": _places(stops), "costing": profile, "units": "kilometers"}
        )

    def read_legs(self, answer: dict[str, Any]) -> list[Floats]:
        """Decode each leg's shape."""
        return [_line(decode_polyline(str(leg["shape"]))) for leg in answer["trip"]["legs"]]

    def fault(self, status: int, answer: dict[str, Any]) -> str:
        """Return ``error_code``, or the status of an answer without one."""
        code = answer.get("error_code", "" if status == 200 else status)
        return str(code)

    def is_no_route(self, fault: str) -> bool:
        """Tell "no path" (442) and "no suitable edges near location" (171) from other refusals."""
        return fault in ("442", "171")


def decode_polyline(text: str) -> list[tuple[float, float]]:
    """Read an encoded polyline of six decimals as lon, lat (Google's published algorithm).

    Raises
    ------
    ValueError
        When the text is no polyline.
    """
    values, value, shift = [], 0, 0
    for letter in text.encode("ascii"):
        chunk = letter - 63
        if not 0 <= chunk < 64:
            raise ValueError("no polyline")
        value |= (chunk & 31) << shift
        shift += 5
        if chunk < 32:
            values.append(~(value >> 1) if value & 1 else value >> 1)
            value = shift = 0
    if shift or len(values) % 2:
        raise ValueError("no polyline")
    lat, lon = np.cumsum(values[::2]) / _POLYLINE, np.cumsum(values[1::2]) / _POLYLINE
    return list(zip(lon.tolist(), lat.tolist(), strict=True))


def _seconds(value: Any) -> float:
    if value is None:
        return float("nan")
    seconds = float(value)
    if not 0 <= seconds < 2**31 - 86_400:
        raise ValueError("no duration")
    return seconds


def _line(coordinates: Any) -> Floats:
    line = np.array(coordinates, dtype=np.float64)
    if line.ndim != 2 or line.shape[1] != 2 or not np.isfinite(line).all():
        raise ValueError("no line")
    return line


def _written(places: Floats) -> str:
    return ";".join(f"{lon:.6f},{lat:.6f}" for lon, lat in places)


def _places(places: Floats) -> list[dict[str, float]]:
    return [{"lon": round(float(lon), 6), "lat": round(float(lat), 6)} for lon, lat in places]
