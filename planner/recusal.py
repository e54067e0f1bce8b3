"""Who must not serve an institution: recusals (回避) on file, and the crew of its last visit.

Nobody meets the same institution twice running. The last visit is the latest record, or a later stop of a
plan in force whose date is past: what has no record yet counts as held, whatever it found.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from data.schema import Officer, PlanShift, PlanShiftMember, PlanStop, Recusal, VisitRecord
from planner.attendance import plans_in_force

RECUSAL, MET_LAST = "recusal", "met_last"


def read_barred(
    session: Session, *, as_of: dt.date, last: dt.date | None = None
) -> Mapping[int, Mapping[str, str]]:
    """Return for each institution the officers' codes barred from its next visit, with the reason.

    Parameters
    ----------
    as_of
        First day of the period: only earlier visits count as met.
    last
        Last day of the period: a recusal that holds on any day up to it bars for the whole; `as_of` if None.

    Returns
    -------
    Mapping
        Institution id -> officer code -> ``recusal`` or ``met_last``; a recusal goes first.
    """
    barred: dict[int, dict[str, str]] = defaultdict(dict)
    shifts = _last_shifts(session, as_of)
    crew = select(PlanShiftMember.shift_id, Officer.code).join(
        Officer, Officer.id == PlanShiftMember.officer_id
    )
    members: dict[int, list[str]] = defaultdict(list)
    for shift_id, code in session.execute(crew.where(PlanShiftMember.shift_id.in_(set(shifts.values())))):
        members[shift_id].append(code)
    for institution_id, shift_id in shifts.items():
        barred[institution_id].update(dict.fromkeys(members[shift_id], MET_LAST))
    statement = select(Recusal.institution_id, Officer.code).join(Officer, Officer.id == Recusal.officer_id)
    holds = statement.where(
        Recusal.since <= (last or as_of), or_(Recusal.until.is_(None), Recusal.until >= as_of)
    )
    for institution_id, code in session.execute(holds):
        barred[institution_id][code] = RECUSAL
    return {institution_id: dict(sorted(codes.items())) for institution_id, codes in barred.items() if codes}


def _last_shifts(session: Session, as_of: dt.date) -> dict[int, int]:
    """Return the shift that last saw each institution, where it is known."""
    planned: dict[int, tuple[dt.date, int]] = {}
    on_date: dict[tuple[int, dt.date], int] = {}
    shift_of: dict[int, int] = {}
    force = plans_in_force(session, dt.date.min, as_of - dt.timedelta(days=1))
    stops = (
        select(PlanStop.id, PlanStop.institution_id, PlanShift.id, PlanShift.plan_id, PlanShift.date)
        .join(PlanShift, PlanShift.id == PlanStop.shift_id)
        .where(PlanShift.plan_id.in_(set(force.values())), PlanShift.date < as_of)
        .order_by(PlanShift.date, PlanStop.start_s, PlanStop.id)
    )
    for stop_id, institution_id, shift_id, plan_id, date in session.execute(stops):
        shift_of[stop_id] = shift_id
        if force.get(date) == plan_id:
            planned[institution_id] = date, shift_id
            on_date[institution_id, date] = shift_id
    found = {institution_id: shift_id for institution_id, (_, shift_id) in planned.items()}
    visits = select(VisitRecord.institution_id, VisitRecord.date, VisitRecord.plan_stop_id).where(
        VisitRecord.date < as_of
    )
    for institution_id, date, record_stop in session.execute(
        visits.order_by(VisitRecord.date, VisitRecord.id)
    ):
        if institution_id in planned and planned[institution_id][0] > date:
            continue
        known = shift_of.get(record_stop or 0) or on_date.get((institution_id, date))
        # A later visit by people who are not on file ends the bar of those before.
        found.pop(institution_id, None)
        if known is not None:
            found[institution_id] = known
    return found
