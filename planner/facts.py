"""The problem as the arrays the kernel reads, and the first state of a search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner import kernel
from planner.options import SearchOptions
from planner.problem import Problem

_UNLIMITED = 2**40

PIN_PENALTY = 10**9
"""What leaving out a pinned visit costs inside the search: more than any plan can save."""


def gather_facts(
    problem: Problem, *, options: SearchOptions, homes: Mapping[str, str] | None = None, stay_s: int = 0
) -> kernel.Facts:
    """Return the arrays the kernel reads.

    `homes` names the shift that visits had in an earlier plan; leaving it costs `stay_s` in the search.
    """
    slots = {slot: index for index, slot in enumerate(problem.shifts_by_slot)}
    everywhere = np.arange(len(problem.travel_s))
    travel_s = problem.block_s(everywhere, everywhere)
    visit = _table_visits(problem, homes or {})
    duty = _table_duties(problem, slots)
    window = _table_windows(problem, slots)
    if len(duty):
        visit[:, kernel.AWAY] = travel_s[visit[:, kernel.PLACE], duty[0, kernel.DEPOT]]
    visit[:, kernel.LEAST] = visit[:, kernel.SERVICE] + _measure_least_legs(
        problem, travel_s, visit[:, kernel.PLACE]
    )
    bounds, choice = _list_choices(problem, travel_s, visit=visit, duty=duty, window=window)
    visit[:, kernel.FROM], visit[:, kernel.TO] = bounds[:-1], bounds[1:]
    site = visit[:, kernel.SITE]
    sibling = np.argsort(site, kind="stable")
    owner = np.zeros((len(problem.sites), 7), dtype=np.int64)
    owner[:, kernel.GAP] = [item.min_gap_days for item in problem.sites]
    edges = np.searchsorted(site[sibling], np.arange(len(problem.sites) + 1))
    owner[:, kernel.FROM], owner[:, kernel.TO] = edges[:-1], edges[1:]
    return kernel.Facts(
        travel=travel_s,
        inward=np.ascontiguousarray(travel_s.T),
        visit=visit,
        window=window,
        choice=choice,
        owner=owner,
        sibling=sibling.astype(np.int32),
        near=_list_near(travel_s, visit[:, kernel.PLACE], options.neighbours),
        duty=duty,
        clash=_find_clashes(problem),
        most=np.array([*(cap.most for cap in problem.caps), _UNLIMITED], dtype=np.int64),
        knobs=np.array(
            [
                options.mean_removed,
                options.max_string,
                options.waiting_sample,
                round(options.blink * 1e6),
                problem.first_visit_prize,
                stay_s,
                round(options.bold * 1e6),
            ],
            dtype=np.int64,
        ),
    )


def _measure_least_legs(
    problem: Problem, travel_s: NDArray[np.int32], place: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return for each visit the shortest leg to it plus the shortest from it, over all other stops."""
    depots = {depot.location for depot in problem.depots}
    shared = depots | {location for location, count in Counter(place.tolist()).items() if count > 1}
    used = np.array(sorted(depots | set(place.tolist())), dtype=np.int64)
    legs = travel_s[np.ix_(used, used)].astype(np.int64)
    # Leaving a place for itself is possible only where another stop, or the depot, is there too.
    alone = [index for index, location in enumerate(used) if location not in shared]
    legs[alone, alone] = np.iinfo(np.int64).max // 4
    least = legs.min(axis=0, initial=2**40) + legs.min(axis=1, initial=2**40)
    return np.asarray(least[np.searchsorted(used, place)])


def _table_visits(problem: Problem, homes: Mapping[str, str]) -> NDArray[np.int64]:
    number = {site.id: index for index, site in enumerate(problem.sites)}
    shift = {item.id: index for index, item in enumerate(problem.shifts)}
    cap = {item.id: index for index, item in enumerate(problem.caps)}
    table = np.zeros((len(problem.visits), 11), dtype=np.int64)
    for index, visit in enumerate(problem.visits):
        site = number[visit.site]
        table[index, kernel.PLACE] = problem.sites[site].location
        table[index, kernel.SERVICE] = visit.service_s
        table[index, kernel.PENALTY] = visit.penalty + (PIN_PENALTY if visit.pin else 0)
        table[index, kernel.DEMAND] = visit.demand
        table[index, kernel.SITE] = site
        table[index, kernel.HOME] = shift.get(homes.get(visit.id, ""), -1)
        table[index, kernel.CAP] = len(cap) if visit.cap is None else cap[visit.cap]
    return table


def _table_duties(problem: Problem, slots: Mapping[str, int]) -> NDArray[np.int64]:
    table = np.zeros((len(problem.shifts), 9), dtype=np.int64)
    for index, shift in enumerate(problem.shifts):
        table[index, kernel.DEPOT] = problem.depot_by_id[shift.depot].location
        table[index, kernel.START] = shift.start_s
        table[index, kernel.END] = shift.end_s
        table[index, kernel.CAPACITY] = _UNLIMITED if shift.capacity is None else shift.capacity
        table[index, kernel.MOST] = _UNLIMITED if shift.max_stops is None else shift.max_stops
        table[index, kernel.DAY] = shift.day
        table[index, kernel.SLOT] = slots[shift.slot]
        table[index, kernel.FIXED] = len(shift.fixed)
        table[index, kernel.READY] = shift.ready_s
    return table


def _table_windows(problem: Problem, slots: Mapping[str, int]) -> NDArray[np.int32]:
    table = np.zeros((len(problem.visits), max(len(slots), 1), 2), dtype=np.int32)
    table[:, :, 1] = -1
    for index, visit in enumerate(problem.visits):
        for window in visit.windows:
            if window.slot in slots:
                table[index, slots[window.slot]] = window.open_s, window.close_s
    return table


def _list_choices(
    problem: Problem,
    travel_s: NDArray[np.int32],
    *,
    visit: NDArray[np.int64],
    duty: NDArray[np.int64],
    window: NDArray[np.int32],
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return for each visit the shifts that can serve it alone, as bounds and a flat list."""
    if not len(visit) or not len(duty):
        return np.zeros(len(visit) + 1, dtype=np.int64), np.zeros(0, dtype=np.int32)
    place, depot = visit[:, kernel.PLACE], duty[:, kernel.DEPOT]
    travel = travel_s.astype(np.int64)
    out = travel[depot[None, :], place[:, None]]
    back = travel[place[:, None], depot[None, :]]
    opens, closes = window[:, duty[:, kernel.SLOT], 0], window[:, duty[:, kernel.SLOT], 1]
    begin = np.maximum(duty[:, kernel.START] + out, opens)
    fits = (begin <= closes) & (begin + visit[:, [kernel.SERVICE]] + back <= duty[:, kernel.END])
    fits &= (visit[:, [kernel.DEMAND]] <= duty[:, kernel.CAPACITY]) & (duty[:, kernel.MOST] >= 1)
    _apply_bars(problem, fits)
    rows, columns = np.nonzero(fits)
    return np.searchsorted(rows, np.arange(len(visit) + 1)), columns.astype(np.int32)


def _find_clashes(problem: Problem) -> NDArray[np.bool_]:
    """Return which pairs of shifts share a member; an empty table where nobody minds."""
    if not problem.rotate:
        return np.zeros((0, 0), dtype=bool)
    members = sorted({member for shift in problem.shifts for member in shift.members})
    number = {member: index for index, member in enumerate(members)}
    works = np.zeros((len(problem.shifts), len(members)), dtype=np.float32)
    for row, shift in enumerate(problem.shifts):
        works[row, [number[member] for member in shift.members]] = 1.0
    shared: NDArray[np.bool_] = works @ works.T > 0
    return shared


def _apply_bars(problem: Problem, fits: NDArray[np.bool_]) -> None:
    """Take out what crews, pins and closed routes forbid, in place."""
    barred = {site.id for site in problem.sites if site.barred}
    fixed = {visit_id for shift in problem.shifts for visit_id in shift.fixed}
    closed = [index for index, shift in enumerate(problem.shifts) if shift.closed]
    fits[:, closed] = False
    for row, visit in enumerate(problem.visits):
        if visit.id in fixed:
            fits[row] = False
        elif visit.pin or visit.skills or visit.site in barred:
            for column in np.flatnonzero(fits[row]):
                fits[row, column] = problem.bars(problem.shifts[column], visit) is None


def _list_near(travel_s: NDArray[np.int32], place: NDArray[np.int64], neighbours: int) -> NDArray[np.int32]:
    """Return for each visit itself and its nearest visits, shape (visits, min(neighbours + 1, visits))."""
    width = min(neighbours + 1, len(place))
    near = np.zeros((len(place), width), dtype=np.int32)
    for index, there in enumerate(place):
        away = np.minimum(travel_s[there, place], travel_s[place, there])
        away[index] = -1
        near[index] = np.argsort(away, kind="stable")[:width]
    return near


def measure_leg(facts: kernel.Facts) -> float:
    """Return the mean seconds from a visit to its ten nearest visits elsewhere, at least 1."""
    place = facts.visit[:, kernel.PLACE]
    legs = facts.travel[place[:, None], place[facts.near[:, 1:11]]]
    moving = legs[legs > 0]
    return float(max(moving.mean(), 1.0)) if moving.size else 1.0


def _bound_stops(facts: kernel.Facts) -> int:
    """Return an upper bound on the stops of any route, from service times and stop limits."""
    if not len(facts.duty):
        return 1
    least = np.cumsum(np.sort(facts.visit[:, kernel.SERVICE]))
    longest = int((facts.duty[:, kernel.END] - facts.duty[:, kernel.START]).max())
    fitting = int(np.searchsorted(least, longest, side="right"))
    # The kernel packs positions into 16 bits.
    return max(1, min(fitting, int(facts.duty[:, kernel.MOST].max()), 65_000))


def start_search(
    problem: Problem, facts: kernel.Facts, sequences: Mapping[str, Sequence[str]], *, seed: int
) -> kernel.Search:
    """Return the arrays of a search holding `sequences`, its books still to be filled.

    Raises
    ------
    ValueError
        When a route has more stops than any shift has time for.
    """
    visits, shifts, width = len(problem.visits), len(problem.shifts), _bound_stops(facts) + 2
    number = {visit.id: index for index, visit in enumerate(problem.visits)}
    route = np.zeros((shifts, width, 5), dtype=np.int32)
    book = np.zeros((shifts, 8), dtype=np.int64)
    for index, shift in enumerate(problem.shifts):
        stops = [number[visit] for visit in sequences.get(shift.id, shift.fixed)]
        if len(stops) > width - 2:
            raise ValueError("the start has a route longer than any shift allows")
        route[index, 1 : len(stops) + 1, kernel.STOP] = stops
        book[index, kernel.COUNT] = len(stops)
    tally: NDArray[Any] = np.zeros((visits, 3), dtype=np.int64)
    tally[:, [kernel.SHIFT, kernel.WAITS]] = -1
    return kernel.Search(
        route=route,
        book=book,
        old_route=route.copy(),
        old_book=book.copy(),
        best=np.zeros((shifts, width), dtype=np.int32),
        tally=tally,
        seen=np.array([site.seen for site in problem.sites], dtype=np.int64),
        capped=np.zeros(len(facts.most), dtype=np.int64),
        lists=np.zeros((3, max(visits, shifts, 1)), dtype=np.int32),
        key=np.zeros(visits, dtype=float),
        known=np.zeros((len(facts.choice), 2), dtype=np.int64),
        numbers=np.zeros(6, dtype=np.int64),
        chance=np.array([_scramble(seed)], dtype=np.uint64),
    )


def _scramble(seed: int) -> int:
    """Return a nonzero 64-bit start for xorshift from any seed (one step of splitmix64)."""
    mask = 2**64 - 1
    value = (seed + 0x9E3779B97F4A7C15) & mask
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & mask
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & mask
    return (value ^ (value >> 31)) or 1
