"""Ruin and recreate: better, repeatable, stoppable, and its books agree with plain counting."""

from __future__ import annotations

import pytest

from planner.generator import make_district
from planner.improve import Progress, fill_plan, improve
from planner.options import SearchOptions
from planner.plan import measure_objective
from tests.benchmarks.baselines import go_nearest
from tests.rules.cases import make_problem

DISTRICT = make_district(60, seed=3, teams=1, days=14)


def test_improvement_beats_nearest_neighbour_clearly() -> None:
    nearest = go_nearest(DISTRICT)
    outcome = improve(DISTRICT, {}, seed=1, iterations=4000)
    assert outcome.objective < 0.85 * measure_objective(DISTRICT, nearest).total
    better = improve(DISTRICT, nearest, seed=1, iterations=4000)
    assert better.objective < 0.85 * measure_objective(DISTRICT, nearest).total


def test_the_kernel_counts_as_the_plan_does() -> None:
    outcome = improve(DISTRICT, {}, seed=2, iterations=700)
    assert outcome.objective == measure_objective(DISTRICT, outcome.sequences).total
    assert outcome.iterations == 700 and outcome.ended_by == "iterations"


def test_a_seed_settles_the_answer() -> None:
    one, same, other = (improve(DISTRICT, {}, seed=seed, iterations=900) for seed in (7, 7, 8))
    assert one == same and one.sequences != other.sequences


def test_never_worse_than_the_start() -> None:
    start = improve(DISTRICT, {}, seed=1, iterations=3000)
    again = improve(DISTRICT, start.sequences, seed=9, iterations=50)
    assert again.objective <= start.objective


def test_progress_and_cancel() -> None:
    seen: list[Progress] = []
    outcome = improve(
        DISTRICT, {}, seed=1, iterations=10**6, progress=seen.append, cancel=lambda: len(seen) >= 3
    )
    assert outcome.ended_by == "cancel" and len(seen) == 3
    assert [item.iterations for item in seen] == [2500, 5000, 7500]
    assert seen[0].objective >= seen[2].objective >= outcome.objective


def test_the_clock_ends_it() -> None:
    ticks = iter(range(10**6))
    outcome = improve(DISTRICT, {}, seed=1, limit_s=5, clock=lambda: float(next(ticks)))
    assert outcome.ended_by == "limit_s" and 0 < outcome.iterations < 10**4


def test_filling_inserts_greedily_and_keeps_the_rules() -> None:
    # V4 allows the full S0 only; dearest first means in the order of the problem here.
    assert fill_plan(make_problem(gap=1, max_stops=2), {}, options=SearchOptions()) == {
        "S0": ("V3", "V1"),
        "S2": ("V2",),
    }


def test_a_start_that_breaks_a_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="breaks a limit"):
        improve(make_problem(end_s=300), {"S0": ["V4"]}, seed=1, iterations=1)
    with pytest.raises(ValueError, match="longer"):
        improve(make_problem(max_stops=1), {"S0": ["V1", "V3"]}, seed=1, iterations=1)
