"""Shortest paths compiled by numba: from many places over a contracted road graph, exactly.

Nodes wait in buckets of equal width instead of a heap (Dial 1969; a bucket wider than an arc may touch a node
again, as in Meyer and Sanders, "Delta-stepping", 2003), over twice as fast here. Costs are whole
numbers (milliseconds or millimetres), so sums are exact; only touched nodes are reset between sources.
All compiled functions stay in this file: numba's cache looks at the caller's file alone.
"""

# mypy: disable-error-code="untyped-decorator,no-untyped-call,no-untyped-def,type-arg"

from __future__ import annotations

import numpy as np

from geo.compiled import compiled, inlined

FAR = np.int64(2**31 - 1)
"""Cost of what cannot be reached; 24 days in milliseconds, 2,147 km in millimetres."""
_MOST_BUCKETS = 1 << 16


@compiled
def _widths(costs, widest):
    """Return the bucket's width as a shift, a quarter of the mean arc, and the number of buckets."""
    mean = costs.mean() if len(costs) else 1.0
    shift = 0
    while (4 << shift) < mean or (widest >> shift) + 2 > _MOST_BUCKETS:
        shift += 1
    return shift, (widest >> shift) + 2


@inlined
def _queue(node, cost, bucket, cost_of, first, after, before):
    """Put a node into the bucket of its cost."""
    cost_of[node] = cost
    head = first[bucket]
    after[node], before[node] = head, -1 - bucket
    if head >= 0:
        before[head] = node
    first[bucket] = node


@inlined
def _unqueue(node, first, after, before):
    """Take a node out of its bucket; a negative `before` names the bucket the node stands first in."""
    ahead, behind = before[node], after[node]
    if ahead >= 0:
        after[ahead] = behind
    else:
        first[-1 - ahead] = behind
    if behind >= 0:
        before[behind] = ahead


@inlined
def _sow(node, cost, bucket, cost_of, touched, count, first, after, before):
    """Begin a search at a node, or begin it there at a lower cost; return how many nodes are touched."""
    if cost_of[node] == FAR:
        touched[count] = node
        count += 1
    else:
        _unqueue(node, first, after, before)
    _queue(node, cost, bucket, cost_of, first, after, before)
    return count


@inlined
def _settle(
    indptr, heads, costs, wanted, left, limit, shift, low, waiting,
    cost_of, from_of, met, touched, count, first, after, before,
):  # fmt: skip
    """Search until nothing waits within the limit or all wanted nodes are settled; return touched nodes."""
    buckets, bucket = len(first), low
    while waiting > 0:
        at = bucket % buckets
        while first[at] >= 0:
            node = first[at]
            _unqueue(node, first, after, before)
            after[node] = -2
            waiting -= 1
            if wanted[node] and not met[node]:
                left -= 1
            met[node] = True
            cost = cost_of[node]
            for arc in range(indptr[node], indptr[node + 1]):
                head, there = heads[arc], cost + costs[arc]
                if there >= cost_of[head] or there > limit:
                    continue
                if cost_of[head] == FAR:
                    touched[count] = head
                    count += 1
                if after[head] > -2:
                    _unqueue(head, first, after, before)
                else:
                    waiting += 1
                from_of[head] = arc
                _queue(head, there, (there >> shift) % buckets, cost_of, first, after, before)
        if left == 0:
            # Cheaper nodes are final; what still waits costs more than every wanted node.
            break
        bucket += 1
    return count


@compiled
def costs_between(indptr, heads, costs, out_node, out_cost, in_node, in_cost, limit, result):
    """Fill ``result[i, j]`` (int32) with the least cost from place i to place j, `FAR` beyond the limit.

    `out_node`/`out_cost` (n, 2) say where a place's ways out join the graph, `in_node`/`in_cost` (m, 2) where
    the ways in leave it; -1 is no way.
    """
    nodes = len(indptr) - 1
    widest = out_cost.max() if out_cost.size else 0
    shift, buckets = _widths(costs, max(widest, costs.max() if len(costs) else 1))
    cost_of, from_of = np.full(nodes, FAR), np.full(nodes, -1)
    met, touched = np.zeros(nodes, np.bool_), np.empty(nodes, np.int64)
    first, after, before = np.full(buckets, -1), np.full(nodes, -2), np.full(nodes, -2)
    wanted, most = np.zeros(nodes, np.bool_), 0
    for node in in_node.ravel():
        if node >= 0 and not wanted[node]:
            wanted[node] = True
            most += 1
    for i in range(len(out_node)):
        count, low = 0, FAR
        for k in range(2):
            node, cost = out_node[i, k], out_cost[i, k]
            if node < 0 or cost > limit or cost >= cost_of[node]:
                continue
            bucket = (cost >> shift) % buckets
            count = _sow(node, cost, bucket, cost_of, touched, count, first, after, before)
            low = min(low, cost >> shift)
        count = _settle(
            indptr, heads, costs, wanted, most, limit, shift, low, count,
            cost_of, from_of, met, touched, count, first, after, before,
        )  # fmt: skip
        for j in range(len(in_node)):
            best = FAR
            for k in range(2):
                node = in_node[j, k]
                if node >= 0:
                    best = min(best, cost_of[node] + in_cost[j, k])
            result[i, j] = best if best <= limit else FAR
        for k in range(count):
            node = touched[k]
            cost_of[node], met[node], after[node] = FAR, False, -2
        first[:] = -1


@compiled
def reach(indptr, heads, costs, seed_node, seed_cost, wanted, limit):
    """Return least cost, last arc (-1 at a seed) and seed (-1 elsewhere) of every node, from many seeds.

    The search ends when all nodes of the bool array `wanted` are settled; none wanted searches to the limit.
    """
    nodes = len(indptr) - 1
    widest = seed_cost.max() if seed_cost.size else 0
    shift, buckets = _widths(costs, max(widest, costs.max() if len(costs) else 1))
    cost_of, from_of, seed_of = np.full(nodes, FAR), np.full(nodes, -1), np.full(nodes, -1)
    met, touched = np.zeros(nodes, np.bool_), np.empty(nodes, np.int64)
    first, after, before = np.full(buckets, -1), np.full(nodes, -2), np.full(nodes, -2)
    count, low = 0, FAR
    for seed in range(len(seed_node)):
        node, cost = seed_node[seed], seed_cost[seed]
        if cost > limit or cost >= cost_of[node]:
            continue
        bucket = (cost >> shift) % buckets
        count = _sow(node, cost, bucket, cost_of, touched, count, first, after, before)
        seed_of[node] = seed
        low = min(low, cost >> shift)
    left = wanted.sum() if wanted.any() else -1
    _settle(
        indptr, heads, costs, wanted, left, limit, shift, low, count,
        cost_of, from_of, met, touched, count, first, after, before,
    )  # fmt: skip
    return cost_of, from_of, seed_of
