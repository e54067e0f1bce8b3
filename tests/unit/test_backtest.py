"""The backtest: what moves, what stays, what the score may see, and when findings are too few to tell."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from planner.backtest import backtest, half_width_days, list_windows
from planner.errors import EvidenceError

FIRST = dt.date(2026, 9, 1)


def visits(found: list[int], **columns: object) -> pd.DataFrame:
    """Return one visit a day from the first of September on, each of a place of its own."""
    days = [FIRST + dt.timedelta(days=n) for n in range(len(found))]
    frame = pd.DataFrame({"institution": range(len(found)), "date": days, "found": found})
    return frame.assign(**columns)


def test_the_finding_of_the_last_day_moves_to_the_first() -> None:
    """Three days earlier than it was, one and a half than the mean of all orders; into the first half."""
    result = backtest(visits([0, 0, 0, 1]), [1, 2, 3, 4])
    assert (result.days_earlier, result.vs_random) == (3.0, 1.5)
    assert (result.share_first_half, result.share_first_half_actual) == (1.0, 0.0)
    assert result.interval == (3.0, 3.0)  # one institution drawn again is itself
    assert (result.visits, result.findings, result.verdict) == (4, 1, "too_few")


def test_a_team_keeps_its_own_days() -> None:
    """T1 works on days 0 and 1, T2 on 2 and 3: nobody is moved into another team's days."""
    table = visits([0, 1, 0, 1], team=["T1", "T1", "T2", "T2"])
    result = backtest(table, [0, 1, 2, 3], within="team")
    assert list(result.rows["new_day"] - result.rows["new_day"].min()) == [1, 0, 3, 2]
    assert result.days_earlier == 1.0
    assert result.groups[["team", "findings", "days_earlier"]].to_numpy().tolist() == [
        ["T1", 1, 1.0], ["T2", 1, 1.0],
    ]  # fmt: skip


def test_a_tie_shares_the_mean_of_its_days() -> None:
    """A score that says nothing is the mean of all orders: nothing is gained on random."""
    result = backtest(visits([1, 0, 0, 0]), [5, 5, 5, 5])
    assert (result.days_earlier, result.vs_random, result.share_first_half) == (-1.5, 0.0, 0.5)


def test_a_day_that_reaches_over_the_middle_belongs_to_the_second_half() -> None:
    """The rule of the published evaluation: days whose cumulative visits stay within half."""
    table = visits([1, 1, 1])
    table["date"] = [FIRST, FIRST + dt.timedelta(days=1), FIRST + dt.timedelta(days=1)]
    assert backtest(table, [3, 2, 1]).share_first_half == pytest.approx(1 / 3)


def test_the_score_sees_only_what_was_known_before_its_window() -> None:
    """No outcome of the window, nothing of its first day or later, nothing entered late."""
    table = visits([0, 1, 0, 1, 0, 1])
    table["known_on"] = table["date"]
    table.loc[1, "known_on"] = FIRST + dt.timedelta(days=9)
    seen: list[tuple[list[int], list[str]]] = []

    def score(known: pd.DataFrame, ahead: pd.DataFrame) -> np.ndarray:
        seen.append((list(known["institution"]), sorted(ahead.columns)))
        assert {"institution", "date", "found"} <= set(known.columns)
        return np.zeros(len(ahead))

    later = FIRST + dt.timedelta(days=3)
    result = backtest(table, score, [(later, FIRST + dt.timedelta(days=5))])
    assert seen == [([0, 2], ["date", "institution", "known_on"])]
    assert result.visits == 3


def test_windows_follow_each_other_up_to_the_last_day() -> None:
    """Whole windows only; a period that is too short is one window."""
    last = dt.date(2026, 11, 22)
    found = list_windows(dt.date(2026, 7, 1), last, days=60)
    assert found == [
        (dt.date(2026, 7, 26), dt.date(2026, 9, 23)), (dt.date(2026, 9, 24), last),
    ]  # fmt: skip
    assert list_windows(dt.date(2026, 11, 1), last) == [(dt.date(2026, 11, 1), last)]


@pytest.mark.parametrize(("findings", "days"), [(20, 11.0), (60, 6.3), (258, 3.1)])
def test_how_little_few_findings_resolve(findings: int, days: float) -> None:
    """The half-widths of the analysis; a window of half the length moves a finding half as far."""
    assert half_width_days(findings) == pytest.approx(days, abs=0.06)
    assert half_width_days(findings, window_days=30) == pytest.approx(days / 2, abs=0.06)
    assert half_width_days(0) == math.inf


def test_the_verdict_says_earlier_only_when_the_interval_leaves_zero_out() -> None:
    """Sixty places, thirty with a finding: a perfect score is earlier, its opposite later, none unclear."""
    found = [n % 2 for n in range(60)]
    table = visits(found)
    assert backtest(table, found).verdict == "earlier"
    assert backtest(table, [-y for y in found]).verdict == "later"
    assert backtest(table, [0] * 60).verdict == "unclear"
    assert backtest(table, found, enough_findings=31).verdict == "too_few"


def test_without_findings_there_is_nothing_to_measure() -> None:
    """NaN, not 0."""
    result = backtest(visits([0, 0, 0]), [1, 2, 3])
    assert math.isnan(result.days_earlier) and math.isnan(result.interval[0])
    assert (result.verdict, result.half_width_days) == ("too_few", math.inf)


def test_intervals_are_the_same_for_the_same_seed() -> None:
    """A figure that leaders read twice must not change."""
    rng = np.random.default_rng(3)
    table = visits([int(v) for v in rng.random(80) < 0.4])
    scores = rng.random(80)
    one, two = backtest(table, scores, seed=5), backtest(table, scores, seed=5)
    assert one.interval == two.interval
    assert one.interval[0] < one.days_earlier < one.interval[1]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"visits": visits([1]).drop(columns="found")}, "missing_columns"),
        ({"visits": visits([])}, "no_visits"),
        ({"score_fn": [1.0, math.nan]}, "bad_scores"),
        ({"score_fn": [1.0]}, "length_mismatch"),
        ({"score_fn": lambda known, ahead: [1.0]}, "length_mismatch"),
        ({"windows": [(FIRST, FIRST - dt.timedelta(days=1))]}, "bad_windows"),
        ({"windows": [(dt.date(2030, 1, 1), dt.date(2030, 2, 1))]}, "no_visits"),
        ({"within": "team"}, "missing_columns"),
    ],
)
def test_what_cannot_be_measured_is_refused(change: dict[str, object], code: str) -> None:
    """A code, not a wrong figure."""
    call: dict[str, object] = {"visits": visits([0, 1]), "score_fn": [1.0, 2.0], **change}
    with pytest.raises(EvidenceError) as refused:
        backtest(**call)  # type: ignore[arg-type]
    assert refused.value.code == code
