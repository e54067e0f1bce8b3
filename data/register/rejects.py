"""What every table import shares: rejected rows with their reasons, results, checks of points and lengths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from data.register.sheets import Header, Row
from data.schema import Base

Coordinates = NDArray[np.float64]
ToWgs84 = Callable[[Coordinates, Coordinates], tuple[Coordinates, Coordinates]]
Extent = tuple[float, float, float, float]

LON_TITLES = ("经度", "lon", "lng", "longitude", "x")
LAT_TITLES = ("纬度", "lat", "latitude", "y")


@dataclass(frozen=True)
class Reject:
    """A row that was not imported: where, what and the code of the reason."""

    row: int
    column: str
    value: str
    code: str
    fields: dict[str, object] = field(default_factory=dict)


@dataclass
class ImportResult:
    """What an import did; `unchanged` rows were already there as they are.

    `unconfirmed` counts the updated ones whose new address ended a place confirmed by hand.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    unconfirmed: int = 0
    rejected: list[Reject] = field(default_factory=list)

    def count(self, verdict: str) -> None:
        """Count one row as `added`, `updated` or `unchanged`."""
        setattr(self, verdict, getattr(self, verdict) + 1)


def long_texts(row: Row, header: Header, record: type[Base], names: Sequence[str]) -> list[Reject]:
    """Return a reject for every text of a row that its column in the database would cut or refuse."""
    rejects = []
    for name in names:
        limit = getattr(record.__table__.c[name].type, "length", None)
        text = row.get(name)
        if limit is not None and len(text) > limit:
            fields: dict[str, object] = {"limit": limit, "length": len(text)}
            rejects.append(Reject(row.number, header.titles[name], text[:40], "too_long", fields))
    return rejects


def read_point(
    row: Row,
    header: Header,
    rejects: list[Reject],
    *,
    extent: Extent | None,
    to_wgs84: ToWgs84 | None,
) -> tuple[float, float] | None:
    """Return a row's point as WGS-84 longitude and latitude, None without one; append why it is refused."""
    if to_wgs84 is None or not (row.get("lon") or row.get("lat")):
        return None
    value = f"{row.get('lon')},{row.get('lat')}"
    title = header.titles.get("lon", LON_TITLES[0])
    try:
        lon, lat = float(row.get("lon")), float(row.get("lat"))
        finite = bool(np.isfinite([lon, lat]).all())
    except ValueError:
        finite = False
    if not finite:
        rejects.append(Reject(row.number, title, value, "bad_coordinates"))
        return None
    # Metres of a projected CRS are none of our business here: only the point itself must lie on Earth.
    lons, lats = to_wgs84(np.array([lon]), np.array([lat]))
    east, north = float(lons[0]), float(lats[0])
    if not (-180 <= east <= 180 and -90 <= north <= 90):
        swapped = abs(lon) <= 90 < abs(lat) <= 180
        rejects.append(
            Reject(row.number, title, value, "swapped_coordinates" if swapped else "bad_coordinates")
        )
        return None
    lon, lat = east, north
    if extent is not None and not (extent[0] <= lon <= extent[2] and extent[1] <= lat <= extent[3]):
        rejects.append(Reject(row.number, title, value, "outside_district"))
        return None
    return lon, lat
