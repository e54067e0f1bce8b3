"""Evidence by the commands people type, on the demo district: replay, propose, approve, plan, refit."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from dashboard.cli import app
from dashboard.commands.evidence import scorecard
from data.schema import Finding, PlanRevision, VisitRecord
from data.store import Store
from planner.replay import replay_period
from planner.risk import WEIGHTS
from tests.conftest import NOW, TODAY

RUNNER = CliRunner()
ROOT = Path(__file__).resolve().parents[2]
PERIOD = ("--from", "2026-07-26", "--to", "2026-11-22")


@pytest.fixture(scope="module")
def folder(district_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the demo district and its half year of history."""
    folder = tmp_path_factory.mktemp("evidence")
    shutil.copy(district_file, folder / "demo.db")
    return folder


def run(folder: Path, *words: object, expect: int = 0, as_json: bool = True) -> Any:
    """Run one command; return its object, or its words."""
    environment = {
        "GRIDPATROL_DATABASE": f"sqlite:///{folder / 'demo.db'}",
        "GRIDPATROL_TODAY": TODAY.isoformat(),
        "GRIDPATROL_VAR": str(folder),
    }
    result = RUNNER.invoke(app, [*map(str, words), *(["--json"] if as_json else [])], env=environment)
    assert result.exit_code == expect, result.output
    return json.loads(result.stdout) if as_json else result.output


def test_the_backtest_tells_figures_with_intervals(folder: Path) -> None:
    """Every figure of analysis sections 4 and 5, the same each time."""
    told = run(folder, "backtest", *PERIOD)
    card = told["backtest"]["card"]
    assert told["scorecard"] == 0 and told["findings"] >= card["findings"] > 20
    assert card["interval"][0] < card["days_earlier"] < card["interval"][1]
    assert card["verdict"] in {"unclear", "earlier", "later"}
    assert 0 < card["share_first_half"] < 1 and card["half_width_days"] > 0
    assert [window["last"] for window in card["windows"]] == ["2026-09-23", "2026-11-22"]
    assert {guess["adversary"] for guess in told["guess_rate"]} == {"habit", "gap", "follow"}
    assert sum(row["visits"] for row in told["burden"]["kind"]) == told["visits"]
    assert sum(row["expected"] for row in told["burden"]["area"]) == pytest.approx(told["visits"], abs=0.01)
    assert sum(row["visits"] for row in told["calibration"]) == told["reasons"]["due"]
    assert 0.01 < told["weighted_rate"] < 0.1  # nothing was drawn yet: the plain rate of due visits
    assert all(0 <= row["entropy"] <= 1 for row in told["slot_entropy"])
    assert told == run(folder, "backtest", *PERIOD)


def test_too_few_findings_are_said_in_words_and_both_languages(folder: Path) -> None:
    """Three weeks prove nothing either way."""
    words = run(folder, "backtest", "--from", "2026-11-02", "--to", "2026-11-22", as_json=False)
    assert "样本太少，不作判断" in words and "too few to tell" in words


@pytest.mark.parametrize(
    ("period", "code"),
    [
        (("--from", "2020-01-01", "--to", "2020-02-01"), "no_visits"),
        (("--from", "2026-11-22", "--to", "2026-11-01"), "bad_windows"),
        (("--from", "yesterday"), "bad_date"),
    ],
)
def test_periods_that_cannot_be_replayed(folder: Path, period: tuple[str, ...], code: str) -> None:
    """Exit code 2 and one clear line."""
    refused = run(folder, "backtest", *period, expect=2)["error"]
    assert refused["code"] == code and "{" not in refused["zh"] + refused["en"]


def test_what_is_recorded_late_is_not_known_in_the_replay(folder: Path) -> None:
    """With all findings before the window entered after it, the replay scores as if there were none."""
    store = Store(f"sqlite:///{folder / 'demo.db'}")
    first, last = dt.date(2026, 9, 24), dt.date(2026, 11, 22)
    with pytest.raises(ZeroDivisionError), store.begin(actor="t", now=NOW) as session:
        before = replay_period(session, first=first, last=last)
        for finding in session.scalars(select(Finding).where(Finding.found_on < first)):
            finding.recorded_at = NOW
        session.flush()
        late = replay_period(session, first=first, last=last)
        for visit in session.scalars(select(VisitRecord).where(VisitRecord.date < first)):
            visit.recorded_at = NOW
        session.flush()
        nothing = replay_period(session, first=first, last=last)
        raise ZeroDivisionError  # roll back
    store.close()
    spreads = [len(set(evidence.card.rows["score"].round(6))) for evidence in (before, late, nothing)]
    assert spreads[0] > spreads[1] > 1 and spreads[2] > 1
    # Without any history every place is alike but for what it is and where it stands.
    assert before.undated == before.visits == nothing.visits
    assert (before.card.rows["new_day"] != late.card.rows["new_day"]).any()


def test_a_card_is_proposed_approved_by_another_and_used_by_the_next_plan(folder: Path) -> None:
    """propose → approve → plan: the plan keeps the version; a faulty file and one's own card are refused."""
    shown = run(folder, "scorecard", "show")
    assert shown["version"] == 0 and shown["weights"] == WEIGHTS
    file = folder / "points.json"
    file.write_text(json.dumps({**shown["weights"], "unlicensed": 8}), encoding="utf-8")
    lead, boss = "zuzhang", "lingdao"
    proposed = run(folder, "scorecard", "propose", file, "--by", lead, "--note", "无证优先")
    assert proposed == {"version": 1, "author": lead}
    assert run(folder, "scorecard", "show")["version"] == 0
    assert run(folder, "scorecard", "approve", 1, "--by", lead, expect=2)["error"]["code"] == "forbidden"
    assert (
        run(folder, "scorecard", "approve", 1, "--by", "nobody", expect=2)["error"]["code"] == "unknown_user"
    )
    approved = run(folder, "scorecard", "approve", 1, "--by", boss)
    assert approved == {"version": 1, "approver": boss, "valid_from": TODAY.isoformat()}
    words = run(folder, "scorecard", "show", as_json=False)
    assert "第 1 版" in words and "无证无照线索" in words and "+8" in words
    assert run(folder, "scorecard", "show", "--version", 0)["weights"]["unlicensed"] == 6
    own = run(folder, "scorecard", "propose", file, "--by", boss)["version"]
    assert (
        run(folder, "scorecard", "approve", own, "--by", boss, expect=2)["error"]["code"] == "own_scorecard"
    )
    file.write_text(json.dumps({"hukou": 3}), encoding="utf-8")
    refused = run(folder, "scorecard", "propose", file, "--by", lead, expect=2)["error"]
    assert refused["code"] == "scorecard" and "hukou" in refused["zh"]
    file.write_text("not JSON", encoding="utf-8")
    refused = run(folder, "scorecard", "propose", file, "--by", lead, expect=2)["error"]
    assert refused["code"] == "bad_weights_file"
    planned = run(folder, "plan", "--from", "2026-11-24", "--to", "2026-11-24", "--iterations", 200)
    assert planned["scorecard"] == 1
    assert run(folder, "check", planned["plan"])["holds"]
    store = Store(f"sqlite:///{folder / 'demo.db'}")
    with store.reading() as session:
        assert session.scalars(select(PlanRevision.summary)).one()["scorecard"] == 1
    store.close()


def test_points_are_refitted_as_a_proposal_only(folder: Path) -> None:
    """Old and new side by side, no free fit with so few findings, and a file that can be proposed."""
    file = folder / "fitted.json"
    before = run(folder, "scorecard", "show")
    told = run(folder, "scorecard", "shrink", "--to", "2026-11-22", "-o", file)
    assert told["findings"] < 200 and told["free_fit"] is False
    assert all(row["free"] is None for row in told["table"])
    assert {row["factor"] for row in told["table"]} == set(WEIGHTS)
    assert run(folder, "scorecard", "show") == before
    held = run(folder, "scorecard", "shrink", "--to", "2026-11-22", "--penalty", 1e9)
    assert held["weights"] == pytest.approx(before["weights"], abs=0.05)
    assert json.loads(file.read_text(encoding="utf-8")) == told["weights"]
    assert run(folder, "scorecard", "propose", file, "--by", "zuzhang")["version"] > 0
    assert "不作自由拟合" in run(folder, "scorecard", "shrink", "--to", "2026-11-22", as_json=False)


def test_every_command_of_evidence_is_documented() -> None:
    """The reference names the backtest and each command of the scorecard."""
    text = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    names = [command.name for command in scorecard.registered_commands]
    assert "`backtest " in text and len(names) == 4
    assert [name for name in names if not re.search(rf"`scorecard [^`]*\b{name}\b", text)] == []
