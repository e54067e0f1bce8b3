"""Shortest ways on a road network: least costs between many places, and the line of one way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
import shapely.ops
from numpy.typing import NDArray

from geo.crs import Floats
from geo.network.graph import SHUT, Arcs, RoadNetwork
from geo.network.search import FAR, costs_between, reach
from geo.network.snapping import Ends, Footing, join

Ids = NDArray[np.int64]
Costs = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """One shortest way on the roads.

    Parameters
    ----------
    xy : ndarray, shape (k, 2)
        Vertices in the network's metric CRS, from the first road point to the last; k is at least 1.
    metres : float
        Length on the road.
    cost : int
        Whole cost, as in the matrix.
    """

    xy: Floats
    metres: float
    cost: int


def least_costs(arcs: Arcs, begin: Ends, end: Ends, *, limit: int | None = None) -> Costs:
    """Give the least cost from each place to each other place.

    Parameters
    ----------
    arcs : Arcs
        The roads, see `geo.network.graph.time_arcs` and `length_arcs`.
    begin, end : Ends
        Places of the rows and of the columns, see `geo.network.snapping.join`.
    limit : int, optional
        Greatest cost looked for; a search ends there.

    Returns
    -------
    ndarray of int32, shape (n, m)
        Whole costs by Dijkstra's algorithm, ``FAR`` (2147483647) beyond the limit.
    """
    folded, most = arcs.folded, int(FAR) - 1 if limit is None else limit
    result = np.empty((len(begin.out_node), len(end.in_node)), dtype=np.int32)
    costs_between(
        folded.indptr, folded.heads, folded.costs,
        begin.out_node, begin.out_cost, end.in_node, end.in_cost, most, result,
    )  # fmt: skip
    for way in (0, 1):
        _along_chains(begin.chain[:, way], begin.at[:, way], end, most, result)
    return result


def find_way(network: RoadNetwork, arcs: Arcs, footing: Footing, begin: int, end: int) -> Way | None:
    """Find one shortest way between two footed places.

    Parameters
    ----------
    network : RoadNetwork
        The roads.
    arcs : Arcs
        Their arcs at the cost that counts.
    footing : Footing
        Places on the network.
    begin, end : int
        Positions of the two places in `footing`.

    Returns
    -------
    Way or None
        Its cost is the one `least_costs` gives; None where there is no way.
    """
    ends = join(network, arcs, footing)
    run, cost = _direct(ends, begin, end)
    far, around = _around(arcs, ends, begin, end)
    if around < cost:
        run, cost = far, around
    if run is None:
        return None
    driven = _driven(arcs, ends, footing, run, begin, end)
    cuts = bool((ends.chain[begin] != SHUT).any()), bool((ends.chain[end] != SHUT).any())
    xy, length_mm = _line(network, arcs, footing, driven, begin, end, cuts)
    return Way(xy, length_mm / 1000, cost)


_Run = tuple[int, list[int], int]  # column of the first place's chain, whole chains, column of the last's


def _along_chains(chain: Ids, at: Ids, end: Ends, most: int, result: Costs) -> None:
    """Lower the costs of pairs on one chain, where driving on is enough."""
    rows = np.flatnonzero(chain != SHUT)
    if len(rows) == 0:
        return
    rows = rows[np.argsort(chain[rows], kind="stable")]
    used, first = np.unique(chain[rows], return_index=True)
    for number, low, high in zip(used, first, [*first[1:], len(rows)], strict=True):
        group = rows[low:high]
        columns, way = np.nonzero(end.chain == number)
        if len(columns) == 0:
            continue
        ahead = end.at[columns, way][None, :] - at[group][:, None]
        ahead = np.where((ahead >= 0) & (ahead <= most), ahead, int(FAR))
        cells = np.ix_(group, columns)
        np.minimum.at(result, cells, ahead.astype(np.int32))


def _direct(ends: Ends, begin: int, end: int) -> tuple[_Run | None, int]:
    """Return the run along one chain and its cost."""
    found: tuple[_Run | None, int] = (None, int(FAR))
    for a in (0, 1):
        for b in (0, 1):
            same = ends.chain[begin, a] == ends.chain[end, b] != SHUT
            ahead = int(ends.at[end, b] - ends.at[begin, a])
            if same and 0 <= ahead < found[1]:
                found = ((a, [SHUT], b), ahead)
    return found


def _around(arcs: Arcs, ends: Ends, begin: int, end: int) -> tuple[_Run | None, int]:
    """Return the run through the contracted graph and its cost."""
    folded = arcs.folded
    out = np.flatnonzero(ends.out_node[begin] != SHUT)
    into = np.flatnonzero(ends.in_node[end] != SHUT)
    wanted = np.zeros(len(folded.indptr) - 1, dtype=np.bool_)
    wanted[ends.in_node[end, into]] = True
    cost_of, from_of, seed_of = reach(
        folded.indptr, folded.heads, folded.costs,
        ends.out_node[begin, out], ends.out_cost[begin, out], wanted, int(FAR) - 1,
    )  # fmt: skip
    total = cost_of[ends.in_node[end, into]] + ends.in_cost[end, into]
    best = int(np.argmin(total))
    if total[best] >= FAR:
        return None, int(FAR)
    node, chains = int(ends.in_node[end, into[best]]), []
    while (arc := int(from_of[node])) != SHUT:
        chains.append(int(folded.via[arc]))
        node = int(np.searchsorted(folded.indptr, arc, side="right")) - 1
    return (int(out[seed_of[node]]), chains[::-1], int(into[best])), int(total[best])


def _driven(arcs: Arcs, ends: Ends, footing: Footing, run: _Run, begin: int, end: int) -> list[int]:
    """List the arcs of a run; the first and the last hold the places, unless these are kept nodes."""
    first_way, chains, last_way = run
    folded = arcs.folded
    first_chain, last_chain = int(ends.chain[begin, first_way]), int(ends.chain[end, last_way])
    first_arc = int(arcs.of_piece[footing.piece[begin], first_way])
    last_arc = int(arcs.of_piece[footing.piece[end], last_way])

    def whole(chain: int) -> list[int]:
        return [int(arc) for arc in folded.order[folded.first[chain] : folded.first[chain + 1]]]

    if chains == [SHUT]:
        all_arcs = whole(first_chain)
        return all_arcs[all_arcs.index(first_arc) : all_arcs.index(last_arc) + 1]
    driven = []
    if first_chain != SHUT:
        driven += (before := whole(first_chain))[before.index(first_arc) :]
    for chain in chains:
        driven += whole(chain)
    if last_chain != SHUT:
        driven += (after := whole(last_chain))[: after.index(last_arc) + 1]
    return driven


def _line(
    network: RoadNetwork,
    arcs: Arcs,
    footing: Footing,
    driven: list[int],
    begin: int,
    end: int,
    cuts: tuple[bool, bool],
) -> tuple[Floats, int]:
    """Draw the arcs; `cuts` says whether the first and the last begin and end at a place inside them."""
    cut_first, cut_last = cuts
    vertices, length_mm = [footing.road_xy[begin]], 0
    for number, arc in enumerate(driven):
        piece = int(arcs.piece[arc])
        whole = int(network.length_mm[piece])
        low, high = (0, whole) if arcs.is_along[arc] else (whole, 0)
        if number == 0 and cut_first:
            low = int(footing.along_mm[begin])
        if number == len(driven) - 1 and cut_last:
            high = int(footing.along_mm[end])
        length_mm += abs(high - low)
        line = shapely.LineString(network.xy[network.start[piece] : network.start[piece + 1]])
        cut = shapely.ops.substring(line, low / whole, high / whole, normalized=True)
        vertices.extend(shapely.get_coordinates(cut))
    vertices.append(footing.road_xy[end])
    xy = np.array(vertices)
    moved = np.concatenate([[True], np.abs(np.diff(xy, axis=0)).max(axis=1) > 1e-6])
    return xy[moved], length_mm
