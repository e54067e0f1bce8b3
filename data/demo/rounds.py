"""Half a year of visits: which team was where in which slot, and what it saw."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.calendar import Calendar, Day
from data.demo.presets import HISTORY_DAYS, Preset
from data.demo.register import DemoInstitution
from data.demo.streets import Floats, to_metres
from data.terms import SLOT_CLASS, DayType, Kind, Outcome, SlotClass, SlotKind, VisitMode, VisitReason

# When each kind is looked at; the planner's own table is on a higher floor, this is only what happened.
SEEN_IN: Mapping[Kind, frozenset[SlotClass]] = {
    Kind.SUBJECT: frozenset({SlotClass.EVENING, SlotClass.WEEKEND, SlotClass.HOLIDAY, SlotClass.BREAK}),
    Kind.NON_SUBJECT: frozenset({SlotClass.EVENING, SlotClass.WEEKEND, SlotClass.BREAK}),
    Kind.CARE: frozenset({SlotClass.NOON, SlotClass.EVENING, SlotClass.BREAK}),
    Kind.SELF_STUDY: frozenset({SlotClass.EVENING, SlotClass.WEEKEND, SlotClass.BREAK}),
    Kind.EDU_CONSULT: frozenset({SlotClass.EVENING, SlotClass.WEEKEND, SlotClass.BREAK}),
    Kind.KINDERGARTEN: frozenset({SlotClass.SCHOOL_HOURS}),
    Kind.UNLICENSED: frozenset({SlotClass.EVENING, SlotClass.WEEKEND, SlotClass.BREAK}),
}
# Shifts of all teams in one slot and stops of one shift, for a district of 422 institutions.
_SHIFTS: Mapping[SlotClass, float] = {
    SlotClass.SCHOOL_HOURS: 0.55,
    SlotClass.NOON: 0.6,
    SlotClass.EVENING: 1.3,
    SlotClass.WEEKEND: 0.9,
    SlotClass.HOLIDAY: 0.35,
    SlotClass.BREAK: 0.9,
}
_STOPS: Mapping[SlotClass, tuple[int, int]] = {
    SlotClass.SCHOOL_HOURS: (3, 5),
    SlotClass.NOON: (4, 6),
    SlotClass.EVENING: (6, 9),
    SlotClass.WEEKEND: (5, 8),
    SlotClass.HOLIDAY: (4, 6),
    SlotClass.BREAK: (5, 8),
}
_FULL_SIZE = 422
_REST_DAYS = 5
_CLOSED_DOOR_SHARE = 0.24
# Past closed doors: rarer answers, as shares of all visits.
_RARE = ((Outcome.SUSPENDED, 0.012), (Outcome.REFUSED, 0.006), (Outcome.UNTRACEABLE, 0.006))


@dataclass(frozen=True)
class DemoVisit:
    """A visit that took place; `place` is the position of the institution in the register."""

    place: int
    date: dt.date
    slot_kind: SlotKind
    mode: VisitMode
    reason: VisitReason
    outcome: Outcome
    team: str

    @property
    def slot_class(self) -> SlotClass:
        """The key time point."""
        return SLOT_CLASS[self.slot_kind]


def slots_of(day: Day) -> tuple[SlotKind, ...]:
    """Return the slots of a day; a 调休 Sunday is a school day."""
    if day.type is DayType.HOLIDAY:
        return SlotKind.HOLIDAY_AM, SlotKind.HOLIDAY_PM
    if day.type is DayType.WEEKEND:
        return SlotKind.WEEKEND_AM, SlotKind.WEEKEND_PM
    if day.school_break:
        return SlotKind.SCHOOL_HOURS, SlotKind.BREAK_AM, SlotKind.BREAK_PM, SlotKind.EVENING
    return SlotKind.SCHOOL_HOURS, SlotKind.NOON, SlotKind.EVENING


def walk_rounds(
    register: Sequence[DemoInstitution],
    known_from: Sequence[dt.date],
    preset: Preset,
    calendar: Calendar,
    *,
    today: dt.date,
    chance: np.random.Generator,
) -> list[DemoVisit]:
    """Return the ordinary visits of the half year before `today`, in order of time.

    Every shift starts at a place that has waited long and goes on to its neighbours.

    Parameters
    ----------
    known_from
        First date at which each institution was known; the unlicensed are known from a tip.
    """
    xy = to_metres([row.lon for row in register], [row.lat for row in register])
    known = np.array([day.toordinal() for day in known_from])
    fits = {c: np.array([c in SEEN_IN[row.kind] for row in register]) for c in SlotClass}
    last = np.full(len(register), (today - dt.timedelta(days=HISTORY_DAYS + 60)).toordinal(), dtype=float)
    last += chance.uniform(0, 40, size=len(register))
    visits: list[DemoVisit] = []
    owing = {slot_class: float(chance.random()) for slot_class in SlotClass}
    shift = 0
    first = today - dt.timedelta(days=HISTORY_DAYS)
    for day in calendar.days(first, today - dt.timedelta(days=1)):
        ordinal = day.date.toordinal()
        for kind in slots_of(day):
            slot_class = SLOT_CLASS[kind]
            owing[slot_class] += _SHIFTS[slot_class] * len(register) / _FULL_SIZE
            while owing[slot_class] >= 1:
                owing[slot_class] -= 1
                ready = fits[slot_class] & (known < ordinal) & (last <= ordinal - _REST_DAYS)
                stops = int(chance.integers(*_STOPS[slot_class], endpoint=True))
                shift += 1
                for place in _route(xy, np.flatnonzero(ready), last, stops, chance):
                    last[place] = ordinal
                    team = f"T{shift % preset.teams + 1}"
                    visits.append(_see(register[place], place, day.date, kind, team, chance))
    return visits


def _route(
    xy: Floats, ready: NDArray[np.int64], last: Floats, stops: int, chance: np.random.Generator
) -> list[int]:
    """Return a place that has waited long and the nearest others that have."""
    if len(ready) == 0:
        return []
    waiting = ready[np.argsort(last[ready], kind="stable")][: 8 * stops]
    start = int(waiting[int(chance.integers(min(len(waiting), 2 * stops)))])
    near = np.argsort(np.hypot(*(xy[waiting] - xy[start]).T), kind="stable")[:stops]
    return [int(at) for at in waiting[near]]


def _see(
    row: DemoInstitution,
    place: int,
    date: dt.date,
    kind: SlotKind,
    team: str,
    chance: np.random.Generator,
) -> DemoVisit:
    mode = VisitMode.COVERT_VISIT if chance.random() < 0.15 else VisitMode.OPEN_VISIT
    reason = VisitReason.RISK if chance.random() < 0.1 else VisitReason.DUE
    return DemoVisit(place, date, kind, mode, reason, draw_outcome(row, kind, chance), team)


def draw_outcome(row: DemoInstitution, kind: SlotKind, chance: np.random.Generator) -> Outcome:
    """Return what a visit saw; a subject body is expected shut on days off, so a shut door there is right."""
    draw = float(chance.random())
    for outcome, share in _RARE:
        if draw < share:
            return outcome
        draw -= share
    off = SLOT_CLASS[kind] in (SlotClass.WEEKEND, SlotClass.HOLIDAY, SlotClass.BREAK)
    if row.kind is Kind.UNLICENSED or (row.kind is Kind.SUBJECT and off):
        return Outcome.CLOSED_AS_EXPECTED
    return Outcome.NOT_OPEN if draw < _CLOSED_DOOR_SHARE else Outcome.SEEN_OPEN
