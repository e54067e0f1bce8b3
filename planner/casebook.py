"""STEP: open every institution's dossier, for a plan (all that is on file) or a replay (what was known then).

A replay trusts two dates of every row: the one it speaks of and the one it entered the register. History
taken over from before has only the first. What is not kept by date (address, point) is as of now.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import frames
from data.schema import AuditEvent, Finding, Institution, Tip, VisitRecord
from data.terms import FindingStatus, Kind, SiteStatus, Term, TipStatus, VisitReason
from geo.address.parser import Address, door_key, parse_address, room_key
from geo.crs import frame_metric_crs, project_xy
from geo.proximity import nearest
from planner.dossier import Change, Dossier, KnownOrder, KnownTip, KnownVisit, facts_on
from planner.risk import Facts

NEIGHBOURHOOD_M = 500.0
SCHOOL_STAGES = ("primary", "secondary")
# A record belongs to a local date, as slots do.
LOCAL_ZONE = ZoneInfo("Asia/Shanghai")
LONG_AGO = dt.date.min
_PHONE_DIGITS = 7


@dataclass(frozen=True)
class Casebook:
    """All dossiers, in order of institution id, with who is near whom."""

    dossiers: tuple[Dossier, ...]
    near: csr_matrix | None
    replay: bool

    def facts_on(self, day: dt.date) -> tuple[Facts, ...]:
        """Return what was known about every institution before `day`."""
        return facts_on(self.dossiers, day, near=self.near, replay=self.replay)


def read_facts(session: Session, *, as_of: dt.date) -> tuple[Facts, ...]:
    """Return what is known about every institution before `as_of`, for the scorecard."""
    return read_casebook(session).facts_on(as_of)


def read_casebook(session: Session, *, replay: bool = False) -> Casebook:
    """Open every institution's dossier.

    Parameters
    ----------
    replay
        Date each fact by when it entered the register, too, so that a past day sees only what was known then.
    """
    frame = frames.institutions_frame(session)
    ids = [int(key) for key in frame.index]
    visits, tips = _visits(session, replay), _tips(session, replay)
    orders = _orders(session, replay)
    kinds, statuses = _changes(session, "kind", Kind), _changes(session, "status", SiteStatus)
    addresses = {key: parse_address(text) for key, text in zip(ids, frame["address"], strict=True)}
    licences = _licences_at_door(
        {key: addresses[key] for key, at in zip(ids, frame["status"], strict=True) if at != "deregistered"}
    )
    relatives = _relatives(ids, addresses, _phones(session))
    distance = _school_distance(session, frame)
    dossiers = tuple(
        Dossier(
            key,
            Kind(kind),  # type: ignore[call-arg]
            SiteStatus(status),  # type: ignore[call-arg]
            visits=tuple(visits.get(key, ())),
            tips=tuple(tips.get(key, ())),
            orders=tuple(orders.get(key, ())),
            kinds=tuple(kinds.get(key, ())),
            statuses=tuple(statuses.get(key, ())),
            relatives=relatives[at],
            licences_at_address=licences.get(key),
            school_distance_m=distance.get(key),
        )
        for at, (key, kind, status) in enumerate(zip(ids, frame["kind"], frame["status"], strict=True))
    )
    return Casebook(dossiers, _near(frame), replay)


def _since(date: dt.date, recorded_at: dt.datetime | None, replay: bool) -> dt.date:
    """Return the date from which a row counts: in a replay not before it was recorded."""
    if not replay or recorded_at is None:
        return date
    return max(date, recorded_at.astimezone(LOCAL_ZONE).date())


def _visits(session: Session, replay: bool) -> Mapping[int, Sequence[KnownVisit]]:
    found: dict[int, dt.date] = {}
    for visit_id, on, at in session.execute(
        select(Finding.visit_id, Finding.found_on, Finding.recorded_at).where(Finding.visit_id.is_not(None))
    ):
        if visit_id is not None:
            since = _since(on, at, replay)
            found[visit_id] = min(since, found.get(visit_id, since))
    columns = (VisitRecord.id, VisitRecord.institution_id, VisitRecord.date, VisitRecord.team)
    statement = select(*columns, VisitRecord.reason, VisitRecord.outcome, VisitRecord.recorded_at)
    past: dict[int, list[KnownVisit]] = defaultdict(list)
    for key, place, date, team, reason, outcome, at in session.execute(statement.order_by(VisitRecord.id)):
        if outcome.pays:
            recheck = reason is VisitReason.RECHECK
            since = _since(date, at, replay)
            past[place].append(KnownVisit(key, date, team, recheck, since, found.get(key)))
    return past


def _tips(session: Session, replay: bool) -> Mapping[int, Sequence[KnownTip]]:
    past: dict[int, list[KnownTip]] = defaultdict(list)
    for tip in session.scalars(select(Tip).order_by(Tip.id)):
        # Without a date of decision a replay cannot know it; the tip then counts as open until its due date.
        decided = tip.decided_on if replay else LONG_AGO
        closed = decided if tip.decided_on or not replay else tip.due_on
        past[tip.institution_id].append(
            KnownTip(
                tip.id,
                tip.received_on,
                _since(tip.received_on, tip.recorded_at, replay),
                verified_since=decided if tip.status is TipStatus.VERIFIED else None,
                unfounded_since=decided if tip.status is TipStatus.UNFOUNDED else None,
                closed_since=closed if tip.handled or tip.status is TipStatus.UNFOUNDED else None,
            )
        )
    return past


def _orders(session: Session, replay: bool) -> Mapping[int, Sequence[KnownOrder]]:
    past: dict[int, list[KnownOrder]] = defaultdict(list)
    for finding in session.scalars(select(Finding).where(Finding.recheck_due.is_not(None))):
        closed = None
        if finding.status is FindingStatus.CLOSED:
            closed = (finding.closed_on or finding.recheck_due) if replay else LONG_AGO
        since = _since(finding.found_on, finding.recorded_at, replay) if replay else LONG_AGO
        past[finding.institution_id].append(KnownOrder(finding.recheck_due or since, since, closed))
    return past


def _changes(session: Session, field: str, words: type[Any]) -> Mapping[int, Sequence[Change[Any]]]:
    """Return the changes of one field of the institutions from the change log, in order of time.

    The log names a place by its code, else by its name; a name that several bear tells nothing.
    """
    named = session.execute(select(Institution.id, Institution.uscc, Institution.name)).tuples().all()
    count = Counter(name for _, uscc, name in named if not uscc)
    place = {uscc or name: key for key, uscc, name in named if uscc or count[name] == 1}
    statement = (
        select(AuditEvent.at, AuditEvent.entity_key, AuditEvent.before, AuditEvent.after)
        .where(AuditEvent.entity == "institution", AuditEvent.action == "update")
        .where(AuditEvent.after[field].as_string().is_not(None))
        .order_by(AuditEvent.sequence)
    )
    changes: dict[int, list[Change[Term]]] = defaultdict(list)
    for at, key, before, after in session.execute(statement):
        if key in place and before and before.get(field):
            day = at.astimezone(LOCAL_ZONE).date()
            changes[place[key]].append(Change(day, words(before[field]), words(after[field])))
    return changes


def _phones(session: Session) -> Mapping[int, str]:
    """Return telephone numbers written in full, compared and never shown."""
    phones = {}
    for key, phone in session.execute(select(Institution.id, Institution.contact_phone)).tuples():
        digits = re.sub(r"\D", "", phone or "")
        if len(digits) >= _PHONE_DIGITS and "*" not in (phone or ""):
            phones[key] = digits
    return phones


def _relatives(
    ids: Sequence[int], addresses: Mapping[int, Address], phones: Mapping[int, str]
) -> list[tuple[int, ...]]:
    """Return, for each institution, the positions of those at its address or with its telephone, and its own.

    One door is a whole mall: where both write a room, the rooms must be the same.
    """
    doors: dict[str, list[int]] = defaultdict(list)
    lines: dict[str, list[int]] = defaultdict(list)
    rooms = [room_key(addresses[key]) for key in ids]
    for at, key in enumerate(ids):
        door = door_key(addresses[key])
        if door is not None:
            doors[door].append(at)
        if key in phones:
            lines[phones[key]].append(at)
    found = [{at} for at in range(len(ids))]
    for members in doors.values():
        for at in members:
            found[at].update(
                other for other in members if None in (rooms[at], rooms[other]) or rooms[at] == rooms[other]
            )
    for members in lines.values():
        for at in members:
            found[at].update(members)
    return [tuple(sorted(item)) for item in found]


def _licences_at_door(addresses: Mapping[int, Address]) -> Mapping[int, int]:
    doors = {key: door_key(address) for key, address in addresses.items()}
    size = Counter(door for door in doors.values() if door is not None)
    return {key: size[door] for key, door in doors.items() if door is not None}


def _school_distance(session: Session, frame: Any) -> Mapping[int, float]:
    schools = frames.schools_frame(session)
    schools = schools[schools["stage"].isin(SCHOOL_STAGES)]
    placed = frame[frame.geometry.notna()]
    if schools.empty or placed.empty:
        return {}
    metres: pd.Series = nearest(placed, schools)["nearest_m"]
    return dict(zip((int(key) for key in placed.index), metres.astype(float), strict=True))


def _near(frame: Any) -> csr_matrix | None:
    """Return who lies within 500 m of whom, None without a point."""
    at = np.flatnonzero(frame.geometry.notna().to_numpy())
    if not len(at):
        return None
    placed = frame.iloc[at]
    points = project_xy(placed.geometry.x, placed.geometry.y, frame_metric_crs(placed))
    pairs = cKDTree(points).query_pairs(NEIGHBOURHOOD_M, output_type="ndarray")
    one, two = at[pairs[:, 0]], at[pairs[:, 1]]
    both: Iterable[Any] = (np.concatenate([one, two]), np.concatenate([two, one]))
    return csr_matrix((np.ones(2 * len(pairs)), tuple(both)), shape=(len(frame), len(frame)))
