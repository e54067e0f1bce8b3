"""Areas of a large problem: where its places lie, and fair cuts of sites or shifts into compact groups."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from planner.points import PointTravel
from planner.problem import Problem, Shift

LANDMARKS = 8


def place_points(problem: Problem) -> NDArray[np.float64]:
    """Return a point in the plane for every location, shape (locations, 2).

    Points given are taken as they are. From a matrix, travel to and from a few far-apart landmarks is
    projected on its two widest directions (landmark scaling): near places come out near.
    """
    if isinstance(problem.travel_s, PointTravel):
        return np.array(problem.travel_s.xy_m)
    count = len(problem.travel_s)
    if count < 2:
        return np.zeros((count, 2))
    everywhere = np.arange(count)
    landmark, columns = 0, []
    nearest = np.full(count, np.inf)
    for _ in range(min(LANDMARKS, count)):
        away = problem.block_s([landmark], everywhere)[0].astype(float)
        away = (away + problem.block_s(everywhere, [landmark])[:, 0]) / 2
        columns.append(away)
        nearest = np.minimum(nearest, away)
        landmark = int(nearest.argmax())
    features = np.stack(columns, axis=1)
    features -= features.mean(axis=0)
    _, _, axes = np.linalg.svd(features, full_matrices=False)
    points = features @ axes[:2].T
    return np.pad(points, ((0, 0), (0, 2 - points.shape[1])))


def bisect(
    points: NDArray[np.float64], weights: NDArray[np.float64], groups: int, *, angle: float
) -> NDArray[np.int64]:
    """Return a group number, 0 to `groups` - 1, for every point: compact groups of about equal weight.

    The longest extent, seen turned by `angle` radians, is cut in two again and again at the weighted middle.
    """
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    turned = points @ turn
    group = np.zeros(len(points), dtype=np.int64)
    pending = [(np.arange(len(points)), 0, groups)]
    while pending:
        members, first, count = pending.pop()
        if count == 1 or len(members) == 0:
            group[members] = first
            continue
        left = count // 2
        axis = int(np.ptp(turned[members], axis=0).argmax())
        order = members[np.argsort(turned[members, axis], kind="stable")]
        reached = np.cumsum(weights[order])
        at = int(np.searchsorted(reached, reached[-1] * left / count))
        at = min(max(at, min(left, len(order))), len(order))
        pending += [(order[:at], first, left), (order[at:], first + left, count - left)]
    return group


def divide_sites(problem: Problem, points: NDArray[np.float64], groups: int) -> dict[str, int]:
    """Return the area of every site that owes visits, by the time its visits take."""
    sites = list(problem.visits_by_site)
    where = np.array([problem.site_by_id[site].location for site in sites], dtype=np.int64)
    seconds = [sum(v.service_s + 300 for v in problem.visits_by_site[site]) for site in sites]
    area = bisect(points[where], np.array(seconds, dtype=float), groups, angle=0.0)
    return dict(zip(sites, area.tolist(), strict=True))


def divide_shifts(
    problem: Problem, points: NDArray[np.float64], area_of: Mapping[str, int], groups: int
) -> list[list[str]]:
    """Return the shifts of each area: in every slot as many as the area's owed time asks for.

    What rounding leaves is carried over to later slots; where depots differ, the nearest shift is taken.
    """
    owed: dict[str, NDArray[np.float64]] = defaultdict(lambda: np.zeros(groups))
    middle, count = np.zeros((groups, 2)), np.zeros(groups)
    for site_id, visits in problem.visits_by_site.items():
        area = area_of[site_id]
        middle[area] += points[problem.site_by_id[site_id].location]
        count[area] += 1
        for visit in visits:
            staffed = [window.slot for window in visit.windows if window.slot in problem.shifts_by_slot]
            for slot in staffed:
                owed[slot][area] += (visit.service_s + 300) / len(staffed)
    middle /= np.maximum(count, 1)[:, None]
    given: list[list[str]] = [[] for _ in range(groups)]
    deserved = np.zeros(groups)
    for slot, shifts in problem.shifts_by_slot.items():
        asked = owed[slot] if owed[slot].sum() > 0 else count
        deserved += len(shifts) * asked / max(asked.sum(), 1e-9)
        left = list(shifts)
        while left:
            open_areas = np.where(asked > 0, deserved, -np.inf)
            area = int(open_areas.argmax())
            shift = _nearest(problem, points, left, middle[area])
            left.remove(shift)
            given[area].append(shift.id)
            deserved[area] -= 1
    return given


def _nearest(
    problem: Problem, points: NDArray[np.float64], shifts: Sequence[Shift], middle: NDArray[np.float64]
) -> Shift:
    def away(shift: Shift) -> float:
        return float(np.hypot(*(points[problem.depot_by_id[shift.depot].location] - middle)))

    return min(shifts, key=away) if len(problem.depots) > 1 else shifts[0]


def group_shifts(
    problem: Problem,
    points: NDArray[np.float64],
    sequences: Mapping[str, Sequence[str]],
    groups: int,
    *,
    angle: float,
) -> list[list[str]]:
    """Return compact groups of routes, by the middle of their stops; unused shifts are spread evenly."""
    used = [shift.id for shift in problem.shifts if sequences.get(shift.id)]
    unused = [shift.id for shift in problem.shifts if not sequences.get(shift.id)]
    found: list[list[str]] = [[] for _ in range(groups)]
    if used:
        places = [
            [problem.site_by_id[problem.visit_by_id[visit].site].location for visit in sequences[shift]]
            for shift in used
        ]
        middles = np.array([points[place].mean(axis=0) for place in places])
        weights = np.array([len(place) for place in places], dtype=float)
        for shift, group in zip(used, bisect(middles, weights, groups, angle=angle), strict=True):
            found[int(group)].append(shift)
    for number, shift in enumerate(unused):
        found[number % groups].append(shift)
    return found
