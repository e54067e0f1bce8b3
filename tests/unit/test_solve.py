"""The solver as a whole: engines, workers, limits and the first plan."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner import solve as module
from planner.errors import BrokenPlanError
from planner.exchange import format_plan
from planner.generator import make_district
from planner.options import SolveOptions
from planner.plan import Objective, list_sequences, measure_objective
from planner.problem import Problem
from planner.routing import route_first
from planner.solve import solve
from planner.verify import Report, Violation, verify
from tests.rules.cases import make_problem

DISTRICT = make_district(90, seed=5, teams=1, days=14)


def test_engines_are_told_apart() -> None:
    plans = {
        engine: solve(DISTRICT, options=SolveOptions(iterations=3000, engine=engine))
        for engine in ("ortools", "improve", "auto")
    }
    assert plans["auto"].objective.total < plans["ortools"].objective.total
    assert plans["improve"].engine == {"name": "improve", "workers": 1}
    assert plans["ortools"].limit["ended_by"] == "solutions"
    bound = plans["auto"].bound
    assert bound is not None and 0 < bound <= plans["auto"].objective.total


def test_workers_share_a_pool_and_repeat() -> None:
    alone = solve(DISTRICT, options=SolveOptions(seed=4, iterations=600, engine="improve"))
    options = SolveOptions(seed=4, iterations=600, engine="improve", workers=3)
    together = solve(DISTRICT, options=options)
    assert together.objective.total <= alone.objective.total
    assert together.limit["ended_by"] == "iterations" and together.engine["workers"] == 3
    assert format_plan(together) == format_plan(solve(DISTRICT, options=options))


def test_workers_keep_a_wall_limit_too() -> None:
    plan = solve(DISTRICT, options=SolveOptions(limit_s=0.4, engine="improve", workers=2))
    assert plan.limit["ended_by"] == "limit_s" and verify(DISTRICT, plan).holds


def test_a_wall_limit_is_kept_and_recorded() -> None:
    plan = solve(DISTRICT, options=SolveOptions(limit_s=0.4))
    assert plan.limit["ended_by"] == "limit_s" and plan.limit["limit_s"] == 0.4
    done = plan.limit["iterations_done"]
    assert isinstance(done, int) and done > 100


def test_cancelling_still_gives_a_plan() -> None:
    plan = solve(DISTRICT, options=SolveOptions(iterations=10**9), cancel=lambda: True)
    assert plan.limit["ended_by"] == "cancel" and plan.routes
    assert verify(DISTRICT, plan).holds


def test_the_first_plan_is_feasible_and_repeatable() -> None:
    first = route_first(DISTRICT)
    assert first == route_first(DISTRICT)
    unserved = sum(visit.penalty for visit in DISTRICT.visits)
    assert measure_objective(DISTRICT, first).total < unserved / 2


def test_first_visits_come_first_when_paid() -> None:
    plain = solve(DISTRICT, options=SolveOptions(iterations=3000))
    paid = Problem(
        DISTRICT.travel_s,
        DISTRICT.depots,
        DISTRICT.shifts,
        DISTRICT.sites,
        DISTRICT.visits,
        first_visit_prize=50_000,
    )
    eager = solve(paid, options=SolveOptions(iterations=3000))
    covered = verify(DISTRICT, plain).measures["sites_covered"]
    assert verify(paid, eager).measures["sites_covered"] > covered


def test_a_broken_plan_is_never_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Report((Violation("window", {"visit": "V1"}),), (), {})
    monkeypatch.setattr(module, "verify", lambda problem, plan: broken)
    with pytest.raises(BrokenPlanError) as refused:
        solve(make_problem(), options=SolveOptions(iterations=1))
    assert refused.value.fields == {"violations": [{"code": "window", "visit": "V1"}]}


def test_an_empty_problem_has_an_empty_plan() -> None:
    problem = Problem(DISTRICT.travel_s, DISTRICT.depots, (), DISTRICT.sites, ())
    plan = solve(problem, options=SolveOptions(iterations=5))
    assert plan.objective == Objective(0, 0) and list_sequences(plan) == {}


@pytest.mark.parametrize("engine", ["ortools", "improve", "auto"])
def test_a_team_free_only_after_its_shift_gets_nothing(engine: str) -> None:
    late = replace(DISTRICT.shifts[0], ready_s=DISTRICT.shifts[0].end_s + 60)
    problem = replace(DISTRICT, shifts=(late, *DISTRICT.shifts[1:]))
    plan = solve(problem, options=SolveOptions(iterations=200, engine=engine))
    assert verify(problem, plan).holds
    assert late.id not in list_sequences(plan) or not list_sequences(plan)[late.id]
