"""One small problem and one plan that keeps every rule, for tests that break one rule at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np

from planner.plan import Plan, Route, Stop, Unserved, build_plan
from planner.problem import Depot, Problem, Shift, Site, Visit, Window


def make_problem(
    *,
    gap: int = 0,
    capacity: int | None = None,
    max_stops: int | None = None,
    mandatory: bool = False,
    first_visit_prize: int = 0,
    end_s: int = 1000,
    close_s: int = 900,
) -> Problem:
    """Return a line 0 - 1 - 2 - 3 (100 s a step), two shifts on days 0 and 2, and four visits.

    V1 and V2 belong to site A at 1, V3 to site B at 2, V4 to site C at 3; each takes 50 s and is worth 5000.
    """
    travel = np.abs(np.subtract.outer(np.arange(4), np.arange(4))) * 100
    both = (Window("e0", 100, close_s), Window("e2", 100, close_s))
    return Problem(
        travel_s=travel,
        depots=(Depot("D", 0),),
        shifts=(
            Shift("S0", "T1", "e0", 0, 0, end_s, "D", capacity, max_stops),
            Shift("S2", "T1", "e2", 2, 0, end_s, "D", capacity, max_stops),
        ),
        sites=(Site("A", 1, gap), Site("B", 2), Site("C", 3)),
        visits=(
            Visit("V1", "A", 50, 5000, mandatory, 1, both),
            Visit("V2", "A", 50, 5000, False, 1, both),
            Visit("V3", "B", 50, 5000, False, 1, both),
            Visit("V4", "C", 50, 5000, False, 1, (Window("e0", 100, close_s),)),
        ),
        first_visit_prize=first_visit_prize,
    )


def make_plan(problem: Problem, **sequences: Iterable[str]) -> Plan:
    """Return the plan of visit ids in driving order by shift id, as early as possible."""
    kept = {shift: tuple(visits) for shift, visits in sequences.items()}
    served = {visit for visits in kept.values() for visit in visits}
    left = {visit.id: Unserved(visit.id, "no_room") for visit in problem.visits if visit.id not in served}
    return build_plan(problem, kept, reasons=left)


def swap_stop(plan: Plan, route: int, place: int, **changes: int | str) -> Plan:
    """Return the plan with some fields of one stop changed."""
    old = plan.routes[route]
    stops = list(old.stops)
    stops[place] = dataclasses.replace(stops[place], **changes)  # type: ignore[arg-type]
    routes = list(plan.routes)
    routes[route] = Route(old.shift, tuple(stops))
    return dataclasses.replace(plan, routes=tuple(routes))


def add_stop(plan: Plan, route: int, stop: Stop) -> Plan:
    """Return the plan with one more stop at the end of a route."""
    routes = list(plan.routes)
    routes[route] = Route(routes[route].shift, (*routes[route].stops, stop))
    return dataclasses.replace(plan, routes=tuple(routes))
