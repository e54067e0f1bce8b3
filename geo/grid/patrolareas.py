"""Patrol areas (巡查片区): whole grid areas put together for teams, equal in work, connected and compact."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.crs import Floats, check_frame, frame_metric_crs
from geo.errors import GridError

Ints = NDArray[np.int64]
Shapes = NDArray[np.object_]
_TOUCH_M = 1.0  # drawn borders of neighbours lie this close
_BALANCE = 40.0  # weight of unequal work against the spread of an area
_BORDER = 1.0  # weight of the share of neighbours that are parted: without it areas with little work fray
_HOT = 0.002  # first temperature over the cost at the start
_COOLING = 0.05  # last temperature over the first


@dataclass(frozen=True, slots=True)
class PatrolAreas:
    """A division of grid areas.

    Parameters
    ----------
    area : Series of int
        Number of the patrol area, 1 to k, on the index of the grid areas.
    workload_min : Series of float
        Minutes of work by patrol area.
    imbalance : float
        Largest workload over the mean, minus one.
    parts : Series of int
        Connected parts by patrol area: 1, or more where grid areas themselves are islands.
    """

    area: pd.Series[int]
    workload_min: pd.Series[float]
    imbalance: float
    parts: pd.Series[int]


def divide(
    grids: gpd.GeoDataFrame, workload_min: pd.Series[float], *, count: int, seed: int = 0, steps: int = 40_000
) -> PatrolAreas:
    """Divide grid areas into patrol areas along their borders.

    Parameters
    ----------
    grids : GeoDataFrame
        Official grid areas in WGS-84.
    workload_min : Series of float
        Minutes of work by grid area, on the same index; never negative.
    count : int
        Number of patrol areas, at least 1 and at most the number of grid areas.
    seed : int
        Seed of the search.
    steps : int
        Moves tried; the same seed and steps give the same areas.

    Returns
    -------
    PatrolAreas
        Every grid area in exactly one patrol area; each patrol area is connected over shared borders (islands
        count as neighbours of what lies nearest).

    Raises
    ------
    GridError
        ``bad_area_count``, ``bad_workload``.
    FrameError
        As `geo.crs.check_frame`.

    Notes
    -----
    Regions grow from far-apart seeds, always the one with least work, then simulated annealing moves border
    grid areas between neighbours where the giving region stays connected (the contiguity test of automatic
    zoning, Openshaw 1977), weighing squared deviation of work against the moment of inertia and the share of
    neighbours that are parted.
    """
    check_frame(grids)
    work = workload_min.reindex(grids.index).to_numpy(dtype=np.float64)
    if not 1 <= count <= len(grids):
        raise GridError("bad_area_count", count=count, grids=len(grids))
    if not np.isfinite(work).all() or (work < 0).any():
        raise GridError("bad_workload", count=int((~np.isfinite(work) | (work < 0)).sum()))
    shapes = grids.to_crs(frame_metric_crs(grids)).geometry.to_numpy()
    xy = shapely.get_coordinates(shapely.centroid(shapes))
    neighbours = _neighbours(shapes, xy)
    # A grid area without work still costs a little: else none would know whom to belong to.
    weight: Floats = np.asarray(work + max(float(work.mean()), 1.0) * 1e-3, dtype=np.float64)
    regions = _Regions(_grow(xy, weight, neighbours, count), xy, weight, neighbours, count)
    area = _number(regions.anneal(np.random.default_rng(seed), steps), xy, count)
    loads = np.bincount(area, weights=work, minlength=count)
    mean = float(loads.mean())
    numbers = pd.RangeIndex(1, count + 1)
    return PatrolAreas(
        pd.Series(area + 1, index=grids.index, name="area"),
        pd.Series(loads, index=numbers, name="workload_min"),
        float(loads.max() / mean - 1.0) if mean else 0.0,
        pd.Series([_parts(area == number, shapes) for number in range(count)], index=numbers, name="parts"),
    )


def outline(grids: gpd.GeoDataFrame, area: pd.Series[int]) -> gpd.GeoDataFrame:
    """Put the grid areas of each patrol area together into one shape.

    Parameters
    ----------
    grids : GeoDataFrame
        Official grid areas in WGS-84.
    area : Series of int
        Number of the patrol area on the same index; grid areas without a number are left out.

    Returns
    -------
    GeoDataFrame
        WGS-84, index ``area``; cracks between drawn borders are closed.

    Raises
    ------
    FrameError
        As `geo.crs.check_frame`.
    """
    check_frame(grids)
    metric = grids.to_crs(frame_metric_crs(grids))
    number = area.reindex(grids.index)
    rows = []
    for value in sorted(number.dropna().unique()):
        whole = shapely.unary_union(metric.geometry[number == value].to_numpy())
        closed = whole.buffer(_TOUCH_M, join_style="mitre").buffer(-_TOUCH_M, join_style="mitre")
        rows.append((int(value), closed))
    table = pd.DataFrame(rows, columns=["area", "geometry"]).set_index("area")
    return gpd.GeoDataFrame(table, geometry="geometry", crs=metric.crs).to_crs(4326)


def _neighbours(shapes: Shapes, xy: Floats) -> list[set[int]]:
    """List who shares a border with whom; parts of the map that touch nothing are joined where nearest."""
    found: list[set[int]] = [set() for _ in shapes]
    one, other = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=_TOUCH_M)
    shared = shapely.length(
        shapely.intersection(shapely.buffer(shapes[one], _TOUCH_M), shapely.boundary(shapes[other]))
    )
    for a, b, metres in zip(one, other, shared, strict=True):
        if a != b and metres > 4 * _TOUCH_M:  # not a corner only
            found[a].add(int(b))
            found[b].add(int(a))
    groups = _components(found)
    while len(groups) > 1:
        island, rest = groups[0], np.concatenate([np.array(group) for group in groups[1:]])
        away = np.hypot(*(xy[island][:, None, :] - xy[rest][None, :, :]).transpose(2, 0, 1))
        at, to = np.unravel_index(int(np.argmin(away)), away.shape)
        a, b = int(island[at]), int(rest[to])
        found[a].add(b)
        found[b].add(a)
        groups = _components(found)
    return found


def _components(neighbours: list[set[int]]) -> list[list[int]]:
    left, groups = set(range(len(neighbours))), []
    while left:
        group = _reach(min(left), neighbours, left)
        groups.append(sorted(group))
        left -= group
    return sorted(groups, key=len)


def _reach(start: int, neighbours: list[set[int]], within: set[int]) -> set[int]:
    seen, queue = {start}, deque([start])
    while queue:
        for near in neighbours[queue.popleft()]:
            if near in within and near not in seen:
                seen.add(near)
                queue.append(near)
    return seen


def _grow(xy: Floats, weight: Floats, neighbours: list[set[int]], count: int) -> Ints:
    """Grow regions from far-apart seeds; the one with least work takes its nearest free neighbour."""
    seeds = [int(np.argmax(np.hypot(*(xy - np.average(xy, axis=0, weights=weight)).T)))]
    while len(seeds) < count:
        away = np.min([np.hypot(*(xy - xy[seed]).T) for seed in seeds], axis=0)
        away[seeds] = -1.0
        seeds.append(int(np.argmax(away)))
    area = np.full(len(xy), -1, dtype=np.int64)
    area[seeds] = np.arange(count)
    load = weight[seeds].copy()
    while (area < 0).any():
        for region in np.argsort(load, kind="stable"):
            free = {n for unit in np.flatnonzero(area == region) for n in neighbours[unit] if area[n] < 0}
            if free:
                choice = np.array(sorted(free))
                middle = xy[area == region].mean(axis=0)
                taken = choice[int(np.argmin(np.hypot(*(xy[choice] - middle).T)))]
                area[taken] = region
                load[region] += weight[taken]
                break
    return area


class _Regions:
    """Regions under improvement: members, work, and the sums that give their moments of inertia."""

    def __init__(
        self, area: Ints, xy: Floats, weight: Floats, neighbours: list[set[int]], count: int
    ) -> None:
        self.area, self.xy, self.weight, self.neighbours, self.count = area, xy, weight, neighbours, count
        self.members = [set(np.flatnonzero(area == region).tolist()) for region in range(count)]
        squared = (xy**2).sum(axis=1)
        self.moments = np.column_stack([weight, weight[:, None] * xy, weight * squared])
        self.sums = np.array([self.moments[list(members)].sum(axis=0) for members in self.members])
        self.ideal = float(weight.sum()) / count
        self.scale = float(weight @ ((xy - xy.mean(axis=0)) ** 2).sum(axis=1)) or 1.0
        self.costs = np.array([self._cost(region) for region in range(count)])
        pairs = sum(len(near) for near in neighbours) / 2
        self.border = _BORDER / pairs if pairs else 0.0
        self.parted = sum(area[one] != area[n] for one, near in enumerate(neighbours) for n in near) / 2

    def _total(self) -> float:
        return float(self.costs.sum() + self.border * self.parted)

    def _cost(self, region: int) -> float:
        load, x, y, squares = self.sums[region]
        spread = squares - (x * x + y * y) / load
        return float(spread / self.scale + _BALANCE / self.count * (load / self.ideal - 1.0) ** 2)

    def anneal(self, random: np.random.Generator, steps: int) -> Ints:
        """Move border grid areas between regions and give the best division seen."""
        best, least = self.area.copy(), self._total()
        hot = _HOT * least + 1e-9
        units, draws = random.integers(len(self.area), size=steps), random.random(steps)
        for step in range(steps):
            unit, heat = int(units[step]), hot * _COOLING ** (step / steps)
            if self._try(unit, step, float(draws[step]), heat) and (now := self._total()) < least:
                best, least = self.area.copy(), now
        return best

    def _try(self, unit: int, step: int, draw: float, heat: float) -> bool:
        here = int(self.area[unit])
        others = sorted({int(self.area[n]) for n in self.neighbours[unit]} - {here})
        if not others or len(self.members[here]) == 1:
            return False
        there = others[step % len(others)]
        kept = self.sums[[here, there]].copy()
        self.sums[here] -= self.moments[unit]
        self.sums[there] += self.moments[unit]
        change = self._cost(here) + self._cost(there) - self.costs[here] - self.costs[there]
        beside = [int(self.area[n]) for n in self.neighbours[unit]]
        parted = beside.count(here) - beside.count(there)
        change += self.border * parted
        if (change < 0 or draw < np.exp(-change / heat)) and self._stays_whole(unit, here):
            self.area[unit] = there
            self.parted += parted
            self.members[here].remove(unit)
            self.members[there].add(unit)
            self.costs[here], self.costs[there] = self._cost(here), self._cost(there)
            return True
        self.sums[[here, there]] = kept
        return False

    def _stays_whole(self, unit: int, region: int) -> bool:
        """Tell whether a region stays connected without one of its grid areas."""
        rest = self.members[region] - {unit}
        near = [n for n in self.neighbours[unit] if n in rest]
        return len(near) <= 1 or set(near) <= _reach(near[0], self.neighbours, rest)


def _number(area: Ints, xy: Floats, count: int) -> Ints:
    """Number the areas from north to south, west to east within a row, so that a map reads in order."""
    middles = np.array([xy[area == region].mean(axis=0) for region in range(count)])
    order = np.lexsort((middles[:, 0], -middles[:, 1]))
    rank = np.empty(count, dtype=np.int64)
    rank[order] = np.arange(count)
    return rank[area]


def _parts(chosen: NDArray[np.bool_], shapes: Shapes) -> int:
    whole = shapely.unary_union(shapely.buffer(shapes[chosen], _TOUCH_M))
    return len(shapely.get_parts(whole))
