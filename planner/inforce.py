"""Which plan holds on which date, and when the next shift is: the one published last rules its days."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data.schema import PlanRevision, PlanShift, PlanShiftMember
from data.terms import PlanStatus


def governing_plans(session: Session, first: dt.date, last: dt.date) -> dict[dt.date, int]:
    """Return, for each date from `first` to `last`, the id of the plan in force: the one published last."""
    reaching = select(PlanRevision.id, PlanRevision.period_from, PlanRevision.period_to).where(
        PlanRevision.status == PlanStatus.PUBLISHED,
        PlanRevision.period_from <= last,
        PlanRevision.period_to >= first,
    )
    published = session.execute(reaching.order_by(PlanRevision.publication, PlanRevision.id)).all()
    days = {}
    for offset in range((last - first).days + 1):
        day = first + dt.timedelta(days=offset)
        for record in published:
            if record.period_from <= day <= record.period_to:
                days[day] = record.id
    return days


def next_shift_date(session: Session, *, after: dt.date, officer_id: int | None = None) -> dt.date | None:
    """Return the first date after `after` with a shift in force, within what is published."""
    last = session.scalar(
        select(func.max(PlanRevision.period_to)).where(PlanRevision.status == PlanStatus.PUBLISHED)
    )
    if last is None or last <= after:
        return None
    first = after + dt.timedelta(days=1)
    days = governing_plans(session, first, last)
    statement = select(PlanShift.date, PlanShift.plan_id).where(
        PlanShift.plan_id.in_(set(days.values())), PlanShift.date >= first, PlanShift.date <= last
    )
    if officer_id is not None:
        own = select(PlanShiftMember.shift_id).where(PlanShiftMember.officer_id == officer_id)
        statement = statement.where(PlanShift.id.in_(own))
    found = session.execute(statement.distinct()).tuples()
    return min((day for day, plan_id in found if days.get(day) == plan_id), default=None)
