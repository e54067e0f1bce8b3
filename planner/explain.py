"""True reasons why visits stay unserved, each verified by a counterfactual on the finished plan.

The question asked is always the same: could this visit be inserted into the plan as it stands, the order
of the other stops kept? Codes, in the order they are tested:

=================== ==================================================================================
``no_window``       none of the slots it allows has a shift
``too_far``         no allowed shift, even empty, has time for the way there, the visit and the way back
``over_capacity``   alone it exceeds the capacity or the stop limit of every shift with time for it
``too_long``        even without any travel its service fits no allowed shift within its window
``not_worth``       it fits, but costs at least as much travel as leaving it out
``improvable``      it fits and would pay: the plan is not finished (never in a plan of the solver)
``gap``             it fits, but only too few days from another served visit of its site
``no_room``         it fits between the stops of no allowed shift
=================== ==================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from planner.plan import Unserved
from planner.problem import Problem, Shift, Visit, Window

_NEVER_S = 10**12


@dataclass(frozen=True)
class _Line:
    """One shift's route with the earliest leaving and latest feasible arrival at each position."""

    shift: Shift
    stops: tuple[Visit, ...]
    places: list[int]
    leave_s: list[int]
    latest_s: list[int]
    load: int

    def full(self, visit: Visit) -> bool:
        """Return whether the capacity or the stop limit keeps `visit` out."""
        shift = self.shift
        return (shift.capacity is not None and self.load + visit.demand > shift.capacity) or (
            shift.max_stops is not None and len(self.stops) >= shift.max_stops
        )


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
    lines = {shift.id: _draw_line(problem, shift, sequences.get(shift.id, ())) for shift in problem.shifts}
    endless = {
        shift.id: _draw_line(problem, shift, sequences.get(shift.id, ()), endless=True)
        for shift in problem.shifts
    }
    served = {visit.id: line.shift for line in lines.values() for visit in line.stops}
    wanted = [visit.id for visit in problem.visits] if visits is None else list(visits)
    return {
        visit_id: _find_reason(problem, lines, endless, served, problem.visit_by_id[visit_id])
        for visit_id in wanted
        if visit_id not in served
    }


def _draw_line(problem: Problem, shift: Shift, visit_ids: Sequence[str], *, endless: bool = False) -> _Line:
    """Return the line of a route; `endless` lets the shift run on for ever."""
    depot = problem.depot_by_id[shift.depot].location
    stops = tuple(problem.visit_by_id[visit_id] for visit_id in visit_ids)
    places = [depot, *(problem.site_by_id[visit.site].location for visit in stops), depot]
    windows = [_find_window(visit, shift) for visit in stops]
    leave = [shift.start_s]
    for number, visit in enumerate(stops):
        step = problem.leg_s(places[number], places[number + 1])
        leave.append(max(leave[-1] + step, windows[number].open_s) + visit.service_s)
    latest = [_NEVER_S if endless else shift.end_s]
    for number in range(len(stops) - 1, -1, -1):
        step = problem.leg_s(places[number + 1], places[number + 2])
        latest.append(min(latest[-1] - step - stops[number].service_s, windows[number].close_s))
    return _Line(shift, stops, places, leave, latest[::-1], sum(visit.demand for visit in stops))


def _find_window(visit: Visit, shift: Shift) -> Window:
    return next(window for window in visit.windows if window.slot == shift.slot)


def _find_reason(
    problem: Problem,
    lines: Mapping[str, _Line],
    endless: Mapping[str, _Line],
    served: Mapping[str, Shift],
    visit: Visit,
) -> Unserved:
    shifts = [shift for window in visit.windows for shift in problem.shifts_by_slot.get(window.slot, ())]
    if not shifts:
        return Unserved(visit.id, "no_window", {"slots": [window.slot for window in visit.windows]})
    alone = _test_alone(problem, shifts, visit)
    if alone is not None:
        return alone
    inside: tuple[int, str] | None = None
    breaking: tuple[int, str] | None = None
    for shift in shifts:
        cost = _price_insertion(problem, lines[shift.id], visit)
        if cost is None:
            continue
        if _list_blocking(problem, served, visit, shift.day):
            breaking = min(breaking or (cost, shift.id), (cost, shift.id))
        else:
            inside = min(inside or (cost, shift.id), (cost, shift.id))
    if inside is not None:
        worth = _value(problem, served, visit)
        code = "not_worth" if inside[0] >= worth else "improvable"
        return Unserved(visit.id, code, {"shift": inside[1], "cost_s": inside[0], "prize": worth})
    if breaking is not None:
        return _tell_gap(problem, served, visit, breaking)
    return _tell_no_room(problem, endless, served, visit, shifts)


def _value(problem: Problem, served: Mapping[str, Shift], visit: Visit) -> int:
    """Return what serving `visit` saves, with the first-visit prize where its site is not yet seen."""
    first = not problem.site_by_id[visit.site].seen
    first = first and not any(other.id in served for other in _list_siblings(problem, visit))
    return visit.penalty + (problem.first_visit_prize if first else 0)


def _test_alone(problem: Problem, shifts: Sequence[Shift], visit: Visit) -> Unserved | None:
    """Return why no shift can serve `visit` even alone, None when one can."""
    by_code: dict[str, tuple[int, str, dict[str, object]]] = {}
    place = problem.site_by_id[visit.site].location
    for shift in shifts:
        depot = problem.depot_by_id[shift.depot].location
        out, back = problem.leg_s(depot, place), problem.leg_s(place, depot)
        window = _find_window(visit, shift)
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


def _price_insertion(problem: Problem, line: _Line, visit: Visit) -> int | None:
    """Return the least extra travel of inserting `visit`, None where it does not fit."""
    if line.full(visit):
        return None
    return min((cost for cost, _, _ in _list_insertions(problem, line, visit)), default=None)


def _list_insertions(problem: Problem, line: _Line, visit: Visit) -> Iterator[tuple[int, int, int]]:
    """Yield extra travel, position and leaving time of each insertion that keeps every time."""
    window = _find_window(visit, line.shift)
    place = problem.site_by_id[visit.site].location
    for number, left in enumerate(line.leave_s):
        if left > window.close_s:
            return
        if window.open_s + visit.service_s > line.latest_s[number]:
            continue
        before, after = line.places[number], line.places[number + 1]
        out, on = problem.leg_s(before, place), problem.leg_s(place, after)
        begin = max(left + out, window.open_s)
        done = begin + visit.service_s
        if begin <= window.close_s and done + on <= line.latest_s[number]:
            direct = problem.leg_s(before, after) if line.stops else 0
            yield out + on - direct, number, done


def _list_blocking(problem: Problem, served: Mapping[str, Shift], visit: Visit, day: int) -> list[str]:
    """Return the served visits of the same site that are too few days from `day`."""
    gap = problem.site_by_id[visit.site].min_gap_days
    return [
        other.id
        for other in _list_siblings(problem, visit)
        if other.id in served and abs(served[other.id].day - day) < gap
    ]


def _list_siblings(problem: Problem, visit: Visit) -> list[Visit]:
    return [other for other in problem.visits_by_site[visit.site] if other.id != visit.id]


def _tell_gap(
    problem: Problem, served: Mapping[str, Shift], visit: Visit, breaking: tuple[int, str]
) -> Unserved:
    shift = problem.shift_by_id[breaking[1]]
    blocking = _list_blocking(problem, served, visit, shift.day)
    detail: dict[str, object] = {
        "shift": shift.id,
        "day": shift.day,
        "cost_s": breaking[0],
        "min_gap_days": problem.site_by_id[visit.site].min_gap_days,
        "blocking": blocking,
        "blocking_days": [served[other].day for other in blocking],
    }
    return Unserved(visit.id, "gap", detail)


def _tell_no_room(
    problem: Problem,
    endless: Mapping[str, _Line],
    served: Mapping[str, Shift],
    visit: Visit,
    shifts: Sequence[Shift],
) -> Unserved:
    """Return the reason with what would help: a longer shift, or one more team in a slot."""
    longer: tuple[int, str] | None = None
    team_slot = None
    for shift in shifts:
        if _list_blocking(problem, served, visit, shift.day):
            continue
        if team_slot is None and _test_alone(problem, [shift], visit) is None:
            team_slot = shift.slot
        line = endless[shift.id]
        if not line.full(visit):
            extra = _measure_overtime(problem, line, visit)
            if extra is not None:
                longer = min(longer or (extra, shift.id), (extra, shift.id))
    detail = {
        "shifts": len(shifts),
        "longer_shift": longer[1] if longer else None,
        "longer_by_s": longer[0] if longer else None,
        "extra_team_slot": team_slot,
    }
    return Unserved(visit.id, "no_room", detail)


def _measure_overtime(problem: Problem, line: _Line, visit: Visit) -> int | None:
    """Return the least overtime of an endless line's shift with `visit` inserted, None if it never fits."""
    least = None
    for _, number, done in _list_insertions(problem, line, visit):
        clock, here = done, problem.site_by_id[visit.site].location
        for index in range(number, len(line.stops)):
            stop = line.stops[index]
            clock += problem.leg_s(here, line.places[index + 1])
            clock = max(clock, _find_window(stop, line.shift).open_s) + stop.service_s
            here = line.places[index + 1]
        extra = clock + problem.leg_s(here, line.places[-1]) - line.shift.end_s
        least = extra if least is None else min(least, extra)
    return least
