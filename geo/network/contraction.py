"""Contraction: runs of road without a choice become one arc, exactly; searches then visit junctions only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
NONE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Contraction:
    """A directed graph whose nodes of degree two are folded into chains.

    Parameters
    ----------
    chain, before : ndarray of int64, shape (arcs,)
        Chain of each arc, and the cost of the arcs before it in that chain.
    order : ndarray of int64, shape (arcs,)
        Arcs by chain, in driving order; ``order[first[c]:first[c + 1]]`` is chain c.
    first : ndarray of int64, shape (chains + 1,)
        See `order`.
    tail, head, cost : ndarray of int64, shape (chains,)
        Kept nodes at both ends (numbered anew) and the whole cost of each chain.
    kept : ndarray of int64, shape (nodes,)
        New number of each kept node, `NONE` for a folded one.
    indptr, heads, costs, via : ndarray of int64
        Compressed rows of the search graph: of the chains between two kept nodes the cheapest, `via`.
    """

    chain: Ids
    before: Ids
    order: Ids
    first: Ids
    tail: Ids
    head: Ids
    cost: Ids
    kept: Ids
    indptr: Ids
    heads: Ids
    costs: Ids
    via: Ids


def contract(piece: Ids, tail: Ids, head: Ids, cost: Ids, *, nodes: int) -> Contraction:
    """Fold the nodes of degree two of a strongly connected graph.

    Parameters
    ----------
    piece : ndarray of int64, shape (arcs,)
        Piece of road of each arc; the two directions of a piece share it.
    tail, head : ndarray of int64, shape (arcs,)
        Nodes of each arc.
    cost : ndarray of int64, shape (arcs,)
        Whole, positive costs: whole numbers add up to the same sum in any order.
    nodes : int
        Number of nodes.

    Returns
    -------
    Contraction
        Same least costs between all kept nodes.
    """
    onward = _onward(piece, tail, head, nodes)
    arcs = np.arange(len(tail))
    previous = arcs.copy()  # an arc that begins a chain points at itself
    followed = np.flatnonzero(onward != NONE)
    previous[onward[followed]] = followed
    root, before, rank = _trace(previous, cost)
    roots, chain = np.unique(root, return_inverse=True)
    order = np.lexsort((rank, chain))
    first = np.searchsorted(chain[order], np.arange(len(roots) + 1))
    last = order[first[1:] - 1]
    ends = np.unique(np.concatenate([tail[roots], head[last]]))
    kept = np.full(nodes, NONE, dtype=np.int64)
    kept[ends] = np.arange(len(ends))
    chain_tail, chain_head, chain_cost = kept[tail[roots]], kept[head[last]], before[last] + cost[last]
    return Contraction(
        chain, before, order, first, chain_tail, chain_head, chain_cost, kept,
        *_rows(chain_tail, chain_head, chain_cost, len(ends)),
    )  # fmt: skip


def _onward(piece: Ids, tail: Ids, head: Ids, nodes: int) -> Ids:
    """Return the only arc that can follow each arc, `NONE` where the way ends, forks or may turn round."""
    out_count, in_count = np.bincount(tail, minlength=nodes), np.bincount(head, minlength=nodes)
    loops = np.zeros(nodes, dtype=bool)
    loops[tail[tail == head]] = True
    out_low, out_high = _extremes(tail, piece, nodes)
    in_low, in_high = _extremes(head, piece, nodes)
    passing = (out_count == 1) & (in_count == 1) & (out_low != in_low)
    both_ways = (out_count == 2) & (in_count == 2) & (out_low != out_high)
    both_ways &= (out_low == in_low) & (out_high == in_high)
    folded = (passing | both_ways) & ~loops
    if len(tail) and folded.all():
        folded[tail[0]] = False  # a ring road without any junction: one of its nodes stays
    result = np.full(len(tail), NONE, dtype=np.int64)
    leaving = np.flatnonzero(folded[tail])
    # Each folded node has one or two arcs out; an arc goes on by the one that is not its own way back.
    by_key = np.full(2 * nodes, NONE, dtype=np.int64)
    by_key[2 * tail[leaving] + (piece[leaving] == out_high[tail[leaving]])] = leaving
    arriving = np.flatnonzero(folded[head])
    at = head[arriving]
    high = np.where(both_ways[at], piece[arriving] == out_low[at], True)
    result[arriving] = by_key[2 * at + high]
    return result


def _extremes(node: Ids, piece: Ids, nodes: int) -> tuple[Ids, Ids]:
    low, high = np.full(nodes, np.iinfo(np.int64).max), np.full(nodes, NONE, dtype=np.int64)
    np.minimum.at(low, node, piece)
    np.maximum.at(high, node, piece)
    return low, high


def _trace(previous: Ids, cost: Ids) -> tuple[Ids, Ids, Ids]:
    """Return each arc's first arc of the chain, the cost before it and its rank, by pointer doubling."""
    starts = previous == np.arange(len(previous))
    before = np.where(starts, 0, cost[previous])
    rank = np.where(starts, 0, 1).astype(np.int64)
    root = previous.copy()
    while not np.array_equal(root, further := root[root]):
        before, rank, root = before + before[root], rank + rank[root], further
    return root, before, rank


def _rows(tail: Ids, head: Ids, cost: Ids, nodes: int) -> tuple[Any, ...]:
    """Compress chains into rows: loops lead nowhere, and of parallel chains the cheapest counts."""
    order = np.lexsort((cost, head, tail))
    order = order[tail[order] != head[order]]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (tail[order][1:] != tail[order][:-1]) | (head[order][1:] != head[order][:-1])
    via = order[fresh]
    return np.searchsorted(tail[via], np.arange(nodes + 1)), head[via], cost[via], via
