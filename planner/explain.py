"""True reasons why visits stay unserved, each verified by a counterfactual on the finished plan.

The question asked is always the same: could this visit be inserted into the plan as it stands, the order
of the other stops kept? Codes, in the order they are tested:

=================== ==================================================================================
``no_window``       none of the slots it allows has a shift
``pin`` ``closed``  every allowed shift is barred to it: pinned elsewhere or its routes are closed, no
``skills``          crew has what it asks for, or every crew has a member who must not meet the place;
``recusal``         the rule that bars most of them names the reason
``too_far``         no allowed shift, even empty, has time for the way there, the visit and the way back
``over_capacity``   alone it exceeds the capacity or the stop limit of every shift with time for it
``too_long``        even without any travel its service fits no allowed shift within its window
``cap``             it fits, but the cap it counts against is reached
``not_worth``       it fits, but costs at least as much travel as leaving it out
``improvable``      it fits and would pay: the plan is not finished (never in a plan of the solver)
``gap``             it fits, but only too few days from another served visit of its site
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

from planner.lines import Lines, Offers, find_window
from planner.plan import Unserved
from planner.problem import Problem, Shift, Visit, Window

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
    problem = lines.problem
    windows = lines.list_windows(visit)
    if not windows:
        return Unserved(
            visit.id,
            "no_window",
            {"slots": [w.slot for w in visit.windows], "helps": _list_other_slots(lines, visit)},
        )
    bars = {index: problem.bars(problem.shifts[index], visit) for index in windows}
    free = [index for index in windows if bars[index] is None]
    trial = _Trial(lines, visit, windows, bars)
    if not free:
        counts = Counter(code for code in bars.values() if code is not None)
        code = max(counts, key=lambda name: counts[name])
        return Unserved(
            visit.id, code, {"shifts": len(windows), "rules": dict(counts), "helps": trial.list_helps()}
        )
    alone = _test_alone(problem, [problem.shifts[index] for index in free], visit)
    if alone is not None:
        return Unserved(visit.id, alone.code, {**alone.detail, "helps": trial.list_helps()})
    inside, breaking = trial.cheapest(gap_kept=True), trial.cheapest(gap_kept=False)
    if inside is not None:
        worth = lines.value(visit)
        detail: dict[str, object] = {"shift": inside[1], "cost_s": inside[0], "prize": worth}
        if lines.is_capped(visit):
            return Unserved(visit.id, "cap", {**detail, "cap": visit.cap, "helps": trial.list_helps()})
        return Unserved(visit.id, "not_worth" if inside[0] >= worth else "improvable", detail)
    if breaking is not None:
        return _tell_gap(lines, visit, breaking, trial.list_helps())
    return _tell_no_room(trial)


def _tell_gap(lines: Lines, visit: Visit, breaking: tuple[int, str], helps: list[Help]) -> Unserved:
    shift = lines.problem.shift_by_id[breaking[1]]
    blocking = lines.list_blocking(visit, shift.day)
    detail: dict[str, object] = {
        "shift": shift.id,
        "day": shift.day,
        "cost_s": breaking[0],
        "min_gap_days": lines.problem.site_by_id[visit.site].min_gap_days,
        "blocking": blocking,
        "blocking_days": [lines.served[other].day for other in blocking],
        "helps": helps,
    }
    return Unserved(visit.id, "gap", detail)


def _tell_no_room(trial: _Trial) -> Unserved:
    """Return the reason with what would help: a longer shift, or one more team in a slot."""
    helps = trial.list_helps()
    longer = trial.longer()
    detail: dict[str, object] = {
        "shifts": len(trial.windows),
        "longer_shift": longer[1] if longer else None,
        "longer_by_s": longer[0] if longer else None,
        "extra_team_slot": next((help_["slot"] for help_ in helps if help_["rule"] == "team"), None),
        "helps": helps,
    }
    return Unserved(trial.visit.id, "no_room", detail)


class _Trial:
    """One visit tried in the shifts of the slots it allows."""

    def __init__(
        self, lines: Lines, visit: Visit, windows: Mapping[int, Window], bars: Mapping[int, str | None]
    ) -> None:
        self.lines, self.visit, self.windows, self.bars = lines, visit, windows, bars
        problem = lines.problem
        self.blocked = {
            index: bool(lines.list_blocking(visit, problem.shifts[index].day)) for index in windows
        }
        self.offers: Offers = lines.offer(
            visit, {index: (window.open_s, window.close_s) for index, window in windows.items()}
        )
        size = len(problem.shifts)
        barred, blocked = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
        barred[[index for index, code in bars.items() if code is not None]] = True
        blocked[[index for index, near in self.blocked.items() if near]] = True
        self.barred, self.near = barred[self.offers.shift], blocked[self.offers.shift]

    def cheapest(self, *, gap_kept: bool) -> tuple[int, str] | None:
        """Return cost and shift of the cheapest place that keeps every other rule."""
        allowed = self.offers.fits & ~self.barred & (~self.near if gap_kept else True)
        return self._least(self.offers.cost_s, allowed)

    def longer(self) -> tuple[int, str] | None:
        """Return the least overtime that makes room, and its shift."""
        return self._least(self.offers.over_s, self._only_over())

    def _only_over(self) -> NDArray[np.bool_]:
        offers = self.offers
        only: NDArray[np.bool_] = (
            (offers.late_s == 0) & ~offers.tight & ~offers.full & ~self.barred & ~self.near
        )
        return only

    def _least(
        self,
        size: NDArray[np.int64],
        allowed: NDArray[np.bool_],
    ) -> tuple[int, str] | None:
        at = np.flatnonzero(allowed)
        if not len(at):
            return None
        best = at[np.lexsort((self.offers.shift[at], size[at]))[0]]
        return int(size[best]), self.lines.problem.shifts[self.offers.shift[best]].id

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
        kept = offers.fits & ~self.barred & ~self.near
        if self.lines.is_capped(visit) and (found := self._least(offers.cost_s, kept)):
            yield {"rule": "cap", "cost_s": found[0], "shift": found[1], "by": 1}
        if found := self._least(offers.cost_s, offers.fits & ~self.barred & self.near):
            day = self.lines.problem.shift_by_id[found[1]].day
            near = [abs(self.lines.served[v].day - day) for v in self.lines.list_blocking(visit, day)]
            yield {"rule": "gap", "cost_s": found[0], "shift": found[1], "gap_days": min(near)}
        for rule in sorted({code for code in self.bars.values() if code is not None}):
            own = np.zeros(len(shifts), dtype=bool)
            # A crew may be barred twice over: lifting this one rule must be enough.
            own[
                [i for i, code in self.bars.items() if code == rule and not self._barred_twice(shifts[i])]
            ] = True
            if found := self._least(offers.cost_s, offers.fits & own[offers.shift] & ~self.near):
                about = self._tell_bar(rule, found[1])
                yield {"rule": rule, "cost_s": found[0], "shift": found[1], **about}
        over = self._only_over() & (offers.over_s > 0)
        if found := self._least(offers.over_s, over):
            cost = int(offers.cost_s[over & (offers.over_s == found[0])].min())
            yield {"rule": "shift_end", "cost_s": cost, "shift": found[1], "by_s": found[0]}
        late = (
            (offers.late_s > 0)
            & (offers.over_s == 0)
            & ~offers.tight
            & ~offers.full
            & ~self.barred
            & ~self.near
        )
        if found := self._least(offers.late_s, late):
            cost = int(offers.cost_s[late & (offers.late_s == found[0])].min())
            yield {"rule": "window", "cost_s": cost, "shift": found[1], "by_s": found[0]}
        room = (
            (offers.late_s == 0)
            & (offers.over_s == 0)
            & ~offers.tight
            & offers.full
            & ~self.barred
            & ~self.near
        )
        if found := self._least(offers.cost_s, room):
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
        problem, visit = self.lines.problem, self.visit
        place = problem.site_by_id[visit.site].location
        best: tuple[int, str, int] | None = None
        for index in self.windows:
            shift = problem.shifts[index]
            depot = problem.depot_by_id[shift.depot].location
            cost = problem.leg_s(depot, place) + problem.leg_s(place, depot)
            better = (best is None or cost < best[0]) and not self.blocked[index]
            if better and _test_alone(problem, [shift], visit) is None:
                best = cost, shift.slot, shift.day
        if best is not None and visit.pin is None:
            yield {"rule": "team", "cost_s": best[0], "slot": best[1], "day": best[2]}


def _list_other_slots(lines: Lines, visit: Visit) -> list[Help]:
    """Return the cheapest shift of any slot that could serve the visit if its slot were allowed."""
    problem = lines.problem
    spans = {
        index: (shift.start_s, shift.end_s)
        for index, shift in enumerate(problem.shifts)
        if problem.bars(shift, visit) is None and not lines.list_blocking(visit, shift.day)
    }
    if lines.is_capped(visit) or not spans:
        return []
    offers = lines.offer(visit, spans)
    at = np.flatnonzero(offers.fits)
    if not len(at):
        return []
    best = at[np.lexsort((offers.shift[at], offers.cost_s[at]))[0]]
    shift = problem.shifts[offers.shift[best]]
    return [{"rule": "slot", "cost_s": int(offers.cost_s[best]), "shift": shift.id, "slot": shift.slot}]


def _test_alone(problem: Problem, shifts: Sequence[Shift], visit: Visit) -> Unserved | None:
    """Return why no shift can serve `visit` even alone, None when one can."""
    by_code: dict[str, tuple[int, str, dict[str, object]]] = {}
    place = problem.site_by_id[visit.site].location
    for shift in shifts:
        depot = problem.depot_by_id[shift.depot].location
        out, back = problem.leg_s(depot, place), problem.leg_s(place, depot)
        window = find_window(visit, shift)
        late = _measure_lateness(shift, window, visit, out_s=out, back_s=back)
        full = (shift.capacity is not None and visit.demand > shift.capacity) or shift.max_stops == 0
        detail: dict[str, object] = {"shift": shift.id}
        if late == 0 and not full:
            return None
        if late == 0:
            code, size = "over_capacity", visit.demand - (shift.capacity or 0)
            detail.update(demand=visit.demand, capacity=shift.capacity, max_stops=shift.max_stops)
        else:
            stuck = _measure_lateness(shift, window, visit, out_s=0, back_s=0)
            code, size = ("too_long", stuck) if stuck else ("too_far", late)
            detail.update(late_s=size, out_s=out, back_s=back)
        by_code[code] = min(
            by_code.get(code, (size, shift.id, detail)), (size, shift.id, detail), key=lambda x: x[:2]
        )
    for code in ("over_capacity", "too_far", "too_long"):
        if code in by_code:
            return Unserved(visit.id, code, by_code[code][2])
    raise AssertionError("unreachable: every shift was classified")


def _measure_lateness(shift: Shift, window: Window, visit: Visit, *, out_s: int, back_s: int) -> int:
    """Return by how many seconds an empty shift misses the window or its end, 0 when it keeps both."""
    begin = max(shift.start_s + out_s, window.open_s)
    return max(0, begin - window.close_s, begin + visit.service_s + back_s - shift.end_s)
