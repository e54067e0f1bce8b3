"""Split problems: whatever is cut, merged and topped up keeps every rule and never gets worse."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner import split as module
from planner.cut import count_spare, cut_problem, merge_sequences, own_sites
from planner.options import SolveOptions
from planner.plan import build_plan, list_sequences, measure_objective
from planner.problem import Problem
from planner.recommend import top_up
from planner.solve import solve
from planner.verify import verify
from tests.property.strategies import problems


def test_the_checker_accepts_every_split_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SPLIT_ABOVE", 0)
    monkeypatch.setattr(module, "PART_VISITS", 3)

    @settings(max_examples=80, deadline=None)
    @given(problem=problems(max_visits=10, max_shifts=6), seed=st.integers(0, 3))
    def check(problem: Problem, seed: int) -> None:
        options = SolveOptions(seed=seed, iterations=60, engine="improve", bound=False)
        plan = solve(problem, options=options)
        assert verify(problem, plan).violations == ()
        assert all(left.code != "improvable" for left in plan.unserved)
        assert solve(problem, options=options) == plan

    check()


@settings(max_examples=80, deadline=None)
@given(problem=problems(max_visits=10, max_shifts=6), data=st.data())
def test_parts_add_up_to_the_whole(problem: Problem, data: st.DataObject) -> None:
    """The change of a part's objective is the change of the whole one, and no rule breaks on the way."""
    plan = solve(problem, options=SolveOptions(seed=1, iterations=5, engine="improve", bound=False))
    whole = list_sequences(plan)
    shifts = [shift.id for shift in problem.shifts]
    groups: list[list[str]] = [[], []]
    for shift in shifts:
        groups[data.draw(st.integers(0, 1))].append(shift)
    parts = own_sites(problem, groups, whole)
    spare = count_spare(problem, parts, whole)
    found = []
    before, gained = measure_objective(problem, whole).total, 0
    for part, free in zip(parts, spare, strict=True):
        own = cut_problem(problem, part, whole, spare=free)
        start = {shift: whole[shift] for shift in part.shifts if whole.get(shift)}
        better = list_sequences(
            solve(own, options=SolveOptions(seed=2, iterations=40, engine="improve", bound=False))
        )
        if measure_objective(own, better).total >= measure_objective(own, start).total or any(
            visit.pin and visit.id not in {v for route in better.values() for v in route}
            for visit in own.visits
        ):
            better = start
        gained += measure_objective(own, start).total - measure_objective(own, better).total
        found.append((part, better))
    merged = merge_sequences(whole, found)
    after = build_plan(problem, merged, reasons={left.visit: left for left in plan.unserved})
    assert verify(problem, after).violations == ()
    assert after.objective.total == before - gained
    assert measure_objective(problem, top_up(problem, merged)).total <= after.objective.total
