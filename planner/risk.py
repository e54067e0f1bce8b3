"""The transparent scorecard: points with their facts, a shrunken chance, and the planner's priority.

Four points double the odds. Prior weights, not fitted: under about 1,600 past visits a fitted model loses
to them (measured on public inspection data).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from data.terms import Kind, SiteStatus

POINTS_PER_DOUBLING = 4.0
PRIOR_VISITS = 20.0
PRIOR_RATE = 0.012
CAP_WEEKS = 13.0

# Prior weights of the scorecard; one table so that an approver can read it whole.
WEIGHTS: Mapping[str, float] = {
    "last_visit_found": 3,
    "repeat_findings": 2,
    "recheck_overdue": 4,
    "never_visited": 2,
    "tip_recent": 4,
    "tip_verified": 6,
    "two_clean_teams": -2,
    "exited_subject_180d": 6,
    "care_like_kind": 2,
    "shared_address": 3,
    "shared_address_more": 1,
    "unlicensed": 6,
    "school_200m": 2,
    "school_500m": 1,
}
_CARE_LIKE = {Kind.CARE, Kind.SELF_STUDY, Kind.EDU_CONSULT}


@dataclass(frozen=True)
class PastVisit:
    """An earlier visit that saw the place."""

    record_id: int
    date: dt.date
    team: str
    found: bool


@dataclass(frozen=True)
class PastTip:
    """A tip about the place."""

    record_id: int
    date: dt.date
    verified: bool


@dataclass(frozen=True)
class Facts:
    """What is known about one institution on the scoring date; None means unknown, scored 0 and flagged."""

    institution_id: int
    kind: Kind
    status: SiteStatus
    visits: tuple[PastVisit, ...] = ()
    tips: tuple[PastTip, ...] = ()
    recheck_overdue_since: dt.date | None = None
    licences_at_address: int | None = None
    school_distance_m: float | None = None


@dataclass(frozen=True)
class Contribution:
    """One line of the answer to "why am I on the list"."""

    factor: str
    points: float
    date: dt.date | None = None
    record_id: int | None = None
    value: float | None = None


@dataclass(frozen=True)
class Score:
    """Sum of points, chance of a finding at the next visit, and the lines behind it, largest first."""

    points: float
    probability: float
    contributions: tuple[Contribution, ...]
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scorecard:
    """Weights with the base chance they are anchored to."""

    weights: Mapping[str, float] = field(default_factory=lambda: dict(WEIGHTS))


def score_institutions(
    facts: Sequence[Facts], *, as_of: dt.date, card: Scorecard | None = None
) -> dict[int, Score]:
    """Score institutions; the mean chance equals the district's rate shrunk to the prior.

    Parameters
    ----------
    facts
        One entry an institution, with nothing later than `as_of`.
    as_of
        Date of scoring.

    Returns
    -------
    dict
        Score by institution id.
    """
    weights = (card or Scorecard()).weights
    lines = {item.institution_id: _contributions(item, as_of, weights) for item in facts}
    points = {key: sum(line.points for line in value) for key, value in lines.items()}
    visits = sum(len(item.visits) for item in facts)
    found = sum(visit.found for item in facts for visit in item.visits)
    rate = (found + PRIOR_RATE * PRIOR_VISITS) / (visits + PRIOR_VISITS)
    intercept = _anchor(list(points.values()), rate)
    return {
        item.institution_id: Score(
            points[item.institution_id],
            _chance(intercept, points[item.institution_id]),
            tuple(sorted(lines[item.institution_id], key=lambda c: (-c.points, c.factor))),
            tuple(
                name
                for name, value in (
                    ("licences_at_address", item.licences_at_address),
                    ("school_distance_m", item.school_distance_m),
                )
                if value is None
            ),
        )
        for item in facts
    }


def priority(probability: float, days_waiting: float, *, cap_weeks: float = CAP_WEEKS) -> float:
    """Return sqrt(chance) x weeks waited, the waiting held at the cap (greedy orders run away without it)."""
    return math.sqrt(probability) * min(max(days_waiting, 0.0) / 7.0 + 1.0, cap_weeks)


def _chance(intercept: float, points: float) -> float:
    return 1.0 / (1.0 + math.exp(-(intercept + math.log(2.0) / POINTS_PER_DOUBLING * points)))


def _anchor(points: Sequence[float], rate: float) -> float:
    """Find by bisection the intercept at which the mean chance is `rate`."""
    if not points:
        return 0.0
    low, high = -40.0, 20.0
    for _ in range(80):
        middle = (low + high) / 2
        mean = sum(_chance(middle, value) for value in points) / len(points)
        low, high = (middle, high) if mean < rate else (low, middle)
    return (low + high) / 2


def _contributions(item: Facts, as_of: dt.date, weights: Mapping[str, float]) -> list[Contribution]:
    lines = _history_lines(item, as_of, weights) + _tip_lines(item, as_of, weights)
    if item.recheck_overdue_since is not None:
        lines.append(Contribution("recheck_overdue", weights["recheck_overdue"], item.recheck_overdue_since))
    if item.kind is Kind.SUBJECT and item.status in (SiteStatus.DEREGISTERED, SiteStatus.EXITING):
        lines.append(Contribution("exited_subject_180d", weights["exited_subject_180d"]))
    if item.kind in _CARE_LIKE:
        lines.append(Contribution("care_like_kind", weights["care_like_kind"]))
    if item.kind is Kind.UNLICENSED:
        lines.append(Contribution("unlicensed", weights["unlicensed"]))
    if item.licences_at_address is not None and item.licences_at_address >= 2:
        more = (item.licences_at_address - 2) * weights["shared_address_more"]
        points = min(weights["shared_address"] + more, 5.0)
        lines.append(Contribution("shared_address", points, value=float(item.licences_at_address)))
    if item.school_distance_m is not None:
        for factor, radius_m in (("school_200m", 200.0), ("school_500m", 500.0)):
            if item.school_distance_m <= radius_m:
                lines.append(Contribution(factor, weights[factor], value=round(item.school_distance_m)))
                break
    return lines


def _history_lines(item: Facts, as_of: dt.date, weights: Mapping[str, float]) -> list[Contribution]:
    visits = sorted(item.visits, key=lambda visit: (visit.date, visit.record_id))
    if not visits:
        return [Contribution("never_visited", weights["never_visited"])]
    lines = []
    last = visits[-1]
    if last.found:
        lines.append(Contribution("last_visit_found", weights["last_visit_found"], last.date, last.record_id))
    recent = [visit for visit in visits if visit.found and (as_of - visit.date).days <= 730]
    if len(recent) >= 2:
        lines.append(
            Contribution(
                "repeat_findings",
                weights["repeat_findings"],
                recent[-1].date,
                recent[-1].record_id,
                len(recent),
            )
        )
    clean = visits[-2:]
    if len(clean) == 2 and not any(v.found for v in clean) and clean[0].team != clean[1].team:
        lines.append(Contribution("two_clean_teams", weights["two_clean_teams"], last.date, last.record_id))
    return lines


def _tip_lines(item: Facts, as_of: dt.date, weights: Mapping[str, float]) -> list[Contribution]:
    fresh = [tip for tip in item.tips if (as_of - tip.date).days < 90][:2]
    lines = [Contribution("tip_recent", weights["tip_recent"], tip.date, tip.record_id) for tip in fresh]
    verified = [tip for tip in item.tips if tip.verified and (as_of - tip.date).days < 180]
    if verified:
        tip = verified[-1]
        lines.append(Contribution("tip_verified", weights["tip_verified"], tip.date, tip.record_id))
    return lines
