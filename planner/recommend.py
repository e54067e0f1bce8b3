"""The best teams and slots for one more visit, with what each costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from planner.lines import Lines
from planner.problem import Problem, Visit


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
    others = {shift: [v for v in visits if v != visit_id] for shift, visits in sequences.items()}
    return offer_places(Lines(problem, others), problem.visit_by_id[visit_id], most=most)


def offer_places(lines: Lines, visit: Visit, *, most: int) -> tuple[Recommendation, ...]:
    """Return the cheapest shifts for a visit in no route yet, as `recommend` does."""
    problem = lines.problem
    span = lines.span(visit)
    if not len(span.shift) or lines.is_capped(visit):
        return ()
    free = np.array([code is None for code in lines.bars(visit, span)], dtype=bool)
    offers = lines.offer(visit, span.only(free & ~lines.is_near(visit, span) & ~lines.is_met(visit, span)))
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


def top_up(
    problem: Problem, sequences: Mapping[str, Sequence[str]], visits: Sequence[str] | None = None
) -> dict[str, tuple[str, ...]]:
    """Return the plan after putting absent visits where they are cheapest and pay, dearest first.

    `visits` names those to try; None tries all. Needs no travel matrix, so any size will do.
    """
    lines = Lines(problem, sequences)
    wanted = [visit.id for visit in problem.visits] if visits is None else list(dict.fromkeys(visits))
    left = [problem.visit_by_id[visit] for visit in wanted if visit not in lines.served]
    # A visit inserted may make another one cheaper, never a refused one possible, except by its place.
    for visit in sorted(left, key=lambda item: (-lines.value(item), item.id)):
        found = offer_places(lines, visit, most=1)
        if found and found[0].saves > 0:
            lines.insert(visit, found[0].shift, found[0].position)
    return lines.sequences()
