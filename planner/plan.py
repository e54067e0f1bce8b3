"""The plan: which shift serves which visits, when, and what stays unserved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from planner.problem import Problem, Shift, Visit


@dataclass(frozen=True)
class Stop:
    """One served visit with its times in seconds of the shift's day; the wait is start minus arrival."""

    visit: str
    arrive_s: int
    start_s: int
    leave_s: int


@dataclass(frozen=True)
class Route:
    """The stops of one used shift, in driving order."""

    shift: str
    stops: tuple[Stop, ...]


@dataclass(frozen=True)
class Unserved:
    """A visit left out, the code of its verified reason and the numbers behind it."""

    visit: str
    code: str
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Objective:
    """J = uncollected prize + travel seconds, lower is better."""

    uncollected_prize: int
    travel_s: int

    @property
    def total(self) -> int:
        """Uncollected prize plus travel seconds."""
        return self.uncollected_prize + self.travel_s


@dataclass(frozen=True)
class Plan:
    """A complete answer to a problem.

    Parameters
    ----------
    routes : tuple of Route
        Used shifts only, in the order of the problem's shifts.
    unserved : tuple of Unserved
        Exactly the visits in no route, in the order of the problem's visits.
    objective : Objective
        Its value.
    bound : int or None
        No plan has a total below this, None when not computed.
    engine : Mapping
        What made the plan.
    seed : int
        Seed of every random choice.
    limit : Mapping
        Which limit ended the search.
    """

    routes: tuple[Route, ...]
    unserved: tuple[Unserved, ...]
    objective: Objective
    bound: int | None = None
    engine: Mapping[str, object] = field(default_factory=dict)
    seed: int = 0
    limit: Mapping[str, object] = field(default_factory=dict)


def time_stops(problem: Problem, shift: Shift, visits: Iterable[Visit]) -> tuple[Stop, ...]:
    """Return the stops of `visits` in this order, each as early as possible.

    The clock is not checked against the end of the shift or the windows' ends: that is the
    engines' and the checker's work.

    Raises
    ------
    KeyError
        When a visit has no window in the shift's slot.
    """
    stops = []
    here, clock = problem.depot_by_id[shift.depot].location, shift.start_s
    for number, visit in enumerate(visits):
        if number == len(shift.fixed):
            clock = max(clock, shift.ready_s)
        there = problem.site_by_id[visit.site].location
        opens = {window.slot: window.open_s for window in visit.windows}
        arrive = clock + problem.leg_s(here, there)
        start = max(arrive, opens[shift.slot])
        clock = start + visit.service_s
        stops.append(Stop(visit.id, arrive, start, clock))
        here = there
    return tuple(stops)


def measure_travel(problem: Problem, shift: Shift, visits: Iterable[Visit]) -> int:
    """Return the travel seconds of a route from depot to depot, 0 for no visits."""
    depot = problem.depot_by_id[shift.depot].location
    total, here = 0, depot
    for visit in visits:
        there = problem.site_by_id[visit.site].location
        total += problem.leg_s(here, there)
        here = there
    return total + problem.leg_s(here, depot)


def measure_objective(problem: Problem, sequences: Mapping[str, Iterable[str]]) -> Objective:
    """Return the objective of visit ids in driving order by shift id."""
    travel = 0
    served: set[str] = set()
    for shift_id, visit_ids in sequences.items():
        visits = [problem.visit_by_id[visit_id] for visit_id in visit_ids]
        served.update(visit.id for visit in visits)
        travel += measure_travel(problem, problem.shift_by_id[shift_id], visits)
    lost = sum(visit.penalty for visit in problem.visits if visit.id not in served)
    owing = {visit.site for visit in problem.visits if not problem.site_by_id[visit.site].seen}
    seen = {problem.visit_by_id[visit_id].site for visit_id in served}
    return Objective(lost + problem.first_visit_prize * len(owing - seen), travel)


def build_plan(
    problem: Problem,
    sequences: Mapping[str, Iterable[str]],
    *,
    reasons: Mapping[str, Unserved],
    bound: int | None = None,
    engine: Mapping[str, object] | None = None,
    seed: int = 0,
    limit: Mapping[str, object] | None = None,
) -> Plan:
    """Return the plan for visit ids in driving order by shift id, in a settled order.

    A visit in no route takes its reason from `reasons`; one without a reason gets ``unexplained``.
    """
    kept = {shift: tuple(visits) for shift, visits in sequences.items()}
    routes = tuple(
        Route(shift.id, time_stops(problem, shift, [problem.visit_by_id[key] for key in kept[shift.id]]))
        for shift in problem.shifts
        if kept.get(shift.id)
    )
    served = {stop.visit for route in routes for stop in route.stops}
    unserved = tuple(
        reasons.get(visit.id, Unserved(visit.id, "unexplained"))
        for visit in problem.visits
        if visit.id not in served
    )
    return Plan(
        routes=routes,
        unserved=unserved,
        objective=measure_objective(problem, kept),
        bound=bound,
        engine=dict(engine or {}),
        seed=seed,
        limit=dict(limit or {}),
    )


def list_sequences(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return visit ids in driving order by shift id."""
    return {route.shift: tuple(stop.visit for stop in route.stops) for route in plan.routes}
