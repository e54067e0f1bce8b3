"""Rates: intervals, shrinking, weighting and capture against published and hand-calculated numbers."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from planner.errors import EvidenceError
from planner.rates import capture_at, eb_rate, expected_by_team, ipw_rate, pai, pei, wilson


@pytest.mark.parametrize(
    ("found", "visits", "low", "high"),
    [
        # Newcombe 1998 (Statistics in Medicine 17:857), table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(found: int, visits: int, low: float, high: float) -> None:
    """Four decimals, as printed there."""
    ends = wilson(found, visits)
    assert (round(float(ends[0]), 4), round(float(ends[1]), 4)) == (low, high)


def test_wilson_at_the_edges() -> None:
    """Nothing found starts at exactly 0, all found ends at exactly 1, no visit has no interval."""
    low, high = wilson([0, 7, 0], [7, 7, 0])
    assert low[0] == 0 and high[1] == 1
    assert math.isnan(low[2]) and math.isnan(high[2])
    with pytest.raises(EvidenceError, match="bad_counts"):
        wilson([3], [2])


def test_rates_shrink_to_their_own_group() -> None:
    """Pooled 5/20 without groups: (0 + 5) / 30 and (5 + 5) / 30; a group of its own keeps its rate."""
    assert eb_rate([0, 5], [10, 10]) == pytest.approx([5 / 30, 10 / 30])
    assert eb_rate([0, 5, 9], [10, 10, 10], group=["a", "a", "b"])[2] == pytest.approx(0.9)
    assert np.isnan(eb_rate([0, 0], [0, 4])[0])
    assert eb_rate([], []).size == 0
    with pytest.raises(EvidenceError, match="length_mismatch"):
        eb_rate([0, 5], [10, 10], group=["a"])


def test_random_picks_stand_for_those_not_drawn() -> None:
    """(1/1 + 0/0.5 + 1/0.25) / (1 + 2 + 4) = 5/7; certain picks stand for themselves."""
    assert ipw_rate([1, 0, 1], [1, 0.5, 0.25]) == pytest.approx(5 / 7)
    assert ipw_rate([1, 0, 1, 0], [1, 1, 1, 1]) == 0.5
    assert math.isnan(ipw_rate([], []))
    for chances in ([0.0], [1.2], [math.nan]):
        with pytest.raises(EvidenceError, match="bad_probability"):
            ipw_rate([1], chances)


def test_a_team_that_finds_more_raises_what_is_expected_where_it_went() -> None:
    """T1 2 of 10, T2 0 of 10, pooled 0.1: (2 + 2) / 30 and (0 + 2) / 30."""
    history = pd.DataFrame(
        {"team": ["T1"] * 10 + ["T2"] * 10, "found": [1, 1] + [0] * 18}, index=range(5, 25)
    )
    expected = expected_by_team(history)
    assert expected.loc[5] == pytest.approx(4 / 30) and expected.loc[24] == pytest.approx(2 / 30)
    assert list(expected.index) == list(history.index)
    assert expected_by_team(history.iloc[:0]).empty


def test_capture_shares_out_ties() -> None:
    """The best quarter of four holds one of two findings; a score that says nothing captures its share."""
    assert capture_at([1, 0, 0, 1], [4, 3, 2, 1], 0.25) == 0.5
    assert capture_at([1, 0, 0, 1], [4, 3, 2, 1], 0.125) == 0.25
    assert capture_at([1, 0, 0, 1], [7, 7, 7, 7], 0.3) == pytest.approx(0.3)
    assert math.isnan(capture_at([0, 0], [1, 2], 0.5))
    with pytest.raises(EvidenceError, match="bad_share"):
        capture_at([1], [1], 1.5)


def test_accuracy_and_efficiency_of_a_forecast() -> None:
    """Half of the hits in a quarter of the size is 2, as the oracle; next door it is 0.6 of that."""
    hits, size = [5, 3, 2, 0], [1, 1, 1, 1]
    assert pai(hits, size, [0]) == 2.0 and pei(hits, size, [0]) == 1.0
    assert pai(hits, size, [False, True, False, False]) == pytest.approx(1.2)
    assert pei(hits, size, [1]) == pytest.approx(0.6)
    # With a size of 2 the oracle takes the dense cell and half of the next: 4 + 3 of 6 + 4.
    assert pei([6, 4], [2, 1], [0]) == pytest.approx(6 / (4 + 3))
    assert math.isnan(pai(hits, size, [])) and math.isnan(pei([0, 0], [1, 1], [0]))
