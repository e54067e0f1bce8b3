"""Slots of a period and the expected-state matrix: when each kind can and must be seen."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.calendar import Calendar, Day
from data.terms import SLOT_CLASS, DayType, Kind, SlotClass, SlotKind
from planner.errors import Fault, OptionsError

TABLE = Path(__file__).with_name("slots.toml")
EXPECTATIONS = ("open", "closed", "either")


@dataclass(frozen=True)
class Slot:
    """A part of one day in which teams work; seconds count from local midnight."""

    id: str
    date: dt.date
    kind: SlotKind
    start_s: int
    end_s: int
    provisional: bool = False

    @property
    def slot_class(self) -> SlotClass:
        """The key time point this slot belongs to."""
        return SLOT_CLASS[self.kind]

    @property
    def balance(self) -> str:
        """The class by which the roster balances people: day, evening, weekend or holiday."""
        if self.slot_class in (SlotClass.EVENING, SlotClass.WEEKEND, SlotClass.HOLIDAY):
            return self.slot_class.value
        return "day"


@dataclass(frozen=True)
class KindRule:
    """How one kind is seen: minutes on site, key time points owed, what to expect, arrival windows."""

    service_s: int
    owes: tuple[SlotClass, ...]
    expected: Mapping[SlotClass, str]
    windows: Mapping[SlotClass, tuple[int, int]]


@dataclass(frozen=True)
class SlotRules:
    """Times of the slots and the rule of every kind."""

    times: Mapping[SlotKind, tuple[int, int]]
    kinds: Mapping[Kind, KindRule]

    def window(self, kind: Kind, slot: Slot) -> tuple[int, int] | None:
        """Return (first, last) second at which a visit of `kind` may start in `slot`, None if never."""
        rule = self.kinds[kind]
        if slot.slot_class not in rule.owes:
            return None
        first, last = rule.windows.get(slot.slot_class, (slot.start_s, slot.end_s - rule.service_s))
        first, last = max(first, slot.start_s), min(last, slot.end_s - rule.service_s)
        return (first, last) if first <= last else None


def read_rules(path: Path = TABLE) -> SlotRules:
    """Read the slot table.

    Raises
    ------
    OptionsError
        With every fault of the table.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise OptionsError([Fault(path.name, "unreadable", {"detail": str(error)})]) from error
    faults: list[Fault] = []
    times = {
        kind: _span(table.get("slot", {}).get(kind.value), f"slot.{kind.value}", faults) for kind in SlotKind
    }
    kinds = {kind: _kind_rule(table.get("kind", {}).get(kind.value), kind, faults) for kind in Kind}
    if faults:
        raise OptionsError(faults)
    return SlotRules(times, kinds)


def _clock(text: object) -> int | None:
    try:
        moment = dt.time.fromisoformat(str(text))
    except ValueError:
        return None
    return moment.hour * 3600 + moment.minute * 60


def _span(entry: Any, where: str, faults: list[Fault]) -> tuple[int, int]:
    pair = (entry.get("from"), entry.get("to")) if isinstance(entry, dict) else entry
    first, last = (_clock(pair[0]), _clock(pair[1])) if pair and len(pair) == 2 else (None, None)
    if first is None or last is None or first >= last:
        faults.append(Fault(where, "bad_span", {"value": str(entry)}))
        return 0, 1
    return first, last


def _kind_rule(entry: Any, kind: Kind, faults: list[Fault]) -> KindRule:
    where = f"kind.{kind.value}"
    if not isinstance(entry, dict) or not isinstance(entry.get("service_min"), int):
        faults.append(Fault(where, "missing", {}))
        return KindRule(0, (), {}, {})
    known = {item.value: item for item in SlotClass}
    unknown = [name for name in entry.get("owes", []) if name not in known]
    expected = entry.get("expected", {})
    unknown += [name for name, word in expected.items() if name not in known or word not in EXPECTATIONS]
    if unknown or entry["service_min"] < 1:
        faults.append(Fault(where, "unknown_words", {"words": unknown}))
        return KindRule(0, (), {}, {})
    windows = {
        known[name]: _span(pair, f"{where}.windows.{name}", faults)
        for name, pair in entry.get("windows", {}).items()
        if name in known
    }
    return KindRule(
        entry["service_min"] * 60,
        tuple(known[name] for name in entry["owes"]),
        {known[name]: word for name, word in expected.items()},
        windows,
    )


def slot_kinds(day: Day) -> tuple[SlotKind, ...]:
    """Return the slots of a day: 调休 Sundays are school days, holidays and breaks have their own."""
    if day.type is DayType.HOLIDAY:
        return SlotKind.HOLIDAY_AM, SlotKind.HOLIDAY_PM
    if day.type is DayType.WEEKEND:
        return SlotKind.WEEKEND_AM, SlotKind.WEEKEND_PM
    if day.school_break:
        # Kindergartens and offices keep working days in the breaks; pupils are free all day.
        return SlotKind.SCHOOL_HOURS, SlotKind.BREAK_AM, SlotKind.BREAK_PM, SlotKind.EVENING
    return SlotKind.SCHOOL_HOURS, SlotKind.NOON, SlotKind.EVENING


def list_slots(calendar: Calendar, *, first: dt.date, last: dt.date, rules: SlotRules) -> tuple[Slot, ...]:
    """Return all slots from `first` to `last`, both inclusive, in order of time."""
    slots = []
    for day in calendar.days(first, last):
        for kind in slot_kinds(day):
            start_s, end_s = rules.times[kind]
            slot_id = f"{day.date.isoformat()}-{kind.value}"
            slots.append(Slot(slot_id, day.date, kind, start_s, end_s, day.provisional))
    return tuple(sorted(slots, key=lambda slot: (slot.date, slot.start_s, slot.id)))
