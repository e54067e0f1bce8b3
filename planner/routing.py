"""First plan by OR-Tools: day by day, each slot's routes are one small model.

One model over the whole horizon is slow and, with clocks in absolute time, worse (measured: 23 % in J), so
each (slot, day) group is solved alone with its clock starting at its first shift. A group is offered the
visits worth most a second of which few chances are left; what it leaves out is offered to later groups.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.problem import Problem, Shift, Visit

QUICK_SOLUTIONS = 100
THOROUGH_SOLUTIONS = 400
"""Solutions after which the search of one group ends: a count, so that answers repeat."""

GUARD_MS = 20_000
"""Wall milliseconds after which the search of one group ends in any case."""

POOL_FACTOR = 1.6
POOL_MOST = 150
"""A group is offered this many times the visits its hours hold, and never more than that number."""


@dataclass(frozen=True)
class _Group:
    """The shifts of one slot on one day."""

    slot: str
    day: int
    shifts: tuple[Shift, ...]


def route_first(
    problem: Problem,
    *,
    limit_s: float | None = None,
    thorough: bool = False,
    cancel: Callable[[], bool] | None = None,
) -> dict[str, tuple[str, ...]]:
    """Return a feasible first plan: visit ids in driving order by shift id.

    Parameters
    ----------
    problem : Problem
        What to plan.
    limit_s : float or None
        Wall seconds shared evenly by the groups, as a guard: counts of solutions usually end first.
    thorough : bool
        Search each group by guided local search rather than by descent alone.
    cancel : callable or None
        Asked before each group; True leaves the remaining groups empty.
    """
    # Shifts that begin with fixed stops keep them; the improvement fills up the rest of those routes.
    plan = {shift.id: shift.fixed for shift in problem.shifts if shift.fixed}
    groups = _list_groups(problem)
    guard_ms = (
        GUARD_MS if limit_s is None else max(1, min(GUARD_MS, int(1000 * limit_s / max(len(groups), 1))))
    )
    left = {visit.id: visit for visit in problem.visits}
    served: dict[str, list[Shift]] = {}
    for shift_id, visit_ids in plan.items():
        for visit_id in visit_ids:
            served.setdefault(left.pop(visit_id).site, []).append(problem.shift_by_id[shift_id])
    spare = {cap.id: cap.most for cap in problem.caps}
    for visit in problem.visits:
        if visit.cap is not None and visit.id not in left:
            spare[visit.cap] -= 1
    for number, group in enumerate(groups):
        if cancel is not None and cancel():
            break
        pool = _choose_pool(problem, groups[number:], left=left, served=served, spare=spare)
        if not pool:
            continue
        routes = _route_group(problem, group, pool, served=served, guard_ms=guard_ms, thorough=thorough)
        for shift_id, visits in routes.items():
            plan[shift_id] = tuple(visit.id for visit in visits)
            for visit in visits:
                served.setdefault(visit.site, []).append(problem.shift_by_id[shift_id])
                del left[visit.id]
                if visit.cap is not None:
                    spare[visit.cap] -= 1
    return plan


def _list_groups(problem: Problem) -> list[_Group]:
    """Return the groups in the order of their days and starts."""
    found: dict[tuple[int, str], list[Shift]] = {}
    for shift in problem.shifts:
        if not shift.closed and not shift.fixed and shift.ready_s <= shift.end_s:
            found.setdefault((shift.day, shift.slot), []).append(shift)
    groups = [_Group(slot, day, tuple(shifts)) for (day, slot), shifts in found.items()]
    return sorted(
        groups, key=lambda group: (group.day, min(shift.start_s for shift in group.shifts), group.slot)
    )


def _choose_pool(
    problem: Problem,
    groups: Sequence[_Group],
    *,
    left: Mapping[str, Visit],
    served: Mapping[str, Sequence[Shift]],
    spare: Mapping[str, int],
) -> list[Visit]:
    """Return the visits offered to the first of `groups`, the others being the chances that remain."""
    group = groups[0]
    allowed = []
    for visit in left.values():
        gap = problem.site_by_id[visit.site].min_gap_days
        near = any(abs(shift.day - group.day) < gap for shift in served.get(visit.site, ()))
        if not near and any(window.slot == group.slot for window in visit.windows):
            allowed.append(visit)
    chances = dict.fromkeys((group.slot for group in groups), 0)
    for other in groups:
        chances[other.slot] += len(other.shifts)

    def rank(visit: Visit) -> tuple[float, str]:
        remaining = sum(chances.get(window.slot, 0) for window in visit.windows)
        worth = visit.penalty + _first_prize(problem, visit, served)
        return -worth / (visit.service_s + 300) * (1 + 10 / max(remaining, 1)), visit.id

    chosen: list[Visit] = []
    taken: set[str] = set()
    room = dict(spare)
    hours = POOL_FACTOR * sum(shift.end_s - shift.start_s for shift in group.shifts)
    for visit in sorted(allowed, key=rank):
        if (problem.rotate or problem.site_by_id[visit.site].min_gap_days) and visit.site in taken:
            continue
        if hours <= 0 or len(chosen) >= POOL_MOST:
            break
        if visit.cap is not None:
            if room[visit.cap] <= 0:
                continue
            room[visit.cap] -= 1
        taken.add(visit.site)
        chosen.append(visit)
        hours -= visit.service_s + 300
    return chosen


def _first_prize(problem: Problem, visit: Visit, served: Mapping[str, Sequence[Shift]]) -> int:
    seen = visit.site in served or problem.site_by_id[visit.site].seen
    return 0 if seen else problem.first_visit_prize


def _route_group(
    problem: Problem,
    group: _Group,
    pool: Sequence[Visit],
    *,
    served: Mapping[str, Sequence[Shift]],
    guard_ms: int,
    thorough: bool,
) -> dict[str, list[Visit]]:
    """Return the visits of each shift of the group in driving order, by one OR-Tools routing model."""
    from ortools.constraint_solver import pywrapcp  # Slow to import, so only where it is used.

    model = _Model(problem, group, pool, pywrapcp=pywrapcp)
    model.add_times()
    model.add_limits()
    for index, visit in enumerate(pool):
        met = {m for s in served.get(visit.site, ()) for m in s.members} if problem.rotate else set()
        worth = visit.penalty + _first_prize(problem, visit, served)
        model.allow_shifts(index, visit, penalty=worth, met=met)
    return model.search(guard_ms=guard_ms, thorough=thorough)


class _Model:
    """An OR-Tools routing model: nodes are the pool's visits, then one start and one end a shift."""

    def __init__(self, problem: Problem, group: _Group, pool: Sequence[Visit], *, pywrapcp: Any) -> None:
        self.problem, self.group, self.pool = problem, group, pool
        self.pywrapcp = pywrapcp
        count, shifts = len(pool), len(group.shifts)
        starts = list(range(count, count + shifts))
        ends = list(range(count + shifts, count + 2 * shifts))
        self.manager = pywrapcp.RoutingIndexManager(count + 2 * shifts, shifts, starts, ends)
        self.routing = pywrapcp.RoutingModel(self.manager)
        self.base_s = min(shift.start_s for shift in group.shifts)
        self.travel_s = self._cut_matrix()
        self.routing.SetArcCostEvaluatorOfAllVehicles(
            self.routing.RegisterTransitMatrix(self.travel_s.tolist())
        )

    def _cut_matrix(self) -> NDArray[np.int64]:
        depots = [self.problem.depot_by_id[shift.depot].location for shift in self.group.shifts]
        places = [self.problem.site_by_id[visit.site].location for visit in self.pool] + depots + depots
        matrix = self.problem.block_s(places, places).astype(np.int64)
        # A shift that serves nothing goes nowhere, even between two depots of other shifts.
        matrix[len(self.pool) :, len(self.pool) :] = 0
        return matrix

    def add_times(self) -> None:
        """Add the clock, in seconds from the first start of the group."""
        service = [visit.service_s for visit in self.pool] + [0] * (2 * len(self.group.shifts))
        spent = (self.travel_s + np.array(service)[:, None]).tolist()
        horizon = max(shift.end_s for shift in self.group.shifts) - self.base_s
        self.routing.AddDimension(self.routing.RegisterTransitMatrix(spent), horizon, horizon, False, "clock")
        clock = self.routing.GetDimensionOrDie("clock")
        for number, shift in enumerate(self.group.shifts):
            begin = max(shift.start_s, shift.ready_s) - self.base_s
            clock.CumulVar(self.routing.Start(number)).SetRange(begin, begin)
            clock.CumulVar(self.routing.End(number)).SetRange(begin, shift.end_s - self.base_s)
        for index, visit in enumerate(self.pool):
            window = next(window for window in visit.windows if window.slot == self.group.slot)
            opens = max(0, window.open_s - self.base_s)
            closes = min(horizon, window.close_s - self.base_s)
            if opens <= closes:
                clock.CumulVar(self.manager.NodeToIndex(index)).SetRange(opens, closes)

    def add_limits(self) -> None:
        """Add capacities and stop limits where any shift has one."""
        padding = [0] * (2 * len(self.group.shifts))
        demands = [visit.demand for visit in self.pool]
        for name, weights, limits in (
            ("load", demands, [shift.capacity for shift in self.group.shifts]),
            ("stops", [1] * len(self.pool), [shift.max_stops for shift in self.group.shifts]),
        ):
            if any(limit is not None for limit in limits):
                total = sum(weights)
                transit = self.routing.RegisterUnaryTransitVector(weights + padding)
                most = [total if limit is None else min(limit, total) for limit in limits]
                self.routing.AddDimensionWithVehicleCapacity(transit, 0, most, True, name)

    def allow_shifts(self, index: int, visit: Visit, *, penalty: int, met: set[str]) -> None:
        """Let `visit` be left out for its penalty, or be served by shifts that can serve it alone."""
        node = self.manager.NodeToIndex(index)
        self.routing.AddDisjunction([node], penalty)
        allowed = [
            number
            for number, shift in enumerate(self.group.shifts)
            if met.isdisjoint(shift.members) and self._serves_alone(shift, number, visit, index)
        ]
        # SetAllowedVehiclesForIndex raises TypeError in the 9.15 wheel; -1 stands for left out.
        self.routing.VehicleVar(node).SetValues([-1, *allowed])

    def _serves_alone(self, shift: Shift, number: int, visit: Visit, index: int) -> bool:
        if self.problem.bars(shift, visit) is not None:
            return False
        depot = len(self.pool) + number
        window = next(window for window in visit.windows if window.slot == shift.slot)
        begin = max(max(shift.start_s, shift.ready_s) + int(self.travel_s[depot, index]), window.open_s)
        return (
            begin <= window.close_s
            and begin + visit.service_s + int(self.travel_s[index, depot]) <= shift.end_s
        )

    def search(self, *, guard_ms: int, thorough: bool) -> dict[str, list[Visit]]:
        """Return the visits of each used shift in driving order; nothing when no solution was found."""
        from ortools.constraint_solver import routing_enums_pb2 as enums

        parameters = self.pywrapcp.DefaultRoutingSearchParameters()
        parameters.first_solution_strategy = enums.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
        if thorough and len(self.pool) > 2:
            parameters.local_search_metaheuristic = enums.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        else:
            parameters.local_search_metaheuristic = enums.LocalSearchMetaheuristic.GREEDY_DESCENT
        parameters.solution_limit = THOROUGH_SOLUTIONS if thorough else QUICK_SOLUTIONS
        parameters.time_limit.FromMilliseconds(guard_ms)
        solution = self.routing.SolveWithParameters(parameters)
        routes: dict[str, list[Visit]] = {}
        for number, shift in enumerate(self.group.shifts if solution else ()):
            at, visits = solution.Value(self.routing.NextVar(self.routing.Start(number))), []
            while not self.routing.IsEnd(at):
                visits.append(self.pool[self.manager.IndexToNode(at)])
                at = solution.Value(self.routing.NextVar(at))
            if visits:
                routes[shift.id] = visits
        return routes
