"""What must hold in every planning problem, checked all at once before anything is planned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from planner.errors import Fault
from planner.points import TIME_LIMIT_S

if TYPE_CHECKING:
    from planner.problem import Cap, Depot, Problem, Shift, Site, Visit


def check_matrix(raw: NDArray[Any]) -> tuple[list[Fault], NDArray[np.int32]]:
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


def check_parts(problem: Problem) -> list[Fault]:
    """Return every broken invariant of depots, shifts, sites, visits and caps."""
    faults = _check_ids(problem)
    faults += _check_shifts(problem)
    faults += _check_sites(problem)
    faults += _check_visits(problem)
    # The clock of a fixed route is read only where everything it names is known.
    return faults or _check_fixed(problem)


def _check_ids(problem: Problem) -> list[Fault]:
    faults = []
    kinds: tuple[tuple[str, Iterable[Depot | Shift | Site | Visit | Cap]], ...] = (
        ("depots", problem.depots),
        ("shifts", problem.shifts),
        ("sites", problem.sites),
        ("visits", problem.visits),
        ("caps", problem.caps),
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
    count = len(problem.travel_s)
    known = {depot.id for depot in problem.depots}
    for index, depot in enumerate(problem.depots):
        faults += _check_location(f"depots[{index}].location", depot.location, count)
    for index, shift in enumerate(problem.shifts):
        where = f"shifts[{index}]"
        for name in ("day", "start_s", "end_s", "capacity", "max_stops", "ready_s"):
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
    count = len(problem.travel_s)
    for index, site in enumerate(problem.sites):
        faults += _check_location(f"sites[{index}].location", site.location, count)
        faults += _check_range(f"sites[{index}].min_gap_days", site.min_gap_days)
    return faults + _check_range("first_visit_prize", problem.first_visit_prize)


def _check_visits(problem: Problem) -> list[Fault]:
    faults = []
    known = {site.id for site in problem.sites}
    caps, shifts = {cap.id for cap in problem.caps}, {shift.id for shift in problem.shifts}
    for index, cap in enumerate(problem.caps):
        faults += _check_range(f"caps[{index}].most", cap.most)
    for index, visit in enumerate(problem.visits):
        where = f"visits[{index}]"
        if visit.cap is not None and visit.cap not in caps:
            faults.append(Fault(f"{where}.cap", "unknown_cap", {"cap": visit.cap}))
        if visit.pin is not None and visit.pin not in shifts:
            faults.append(Fault(f"{where}.pin", "unknown_shift", {"shift": visit.pin}))
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


def _check_fixed(problem: Problem) -> list[Fault]:
    """Return the faults of fixed routes: unknown, repeated or misplaced visits, and times not kept."""
    faults, taken = [], set()
    for index, shift in enumerate(problem.shifts):
        known = True
        for number, visit_id in enumerate(shift.fixed):
            where = f"shifts[{index}].fixed[{number}]"
            visit = problem.visit_by_id.get(visit_id)
            if visit is None:
                faults.append(Fault(where, "unknown_visit", {"visit": visit_id}))
            elif visit_id in taken:
                faults.append(Fault(where, "duplicate_visit", {"visit": visit_id}))
            elif visit.pin not in (None, shift.id) or shift.slot not in {w.slot for w in visit.windows}:
                faults.append(Fault(where, "not_allowed_here", {"visit": visit_id, "shift": shift.id}))
            else:
                taken.add(visit_id)
                continue
            known = False
        if known and shift.fixed and not _keeps_times(problem, shift):
            faults.append(Fault(f"shifts[{index}].fixed", "times_not_kept", {"shift": shift.id}))
    return faults or _check_fixed_together(problem)


def _check_fixed_together(problem: Problem) -> list[Fault]:
    """Return the faults of fixed visits that cannot stand beside each other: gap, rotation, cap."""
    faults, counted = [], Counter[str]()
    placed: dict[str, list[Shift]] = {}
    for index, shift in enumerate(problem.shifts):
        for number, visit_id in enumerate(shift.fixed):
            where, visit = f"shifts[{index}].fixed[{number}]", problem.visit_by_id[visit_id]
            gap = problem.site_by_id[visit.site].min_gap_days
            for other in placed.setdefault(visit.site, []):
                if abs(other.day - shift.day) < gap:
                    faults.append(Fault(where, "gap_days", {"visit": visit_id, "min_gap_days": gap}))
                elif problem.rotate and set(other.members) & set(shift.members):
                    faults.append(Fault(where, "met", {"visit": visit_id}))
            placed[visit.site].append(shift)
            if visit.cap is not None:
                counted[visit.cap] += 1
    faults += [
        Fault(f"caps[{index}].most", "fixed_above_cap", {"cap": cap.id, "fixed": counted[cap.id]})
        for index, cap in enumerate(problem.caps)
        if counted[cap.id] > cap.most
    ]
    return faults


def _keeps_times(problem: Problem, shift: Shift) -> bool:
    """Return whether the fixed part of a route alone keeps windows, limits and the shift's end."""
    depot = problem.depot_by_id[shift.depot].location
    visits = [problem.visit_by_id[visit_id] for visit_id in shift.fixed]
    clock, here = shift.start_s, depot
    for visit in visits:
        there = problem.site_by_id[visit.site].location
        window = next(window for window in visit.windows if window.slot == shift.slot)
        clock = max(clock + problem.leg_s(here, there), window.open_s)
        if clock > window.close_s:
            return False
        clock, here = clock + visit.service_s, there
    load = sum(visit.demand for visit in visits)
    return (
        clock + problem.leg_s(here, depot) <= shift.end_s
        and (shift.capacity is None or load <= shift.capacity)
        and (shift.max_stops is None or len(visits) <= shift.max_stops)
    )
