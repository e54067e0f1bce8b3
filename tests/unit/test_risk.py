"""The scorecard: each factor, its edge in days or metres, and the chance it is anchored to."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from data.terms import Kind, SiteStatus
from planner.risk import (
    CAP_WEEKS,
    DUE_PRIORITY,
    PRIOR_RATE,
    PRIOR_VISITS,
    WEIGHTS,
    Exit,
    Facts,
    PastTip,
    PastVisit,
    Score,
    Scorecard,
    factor_counts,
    priority,
    score_institutions,
)

DAY = dt.date(2026, 11, 23)


def ago(days: int) -> dt.date:
    """Return the date so many days before the scoring date."""
    return DAY - dt.timedelta(days=days)


def seen(days: int, *, found: bool = False, team: str = "T1", record: int = 1) -> PastVisit:
    """Return a past visit."""
    return PastVisit(record, ago(days), team, found)


def score(kind: Kind = Kind.SUBJECT, status: SiteStatus = SiteStatus.OPEN, **facts: Any) -> Score:
    """Score one institution that was seen clean once unless said otherwise."""
    facts.setdefault("visits", (seen(10),))
    return score_institutions([Facts(1, kind, status, **facts)], as_of=DAY)[1]


@pytest.mark.parametrize(
    ("facts", "factors"),
    [
        ({}, {}),
        ({"visits": ()}, {"never_visited": 2}),
        ({"visits": (seen(9, found=True),)}, {"last_visit_found": 3}),
        ({"visits": (seen(9, found=True), seen(5, record=2))}, {}),
        ({"visits": (seen(5), seen(9, found=True, record=2))}, {}),  # order of time, not of the list
        (
            {"visits": (seen(730, found=True), seen(5, found=True, record=2))},
            {"last_visit_found": 3, "repeat_findings": 2},
        ),
        ({"visits": (seen(731, found=True), seen(5, found=True, record=2))}, {"last_visit_found": 3}),
        ({"visits": (seen(9), seen(5, team="T2"))}, {"two_clean_teams": -2}),
        ({"visits": (seen(9), seen(5))}, {}),
        ({"visits": (seen(9, found=True), seen(5, team="T2"))}, {}),
        ({"recheck_overdue_since": ago(1)}, {"recheck_overdue": 4}),
        ({"kind": Kind.CARE}, {"care_like_kind": 2}),
        ({"kind": Kind.SELF_STUDY}, {"care_like_kind": 2}),
        ({"kind": Kind.EDU_CONSULT}, {"care_like_kind": 2}),
        ({"kind": Kind.UNLICENSED}, {"unlicensed": 6}),
        ({"status": SiteStatus.EXITING}, {"exited_subject_180d": 6}),
        ({"exits": (Exit(7, ago(179)),)}, {"exited_subject_180d": 6}),
        ({"exits": (Exit(7, ago(180)), Exit(8, ago(400)))}, {"exited_subject_365d": 3}),
        ({"exits": (Exit(7, ago(365)),)}, {}),
        ({"exits": (Exit(7, ago(364)), Exit(8, leaving=True))}, {"exited_subject_180d": 6}),
        ({"exits": (Exit(7),)}, {}),  # nobody knows when: nothing is scored
        ({"scope_changed_on": ago(364)}, {"scope_changed": 4}),
        ({"scope_changed_on": ago(365)}, {}),
        ({"neighbourhood_high": True}, {"neighbourhood_high": 1}),
        ({"neighbourhood_high": False}, {}),
        (
            {"visits": (PastVisit(1, ago(9), "T1", True, recheck=True),)},
            {"last_visit_found": 3, "recheck_failed": 4},
        ),
        (
            {"visits": (PastVisit(1, ago(9), "T1", True, recheck=True),), "recheck_overdue_since": ago(2)},
            {"last_visit_found": 3, "recheck_overdue": 4},
        ),
        ({"tips": (PastTip(1, ago(5), False, open=False),)}, {}),
        ({"kind": Kind.NON_SUBJECT, "status": SiteStatus.DEREGISTERED}, {}),
        ({"licences_at_address": 1}, {}),
        ({"licences_at_address": 2}, {"shared_address": 3}),
        ({"licences_at_address": 3}, {"shared_address": 3, "shared_address_more": 1}),
        ({"licences_at_address": 9}, {"shared_address": 3, "shared_address_more": 2}),
        ({"school_distance_m": 200.0}, {"school_200m": 2}),
        ({"school_distance_m": 200.1}, {"school_500m": 1}),
        ({"school_distance_m": 500.1}, {}),
        ({"tips": (PastTip(1, ago(89), False),)}, {"tip_recent": 4}),
        ({"tips": (PastTip(1, ago(90), False),)}, {}),
        ({"tips": (PastTip(1, ago(179), True),)}, {"tip_verified": 6}),
        ({"tips": (PastTip(1, ago(180), True),)}, {}),
    ],
)
def test_each_factor_with_its_edges(facts: dict[str, Any], factors: dict[str, float]) -> None:
    """Exactly the factors wanted, each with its points; the sum is the score."""
    result = score(**facts)
    assert {line.factor: line.points for line in result.contributions} == factors
    assert result.points == sum(factors.values())
    assert set(factors) <= set(WEIGHTS)


def test_open_tips_count_at_most_twice() -> None:
    """Three fresh tips give eight points, not twelve."""
    tips = tuple(PastTip(n, ago(5), False) for n in range(3))
    assert score(tips=tips).points == 8


def test_unknown_is_flagged_and_never_imputed() -> None:
    """No address door and no school distance: no points, two flags."""
    result = score()
    everything = ("licences_at_address", "school_distance_m", "neighbourhood_high")
    assert (result.points, result.unknown) == (0, everything)
    known = {"licences_at_address": 1, "school_distance_m": 9999.0, "neighbourhood_high": False}
    assert score(**known).unknown == ()
    undated = score(**known, exits=(Exit(7),))
    assert (undated.points, undated.unknown) == (0, ("exit_date",))


def test_lines_come_largest_first_with_their_records() -> None:
    """The answer to "why am I on the list" names the visit and its date."""
    lines = score(Kind.CARE, visits=(seen(3, found=True, record=77),)).contributions
    assert [(line.factor, line.record_id, line.date) for line in lines] == [
        ("last_visit_found", 77, ago(3)),
        ("care_like_kind", None, None),
    ]


def test_the_mean_chance_is_the_shrunken_rate_and_four_points_double_the_odds() -> None:
    """Anchor and scale of the card."""
    facts = [
        Facts(1, Kind.SUBJECT, SiteStatus.OPEN, visits=(seen(1),)),
        Facts(2, Kind.SUBJECT, SiteStatus.OPEN, visits=(seen(1),), recheck_overdue_since=ago(1)),
        Facts(3, Kind.UNLICENSED, SiteStatus.OPEN, visits=(seen(1, found=True),)),
    ]
    scores = score_institutions(facts, as_of=DAY)
    mean = sum(s.probability for s in scores.values()) / 3
    assert mean == pytest.approx((1 + PRIOR_RATE * PRIOR_VISITS) / (3 + PRIOR_VISITS), abs=1e-9)
    odds = [scores[key].probability / (1 - scores[key].probability) for key in (1, 2)]
    assert odds[1] / odds[0] == pytest.approx(2.0)


def test_all_found_and_nobody_at_all() -> None:
    """A rate near one and an empty register give finite answers."""
    facts = [Facts(n, Kind.CARE, SiteStatus.OPEN, visits=(seen(1, found=True),)) for n in range(200)]
    assert 0.8 < score_institutions(facts, as_of=DAY)[0].probability < 1.0
    assert score_institutions([], as_of=DAY) == {}


def test_waiting_raises_priority_and_what_is_due_comes_first() -> None:
    """Waiting counts, a visit today is not negative, and from the cap on a place is due."""
    assert priority(0.25, -5) == priority(0.25, 0) == 0.5
    assert priority(0.25, 7) == 1.0
    assert priority(1.0, 7 * CAP_WEEKS - 1) < DUE_PRIORITY < priority(0.0001, 7 * CAP_WEEKS)
    assert priority(0.0001, 0, due=True) > DUE_PRIORITY
    assert priority(0.01, 7 * CAP_WEEKS + 7) > priority(0.01, 7 * CAP_WEEKS)
    assert priority(0.36, 7) > priority(0.25, 7)


def test_the_own_record_moves_the_rate_from_the_card_towards_what_was_found() -> None:
    """Two findings in five visits: (2 + 10 p) / (5 + 10), hand-calculated from the card's chance."""
    visits = tuple(seen(n, found=n < 3, record=n) for n in range(1, 6))
    found = score(visits=visits)
    assert found.rate == pytest.approx((2 + 10 * found.probability) / 15)


def test_counts_times_weights_are_the_points() -> None:
    """The matrix that weights are fitted on gives the card's points back."""
    tips = tuple(PastTip(n, ago(5), True) for n in range(3))
    facts = Facts(1, Kind.CARE, SiteStatus.OPEN, tips=tips, licences_at_address=7, school_distance_m=10.0)
    counts = factor_counts(facts, as_of=DAY)
    assert counts["tip_recent"] == counts["shared_address_more"] == 2
    points = sum(WEIGHTS[factor] * count for factor, count in counts.items())
    assert score_institutions([facts], as_of=DAY)[1].points == points


def test_a_card_scores_by_its_own_weights_and_ignores_what_it_does_not_name() -> None:
    """An older card without a newer factor still scores its dates."""
    facts = [Facts(1, Kind.CARE, SiteStatus.OPEN, recheck_overdue_since=ago(1))]
    old = score_institutions(facts, as_of=DAY, card=Scorecard({"never_visited": 7}, version=3))[1]
    assert [(line.factor, line.points) for line in old.contributions] == [("never_visited", 7)]
