"""Travel times on a road network, with a straight line only where there is no road, and never unsaid."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from geo.crs import Floats, unproject_xy
from geo.errors import TravelError
from geo.network.graph import Arcs, RoadNetwork, time_arcs
from geo.network.search import FAR
from geo.network.shortest import find_way, least_costs
from geo.network.snapping import Footing, Snapper, join
from geo.travel import CIRCUITY, SPEED_M_S, Seconds, check_places

SNAP_M = 300.0
_BLOCK = 256  # rows of the matrix turned into seconds at a time


class Access(StrEnum):
    """How a place meets the roads."""

    ROAD = "road"
    FAR = "far"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class PlaceAccess:
    """One place's way to the roads.

    Parameters
    ----------
    place : int
        Position of the place among those given.
    access : Access
        ``road`` within the limit; ``far`` without any road within it; ``unreachable`` where the roads within
        it are not connected with the network.
    off_m : float
        Metres from the place to its point on the network.
    """

    place: int
    access: Access
    off_m: float


@dataclass(frozen=True, slots=True)
class RoadReport:
    """What the roads could not answer for a set of places.

    Parameters
    ----------
    places : int
        Number of places asked for.
    apart : tuple of PlaceAccess
        Places reached by straight line: ``far`` or ``unreachable``.
    pairs : int
        Ordered pairs without a way on the roads within the time limit, reckoned by straight line.
    """

    places: int
    apart: tuple[PlaceAccess, ...]
    pairs: int


class Roadbed:
    """A network made ready for searching, to be shared by many calculations.

    Parameters
    ----------
    network : RoadNetwork
        The roads of one way of travel.
    """

    def __init__(self, network: RoadNetwork) -> None:
        self.network = network
        self.arcs: Arcs = time_arcs(network)
        self.snapper = Snapper(network)


class RoadTravel:
    """Times of one way of travel on a road network.

    Make one for each calculation: it remembers what its last matrix had to reckon by straight line, for
    `description`. The network and its `Roadbed` are shared between calculations.

    Parameters
    ----------
    bed : Roadbed
        The network made ready for searching.
    snap_m : float
        Metres within which a place lies at a road.
    circuity : float
        Road length over straight length where there is no road.
    fixed_s : float
        Seconds every trip costs besides.
    limit_s : int, optional
        Longest road time searched for; pairs beyond it count as without a way.

    Raises
    ------
    TravelError
        ``bad_options``, with every option that is wrong.

    Notes
    -----
    A trip is: from the place straight to its road point, by road, and straight to the other place, all at
    whole milliseconds. The straight parts take the profile's speed of `geo.travel.SPEED_M_S`; beyond
    `snap_m` their length is multiplied by `circuity`. A pair without a way is a straight line times
    `circuity`, but never quicker than the limit its roads exceed.
    """

    def __init__(
        self,
        bed: Roadbed,
        *,
        snap_m: float = SNAP_M,
        circuity: float = CIRCUITY,
        fixed_s: float = 0.0,
        limit_s: int | None = None,
    ) -> None:
        wrong = {
            name: value
            for name, value, good in (
                ("snap_m", snap_m, 0 < snap_m <= 10_000),
                ("circuity", circuity, 1 <= circuity < 10),
                ("fixed_s", fixed_s, 0 <= fixed_s < 86_400),
                ("limit_s", limit_s, limit_s is None or 0 < limit_s < 86_400),
            )
            if not good
        }
        if wrong:
            raise TravelError("bad_options", **wrong)
        self.bed = bed
        self.snap_m, self.circuity, self.fixed_s, self.limit_s = snap_m, circuity, fixed_s, limit_s
        self.report: RoadReport | None = None

    @property
    def description(self) -> str:
        """Say how the times of the last matrix were made."""
        network = self.bed.network
        said = f"roads {network.name}, {network.profile} + {self.fixed_s:g} s"
        if self.limit_s is not None:
            said += f", ways up to {self.limit_s} s"
        if self.report is None or not (self.report.apart or self.report.pairs):
            return said if self.report is None else f"{said}; no place by straight line"
        speed = SPEED_M_S[network.profile]
        return (
            f"{said}; straight line x {self.circuity:g} at {speed:g} m/s for {len(self.report.apart)} of "
            f"{self.report.places} places and {self.report.pairs} pairs"
        )

    def survey(self, lon: ArrayLike, lat: ArrayLike) -> list[PlaceAccess]:
        """Say how each place meets the roads.

        Parameters
        ----------
        lon, lat : array_like, shape (n,)
            WGS-84 degrees.

        Returns
        -------
        list of PlaceAccess
            One entry a place, in order.

        Raises
        ------
        TravelError
            ``bad_places`` or ``too_many_places``.
        """
        return self._accesses(self.bed.snapper.snap(lon, lat))

    def matrix_s(self, lon: ArrayLike, lat: ArrayLike) -> Seconds:
        """Give whole seconds between all pairs of places.

        Parameters
        ----------
        lon, lat : array_like, shape (n,)
            WGS-84 degrees.

        Returns
        -------
        ndarray of int32, shape (n, n)
            ``floor(fixed_s + milliseconds / 1000)``, 0 on the diagonal, in general not symmetric.

        Raises
        ------
        TravelError
            ``bad_places`` or ``too_many_places``.
        """
        footing = self.bed.snapper.snap(lon, lat)
        ends = join(self.bed.network, self.bed.arcs, footing)
        limit = None if self.limit_s is None else self.limit_s * 1000
        result = least_costs(self.bed.arcs, ends, ends, limit=limit)
        pairs = self._to_seconds(result, footing)
        apart = [place for place in self._accesses(footing) if place.access is not Access.ROAD]
        self.report = RoadReport(len(result), tuple(apart), pairs)
        return result

    def path(self, lon: ArrayLike, lat: ArrayLike) -> list[Floats]:
        """Give the line of each leg of a route.

        Parameters
        ----------
        lon, lat : array_like, shape (n,)
            WGS-84 degrees of the stops in order.

        Returns
        -------
        list of ndarray, shape (k, 2)
            n - 1 lines of longitude and latitude from stop to stop along the roads.

        Raises
        ------
        TravelError
            ``bad_places`` or ``too_many_places``.
        """
        x, y = check_places(lon, lat)
        footing = self.bed.snapper.snap(x, y)
        stops, middles = np.column_stack([x, y]), []
        for at in range(len(stops) - 1):
            way = find_way(self.bed.network, self.bed.arcs, footing, at, at + 1)
            stays = way is None or bool((stops[at] == stops[at + 1]).all())
            middles.append(np.zeros((0, 2)) if way is None or stays else way.xy)
        if not middles:
            return []
        # One call for all legs: making the transformer takes longer than using it.
        lonlat = np.column_stack(unproject_xy(np.vstack(middles), self.bed.network.crs))
        parts = np.split(lonlat, np.cumsum([len(middle) for middle in middles])[:-1])
        return [np.vstack([stops[at], part, stops[at + 1]]) for at, part in enumerate(parts)]

    def _accesses(self, footing: Footing) -> list[PlaceAccess]:
        near = footing.off_m <= self.snap_m
        cut_off = ~near & (footing.detached_m <= self.snap_m)
        kinds = np.where(near, Access.ROAD, np.where(cut_off, Access.UNREACHABLE, Access.FAR))
        return [
            PlaceAccess(at, Access(str(kind)), float(metres))
            for at, (kind, metres) in enumerate(zip(kinds, footing.off_m, strict=True))
        ]

    def _to_seconds(self, costs: Seconds, footing: Footing) -> int:
        """Turn road milliseconds into the seconds of trips, in place; return the pairs without a way."""
        per_m = 1000 / SPEED_M_S[self.bed.network.profile]
        off = footing.off_m * np.where(footing.off_m <= self.snap_m, 1.0, self.circuity)
        off_ms = np.rint(off * per_m)
        without = 0
        for row in range(0, len(costs), _BLOCK):
            part = slice(row, row + _BLOCK)
            missing = costs[part] == FAR
            total = costs[part] + off_ms[part, None] + off_ms[None, :]
            apart = footing.xy[part, None, :] - footing.xy[None, :, :]
            metres = np.hypot(apart[..., 0], apart[..., 1])
            straight = np.maximum(np.rint(metres * self.circuity * per_m), 1000 * (self.limit_s or 0))
            total = np.where(missing, straight, total)
            total[metres == 0] = 0  # one address with several licences: nobody goes to the road and back
            missing &= metres > 0
            without += int(missing.sum())
            costs[part] = np.floor(self.fixed_s + total / 1000)
        np.fill_diagonal(costs, 0)
        return without
