"""Walking distance on the roads: the second measure of nearness beside the straight line."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.crs import check_frame
from geo.errors import FrameError
from geo.network.graph import SHUT, Arcs, RoadNetwork, length_arcs
from geo.network.search import FAR, reach
from geo.network.snapping import Ends, Footing, Snapper, join

SNAP_M, LIMIT_M = 300.0, 3_000.0
_Labels = NDArray[np.int64]


def walk_nearest(
    network: RoadNetwork,
    points: gpd.GeoDataFrame,
    anchors: gpd.GeoDataFrame,
    *,
    limit_m: float = LIMIT_M,
    snap_m: float = SNAP_M,
) -> pd.DataFrame:
    """Find the nearest anchor of each point by walking.

    Parameters
    ----------
    network : RoadNetwork
        Roads of walkers.
    points : GeoDataFrame
        WGS-84 points; a missing point gets no distance.
    anchors : GeoDataFrame
        WGS-84 points of schools.
    limit_m : float
        Longest walk looked for.
    snap_m : float
        Metres within which a point or an anchor lies at a road; what lies farther gets no distance.

    Returns
    -------
    DataFrame
        Index of `points`; ``walk_nearest`` (index label of the anchor, None without any) and ``walk_m``
        (metres on the roads and straight to them at both ends, NaN without any).

    Raises
    ------
    FrameError
        ``not_points``, ``bad_radii``, or as `geo.crs.check_frame`.

    Notes
    -----
    One search from all anchors at once, against the direction of travel.
    """
    if not (0 < limit_m <= 100_000 and 0 < snap_m <= 10_000):
        raise FrameError("bad_radii", radii_m=[limit_m, snap_m])
    label, metres = np.full(len(points), None, dtype=object), np.full(len(points), np.nan)
    rows, schools = _present(points), _present(anchors)
    if len(rows) and len(schools):
        snapper = Snapper(network)
        here, there = _foot(snapper, points, rows), _foot(snapper, anchors, schools)
        found, millimetres = _walks(network, here, there, limit_m=limit_m, snap_m=snap_m)
        known = found != SHUT
        label[rows[known]] = anchors.index.to_numpy(dtype=object)[schools[found[known]]]
        metres[rows[known]] = millimetres[known] / 1000
    named = pd.Series(label, index=points.index, dtype=object)
    return pd.DataFrame({"walk_nearest": named, "walk_m": metres}, index=points.index)


def _present(frame: gpd.GeoDataFrame) -> _Labels:
    check_frame(frame)
    present = np.flatnonzero(~(frame.geometry.isna() | frame.geometry.is_empty))
    if not (frame.geometry.iloc[present].geom_type == "Point").all():
        raise FrameError("not_points")
    return present


def _foot(snapper: Snapper, frame: gpd.GeoDataFrame, rows: _Labels) -> Footing:
    shapes = frame.geometry.iloc[rows]
    return snapper.snap(shapes.x.to_numpy(), shapes.y.to_numpy())


def _walks(
    network: RoadNetwork, here: Footing, there: Footing, *, limit_m: float, snap_m: float
) -> tuple[_Labels, _Labels]:
    """Return each point's anchor (-1 without) and millimetres; of equally near anchors the first."""
    arcs, limit = length_arcs(network), int(limit_m * 1000)
    start, goal = join(network, arcs, here), join(network, arcs, there)
    off_here = np.rint(here.off_m * 1000).astype(np.int64)
    off_there = np.rint(there.off_m * 1000).astype(np.int64)
    usable = np.flatnonzero(there.off_m <= snap_m)
    cost_of, root = _from_anchors(arcs, goal, off_there, usable, limit)
    best, found = np.full(len(off_here), int(FAR)), np.full(len(off_here), SHUT)
    for way in (0, 1):
        node = start.out_node[:, way]
        total = np.where(node != SHUT, cost_of[node] + start.out_cost[:, way], int(FAR))
        nearer = (total < best) | ((total == best) & (root[node] < found) & (best < int(FAR)))
        best, found = np.where(nearer, total, best), np.where(nearer, root[node], found)
    _along_chain(start, goal, off_there, usable, best, found)
    best = best + off_here
    lost = (best > limit) | (here.off_m > snap_m)
    return np.where(lost, SHUT, found), best


def _from_anchors(
    arcs: Arcs, goal: Ends, off_mm: _Labels, usable: _Labels, limit: int
) -> tuple[_Labels, _Labels]:
    """Search the reversed graph from all anchors; return each kept node's cost to one and which it is."""
    folded = arcs.folded
    nodes = len(folded.indptr) - 1
    tail = np.repeat(np.arange(nodes), np.diff(folded.indptr))
    order = np.argsort(folded.heads, kind="stable")
    indptr = np.searchsorted(folded.heads[order], np.arange(nodes + 1))
    place, way = np.nonzero(goal.in_node[usable] != SHUT)
    place = usable[place]
    unwanted = np.zeros(nodes, dtype=np.bool_)
    cost_of, from_of, seed_of = reach(
        indptr, tail[order], folded.costs[order],
        goal.in_node[place, way], goal.in_cost[place, way] + off_mm[place], unwanted, limit,
    )  # fmt: skip
    # Follow each node's arcs back to its seed by pointer doubling.
    ahead = np.where(from_of != SHUT, np.repeat(np.arange(nodes), np.diff(indptr))[from_of], np.arange(nodes))
    while not np.array_equal(ahead, further := ahead[ahead]):
        ahead = further
    seed = seed_of[ahead]
    return cost_of, np.where((cost_of < int(FAR)) & (seed != SHUT), place[seed], SHUT)


def _along_chain(
    start: Ends, goal: Ends, off_mm: _Labels, usable: _Labels, best: _Labels, found: _Labels
) -> None:
    """Lower the walks to anchors on the same stretch of road, in place."""
    for a in (0, 1):
        for b in (0, 1):
            anchors = usable[goal.chain[usable, b] != SHUT]
            for anchor in anchors:
                same = np.flatnonzero(start.chain[:, a] == goal.chain[anchor, b])
                ahead = goal.at[anchor, b] - start.at[same, a]
                total = ahead + off_mm[anchor]
                nearer = (ahead >= 0) & (total < best[same])
                best[same[nearer]], found[same[nearer]] = total[nearer], anchor
