"""Burden: visits against what risk explains, clean visits against the district's, rates with intervals."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from planner.burden import burden, calibration, team_findings
from planner.errors import EvidenceError


def test_visits_are_compared_with_the_share_of_risk() -> None:
    """East holds 3 of 4 parts of the risk and gets half of 80 visits: 40 / 60 = 0.67, west 40 / 20 = 2."""
    places = pd.DataFrame({"area": ["east", "west"], "weight": [3.0, 1.0]}, index=[1, 2])
    visits = pd.DataFrame({"institution": [1] * 40 + [2] * 40, "found": [1] * 20 + [0] * 60})
    table = burden(places, visits, "area").set_index("area")
    assert table.loc["east", ["visits", "expected", "findings"]].tolist() == [40, 60, 20]
    assert table["ratio"].tolist() == pytest.approx([40 / 60, 2.0])
    # Clean: 60 of 80 visits. East 20 of 60 x 0.75 = 45 due, west 40 of 20 x 0.75 = 15.
    assert table["clean_ratio"].tolist() == pytest.approx([20 / 45, 40 / 15])
    assert table["rate"].tolist() == [0.5, 0.0]
    assert table.loc["east", "rate_low"] == pytest.approx(0.3520, abs=1e-4)
    assert table.loc["east", "rate_high"] == pytest.approx(0.6480, abs=1e-4)
    assert table["enough"].all()


def test_intervals_come_from_institutions_and_hold_the_ratio() -> None:
    """Ten places of one kind with 0 to 9 visits: a wide interval round 1."""
    places = pd.DataFrame({"kind": ["care"] * 10, "weight": 1.0}, index=range(10))
    visits = pd.DataFrame([{"institution": n, "found": 0} for n in range(10) for _ in range(n)])
    row = burden(places, visits, "kind").iloc[0]
    assert row["ratio"] == 1.0 and row["ratio_low"] < 0.8 < 1.2 < row["ratio_high"]
    assert burden(places, visits, ["kind"], seed=1).equals(burden(places, visits, "kind", seed=1))


def test_a_group_with_few_visits_says_so_and_strangers_do_not_count() -> None:
    """Twenty-nine visits are not enough; those of unlisted places vanish."""
    places = pd.DataFrame({"area": ["a"], "weight": [1.0]}, index=[1])
    visits = pd.DataFrame({"institution": [1] * 29 + [7] * 5, "found": 0})
    row = burden(places, visits, "area").iloc[0]
    assert (row["visits"], bool(row["enough"])) == (29, False)
    empty = burden(places, visits.iloc[:0], "area").iloc[0]
    assert empty["visits"] == 0 and math.isnan(empty["ratio"])


def test_teams_are_no_league_table() -> None:
    """Under thirty visits a team shows no figure; others are shrunk to all: (6 + 4) / 60 over 0.2."""
    rows = [("T1", n < 6) for n in range(40)] + [("T2", n < 10) for n in range(40)] + [("T3", False)] * 0
    visits = pd.DataFrame([*rows, ("T9", True)], columns=["team", "found"])
    table = team_findings(visits).set_index("team")
    rate = 17 / 81
    assert table.loc["T1", "ratio"] == pytest.approx((6 + 20 * rate) / 60 / rate)
    assert table.loc["T9", ["findings", "expected", "ratio"]].isna().all()
    assert table.loc["T9", "visits"] == 1


def test_fifths_of_the_score_keep_ties_together() -> None:
    """Ten scores of two values make two bins, lowest first."""
    table = calibration([0.1] * 5 + [0.9] * 5, [0, 0, 0, 0, 1, 1, 1, 1, 0, 1])
    assert table[["low", "visits", "findings", "rate"]].to_numpy().tolist() == [
        [0.1, 5, 1, 0.2], [0.9, 5, 4, 0.8],
    ]  # fmt: skip
    assert (table["rate_low"] < table["rate"]).all() and (table["rate"] < table["rate_high"]).all()
    many = calibration(list(range(100)), [0] * 100)
    assert list(many["visits"]) == [20] * 5
    assert calibration([], []).empty


def test_faults_are_refused() -> None:
    """Missing columns, weights that are none, unequal lengths."""
    places = pd.DataFrame({"area": ["a"], "weight": [0.0]}, index=[1])
    visits = pd.DataFrame({"institution": [1], "found": [0]})
    with pytest.raises(EvidenceError, match="bad_weights"):
        burden(places, visits, "area")
    with pytest.raises(EvidenceError, match="missing_columns"):
        burden(places, visits, "kind")
    with pytest.raises(EvidenceError, match="length_mismatch"):
        calibration([1.0], [0, 1])
