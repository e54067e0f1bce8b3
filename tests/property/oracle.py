"""Plain, slow answers about small problems, written apart from the planner."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from planner.problem import Problem, Shift, Visit


def follow(problem: Problem, shift: Shift, order: Sequence[Visit], *, extra_s: int = 0) -> int | None:
    """Return the travel of a route, None when it breaks a window, the shift's end or a limit."""
    places = {site.id: site.location for site in problem.sites}
    depot = {item.id: item.location for item in problem.depots}[shift.depot]
    if shift.max_stops is not None and len(order) > shift.max_stops:
        return None
    if shift.capacity is not None and sum(visit.demand for visit in order) > shift.capacity:
        return None
    clock, here, travel = shift.start_s, depot, 0
    for number, visit in enumerate(order):
        if number == len(shift.fixed):
            clock = max(clock, shift.ready_s)
        windows = [window for window in visit.windows if window.slot == shift.slot]
        if not windows:
            return None
        step = int(problem.travel_s[here, places[visit.site]])
        clock = max(clock + step, windows[0].open_s)
        if clock > windows[0].close_s:
            return None
        clock, here, travel = clock + visit.service_s, places[visit.site], travel + step
    travel += int(problem.travel_s[here, depot])
    back = clock + int(problem.travel_s[here, depot])
    return travel if not order or back <= shift.end_s + extra_s else None


def find_bars(problem: Problem, shift: Shift, visit: Visit) -> set[str]:
    """Return every rule that keeps `visit` off `shift` whatever the times."""
    barred = {site.id: site.barred for site in problem.sites}[visit.site]
    rules = {
        "pin": visit.pin is not None and visit.pin != shift.id,
        "closed": shift.closed and visit.id not in shift.fixed,
        "skills": any(skill not in shift.skills for skill in visit.skills),
        "recusal": any(member in shift.members for member in barred),
    }
    return {rule for rule, holds in rules.items() if holds}


def is_capped(problem: Problem, visit: Visit, served: Iterable[str]) -> bool:
    """Return whether the cap of `visit` is used up by what is served."""
    most = {cap.id: cap.most for cap in problem.caps}
    kept = set(served)
    used = sum(other.cap == visit.cap and other.id in kept for other in problem.visits)
    return visit.cap is not None and used >= most[visit.cap]


def has_met(problem: Problem, visit: Visit, shift: Shift, served: Mapping[str, Shift]) -> bool:
    """Return whether somebody of `shift` meets the site of `visit` in another served visit."""
    others = [v.id for v in problem.visits if v.site == visit.site and v.id != visit.id and v.id in served]
    return problem.rotate and any(set(served[other].members) & set(shift.members) for other in others)


def too_near(problem: Problem, visit: Visit, day: int, served: Mapping[str, int]) -> list[str]:
    """Return the served visits (id to day) of the same site that are too few days from `day`."""
    gap = {site.id: site.min_gap_days for site in problem.sites}[visit.site]
    return [
        other.id
        for other in problem.visits
        if other.site == visit.site
        and other.id != visit.id
        and other.id in served
        and abs(served[other.id] - day) < gap
    ]


def count_lost(problem: Problem, served: Iterable[str]) -> int:
    """Return the uncollected prize when exactly `served` are served."""
    kept = set(served)
    lost = sum(v.prize + (1_000_000 if v.mandatory else 0) for v in problem.visits if v.id not in kept)
    unseen = {v.site for v in problem.visits} - {v.site for v in problem.visits if v.id in kept}
    unseen -= {site.id for site in problem.sites if site.seen}
    return lost + problem.first_visit_prize * len(unseen)


def list_plans(problem: Problem) -> Iterator[tuple[dict[str, int], int]]:
    """Yield every feasible choice of served visits (id to day) with its least travel."""
    choices = [None, *problem.shifts]
    for picked in itertools.product(choices, repeat=len(problem.visits)):
        served = {v.id: s.day for v, s in zip(problem.visits, picked, strict=True) if s is not None}
        if any(v.id in served and too_near(problem, v, served[v.id], served) for v in problem.visits):
            continue
        if any(
            s is not None and find_bars(problem, s, v) for v, s in zip(problem.visits, picked, strict=True)
        ):
            continue
        shifts = {v.id: s for v, s in zip(problem.visits, picked, strict=True) if s is not None}
        if any(v.id in shifts and has_met(problem, v, shifts[v.id], shifts) for v in problem.visits):
            continue
        if any(
            sum(v.cap == cap.id and v.id in served for v in problem.visits) > cap.most for cap in problem.caps
        ):
            continue
        travel = 0
        for shift in problem.shifts:
            own = [v for v, s in zip(problem.visits, picked, strict=True) if s is shift]
            if own:
                lengths = [follow(problem, shift, order) for order in itertools.permutations(own)]
                feasible = [length for length in lengths if length is not None]
                if not feasible:
                    break
                travel += min(feasible)
        else:
            yield served, travel
