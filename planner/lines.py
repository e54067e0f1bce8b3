"""A finished plan as lines: what one more visit would cost at every place of every route.

A line has one place before each stop and one before going home. For each place it knows the earliest
leaving time of the stop before, the latest feasible arrival at the stop after, and the way home without
waiting; so an insertion, and what it lacks, is reckoned without walking the route again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.problem import Problem, Shift, Visit

NEVER_S = 10**12


@dataclass(frozen=True)
class Span:
    """Shifts by number, rising, and from when to when service may start in each."""

    shift: NDArray[np.int64]
    open_s: NDArray[np.int64]
    close_s: NDArray[np.int64]

    def only(self, kept: NDArray[np.bool_]) -> Span:
        """Return the part of the span where `kept` is true."""
        return Span(self.shift[kept], self.open_s[kept], self.close_s[kept])


@dataclass(frozen=True)
class Alone:
    """One visit as the only stop of each shift of a span.

    `late_s` is by how much it misses its window or the shift's end, `stuck_s` the same without any travel,
    `full` whether its demand alone is too much.
    """

    out_s: NDArray[np.int64]
    back_s: NDArray[np.int64]
    late_s: NDArray[np.int64]
    stuck_s: NDArray[np.int64]
    full: NDArray[np.bool_]


@dataclass(frozen=True)
class Offers:
    """One visit tried at every place of the lines of some shifts; all arrays have one entry a place.

    `cost_s` is the extra travel, `begin_s` when service would start, `late_s` by how much that misses the
    window, `over_s` by how much the team would be home after the end of its shift, `tight` whether a later
    stop would be late whatever the end, `full` whether the load or the stop limit is passed.
    """

    place: NDArray[np.int64]
    shift: NDArray[np.int64]
    cost_s: NDArray[np.int64]
    begin_s: NDArray[np.int64]
    late_s: NDArray[np.int64]
    over_s: NDArray[np.int64]
    tight: NDArray[np.bool_]
    full: NDArray[np.bool_]

    @property
    def fits(self) -> NDArray[np.bool_]:
        """Whether each place keeps the window, the stops after, the shift's end and its limits."""
        kept: NDArray[np.bool_] = (self.late_s == 0) & (self.over_s == 0) & ~self.tight & ~self.full
        return kept


class Lines:
    """The routes of a plan, laid out place after place in the order of the problem's shifts.

    Parameters
    ----------
    problem : Problem
        What was planned.
    sequences : Mapping
        Visit ids in driving order by shift id; must keep every hard rule.
    """

    def __init__(self, problem: Problem, sequences: Mapping[str, Sequence[str]]) -> None:
        self.problem = problem
        self.number = {shift.id: index for index, shift in enumerate(problem.shifts)}
        self.stops = [
            tuple(problem.visit_by_id[visit] for visit in sequences.get(shift.id, ()))
            for shift in problem.shifts
        ]
        self.served: dict[str, Shift] = {
            visit.id: shift
            for shift, stops in zip(problem.shifts, self.stops, strict=True)
            for visit in stops
        }
        self.capped: dict[str, int] = {}
        for visit in problem.visits:
            if visit.cap is not None and visit.id in self.served:
                self.capped[visit.cap] = self.capped.get(visit.cap, 0) + 1
        self._tables = [
            _draw_line(problem, shift, self.stops[index], index) for index, shift in enumerate(problem.shifts)
        ]
        self._by_slot = {
            slot: np.array([self.number[shift.id] for shift in shifts])
            for slot, shifts in problem.shifts_by_slot.items()
        }
        shifts = problem.shifts
        self.start_s, self.end_s, self.day, self.depot, self.capacity, self.most = (
            np.array(
                [
                    (
                        max(shift.start_s, shift.ready_s),
                        shift.end_s,
                        shift.day,
                        problem.depot_by_id[shift.depot].location,
                        NEVER_S if shift.capacity is None else shift.capacity,
                        NEVER_S if shift.max_stops is None else shift.max_stops,
                    )
                    for shift in shifts
                ],
                dtype=np.int64,
            )
            .reshape(-1, 6)
            .T
        )
        self.load = np.array([sum(stop.demand for stop in stops) for stops in self.stops], dtype=np.int64)
        self.count = np.array([len(stops) for stops in self.stops], dtype=np.int64)
        self.locked = any(shift.closed or shift.fixed for shift in shifts)
        self._stack()

    def _stack(self) -> None:
        """Lay the tables of all routes one after the other."""
        self.first = np.concatenate([[0], np.cumsum([len(table) for table in self._tables])]).astype(int)
        table = np.concatenate([*self._tables, np.zeros((0, 7), dtype=np.int64)])
        self.shift, self.before, self.after, self.leave_s, self.latest_s, self.home_s, self.direct_s = table.T

    def insert(self, visit: Visit, shift_id: str, position: int) -> None:
        """Serve `visit` after `position` stops of a shift."""
        index = self.number[shift_id]
        stops = self.stops[index]
        self.stops[index] = (*stops[:position], visit, *stops[position:])
        self.served[visit.id] = self.problem.shifts[index]
        if visit.cap is not None:
            self.capped[visit.cap] = self.capped.get(visit.cap, 0) + 1
        self._tables[index] = _draw_line(self.problem, self.problem.shifts[index], self.stops[index], index)
        self.load[index] += visit.demand
        self.count[index] += 1
        self._stack()

    def sequences(self) -> dict[str, tuple[str, ...]]:
        """Return visit ids in driving order by shift id, used shifts only."""
        return {
            shift.id: tuple(visit.id for visit in stops)
            for shift, stops in zip(self.problem.shifts, self.stops, strict=True)
            if stops
        }

    def span(self, visit: Visit) -> Span:
        """Return the shifts of the slots `visit` allows, in their order, and when service may start there."""
        staffed = [window for window in visit.windows if window.slot in self._by_slot]
        if not staffed:
            none = np.zeros(0, dtype=np.int64)
            return Span(none, none, none)
        index = np.concatenate([self._by_slot[window.slot] for window in staffed])
        sizes = [len(self._by_slot[window.slot]) for window in staffed]
        opens = np.repeat([window.open_s for window in staffed], sizes)
        closes = np.repeat([window.close_s for window in staffed], sizes)
        order = np.argsort(index, kind="stable")
        return Span(index[order], opens[order], closes[order])

    def offer(self, visit: Visit, span: Span) -> Offers:
        """Try `visit` at every place of the shifts of `span`."""
        sizes = self.first[span.shift + 1] - self.first[span.shift]
        total = int(sizes.sum())
        starts = np.cumsum(sizes) - sizes
        place = np.arange(total) - np.repeat(starts, sizes) + np.repeat(self.first[span.shift], sizes)
        shift = np.repeat(span.shift, sizes)
        opens, closes = np.repeat(span.open_s, sizes), np.repeat(span.close_s, sizes)
        there = self.problem.site_by_id[visit.site].location
        out = self.problem.block_s(self.before[place], [there])[:, 0].astype(np.int64)
        onward = self.problem.block_s([there], self.after[place])[0].astype(np.int64)
        begin = np.maximum(self.leave_s[place] + out, opens)
        arrive = begin + visit.service_s + onward
        full = (self.load + visit.demand > self.capacity) | (self.count >= self.most)
        return Offers(
            place=place,
            shift=shift,
            cost_s=out + onward - self.direct_s[place],
            begin_s=begin,
            late_s=np.maximum(0, begin - closes),
            over_s=np.maximum(0, arrive + self.home_s[place] - self.end_s[shift]),
            tight=arrive > self.latest_s[place],
            full=full[shift],
        )

    def alone(self, visit: Visit, span: Span) -> Alone:
        """Try `visit` alone in every shift of `span`."""
        there = [self.problem.site_by_id[visit.site].location]
        depots, which = np.unique(self.depot[span.shift], return_inverse=True)
        out = self.problem.block_s(depots, there)[:, 0].astype(np.int64)[which]
        back = self.problem.block_s(there, depots)[0].astype(np.int64)[which]
        start, end = self.start_s[span.shift], self.end_s[span.shift]
        begin = np.maximum(start + out, span.open_s)
        late = np.maximum(begin - span.close_s, begin + visit.service_s + back - end)
        begin = np.maximum(start, span.open_s)
        stuck = np.maximum(begin - span.close_s, begin + visit.service_s - end)
        full = (visit.demand > self.capacity[span.shift]) | (self.most[span.shift] < 1)
        return Alone(out, back, np.maximum(late, 0), np.maximum(stuck, 0), full)

    def bars(self, visit: Visit, span: Span) -> list[str | None]:
        """Return for each shift of `span` the rule of crews, pins and locks that bars `visit`, or None."""
        plain = visit.pin is None and not visit.skills and not self.problem.site_by_id[visit.site].barred
        if plain and not self.locked:
            return [None] * len(span.shift)
        return [self.problem.bars(self.problem.shifts[index], visit) for index in span.shift]

    def is_near(self, visit: Visit, span: Span) -> NDArray[np.bool_]:
        """Return for each shift of `span` whether it is too few days from a served visit of the site."""
        gap = self.problem.site_by_id[visit.site].min_gap_days
        days = [self.served[other.id].day for other in self.list_siblings(visit)]
        if not gap or not days:
            return np.zeros(len(span.shift), dtype=bool)
        away = np.abs(self.day[span.shift][:, None] - np.array(days)[None, :])
        near: NDArray[np.bool_] = away.min(axis=1) < gap
        return near

    def is_met(self, visit: Visit, span: Span) -> NDArray[np.bool_]:
        """Return for each shift of `span` whether a member meets the site in another visit of the plan."""
        met: set[str] = set()
        if self.problem.rotate:
            for other in self.list_siblings(visit):
                met.update(self.served[other.id].members)
        if not met:
            return np.zeros(len(span.shift), dtype=bool)
        return np.array([not met.isdisjoint(self.problem.shifts[index].members) for index in span.shift])

    def list_siblings(self, visit: Visit) -> list[Visit]:
        """Return the other served visits of the same site."""
        return [
            other
            for other in self.problem.visits_by_site[visit.site]
            if other.id != visit.id and other.id in self.served
        ]

    def list_blocking(self, visit: Visit, day: int) -> list[str]:
        """Return the served visits of the same site that are too few days from `day`."""
        gap = self.problem.site_by_id[visit.site].min_gap_days
        return [o.id for o in self.list_siblings(visit) if abs(self.served[o.id].day - day) < gap]

    def is_capped(self, visit: Visit) -> bool:
        """Return whether the cap of `visit` allows no more."""
        if visit.cap is None:
            return False
        most = next(cap.most for cap in self.problem.caps if cap.id == visit.cap)
        return self.capped.get(visit.cap, 0) >= most

    def value(self, visit: Visit) -> int:
        """Return what serving `visit` saves, with the first-visit prize where its site is not yet seen."""
        first = not self.problem.site_by_id[visit.site].seen and not self.list_siblings(visit)
        return visit.penalty + (self.problem.first_visit_prize if first else 0)


def _draw_line(problem: Problem, shift: Shift, stops: Sequence[Visit], index: int) -> NDArray[np.int64]:
    """Return shift, before, after, leaving, latest arrival, way home and direct leg of each place."""
    depot = problem.depot_by_id[shift.depot].location
    places = [depot, *(problem.site_by_id[visit.site].location for visit in stops), depot]
    legs = [problem.leg_s(places[i], places[i + 1]) for i in range(len(stops) + 1)]
    windows = [next(w for w in visit.windows if w.slot == shift.slot) for visit in stops]
    leave = [shift.start_s]
    for number, visit in enumerate(stops):
        if number == len(shift.fixed):
            leave[-1] = max(leave[-1], shift.ready_s)
        leave.append(max(leave[-1] + legs[number], windows[number].open_s) + visit.service_s)
    if len(stops) == len(shift.fixed):
        leave[-1] = max(leave[-1], shift.ready_s)
    latest, home = [NEVER_S], [0]
    for number in range(len(stops) - 1, -1, -1):
        spent = legs[number + 1] + stops[number].service_s
        latest.append(min(latest[-1] - spent, windows[number].close_s))
        home.append(home[-1] + spent)
    latest.reverse()
    home.reverse()
    # Nothing is put before a fixed stop: no arrival there is early enough.
    latest[: len(shift.fixed)] = [-NEVER_S] * len(shift.fixed)
    direct = legs if stops else [0]
    rows = [
        (index, places[i], places[i + 1], leave[i], latest[i], home[i], direct[i])
        for i in range(len(stops) + 1)
    ]
    return np.array(rows, dtype=np.int64)
