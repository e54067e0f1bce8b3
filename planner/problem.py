"""The planning problem: sites that owe visits, shifts that can serve them, travel between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner.errors import Fault, ProblemError
from planner.invariants import check_matrix, check_parts
from planner.points import TIME_LIMIT_S, PointTravel

MANDATORY_PENALTY = 1_000_000
"""Added to the prize of a mandatory visit that stays unserved."""


@dataclass(frozen=True)
class Depot:
    """Where shifts start and end; `location` is a row of the travel matrix."""

    id: str
    location: int


@dataclass(frozen=True)
class Shift:
    """One team at work in one slot of one day.

    `start_s` and `end_s` are seconds of that day; `capacity` limits the sum of demands and
    `max_stops` the number of stops, None for no limit. `skills` are what its crew can do, `members` who is
    in it. The route begins with the visits `fixed`, in that order; a `closed` one takes no others. Towards
    the first stop after them nobody leaves before `ready_s`.
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
    skills: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    closed: bool = False
    ready_s: int = 0


@dataclass(frozen=True)
class Site:
    """A place that owes visits; `min_gap_days` holds between any two of its served visits.

    A shift with a member who is `barred` (recusal, or met the place last time) cannot serve it. One `seen`
    before in the round owes no first visit.
    """

    id: str
    location: int
    min_gap_days: int = 0
    barred: tuple[str, ...] = ()
    seen: bool = False


@dataclass(frozen=True)
class Cap:
    """At most `most` of the visits that name this cap are served: an enterprise's yearly limit."""

    id: str
    most: int


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
    the capacity of a shift; only the slots named in `windows` are allowed, and only shifts that have
    all of `skills`. A visit counts against its `cap`; one exempt names none. `pin` names the only shift
    that may serve it.
    """

    id: str
    site: str
    service_s: int
    prize: int
    mandatory: bool = False
    demand: int = 0
    windows: tuple[Window, ...] = ()
    skills: tuple[str, ...] = ()
    cap: str | None = None
    pin: str | None = None

    @property
    def penalty(self) -> int:
        """What the objective pays when this visit stays unserved."""
        return self.prize + (MANDATORY_PENALTY if self.mandatory else 0)


@dataclass(frozen=True, eq=False)
class Problem:
    """A period team-orienteering problem with time windows.

    Parameters
    ----------
    travel_s : ndarray of int32, shape (n, n), or PointTravel
        Seconds from row location to column location, zero diagonal, possibly asymmetric. Stored read-only.
    depots, shifts, sites, visits : tuple
        The parts, with unique ids within each kind.
    first_visit_prize : int
        Paid in addition for every site not seen before that has visits of which none is served.
    caps : tuple
        Limits on visits of several sites together.
    rotate : bool
        Whether nobody meets a site twice: its served visits share no member.

    Raises
    ------
    ProblemError
        With every broken invariant.
    """

    travel_s: NDArray[np.integer[Any]] | PointTravel
    depots: tuple[Depot, ...]
    shifts: tuple[Shift, ...]
    sites: tuple[Site, ...]
    visits: tuple[Visit, ...]
    first_visit_prize: int = 0
    caps: tuple[Cap, ...] = ()
    rotate: bool = False

    def __post_init__(self) -> None:
        """Freeze the parts and refuse a problem with broken invariants."""
        for name in ("depots", "shifts", "sites", "visits", "caps"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        faults: list[Fault] = []
        if isinstance(self.travel_s, PointTravel):
            if self.travel_s.longest_s() > TIME_LIMIT_S:
                faults.append(Fault("travel_s", "too_large", {"value": self.travel_s.longest_s()}))
        else:
            faults, matrix = check_matrix(np.asarray(self.travel_s))
            object.__setattr__(self, "travel_s", matrix)
        faults += check_parts(self)
        if faults:
            raise ProblemError(faults)

    def leg_s(self, origin: int, destination: int) -> int:
        """Return the seconds from one location to another."""
        return int(self.travel_s[origin, destination])

    def block_s(self, origins: ArrayLike, destinations: ArrayLike) -> NDArray[np.int32]:
        """Return the seconds from each of `origins` to each of `destinations`."""
        rows, columns = np.asarray(origins, dtype=np.int64), np.asarray(destinations, dtype=np.int64)
        if isinstance(self.travel_s, PointTravel):
            return self.travel_s.block_s(rows, columns)
        return self.travel_s[np.ix_(rows, columns)].astype(np.int32, copy=False)

    def bars(self, shift: Shift, visit: Visit) -> str | None:
        """Return the code of the rule that keeps `visit` off `shift` at any time, None if none does."""
        if visit.pin is not None and visit.pin != shift.id:
            return "pin"
        if visit.id in shift.fixed:
            return None
        if shift.closed:
            return "closed"
        if not set(visit.skills) <= set(shift.skills):
            return "skills"
        barred = self.site_by_id[visit.site].barred
        return "recusal" if barred and not set(barred).isdisjoint(shift.members) else None

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
