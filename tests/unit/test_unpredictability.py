"""Adversaries: each finds the habit it looks for, and gets no more than chance where there is none."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from planner.errors import EvidenceError
from planner.unpredictability import gap_cv, guess_rate, order_tau, slot_entropy

MONDAY = dt.date(2026, 9, 7)


def rows(*seen: tuple[int, int, str, str]) -> pd.DataFrame:
    """Return visits from (institution, days after Monday, slot, grid)."""
    frame = pd.DataFrame(seen, columns=["institution", "date", "slot", "grid"])
    return frame.assign(date=[MONDAY + dt.timedelta(days=int(n)) for n in frame["date"]], team="T1")


def test_a_habit_is_guessed_and_one_fourth_is_chance() -> None:
    """Always Monday evening, four cells in use: one hit where a quarter was due."""
    past = rows((1, 0, "evening", "A"), (1, 7, "evening", "A"), (2, 8, "noon", "B"), (2, 9, "noon", "B"))
    ahead = rows((1, 14, "evening", "A"), (2, 18, "noon", "B"))
    habit, gap, _ = guess_rate(ahead, past)
    # Cells in use: Monday evening, Tuesday, Wednesday and Friday noon. Place 2 leaves its habit.
    assert (habit.guesses, habit.hits, habit.chance_hits) == (2, 1, 0.5)
    assert habit.ratio == 2.0 and not habit.enough
    # Place 1 comes after seven days again, place 2 not after one: two dates ahead, half a hit each by chance.
    assert (gap.guesses, gap.hits, gap.chance_hits) == (2, 1, 1.0)


def test_a_grid_that_follows_another_is_guessed() -> None:
    """B came after A on the route; ahead it comes on the evening of A again, as two of three places do."""
    past = rows((1, 0, "evening", "A"), (2, 0, "evening", "B"), (3, 1, "evening", "C"))
    ahead = rows((1, 14, "evening", "A"), (2, 14, "evening", "B"), (3, 15, "evening", "C"))
    follow = guess_rate(ahead, past)[2]
    assert (follow.guesses, follow.hits, follow.chance_hits) == (1, 1, pytest.approx(2 / 3))


def test_chance_is_reckoned_among_the_slots_of_a_kind() -> None:
    """That kindergartens are seen in the morning is no secret."""
    past = rows((1, 0, "morning", "A"), (2, 1, "evening", "A"), (2, 3, "evening", "A"))
    past["group"] = ["kindergarten", "subject", "subject"]
    ahead = rows((1, 14, "morning", "A")).assign(group="kindergarten")
    assert guess_rate(ahead, past)[0].chance_hits == 1.0


def test_a_lottery_is_guessed_no_better_than_by_chance() -> None:
    """Three thousand draws among ten cells: every adversary stays near 1."""
    rng = np.random.default_rng(2)
    draw = [(n % 1500, int(w * 7 + rng.integers(5)), ("noon", "evening")[rng.integers(2)], f"G{n % 40}")
            for w in range(10) for n in range(w * 1500, w * 1500 + 1500)]  # fmt: skip
    table = rows(*draw)
    split = pd.to_datetime(table["date"]) >= pd.Timestamp(MONDAY + dt.timedelta(days=56))
    habit, gap, follow = guess_rate(table[split], table[~split])
    assert habit.enough and habit.ratio == pytest.approx(1.0, abs=0.2)
    assert gap.ratio < 1.3 and follow.ratio == pytest.approx(1.0, abs=0.2)


def test_nobody_without_a_past_is_guessed() -> None:
    """No history, no guess, no ratio."""
    for guess in guess_rate(rows((1, 1, "noon", "A")), rows()):
        assert guess.guesses == 0 and math.isnan(guess.ratio)
    with pytest.raises(EvidenceError, match="missing_columns"):
        guess_rate(pd.DataFrame({"institution": [1]}), rows())


def test_entropy_of_even_and_of_lopsided_slots() -> None:
    """Two cells evenly are 1; three to one is H(0.25) / log 2 = 0.8113; one cell leaves nothing to vary."""
    even = rows((1, 0, "noon", "A"), (2, 1, "noon", "A")).assign(group="even")
    lopsided = rows(*[(n, 0, "noon", "A") for n in range(3)], (9, 1, "noon", "A")).assign(group="lopsided")
    single = rows((1, 0, "noon", "A"), (2, 7, "noon", "A")).assign(group="single")
    table = slot_entropy(pd.concat([even, lopsided, single])).set_index("group")["entropy"]
    assert (table["even"], round(table["lopsided"], 4)) == (1.0, 0.8113)
    assert math.isnan(table["single"])


def test_regular_gaps_and_repeated_orders() -> None:
    """Clockwork has no variation; gaps 1 and 3 have 0.5; tau is 1, -1 and, between, (2 - 1) / 3."""
    table = rows((1, 0, "n", "A"), (1, 7, "n", "A"), (1, 14, "n", "A"),
                 (2, 0, "n", "A"), (2, 1, "n", "A"), (2, 4, "n", "A"), (3, 0, "n", "A"))  # fmt: skip
    cv = gap_cv(table)
    assert (cv[1], cv[2]) == (0.0, 0.5) and math.isnan(cv[3])
    assert order_tau(["abc", "abc", "cba", "cab"]) == pytest.approx([1.0, -1.0, 1 / 3])
    assert math.isnan(order_tau(["ab", "xy"])[0])
