"""STEP: the legs between stops: times by the road data in force, one stop a building, and tracks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString
from sqlalchemy.orm import Session

from geo.errors import TravelError
from geo.network.layer import find_travel
from geo.network.routeserver import ServerTravel
from geo.network.travel import RoadTravel
from geo.travel import CIRCUITY, StraightLine, TravelModel, straight_line

# Parking and stairs at every stop.
STOP_OVERHEAD_S = 120.0
# From one licence to the next in the same building.
INSIDE_S = 60
_TRACK_TOLERANCE_DEG = 1e-5  # about a metre

Point = tuple[float, float]


@dataclass(frozen=True)
class Legs:
    """Travel of one plan: the model, the hash of its road data, where shifts start."""

    model: TravelModel
    roads: str | None
    depot: Point

    def matrix_s(self, places: Sequence[Point], buildings: Sequence[str | None]) -> NDArray[np.int32]:
        """Return seconds between the depot (first) and all places.

        Parameters
        ----------
        places
            WGS-84 longitude and latitude.
        buildings
            Key of the building of each place, None where it stands alone: within one building a leg is a
            walk along a corridor.
        """
        lon, lat = np.array([self.depot, *places], dtype=np.float64).T
        seconds = np.array(self.model.matrix_s(lon, lat), dtype=np.int32)
        rows: dict[str, list[int]] = {}
        for number, key in enumerate(buildings, start=1):
            if key is not None:
                rows.setdefault(key, []).append(number)
        for same in rows.values():
            block = np.ix_(same, same)
            seconds[block] = np.minimum(seconds[block], INSIDE_S)
        return seconds

    def reckon_s(
        self, places: Sequence[Point], buildings: Sequence[str | None]
    ) -> tuple[NDArray[np.int32], bool]:
        """Return `matrix_s`, by straight line where a route server gives none, and whether it is that."""
        if not isinstance(self.model, ServerTravel):
            return self.matrix_s(places, buildings), False
        try:
            return self.matrix_s(places, buildings), False
        except TravelError:
            # Places that no model can take are refused by this one too.
            plain = straight_line(self.model.profile, fixed_s=self.model.fixed_s)
            return replace(self, model=plain).matrix_s(places, buildings), True

    def facts(self) -> dict[str, Any]:
        """Return how the last times were made: kind, name of the roads, and what went by straight line."""
        if isinstance(self.model, RoadTravel):
            report = self.model.report
            return {
                "kind": "roads",
                "name": self.model.bed.network.name,
                "circuity": self.model.circuity,
                "apart": 0 if report is None else len(report.apart),
            }
        if isinstance(self.model, StraightLine):
            return {"kind": "straight_line", "name": None, "circuity": self.model.circuity, "apart": 0}
        return {"kind": "server", "name": self.model.description, "circuity": CIRCUITY, "apart": 0}

    def track(self, stops: Sequence[Point]) -> LineString | None:
        """Return the way from the depot over the stops and back, None by straight line."""
        if isinstance(self.model, StraightLine) or not stops:
            return None
        lon, lat = np.array([self.depot, *stops, self.depot], dtype=np.float64).T
        line = np.vstack(self.model.path(lon, lat))
        changes = np.r_[True, np.any(np.diff(line, axis=0) != 0.0, axis=1)]
        kept = line[changes]
        if len(kept) < 2:
            return None
        return LineString(shapely.get_coordinates(LineString(kept).simplify(_TRACK_TOLERANCE_DEG)))


def read_legs(session: Session, profile: str, depot: Point, *, roads: str | None = None) -> Legs:
    """Return the travel in force, or that of the road data with a hash.

    Raises
    ------
    RoadError, TravelError
        As `geo.network.layer.find_travel`.
    """
    model, sha256 = find_travel(session, profile, fixed_s=STOP_OVERHEAD_S, sha256=roads)
    return Legs(model, sha256, depot)


def draw_tracks(legs: Legs, routes: Mapping[str, Sequence[Point]]) -> dict[str, LineString]:
    """Return the track of each shift that has stops, by shift; nothing by straight line."""
    found = {shift: legs.track(stops) for shift, stops in routes.items()}
    return {shift: line for shift, line in found.items() if line is not None}
