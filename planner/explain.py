"""True reasons why visits stay unserved, each verified by a counterfactual on the finished plan.

The question asked is always the same: could this visit be inserted into the plan as it stands, the order
of the other stops kept? Codes, in the order they are tested:

=================== ==================================================================================
``no_window``       none of the slots it allows has a shift
``pin``             every allowed shift is barred to it, most of them because it is pinned elsewhere,
``closed``          because their routes are closed,
``skills``          because their crews lack what it asks for,
``recusal``         or because somebody in the crew must not meet the place
``too_far``         no allowed shift, even empty, has time for the way there, the visit and the way back
``over_capacity``   alone it exceeds the capacity or the stop limit of every shift with time for it
``too_long``        even without any travel its service fits no allowed shift within its window
``cap``             it fits, but the cap it counts against is reached
``not_worth``       it fits, but costs at least as much travel as leaving it out
``improvable``      it fits and would pay: the plan is not finished (never in a plan of the solver)
``gap``             it fits, but only too few days from another served visit of its site
``met``             it fits, but only where somebody would meet the place a second time
``no_room``         it fits between the stops of no allowed shift
=================== ==================================================================================

`helps` in the detail lists what one relaxed rule would do, the cheapest first: each was tried, all other
rules kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from planner.lines import Lines, Span
from planner.plan import Unserved
from planner.problem import Problem, Shift, Visit

Help = dict[str, object]


def explain(
    problem: Problem, sequences: Mapping[str, Sequence[str]], visits: Sequence[str] | None = None
) -> dict[str, Unserved]:
    """Return the verified reason of each visit in no route, by visit id.

    Parameters
    ----------
    problem : Problem
        What was planned.
    sequences : Mapping
        Visit ids in driving order by shift id; must keep every hard rule.
    visits : sequence of str or None
        Only these visits; None for all unserved ones.
    """
    lines = Lines(problem, sequences)
    wanted = [visit.id for visit in problem.visits] if visits is None else list(visits)
    return {
        visit_id: _find_reason(lines, problem.visit_by_id[visit_id])
        for visit_id in wanted
        if visit_id not in lines.served
    }


def _find_reason(lines: Lines, visit: Visit) -> Unserved:
    trial = _Trial(lines, visit)
    if not len(trial.span.shift):
        slots = [window.slot for window in visit.windows]
        return Unserved(visit.id, "no_window", {"slots": slots, "helps": _list_other_slots(lines, visit)})
    if all(trial.bars):
        counts = Counter(code for code in trial.bars if code is not None)
        code = max(counts, key=lambda name: counts[name])
        detail: dict[str, object] = {"shifts": len(trial.bars), "rules": dict(counts)}
        return Unserved(visit.id, code, {**detail, "helps": trial.list_helps()})
    alone = trial.test_alone()
    if alone is not None:
        return Unserved(visit.id, alone[0], {**alone[1], "helps": trial.list_helps()})
    inside = trial.least(trial.offers.cost_s, trial.kept(trial.offers.fits))
    if inside is not None:
        worth = lines.value(visit)
        detail = {"shift": inside[1], "cost_s": inside[0], "prize": worth}
        if lines.is_capped(visit):
            return Unserved(visit.id, "cap", {**detail, "cap": visit.cap, "helps": trial.list_helps()})
        return Unserved(visit.id, "not_worth" if inside[0] >= worth else "improvable", detail)
    for code, other in (("gap", trial.met), ("met", trial.near)):
        own = trial.near if code == "gap" else trial.met
        breaking = trial.least(trial.offers.cost_s, trial.offers.fits & ~trial.barred & own & ~other)
        if breaking is not None:
            return _tell_sibling(trial, code, breaking)
    return _tell_no_room(trial)


def _tell_sibling(trial: _Trial, code: str, breaking: tuple[int, str]) -> Unserved:
    """Return the reason that other visits of the site stand too near, or were made by the same people."""
    lines, visit = trial.lines, trial.visit
    shift = lines.problem.shift_by_id[breaking[1]]
    blocking = lines.list_blocking(visit, shift.day)
    if code == "met":
        blocking = [
            o.id for o in lines.list_siblings(visit) if set(lines.served[o.id].members) & set(shift.members)
        ]
    detail: dict[str, object] = {
        "shift": shift.id,
        "day": shift.day,
        "cost_s": breaking[0],
        "min_gap_days": lines.problem.site_by_id[visit.site].min_gap_days,
        "blocking": blocking,
        "blocking_days": [lines.served[other].day for other in blocking],
        "helps": trial.list_helps(),
    }
    return Unserved(visit.id, code, detail)


def _tell_no_room(trial: _Trial) -> Unserved:
    """Return the reason with what would help: a longer shift, or one more team in a slot."""
    helps = trial.list_helps()
    longer = trial.longer()
    detail: dict[str, object] = {
        "shifts": len(trial.span.shift),
        "longer_shift": longer[1] if longer else None,
        "longer_by_s": longer[0] if longer else None,
        "extra_team_slot": next((help_["slot"] for help_ in helps if help_["rule"] == "team"), None),
        "helps": helps,
    }
    return Unserved(trial.visit.id, "no_room", detail)


class _Trial:
    """One visit tried in the shifts of the slots it allows."""

    def __init__(self, lines: Lines, visit: Visit) -> None:
        self.lines, self.visit = lines, visit
        self.span = lines.span(visit)
        self.bars = lines.bars(visit, self.span)
        self.offers = lines.offer(visit, self.span)
        self.near_by_shift, self.met_by_shift = (
            lines.is_near(visit, self.span),
            lines.is_met(visit, self.span),
        )
        self.barred = self._at_places(np.array([code is not None for code in self.bars], dtype=bool))
        self.near, self.met = self._at_places(self.near_by_shift), self._at_places(self.met_by_shift)

    def _at_places(self, by_shift: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return what holds for the shifts of the span at every place of their routes."""
        holds = np.zeros(len(self.lines.problem.shifts), dtype=bool)
        holds[self.span.shift] = by_shift
        return holds[self.offers.shift]

    def kept(self, fits: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return where `fits` holds and crews, gaps and rotation are kept."""
        free: NDArray[np.bool_] = fits & ~self.barred & ~self.near & ~self.met
        return free

    def longer(self) -> tuple[int, str] | None:
        """Return the least overtime that makes room, and its shift."""
        return self.least(self.offers.over_s, self._only_over())

    def _only_over(self) -> NDArray[np.bool_]:
        offers = self.offers
        return self.kept((offers.late_s == 0) & ~offers.tight & ~offers.full)

    def least(self, size: NDArray[np.int64], allowed: NDArray[np.bool_]) -> tuple[int, str] | None:
        """Return the least size among the allowed places and its shift, the first one of equals."""
        at = np.flatnonzero(allowed)
        if not len(at):
            return None
        best = at[np.lexsort((self.offers.shift[at], size[at]))[0]]
        return int(size[best]), self.lines.problem.shifts[self.offers.shift[best]].id

    def test_alone(self) -> tuple[str, dict[str, object]] | None:
        """Return why no shift whose crew may go can serve the visit even alone, None when one can."""
        free = np.array([code is None for code in self.bars], dtype=bool)
        span = self.span.only(free)
        alone = self.lines.alone(self.visit, span)
        if ((alone.late_s == 0) & ~alone.full).any():
            return None
        in_time, far = alone.late_s == 0, (alone.late_s > 0) & (alone.stuck_s == 0)
        shifts = [self.lines.problem.shifts[index] for index in span.shift]
        if in_time.any():
            at = _first_least(self.visit.demand - self.lines.capacity[span.shift], in_time, shifts)
            shift = shifts[at]
            about = {"demand": self.visit.demand, "capacity": shift.capacity, "max_stops": shift.max_stops}
            return "over_capacity", {"shift": shift.id, **about}
        code, late = ("too_far", alone.late_s) if far.any() else ("too_long", alone.stuck_s)
        at = _first_least(late, far if far.any() else ~far, shifts)
        legs = {"out_s": int(alone.out_s[at]), "back_s": int(alone.back_s[at])}
        return code, {"shift": shifts[at].id, "late_s": int(late[at]), **legs}

    def list_helps(self) -> list[Help]:
        """Return what relaxing one rule alone would do, cheapest in travel first."""
        helps = list(self._try_rules())
        capped = self.lines.is_capped(self.visit)
        if capped:
            # Whatever else is relaxed, the cap still holds.
            helps = [help_ for help_ in helps if help_["rule"] == "cap"]
        return sorted(helps, key=lambda help_: (int(str(help_["cost_s"])), str(help_["rule"])))

    def _try_rules(self) -> Iterator[Help]:
        offers, visit, shifts = self.offers, self.visit, self.lines.problem.shifts
        if self.lines.is_capped(visit) and (found := self.least(offers.cost_s, self.kept(offers.fits))):
            yield {"rule": "cap", "cost_s": found[0], "shift": found[1], "by": 1}
        if found := self.least(offers.cost_s, offers.fits & ~self.barred & self.near & ~self.met):
            day = self.lines.problem.shift_by_id[found[1]].day
            near = [abs(self.lines.served[v].day - day) for v in self.lines.list_blocking(visit, day)]
            yield {"rule": "gap", "cost_s": found[0], "shift": found[1], "gap_days": min(near)}
        if found := self.least(offers.cost_s, offers.fits & ~self.barred & ~self.near & self.met):
            yield {"rule": "met", "cost_s": found[0], "shift": found[1]}
        for rule in sorted({code for code in self.bars if code is not None}):
            # A crew may be barred twice over: lifting this one rule must be enough.
            own = [
                code == rule and not self._barred_twice(shifts[index])
                for code, index in zip(self.bars, self.span.shift, strict=True)
            ]
            lifted = offers.fits & self._at_places(np.array(own)) & ~self.near & ~self.met
            if found := self.least(offers.cost_s, lifted):
                about = self._tell_bar(rule, found[1])
                yield {"rule": rule, "cost_s": found[0], "shift": found[1], **about}
        over = self._only_over() & (offers.over_s > 0)
        if found := self.least(offers.over_s, over):
            cost = int(offers.cost_s[over & (offers.over_s == found[0])].min())
            yield {"rule": "shift_end", "cost_s": cost, "shift": found[1], "by_s": found[0]}
        late = self.kept((offers.late_s > 0) & (offers.over_s == 0) & ~offers.tight & ~offers.full)
        if found := self.least(offers.late_s, late):
            cost = int(offers.cost_s[late & (offers.late_s == found[0])].min())
            yield {"rule": "window", "cost_s": cost, "shift": found[1], "by_s": found[0]}
        room = self.kept((offers.late_s == 0) & (offers.over_s == 0) & ~offers.tight & offers.full)
        if found := self.least(offers.cost_s, room):
            yield {"rule": "capacity", "cost_s": found[0], "shift": found[1]}
        yield from self._try_team()

    def _barred_twice(self, shift: Shift) -> bool:
        visit, barred = self.visit, self.lines.problem.site_by_id[self.visit.site].barred
        rules = (
            visit.pin not in (None, shift.id),
            shift.closed,
            not set(visit.skills) <= set(shift.skills),
            not set(barred).isdisjoint(shift.members),
        )
        return sum(rules) > 1

    def _tell_bar(self, rule: str, shift_id: str) -> Help:
        shift = self.lines.problem.shift_by_id[shift_id]
        if rule == "skills":
            return {"lacking": [skill for skill in self.visit.skills if skill not in shift.skills]}
        if rule == "recusal":
            barred = self.lines.problem.site_by_id[self.visit.site].barred
            return {"members": sorted(set(barred) & set(shift.members))}
        return {}

    def _try_team(self) -> Iterator[Help]:
        """Yield the cheapest slot in which one more team, with a crew that may go, would serve the visit."""
        alone = self.lines.alone(self.visit, self.span)
        fits = (alone.late_s == 0) & ~alone.full & ~self.near_by_shift
        if not fits.any() or self.visit.pin is not None:
            return
        shifts = [self.lines.problem.shifts[index] for index in self.span.shift]
        at = _first_least(alone.out_s + alone.back_s, fits, shifts)
        cost = int(alone.out_s[at] + alone.back_s[at])
        yield {"rule": "team", "cost_s": cost, "slot": shifts[at].slot, "day": shifts[at].day}


def _first_least(size: NDArray[np.int64], allowed: NDArray[np.bool_], shifts: Sequence[Shift]) -> int:
    """Return the place of the least size among the allowed, ties to the lowest shift id."""
    least = size[allowed].min()
    return min(np.flatnonzero(allowed & (size == least)).tolist(), key=lambda index: shifts[index].id)


def _list_other_slots(lines: Lines, visit: Visit) -> list[Help]:
    """Return the cheapest shift of any slot that could serve the visit if its slot were allowed."""
    problem = lines.problem
    span = Span(np.arange(len(problem.shifts)), lines.start_s, lines.end_s)
    if lines.is_capped(visit) or not len(span.shift):
        return []
    free = np.array([code is None for code in lines.bars(visit, span)], dtype=bool)
    offers = lines.offer(visit, span.only(free & ~lines.is_near(visit, span) & ~lines.is_met(visit, span)))
    at = np.flatnonzero(offers.fits)
    if not len(at):
        return []
    best = at[np.lexsort((offers.shift[at], offers.cost_s[at]))[0]]
    shift = problem.shifts[offers.shift[best]]
    return [{"rule": "slot", "cost_s": int(offers.cost_s[best]), "shift": shift.id, "slot": shift.slot}]
