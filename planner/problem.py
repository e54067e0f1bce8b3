"""The planning problem: sites that owe visits, shifts that can serve them, travel between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.errors import Fault, ProblemError

MANDATORY_PENALTY = 1_000_000
"""Added to the prize of a mandatory visit that stays unserved."""

TIME_LIMIT_S = 10**9
"""Largest clock reading, service time or travel time accepted, so that sums stay exact."""


@dataclass(frozen=True)
class Depot:
    """Where shifts start and end; `location` is a row of the travel matrix."""

    id: str
    location: int


@dataclass(frozen=True)
class Shift:
    """One team at work in one slot of one day.

    `start_s` and `end_s` are seconds of that day; `capacity` limits the sum of demands and
    `max_stops` the number of stops, None for no limit.
    """

    id: str
    team: str
    slot: str
    day: int
    start_s: int
    end_s: int
    depot: str
    capacity: int | None = None
    max_stops: int | None = None


@dataclass(frozen=True)
class Site:
    """A place that owes visits; `min_gap_days` holds between any two of its served visits."""

    id: str
    location: int
    min_gap_days: int = 0


@dataclass(frozen=True)
class Window:
    """Seconds of the day within which service may start in one slot, both ends included."""

    slot: str
    open_s: int
    close_s: int


@dataclass(frozen=True)
class Visit:
    """One visit owed to a site.

    `prize` is what leaving it out costs, in the unit of travel seconds; `demand` counts against
    the capacity of a shift; only the slots named in `windows` are allowed.
    """

    id: str
    site: str
    service_s: int
    prize: int
    mandatory: bool = False
    demand: int = 0
    windows: tuple[Window, ...] = ()

    @property
    def penalty(self) -> int:
        """What the objective pays when this visit stays unserved."""
        return self.prize + (MANDATORY_PENALTY if self.mandatory else 0)


@dataclass(frozen=True, eq=False)
class Problem:
    """A period team-orienteering problem with time windows.

    Parameters
    ----------
    travel_s : ndarray of int32, shape (n, n)
        Seconds from row location to column location, zero diagonal, possibly asymmetric. Stored read-only.
    depots, shifts, sites, visits : tuple
        The parts, with unique ids within each kind.
    first_visit_prize : int
        Paid in addition for every site with visits of which none is served.

    Raises
    ------
    ProblemError
        With every broken invariant.
    """

    travel_s: NDArray[np.int32]
    depots: tuple[Depot, ...]
    shifts: tuple[Shift, ...]
    sites: tuple[Site, ...]
    visits: tuple[Visit, ...]
    first_visit_prize: int = 0

    def __post_init__(self) -> None:
        """Freeze the parts and refuse a problem with broken invariants."""
        for name in ("depots", "shifts", "sites", "visits"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        faults, matrix = _check_matrix(np.asarray(self.travel_s))
        object.__setattr__(self, "travel_s", matrix)
        faults += _check_ids(self)
        faults += _check_shifts(self)
        faults += _check_sites(self)
        faults += _check_visits(self)
        if faults:
            raise ProblemError(faults)

    @cached_property
    def depot_by_id(self) -> Mapping[str, Depot]:
        """Depots by id."""
        return {depot.id: depot for depot in self.depots}

    @cached_property
    def shift_by_id(self) -> Mapping[str, Shift]:
        """Shifts by id."""
        return {shift.id: shift for shift in self.shifts}

    @cached_property
    def site_by_id(self) -> Mapping[str, Site]:
        """Sites by id."""
        return {site.id: site for site in self.sites}

    @cached_property
    def visit_by_id(self) -> Mapping[str, Visit]:
        """Visits by id."""
        return {visit.id: visit for visit in self.visits}

    @cached_property
    def visits_by_site(self) -> Mapping[str, tuple[Visit, ...]]:
        """Visits of each site that owes any, in the order of `visits`."""
        found: dict[str, list[Visit]] = {}
        for visit in self.visits:
            found.setdefault(visit.site, []).append(visit)
        return {site: tuple(visits) for site, visits in found.items()}

    @cached_property
    def shifts_by_slot(self) -> Mapping[str, tuple[Shift, ...]]:
        """Shifts of each slot, in the order of `shifts`."""
        found: dict[str, list[Shift]] = {}
        for shift in self.shifts:
            found.setdefault(shift.slot, []).append(shift)
        return {slot: tuple(shifts) for slot, shifts in found.items()}


def _check_matrix(raw: NDArray[Any]) -> tuple[list[Fault], NDArray[np.int32]]:
    """Return the faults of the travel matrix and a read-only int32 copy (empty when unusable)."""
    empty: NDArray[np.int32] = np.zeros((0, 0), dtype=np.int32)
    if raw.ndim != 2 or raw.shape[0] != raw.shape[1]:
        return [Fault("travel_s", "not_square", {"shape": list(raw.shape)})], empty
    if raw.size and raw.dtype.kind not in "iu":
        return [Fault("travel_s", "wrong_type", {"expected": "integer", "found": str(raw.dtype)})], empty
    faults = []
    for code, mask in (
        ("negative", raw < 0),
        ("too_large", raw > TIME_LIMIT_S),
        ("diagonal_not_zero", (raw != 0) & np.eye(raw.shape[0], dtype=bool)),
    ):
        found = np.argwhere(mask)
        faults += [
            Fault(f"travel_s[{row}][{column}]", code, {"value": int(raw[row, column])})
            for row, column in found[:20]
        ]
        if len(found) > 20:
            faults.append(Fault("travel_s", code, {"count": len(found)}))
    if faults:
        return faults, np.zeros(raw.shape, dtype=np.int32)
    matrix = raw.astype(np.int32)
    matrix.setflags(write=False)
    return faults, matrix


def _check_ids(problem: Problem) -> list[Fault]:
    faults = []
    kinds: tuple[tuple[str, Iterable[Depot | Shift | Site | Visit]], ...] = (
        ("depots", problem.depots),
        ("shifts", problem.shifts),
        ("sites", problem.sites),
        ("visits", problem.visits),
    )
    for kind, parts in kinds:
        seen: Counter[str] = Counter()
        for index, part in enumerate(parts):
            seen[part.id] += 1
            if not part.id:
                faults.append(Fault(f"{kind}[{index}].id", "missing_id"))
            elif seen[part.id] > 1:
                faults.append(Fault(f"{kind}[{index}].id", "duplicate_id", {"id": part.id}))
    return faults


def _check_range(where: str, value: int | None, *, most: int = TIME_LIMIT_S) -> list[Fault]:
    """Return a fault when `value` is below 0 or above `most`."""
    if value is None or 0 <= value <= most:
        return []
    return [Fault(where, "negative" if value < 0 else "too_large", {"value": value})]


def _check_location(where: str, location: int, count: int) -> list[Fault]:
    if 0 <= location < count:
        return []
    return [Fault(where, "unknown_location", {"location": location, "locations": count})]


def _check_shifts(problem: Problem) -> list[Fault]:
    faults = []
    count = problem.travel_s.shape[0]
    known = {depot.id for depot in problem.depots}
    for index, depot in enumerate(problem.depots):
        faults += _check_location(f"depots[{index}].location", depot.location, count)
    for index, shift in enumerate(problem.shifts):
        where = f"shifts[{index}]"
        for name in ("day", "start_s", "end_s", "capacity", "max_stops"):
            faults += _check_range(f"{where}.{name}", getattr(shift, name))
        if shift.end_s <= shift.start_s:
            faults.append(Fault(f"{where}.end_s", "not_after_start", {"start_s": shift.start_s}))
        if shift.depot not in known:
            faults.append(Fault(f"{where}.depot", "unknown_depot", {"depot": shift.depot}))
        if not shift.slot:
            faults.append(Fault(f"{where}.slot", "missing_id"))
    return faults


def _check_sites(problem: Problem) -> list[Fault]:
    faults = []
    count = problem.travel_s.shape[0]
    for index, site in enumerate(problem.sites):
        faults += _check_location(f"sites[{index}].location", site.location, count)
        faults += _check_range(f"sites[{index}].min_gap_days", site.min_gap_days)
    return faults + _check_range("first_visit_prize", problem.first_visit_prize)


def _check_visits(problem: Problem) -> list[Fault]:
    faults = []
    known = {site.id for site in problem.sites}
    for index, visit in enumerate(problem.visits):
        where = f"visits[{index}]"
        for name in ("service_s", "prize", "demand"):
            faults += _check_range(f"{where}.{name}", getattr(visit, name))
        if visit.site not in known:
            faults.append(Fault(f"{where}.site", "unknown_site", {"site": visit.site}))
        slots: set[str] = set()
        for number, window in enumerate(visit.windows):
            place = f"{where}.windows[{number}]"
            faults += _check_range(f"{place}.open_s", window.open_s)
            faults += _check_range(f"{place}.close_s", window.close_s)
            if window.close_s < window.open_s:
                faults.append(Fault(f"{place}.close_s", "before_open", {"open_s": window.open_s}))
            if not window.slot:
                faults.append(Fault(f"{place}.slot", "missing_id"))
            elif window.slot in slots:
                faults.append(Fault(f"{place}.slot", "duplicate_slot", {"slot": window.slot}))
            slots.add(window.slot)
    return faults
