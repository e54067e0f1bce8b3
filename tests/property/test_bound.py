"""No plan at all passes the bounds: every plan of small problems is listed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from planner import bound as module
from planner.bound import bound_objective, bound_problem
from planner.options import SolveOptions
from planner.problem import Problem
from planner.solve import solve
from tests.property.oracle import count_lost, list_plans
from tests.property.strategies import problems


@pytest.mark.parametrize("variables", [40_000, 3])
def test_no_plan_passes_the_bounds(monkeypatch: pytest.MonkeyPatch, variables: int) -> None:
    monkeypatch.setattr(module, "VARIABLE_LIMIT", variables)

    @settings(max_examples=80, deadline=None)
    @given(problem=problems(max_visits=4, max_shifts=3))
    def check(problem: Problem) -> None:
        check_bounds(problem)

    check()


def check_bounds(problem: Problem) -> None:
    bound = bound_problem(problem)
    assert bound.objective == bound_objective(problem)
    by_id = {visit.id: visit for visit in problem.visits}
    best = None
    for served, travel in list_plans(problem):
        total = count_lost(problem, served) + travel
        best = total if best is None else min(best, total)
        assert bound.objective <= total
        assert bound.prize >= sum(by_id[name].prize for name in served)
        assert bound.sites >= len({by_id[name].site for name in served})
    plan = solve(problem, options=SolveOptions(seed=1, iterations=200, engine="improve"))
    assert best is not None and plan.objective.total >= best
