"""STEP: who bears how much of the work: shifts in a plan and in the half-year, and the share expected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.register.officers import list_officers
from data.schema import Officer, PlanShift, PlanShiftMember
from planner.attendance import Attended, balance_half_year, read_attendance
from planner.itinerary import find_revision
from planner.slots import balance_class
from planner.staffing import presence_of


@dataclass(frozen=True)
class WorkShare:
    """One officer's load: `period` and `half_year` count shifts by kind, the latter with the plan's own.

    `expected` is what the same exposure brings on average (see `planner.attendance`), and nothing of those
    without a certificate, who only fill up teams.
    """

    code: str
    name: str
    department: str
    official: bool
    period: Mapping[str, int]
    half_year: Mapping[str, int]
    expected: float

    @property
    def share(self) -> float | None:
        """Shifts worked over shifts expected, None where nothing was expected."""
        return sum(self.half_year.values()) / self.expected if self.expected >= 0.5 else None


def read_workshares(session: Session, code: str) -> tuple[WorkShare, ...]:
    """Return every officer's load with a plan, those who carry most of what is expected first.

    Raises
    ------
    PlannerError
        `unknown_plan`.
    """
    plan = find_revision(session, code)
    own = _shifts_of(session, plan.id)
    earlier = read_attendance(session, before=plan.period_from)
    records = list_officers(session)
    people = [presence_of(record, plan.period_to) for record in records]
    balances = balance_half_year([*earlier, *own], people)
    groups = {person.code: person.group for person in people}
    shares = []
    for record in records:
        balance = balances[record.code]
        expected = 0.0 if groups[record.code] == "other" else sum(balance.expected.values())
        shares.append(
            WorkShare(
                record.code,
                record.name,
                record.department,
                bool(record.official),
                Counter(shift.kind for shift in own if record.code in shift.members),
                balance.worked,
                expected,
            )
        )
    return tuple(sorted(shares, key=lambda item: (-(item.share or -1.0), item.code)))


def _shifts_of(session: Session, plan_id: int) -> list[Attended]:
    rows = session.execute(
        select(PlanShift, Officer.code)
        .join(PlanShiftMember, PlanShiftMember.shift_id == PlanShift.id)
        .join(Officer, Officer.id == PlanShiftMember.officer_id)
        .where(PlanShift.plan_id == plan_id)
        .order_by(PlanShift.date, PlanShift.start_s, PlanShift.code, PlanShift.id)
    )
    shifts: dict[int, tuple[PlanShift, list[str]]] = {}
    for shift, code in rows:
        shifts.setdefault(shift.id, (shift, []))[1].append(code)
    return [
        Attended(s.date, s.start_s, s.end_s, balance_class(s.slot_kind), tuple(sorted(codes)))
        for s, codes in shifts.values()
    ]
