"""What is on file about each institution, and from when each fact was known; facts as of any date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from data.terms import Kind, SiteStatus
from planner.rates import PRIOR_VISITS, expected_by_team
from planner.risk import CARE_LIKE, Exit, Facts, PastTip, PastVisit

Word = TypeVar("Word")
# Fewer findings in the whole district say nothing of any neighbourhood.
ENOUGH_FOR_NEIGHBOURHOOD = 15
TOP_QUARTER = 0.75


@dataclass(frozen=True)
class KnownVisit:
    """A visit that saw the place; it counts from `since` on, a finding on it from `found_since` on."""

    record_id: int
    date: dt.date
    team: str
    recheck: bool
    since: dt.date
    found_since: dt.date | None = None


@dataclass(frozen=True)
class KnownTip:
    """A tip; each date is the one from which that was known, None for never."""

    record_id: int
    date: dt.date
    since: dt.date
    verified_since: dt.date | None = None
    unfounded_since: dt.date | None = None
    closed_since: dt.date | None = None


@dataclass(frozen=True)
class KnownOrder:
    """A recheck's date, from when it was known, and from when the finding was closed."""

    due: dt.date
    since: dt.date
    closed_since: dt.date | None = None


@dataclass(frozen=True)
class Change(Generic[Word]):
    """A change of kind or status on a date."""

    date: dt.date
    before: Word
    after: Word


@dataclass(frozen=True)
class Dossier:
    """One institution's file; kind and status are those of today, the changes lead back to the past.

    `relatives` are positions, in the same sequence, of subject bodies at this address or with this telephone.
    """

    institution_id: int
    kind: Kind
    status: SiteStatus
    visits: tuple[KnownVisit, ...] = ()
    tips: tuple[KnownTip, ...] = ()
    orders: tuple[KnownOrder, ...] = ()
    kinds: tuple[Change[Kind], ...] = ()
    statuses: tuple[Change[SiteStatus], ...] = ()
    relatives: tuple[int, ...] = ()
    licences_at_address: int | None = None
    school_distance_m: float | None = None


def facts_on(
    dossiers: Sequence[Dossier], day: dt.date, *, near: csr_matrix | None = None, replay: bool = False
) -> tuple[Facts, ...]:
    """Return what was known about each institution before `day`, in the order given.

    Parameters
    ----------
    near
        0/1 matrix of which institutions are neighbours, without themselves; None when nobody knows.
    replay
        Take kind and status as they were on that day, too; otherwise as the register has them now.
    """
    visits = [_visits_before(item, day) for item in dossiers]
    high = high_neighbourhoods(visits, near)
    kinds = [_word_on(item.kind, item.kinds, day, replay) for item in dossiers]
    statuses = [_word_on(item.status, item.statuses, day, replay) for item in dossiers]
    exits = [
        _exit_of(item, kind, status, day)
        for item, kind, status in zip(dossiers, kinds, statuses, strict=True)
    ]
    return tuple(
        Facts(
            institution_id=item.institution_id,
            kind=kinds[at],
            status=statuses[at],
            visits=visits[at],
            tips=tuple(tip for known in item.tips if (tip := _tip_before(known, day)) is not None),
            recheck_overdue_since=_overdue_since(item.orders, day),
            licences_at_address=item.licences_at_address,
            school_distance_m=item.school_distance_m,
            exits=tuple(found for one in item.relatives if (found := exits[one]) is not None),
            scope_changed_on=_scope_changed(item, day),
            neighbourhood_high=high[at],
        )
        for at, item in enumerate(dossiers)
    )


def _visits_before(item: Dossier, day: dt.date) -> tuple[PastVisit, ...]:
    return tuple(
        PastVisit(
            v.record_id, v.date, v.team, v.found_since is not None and v.found_since < day, recheck=v.recheck
        )
        for v in item.visits
        if v.since < day
    )


def _tip_before(tip: KnownTip, day: dt.date) -> PastTip | None:
    if tip.since >= day or _before(tip.unfounded_since, day):
        return None
    return PastTip(
        tip.record_id, tip.date, _before(tip.verified_since, day), open=not _before(tip.closed_since, day)
    )


def _before(since: dt.date | None, day: dt.date) -> bool:
    return since is not None and since < day


def _overdue_since(orders: Sequence[KnownOrder], day: dt.date) -> dt.date | None:
    due = [o.due for o in orders if o.since < day and o.due < day and not _before(o.closed_since, day)]
    return min(due, default=None)


def _word_on(now: Word, changes: Sequence[Change[Word]], day: dt.date, replay: bool) -> Word:
    if replay:
        for change in changes:
            if change.date >= day:
                return change.before
    return now


def _exit_of(item: Dossier, kind: Kind, status: SiteStatus, day: dt.date) -> Exit | None:
    """Return how this place left subject tutoring, None when it did not."""
    was_subject = kind is Kind.SUBJECT or any(
        change.before is Kind.SUBJECT and change.date < day for change in item.kinds
    )
    if not was_subject:
        return None
    if status is SiteStatus.EXITING:
        return Exit(item.institution_id, leaving=True)
    if status is not SiteStatus.DEREGISTERED:
        return None
    dates = [c.date for c in item.statuses if c.after is SiteStatus.DEREGISTERED and c.date <= day]
    return Exit(item.institution_id, max(dates, default=None))


def _scope_changed(item: Dossier, day: dt.date) -> dt.date | None:
    dates = [
        change.date
        for change in item.kinds
        if change.date < day and change.after in CARE_LIKE and change.before not in CARE_LIKE
    ]
    return max(dates, default=None)


def high_neighbourhoods(visits: Sequence[Sequence[PastVisit]], near: csr_matrix | None) -> list[bool | None]:
    """Say whether more is found round each place than the teams that went there would lead one to expect.

    The place itself does not count. None without a visit nearby, and for all with too few findings to tell.
    """
    rows = [(at, visit.team, visit.found) for at, seen in enumerate(visits) for visit in seen]
    table = pd.DataFrame(rows, columns=["at", "team", "found"])
    if near is None or table["found"].sum() < ENOUGH_FOR_NEIGHBOURHOOD:
        return [None] * len(visits)
    expected = np.bincount(table["at"], expected_by_team(table), minlength=len(visits))
    found = np.bincount(table["at"], table["found"].astype(np.float64), minlength=len(visits))
    prior = PRIOR_VISITS * float(table["found"].mean())
    around = near @ expected
    ratio = (near @ found + prior) / (around + prior)
    known = around > 0
    if not known.any():
        return [None] * len(visits)
    edge = max(float(np.quantile(ratio[known], TOP_QUARTER)), 1.0)
    return [bool(ratio[at] > edge) if known[at] else None for at in range(len(visits))]
