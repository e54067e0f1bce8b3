"""Files come back as they went; malformed ones are refused with every fault and its path."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from planner.errors import PlanError, ProblemError
from planner.exchange import (
    format_plan,
    format_problem,
    parse_plan,
    parse_problem,
    read_plan,
    read_problem,
    write_plan,
    write_problem,
)
from planner.options import SolveOptions
from planner.solve import solve
from tests.rules.cases import make_plan, make_problem


@pytest.fixture
def content() -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(format_problem(make_problem()))
    return decoded


def list_faults(content: dict[str, Any]) -> set[tuple[str, str]]:
    with pytest.raises(ProblemError) as refused:
        parse_problem(json.dumps(content))
    return {(fault.where, fault.code) for fault in refused.value.faults}


def test_problem_comes_back(tmp_path: Path) -> None:
    problem = make_problem(gap=3, capacity=4, mandatory=True, first_visit_prize=7)
    write_problem(problem, tmp_path / "problem.json")
    again = read_problem(tmp_path / "problem.json")
    assert format_problem(again) == format_problem(problem)
    assert (again.shifts, again.visits, again.sites) == (problem.shifts, problem.visits, problem.sites)
    assert again.first_visit_prize == 7


def test_plan_comes_back(tmp_path: Path) -> None:
    plan = make_plan(make_problem(), S0=["V1", "V3"])
    write_plan(plan, tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == plan
    written = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    assert written["format"] == "gridpatrol-plan/1" and written["bound"] is None
    assert written["objective"] == {"total": 10400, "travel_s": 400, "uncollected_prize": 10000}
    assert written["routes"][0]["stops"][0] == {
        "arrive_s": 100,
        "leave_s": 150,
        "start_s": 100,
        "visit": "V1",
    }


def test_a_format_without_first_visits_is_plain(content: dict[str, Any]) -> None:
    assert sorted(content) == ["depots", "format", "shifts", "sites", "travel_s", "visits"]


def test_optional_keys_may_be_left_out(content: dict[str, Any]) -> None:
    for shift in content["shifts"]:
        del shift["capacity"], shift["max_stops"]
    for visit in content["visits"]:
        del visit["mandatory"], visit["demand"]
    del content["sites"][0]["min_gap_days"]
    content["comment"] = "unknown keys are left alone"
    problem = parse_problem(json.dumps(content))
    assert problem.shifts[0].capacity is None and problem.visits[0].demand == 0


def test_points_become_seconds_rounded_down(content: dict[str, Any]) -> None:
    content["travel_s"] = {
        "euclidean": {
            "xy_m": [[0, 0], [300, 400], [0, 1000], [1, 0]],
            "speed_m_s": 4.17,
            "circuity": 1.3,
            "fixed_s": 60,
        }
    }
    travel = parse_problem(json.dumps(content)).travel_s
    assert travel[0].tolist() == [0, int(60 + 1.3 * 500 / 4.17), int(60 + 1.3 * 1000 / 4.17), 60]
    assert (travel == travel.T).all()


def test_every_fault_is_named(content: dict[str, Any]) -> None:
    content["depots"][0]["location"] = 4
    content["shifts"][0]["end_s"] = 0
    content["shifts"][1]["depot"] = "D9"
    content["sites"][1]["id"] = "A"
    content["visits"][0]["service_s"] = -1
    content["visits"][1]["site"] = "Z"
    del content["visits"][2]["id"]
    content["visits"][3]["windows"][0]["close_s"] = 1
    content["visits"][3]["windows"].append(content["visits"][3]["windows"][0])
    assert list_faults(content) >= {
        ("depots[0].location", "unknown_location"),
        ("shifts[0].end_s", "not_after_start"),
        ("shifts[1].depot", "unknown_depot"),
        ("sites[1].id", "duplicate_id"),
        ("visits[0].service_s", "negative"),
        ("visits[1].site", "unknown_site"),
        ("visits[2].id", "missing"),
        ("visits[3].windows[0].close_s", "before_open"),
        ("visits[3].windows[1].slot", "duplicate_slot"),
    }


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"format": "gridpatrol-problem/2"}, ("format", "unknown_format")),
        ({"visits": None}, ("visits", "wrong_type")),
        ({"visits": [3]}, ("visits[0]", "wrong_type")),
        ({"first_visit_prize": -1}, ("first_visit_prize", "negative")),
        ({"first_visit_prize": True}, ("first_visit_prize", "wrong_type")),
        ({"travel_s": "far"}, ("travel_s", "wrong_type")),
        ({"travel_s": [[0, 1], [1, 0], [1, 1]]}, ("travel_s[0]", "wrong_length")),
        ({"travel_s": [[0, 1.5], [1, 0]]}, ("travel_s[0][1]", "wrong_type")),
        ({"travel_s": [[0, float("nan")], [1, 0]]}, ("travel_s[0][1]", "wrong_type")),
        ({"travel_s": [[0, True], [1, 0]]}, ("travel_s[0][1]", "wrong_type")),
        ({"travel_s": [[0, -4], [1, 0]]}, ("travel_s[0][1]", "negative")),
        ({"travel_s": [[0, 4], [1, 2]]}, ("travel_s[1][1]", "diagonal_not_zero")),
        ({"travel_s": [[0, 10**30], [1, 0]]}, ("travel_s[0][1]", "too_large")),
        (
            {"travel_s": {"euclidean": {"xy_m": [[0, 0, 0]], "speed_m_s": 0}}},
            ("travel_s.euclidean.speed_m_s", "out_of_range"),
        ),
        (
            {"travel_s": {"euclidean": {"xy_m": [[0, float("inf")]], "speed_m_s": 1}}},
            ("travel_s.euclidean.xy_m[0][1]", "not_finite"),
        ),
        (
            {"travel_s": {"euclidean": {"xy_m": [[10**400, 0]], "speed_m_s": 1}}},
            ("travel_s.euclidean.xy_m[0][0]", "not_finite"),
        ),
        (
            {"travel_s": {"euclidean": {"xy_m": [[0]], "speed_m_s": 1}}},
            ("travel_s.euclidean.xy_m[0]", "wrong_length"),
        ),
    ],
)
def test_malformed_problems_are_refused(
    content: dict[str, Any], change: dict[str, Any], fault: tuple[str, str]
) -> None:
    assert fault in list_faults(content | change)


@pytest.mark.parametrize("name", ["travel_s", "depots", "shifts", "sites", "visits"])
def test_missing_parts_are_named(content: dict[str, Any], name: str) -> None:
    del content[name]
    faults = list_faults(content)
    assert (name, "missing") in faults
    # Nothing is said about references into the part that is not there.
    assert not {code for _, code in faults} & {"unknown_location", "unknown_depot", "unknown_site"}


@pytest.mark.parametrize(
    ("text", "code"),
    [("{", "not_json"), ("[]", "wrong_type"), ("[" * 10**5, "too_deep"), ("9" * 5000, "not_json")],
)
def test_texts_that_are_no_object(text: str, code: str) -> None:
    with pytest.raises(ProblemError) as refused:
        parse_problem(text)
    assert [fault.code for fault in refused.value.faults] == [code]
    with pytest.raises(PlanError):
        parse_plan(text)


def test_files_must_be_utf8(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(ProblemError, match="not_utf8"):
        read_problem(path)
    with pytest.raises(PlanError, match="not_utf8"):
        read_plan(path)


def test_malformed_plans_are_refused() -> None:
    content = json.loads(format_plan(make_plan(make_problem(), S0=["V1"])))
    content["routes"][0]["stops"][0]["arrive_s"] = "soon"
    content["objective"]["total"] += 1
    del content["unserved"][0]["code"]
    with pytest.raises(PlanError) as refused:
        parse_plan(json.dumps(content))
    assert {(fault.where, fault.code) for fault in refused.value.faults} == {
        ("objective.total", "not_the_sum"),
        ("routes[0].stops[0].arrive_s", "wrong_type"),
        ("unserved[0].code", "missing"),
    }


@pytest.mark.parametrize("engine", ["auto", "improve", "ortools"])
def test_same_inputs_give_the_same_bytes(engine: str) -> None:
    problem = make_problem(gap=2, max_stops=2)
    options = SolveOptions(seed=5, iterations=500, engine=engine)
    assert format_plan(solve(problem, options=options)) == format_plan(solve(problem, options=options))
