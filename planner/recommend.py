"""The best teams and slots for one more visit, with what each costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from planner.lines import Lines
from planner.problem import Problem


@dataclass(frozen=True)
class Recommendation:
    """One way to serve a visit: after `position` stops of a shift, at `start_s`, for `cost_s` more travel.

    `saves` is what the objective gains: the visit's worth less the travel; below 0 it does not pay.
    """

    shift: str
    team: str
    slot: str
    day: int
    position: int
    start_s: int
    cost_s: int
    saves: int


def recommend(
    problem: Problem, sequences: Mapping[str, Sequence[str]], visit_id: str, *, most: int = 3
) -> tuple[Recommendation, ...]:
    """Return the cheapest shifts for one visit, every hard rule kept, at most `most` and one place a shift.

    A visit already served is tried as if it were not. The others keep shift and order; their times may move.

    Raises
    ------
    KeyError
        When the problem has no such visit.
    """
    visit = problem.visit_by_id[visit_id]
    others = {shift: [v for v in visits if v != visit_id] for shift, visits in sequences.items()}
    lines = Lines(problem, others)
    spans = {
        index: (window.open_s, window.close_s)
        for index, window in lines.list_windows(visit).items()
        if problem.bars(problem.shifts[index], visit) is None
        and not lines.list_blocking(visit, problem.shifts[index].day)
    }
    if not spans or lines.is_capped(visit):
        return ()
    offers = lines.offer(visit, spans)
    at = np.flatnonzero(offers.fits)
    found: dict[int, Recommendation] = {}
    for place in at[np.lexsort((offers.shift[at], offers.cost_s[at]))]:
        index = int(offers.shift[place])
        if index in found:
            continue
        shift, cost = problem.shifts[index], int(offers.cost_s[place])
        found[index] = Recommendation(
            shift.id,
            shift.team,
            shift.slot,
            shift.day,
            int(offers.place[place] - lines.first[index]),
            int(offers.begin_s[place]),
            cost,
            lines.value(visit) - cost,
        )
        if len(found) == most:
            break
    return tuple(found.values())
