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

from planner.problem import Problem, Shift, Visit, Window

NEVER_S = 10**12


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
        self.end_s = np.array([shift.end_s for shift in problem.shifts], dtype=np.int64)
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
        self._stack()

    def sequences(self) -> dict[str, tuple[str, ...]]:
        """Return visit ids in driving order by shift id, used shifts only."""
        return {
            shift.id: tuple(visit.id for visit in stops)
            for shift, stops in zip(self.problem.shifts, self.stops, strict=True)
            if stops
        }

    def offer(self, visit: Visit, spans: Mapping[int, tuple[int, int]]) -> Offers:
        """Try `visit` at every place of the shifts in `spans`: from when to when service may start there."""
        chosen = sorted(spans)
        place = np.concatenate(
            [np.arange(self.first[i], self.first[i + 1]) for i in chosen] or [np.zeros(0, int)]
        )
        shift = self.shift[place]
        opens = np.zeros(len(self.stops), dtype=np.int64)
        closes = np.zeros(len(self.stops), dtype=np.int64)
        full = np.zeros(len(self.stops), dtype=bool)
        for index in chosen:
            opens[index], closes[index] = spans[index]
            full[index] = self._is_full(index, visit)
        there = self.problem.site_by_id[visit.site].location
        out = self.problem.block_s(self.before[place], [there])[:, 0].astype(np.int64)
        onward = self.problem.block_s([there], self.after[place])[0].astype(np.int64)
        begin = np.maximum(self.leave_s[place] + out, opens[shift])
        arrive = begin + visit.service_s + onward
        return Offers(
            place=place,
            shift=shift,
            cost_s=out + onward - self.direct_s[place],
            begin_s=begin,
            late_s=np.maximum(0, begin - closes[shift]),
            over_s=np.maximum(0, arrive + self.home_s[place] - self.end_s[shift]),
            tight=arrive > self.latest_s[place],
            full=full[shift],
        )

    def _is_full(self, index: int, visit: Visit) -> bool:
        shift, stops = self.problem.shifts[index], self.stops[index]
        load = sum(stop.demand for stop in stops)
        return (shift.capacity is not None and load + visit.demand > shift.capacity) or (
            shift.max_stops is not None and len(stops) >= shift.max_stops
        )

    def list_windows(self, visit: Visit) -> dict[int, Window]:
        """Return the window of `visit` by number of each shift in a slot it allows."""
        return {
            self.number[shift.id]: window
            for window in visit.windows
            for shift in self.problem.shifts_by_slot.get(window.slot, ())
        }

    def list_blocking(self, visit: Visit, day: int) -> list[str]:
        """Return the served visits of the same site that are too few days from `day`."""
        gap = self.problem.site_by_id[visit.site].min_gap_days
        return [
            other.id
            for other in self.problem.visits_by_site[visit.site]
            if other.id != visit.id and other.id in self.served and abs(self.served[other.id].day - day) < gap
        ]

    def is_capped(self, visit: Visit) -> bool:
        """Return whether the cap of `visit` allows no more."""
        if visit.cap is None:
            return False
        most = next(cap.most for cap in self.problem.caps if cap.id == visit.cap)
        return self.capped.get(visit.cap, 0) >= most

    def value(self, visit: Visit) -> int:
        """Return what serving `visit` saves, with the first-visit prize where its site is not yet seen."""
        first = not self.problem.site_by_id[visit.site].seen and not any(
            other.id != visit.id and other.id in self.served
            for other in self.problem.visits_by_site[visit.site]
        )
        return visit.penalty + (self.problem.first_visit_prize if first else 0)


def _draw_line(problem: Problem, shift: Shift, stops: Sequence[Visit], index: int) -> NDArray[np.int64]:
    """Return shift, before, after, leaving, latest arrival, way home and direct leg of each place."""
    depot = problem.depot_by_id[shift.depot].location
    places = [depot, *(problem.site_by_id[visit.site].location for visit in stops), depot]
    legs = [problem.leg_s(places[i], places[i + 1]) for i in range(len(stops) + 1)]
    windows = [find_window(visit, shift) for visit in stops]
    leave = [shift.start_s]
    for number, visit in enumerate(stops):
        leave.append(max(leave[-1] + legs[number], windows[number].open_s) + visit.service_s)
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


def find_window(visit: Visit, shift: Shift) -> Window:
    """Return the window of a visit in the slot of a shift."""
    return next(window for window in visit.windows if window.slot == shift.slot)
