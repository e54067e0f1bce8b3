"""STEP: versions of the scorecard: propose, approve by somebody else, and the one in force on a date."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data.accounts import Identity, Permission, require
from data.schema import ScorecardVersion
from planner.errors import Fault, PlannerError, ScorecardError
from planner.risk import WEIGHTS, Scorecard

MOST_POINTS = 20.0


@dataclass(frozen=True)
class CardView:
    """A version as people read it; version 0 is the card that is shipped, in force until one is approved."""

    version: int
    weights: Mapping[str, float]
    author: str
    proposed_at: dt.datetime | None
    note: str
    approver: str | None
    approved_at: dt.datetime | None
    valid_from: dt.date | None


@dataclass(frozen=True)
class CardDeck:
    """The card in force, the one before it, and the proposals that wait for approval."""

    current: CardView
    before: CardView | None
    waiting: tuple[CardView, ...]


SHIPPED = CardView(0, dict(WEIGHTS), "", None, "", None, None, None)


def propose_card(
    session: Session,
    weights: Mapping[str, Any],
    *,
    identity: Identity,
    now: dt.datetime,
    note: str = "",
) -> int:
    """Store weights as the next version, to be approved by somebody else; return its number.

    Raises
    ------
    AccountError
        `forbidden` without the permission to propose.
    ScorecardError
        All faults: `unknown_factor`, `missing_factor`, `bad_points` (not a number from -20 to 20).
    """
    require(identity, Permission.PROPOSE_SCORECARD)
    checked = check_weights(weights)
    version = (session.scalar(select(func.max(ScorecardVersion.version))) or 0) + 1
    session.add(
        ScorecardVersion(
            version=version, weights=checked, author=identity.username, proposed_at=now, note=note[:500]
        )
    )
    session.flush()
    return version


def approve_card(
    session: Session,
    version: int,
    *,
    identity: Identity,
    now: dt.datetime,
    today: dt.date,
    valid_from: dt.date | None = None,
) -> CardView:
    """Put a proposed version in force from `valid_from` (today when not given) on.

    Raises
    ------
    AccountError
        `forbidden` without the permission to approve.
    PlannerError
        `unknown_scorecard`, `already_approved`, `own_scorecard` when the author approves, `valid_in_past`.
    """
    require(identity, Permission.APPROVE_SCORECARD)
    record = session.get(ScorecardVersion, version)
    if record is None:
        raise PlannerError(code="unknown_scorecard", fields={"version": version})
    if record.approver is not None:
        raise PlannerError(code="already_approved", fields={"version": version, "approver": record.approver})
    if record.author == identity.username:
        raise PlannerError(code="own_scorecard", fields={"version": version, "author": record.author})
    first = valid_from or today
    if first < today:
        # What was scored by another card stays scored by it.
        raise PlannerError(code="valid_in_past", fields={"first": str(first), "today": str(today)})
    record.approver, record.approved_at, record.valid_from = identity.username, now, first
    session.flush()
    return _view(record)


def read_scorecard(session: Session, *, as_of: dt.date) -> Scorecard:
    """Return the card in force on a date: the approved one with the latest `valid_from`, then version."""
    record = session.scalar(
        select(ScorecardVersion)
        .where(ScorecardVersion.approver.is_not(None), ScorecardVersion.valid_from <= as_of)
        .order_by(ScorecardVersion.valid_from.desc(), ScorecardVersion.version.desc())
        .limit(1)
    )
    return Scorecard() if record is None else Scorecard(_numbers(record), record.version)


def list_cards(session: Session) -> tuple[CardView, ...]:
    """Return all versions, newest first, the shipped one last."""
    records = session.scalars(select(ScorecardVersion).order_by(ScorecardVersion.version.desc()))
    return (*(_view(record) for record in records), SHIPPED)


def read_deck(session: Session, *, as_of: dt.date) -> CardDeck:
    """Return the card in force on a date, the approved one before it, and what waits for approval."""
    cards = list_cards(session)
    current = find_card(session, read_scorecard(session, as_of=as_of).version)
    approved = [card for card in cards if card.approver is not None and card.version < current.version]
    before = max(approved, key=lambda card: card.version, default=SHIPPED if current.version else None)
    return CardDeck(current, before, tuple(c for c in cards if c.version and c.approver is None))


def find_card(session: Session, version: int) -> CardView:
    """Return one version.

    Raises
    ------
    PlannerError
        `unknown_scorecard`.
    """
    for card in list_cards(session):
        if card.version == version:
            return card
    raise PlannerError(code="unknown_scorecard", fields={"version": version})


def describe_card(card: Scorecard) -> dict[str, Any]:
    """Return what a plan keeps of the card it was made with: its version and its weights."""
    return {"version": card.version, "weights": dict(sorted(card.weights.items()))}


def check_weights(weights: Mapping[str, Any]) -> dict[str, float]:
    """Return the weights as numbers, in the order of the shipped card.

    Raises
    ------
    ScorecardError
        See `propose_card`.
    """
    faults = [
        Fault(str(name), "unknown_factor", {"factor": str(name)}) for name in weights if name not in WEIGHTS
    ]
    faults += [Fault(name, "missing_factor", {"factor": name}) for name in WEIGHTS if name not in weights]
    for name, value in weights.items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if name in WEIGHTS and not (number and math.isfinite(value) and abs(value) <= MOST_POINTS):
            fields = {"factor": name, "points": value, "most": MOST_POINTS}
            faults.append(Fault(name, "bad_points", fields))
    if faults:
        raise ScorecardError(faults)
    return {name: float(weights[name]) for name in WEIGHTS}


def _numbers(record: ScorecardVersion) -> dict[str, float]:
    return {str(name): float(value) for name, value in record.weights.items()}


def _view(record: ScorecardVersion) -> CardView:
    return CardView(
        record.version,
        _numbers(record),
        record.author,
        record.proposed_at,
        record.note,
        record.approver,
        record.approved_at,
        record.valid_from,
    )
