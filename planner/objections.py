"""STEP: what has changed since a draft was made: its parent, other publications, places, people, dates."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyproj import Geod
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data.calendar import load_calendar
from data.register.officers import is_certified
from data.schema import Institution, Officer, OfficerLeave, PlanRevision, PlanShift, PlanShiftMember, PlanStop
from data.schema import Recusal as RecusalRecord
from data.terms import PlanStatus
from planner.errors import PlannerError
from planner.inforce import governing_plans
from planner.itinerary import find_revision
from planner.ledger import OWING
from planner.slots import list_slots, read_rules

# A point set anew within this of the planned one is the same door.
MOVED_M = 100.0
SHOWN = 5
_ELLIPSOID = Geod(ellps="WGS84")


@dataclass(frozen=True)
class _Ahead:
    """The part of a draft that is still to come: its shifts, crews and stops."""

    shifts: Mapping[int, PlanShift]
    crews: Mapping[int, tuple[Officer, ...]]
    stops: tuple[PlanStop, ...]


def newest_publication(session: Session) -> int:
    """Return the number of the newest publication, 0 before the first."""
    return session.scalar(select(func.max(PlanRevision.publication))) or 0


def object_to_parent(session: Session, record: PlanRevision, *, today: dt.date) -> PlannerError | None:
    """Return why publishing would undo what somebody else published, or None.

    A revision takes the place of the plan it came from; that one must rule all its days from today on. A plan
    of its own takes the place of what was published before it was made, and of nothing later.
    """
    last = record.period_to
    days = governing_plans(session, max(today, record.period_from), last)
    ruling = [session.get_one(PlanRevision, plan) for plan in sorted(set(days.values()))]
    base = _published_ancestor(session, record)
    if base is not None:
        others = [plan.code for plan in ruling if plan.id != base.id]
        if not others:
            return None
        fields: dict[str, object] = {"plan": record.code, "parent": base.code, "by": others}
        return PlannerError(code="parent_superseded", fields=fields)
    later = [plan.code for plan in ruling if (plan.publication or 0) > record.seen_publication]
    if not later:
        return None
    return PlannerError(code="published_meanwhile", fields={"plan": record.code, "by": later})


def _published_ancestor(session: Session, record: PlanRevision) -> PlanRevision | None:
    """Return the nearest plan that a draft came from and that was published."""
    code = record.summary.get("parent")
    while code is not None:
        above = find_revision(session, code)
        if above.status is not PlanStatus.DRAFT:
            return above
        code = above.summary.get("parent")
    return None


def object_to_inputs(session: Session, record: PlanRevision, *, today: dt.date) -> PlannerError | None:
    """Return how the register differs from what the days from `today` on were planned with, or None."""
    ahead = _read_ahead(session, record.id, today)
    body = json.loads(gzip.decompress(record.document))
    closed, moved = _changed_places(session, ahead)
    changed = {
        "closed": closed,
        "moved": moved,
        "officers": _missing_officers(session, ahead, body),
        "recused": _recused(session, ahead),
        "days": _lost_slots(session, ahead),
    }
    if not any(changed.values()):
        return None
    first = [name for names in changed.values() for name in names][:SHOWN]
    counts: dict[str, object] = {kind: len(names) for kind, names in changed.items()}
    return PlannerError(code="inputs_changed", fields={"plan": record.code, **counts, "first": first})


def list_objections(session: Session, code: str, *, today: dt.date) -> tuple[PlannerError, ...]:
    """Return what `publish` would ask to be confirmed.

    Raises
    ------
    PlannerError
        `unknown_plan`.
    """
    record = find_revision(session, code)
    if record.status is not PlanStatus.DRAFT:
        return ()
    found = (object_to_parent(session, record, today=today), object_to_inputs(session, record, today=today))
    return tuple(item for item in found if item is not None)


def _read_ahead(session: Session, plan_id: int, today: dt.date) -> _Ahead:
    chosen = select(PlanShift).where(PlanShift.plan_id == plan_id, PlanShift.date >= today)
    shifts = {shift.id: shift for shift in session.scalars(chosen.order_by(PlanShift.date, PlanShift.id))}
    crews: dict[int, list[Officer]] = defaultdict(list)
    members = select(PlanShiftMember.shift_id, Officer).join(Officer)
    for shift_id, officer in session.execute(members.where(PlanShiftMember.shift_id.in_(shifts))).tuples():
        crews[shift_id].append(officer)
    stops = select(PlanStop).where(PlanStop.shift_id.in_(shifts)).order_by(PlanStop.id)
    return _Ahead(shifts, {key: tuple(crew) for key, crew in crews.items()}, tuple(session.scalars(stops)))


def _changed_places(session: Session, ahead: _Ahead) -> tuple[list[str], list[str]]:
    """Return the names of the places that are closed, and of those that are elsewhere."""
    stops = {stop.institution_id: stop for stop in ahead.stops}
    closed, moved = [], []
    for place in session.scalars(
        select(Institution).where(Institution.id.in_(stops)).order_by(Institution.id)
    ):
        if place.status not in OWING:
            closed.append(place.name)
        elif _is_elsewhere(place, stops[place.id]):
            moved.append(place.name)
    return closed, moved


def _is_elsewhere(place: Institution, stop: PlanStop) -> bool:
    if place.address != stop.address or place.lon is None or place.lat is None:
        return True
    return float(_ELLIPSOID.inv(stop.lon, stop.lat, place.lon, place.lat)[2]) > MOVED_M


def _missing_officers(session: Session, ahead: _Ahead, body: Mapping[str, Any]) -> list[str]:
    """Return the codes of officers who were free and certified when planned and are not any more."""
    planned = {item["id"]: item for item in body.get("roster", {}).get("officers", ())}
    off = set(session.execute(select(OfficerLeave.officer_id, OfficerLeave.date)).tuples())
    missing = set()
    for shift_id, crew in ahead.crews.items():
        day = ahead.shifts[shift_id].date
        for officer in crew:
            known = planned.get(officer.code, {})
            away = (officer.id, day) in off or (officer.joined_on is not None and officer.joined_on > day)
            lapsed = bool(known.get("certified")) and not is_certified(officer, day)
            if lapsed or (away and day.isoformat() not in known.get("unavailable", ())):
                missing.add(officer.code)
    return sorted(missing)


def _recused(session: Session, ahead: _Ahead) -> list[str]:
    """Return the names of the places that one of the crew must not inspect on that date."""
    barred: dict[tuple[int, int], RecusalRecord] = {
        (item.officer_id, item.institution_id): item for item in session.scalars(select(RecusalRecord))
    }
    names = []
    for stop in ahead.stops:
        day = ahead.shifts[stop.shift_id].date
        rules = [barred.get((one.id, stop.institution_id)) for one in ahead.crews.get(stop.shift_id, ())]
        if any(rule and rule.since <= day and (rule.until is None or day <= rule.until) for rule in rules):
            names.append(stop.name)
    return list(dict.fromkeys(names))


def _lost_slots(session: Session, ahead: _Ahead) -> list[str]:
    """Return the dates and slots that the calendar no longer has, such as those of a new day off."""
    if not ahead.shifts:
        return []
    days = [shift.date for shift in ahead.shifts.values()]
    slots = list_slots(load_calendar(session), first=min(days), last=max(days), rules=read_rules())
    there = {(slot.date, slot.kind) for slot in slots}
    lost = {(s.date, s.slot_kind) for s in ahead.shifts.values()} - there
    return sorted(f"{day.isoformat()}-{kind.value}" for day, kind in lost)
