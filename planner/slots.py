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
        return balance_class(self.kind)


def balance_class(kind: SlotKind) -> str:
    """Return the class by which shifts of a kind are balanced between people."""
    slot_class = SLOT_CLASS[kind]
    if slot_class in (SlotClass.EVENING, SlotClass.WEEKEND, SlotClass.HOLIDAY):
        return slot_class.value
    return "day"


@dataclass(frozen=True)
class KindRule:
    """How one kind is seen: minutes on site, key time points owed, what to expect, arrival windows."""

    service_s: int
    owes: tuple[SlotClass, ...]
    expected: Mapping[SlotClass, str]
    windows: Mapping[SlotClass, tuple[int, int]]


@dataclass(frozen=True)
class CapRule:
    """How many inspections an enterprise may get in a calendar year, None for any number; kinds without."""

    inspections_a_year: int | None = None
    exempt_kinds: tuple[Kind, ...] = ()


@dataclass(frozen=True)
class SlotRules:
    """Times of the slots, the rule of every kind and the yearly cap."""

    times: Mapping[SlotKind, tuple[int, int]]
    kinds: Mapping[Kind, KindRule]
    cap: CapRule = CapRule()

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
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OptionsError([Fault(path.name, "unreadable", {"detail": str(error)})]) from error
    faults: list[Fault] = []
    spans, entries = (_table(table.get(name), name, faults) for name in ("slot", "kind"))
    times = {kind: _span(spans.get(kind.value), f"slot.{kind.value}", faults) for kind in SlotKind}
    kinds = {kind: _kind_rule(entries.get(kind.value), kind, faults) for kind in Kind}
    cap = _cap_rule(_table(table.get("cap", {}), "cap", faults), faults)
    if faults:
        raise OptionsError(faults)
    return SlotRules(times, kinds, cap)


def _table(entry: Any, where: str, faults: list[Fault]) -> Mapping[str, Any]:
    if isinstance(entry, dict):
        return entry
    faults.append(Fault(where, "missing", {}))
    return {}


def _clock(text: object) -> int | None:
    try:
        moment = dt.time.fromisoformat(str(text))
    except ValueError:
        return None
    return moment.hour * 3600 + moment.minute * 60


def _span(entry: Any, where: str, faults: list[Fault]) -> tuple[int, int]:
    pair = [entry.get("from"), entry.get("to")] if isinstance(entry, dict) else entry
    times = [_clock(text) for text in pair] if isinstance(pair, list) and len(pair) == 2 else [None, None]
    first, last = times
    if first is None or last is None or first >= last:
        faults.append(Fault(where, "bad_span", {"value": str(entry)}))
        return 0, 1
    return first, last


def _kind_rule(entry: Any, kind: Kind, faults: list[Fault]) -> KindRule:
    where = f"kind.{kind.value}"
    known = {item.value: item for item in SlotClass}
    entry = _table(entry, where, faults)
    minutes, owes = entry.get("service_min"), entry.get("owes")
    expected = _table(entry.get("expected", {}), f"{where}.expected", faults)
    windows = _table(entry.get("windows", {}), f"{where}.windows", faults)
    if type(minutes) is not int or minutes < 1:
        faults.append(Fault(f"{where}.service_min", "too_small", {"least": 1}))
        minutes = 1
    if not isinstance(owes, list):
        faults.append(Fault(f"{where}.owes", "missing", {}))
        owes = []
    unknown = [str(name) for name in [*owes, *expected, *windows] if str(name) not in known]
    unknown += [str(word) for word in expected.values() if word not in EXPECTATIONS]
    if unknown:
        faults.append(Fault(where, "unknown_words", {"words": unknown}))
    return KindRule(
        minutes * 60,
        tuple(known[str(name)] for name in owes if str(name) in known),
        {known[name]: str(word) for name, word in expected.items() if name in known},
        {
            known[name]: _span(pair, f"{where}.windows.{name}", faults)
            for name, pair in windows.items()
            if name in known
        },
    )


def _cap_rule(entry: Mapping[str, Any], faults: list[Fault]) -> CapRule:
    most, exempt = entry.get("inspections_a_year"), entry.get("exempt_kinds", [])
    if most is not None and (type(most) is not int or most < 0):
        faults.append(Fault("cap.inspections_a_year", "too_small", {"least": 0}))
    known = {kind.value: kind for kind in Kind}
    if not isinstance(exempt, list) or not set(map(str, exempt)) <= set(known):
        faults.append(Fault("cap.exempt_kinds", "unknown_words", {"words": str(exempt)}))
        exempt = []
    return CapRule(most, tuple(known[str(name)] for name in exempt))


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
