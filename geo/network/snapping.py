"""Snapping: the nearest road of each place and the point on it where the place meets the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from geo.crs import Floats, project_xy
from geo.network.graph import SHUT, Arcs, RoadNetwork
from geo.travel import check_places

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Footing:
    """Where places meet the roads.

    Parameters
    ----------
    xy, road_xy : ndarray, shape (n, 2)
        The places and their points on the road in the network's metric CRS.
    piece : ndarray of int64, shape (n,)
        Nearest piece of the network.
    along_mm : ndarray of int64, shape (n,)
        Millimetres from the piece's node u to the point.
    off_m : ndarray, shape (n,)
        Metres from the place to its point.
    detached_m : ndarray, shape (n,)
        Metres to the nearest passable road that is not connected with the network; inf without any.
    """

    xy: Floats
    road_xy: Floats
    piece: Ids
    along_mm: Ids
    off_m: Floats
    detached_m: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """How places join a contracted graph; -1 is no way.

    Parameters
    ----------
    out_node, out_cost, in_node, in_cost : ndarray of int64, shape (n, 2)
        Kept nodes that can be reached from the place and those it is reached from, with the costs.
    chain, at : ndarray of int64, shape (n, 2)
        Chains the place lies on and the cost from their beginning to it.
    """

    out_node: Ids
    out_cost: Ids
    in_node: Ids
    in_cost: Ids
    chain: Ids
    at: Ids


class Snapper:
    """Finds the nearest piece of road; of equally near ones the first.

    Parameters
    ----------
    network : RoadNetwork
        The roads.
    """

    def __init__(self, network: RoadNetwork) -> None:
        self.network = network
        self._lines = _linestrings(network.xy, network.start)
        self._tree = shapely.STRtree(self._lines)
        self._detached = shapely.STRtree(_linestrings(network.detached_xy, network.detached_start))

    def snap(self, lon: ArrayLike, lat: ArrayLike) -> Footing:
        """Project places on their nearest roads.

        Parameters
        ----------
        lon, lat : array_like, shape (n,)
            WGS-84 degrees.

        Returns
        -------
        Footing
            Arrays of length n.

        Raises
        ------
        TravelError
            ``bad_places`` or ``too_many_places``.
        """
        x, y = check_places(lon, lat)
        xy = project_xy(x, y, self.network.crs) if len(x) else np.zeros((0, 2))
        points = np.asarray(shapely.points(xy), dtype=object)
        piece = _nearest(self._tree, points)[0]
        lines = self._lines[piece]
        part = shapely.line_locate_point(lines, points, normalized=True)
        road_xy = shapely.get_coordinates(shapely.line_interpolate_point(lines, part, normalized=True))
        length = self.network.length_mm[piece]
        return Footing(
            xy=xy,
            road_xy=road_xy,
            piece=piece,
            along_mm=np.clip(np.rint(part * length), 0, length).astype(np.int64),
            off_m=np.hypot(*(xy - road_xy).T),
            detached_m=_nearest(self._detached, points)[1],
        )


def join(network: RoadNetwork, arcs: Arcs, footing: Footing) -> Ends:
    """Say how footed places join the contracted graph of a network.

    Notes
    -----
    A point in the middle of a piece shares the piece's whole cost between both sides without remainder, so
    that a way through it costs what the piece costs. A point at a kept node is that node: a one-way street
    that happens to be the nearest line must not forbid leaving by the others.
    """
    folded, piece = arcs.folded, footing.piece
    length = network.length_mm[piece]
    ends = Ends(*(np.full((len(piece), 2), SHUT, dtype=np.int64) for _ in range(6)))
    for way in (0, 1):
        arc = arcs.of_piece[piece, way]
        here = np.flatnonzero(arc != SHUT)
        on = arc[here]
        share = np.rint(arcs.cost[on] * (footing.along_mm[here] / length[here])).astype(np.int64)
        at = folded.before[on] + (share if way == 0 else arcs.cost[on] - share)
        chain = folded.chain[on]
        ends.chain[here, way], ends.at[here, way] = chain, at
        ends.out_node[here, way], ends.out_cost[here, way] = folded.head[chain], folded.cost[chain] - at
        ends.in_node[here, way], ends.in_cost[here, way] = folded.tail[chain], at
    for node, there in ((network.u, footing.along_mm == 0), (network.v, footing.along_mm == length)):
        here = np.flatnonzero(there & (folded.kept[node[piece]] != SHUT))
        for field in (ends.out_node, ends.in_node, ends.out_cost, ends.in_cost, ends.chain, ends.at):
            field[here] = SHUT
        ends.out_node[here, 0] = ends.in_node[here, 0] = folded.kept[node[piece[here]]]
        ends.out_cost[here, 0] = ends.in_cost[here, 0] = 0
    return ends


def _linestrings(xy: Floats, start: Ids) -> NDArray[np.object_]:
    count = np.diff(start)
    return np.asarray(shapely.linestrings(xy, indices=np.repeat(np.arange(len(count)), count)), dtype=object)


def _nearest(tree: Any, points: NDArray[np.object_]) -> tuple[Ids, Floats]:
    """Return the number and distance of each point's nearest line, the first of equals; inf without any."""
    found, metres = np.full(len(points), SHUT, dtype=np.int64), np.full(len(points), np.inf)
    if len(tree.geometries) and len(points):
        (rows, hits), distance = tree.query_nearest(points, return_distance=True)
        order = np.lexsort((hits, rows))
        rows, first = np.unique(rows[order], return_index=True)
        found[rows], metres[rows] = hits[order][first], distance[order][first]
    return found, metres
