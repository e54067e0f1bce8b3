"""No reason is ever false: each claim is checked against the plan by brute force."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from planner.explain import explain
from planner.options import SolveOptions
from planner.plan import Unserved, list_sequences
from planner.problem import Problem, Shift, Visit
from planner.solve import solve
from tests.property.oracle import follow, too_near
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
    allowed = [shift for shift in problem.shifts if shift.slot in slots]
    fits = price_all(problem, routes, visit)
    inside = [(shift, cost) for shift, cost in fits if not too_near(problem, visit, shift.day, served)]
    alone = [shift for shift in allowed if follow(problem, shift, [visit]) is not None]
    first = not any(item.site == visit.site and item.id in served for item in problem.visits)
    worth = visit.prize + (1_000_000 if visit.mandatory else 0) + problem.first_visit_prize * first
    if left.code == "no_window":
        assert not allowed
    elif left.code in ("too_far", "too_long", "over_capacity"):
        assert allowed and not alone
        check_alone(problem, visit, left, allowed)
    elif left.code in ("not_worth", "improvable"):
        cheapest = min(cost for _, cost in inside)
        assert left.detail["cost_s"] == cheapest and left.detail["prize"] == worth
        assert (cheapest >= worth) is (left.code == "not_worth")
        assert (left.detail["shift"], cheapest) in [(shift.id, cost) for shift, cost in inside]
    elif left.code == "gap":
        assert fits and not inside
        day = days[str(left.detail["shift"])]
        assert left.detail["blocking"] == too_near(problem, visit, day, served) != []
        assert left.detail["cost_s"] == min(cost for _, cost in fits)
    else:
        assert left.code == "no_room"
        assert alone and not fits
        check_help(problem, routes, served, visit, left)


def check_alone(problem: Problem, visit: Visit, left: Unserved, allowed: list[Shift]) -> None:
    shift = next(shift for shift in allowed if shift.id == left.detail["shift"])
    late = left.detail.get("late_s")
    if left.code == "over_capacity":
        assert visit.demand > (shift.capacity or 0) or shift.max_stops == 0
    else:
        assert isinstance(late, int) and late > 0


def check_help(
    problem: Problem,
    routes: dict[str, tuple[str, ...]],
    served: dict[str, int],
    visit: Visit,
    left: Unserved,
) -> None:
    """Hold what is said to help against the plan: it helps, and one second less does not."""
    by_id = {item.id: item for item in problem.visits}

    def fits_longer(shift: Shift, extra_s: int) -> bool:
        order = [by_id[name] for name in routes.get(shift.id, ())]
        return any(
            follow(problem, shift, [*order[:place], visit, *order[place:]], extra_s=extra_s) is not None
            for place in range(len(order) + 1)
        )

    free = [shift for shift in problem.shifts if not too_near(problem, visit, shift.day, served)]
    extra = left.detail["longer_by_s"]
    if extra is None:
        assert not any(fits_longer(shift, 10**6) for shift in free)
    else:
        assert isinstance(extra, int)
        assert fits_longer(next(shift for shift in free if shift.id == left.detail["longer_shift"]), extra)
        assert not any(fits_longer(shift, extra - 1) for shift in free)
    helped = [shift.slot for shift in free if follow(problem, shift, [visit]) is not None]
    assert left.detail["extra_team_slot"] in (helped or [None])


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
