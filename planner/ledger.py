"""The coverage ledger: what every institution owes by key time point and round, and its dated duties.

Coverage is a debt: institution x key time point x round. Only a visit that saw the place open, or closed as
expected, pays; a locked door at a time when it should have been open does not.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from data.schema import Finding, Institution, Tip, VisitRecord
from data.terms import FindingStatus, Kind, SiteStatus, SlotClass, TipStatus
from planner.slots import SlotRules

# A deregistered place is on the watch list, counted apart from coverage.
OWING = (SiteStatus.OPEN, SiteStatus.UNKNOWN, SiteStatus.SUSPENDED, SiteStatus.EXITING)


@dataclass(frozen=True)
class Duty:
    """A dated duty that makes a visit mandatory: a recheck or a tip."""

    institution_id: int
    reason: str
    due: dt.date
    record_id: int


@dataclass(frozen=True)
class Account:
    """One institution in the ledger: who it is, what it paid in the round, and when it was last seen.

    `uscc` names the enterprise, which may run several institutions.
    """

    institution_id: int
    name: str
    kind: Kind
    status: SiteStatus
    placed: bool
    paid: frozenset[SlotClass]
    last_seen: dt.date | None
    uscc: str | None = None

    @property
    def owes_coverage(self) -> bool:
        """Whether this place counts for coverage."""
        return self.status in OWING


def read_accounts(session: Session, *, round_from: dt.date, before: dt.date) -> tuple[Account, ...]:
    """Return every institution's account from `round_from` up to the day before `before`."""
    paid: dict[int, set[SlotClass]] = defaultdict(set)
    last_seen: dict[int, dt.date] = {}
    statement = select(
        VisitRecord.institution_id, VisitRecord.date, VisitRecord.slot_class, VisitRecord.outcome
    ).where(VisitRecord.date < before)
    for institution_id, date, slot_class, outcome in session.execute(statement.order_by(VisitRecord.date)):
        if outcome.pays:
            last_seen[institution_id] = date
            if date >= round_from:
                paid[institution_id].add(slot_class)
    return tuple(
        Account(
            record.id,
            record.name,
            record.kind,
            record.status,
            record.lon is not None,
            frozenset(paid.get(record.id, ())),
            last_seen.get(record.id),
            record.uscc or record.holder_uscc,
        )
        for record in session.scalars(select(Institution).order_by(Institution.id))
    )


def owed_classes(account: Account, rules: SlotRules, available: Iterable[SlotClass]) -> tuple[SlotClass, ...]:
    """Return the key time points an institution still owes, of those that occur in the round."""
    if not account.owes_coverage:
        return ()
    occurring = set(available)
    return tuple(c for c in rules.kinds[account.kind].owes if c in occurring and c not in account.paid)


def owed(
    session: Session,
    *,
    round_from: dt.date,
    round_to: dt.date,
    rules: SlotRules,
    classes: Iterable[SlotClass],
) -> pd.DataFrame:
    """Return the ledger of a round: one row an institution and key time point with `owed` and `paid` counts.

    Returns
    -------
    DataFrame
        Columns institution_id, kind, slot_class, owed (1), paid (0 or 1), last_seen.
    """
    occurring = set(classes)
    rows = []
    day_after = round_to + dt.timedelta(days=1)
    for account in read_accounts(session, round_from=round_from, before=day_after):
        if not account.owes_coverage:
            continue
        for slot_class in rules.kinds[account.kind].owes:
            if slot_class in occurring:
                paid = int(slot_class in account.paid)
                rows.append(
                    (
                        account.institution_id,
                        account.kind.value,
                        slot_class.value,
                        1,
                        paid,
                        account.last_seen,
                    )
                )
    names = ["institution_id", "kind", "slot_class", "owed", "paid", "last_seen"]
    return pd.DataFrame(rows, columns=names)


def read_duties(session: Session, *, until: dt.date) -> tuple[Duty, ...]:
    """Return open rechecks and unhandled tips that are due on or before `until`, earliest first."""
    findings = select(Finding.institution_id, Finding.recheck_due, Finding.id).where(
        Finding.status != FindingStatus.CLOSED, Finding.recheck_due <= until
    )
    tips = select(Tip.institution_id, Tip.due_on, Tip.id).where(
        ~Tip.handled, Tip.status != TipStatus.UNFOUNDED, Tip.due_on <= until
    )
    duties = [Duty(i, "recheck", due, record) for i, due, record in session.execute(findings) if due]
    duties += [Duty(i, "tip", due, record) for i, due, record in session.execute(tips)]
    return tuple(
        sorted(duties, key=lambda duty: (duty.due, duty.institution_id, duty.reason, duty.record_id))
    )
