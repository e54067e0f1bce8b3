"""STEP: decisions about locations: kept with what they changed, listed, and taken back exactly."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import String, cast, func, or_, select
from sqlalchemy.orm import Session

from data.accounts import Identity, scoped
from data.schema import GazetteerEntry, GridArea, Institution, LocationDecision, RoadAlias
from geo.errors import ReviewError
from geo.grid.layer import assign_institutions
from geo.review.lessons import Lesson, Values, plain, set_values, unlearn, values_of

_POINT = (
    "lon",
    "lat",
    "match_level",
    "match_score",
    "match_code",
    "match_text",
    "error_radius_m",
    "doubtful",
    "location_source",
    "confirmed_by",
    "confirmed_at",
)
_AREA = ("grid_id", "grid_code", "subdistrict")


@dataclass(frozen=True)
class Decided:
    """A decision that stands; a batch is one, `count` its institutions and `name` that of its last."""

    id: int
    batch: str | None
    count: int
    name: str
    action: str
    decided_by: str
    decided_at: dt.datetime


def location_of(record: Institution) -> Values:
    """Return an institution's location as plain values."""
    return {name: plain(getattr(record, name)) for name in (*_POINT, *_AREA)}


def record_decision(
    session: Session,
    record: Institution,
    before: Values,
    *,
    action: str,
    batch: str | None = None,
    entry: Lesson | None = None,
    alias: Lesson | None = None,
    actor: str,
    now: dt.datetime,
) -> LocationDecision:
    """Keep what was decided about an institution with its location and lessons, before and after."""
    decision = LocationDecision(
        institution_id=record.id,
        action=action,
        batch=batch,
        before={
            "location": before,
            "entry": None if entry is None else entry.before,
            "alias": None if alias is None else alias.before,
        },
        after={
            "location": location_of(record),
            "entry": None if entry is None else values_of(entry.record),
            "alias": None if alias is None else values_of(alias.record),
        },
        entry_id=None if entry is None else entry.record.id,
        alias_id=None if alias is None else alias.record.id,
        decided_by=actor,
        decided_at=now,
    )
    session.add(decision)
    session.flush()
    return decision


def take_back(
    session: Session, decisions: Sequence[LocationDecision], *, actor: str, now: dt.datetime
) -> None:
    """Put everything that decisions changed back to what it was before them.

    Parameters
    ----------
    decisions
        Newest first; none of them undone.

    Raises
    ------
    ReviewError
        ``newer_decision`` when a later one that stands changed the same institution, entry or alias;
        ``changed_since`` when something else did.
    """
    together = [decision.id for decision in decisions]
    for decision in decisions:
        _demand_newest(session, decision, together)
    for decision in decisions:
        record = session.get_one(Institution, decision.institution_id)
        present, left = location_of(record), decision.after["location"]
        if any(present[name] != left[name] for name in _POINT):
            raise ReviewError("changed_since", decision=decision.id, name=record.name)
        set_values(record, decision.before["location"])
        _return_area(session, record)
        if decision.entry_id is not None:
            unlearn(session, session.get(GazetteerEntry, decision.entry_id), decision, "entry")
        if decision.alias_id is not None:
            unlearn(session, session.get(RoadAlias, decision.alias_id), decision, "alias")
        decision.undone_by, decision.undone_at = actor, now
        session.flush()


def list_decisions(
    session: Session, *, limit: int = 5, skip: int = 0, identity: Identity | None = None
) -> list[Decided]:
    """Return the last decisions that stand, newest first, a batch as one.

    Parameters
    ----------
    limit, skip
        How many, after how many newer ones.
    identity
        Who asks; None is a step's own reading without row scope.
    """
    unit = func.coalesce(LocationDecision.batch, cast(LocationDecision.id, String))
    newest = func.max(LocationDecision.id)
    statement = select(newest, func.count()).select_from(LocationDecision).join(Institution)
    statement = statement.where(LocationDecision.undone_at.is_(None)).group_by(unit)
    if identity is not None:
        statement = scoped(statement, identity)
    listed = []
    for key, count in session.execute(statement.order_by(newest.desc()).limit(limit).offset(skip)).all():
        item = session.get_one(LocationDecision, key)
        name = session.get_one(Institution, item.institution_id).name
        listed.append(Decided(key, item.batch, count, name, item.action, item.decided_by, item.decided_at))
    return listed


def count_decided(session: Session, *, since: dt.datetime, identity: Identity | None = None) -> int:
    """Count the institutions that decisions since an instant have confirmed, undone ones left out."""
    statement = select(func.count(LocationDecision.institution_id.distinct())).join(Institution)
    statement = statement.where(LocationDecision.undone_at.is_(None), LocationDecision.decided_at >= since)
    return session.scalar(statement if identity is None else scoped(statement, identity)) or 0


def next_batch(session: Session) -> str:
    """Return the code of the next batch: B and a number that no batch has had, undone ones included."""
    batches = session.scalar(select(func.count(LocationDecision.batch.distinct()))) or 0
    return f"B{batches + 1:04d}"


def _demand_newest(session: Session, decision: LocationDecision, together: Sequence[int]) -> None:
    same = [LocationDecision.institution_id == decision.institution_id]
    if decision.entry_id is not None:
        same.append(LocationDecision.entry_id == decision.entry_id)
    if decision.alias_id is not None:
        same.append(LocationDecision.alias_id == decision.alias_id)
    statement = select(LocationDecision.id, Institution.name).join(Institution)
    statement = statement.where(
        LocationDecision.id > decision.id,
        LocationDecision.undone_at.is_(None),
        LocationDecision.id.not_in(together),
        or_(*same),
    )
    newer = session.execute(statement.order_by(LocationDecision.id.desc()).limit(1)).first()
    if newer is not None:
        raise ReviewError("newer_decision", decision=decision.id, newer=newer[0], name=newer[1])


def _return_area(session: Session, record: Institution) -> None:
    """Keep the grid area of before while it is in force; else find the one the point belongs to today."""
    area = None if record.grid_id is None else session.get(GridArea, record.grid_id)
    if record.lon is not None and (area is None or area.valid_to is not None):
        assign_institutions(session, [record])
