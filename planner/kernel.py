"""The hot loops of ruin and recreate, compiled by numba.

Ruin removes strings of neighbouring stops from neighbouring routes and recreate inserts greedily with
blinks, after Christiaens and Vanden Berghe, "Slack induction by string removals for vehicle routing
problems" (2020), here with optional visits, gaps in days and shifts that differ.

Each route keeps the earliest leaving time and the latest feasible arrival at every position, so one
insertion is judged in O(1). The best insertion of a visit into a route is remembered until that route's
stamp changes; a rejected ruin brings the old stamp back, and with it what was remembered.

Tables have one row a thing and named columns: few arrays keep the compiled calls short. All compiled
functions stay in this one file: numba's cache looks at the caller's file alone, so a change in another
file would go on running the old code.
"""

# mypy: disable-error-code="untyped-decorator,no-untyped-call,no-untyped-def,type-arg"

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from geo.compiled import compiled, inlined

BIG = 1 << 40

PLACE, SERVICE, PENALTY, DEMAND, SITE, FROM, TO, AWAY, LEAST, CAP, HOME = range(11)
"""Columns of `Facts.visit`; FROM and TO bound its rows of `choice`. AWAY is seconds to the first depot,
LEAST the service time and the shortest legs to and from anywhere: no insertion takes less. CAP is a row of
`Facts.most`; one that limits nothing stands for no cap. HOME is the shift a repair would keep, or -1."""
GAP = 0
"""Column of `Facts.owner`; FROM and TO bound its part of `sibling`."""
DEPOT, START, END, CAPACITY, MOST, DAY, SLOT, FIXED, READY = range(9)
"""Columns of `Facts.duty`; nothing is inserted among or taken from the first FIXED stops, and the
next one is not left for before READY."""
MEAN, LONGEST, SAMPLE, MILLIONTHS, FIRST, STAY, BOLD = range(7)
"""Places in `Facts.knobs`: mean removed, longest string, waiting sample, blink, first-visit prize, what it
costs when a visit is not at HOME, and the millionths of ruins that open or clear a whole route."""
PLAIN, OPEN, CLEAR, FULL = range(4)
"""Modes of ruin and recreate."""

STOP, WHERE, LEAVE, LATEST, STEP = range(5)
"""Columns of `Search.route` by shift and position; STEP is the travel to the next position."""
COUNT, LOAD, LENGTH, STAMP, TOUCHED, KEPT, ROOM = range(7)
"""Columns of `Search.book`: TOUCHED is the iteration of the last saving, KEPT the stamp in `best`, ROOM the
most seconds any insertion may take: most are ruled out by it without reading the route."""
SHIFT, WAITS, QUEUED = range(3)
"""Columns of `Search.tally`: shift or -1, place among the waiting or -1, iteration of the last queueing."""
WAITING, QUEUE, TOUCHING = range(3)
"""Rows of `Search.lists`."""
OF, OFFER = range(2)
"""Columns of `Search.known`: a stamp, and the best insertion it holds for as cost * 65536 + position.

Both share a cache line: at 3,000 visits this table no longer fits the cache and reading it is the work.
"""
COST, BEST, STAMPS, ABSENT, BLINK, ITERATION = range(6)
"""Places in `Search.numbers`."""


class Facts(NamedTuple):
    """What never changes during a search, by visit, shift, slot and site number."""

    travel: np.ndarray  # (locations, locations) int32 seconds
    inward: np.ndarray  # its transpose, so that all legs to one place lie side by side
    visit: np.ndarray  # (visits, 11) int64
    window: np.ndarray  # (visits, slots, 2) int32 open and close, close -1 where the slot is not allowed
    choice: np.ndarray  # (choices,) int32, the shifts that can serve a visit alone, by visit
    owner: np.ndarray  # (sites, 7) int64
    sibling: np.ndarray  # (visits,) int32, visits by site
    near: np.ndarray  # (visits, neighbours) int32, itself first
    duty: np.ndarray  # (shifts, 9) int64
    clash: np.ndarray  # (shifts, shifts) bool, true where they share a member and must not meet a site both
    most: np.ndarray  # (caps + 1,) int64 served visits allowed
    knobs: np.ndarray  # (7,) int64


class Search(NamedTuple):
    """The state of one search; every array is changed in place."""

    route: np.ndarray  # (shifts, most + 2, 5) int32, stops from position 1, depots at both ends
    book: np.ndarray  # (shifts, 8) int64
    old_route: np.ndarray
    old_book: np.ndarray
    best: np.ndarray  # (shifts, most + 2) int32, the count, then the stops of the best plan
    tally: np.ndarray  # (visits, 3) int64
    seen: np.ndarray  # (sites,) int64 served visits, one more where seen before
    capped: np.ndarray  # (caps + 1,) int64 served visits
    lists: np.ndarray  # (3, visits or shifts) int32
    key: np.ndarray  # (visits,) float
    known: np.ndarray  # (choices, 2) int64
    numbers: np.ndarray  # (6,) int64
    chance: np.ndarray  # (1,) uint64


@compiled
def draw(s):
    """Return a float in [0, 1) from xorshift64."""
    x = s.chance[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    s.chance[0] = x
    return (x >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@compiled
def refresh(f, s, r):
    """Recompute times, load and length of route `r`; return False when it breaks its limits."""
    n = s.book[r, COUNT]
    depot, slot = f.duty[r, DEPOT], f.duty[r, SLOT]
    s.route[r, 0, WHERE] = depot
    s.route[r, n + 1, WHERE] = depot
    fixed, ready = f.duty[r, FIXED], f.duty[r, READY]
    s.route[r, 0, LEAVE] = f.duty[r, START] if fixed > 0 else max(f.duty[r, START], ready)
    here, clock, length, load, kept = depot, np.int64(f.duty[r, START]), 0, 0, True
    for p in range(1, n + 1):
        v = s.route[r, p, STOP]
        there = f.visit[v, PLACE]
        step = f.travel[here, there]
        length += step
        if p == fixed + 1:
            clock = max(clock, ready)
        clock = max(clock + step, f.window[v, slot, 0])
        if clock > f.window[v, slot, 1]:
            kept = False
        clock += f.visit[v, SERVICE]
        s.route[r, p, WHERE] = there
        s.route[r, p - 1, STEP] = step
        s.route[r, p, LEAVE] = min(max(clock, ready) if p == fixed else clock, 2000000000)
        load += f.visit[v, DEMAND]
        here = there
    step = f.travel[here, depot]
    s.route[r, n, STEP] = step
    length += step
    if clock + step > f.duty[r, END]:
        kept = False
    bound = np.int64(f.duty[r, END])
    s.route[r, n + 1, LATEST] = bound
    room = bound - s.route[r, n, LEAVE]
    for p in range(n, 0, -1):
        v = s.route[r, p, STOP]
        bound = bound - s.route[r, p, STEP] - f.visit[v, SERVICE]
        bound = min(bound, f.window[v, slot, 1])
        s.route[r, p, LATEST] = max(bound, -2000000000)
        room = max(room, bound - s.route[r, p - 1, LEAVE])
    s.book[r, ROOM] = room
    s.book[r, LOAD] = load
    s.book[r, LENGTH] = length if n > 0 else 0
    s.numbers[STAMPS] += 1
    s.book[r, STAMP] = s.numbers[STAMPS]
    return kept and load <= f.duty[r, CAPACITY] and n <= f.duty[r, MOST]


@inlined
def place_best(f, s, v, k):
    """Remember and return the cheapest feasible insertion of `v` into the route of choice `k`."""
    r = f.choice[k]
    best, at = BIG, 0
    n = s.book[r, COUNT]
    if n < f.duty[r, MOST] and s.book[r, LOAD] + f.visit[v, DEMAND] <= f.duty[r, CAPACITY]:
        slot = f.duty[r, SLOT]
        opens, closes = f.window[v, slot, 0], f.window[v, slot, 1]
        service, least, there = f.visit[v, SERVICE], f.visit[v, LEAST], f.visit[v, PLACE]
        for p in range(f.duty[r, FIXED], n + 1):
            left, latest = s.route[r, p, LEAVE], s.route[r, p + 1, LATEST]
            if left > closes:
                break
            if opens + service > latest or left + least > latest:
                continue
            before, after = s.route[r, p, WHERE], s.route[r, p + 1, WHERE]
            to = f.inward[there, before]
            clock = left + to
            if clock > closes:
                continue
            clock = max(clock, opens) + service
            onward = f.travel[there, after]
            if clock + onward > latest:
                continue
            cost = to + onward - s.route[r, p, STEP]
            if cost < best:
                best, at = cost, p
    s.known[k, OF] = s.book[r, STAMP]
    s.known[k, OFFER] = best * 65536 + at
    return best


@compiled
def keeps_gap(f, s, v, r):
    """Return whether `v` on shift `r` keeps gap and rotation to its site's other served visits."""
    site = f.visit[v, SITE]
    gap, rotates = f.owner[site, GAP], f.clash.shape[0] > 0
    if (gap == 0 and not rotates) or s.seen[site] == 0:
        return True
    for i in range(f.owner[site, FROM], f.owner[site, TO]):
        other = f.sibling[i]
        shift = s.tally[other, SHIFT]
        if other == v or shift < 0:
            continue
        if abs(f.duty[shift, DAY] - f.duty[r, DAY]) < gap or (rotates and f.clash[shift, r]):
            return False
    return True


@compiled
def lose(f, s, v):
    """Mark `v` absent in the books; its route is the caller's."""
    site, shift = f.visit[v, SITE], s.tally[v, SHIFT]
    s.tally[v, SHIFT] = -1
    s.seen[site] -= 1
    s.capped[f.visit[v, CAP]] -= 1
    s.numbers[COST] += f.visit[v, PENALTY]
    if s.seen[site] == 0:
        s.numbers[COST] += f.knobs[FIRST]
    if shift == f.visit[v, HOME]:
        s.numbers[COST] += f.knobs[STAY]


@compiled
def gain(f, s, v, r):
    """Mark `v` served by shift `r` in the books; its route is the caller's."""
    site = f.visit[v, SITE]
    if s.seen[site] == 0:
        s.numbers[COST] -= f.knobs[FIRST]
    s.tally[v, SHIFT] = r
    s.seen[site] += 1
    s.capped[f.visit[v, CAP]] += 1
    s.numbers[COST] -= f.visit[v, PENALTY]
    if r == f.visit[v, HOME]:
        s.numbers[COST] -= f.knobs[STAY]


@compiled
def touch(s, r, touched):
    """Save route `r` before its first change in this iteration; return how many are saved."""
    if s.book[r, TOUCHED] == s.numbers[ITERATION]:
        return touched
    s.book[r, TOUCHED] = s.numbers[ITERATION]
    s.lists[TOUCHING, touched] = r
    n = s.book[r, COUNT]
    s.old_book[r, COUNT] = n
    s.old_book[r, LOAD] = s.book[r, LOAD]
    s.old_book[r, LENGTH] = s.book[r, LENGTH]
    s.old_book[r, STAMP] = s.book[r, STAMP]
    s.old_book[r, ROOM] = s.book[r, ROOM]
    for p in range(n + 2):
        s.old_route[r, p, STOP] = s.route[r, p, STOP]
        s.old_route[r, p, WHERE] = s.route[r, p, WHERE]
        s.old_route[r, p, LEAVE] = s.route[r, p, LEAVE]
        s.old_route[r, p, LATEST] = s.route[r, p, LATEST]
        s.old_route[r, p, STEP] = s.route[r, p, STEP]
    return touched + 1


@compiled
def enqueue(s, v, queued):
    """Add `v` to the recreate unless it waits there already; return the new length of the queue."""
    if s.tally[v, QUEUED] == s.numbers[ITERATION]:
        return queued
    s.tally[v, QUEUED] = s.numbers[ITERATION]
    s.lists[QUEUE, queued] = v
    return queued + 1


@compiled
def cut(f, s, r, first, last, hold, held, queued):
    """Queue positions first..last of route `r` except `held` from `hold` on; return the queue length."""
    n, write = s.book[r, COUNT], first
    before = s.book[r, LENGTH]
    for p in range(first, n + 1):
        v = s.route[r, p, STOP]
        if p <= last and not hold <= p < hold + held:
            lose(f, s, v)
            queued = enqueue(s, v, queued)
        else:
            s.route[r, write, STOP] = v
            write += 1
    s.book[r, COUNT] = write - 1
    if not refresh(f, s, r):
        # Without the triangle inequality a shorter route may be late: take out all that is not fixed.
        for p in range(f.duty[r, FIXED] + 1, s.book[r, COUNT] + 1):
            lose(f, s, s.route[r, p, STOP])
            queued = enqueue(s, s.route[r, p, STOP], queued)
        s.book[r, COUNT] = f.duty[r, FIXED]
        refresh(f, s, r)
    s.numbers[COST] += s.book[r, LENGTH] - before
    return queued


@compiled
def ruin(f, s, seed, used, mode):
    """Remove strings round `seed`; return the lengths of the queue and of the list of touched routes.

    Mode OPEN queues many absent neighbours, so that a new route can pay at once; CLEAR empties the seed's.
    """
    visits = s.tally.shape[0]
    served = visits - s.numbers[ABSENT]
    mean = max(1.0, served / max(used, 1))
    longest = min(float(f.knobs[LONGEST]), mean)
    strings = int(draw(s) * max(4.0 * f.knobs[MEAN] / (1.0 + longest) - 1.0, 1.0)) + 1
    sample = 40 if mode == OPEN else f.knobs[SAMPLE]
    queued, touched = 0, 0
    r = s.tally[seed, SHIFT]
    if mode == CLEAR and r >= 0 and s.book[r, COUNT] > f.duty[r, FIXED]:
        touched = touch(s, r, touched)
        queued = cut(f, s, r, f.duty[r, FIXED] + 1, s.book[r, COUNT], 0, 0, queued)
    aimed = s.tally[seed, SHIFT] < 0 and draw(s) < 0.5
    for i in range(f.near.shape[1]):
        v = f.near[seed, i]
        r = s.tally[v, SHIFT]
        if r < 0:
            if 2 * queued < sample or i == 0:
                queued = enqueue(s, v, queued)
            continue
        if touched >= strings:
            break
        if s.book[r, TOUCHED] == s.numbers[ITERATION] or (aimed and f.window[seed, f.duty[r, SLOT], 1] < 0):
            continue
        n, at, fixed = s.book[r, COUNT], 1, f.duty[r, FIXED]
        while s.route[r, at, STOP] != v:
            at += 1
        if at <= fixed:
            continue
        touched = touch(s, r, touched)
        n, at = n - fixed, at - fixed
        size = min(n, int(draw(s) * min(float(n), longest)) + 1)
        held = 0
        if size > 1 and size < n and draw(s) < 0.5:
            held = 1
            while size + held < n and draw(s) > 0.5:
                held += 1
        span = size + held
        low, high = max(1, at - span + 1), min(at, n - span + 1)
        first = fixed + low + int(draw(s) * (high - low + 1))
        hold = first + 1 + int(draw(s) * (size - 1)) if held > 0 else first
        queued = cut(f, s, r, first, first + span - 1, hold, held, queued)
    for _ in range(f.knobs[SAMPLE]):
        if s.numbers[ABSENT] > 0:
            queued = enqueue(s, s.lists[WAITING, int(draw(s) * s.numbers[ABSENT])], queued)
    return queued, touched


@compiled
def regret(f, s, v):
    """Return what it costs more to put `v` into its second-best route than into its best one."""
    best, second = f.visit[v, PENALTY] + f.knobs[FIRST], f.visit[v, PENALTY] + f.knobs[FIRST]
    for k in range(f.visit[v, FROM], f.visit[v, TO]):
        r = f.choice[k]
        if f.visit[v, LEAST] > s.book[r, ROOM]:
            continue
        known = s.known[k, OF] == s.book[r, STAMP]
        cost = s.known[k, OFFER] >> 16 if known else place_best(f, s, v, k)
        if cost < best:
            best, second = cost, best
        elif cost < second:
            second = cost
    return float(second - best)


@compiled
def arrange(f, s, queued):
    """Put the queue into one of several orders, ties at random."""
    choice = int(draw(s) * 13)
    for i in range(queued):
        v = s.lists[QUEUE, i]
        if choice == 12:
            s.key[v] = -regret(f, s, v) + draw(s)
        elif choice < 4:
            s.key[v] = draw(s)
        elif choice < 6:
            s.key[v] = -f.visit[v, PENALTY] + draw(s)
        elif choice < 8:
            s.key[v] = -f.visit[v, PENALTY] / (f.visit[v, SERVICE] + 60.0) + 1e-6 * draw(s)
        elif choice < 9:
            s.key[v] = -f.visit[v, AWAY] + draw(s)
        elif choice < 10:
            s.key[v] = f.visit[v, AWAY] + draw(s)
        else:
            s.key[v] = f.visit[v, TO] - f.visit[v, FROM] + draw(s)
    sort_queue(s, queued)


@compiled
def sort_queue(s, queued):
    """Sort the queue by key, stably."""
    for i in range(1, queued):
        v, j = s.lists[QUEUE, i], i - 1
        while j >= 0 and s.key[s.lists[QUEUE, j]] > s.key[v]:
            s.lists[QUEUE, j + 1] = s.lists[QUEUE, j]
            j -= 1
        s.lists[QUEUE, j + 1] = v


@compiled
def recreate(f, s, queued, touched, blink, mode):
    """Insert the queue greedily where that pays; return the length of the list of touched routes.

    In mode OPEN a new route is opened as if its way out and home cost nothing, in mode FULL everything is
    inserted that fits: whether that paid is seen when all is done.
    """
    for i in range(queued):
        v = s.lists[QUEUE, i]
        worth, least = f.visit[v, PENALTY], f.visit[v, LEAST]
        if s.seen[f.visit[v, SITE]] == 0:
            worth += f.knobs[FIRST]
        cap = f.visit[v, CAP]
        if s.capped[cap] >= f.most[cap]:
            continue
        home, stay = f.visit[v, HOME], f.knobs[STAY]
        best, chosen = BIG, -1
        for k in range(f.visit[v, FROM], f.visit[v, TO]):
            r = f.choice[k]
            if least > s.book[r, ROOM]:
                continue
            if blink > 0.0:
                s.numbers[BLINK] -= 1
                if s.numbers[BLINK] < 0:
                    s.numbers[BLINK] = int(math.log(1.0 - draw(s)) / math.log(1.0 - blink))
                    continue
            known = s.known[k, OF] == s.book[r, STAMP]
            cost = s.known[k, OFFER] >> 16 if known else place_best(f, s, v, k)
            if r == home:
                cost -= stay
            if mode == OPEN and s.book[r, COUNT] == 0 and cost < BIG:
                cost >>= 3
            if cost < best and keeps_gap(f, s, v, r):
                best, chosen = cost, k
        if chosen < 0 or (best >= worth and mode != FULL):
            continue
        r, at = f.choice[chosen], (s.known[chosen, OFFER] & 65535) + 1
        touched = touch(s, r, touched)
        for p in range(s.book[r, COUNT], at - 1, -1):
            s.route[r, p + 1, STOP] = s.route[r, p, STOP]
        s.route[r, at, STOP] = v
        s.book[r, COUNT] += 1
        s.numbers[COST] += s.known[chosen, OFFER] >> 16
        gain(f, s, v, r)
        refresh(f, s, r)
    return touched


@compiled
def roll_back(f, s, touched):
    """Bring every touched route and its books back."""
    for i in range(touched):
        r = s.lists[TOUCHING, i]
        for p in range(1, s.book[r, COUNT] + 1):
            v = s.route[r, p, STOP]
            s.tally[v, SHIFT] = -1
            s.seen[f.visit[v, SITE]] -= 1
            s.capped[f.visit[v, CAP]] -= 1
    for i in range(touched):
        r = s.lists[TOUCHING, i]
        n = s.old_book[r, COUNT]
        s.book[r, COUNT] = n
        s.book[r, LOAD] = s.old_book[r, LOAD]
        s.book[r, LENGTH] = s.old_book[r, LENGTH]
        s.book[r, STAMP] = s.old_book[r, STAMP]
        s.book[r, ROOM] = s.old_book[r, ROOM]
        for p in range(n + 2):
            s.route[r, p, STOP] = s.old_route[r, p, STOP]
            s.route[r, p, WHERE] = s.old_route[r, p, WHERE]
            s.route[r, p, LEAVE] = s.old_route[r, p, LEAVE]
            s.route[r, p, LATEST] = s.old_route[r, p, LATEST]
            s.route[r, p, STEP] = s.old_route[r, p, STEP]
        for p in range(1, n + 1):
            v = s.route[r, p, STOP]
            s.tally[v, SHIFT] = r
            s.seen[f.visit[v, SITE]] += 1
            s.capped[f.visit[v, CAP]] += 1


@compiled
def list_absent(s, queued):
    """Bring the list of absent visits up to date with the queue's outcome."""
    for i in range(queued):
        v = s.lists[QUEUE, i]
        at, n = s.tally[v, WAITS], s.numbers[ABSENT]
        if s.tally[v, SHIFT] < 0 and at < 0:
            s.lists[WAITING, n] = v
            s.tally[v, WAITS] = n
            s.numbers[ABSENT] = n + 1
        elif s.tally[v, SHIFT] >= 0 and at >= 0:
            moved = s.lists[WAITING, n - 1]
            s.lists[WAITING, at] = moved
            s.tally[moved, WAITS] = at
            s.tally[v, WAITS] = -1
            s.numbers[ABSENT] = n - 1


@compiled
def keep_best(s):
    """Copy the routes that changed since the last best plan."""
    s.numbers[BEST] = s.numbers[COST]
    for r in range(s.book.shape[0]):
        if s.book[r, KEPT] != s.book[r, STAMP]:
            s.book[r, KEPT] = s.book[r, STAMP]
            s.best[r, 0] = s.book[r, COUNT]
            for p in range(1, s.book[r, COUNT] + 1):
                s.best[r, p] = s.route[r, p, STOP]


@compiled
def start(f, s):
    """Fill the books from the stops and counts of the routes; return False when a route breaks its limits."""
    kept = True
    s.numbers[COST] = 0
    for v in range(s.tally.shape[0]):
        s.numbers[COST] += f.visit[v, PENALTY]
        if f.visit[v, HOME] >= 0:
            s.numbers[COST] += f.knobs[STAY]
    for site in range(s.seen.shape[0]):
        if s.seen[site] == 0 and f.owner[site, TO] > f.owner[site, FROM]:
            s.numbers[COST] += f.knobs[FIRST]
    for r in range(s.book.shape[0]):
        kept = refresh(f, s, r) and kept
        s.numbers[COST] += s.book[r, LENGTH]
        for p in range(1, s.book[r, COUNT] + 1):
            gain(f, s, s.route[r, p, STOP], r)
    for v in range(s.tally.shape[0]):
        if s.tally[v, SHIFT] < 0:
            s.lists[WAITING, s.numbers[ABSENT]] = v
            s.tally[v, WAITS] = s.numbers[ABSENT]
            s.numbers[ABSENT] += 1
    keep_best(s)
    return kept


@compiled
def fill(f, s, mode):
    """Insert absent visits greedily, dearest first, where that pays; return whether any was inserted."""
    s.numbers[ITERATION] += 1
    queued = 0
    for i in range(s.numbers[ABSENT]):
        queued = enqueue(s, s.lists[WAITING, i], queued)
        s.key[s.lists[WAITING, i]] = -f.visit[s.lists[WAITING, i], PENALTY]
    sort_queue(s, queued)
    before = s.numbers[ABSENT]
    recreate(f, s, queued, 0, 0.0, mode)
    list_absent(s, queued)
    if s.numbers[COST] < s.numbers[BEST]:
        keep_best(s)
    return s.numbers[ABSENT] < before


@compiled
def anneal(f, s, iterations, temperature):
    """Run ruin and recreate at one temperature."""
    visits = s.tally.shape[0]
    used = 0
    for r in range(s.book.shape[0]):
        used += s.book[r, COUNT] > 0
    for _ in range(iterations):
        s.numbers[ITERATION] += 1
        before = s.numbers[COST]
        if s.numbers[ABSENT] > 0 and draw(s) < 0.3:
            seed = s.lists[WAITING, int(draw(s) * s.numbers[ABSENT])]
        else:
            seed = int(draw(s) * visits)
        mode, dice = PLAIN, draw(s)
        if dice < f.knobs[BOLD] / 1e6:
            mode = OPEN if dice < f.knobs[BOLD] / 2e6 else CLEAR
        queued, touched = ruin(f, s, seed, used, mode)
        arrange(f, s, queued)
        touched = recreate(f, s, queued, touched, f.knobs[MILLIONTHS] / 1e6, mode)
        cost = s.numbers[COST]
        if cost < before - temperature * math.log(1.0 - draw(s)):
            if cost < s.numbers[BEST]:
                keep_best(s)
        else:
            roll_back(f, s, touched)
            s.numbers[COST] = before
        list_absent(s, queued)
