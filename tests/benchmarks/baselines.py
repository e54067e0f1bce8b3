"""Baselines to measure against: what a spreadsheet does."""

from __future__ import annotations

from collections import Counter

from planner.problem import Problem, Shift, Visit


def go_nearest(problem: Problem) -> dict[str, tuple[str, ...]]:
    """Return a plan by shift id: shift by shift in time order, always the nearest visit that still fits."""
    left = {visit.id: visit for visit in problem.visits}
    days: dict[str, list[int]] = {}
    spent: Counter[str] = Counter()
    most = {cap.id: cap.most for cap in problem.caps}
    plan = {}
    for shift in sorted(problem.shifts, key=lambda shift: (shift.day, shift.start_s, shift.id)):
        route: list[str] = []
        depot = problem.depot_by_id[shift.depot].location
        here, clock, load = depot, shift.start_s, 0
        options = [visit for visit in left.values() if _allowed(problem, shift, visit)]
        while shift.max_stops is None or len(route) < shift.max_stops:
            fitting = []
            for visit in options:
                site = problem.site_by_id[visit.site]
                if visit.id not in left or (visit.cap is not None and spent[visit.cap] >= most[visit.cap]):
                    continue
                if any(abs(day - shift.day) < site.min_gap_days for day in days.get(site.id, ())):
                    continue
                if shift.capacity is not None and load + visit.demand > shift.capacity:
                    continue
                window = next(window for window in visit.windows if window.slot == shift.slot)
                step = problem.leg_s(here, site.location)
                start = max(clock + step, window.open_s)
                end = start + visit.service_s
                if start <= window.close_s and end + problem.leg_s(site.location, depot) <= shift.end_s:
                    fitting.append((step, visit.id, end))
            if not fitting:
                break
            _, visit_id, clock = min(fitting)
            visit = left.pop(visit_id)
            here = problem.site_by_id[visit.site].location
            load += visit.demand
            route.append(visit_id)
            days.setdefault(visit.site, []).append(shift.day)
            if visit.cap is not None:
                spent[visit.cap] += 1
        plan[shift.id] = tuple(route)
    return plan


def _allowed(problem: Problem, shift: Shift, visit: Visit) -> bool:
    """Return whether slot and crew let `shift` serve `visit` at some time."""
    return any(window.slot == shift.slot for window in visit.windows) and problem.bars(shift, visit) is None
