"""No reason is ever false: each claim is checked against the plan by brute force."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from planner.explain import explain
from planner.options import SolveOptions
from planner.plan import Unserved, build_plan, list_sequences, measure_objective
from planner.problem import Problem, Shift, Visit, Window
from planner.solve import solve
from planner.verify import verify
from tests.property.oracle import find_bars, follow, has_met, is_capped, too_near
from tests.property.strategies import problems


def price_all(problem: Problem, routes: dict[str, tuple[str, ...]], visit: Visit) -> list[tuple[Shift, int]]:
    """Return every shift with the extra travel of each position where `visit` fits, gaps aside."""
    by_id = {item.id: item for item in problem.visits}
    found = []
    for shift in problem.shifts:
        order = [by_id[name] for name in routes.get(shift.id, ())]
        before = follow(problem, shift, order)
        assert before is not None
        for place in range(len(order) + 1):
            after = follow(problem, shift, [*order[:place], visit, *order[place:]])
            if after is not None:
                found.append((shift, after - before))
    return found


def check_reason(problem: Problem, routes: dict[str, tuple[str, ...]], left: Unserved) -> None:
    visit = next(item for item in problem.visits if item.id == left.visit)
    days = {shift.id: shift.day for shift in problem.shifts}
    served = {name: days[shift] for shift, names in routes.items() for name in names}
    slots = {window.slot for window in visit.windows}
    in_slot = [shift for shift in problem.shifts if shift.slot in slots]
    allowed = [shift for shift in in_slot if not find_bars(problem, shift, visit)]
    fits = [(shift, cost) for shift, cost in price_all(problem, routes, visit) if shift in allowed]
    crews = {name: problem.shift_by_id[shift] for shift, names in routes.items() for name in names}
    far = [(shift, cost) for shift, cost in fits if not too_near(problem, visit, shift.day, served)]
    inside = [(shift, cost) for shift, cost in far if not has_met(problem, visit, shift, crews)]
    alone = [shift for shift in allowed if follow(problem, shift, [visit]) is not None]
    seen = next(site.seen for site in problem.sites if site.id == visit.site)
    first = not seen and not any(item.site == visit.site and item.id in served for item in problem.visits)
    worth = visit.prize + (1_000_000 if visit.mandatory else 0) + problem.first_visit_prize * first
    if left.code == "no_window":
        assert not in_slot
    elif left.code in ("pin", "closed", "skills", "recusal"):
        assert in_slot and not allowed
        assert any(left.code in find_bars(problem, shift, visit) for shift in in_slot)
    elif left.code in ("too_far", "too_long", "over_capacity"):
        assert allowed and not alone
        check_alone(problem, visit, left, allowed)
    elif left.code in ("not_worth", "improvable", "cap"):
        cheapest = min(cost for _, cost in inside)
        assert left.detail["cost_s"] == cheapest and left.detail["prize"] == worth
        assert is_capped(problem, visit, served) is (left.code == "cap")
        assert left.code == "cap" or (cheapest >= worth) is (left.code == "not_worth")
        assert (left.detail["shift"], cheapest) in [(shift.id, cost) for shift, cost in inside]
    elif left.code == "gap":
        assert fits and not inside
        day = days[str(left.detail["shift"])]
        assert left.detail["blocking"] == too_near(problem, visit, day, served) != []
        assert left.detail["cost_s"] == min(
            cost for shift, cost in fits if not has_met(problem, visit, shift, crews)
        )
    elif left.code == "met":
        assert far and not inside
        assert has_met(problem, visit, problem.shift_by_id[str(left.detail["shift"])], crews)
        assert left.detail["cost_s"] == min(cost for _, cost in far)
    else:
        assert left.code == "no_room"
        assert alone and not inside
        # What fits is barred twice over: too near, and somebody would meet the place again.
        assert all(
            too_near(problem, visit, shift.day, served) and has_met(problem, visit, shift, crews)
            for shift, _ in fits
        )
        check_overtime(problem, routes, served, visit, left)
    helps = left.detail.get("helps", [])
    assert isinstance(helps, list)
    for help_ in helps:
        check_help(problem, routes, visit, help_)


def check_alone(problem: Problem, visit: Visit, left: Unserved, allowed: list[Shift]) -> None:
    shift = next(shift for shift in allowed if shift.id == left.detail["shift"])
    late = left.detail.get("late_s")
    if left.code == "over_capacity":
        assert visit.demand > (shift.capacity or 0) or shift.max_stops == 0
    else:
        assert isinstance(late, int) and late > 0


def fits_longer(
    problem: Problem, routes: dict[str, tuple[str, ...]], visit: Visit, shift: Shift, extra_s: int
) -> bool:
    """Return whether `visit` fits somewhere when the shift ends later."""
    by_id = {item.id: item for item in problem.visits}
    order = [by_id[name] for name in routes.get(shift.id, ())]
    return any(
        follow(problem, shift, [*order[:place], visit, *order[place:]], extra_s=extra_s) is not None
        for place in range(len(order) + 1)
    )


def check_overtime(
    problem: Problem,
    routes: dict[str, tuple[str, ...]],
    served: dict[str, int],
    visit: Visit,
    left: Unserved,
) -> None:
    """Hold what is said to help against the plan: it helps, and one second less does not."""
    crews = {name: problem.shift_by_id[shift] for shift, names in routes.items() for name in names}
    free = [
        shift
        for shift in problem.shifts
        if not too_near(problem, visit, shift.day, served)
        and not find_bars(problem, shift, visit)
        and not has_met(problem, visit, shift, crews)
    ]
    extra = left.detail["longer_by_s"]
    if extra is None:
        assert not any(fits_longer(problem, routes, visit, shift, 10**6) for shift in free)
    else:
        assert isinstance(extra, int)
        longer = next(shift for shift in free if shift.id == left.detail["longer_shift"])
        assert fits_longer(problem, routes, visit, longer, extra)
        assert not any(fits_longer(problem, routes, visit, shift, extra - 1) for shift in free)


def relax(problem: Problem, visit: Visit, help_: dict[str, Any]) -> Problem:
    """Return the problem with the one rule relaxed that is said to help."""
    shifts, sites, visits, caps = problem.shifts, problem.sites, problem.visits, problem.caps
    rule, own = help_["rule"], visit
    if rule == "gap":
        sites = tuple(replace(s, min_gap_days=help_["gap_days"]) if s.id == visit.site else s for s in sites)
    elif rule == "cap":
        caps = tuple(replace(cap, most=cap.most + 1) if cap.id == visit.cap else cap for cap in caps)
    elif rule == "recusal":
        sites = tuple(replace(s, barred=()) if s.id == visit.site else s for s in sites)
    elif rule == "skills":
        own = replace(visit, skills=())
    elif rule == "pin":
        own = replace(visit, pin=None)
    elif rule == "window":
        slot = problem.shift_by_id[help_["shift"]].slot
        own = replace(
            visit,
            windows=tuple(
                replace(w, close_s=w.close_s + help_["by_s"]) if w.slot == slot else w for w in visit.windows
            ),
        )
    elif rule == "slot":
        shift = problem.shift_by_id[help_["shift"]]
        own = replace(visit, windows=(Window(shift.slot, shift.start_s, shift.end_s),))
    elif rule == "team":
        model = next(
            s
            for s in problem.shifts
            if (s.slot, s.day) == (help_["slot"], help_["day"])
            and follow(problem, s, [visit]) == help_["cost_s"]
        )
        members = {"id": "extra", "members": (), "skills": ("certified", "fire"), "closed": False}
        shifts = (*shifts, replace(model, **members))  # type: ignore[arg-type]
    elif rule != "met":
        changed: dict[str, Any] = {
            "shift_end": {"end_s": problem.shift_by_id[help_["shift"]].end_s + help_.get("by_s", 0)},
            "capacity": {"capacity": None, "max_stops": None},
            "closed": {"closed": False},
        }[rule]
        shifts = tuple(replace(s, **changed) if s.id == help_["shift"] else s for s in shifts)
    rotate = problem.rotate and rule != "met"
    visits = tuple(own if item.id == visit.id else item for item in visits)
    return replace(problem, shifts=shifts, sites=sites, visits=visits, caps=caps, rotate=rotate)


def check_help(
    problem: Problem, routes: dict[str, tuple[str, ...]], visit: Visit, help_: dict[str, Any]
) -> None:
    """Relax the one rule and put the visit in: the checker must then accept the plan, at the cost stated."""
    eased = relax(problem, visit, help_)
    target = help_.get("shift", "extra") if help_["rule"] != "team" else "extra"
    order = list(routes.get(target, ()))
    before = measure_objective(problem, routes).travel_s
    costs = []
    for place in range(len(order) + 1):
        tried = {**routes, target: (*order[:place], visit.id, *order[place:])}
        left = {v.id: Unserved(v.id, "x") for v in problem.visits}
        plan = build_plan(eased, tried, reasons=left)
        if verify(eased, plan).violations == ():
            costs.append(plan.objective.travel_s - before)
    assert help_["cost_s"] in costs and help_["cost_s"] == min(costs)


@settings(max_examples=150, deadline=None)
@given(problem=problems(), seed=st.integers(0, 3), iterations=st.sampled_from((0, 3, 60)))
def test_reasons_of_the_solver_are_true(problem: Problem, seed: int, iterations: int) -> None:
    plan = solve(
        problem, options=SolveOptions(seed=seed, iterations=iterations, engine="improve", bound=False)
    )
    for left in plan.unserved:
        assert left.code != "improvable"
        check_reason(problem, list_sequences(plan), left)


@settings(max_examples=100, deadline=None)
@given(problem=problems(), data=st.data())
def test_reasons_of_any_plan_are_true(problem: Problem, data: st.DataObject) -> None:
    plan = solve(problem, options=SolveOptions(seed=1, iterations=20, engine="improve", bound=False))
    routes = list_sequences(plan)
    dropped = data.draw(st.sets(st.sampled_from(sorted(routes)))) if routes else set()
    kept = {shift: visits for shift, visits in routes.items() if shift not in dropped}
    for left in explain(problem, kept).values():
        check_reason(problem, kept, left)
