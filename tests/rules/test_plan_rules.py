"""Every hard rule of a plan: the checker sees it broken, and the solver keeps it."""

from __future__ import annotations

import dataclasses

import pytest

from planner.options import SolveOptions
from planner.plan import Objective, Plan, Stop, Unserved
from planner.problem import Problem
from planner.solve import solve
from planner.verify import verify
from tests.rules.cases import add_stop, make_plan, make_problem, swap_stop


def list_codes(problem: Problem, plan: Plan) -> set[str]:
    return {violation.code for violation in verify(problem, plan).violations}


def plan_well(problem: Problem) -> Plan:
    """Solve, and hold every rule against the result; the three engines agree on that."""
    for engine in ("ortools", "auto", "improve"):
        plan = solve(problem, options=SolveOptions(seed=1, iterations=300, engine=engine))
        assert verify(problem, plan).violations == ()
    return plan


def route_days(problem: Problem, plan: Plan) -> dict[str, int]:
    return {stop.visit: problem.shift_by_id[route.shift].day for route in plan.routes for stop in route.stops}


def test_a_kept_plan_has_no_violation() -> None:
    problem = make_problem()
    report = verify(problem, make_plan(problem, S0=["V1", "V3", "V4"], S2=["V2"]))
    assert report.violations == () and report.warnings == ()
    assert report.measures["served"] == 4 and report.measures["travel_s"] == 800


def test_every_visit_at_most_once() -> None:
    problem = make_problem()
    assert "visited_twice" in list_codes(problem, make_plan(problem, S0=["V1"], S2=["V1"]))
    assert len(route_days(problem, plan_well(problem))) == 4


def test_only_known_shifts_and_visits() -> None:
    problem = make_problem()
    plan = make_plan(problem, S0=["V1", "V3", "V4"], S2=["V2"])
    ghost = dataclasses.replace(plan.routes[0], shift="S9")
    assert "unknown_shift" in list_codes(problem, dataclasses.replace(plan, routes=(ghost, plan.routes[1])))
    assert "unknown_visit" in list_codes(problem, swap_stop(plan, 0, 0, visit="V9"))


def test_one_route_a_shift() -> None:
    problem = make_problem()
    plan = make_plan(problem, S0=["V1"], S2=["V2"])
    twice = dataclasses.replace(
        plan, routes=(plan.routes[0], dataclasses.replace(plan.routes[1], shift="S0"))
    )
    assert "two_routes" in list_codes(problem, twice)


def test_only_allowed_slots() -> None:
    problem = make_problem()
    plan = make_plan(problem, S0=["V1"], S2=["V2"])
    assert "slot" in list_codes(problem, swap_stop(plan, 1, 0, visit="V4"))
    assert route_days(problem, plan_well(problem))["V4"] == 0


def test_service_starts_within_the_window() -> None:
    problem = make_problem(close_s=250)
    late = make_plan(problem, S0=["V1", "V2", "V3"])
    assert "window" in list_codes(problem, late)
    early = swap_stop(make_plan(problem, S0=["V1"]), 0, 0, arrive_s=50, start_s=50, leave_s=100)
    assert {"window", "travel_time"} <= list_codes(problem, early)
    starts = [stop.start_s for route in plan_well(problem).routes for stop in route.stops]
    assert starts and all(100 <= start <= 250 for start in starts)


def test_travel_takes_its_time() -> None:
    problem = make_problem()
    plan = make_plan(problem, S0=["V1", "V3"])
    assert "travel_time" in list_codes(problem, swap_stop(plan, 0, 1, arrive_s=240))
    assert "late_arrival_unexplained" in list_codes(
        problem, swap_stop(plan, 0, 1, arrive_s=260, start_s=260, leave_s=310)
    )


def test_a_shift_does_not_start_early() -> None:
    problem = make_problem()
    plan = make_plan(problem, S0=["V1"])
    assert "shift_start" in list_codes(problem, swap_stop(plan, 0, 0, arrive_s=-10))


def test_a_shift_is_back_before_its_end() -> None:
    problem = make_problem(end_s=499)
    assert "shift_end" in list_codes(problem, make_plan(problem, S0=["V3", "V1"]))
    assert list_codes(problem, make_plan(problem, S0=["V3"])) == set()
    kept = make_problem(end_s=500)
    assert list_codes(kept, make_plan(kept, S0=["V1", "V3"])) == set()
    assert plan_well(problem).unserved != ()


def test_service_takes_its_time() -> None:
    problem = make_problem()
    plan = make_plan(problem, S0=["V1"])
    assert "service_time" in list_codes(problem, swap_stop(plan, 0, 0, leave_s=149))
    assert "start_before_arrival" in list_codes(problem, swap_stop(plan, 0, 0, start_s=99, leave_s=149))


def test_waiting_is_allowed() -> None:
    problem = make_problem()
    waited = swap_stop(make_plan(problem, S0=["V1"]), 0, 0, start_s=700, leave_s=750)
    assert list_codes(problem, waited) == set()
    assert verify(problem, waited).measures["wait_s"] == 600


def test_capacity() -> None:
    problem = make_problem(capacity=1)
    assert "capacity" in list_codes(problem, make_plan(problem, S0=["V1", "V3"]))
    assert all(len(route.stops) == 1 for route in plan_well(problem).routes)


def test_stop_limit() -> None:
    problem = make_problem(max_stops=2)
    assert "max_stops" in list_codes(problem, make_plan(problem, S0=["V1", "V3", "V4"]))
    assert [len(route.stops) for route in plan_well(problem).routes] == [2, 2]


@pytest.mark.parametrize(("gap", "broken"), [(0, False), (2, False), (3, True)])
def test_gap_in_days(gap: int, broken: bool) -> None:
    problem = make_problem(gap=gap)
    plan = make_plan(problem, S0=["V1", "V3", "V4"], S2=["V2"])
    assert ("gap_days" in list_codes(problem, plan)) is broken
    assert len({"V1", "V2"} & set(route_days(problem, plan_well(problem)))) == (1 if broken else 2)


def test_gap_holds_within_a_day() -> None:
    problem = make_problem(gap=1)
    assert "gap_days" in list_codes(problem, make_plan(problem, S0=["V1", "V2"]))
    days = route_days(problem, plan_well(problem))
    assert days["V1"] != days["V2"]


def test_objective_is_counted_again() -> None:
    problem = make_problem(mandatory=True)
    plan = make_plan(problem, S0=["V3"])
    assert plan.objective == Objective(5000 + 1_000_000 + 5000 + 5000, 400)
    wrong = dataclasses.replace(plan, objective=Objective(0, 400))
    assert "objective" in list_codes(problem, wrong)
    assert "objective" in list_codes(problem, dataclasses.replace(plan, objective=Objective(1_015_000, 399)))
    assert "bound" in list_codes(problem, dataclasses.replace(plan, bound=1_015_401))


def test_unserved_are_exactly_the_others() -> None:
    problem = make_problem()
    plan = make_plan(problem, S0=["V1"])
    assert "unserved_missing" in list_codes(problem, dataclasses.replace(plan, unserved=plan.unserved[1:]))
    served = (*plan.unserved, Unserved("V1", "gap"))
    assert "unserved_but_served" in list_codes(problem, dataclasses.replace(plan, unserved=served))
    twice = (*plan.unserved, plan.unserved[0])
    assert "unserved_twice" in list_codes(problem, dataclasses.replace(plan, unserved=twice))
    unknown = (*plan.unserved, Unserved("V9", "gap"))
    assert "unserved_unknown" in list_codes(problem, dataclasses.replace(plan, unserved=unknown))


def test_mandatory_visits_come_first_and_are_warned_about() -> None:
    problem = make_problem(mandatory=True, max_stops=1)
    report = verify(problem, make_plan(problem, S0=["V3"]))
    assert [warning.code for warning in report.warnings] == ["mandatory_unserved"]
    assert report.violations == ()
    assert "V1" in route_days(problem, plan_well(problem))


def test_first_visits_outrank_travel() -> None:
    assert plan_well(dearly_reached(first_visit_prize=0)).routes == ()
    problem = dearly_reached(first_visit_prize=1000)
    assert len(route_days(problem, plan_well(problem))) == 3


def dearly_reached(*, first_visit_prize: int) -> Problem:
    """Return a problem whose visits are worth less than any trip."""
    problem = make_problem(first_visit_prize=first_visit_prize)
    cheap = tuple(dataclasses.replace(visit, prize=10) for visit in problem.visits if visit.id != "V2")
    return dataclasses.replace(problem, visits=cheap)


def test_slots_without_a_shift_are_warned_about() -> None:
    problem = make_problem()
    alone = dataclasses.replace(problem, shifts=problem.shifts[:1])
    warnings = verify(alone, make_plan(alone, S0=["V1"])).warnings
    assert [(warning.code, warning.fields) for warning in warnings] == [
        ("slots_without_shift", {"slots": ["e2"]})
    ]


def test_a_stop_after_the_route_is_seen() -> None:
    problem = make_problem()
    plan = add_stop(make_plan(problem, S0=["V1"]), 0, Stop("V3", 250, 250, 300))
    assert list_codes(problem, plan) == {"unserved_but_served", "objective"}
