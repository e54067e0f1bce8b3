"""Rules of crews, caps and locks: the checker sees each broken, every engine keeps it, reasons name it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from planner.plan import Plan
from planner.problem import Cap, Problem
from planner.verify import verify
from tests.rules.cases import make_plan, make_problem
from tests.rules.test_plan_rules import list_codes, plan_well, route_days


def change_shifts(problem: Problem, **by_shift: dict[str, Any]) -> Problem:
    shifts = tuple(dataclasses.replace(shift, **by_shift.get(shift.id, {})) for shift in problem.shifts)
    return dataclasses.replace(problem, shifts=shifts)


def change_visits(problem: Problem, **by_visit: dict[str, Any]) -> Problem:
    visits = tuple(dataclasses.replace(visit, **by_visit.get(visit.id, {})) for visit in problem.visits)
    return dataclasses.replace(problem, visits=visits)


def demand_certificates() -> Problem:
    """S0 has no certified crew, and V3 needs one."""
    problem = change_shifts(make_problem(), S2={"skills": ("certified",)})
    return change_visits(problem, V3={"skills": ("certified",)})


def recuse() -> Problem:
    """Somebody of S0 must not meet site B."""
    problem = change_shifts(make_problem(), S0={"members": ("p", "q")}, S2={"members": ("r",)})
    sites = tuple(dataclasses.replace(s, barred=("q",)) if s.id == "B" else s for s in problem.sites)
    return dataclasses.replace(problem, sites=sites)


def cap_enterprise() -> Problem:
    """The two visits of site A count against a cap of one."""
    problem = dataclasses.replace(make_problem(), caps=(Cap("E", 1),))
    return change_visits(problem, V1={"cap": "E"}, V2={"cap": "E"})


def pin_visit() -> Problem:
    """V3 belongs on S2."""
    return change_visits(make_problem(), V3={"pin": "S2"})


def fix_route() -> Problem:
    """S0 begins with V4, the farthest."""
    return change_shifts(make_problem(), S0={"fixed": ("V4",)})


def close_route() -> Problem:
    """S0 serves V4 and nothing else."""
    return change_shifts(make_problem(), S0={"fixed": ("V4",), "closed": True})


def rotate_crews() -> Problem:
    """The same person is on both shifts, and nobody meets a site twice."""
    problem = change_shifts(make_problem(), S0={"members": ("p", "q")}, S2={"members": ("q", "r")})
    return dataclasses.replace(problem, rotate=True)


BROKEN: list[tuple[str, Callable[[], Problem], dict[str, list[str]], dict[str, list[str]]]] = [
    ("skills", demand_certificates, {"S0": ["V1", "V3"]}, {"S2": ["V1", "V3"]}),
    ("recusal", recuse, {"S0": ["V1", "V3"]}, {"S2": ["V1", "V3"]}),
    ("cap", cap_enterprise, {"S0": ["V1", "V2"]}, {"S0": ["V1", "V3"]}),
    ("pin", pin_visit, {"S0": ["V3"]}, {"S2": ["V3"]}),
    ("fixed", fix_route, {"S0": ["V1", "V4"]}, {"S0": ["V4", "V1"]}),
    ("fixed", fix_route, {"S2": ["V1"]}, {"S0": ["V4"], "S2": ["V1"]}),
    ("closed", close_route, {"S0": ["V4", "V1"]}, {"S0": ["V4"]}),
    ("met", rotate_crews, {"S0": ["V1"], "S2": ["V2"]}, {"S0": ["V1", "V3"]}),
    ("met", rotate_crews, {"S0": ["V1", "V2"]}, {"S0": ["V2"]}),
]


@pytest.mark.parametrize(("code", "make", "broken", "kept"), BROKEN)
def test_checker_and_engines(
    code: str, make: Callable[[], Problem], broken: dict[str, list[str]], kept: dict[str, list[str]]
) -> None:
    problem = make()
    assert code in list_codes(problem, make_plan(problem, **broken))
    assert code not in list_codes(problem, make_plan(problem, **kept))
    plan = plan_well(problem)
    assert len(route_days(problem, plan)) >= 3


@pytest.mark.parametrize(
    ("code", "make"),
    [("cap", cap_enterprise), ("met", rotate_crews)],
)
def test_the_reason_names_the_rule(code: str, make: Callable[[], Problem]) -> None:
    plan = plan_well(make())
    assert [left.code for left in plan.unserved] == [code]
    helps = plan.unserved[0].detail["helps"]
    assert isinstance(helps, list) and code in [help_["rule"] for help_ in helps]


@pytest.mark.parametrize(
    ("code", "shifts", "visits"),
    [
        ("skills", {}, {"V4": {"skills": ("certified",)}}),
        ("pin", {}, {"V4": {"pin": "S2"}}),
        ("closed", {"S0": {"closed": True}}, {}),
    ],
)
def test_a_visit_barred_everywhere_says_so(
    code: str, shifts: dict[str, dict[str, Any]], visits: dict[str, dict[str, Any]]
) -> None:
    """V4 is allowed in the slot of S0 only."""
    plan = plan_well(change_visits(change_shifts(make_problem(), **shifts), **visits))
    reasons = {left.visit: left.code for left in plan.unserved}
    assert reasons["V4"] == code


def test_recusal_of_the_only_crew_says_so() -> None:
    problem = change_shifts(make_problem(), S0={"members": ("q",)}, S2={"members": ("q",)})
    sites = tuple(dataclasses.replace(site, barred=("q",)) for site in problem.sites)
    plan: Plan = plan_well(dataclasses.replace(problem, sites=sites))
    assert {left.code for left in plan.unserved} == {"recusal"} and len(plan.unserved) == 4


def test_nobody_leaves_before_the_shift_is_ready() -> None:
    problem = make_problem()
    early = make_plan(problem, S0=["V1", "V3"])
    waiting = change_shifts(problem, S0={"ready_s": 200, "fixed": ("V1",)})
    assert list_codes(waiting, early) >= {"travel_time"}
    assert list_codes(waiting, make_plan(waiting, S0=["V1", "V3"])) == set()
    route = next(route for route in plan_well(waiting).routes if route.shift == "S0")
    assert route.stops[0].leave_s == 150 and route.stops[1].arrive_s >= 300


def test_a_pinned_visit_left_out_is_warned_about() -> None:
    problem = pin_visit()
    codes = [warning.code for warning in verify(problem, make_plan(problem, S0=["V1"])).warnings]
    assert "pin_unserved" in codes


def test_a_site_seen_before_owes_no_first_visit() -> None:
    problem = make_problem(first_visit_prize=1000)
    sites = tuple(dataclasses.replace(site, seen=site.id == "A") for site in problem.sites)
    seen = dataclasses.replace(problem, sites=sites)
    empty = make_plan(problem), make_plan(seen)
    assert empty[0].objective.uncollected_prize - empty[1].objective.uncollected_prize == 1000
    assert verify(seen, empty[1]).violations == ()
