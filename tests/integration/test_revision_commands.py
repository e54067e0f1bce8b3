"""explain, diff, recommend and repair at the command door, on files and on the register."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dashboard.cli import app
from planner.exchange import parse_plan, parse_problem, read_plan, read_problem, write_problem
from planner.generator import make_district
from planner.verify import verify

RUNNER = CliRunner()


def run(*words: object, expect: int = 0) -> str:
    result = RUNNER.invoke(app, [str(word) for word in words])
    assert result.exit_code == expect, result.output
    return result.output


def ask(*words: object) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run(*words, "--json"))
    return answer


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a solved district of sixty places, as files."""
    folder = tmp_path_factory.mktemp("files")
    problem, plan = folder / "problem.json", folder / "plan.json"
    write_problem(make_district(60, seed=2, teams=1, days=14), problem)
    run("solve", problem, "--iterations", 2000, "--engine", "improve", "-o", plan)
    return problem, plan


def test_explain_names_rule_help_and_cost(files: tuple[Path, Path]) -> None:
    problem, plan = files
    told = ask("explain", plan, "--problem", problem)
    assert told["cost"]["total"] == read_plan(plan).objective.total
    assert [left["visit"] for left in told["unserved"]] == [left.visit for left in read_plan(plan).unserved]
    first = next(left for left in told["unserved"] if left["detail"]["helps"])
    one = run("explain", plan, "--problem", problem, "--visit", first["visit"])
    assert first["visit"] in one and "→" in one and "/" in one
    served = read_plan(plan).routes[0].stops[0].visit
    assert "已排入" in run("explain", plan, "--problem", problem, "--visit", served)


def test_recommend_gives_three_ways_or_the_reason(files: tuple[Path, Path]) -> None:
    problem, plan = files
    served = read_plan(plan).routes[0].stops[0].visit
    offers = ask("recommend", plan, "--problem", problem, "--visit", served)["offers"]
    assert 1 <= len(offers) <= 3 and [o["cost_s"] for o in offers] == sorted(o["cost_s"] for o in offers)
    left = next(item.visit for item in read_plan(plan).unserved if item.code == "no_room")
    told = ask("recommend", plan, "--problem", problem, "--visit", left)
    assert told["offers"] == [] and told["reasons"][0]["code"] == "no_room"


def test_repair_writes_a_plan_of_the_changed_problem(files: tuple[Path, Path], tmp_path: Path) -> None:
    problem, plan = files
    route = read_plan(plan).routes[0]
    new, changed = tmp_path / "new.json", tmp_path / "changed.json"
    day = read_problem(problem).shift_by_id[route.shift].day
    told = ask(
        *("repair", plan, "--problem", problem, "--absent", "T1", "--date", day),
        *("-o", new, "--problem-output", changed),
    )
    assert set(told["freed"]) >= {stop.visit for stop in route.stops}
    assert verify(read_problem(changed), read_plan(new)).violations == ()
    same = ask("diff", plan, new, "--problem", problem)
    moves = [move["visit"] for name in ("moved", "dropped") for move in same[name]]
    assert set(moves) >= {stop.visit for stop in route.stops}
    printed = run("repair", plan, "--problem", problem, "--from", f"{day}T19:00", "--drop", told["freed"][-1])
    assert parse_plan(printed).engine["name"] == "repair"


@pytest.mark.parametrize(
    ("words", "zh"),
    [
        (["repair", "PLAN", "--problem", "PROBLEM"], "没有说明要改什么"),
        (["repair", "PLAN", "--problem", "PROBLEM", "--absent", "nobody"], "没有 nobody 的班次"),
        (["repair", "PLAN", "--problem", "PROBLEM", "--drop", "V-x"], "没有家次 V-x"),
        (["repair", "PLAN", "--problem", "PROBLEM", "--from", "x"], "日期无法识别"),
        (["explain", "PLAN", "--problem", "PROBLEM", "--visit", "V-x"], "没有家次 V-x"),
        (["explain", "PLAN"], "请用 --problem"),
        (["recommend", "PLAN", "--problem", "PROBLEM", "--visit", "V-x"], "没有家次 V-x"),
    ],
)
def test_what_does_not_fit_is_refused_in_both_languages(
    files: tuple[Path, Path], words: list[str], zh: str
) -> None:
    problem, plan = files
    named = {"PLAN": str(plan), "PROBLEM": str(problem)}
    output = run(*(named.get(word, word) for word in words), expect=2)
    assert zh in output and " / " in output and "Traceback" not in output


def test_a_problem_with_every_new_field_comes_back_as_it_went() -> None:
    text = json.dumps(
        {
            "format": "gridpatrol-problem/1",
            "travel_s": [[0, 5], [5, 0]],
            "depots": [{"id": "D", "location": 0}],
            "shifts": [
                {
                    "id": "S",
                    "team": "T",
                    "slot": "a",
                    "day": 0,
                    "start_s": 0,
                    "end_s": 90,
                    "depot": "D",
                    "skills": ["certified"],
                    "members": ["p", "q"],
                    "fixed": ["V"],
                    "closed": True,
                }
            ],
            "sites": [{"id": "I", "location": 1, "barred": ["r"], "seen": True}],
            "visits": [
                {
                    "id": "V",
                    "site": "I",
                    "service_s": 5,
                    "prize": 9,
                    "skills": ["certified"],
                    "cap": "E",
                    "pin": "S",
                    "windows": [{"slot": "a", "open_s": 0, "close_s": 50}],
                }
            ],
            "caps": [{"id": "E", "most": 1}],
            "rotate": True,
        }
    )
    problem = parse_problem(text)
    shift, visit = problem.shifts[0], problem.visits[0]
    assert (shift.skills, shift.members, shift.fixed, shift.closed) == (
        ("certified",),
        ("p", "q"),
        ("V",),
        True,
    )
    assert (visit.cap, visit.pin, problem.sites[0].barred, problem.rotate) == ("E", "S", ("r",), True)
