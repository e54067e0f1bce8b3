"""Bounds no plan can pass, from a linear programme over visits and slots.

Each visit may be split over the (slot, day) groups whose shifts can serve it alone. In a group it takes
its service time and half of the cheapest leg in and out, from and to two different places or the depot;
each used shift half of its cheapest legs out and home. The shifts' hours, capacities and stop limits of a
group are pooled, in large problems also groups alike. Within `min_gap_days` consecutive days a site takes
at most one visit, caps hold. Every plan is feasible here and pays at least as much travel there, so the
optimum is a valid bound; it is loose when depots are far or routes are short.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from planner.problem import Problem, Shift, Site, Visit

VARIABLE_LIMIT = 40_000
"""Pairs of a visit and a group above which the groups most alike are pooled."""

ROWS_AT_ONCE = 500
NO_LEG = 10**12


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
    leg_s: list[float]
    ends_s: float


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
        self.add_rows()

    def add(self, terms: list[tuple[int, float]], limit: float) -> None:
        """Add the row: sum of factor x variable at most `limit`."""
        self.cells += [(len(self.limits), column, factor) for column, factor in terms]
        self.limits.append(limit)

    def add_rows(self) -> None:
        """Add all the rules named in the module's docstring."""
        by_visit: dict[int, list[int]] = {}
        by_site: dict[str, list[int]] = {}
        by_day: dict[str, list[tuple[int, int]]] = {}
        by_cap: dict[str, list[int]] = {}
        for column, (visit, number) in enumerate(self.pairs):
            by_visit.setdefault(visit, []).append(column)
            site, cap = self.problem.visits[visit].site, self.problem.visits[visit].cap
            by_site.setdefault(site, []).append(column)
            days = {shift.day for shift in self.groups[number].shifts}
            if len(days) == 1:
                by_day.setdefault(site, []).append((days.pop(), column))
            if cap is not None:
                by_cap.setdefault(cap, []).append(column)
        for columns in by_visit.values():
            self.add([(column, 1.0) for column in columns], 1.0)
        for site, number in self.site_number.items():
            seen = [(column, -1.0) for column in by_site.get(site, [])]
            self.add([(self.seen_at + number, 1.0), *seen], 0.0)
            gap = self.problem.site_by_id[site].min_gap_days
            if gap and len(self.problem.visits_by_site[site]) > 1:
                self._add_gap(by_day.get(site, []), gap)
        for item in self.problem.caps:
            if item.id in by_cap:
                self.add([(column, 1.0) for column in by_cap[item.id]], float(item.most))
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
        busy = [(column + index, visit.service_s + group.leg_s[index]) for index, visit in enumerate(visits)]
        self.add([*busy, (used, group.ends_s - max(hours))], 0.0)
        self.add([*busy, (used, group.ends_s)], float(sum(hours)))
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


def bound_problem(problem: Problem) -> Bound:
    """Return bounds on objective, collected prize and sites seen."""
    programme = _Programme(problem)
    prize = np.zeros(programme.size)
    prize[: programme.used_at] = [-problem.visits[visit].prize for visit, _ in programme.pairs]
    sites = np.zeros(programme.size)
    sites[programme.seen_at :] = -1.0
    return Bound(
        objective=_minimise_objective(programme),
        prize=_round_down(-programme.minimise(prize)),
        sites=_round_down(-programme.minimise(sites)),
    )


def bound_objective(problem: Problem) -> int:
    """Return a floor of J = uncollected prize + travel seconds."""
    return _minimise_objective(_Programme(problem))


def _minimise_objective(programme: _Programme) -> int:
    problem = programme.problem
    costs = np.zeros(programme.size)
    legs = [leg for group in programme.groups for leg in group.leg_s]
    for column, (visit, _) in enumerate(programme.pairs):
        costs[column] = legs[column] - problem.visits[visit].penalty
    costs[programme.used_at : programme.seen_at] = [group.ends_s for group in programme.groups]
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
            groups.append((tuple(shifts), visits))
    return [_measure_group(problem, shifts, visits) for shifts, visits in _pool(groups, len(problem.visits))]


def _pool(
    groups: list[tuple[tuple[Shift, ...], list[int]]], visits: int
) -> list[tuple[tuple[Shift, ...], list[int]]]:
    """Merge the groups most alike in what they may serve until there are few enough variables.

    Whatever fits the shifts of two groups fits their hours together, so pooling keeps the bound valid.
    """
    rows = np.zeros((len(groups), visits), dtype=np.float32)
    for row, (_, allowed) in enumerate(groups):
        rows[row, allowed] = 1.0
    merged = [(list(shifts), rows[index]) for index, (shifts, _) in enumerate(groups)]
    while len(merged) > 1 and sum(float(row.sum()) for _, row in merged) > VARIABLE_LIMIT:
        table = np.stack([row for _, row in merged])
        common = table @ table.T
        size = table.sum(axis=1)
        alike = common / np.maximum(size[:, None] + size[None, :] - common, 1.0)
        np.fill_diagonal(alike, -1.0)
        one, other = sorted(divmod(int(alike.argmax()), len(merged)))
        shifts, row = merged.pop(other)
        merged[one] = (merged[one][0] + shifts, np.maximum(merged[one][1], row))
    return [(tuple(shifts), np.flatnonzero(row).tolist()) for shifts, row in merged]


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
    """Return the group with half of the cheapest legs at every visit and at the ends of a route."""
    depots = np.array(sorted({problem.depot_by_id[shift.depot].location for shift in shifts}))
    sites = [problem.site_by_id[problem.visits[number].site] for number in visits]
    places = np.unique([site.location for site in sites])
    ends = int(problem.block_s(depots, places).min()) + int(problem.block_s(places, depots).min())
    return _Group(shifts, visits, _measure_legs(problem, sites, depots), ends / 2)


def _measure_legs(problem: Problem, sites: Sequence[Site], depots: NDArray[np.int64]) -> list[float]:
    """Return half of the cheapest legs in and out for each of `sites`, one entry a visit."""
    visits_at = Counter(site.id for site in sites)
    places = {site.id: site.location for site in sites}
    ids, own = list(places), np.array(list(places.values()))
    both: dict[str, float] = {}
    for first in range(0, len(own), ROWS_AT_ONCE):
        target = own[first : first + ROWS_AT_ONCE]
        legs = _pair_legs(
            _find_two(problem.block_s(own, target), first),
            _find_two(problem.block_s(target, own).T, first),
            problem.block_s(depots, target).min(axis=0),
            problem.block_s(target, depots).min(axis=1),
        )
        both.update(zip(ids[first : first + ROWS_AT_ONCE], (legs / 2).tolist(), strict=True))
    for site in sites:
        # A gap in days forbids two visits of one site on one day, and a route is driven within a day.
        if visits_at[site.id] > 1 and not site.min_gap_days:
            both[site.id] = 0.0
    return [both[site.id] for site in sites]


_Two = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def _find_two(legs: NDArray[np.int32], first: int) -> _Two:
    """Return each column's least leg, its row, and the least of the other rows; nobody follows themselves."""
    legs, columns = legs.astype(np.int64), np.arange(legs.shape[1])
    legs[first + columns, columns] = NO_LEG
    row = legs.argmin(axis=0)
    least = legs[row, columns]
    legs[row, columns] = NO_LEG
    return least, row, legs.min(axis=0)


def _pair_legs(
    inward: _Two, outward: _Two, from_depot: NDArray[np.int32], to_depot: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Return the cheapest leg in plus leg out: two different places, or the depot once or twice."""
    in_least, in_row, in_next = inward
    out_least, out_row, out_next = outward
    apart = np.where(
        in_row != out_row, in_least + out_least, np.minimum(in_least + out_next, in_next + out_least)
    )
    with_depot = np.minimum(from_depot + out_least, in_least + to_depot)
    found: NDArray[np.int64] = np.minimum(
        np.minimum(apart, with_depot), from_depot.astype(np.int64) + to_depot
    )
    return found
