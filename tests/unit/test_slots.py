"""Slots of a period and the table of when each kind can be seen (domain facts 3 and 6)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from data.calendar import Break, shipped_calendar
from data.terms import Kind, SlotClass, SlotKind
from planner.errors import OptionsError
from planner.slots import TABLE, Slot, list_slots, read_rules

RULES = read_rules()


def kinds_on(date: dt.date) -> list[SlotKind]:
    """Return the kinds of the slots of one date."""
    slots = list_slots(shipped_calendar(), first=date, last=date, rules=RULES)
    return [slot.kind for slot in slots]


@pytest.mark.parametrize(
    ("date", "wanted"),
    [
        (dt.date(2026, 9, 18), ["school_hours", "noon", "evening"]),
        (dt.date(2026, 9, 20), ["school_hours", "noon", "evening"]),  # a Sunday that is worked
        (dt.date(2026, 9, 19), ["weekend_am", "weekend_pm"]),
        (dt.date(2026, 10, 1), ["holiday_am", "holiday_pm"]),
        (dt.date(2026, 7, 22), ["break_am", "school_hours", "break_pm", "evening"]),
        (dt.date(2026, 7, 25), ["weekend_am", "weekend_pm"]),
    ],
)
def test_slots_follow_the_calendar_not_the_weekday(date: dt.date, wanted: list[str]) -> None:
    """调休 Sundays are school days, holidays and breaks have their own slots; all in order of time."""
    assert [kind.value for kind in kinds_on(date)] == wanted


def test_dates_of_an_unpublished_year_are_provisional() -> None:
    """2027 is not announced; 2026 is."""
    slots = list_slots(shipped_calendar(), first=dt.date(2026, 12, 31), last=dt.date(2027, 1, 4), rules=RULES)
    assert {slot.date.year: slot.provisional for slot in slots} == {2026: False, 2027: True}


def test_breaks_on_file_replace_the_habitual_ones() -> None:
    """With the bureau's own break, 10 July is a school day."""
    calendar = shipped_calendar(breaks=[Break("暑假", dt.date(2026, 7, 20), dt.date(2026, 8, 31))])
    slots = list_slots(calendar, first=dt.date(2026, 7, 14), last=dt.date(2026, 7, 14), rules=RULES)
    assert SlotKind.NOON in {slot.kind for slot in slots}


def slot(kind: SlotKind) -> Slot:
    """Return a slot with the table's times."""
    return Slot("s", dt.date(2026, 11, 23), kind, *RULES.times[kind])


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("slot_kind", list(SlotKind))
def test_a_window_lies_inside_its_slot_and_leaves_time_for_the_visit(kind: Kind, slot_kind: SlotKind) -> None:
    """A window exists exactly where the kind owes, and a visit begun at its end still ends in the slot."""
    at = slot(slot_kind)
    window = RULES.window(kind, at)
    assert (window is not None) == (at.slot_class in RULES.kinds[kind].owes)
    if window is not None:
        assert at.start_s <= window[0] <= window[1] <= at.end_s - RULES.kinds[kind].service_s


def test_kinds_are_seen_when_they_can_be_seen() -> None:
    """Kindergartens only in school hours; care at noon; subject never sought in school hours."""
    assert RULES.kinds[Kind.KINDERGARTEN].owes == (SlotClass.SCHOOL_HOURS,)
    assert SlotClass.NOON in RULES.kinds[Kind.CARE].owes
    assert RULES.kinds[Kind.SUBJECT].expected[SlotClass.WEEKEND] == "closed"
    assert RULES.kinds[Kind.NON_SUBJECT].expected[SlotClass.WEEKEND] == "open"
    assert [k for k in Kind if SlotClass.SCHOOL_HOURS in RULES.kinds[k].owes] == [Kind.KINDERGARTEN]


def test_a_visit_longer_than_its_slot_has_no_window() -> None:
    """Ten minutes are too few for a kindergarten."""
    short = Slot("s", dt.date(2026, 11, 23), SlotKind.SCHOOL_HOURS, 9 * 3600, 9 * 3600 + 600)
    assert RULES.window(Kind.KINDERGARTEN, short) is None


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("[slot]", "[slots]", "missing"),
        ('noon = { from = "11:00", to = "13:30" }', "noon = 5", "bad_span"),
        ('noon = { from = "11:00", to = "13:30" }', 'noon = { from = "13:30", to = "11:00" }', "bad_span"),
        ('noon = { from = "11:00", to = "13:30" }', 'noon = { from = "11:00", to = "24:00" }', "bad_span"),
        ("service_min = 30", "service_min = 0", "too_small"),
        ("service_min = 30", "service_min = true", "too_small"),
        ("service_min = 30", 'service_min = "30"', "too_small"),
        ('owes = ["school_hours"]', "", "missing"),
        ('owes = ["school_hours"]', "owes = 5", "missing"),
        ('owes = ["school_hours"]', 'owes = ["morning"]', "unknown_words"),
        ('owes = ["school_hours"]', "owes = [[1]]", "unknown_words"),
        ('expected = { school_hours = "open" }', "expected = 5", "missing"),
        ('expected = { school_hours = "open" }', 'expected = { school_hours = "maybe" }', "unknown_words"),
        ('windows = { school_hours = ["09:00", "11:00"] }', "windows = 5", "missing"),
        (
            'windows = { school_hours = ["09:00", "11:00"] }',
            'windows = { morning = ["09:00", "11:00"] }',
            "unknown_words",
        ),
        ('windows = { school_hours = ["09:00", "11:00"] }', 'windows = { school_hours = ["9"] }', "bad_span"),
        ("[kind.kindergarten]", "[kind.nursery]", "missing"),
    ],
)
def test_a_broken_table_is_refused_with_its_fault(tmp_path: Path, old: str, new: str, code: str) -> None:
    """A bureau's own table never crashes the desk: the fault is named."""
    text = TABLE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "slots.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(OptionsError) as refusal:
        read_rules(path)
    assert code in {fault.code for fault in refusal.value.faults}


@pytest.mark.parametrize("content", [b"[slot", b"\xff\xfe", None])
def test_an_unreadable_table_is_refused(tmp_path: Path, content: bytes | None) -> None:
    """No file, no TOML, no UTF-8."""
    path = tmp_path / "slots.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OptionsError) as refusal:
        read_rules(path)
    assert refusal.value.faults[0].code == "unreadable"
