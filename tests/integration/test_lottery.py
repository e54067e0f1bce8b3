"""A draw from commitment to proof, through the commands people type, on the small demo district."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner

from dashboard.cli import app
from data import chain
from data.schema import AuditEvent, Draw, PlanRevision
from data.store import Store
from tests.shared import copied

RUNNER = CliRunner()
PERIOD = ("--from", "2026-12-07", "--to", "2026-12-13")
QUICK = ("--teams", 3, "--iterations", 400)


class Desk:
    """Runs commands on one database; the date can move on."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder / 'gridpatrol.db'}"
        self.folder = folder
        self.today = "2026-11-23"

    def run(self, *words: object, expect: int = 0) -> dict[str, Any]:
        """Run one command with --json and return its object."""
        environment = {"GRIDPATROL_DATABASE": self.url, "GRIDPATROL_VAR": str(self.folder)}
        environment["GRIDPATROL_TODAY"] = self.today
        result = RUNNER.invoke(app, [*map(str, words), "--json"], env=environment)
        assert result.exit_code == expect, result.output
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer

    def code(self, *words: object) -> str:
        """Return the code of a refusal."""
        return str(self.run(*words, expect=2)["error"]["code"])

    def store(self) -> Store:
        """Open the database."""
        return Store(self.url)


@pytest.fixture(scope="module")
def desk(small_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Return a desk with the small district and its published plan."""
    return Desk(copied(small_demo, tmp_path_factory.mktemp("lottery")))


def test_a_draw_from_its_commitment_to_its_proof(desk: Desk, tmp_path: Path) -> None:
    """Commit, plan, publish, reveal; an outsider recomputes digest and sample with SHA-256 alone."""
    made = desk.run("draw", "commit", *PERIOD, "--share", 0.2, "--round", "normal")
    draw = made["code"]
    assert (made["control_share"], made["thinning"], made["round"]) == (0.2, 0.2, "autumn_term")
    assert made["candidates"] == 75 and len(made["digest"]) == 64
    assert not {"seed", "salt"} & set(made)
    told = json.dumps(desk.run("draw", "list")["draws"])
    assert made["digest"] in told and "salt" not in told
    assert desk.code("draw", "reveal", draw) == "draw_not_due"
    before = desk.run("draw", "check", draw)
    assert before["holds"] and {w["code"] for w in before["warnings"]} == {"draw_unused", "not_revealed"}
    assert (
        desk.code("plan", "--from", "2026-12-07", "--to", "2026-12-12", "--draw", draw) == "draw_other_period"
    )

    planned = desk.run("plan", *PERIOD, *QUICK, "--draw", draw, "--seed", 99)
    assert (planned["draw"], planned["round"]) == (draw, "autumn_term")
    # One visit is two points of a plan this small, and the seed is drawn anew in every run.
    assert abs(planned["control"]["realised"] - 0.2) <= 0.02 + 1.5 / planned["served"]
    assert desk.run("show", planned["plan"])["head"]["seed"] is None
    assert desk.code("draw", "reveal", draw) == "draw_not_due"
    assert desk.run("publish", planned["plan"])["status"] == "published"

    text = tmp_path / "draw.txt"
    revealed = desk.run("draw", "reveal", draw, "-o", text)
    assert hashlib.sha256(text.read_bytes()).hexdigest() == made["digest"]
    lines = text.read_text(encoding="utf-8").splitlines()
    assert f"seed {revealed['seed']}" in lines and revealed["seed"] != 99
    with desk.store().reading() as session:
        record = session.scalar(select(PlanRevision).where(PlanRevision.code == planned["plan"]))
        assert record is not None and record.seed == revealed["seed"]
        control = json.loads(gzip.decompress(record.document))["control"]
    ranked = sorted(
        control["pool"], key=lambda key: hashlib.sha256(f"{revealed['seed']}|control|{key}".encode()).digest()
    )
    assert sorted(ranked[: len(control["drawn"])]) == sorted(control["drawn"])
    assert {key.split("-")[0] for key in control["pool"]} <= set(lines[8:])
    shown = desk.run("show", planned["plan"])
    assert shown["head"]["seed"] == revealed["seed"]
    stops = [stop for shift in shown["shifts"] for stop in shift["stops"]]
    drawn = [stop for stop in stops if stop["reason"] == "random"]
    assert len(drawn) == planned["control"]["served"]
    chance = len(control["drawn"]) / len(control["pool"])
    assert all(stop["p_select"] == pytest.approx(chance) for stop in drawn)
    assert {stop["p_select"] for stop in stops if stop["reason"] != "random"} == {1.0}

    checked = desk.run("draw", "check", draw)
    assert checked["holds"] and checked["warnings"] == []
    assert desk.run("draw", "reveal", draw)["revealed_at"] == revealed["revealed_at"]
    assert desk.code("plan", *PERIOD, *QUICK, "--draw", draw) == "draw_revealed"


def test_the_log_keeps_seed_and_salt_to_itself(desk: Desk) -> None:
    """Whoever reads the change log before the reveal learns neither."""
    made = desk.run("draw", "commit", "--from", "2027-01-04", "--to", "2027-01-10")
    store = desk.store()
    with store.reading() as session:
        record = session.scalar(select(Draw).where(Draw.code == made["code"]))
        link = session.scalar(select(AuditEvent).where(AuditEvent.entity_key == made["code"]))
        assert record is not None and link is not None and link.after is not None
        assert (link.after["seed"], link.after["salt"]) == ("***", "***")
        assert link.after["digest"] == record.digest
        assert record.salt not in json.dumps(link.after)
        assert chain.first_break(session) is None
    store.close()


def test_a_second_commitment_for_the_same_days_is_told(desk: Desk) -> None:
    """Whoever commits twice and shows the better draw is seen: the check names the other."""
    period = ("--from", "2027-02-01", "--to", "2027-02-07")
    first, second = (desk.run("draw", "commit", *period)["code"] for _ in range(2))
    warnings = {w["code"]: w for w in desk.run("draw", "check", first)["warnings"]}
    assert warnings["several_draws"]["draws"] == [second]


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({"seed": 1}, {"digest"}),
        ({"salt": "f" * 32}, {"digest"}),
        ({"control_share": 0.3}, {"digest"}),
        ({"candidates": ["I1"]}, {"digest", "candidates"}),
    ],
)
def test_what_was_changed_after_the_commitment_is_named(
    desk: Desk, changes: dict[str, Any], broken: set[str]
) -> None:
    """Exit code 1 and the broken rules."""
    code = desk.run("draw", "commit", "--from", "2027-03-01", "--to", "2027-03-07")["code"]
    store = desk.store()
    with store.engine.begin() as connection:
        connection.execute(update(Draw).where(Draw.code == code).values(**changes))
    store.close()
    report = desk.run("draw", "check", code, expect=1)
    assert {v["code"] for v in report["violations"]} == broken


def test_a_plan_that_left_its_draw_is_named(desk: Desk) -> None:
    """A plan made with its own seed and put under a draw afterwards does not pass."""
    period = ("--from", "2026-12-21", "--to", "2026-12-23")
    draw = desk.run("draw", "commit", *period)["code"]
    planned = desk.run("plan", *period, *QUICK)
    assert planned["draw"] is None
    store = desk.store()
    with store.engine.begin() as connection:
        chosen = update(PlanRevision).where(PlanRevision.code == planned["plan"])
        connection.execute(chosen.values(draw_code=draw))
    store.close()
    report = desk.run("draw", "check", draw, expect=1)
    assert {v["code"] for v in report["violations"]} == {"plan_seed", "control_sample"}


def test_a_draw_comes_before_its_period_and_is_revealed_from_its_first_day(desk: Desk) -> None:
    """Not on the day itself, and revealed then even when nothing was planned with it."""
    assert desk.code("draw", "commit", "--from", "2026-11-23", "--to", "2026-11-29") == "draw_too_late"
    assert desk.code("draw", "commit", *PERIOD, "--share", 0.6) == "options"
    assert desk.code("draw", "commit", *PERIOD, "--round", "国庆") == "outside_round"
    assert desk.code("draw", "reveal", "D1") == desk.code("draw", "check", "D1") == "unknown_draw"
    code = desk.run("draw", "commit", "--from", "2026-12-28", "--to", "2026-12-30")["code"]
    assert desk.code("draw", "reveal", code) == "draw_not_due"
    desk.today = "2026-12-28"
    try:
        assert desk.run("draw", "reveal", code)["revealed_by"].startswith("command-line:")
    finally:
        desk.today = "2026-11-23"


def test_rounds_are_listed_and_their_dates_can_be_set(desk: Desk) -> None:
    """Dates, owed and paid of this year; own dates override."""
    listed = {row["name"]: row for row in desk.run("rounds")["rounds"]}
    assert len(listed) == 9 and listed["national_day"]["first"] == "2026-10-01"
    assert 0 < listed["autumn_term"]["paid"] < listed["autumn_term"]["owed"]
    assert desk.code("rounds", "set", "normal", *PERIOD, "--source", "x") == "unknown_round"
    desk.run(
        "rounds", "set", "端午", "--from", "2026-06-18", "--to", "2026-06-22", "--source", "区教育局通知"
    )
    again = {row["name"]: row for row in desk.run("rounds", "--year", 2026)["rounds"]}
    assert again["dragon_boat"]["first"] == "2026-06-18" and again["dragon_boat"]["source"] == "区教育局通知"
    assert desk.run("rounds", "--year", 2025)["year"] == 2025
