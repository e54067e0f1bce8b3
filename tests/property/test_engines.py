"""Whatever the problem, every engine's plan is accepted by the independent checker."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.exchange import format_plan, format_problem, parse_plan, parse_problem
from planner.options import SolveOptions
from planner.problem import Problem
from planner.solve import solve
from planner.verify import verify
from tests.property.strategies import problems


@pytest.mark.parametrize(("engine", "examples"), [("improve", 150), ("auto", 40), ("ortools", 15)])
def test_checker_accepts_every_plan(engine: str, examples: int) -> None:
    @settings(max_examples=examples, deadline=None)
    @given(problem=problems(), seed=st.integers(0, 5))
    def check(problem: Problem, seed: int) -> None:
        plan = solve(problem, options=SolveOptions(seed=seed, iterations=60, engine=engine))
        report = verify(problem, plan)
        assert report.violations == ()
        assert report.measures["served"] + len(plan.unserved) == len(problem.visits)
        assert all(left.code not in ("unexplained", "improvable") for left in plan.unserved)

    check()


@settings(max_examples=40, deadline=None)
@given(problem=problems())
def test_files_come_back_as_they_went(problem: Problem) -> None:
    text = format_problem(problem)
    again = parse_problem(text)
    assert format_problem(again) == text
    plan = solve(again, options=SolveOptions(seed=3, iterations=30, engine="improve"))
    assert parse_plan(format_plan(plan)) == plan
