"""Plans as people read them: heads, shifts with crews and stops, and what was left out."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

from shapely.geometry.base import BaseGeometry
from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from data.register.officers import is_certified
from data.schema import (
    Institution,
    Officer,
    PlanRevision,
    PlanShift,
    PlanShiftMember,
    PlanStop,
    PlanUnserved,
)
from data.terms import Kind, PlanStatus, RoundName, SlotClass, SlotKind, VisitForm, VisitReason
from planner.calls import number_calls
from planner.errors import PlannerError
from planner.inforce import governing_plans


@dataclass(frozen=True)
class PlanHead:
    """A plan revision without its rows; without a `draw` no commitment to its seed was made."""

    id: int
    code: str
    status: PlanStatus
    period_from: dt.date
    period_to: dt.date
    round_from: dt.date
    provisional: bool
    seed: int
    created_at: dt.datetime
    created_by: str
    published_at: dt.datetime | None
    published_by: str | None
    summary: dict[str, Any]
    round: RoundName | None = None
    draw: str | None = None
    publication: int | None = None


@dataclass(frozen=True)
class MemberView:
    """An officer on a shift; an official accompanies it."""

    officer_id: int
    code: str
    name: str
    department: str
    certified: bool
    leads: bool
    official: bool = False


@dataclass(frozen=True)
class StopView:
    """One stop of a route; seconds count from the local midnight of the shift's date.

    `p_select` is the chance with which it was drawn, 1 where nothing was drawn. `call` is the number of the
    place on the way: licences of one building are one call.
    """

    sequence: int
    institution_id: int
    name: str
    kind: Kind
    address: str
    lon: float
    lat: float
    error_radius_m: float | None
    arrive_s: int
    start_s: int
    leave_s: int
    slot_class: SlotClass
    mandatory: bool
    points: float
    reasons: list[dict[str, Any]]
    reason: VisitReason = VisitReason.DUE
    p_select: float = 1.0
    form: VisitForm = VisitForm.PATROL
    call: int = 0


@dataclass(frozen=True)
class ShiftView:
    """One team's work in one slot."""

    plan: str
    code: str
    team: str
    date: dt.date
    slot_kind: SlotKind
    start_s: int
    end_s: int
    travel_s: int
    members: tuple[MemberView, ...]
    stops: tuple[StopView, ...]
    track: BaseGeometry | None = None


@dataclass(frozen=True)
class UnservedView:
    """A visit that is owed but not planned, with the code of its verified reason."""

    institution_id: int
    name: str
    kind: Kind
    address: str
    slot_class: SlotClass | None
    mandatory: bool
    code: str
    detail: dict[str, Any]
    reason: VisitReason = VisitReason.DUE
    p_select: float = 1.0


@dataclass(frozen=True)
class PlanView:
    """A whole plan."""

    head: PlanHead
    shifts: tuple[ShiftView, ...]
    unserved: tuple[UnservedView, ...]


def _head(record: PlanRevision) -> PlanHead:
    return PlanHead(
        record.id,
        record.code,
        record.status,
        record.period_from,
        record.period_to,
        record.round_from,
        record.provisional,
        record.seed,
        record.created_at,
        record.created_by,
        record.published_at,
        record.published_by,
        record.summary,
        record.round_name,
        record.draw_code,
        record.publication,
    )


def find_revision(session: Session, code: str) -> PlanRevision:
    """Return a plan revision by its code.

    Raises
    ------
    PlannerError
        `unknown_plan`.
    """
    record = session.scalar(select(PlanRevision).where(PlanRevision.code == code))
    if record is None:
        raise PlannerError(code="unknown_plan", fields={"plan": code})
    return record


def list_plans(session: Session) -> list[PlanHead]:
    """Return all plans, newest first."""
    heads = select(PlanRevision).options(defer(PlanRevision.document)).order_by(PlanRevision.id.desc())
    return [_head(record) for record in session.scalars(heads)]


def read_plan(session: Session, code: str) -> PlanView:
    """Return a whole plan.

    Raises
    ------
    PlannerError
        `unknown_plan`.
    """
    record = find_revision(session, code)
    shifts = session.scalars(
        select(PlanShift)
        .where(PlanShift.plan_id == record.id)
        .order_by(PlanShift.date, PlanShift.start_s, PlanShift.team, PlanShift.id)
    ).all()
    unserved = session.execute(
        select(PlanUnserved, Institution)
        .join(Institution, Institution.id == PlanUnserved.institution_id)
        .where(PlanUnserved.plan_id == record.id)
        .order_by(PlanUnserved.mandatory.desc(), PlanUnserved.code, PlanUnserved.id)
    )
    return PlanView(
        _head(record),
        _views(session, list(shifts), {record.id: record.code}),
        tuple(
            UnservedView(
                place.id,
                place.name,
                place.kind,
                place.address,
                row.slot_class,
                row.mandatory,
                row.code,
                row.detail,
                row.reason,
                row.p_select,
            )
            for row, place in unserved
        ),
    )


def shifts_between(
    session: Session, *, first: dt.date, last: dt.date, officer_id: int | None = None
) -> tuple[ShiftView, ...]:
    """Return the shifts in force from `first` to `last`, of one officer when given, in order of time."""
    days = governing_plans(session, first, last)
    if not days:
        return ()
    plan_ids = set(days.values())
    statement = select(PlanShift).where(
        PlanShift.plan_id.in_(plan_ids), PlanShift.date >= first, PlanShift.date <= last
    )
    if officer_id is not None:
        statement = statement.where(
            PlanShift.id.in_(select(PlanShiftMember.shift_id).where(PlanShiftMember.officer_id == officer_id))
        )
    order = (PlanShift.date, PlanShift.start_s, PlanShift.team, PlanShift.id)
    shifts = [s for s in session.scalars(statement.order_by(*order)) if days.get(s.date) == s.plan_id]
    codes = dict(
        session.execute(select(PlanRevision.id, PlanRevision.code).where(PlanRevision.id.in_(plan_ids)))
        .tuples()
        .all()
    )
    return _views(session, shifts, codes)


def shifts_on(session: Session, *, day: dt.date, officer_id: int | None = None) -> tuple[ShiftView, ...]:
    """Return the shifts in force on one date."""
    return shifts_between(session, first=day, last=day, officer_id=officer_id)


def _views(session: Session, shifts: list[PlanShift], codes: dict[int, str]) -> tuple[ShiftView, ...]:
    ids = [shift.id for shift in shifts]
    members: dict[int, list[MemberView]] = defaultdict(list)
    dates = {shift.id: shift.date for shift in shifts}
    crew = select(PlanShiftMember, Officer).join(Officer, Officer.id == PlanShiftMember.officer_id)
    crew = crew.where(PlanShiftMember.shift_id.in_(ids))
    for member, officer in session.execute(crew.order_by(PlanShiftMember.leads.desc(), Officer.code)):
        certified = is_certified(officer, dates[member.shift_id])
        members[member.shift_id].append(
            MemberView(
                officer.id,
                officer.code,
                officer.name,
                officer.department,
                certified,
                member.leads,
                bool(officer.official),
            )
        )
    stops: dict[int, list[StopView]] = defaultdict(list)
    visits = select(PlanStop, Institution.kind).join(Institution, Institution.id == PlanStop.institution_id)
    for stop, kind in session.execute(visits.where(PlanStop.shift_id.in_(ids)).order_by(PlanStop.sequence)):
        stops[stop.shift_id].append(_stop(stop, kind))
    for shift_id, listed in stops.items():
        if not all(stop.call for stop in listed):
            calls = number_calls([s.address for s in listed], [(s.lon, s.lat) for s in listed])
            stops[shift_id] = [replace(stop, call=call) for stop, call in zip(listed, calls, strict=True)]
    return tuple(
        ShiftView(
            codes[shift.plan_id],
            shift.code,
            shift.team,
            shift.date,
            shift.slot_kind,
            shift.start_s,
            shift.end_s,
            shift.travel_s,
            tuple(members[shift.id]),
            tuple(stops[shift.id]),
            shift.track,
        )
        for shift in shifts
    )


def _stop(stop: PlanStop, kind: Kind) -> StopView:
    return StopView(
        stop.sequence,
        stop.institution_id,
        stop.name,
        kind,
        stop.address,
        stop.lon,
        stop.lat,
        stop.error_radius_m,
        stop.arrive_s,
        stop.start_s,
        stop.leave_s,
        stop.slot_class,
        stop.mandatory,
        stop.points,
        stop.reasons,
        stop.reason,
        stop.p_select,
        stop.form,
        stop.call or 0,
    )
