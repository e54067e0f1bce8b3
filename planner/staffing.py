"""Staffing: officers as the register and the half-year know them, what slots need, and the checked roster."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from data.register.officers import is_certified, list_officers
from data.schema import Officer as OfficerRecord
from planner.attendance import (
    Attended,
    Presence,
    balance_half_year,
    pairs_met,
    read_attendance,
    recent_shifts,
)
from planner.crew import Officer, Roster, SlotNeed, monday_of
from planner.errors import BrokenPlanError, PlannerError
from planner.options import PlanOptions, RosterOptions
from planner.roster import make_roster
from planner.slots import Slot
from planner.verify_roster import verify_roster


@dataclass(frozen=True)
class Staffing:
    """A roster with everything its checker needs, and the officers' record ids by code."""

    officers: tuple[Officer, ...]
    needs: tuple[SlotNeed, ...]
    options: RosterOptions
    roster: Roster
    officer_ids: Mapping[str, int]


@dataclass(frozen=True)
class Office:
    """The people of a period before any slot is staffed."""

    officers: tuple[Officer, ...]
    attended: tuple[Attended, ...]
    options: RosterOptions
    officer_ids: Mapping[str, int]

    @property
    def crews_a_week(self) -> int:
        """The most shifts of a team that the certified can staff in one ISO week."""
        able = sum(officer.certified and not officer.official for officer in self.officers)
        return able * self.options.max_week // self.options.min_certified


def read_office(session: Session, *, options: PlanOptions) -> Office:
    """Return the officers who may work, each with the half-year before the period.

    Raises
    ------
    PlannerError
        `no_certified_officers` with fewer than two whose certificate holds through the whole period.
    """
    rules = RosterOptions(seed=options.seed % 2**31, accompanied=options.accompanied)
    records = list_officers(session)
    attended = read_attendance(session, before=options.first)
    # The weekends of the windows that end in the first week, and the evening before the first day.
    since = monday_of(options.first) - dt.timedelta(weeks=max(1, rules.free_weekend_weeks))
    recent = recent_shifts(attended, since=since)
    balances = balance_half_year(attended, [presence_of(record, options.last) for record in records])
    officers = tuple(
        Officer(
            id=record.code,
            certified=is_certified(record, options.last),
            leader=record.leads,
            departments=(record.department,),
            unavailable=_days_off(record, options),
            worked=balances[record.code].worked,
            excused=balances[record.code].excused,
            recent=recent.get(record.code, ()),
            official=bool(record.official),
        )
        for record in records
    )
    able = sum(officer.certified and not officer.official for officer in officers)
    if able < rules.min_certified:
        raise PlannerError(
            code="no_certified_officers", fields={"officers": len(officers), "certified": able}
        )
    return Office(officers, attended, rules, {record.code: record.id for record in records})


def presence_of(record: OfficerRecord, day: dt.date) -> Presence:
    """Return when an officer served; officials, certified (on `day`) and others share no work."""
    group = "official" if record.official else "certified" if is_certified(record, day) else "other"
    return Presence(record.code, group, record.joined_on, frozenset(leave.date for leave in record.leave))


def _days_off(record: OfficerRecord, options: PlanOptions) -> frozenset[dt.date]:
    days = {leave.date for leave in record.leave if options.first <= leave.date <= options.last}
    if record.joined_on is not None and record.joined_on > options.first:
        ahead = (min(record.joined_on, options.last + dt.timedelta(days=1)) - options.first).days
        days |= {options.first + dt.timedelta(days=number) for number in range(ahead)}
    return frozenset(days)


def staff_slots(
    office: Office, slots: Sequence[Slot], teams: Mapping[str, int], *, options: PlanOptions
) -> Staffing:
    """Make the roster of `teams` wanted by slot and check it.

    Raises
    ------
    BrokenPlanError
        When the checker finds a broken rule.
    """
    needs = [
        SlotNeed(slot.id, slot.date, slot.balance, slot.start_s, slot.end_s, teams[slot.id]) for slot in slots
    ]
    if options.joint_slots_a_week:
        joint = choose_joint(needs, office.officers, options=options)
        needs = [
            replace(need, joint=options.joint_departments) if need.slot in joint else need for need in needs
        ]
    roster = make_roster(office.officers, needs, options=office.options, met=pairs_met(office.attended))
    checked = verify_roster(office.officers, needs, roster, options=office.options)
    if not checked.holds:
        raise BrokenPlanError(fields={"violations": [v.code for v in checked.violations]})
    return Staffing(office.officers, tuple(needs), office.options, roster, office.officer_ids)


def choose_joint(
    needs: Sequence[SlotNeed], officers: Sequence[Officer], *, options: PlanOptions
) -> frozenset[str]:
    """Return the joint slots: in each ISO week those the departments can staff, evenings and few teams first.

    Ties are drawn by the seed, so that the evening of the week cannot be guessed.
    """
    chance = random.Random(options.seed)  # noqa: S311 - a seeded, repeatable draw, no secret
    by_week: dict[dt.date, list[SlotNeed]] = defaultdict(list)
    for need in needs:
        if need.teams:
            by_week[monday_of(need.date)].append(need)

    def rank(need: SlotNeed) -> tuple[bool, bool, int, float]:
        present = [item for item in officers if need.date not in item.unavailable and not item.official]
        sent = [sum(name in item.departments for item in present) for name in options.joint_departments]
        return min(sent) < need.teams, need.kind != "evening", need.teams, chance.random()

    return frozenset(
        need.slot
        for week in sorted(by_week)
        for _, need in sorted(
            ((rank(need), need) for need in by_week[week]), key=lambda pair: (pair[0], pair[1].slot)
        )[: options.joint_slots_a_week]
    )
