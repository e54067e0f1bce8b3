"""Bounds no plan can pass, from a linear programme over visits and slots.

Each visit may be split over the (slot, day) groups whose shifts can serve it alone. In a group it takes
its service time and the cheapest leg that can lead to it, each used shift also the cheapest leg home;
the shifts' hours, capacities and stop limits of a group are pooled. Within `min_gap_days` consecutive
days a site takes at most one visit. Every plan is feasible here and pays at least as much travel
there, so the optimum is a valid bound; it is loose when depots are far or routes are short.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from planner.problem import Problem, Shift, Visit

VARIABLE_LIMIT = 60_000
"""Most windows of visits in staffed slots a bound is computed for: beyond, the answer is None."""


@dataclass(frozen=True)
class Bound:
    """What no plan can beat: `objective` is a floor of J, `prize` and `sites` are ceilings."""

    objective: int
    prize: int
    sites: int


@dataclass(frozen=True)
class _Group:
    """The shifts of one slot on one day, and the cheapest legs within."""

    shifts: tuple[Shift, ...]
    visits: list[int]
    in_s: list[int]
    home_s: int


class _Programme:
    """Rows of a linear programme with variables x (visit in group), y (used shifts), z (site seen)."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.groups = _group_shifts(problem)
        self.pairs = [(visit, number) for number, group in enumerate(self.groups) for visit in group.visits]
        self.site_number = {site: index for index, site in enumerate(problem.visits_by_site)}
        self.used_at = len(self.pairs)
        self.seen_at = self.used_at + len(self.groups)
        self.size = self.seen_at + len(self.site_number)
        self.cells: list[tuple[int, int, float]] = []
        self.limits: list[float] = []

    def add(self, terms: list[tuple[int, float]], limit: float) -> None:
        """Add the row: sum of factor x variable at most `limit`."""
        self.cells += [(len(self.limits), column, factor) for column, factor in terms]
        self.limits.append(limit)

    def add_rows(self) -> None:
        """Add all the rules named in the module's docstring."""
        by_visit: dict[int, list[int]] = {}
        by_site: dict[str, list[tuple[int, int]]] = {}
        for column, (visit, number) in enumerate(self.pairs):
            by_visit.setdefault(visit, []).append(column)
            site = self.problem.visits[visit].site
            by_site.setdefault(site, []).append((self.groups[number].shifts[0].day, column))
        for columns in by_visit.values():
            self.add([(column, 1.0) for column in columns], 1.0)
        for site, number in self.site_number.items():
            seen = [(column, -1.0) for _, column in by_site.get(site, [])]
            self.add([(self.seen_at + number, 1.0), *seen], 0.0)
            gap = self.problem.site_by_id[site].min_gap_days
            if gap and len(self.problem.visits_by_site[site]) > 1:
                self._add_gap(by_site.get(site, []), gap)
        column = 0
        for number, group in enumerate(self.groups):
            self._add_group(group, column, self.used_at + number)
            column += len(group.visits)

    def _add_gap(self, placed: list[tuple[int, int]], gap: int) -> None:
        for first in sorted({day for day, _ in placed}):
            self.add([(column, 1.0) for day, column in placed if first <= day < first + gap], 1.0)

    def _add_group(self, group: _Group, column: int, used: int) -> None:
        visits = [self.problem.visits[visit] for visit in group.visits]
        hours = [shift.end_s - shift.start_s for shift in group.shifts]
        busy = [
            (column + index, float(visit.service_s + group.in_s[index])) for index, visit in enumerate(visits)
        ]
        self.add([*busy, (used, float(group.home_s - max(hours)))], 0.0)
        self.add([*busy, (used, float(group.home_s))], float(sum(hours)))
        capacities = [shift.capacity for shift in group.shifts if shift.capacity is not None]
        if len(capacities) == len(group.shifts):
            loads = [(column + index, float(visit.demand)) for index, visit in enumerate(visits)]
            self.add(loads, float(sum(capacities)))
        stops = [shift.max_stops for shift in group.shifts if shift.max_stops is not None]
        if len(stops) == len(group.shifts):
            self.add([(column + index, 1.0) for index in range(len(visits))], float(sum(stops)))

    def minimise(self, costs: NDArray[np.float64]) -> float:
        """Return the least value of the costs over all variables."""
        if not self.cells:
            return 0.0
        rows, columns, factors = zip(*self.cells, strict=True)
        matrix = coo_matrix((factors, (rows, columns)), shape=(len(self.limits), self.size)).tocsr()
        most = np.ones(self.size)
        most[self.used_at : self.seen_at] = [len(group.shifts) for group in self.groups]
        bounds = np.stack([np.zeros(self.size), most], axis=1)
        result: Any = linprog(costs, A_ub=matrix, b_ub=self.limits, bounds=bounds, method="highs")
        # Nothing served is always feasible and every variable is bounded, so an optimum exists.
        return float(result.fun)


def bound_problem(problem: Problem) -> Bound | None:
    """Return bounds on objective, collected prize and sites seen, None beyond `VARIABLE_LIMIT`."""
    programme = _prepare(problem)
    if programme is None:
        return None
    prize = np.zeros(programme.size)
    prize[: programme.used_at] = [-problem.visits[visit].prize for visit, _ in programme.pairs]
    sites = np.zeros(programme.size)
    sites[programme.seen_at :] = -1.0
    return Bound(
        objective=_minimise_objective(programme),
        prize=_round_down(-programme.minimise(prize)),
        sites=_round_down(-programme.minimise(sites)),
    )


def bound_objective(problem: Problem) -> int | None:
    """Return a floor of J = uncollected prize + travel seconds, None beyond `VARIABLE_LIMIT`."""
    programme = _prepare(problem)
    return None if programme is None else _minimise_objective(programme)


def _prepare(problem: Problem) -> _Programme | None:
    staffed = problem.shifts_by_slot
    if sum(window.slot in staffed for visit in problem.visits for window in visit.windows) > VARIABLE_LIMIT:
        return None
    programme = _Programme(problem)
    programme.add_rows()
    return programme


def _minimise_objective(programme: _Programme) -> int:
    problem = programme.problem
    costs = np.zeros(programme.size)
    legs = [leg for group in programme.groups for leg in group.in_s]
    for column, (visit, _) in enumerate(programme.pairs):
        costs[column] = legs[column] - problem.visits[visit].penalty
    costs[programme.used_at : programme.seen_at] = [group.home_s for group in programme.groups]
    first = (
        np.array([not problem.site_by_id[site].seen for site in programme.site_number])
        * problem.first_visit_prize
    )
    costs[programme.seen_at :] = -first
    worst = sum(visit.penalty for visit in problem.visits)
    worst += int(first.sum())
    return max(0, -_round_down(-(worst + programme.minimise(costs))))


def _round_down(value: float) -> int:
    """Return the integer below `value` after giving the solver's tolerance away on the safe side."""
    return math.floor(value + 1e-3 + 1e-7 * abs(value))


def _group_shifts(problem: Problem) -> list[_Group]:
    """Return the shifts by slot and day with the visits some shift of theirs can serve alone."""
    found: dict[tuple[str, int], list[Shift]] = {}
    for shift in problem.shifts:
        found.setdefault((shift.slot, shift.day), []).append(shift)
    allowed: dict[str, list[int]] = {}
    for number, visit in enumerate(problem.visits):
        for window in visit.windows:
            allowed.setdefault(window.slot, []).append(number)
    groups = []
    for (slot, _), shifts in found.items():
        visits = [
            number
            for number in allowed.get(slot, [])
            if any(_serves_alone(problem, shift, problem.visits[number]) for shift in shifts)
        ]
        if visits:
            groups.append(_measure_group(problem, tuple(shifts), visits))
    return groups


def _serves_alone(problem: Problem, shift: Shift, visit: Visit) -> bool:
    depot = problem.depot_by_id[shift.depot].location
    place = problem.site_by_id[visit.site].location
    window = next(window for window in visit.windows if window.slot == shift.slot)
    begin = max(shift.start_s + problem.leg_s(depot, place), window.open_s)
    return problem.bars(shift, visit) is None and (
        begin <= window.close_s
        and begin + visit.service_s + problem.leg_s(place, depot) <= shift.end_s
        and (shift.capacity is None or visit.demand <= shift.capacity)
        and shift.max_stops != 0
    )


def _measure_group(problem: Problem, shifts: tuple[Shift, ...], visits: list[int]) -> _Group:
    """Return the group with the cheapest leg to each visit from a depot or another visit of the group."""
    depots = sorted({problem.depot_by_id[shift.depot].location for shift in shifts})
    sites = [problem.site_by_id[problem.visits[number].site] for number in visits]
    places = np.array([site.location for site in sites])
    between = problem.block_s(places, places).astype(np.int64)
    # A visit never follows itself, nor one of its own site where a gap in days forbids the same day.
    for index, site in enumerate(sites):
        between[index, index] = np.iinfo(np.int64).max
        if site.min_gap_days:
            same = [other for other, place in enumerate(sites) if place.id == site.id]
            between[same, index] = np.iinfo(np.int64).max
    legs = np.minimum(between.min(axis=0), problem.block_s(depots, places).min(axis=0))
    home = int(problem.block_s(places, depots).min())
    return _Group(shifts, visits, [int(leg) for leg in legs], home)
