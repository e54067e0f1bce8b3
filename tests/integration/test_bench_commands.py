"""`gridpatrol bench`: a file or `generate` as the first word, words and JSON, refusals in two languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dashboard.cli import app
from planner.exchange import read_plan
from planner.instances import read_instance
from planner.verify import verify
from tests.unit.test_instances import PCVRPTW, SOLOMON, TOPTW

RUNNER = CliRunner()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with one tiny file of each format and their best known values."""
    (tmp_path / "t.txt").write_text(TOPTW, encoding="utf-8")
    (tmp_path / "T101.txt").write_text(SOLOMON, encoding="utf-8")
    (tmp_path / "tiny.vrp").write_text(PCVRPTW, encoding="utf-8")
    (tmp_path / "tiny.sol").write_text("Route #1: 2 1\nCost: 400\n", encoding="utf-8")
    (tmp_path / "best_known.csv").write_text(
        "class,instance,best_known\nTOPTW,t,35\nVRPTW-tiny,T101,30\n", encoding="utf-8"
    )
    return tmp_path


def run(*words: object, expect: int = 0) -> dict[str, Any]:
    """Run one command with --json and return its object."""
    result = RUNNER.invoke(app, ["bench", *map(str, words), "--json"])
    assert result.exit_code == expect, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


@pytest.mark.parametrize("words", [["bench"], ["bench", "solve"]])
def test_a_file_may_follow_bench_at_once(folder: Path, words: list[str]) -> None:
    result = RUNNER.invoke(
        app, [*words, str(folder / "t.txt"), "--format", "toptw", "--iterations", "200", "--json"]
    )
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer["objective"] == 35
    assert answer["best_known"] == 35 and answer["best_known_from"] == "best_known.csv"
    assert answer["gap_percent"] == 0
    assert (answer["served"], answer["customers"], answer["iterations"]) == (3, 3, 200)


def test_options_may_stand_before_the_file(folder: Path) -> None:
    answer = run("--format", "solomon", "--iterations", 200, "--teams", 2, folder / "T101.txt")
    assert (answer["kind"], answer["missing"], answer["teams"]) == ("vrptw", 0, 2)
    assert answer["best_known"] is None, "nothing is known of another number of vehicles"
    assert answer["objective"] == pytest.approx(28.1213, abs=8)


def test_the_plan_is_written_and_holds(folder: Path) -> None:
    plan_path = folder / "plan.json"
    answer = run(folder / "tiny.vrp", "--format", "vrplib", "--iterations", 200, "-o", plan_path)
    assert answer["best_known"] == 400 and answer["best_known_from"] == "tiny.sol"
    instance = read_instance(folder / "tiny.vrp", form="vrplib")
    assert verify(instance.problem, read_plan(plan_path)).holds
    assert answer["missing"] == 0


def test_words_tell_objective_gap_and_effort(folder: Path) -> None:
    result = RUNNER.invoke(app, ["bench", str(folder / "t.txt"), "--format", "toptw", "--iterations", "100"])
    assert "objective 35.0" in result.output
    assert "gap 0.0 %" in result.output
    assert "iterations 100" in result.output


def test_a_customer_left_out_leaves_no_objective(folder: Path) -> None:
    text = SOLOMON.replace("20         90", "20         21").replace("-6          8", "-60         8")
    (folder / "T101.txt").write_text(text, encoding="utf-8")
    answer = run(folder / "T101.txt", "--format", "solomon", "--iterations", 100)
    assert (answer["missing"], answer["objective"], answer["gap_percent"]) == (1, None, None)
    words = RUNNER.invoke(
        app, ["bench", str(folder / "T101.txt"), "--format", "solomon", "--iterations", "50"]
    )
    assert "must be served: 1" in words.output


def test_broken_files_are_refused_in_two_languages(folder: Path) -> None:
    (folder / "t.txt").write_text(TOPTW.replace("3.00 4.00", "x 4.00"), encoding="utf-8")
    error = run(folder / "t.txt", "--format", "toptw", expect=2)["error"]
    assert error["code"] == "problem"
    assert error["fields"]["faults"] == ["line 4: bad_number {'line': 4, 'value': 'x'}"]
    assert "第 4 行：x 不是数字" in error["zh"] and "line 4: x is not a number" in error["en"]
    missing = run(folder / "none.txt", "--format", "toptw", expect=2)["error"]
    assert "cannot be read" in missing["en"]


def test_a_place_that_cannot_be_written_is_refused_before_the_search(folder: Path) -> None:
    nowhere = folder / "none" / "plan.json"
    error = run(folder / "t.txt", "--format", "toptw", "--limit-s", 60, "-o", nowhere, expect=2)["error"]
    assert error["code"] == "output_failed" and "none" in error["en"]
    assert run("generate", "--institutions", 5, "-o", nowhere, expect=2)["error"]["code"] == "output_failed"


def test_generated_districts_repeat_and_solve(tmp_path: Path) -> None:
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    answer = run("generate", "--institutions", 20, "--seed", 4, "-o", one)
    run("generate", "--institutions", 20, "--seed", 4, "-o", two)
    assert one.read_bytes() == two.read_bytes()
    assert answer["sites"] == 20 and answer["bytes"] == one.stat().st_size
    solved = RUNNER.invoke(app, ["solve", str(one), "--iterations", "200", "--engine", "improve"])
    assert json.loads(solved.stdout)["format"] == "gridpatrol-plan/1"
    refused = run("generate", "--institutions", 0, "-o", two, expect=2)["error"]
    assert refused["code"] == "options" and "institutions" in refused["en"]


def test_help_names_both_forms() -> None:
    shown = " ".join(RUNNER.invoke(app, ["bench", "--help"]).output.split())
    assert "bench FILE --format" in shown
    assert "bench generate --institutions N" in shown
