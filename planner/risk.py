"""The transparent scorecard: points with their facts, a shrunken chance, and the planner's priority.

Four points double the odds. Prior weights, not fitted: under about 1,600 past visits a fitted model loses
to them (measured on public inspection data). What is not known scores 0 and is flagged, never guessed;
neither the owner's person nor the team that goes is a factor.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from data.terms import Kind, SiteStatus

Floats = NDArray[np.float64]

POINTS_PER_DOUBLING = 4.0
PRIOR_VISITS = 20.0
PRIOR_RATE = 0.012
# Visits that the card weighs beside a place's own record; 10 was best of 4 to 20 in simulated districts.
OWN_PRIOR_VISITS = 10.0
CAP_WEEKS = 13.0
# Whatever is due outranks every risk.
DUE_PRIORITY = 1_000.0
MOST_TIPS = 2
MOST_FURTHER_LICENCES = 2

# Prior weights of the scorecard; one table so that an approver can read it whole.
WEIGHTS: Mapping[str, float] = {
    "last_visit_found": 3,
    "repeat_findings": 2,
    "recheck_overdue": 4,
    "recheck_failed": 4,
    "never_visited": 2,
    "tip_recent": 4,
    "tip_verified": 6,
    "two_clean_teams": -2,
    "exited_subject_180d": 6,
    "exited_subject_365d": 3,
    "scope_changed": 4,
    "care_like_kind": 2,
    "shared_address": 3,
    "shared_address_more": 1,
    "unlicensed": 6,
    "school_200m": 2,
    "school_500m": 1,
    "neighbourhood_high": 1,
}
CARE_LIKE = frozenset({Kind.CARE, Kind.SELF_STUDY, Kind.EDU_CONSULT})


@dataclass(frozen=True)
class PastVisit:
    """An earlier visit that saw the place."""

    record_id: int
    date: dt.date
    team: str
    found: bool
    recheck: bool = False


@dataclass(frozen=True)
class PastTip:
    """A tip about the place."""

    record_id: int
    date: dt.date
    verified: bool
    open: bool = True


@dataclass(frozen=True)
class Exit:
    """A subject body that left the market: this place itself, or one at its address or with its telephone.

    `record_id` is the body that left; `date` is None while it is leaving (`leaving`) or when it is not known.
    """

    record_id: int
    date: dt.date | None = None
    leaving: bool = False


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
    exits: tuple[Exit, ...] = ()
    scope_changed_on: dt.date | None = None
    neighbourhood_high: bool | None = None

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names of what is not known and therefore scores nothing."""
        names = ("licences_at_address", "school_distance_m", "neighbourhood_high")
        missing = [name for name in names if getattr(self, name) is None]
        if any(exit_.date is None and not exit_.leaving for exit_ in self.exits):
            missing.append("exit_date")
        return tuple(missing)


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
    """Sum of points, chance of a finding at the next visit, and the lines behind it, largest first.

    `probability` is the card's alone; `rate` is the place's own record shrunk to it (`own_rate`, the card's
    chance where none is given), for the planner's priority.
    """

    points: float
    probability: float
    contributions: tuple[Contribution, ...]
    unknown: tuple[str, ...] = ()
    own_rate: float | None = None

    @property
    def rate(self) -> float:
        """Return the chance by card and own record."""
        return self.probability if self.own_rate is None else self.own_rate


@dataclass(frozen=True)
class Scorecard:
    """Weights with the version they were approved as; version 0 is the card that is shipped."""

    weights: Mapping[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    version: int = 0


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
    card
        Weights; a factor that the card does not name scores nothing.

    Returns
    -------
    dict
        Score by institution id.
    """
    weights = (card or Scorecard()).weights
    lines = [_weigh(item, as_of, weights) for item in facts]
    points = np.array([sum(line.points for line in value) for value in lines], dtype=np.float64)
    visits = np.array([len(item.visits) for item in facts], dtype=np.float64)
    found = np.array([sum(visit.found for visit in item.visits) for item in facts], dtype=np.float64)
    rate = (found.sum() + PRIOR_RATE * PRIOR_VISITS) / (visits.sum() + PRIOR_VISITS)
    chance = _chance(_anchor(points, rate), points)
    # Beta prior at the card's chance: without it a place found again and again looks like one found once.
    own = (found + OWN_PRIOR_VISITS * chance) / (visits + OWN_PRIOR_VISITS)
    return {
        item.institution_id: Score(
            float(points[at]),
            float(chance[at]),
            tuple(sorted(lines[at], key=lambda c: (-c.points, c.factor))),
            item.unknown,
            float(own[at]),
        )
        for at, item in enumerate(facts)
    }


def priority(rate: float, days_waiting: float, *, due: bool = False, cap_weeks: float = CAP_WEEKS) -> float:
    """Return sqrt(rate) x weeks waited; what is due, or has waited `cap_weeks`, outranks all that is not.

    Greedy orders by risk alone run away: they never return to most places (measured by simulation).
    """
    weeks = max(days_waiting, 0.0) / 7.0 + 1.0
    worth = math.sqrt(rate) * weeks
    return DUE_PRIORITY + worth if due or days_waiting >= 7.0 * cap_weeks else worth


def factor_counts(item: Facts, *, as_of: dt.date) -> dict[str, float]:
    """Return how often each factor applies: the points of a card are the weighted sum of these."""
    counts: dict[str, float] = {}
    for line in _lines(item, as_of):
        counts[line.factor] = counts.get(line.factor, 0.0) + line.points
    return counts


def _chance(intercept: float, points: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-(intercept + math.log(2.0) / POINTS_PER_DOUBLING * points)))


def _anchor(points: Floats, rate: float) -> float:
    """Find by bisection the intercept at which the mean chance is `rate`."""
    if not len(points):
        return 0.0
    low, high = -40.0, 20.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _chance(middle, points).mean() < rate else (low, middle)
    return (low + high) / 2


def _weigh(item: Facts, as_of: dt.date, weights: Mapping[str, float]) -> list[Contribution]:
    lines = (
        Contribution(c.factor, c.points * weights.get(c.factor, 0.0), c.date, c.record_id, c.value)
        for c in _lines(item, as_of)
    )
    return [line for line in lines if line.points]


def _lines(item: Facts, as_of: dt.date) -> list[Contribution]:
    """Return the factors that apply, with how often in place of the points."""
    lines = _history_lines(item, as_of) + _tip_lines(item, as_of) + _exit_lines(item, as_of)
    if item.scope_changed_on is not None and (as_of - item.scope_changed_on).days < 365:
        lines.append(Contribution("scope_changed", 1, item.scope_changed_on))
    if item.kind in CARE_LIKE:
        lines.append(Contribution("care_like_kind", 1))
    if item.kind is Kind.UNLICENSED:
        lines.append(Contribution("unlicensed", 1))
    if item.licences_at_address is not None and item.licences_at_address >= 2:
        licences = float(item.licences_at_address)
        further = min(licences - 2, MOST_FURTHER_LICENCES)
        lines.append(Contribution("shared_address", 1, value=licences))
        if further:
            lines.append(Contribution("shared_address_more", further, value=licences))
    if item.school_distance_m is not None:
        for factor, radius_m in (("school_200m", 200.0), ("school_500m", 500.0)):
            if item.school_distance_m <= radius_m:
                lines.append(Contribution(factor, 1, value=round(item.school_distance_m)))
                break
    if item.neighbourhood_high:
        lines.append(Contribution("neighbourhood_high", 1))
    return lines


def _history_lines(item: Facts, as_of: dt.date) -> list[Contribution]:
    lines = []
    visits = sorted(item.visits, key=lambda visit: (visit.date, visit.record_id))
    rechecks = [visit for visit in visits if visit.recheck]
    if item.recheck_overdue_since is not None:
        lines.append(Contribution("recheck_overdue", 1, item.recheck_overdue_since))
    elif rechecks and rechecks[-1].found:
        lines.append(Contribution("recheck_failed", 1, rechecks[-1].date, rechecks[-1].record_id))
    if not visits:
        return [*lines, Contribution("never_visited", 1)]
    last = visits[-1]
    if last.found:
        lines.append(Contribution("last_visit_found", 1, last.date, last.record_id))
    recent = [visit for visit in visits if visit.found and (as_of - visit.date).days <= 730]
    if len(recent) >= 2:
        newest = recent[-1]
        lines.append(Contribution("repeat_findings", 1, newest.date, newest.record_id, len(recent)))
    clean = visits[-2:]
    if len(clean) == 2 and not any(v.found for v in clean) and clean[0].team != clean[1].team:
        lines.append(Contribution("two_clean_teams", 1, last.date, last.record_id))
    return lines


def _tip_lines(item: Facts, as_of: dt.date) -> list[Contribution]:
    fresh = [tip for tip in item.tips if tip.open and (as_of - tip.date).days < 90][:MOST_TIPS]
    lines = [Contribution("tip_recent", 1, tip.date, tip.record_id) for tip in fresh]
    verified = [tip for tip in item.tips if tip.verified and (as_of - tip.date).days < 180]
    if verified:
        tip = verified[-1]
        lines.append(Contribution("tip_verified", 1, tip.date, tip.record_id))
    return lines


def _exit_lines(item: Facts, as_of: dt.date) -> list[Contribution]:
    """Return one line for the exit that weighs most: one still under way, else the latest."""
    leaving = [exit_ for exit_ in item.exits if exit_.leaving]
    if item.kind is Kind.SUBJECT and item.status is SiteStatus.EXITING:
        return [Contribution("exited_subject_180d", 1)]
    if leaving:
        return [Contribution("exited_subject_180d", 1, leaving[0].date, leaving[0].record_id)]
    dated = [(exit_.date, exit_.record_id) for exit_ in item.exits if exit_.date is not None]
    if not dated:
        return []
    date, record_id = max(dated)
    for factor, days in (("exited_subject_180d", 180), ("exited_subject_365d", 365)):
        if (as_of - date).days < days:
            return [Contribution(factor, 1, date, record_id)]
    return []
