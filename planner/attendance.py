"""The half-year ledger of people: who worked which shifts, what leave or a late start spared them.

In force on a date is the plan published last, but not after that date: what was superseded later still
happened, what was published afterwards did not. So no date counts twice.

Exposure: an officer is exposed to the share of the group's seats of a kind that fell on dates of service
without leave. The group's rate is its seats divided by its exposures; an officer is excused the rest,
(1 - exposure) x rate. Half a half-year present and half the count done balances with everybody else; whoever
joins today begins with the mean.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.schema import Officer, PlanRevision, PlanShift, PlanShiftMember
from data.terms import PlanStatus
from planner.crew import KINDS, PastShift
from planner.slots import balance_class

HALF_YEAR_DAYS = 183
# A publication belongs to a local date, as slots do.
LOCAL_ZONE = ZoneInfo("Asia/Shanghai")
WAS_IN_FORCE = (PlanStatus.PUBLISHED, PlanStatus.SUPERSEDED)


@dataclass(frozen=True)
class Attended:
    """A shift of a plan that was in force on its date: seconds of that date, class, officers' codes."""

    date: dt.date
    start_s: int
    end_s: int
    kind: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class Presence:
    """When an officer was in service: `group` keeps those apart who share no work."""

    code: str
    group: str
    joined_on: dt.date | None = None
    leave: frozenset[dt.date] = frozenset()

    def covers(self, day: dt.date) -> bool:
        """Return whether the officer was there on a date."""
        return (self.joined_on is None or self.joined_on <= day) and day not in self.leave


@dataclass(frozen=True)
class Balance:
    """An officer's half-year by kind: shifts worked, shifts excused, and what was expected when present."""

    worked: Mapping[str, int] = field(default_factory=dict)
    excused: Mapping[str, int] = field(default_factory=dict)
    expected: Mapping[str, float] = field(default_factory=dict)


def plans_in_force(session: Session, first: dt.date, last: dt.date) -> dict[dt.date, int]:
    """Return, for each date from `first` to `last`, the id of the plan that was or will be in force."""
    statement = select(
        PlanRevision.id, PlanRevision.period_from, PlanRevision.period_to, PlanRevision.published_at
    ).where(
        PlanRevision.status.in_(WAS_IN_FORCE),
        PlanRevision.period_from <= last,
        PlanRevision.period_to >= first,
    )
    days: dict[dt.date, int] = {}
    for plan_id, begins, ends, published_at in session.execute(
        statement.order_by(PlanRevision.publication, PlanRevision.id)
    ):
        if published_at is None:
            continue
        day = max(begins, first, published_at.astimezone(LOCAL_ZONE).date())
        while day <= min(ends, last):
            days[day] = plan_id
            day += dt.timedelta(days=1)
    return days


def read_attendance(session: Session, *, before: dt.date, days: int = HALF_YEAR_DAYS) -> tuple[Attended, ...]:
    """Return the shifts in force on the `days` dates before `before`, in order of time."""
    first, last = before - dt.timedelta(days=days), before - dt.timedelta(days=1)
    force = plans_in_force(session, first, last)
    if not force:
        return ()
    shifts = [
        shift
        for shift in session.scalars(
            select(PlanShift)
            .where(PlanShift.plan_id.in_(set(force.values())), PlanShift.date.between(first, last))
            .order_by(PlanShift.date, PlanShift.start_s, PlanShift.code, PlanShift.id)
        )
        if force.get(shift.date) == shift.plan_id
    ]
    members: dict[int, list[str]] = defaultdict(list)
    crew = select(PlanShiftMember.shift_id, Officer.code).join(
        Officer, Officer.id == PlanShiftMember.officer_id
    )
    for shift_id, code in session.execute(crew.where(PlanShiftMember.shift_id.in_([s.id for s in shifts]))):
        members[shift_id].append(code)
    return tuple(
        Attended(s.date, s.start_s, s.end_s, balance_class(s.slot_kind), tuple(sorted(members[s.id])))
        for s in shifts
    )


def recent_shifts(shifts: Iterable[Attended], *, since: dt.date) -> dict[str, tuple[PastShift, ...]]:
    """Return each officer's shifts from `since` on, in order of time."""
    recent: dict[str, list[PastShift]] = defaultdict(list)
    for shift in shifts:
        if shift.date >= since:
            for code in shift.members:
                recent[code].append(PastShift(shift.date, shift.start_s, shift.end_s))
    return {code: tuple(sorted(found)) for code, found in recent.items()}


def pairs_met(shifts: Iterable[Attended]) -> Counter[frozenset[str]]:
    """Return how often two officers worked together."""
    return Counter(frozenset(pair) for shift in shifts for pair in combinations(shift.members, 2))


def balance_half_year(shifts: Sequence[Attended], people: Sequence[Presence]) -> dict[str, Balance]:
    """Return each officer's balance by the rule of exposure (see the module); groups are apart."""
    groups: dict[str, list[Presence]] = defaultdict(list)
    for person in people:
        groups[person.group].append(person)
    found: dict[str, Balance] = {}
    for members in groups.values():
        found |= _balance_group(shifts, members)
    return found


def _balance_group(shifts: Sequence[Attended], people: Sequence[Presence]) -> dict[str, Balance]:
    codes = {person.code for person in people}
    seats: dict[str, Counter[dt.date]] = {kind: Counter() for kind in KINDS}
    worked: dict[str, Counter[str]] = {code: Counter() for code in codes}
    for shift in shifts:
        for code in codes.intersection(shift.members):
            seats[shift.kind][shift.date] += 1
            worked[code][shift.kind] += 1
    excused: dict[str, dict[str, int]] = {code: {} for code in codes}
    expected: dict[str, dict[str, float]] = {code: {} for code in codes}
    for kind, by_date in seats.items():
        total = sum(by_date.values())
        if not total:
            continue
        exposure = {
            person.code: sum(count for day, count in by_date.items() if person.covers(day)) / total
            for person in people
        }
        rate = total / sum(exposure.values()) if any(exposure.values()) else 0.0
        for code, share in exposure.items():
            expected[code][kind] = share * rate
            if round((1 - share) * rate):
                excused[code][kind] = round((1 - share) * rate)
    return {code: Balance(dict(worked[code]), excused[code], expected[code]) for code in codes}
