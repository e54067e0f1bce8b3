"""STEP: the register's shared addresses, and what people decided about them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
from sqlalchemy import select
from sqlalchemy.orm import Session

from data.schema import ColocationDecision, Institution
from data.terms import ColocationVerdict, Kind, SiteStatus
from geo.colocation import Group, find_groups
from geo.errors import ColocationError

_LONGEST_NOTE = 500


@dataclass(frozen=True)
class Licence:
    """An institution of a shared address, as people see it."""

    id: int
    name: str
    kind: Kind
    status: SiteStatus
    address: str
    lon: float | None
    lat: float | None
    grid_code: str | None


@dataclass(frozen=True)
class Decision:
    """The decision that holds for an address, and whether its licences have changed since."""

    verdict: ColocationVerdict
    note: str
    decided_by: str
    decided_at: dt.datetime
    changed: bool
    id: int = 0


@dataclass(frozen=True)
class Case:
    """A shared address: its group, its licences, and the decision about it, if any."""

    group: Group
    licences: tuple[Licence, ...]
    decision: Decision | None

    @property
    def open(self) -> bool:
        """Whether somebody should look: a finding not decided, unclear, or changed since."""
        if self.decision is None:
            return self.group.finding
        return self.decision.changed or self.decision.verdict is ColocationVerdict.UNCLEAR


def list_cases(session: Session) -> list[Case]:
    """Return the shared addresses of all institutions that are not deregistered, open cases first."""
    records = session.scalars(
        select(Institution).where(Institution.status != SiteStatus.DEREGISTERED).order_by(Institution.id)
    ).all()
    by_id = {record.id: record for record in records}
    decisions = _newest(session)
    cases = []
    for group in find_groups(_frame(records)):
        members = tuple(int(str(member)) for member in group.members)
        stored = decisions.get((group.level.value, group.key))
        decision = None
        if stored is not None:
            changed = sorted(stored.members) != sorted(members)
            decision = Decision(
                stored.verdict, stored.note, stored.decided_by, stored.decided_at, changed, stored.id
            )
        cases.append(Case(group, tuple(_licence(by_id[member]) for member in members), decision))
    return sorted(cases, key=lambda case: not case.open)


def decide(
    session: Session,
    *,
    level: str,
    key: str,
    verdict: ColocationVerdict,
    note: str,
    actor: str,
    now: dt.datetime,
    shown: Case | None = None,
) -> ColocationDecision:
    """Record what somebody found about a shared address; earlier decisions stay on file.

    Parameters
    ----------
    shown
        The case as the person was shown it, where they were.

    Raises
    ------
    ColocationError
        ``unknown_group``, ``note_too_long``, ``group_changed`` when others are there now than were shown,
        ``decided_meanwhile`` when somebody else has decided since.
    """
    if len(note) > _LONGEST_NOTE:
        raise ColocationError("note_too_long", most=_LONGEST_NOTE, length=len(note))
    case = next(
        (case for case in list_cases(session) if (case.group.level.value, case.group.key) == (level, key)),
        None,
    )
    if case is None:
        raise ColocationError("unknown_group", level=level, key=key)
    if shown is not None:
        _demand_as_shown(case, shown)
    record = ColocationDecision(
        level=level,
        group_key=key,
        members=[licence.id for licence in case.licences],
        verdict=verdict,
        note=note,
        decided_by=actor,
        decided_at=now,
    )
    session.add(record)
    session.flush()
    return record


@dataclass(frozen=True)
class Record:
    """A decision on file about a shared address; `holds` when no newer one of that address exists."""

    id: int
    level: str
    key: str
    verdict: ColocationVerdict
    note: str
    decided_by: str
    decided_at: dt.datetime
    holds: bool


def _demand_as_shown(case: Case, shown: Case) -> None:
    name = case.group.key.partition("~")[0]
    if {licence.id for licence in shown.licences} != {licence.id for licence in case.licences}:
        raise ColocationError("group_changed", key=case.group.key)
    made = case.decision
    if made is not None and (shown.decision is None or shown.decision.id != made.id):
        raise ColocationError("decided_meanwhile", name=name, by=made.decided_by)


def list_records(session: Session, *, limit: int = 5, skip: int = 0) -> list[Record]:
    """Return the decisions on file, newest first, after the first `skip` of them."""
    newest = {record.id for record in _newest(session).values()}
    statement = select(ColocationDecision).order_by(ColocationDecision.id.desc()).limit(limit).offset(skip)
    return [
        Record(r.id, r.level, r.group_key, r.verdict, r.note, r.decided_by, r.decided_at, r.id in newest)
        for r in session.scalars(statement)
    ]


def take_back(
    session: Session, decision_id: int, *, note: str, actor: str, now: dt.datetime
) -> ColocationDecision:
    """Take back the decision that holds for an address; both stay on file.

    What was decided before it holds again, for the licences it was about; without one the address is
    unclear, so that somebody looks.

    Parameters
    ----------
    note
        Note of the new entry where there was no decision before.

    Raises
    ------
    ColocationError
        ``unknown_decision``; ``newer_decision`` when another one holds by now.
    """
    record = session.get(ColocationDecision, decision_id)
    if record is None:
        raise ColocationError("unknown_decision", decision=decision_id)
    same = (ColocationDecision.level == record.level, ColocationDecision.group_key == record.group_key)
    newest = session.scalars(select(ColocationDecision).where(*same).order_by(ColocationDecision.id.desc()))
    holding, *before = newest.all()
    if holding.id != decision_id:
        name = record.group_key.partition("~")[0]
        raise ColocationError("newer_decision", decision=decision_id, newer=holding.id, name=name)
    again = ColocationDecision(
        level=record.level,
        group_key=record.group_key,
        members=list(before[0].members if before else record.members),
        verdict=before[0].verdict if before else ColocationVerdict.UNCLEAR,
        note=before[0].note if before else note,
        decided_by=actor,
        decided_at=now,
    )
    session.add(again)
    session.flush()
    return again


def _newest(session: Session) -> dict[tuple[str, str], ColocationDecision]:
    statement = select(ColocationDecision).order_by(ColocationDecision.id)
    return {(record.level, record.group_key): record for record in session.scalars(statement)}


def _frame(records: Sequence[Institution]) -> gpd.GeoDataFrame:
    table = {
        "address": [record.address for record in records],
        "contact_name": [record.contact_name or "" for record in records],
        "contact_phone": [record.contact_phone or "" for record in records],
    }
    points = gpd.points_from_xy(
        [float("nan") if record.lon is None else record.lon for record in records],
        [float("nan") if record.lat is None else record.lat for record in records],
    )
    frame = gpd.GeoDataFrame(table, geometry=points, index=[record.id for record in records], crs=4326)
    frame.loc[[record.lon is None for record in records], "geometry"] = None
    return frame


def _licence(record: Institution) -> Licence:
    return Licence(
        record.id,
        record.name,
        record.kind,
        record.status,
        record.address,
        record.lon,
        record.lat,
        record.grid_code,
    )
