"""Laws of the evidence: what reordering may not change, bounds of measures, limits of shrinking."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.terms import Kind, SiteStatus
from planner.backtest import backtest
from planner.burden import burden
from planner.rates import capture_at, pai, pei, wilson
from planner.risk import WEIGHTS, Exit, Facts, PastTip, PastVisit, factor_counts, priority, score_institutions
from planner.unpredictability import slot_entropy
from planner.weights import shrink_weights

FIRST = dt.date(2026, 9, 1)
QUICK = settings(max_examples=60, deadline=None)


@st.composite
def past_visits(draw: st.DrawFn) -> pd.DataFrame:
    """Return visits of a few places and teams on some days, with outcomes."""
    rows = draw(
        st.lists(
            st.tuples(st.integers(0, 9), st.integers(0, 40), st.booleans(), st.sampled_from("AB")),
            min_size=1,
            max_size=40,
        )
    )
    table = pd.DataFrame(rows, columns=["institution", "day", "found", "team"])
    return table.assign(date=[FIRST + dt.timedelta(days=n) for n in table["day"]], found=table["found"] * 1)


@QUICK
@given(past_visits(), st.sampled_from([None, "team"]))
def test_the_order_that_took_place_gains_nothing(visits: pd.DataFrame, within: str | None) -> None:
    """Scores that fall with the date give every visit its own day again."""
    result = backtest(visits, -visits["day"].to_numpy(), within=within, n_boot=20)
    assert (result.rows["earlier"] == 0).all()
    if result.findings:
        assert result.days_earlier == 0
        assert result.share_first_half == result.share_first_half_actual


@QUICK
@given(past_visits(), st.integers(0, 2**32 - 1))
def test_every_team_keeps_its_days(visits: pd.DataFrame, seed: int) -> None:
    """With scores all different, the days of a team are the same days in another order."""
    scores = np.random.default_rng(seed).permutation(len(visits))
    rows = backtest(visits, scores, within="team", n_boot=20).rows
    for _, part in rows.groupby("team"):
        new = sorted((part["new_day"] - part["new_day"].min()).round())
        old = sorted(part["day"] - part["day"].min())
        assert new == old
    assert rows["first_half"].sum() == pytest.approx(rows["first_half_actual"].sum())


@QUICK
@given(past_visits(), st.lists(st.integers(0, 3), min_size=40, max_size=40))
def test_nothing_beats_knowing_and_random_is_the_mean(visits: pd.DataFrame, drawn: list[int]) -> None:
    """No score finds earlier than the outcomes themselves; ties lose or gain no days on the whole."""
    scores = np.array(drawn[: len(visits)])
    some, best = (backtest(visits, s, n_boot=20) for s in (scores, visits["found"].to_numpy()))
    assert some.rows["earlier"].sum() == pytest.approx(0, abs=1e-6)
    assert some.rows["vs_random"].sum() == pytest.approx(0, abs=1e-6)
    if some.findings:
        assert some.days_earlier <= best.days_earlier + 1e-9
        assert best.vs_random >= -1e-9


@QUICK
@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["noon", "evening"])), min_size=1, max_size=60))
def test_entropy_lies_between_nothing_and_one(seen: list[tuple[int, str]]) -> None:
    """0 to 1, and exactly 1 when every cell was used equally often."""
    table = pd.DataFrame(seen, columns=["day", "slot"]).assign(institution=1, group="g")
    table["date"] = [FIRST + dt.timedelta(days=n) for n in table["day"]]
    value = slot_entropy(table)["entropy"].iloc[0]
    assert np.isnan(value) or 0 <= value <= 1
    even = pd.concat([table.assign(date=FIRST), table.assign(date=FIRST + dt.timedelta(days=1))])
    if even["slot"].nunique() == 1:
        assert slot_entropy(even)["entropy"].iloc[0] == pytest.approx(1.0)


@QUICK
@given(st.integers(0, 500), st.integers(1, 500))
def test_wilson_holds_the_rate(found: int, visits: int) -> None:
    """The interval lies within 0 and 1 and holds what was observed."""
    found = min(found, visits)
    low, high = wilson(found, visits)
    assert 0 <= low <= found / visits + 1e-12 and found / visits - 1e-12 <= high <= 1


@QUICK
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9), st.booleans()), min_size=1, max_size=20))
def test_no_forecast_beats_the_oracle(cells: list[tuple[int, int, bool]]) -> None:
    """PEI lies between 0 and 1; selecting everything is as accurate as chance."""
    hits, size, chosen = (np.array(values) for values in zip(*cells, strict=True))
    value = pei(hits, size, chosen.astype(bool))
    assert np.isnan(value) or 0 <= value <= 1 + 1e-12
    if hits.sum():
        assert pai(hits, size, np.ones(len(hits), dtype=bool)) == pytest.approx(1.0)


@QUICK
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 3)), min_size=1, max_size=30),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_more_visits_capture_no_less(rows: list[tuple[bool, int]], one: float, two: float) -> None:
    """Capture rises with the share, from nothing to everything."""
    found, score = [y for y, _ in rows], [s for _, s in rows]
    if any(found):
        low, high = sorted((one, two))
        assert capture_at(found, score, low) <= capture_at(found, score, high) + 1e-12
        assert capture_at(found, score, 0) == 0 and capture_at(found, score, 1) == pytest.approx(1)


@QUICK
@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=60),
    st.floats(-6, 6),
    st.floats(-6, 6),
)
def test_a_strong_hold_gives_the_old_points_back(
    rows: list[tuple[bool, bool, bool]], one: float, two: float
) -> None:
    """Penalty towards infinity: new = old; at any penalty the points stay finite."""
    table = pd.DataFrame(rows, columns=["found", "a", "b"]).astype(float)
    prior = {"a": one, "b": two}
    held, _ = shrink_weights(table, prior, 1e12)
    assert [held["a"], held["b"]] == pytest.approx([one, two], abs=1e-6)
    loose, report = shrink_weights(table, prior)
    assert all(np.isfinite(value) for value in loose.values())
    assert (report.table["se"] <= 4 / np.log(2) / np.sqrt(20) + 1e-9).all()


@QUICK
@given(st.lists(st.tuples(st.integers(1, 8), st.integers(0, 9)), min_size=1, max_size=12))
def test_burden_adds_up_and_one_group_is_all(rows: list[tuple[int, int]]) -> None:
    """Expected visits of all groups are the visits; a single group has the ratio 1."""
    areas = [f"A{n % 3}" for n in range(len(rows))]
    places = pd.DataFrame({"weight": [float(weight) for weight, _ in rows], "area": areas})
    went = [n for n, (_, count) in enumerate(rows) for _ in range(count)]
    visits = pd.DataFrame({"institution": went, "found": [0] * len(went)})
    table = burden(places, visits, "area", n_boot=20)
    assert table["expected"].sum() == pytest.approx(table["visits"].sum())
    if len(visits):
        assert burden(places.assign(area="all"), visits, "area", n_boot=20)["ratio"].iloc[0] == pytest.approx(
            1
        )


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """Return any facts of one institution."""
    days = st.integers(1, 900).map(lambda n: FIRST - dt.timedelta(days=n))
    team, number = st.sampled_from("AB"), st.integers(1, 99)
    visit = st.builds(PastVisit, number, days, team, st.booleans(), st.booleans())
    visits = draw(st.lists(visit, max_size=4))
    tips = draw(st.lists(st.builds(PastTip, number, days, st.booleans(), st.booleans()), max_size=3))
    exits = draw(st.lists(st.builds(Exit, st.integers(1, 9), st.none() | days, st.booleans()), max_size=2))
    return Facts(
        draw(st.integers(1, 10**6)),
        draw(st.sampled_from(list(Kind))),
        draw(st.sampled_from(list(SiteStatus))),
        visits=tuple(visits),
        tips=tuple(tips),
        exits=tuple(exits),
        recheck_overdue_since=draw(st.none() | days),
        licences_at_address=draw(st.none() | st.integers(1, 9)),
        school_distance_m=draw(st.none() | st.floats(0, 2000)),
        scope_changed_on=draw(st.none() | days),
        neighbourhood_high=draw(st.none() | st.booleans()),
    )


@QUICK
@given(st.lists(facts(), min_size=1, max_size=8, unique_by=lambda item: item.institution_id))
def test_the_lines_explain_the_whole_score(items: list[Facts]) -> None:
    """Lines add up to the points, counts times weights too; chance, rate and order follow."""
    scores = score_institutions(items, as_of=FIRST)
    for item in items:
        score = scores[item.institution_id]
        assert score.points == pytest.approx(sum(line.points for line in score.contributions))
        counts = factor_counts(item, as_of=FIRST)
        assert score.points == pytest.approx(sum(WEIGHTS[name] * n for name, n in counts.items()))
        assert 0 < score.probability < 1 and 0 < score.rate < 1
        assert priority(score.rate, 30) <= priority(score.rate, 60)
        assert priority(score.rate, 0, due=True) > priority(1.0, 80)
