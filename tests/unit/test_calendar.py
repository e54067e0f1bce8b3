"""The calendar: announced years exactly, unknown years marked, overrides first."""

from __future__ import annotations

import datetime as dt

import chinese_calendar
import pytest

from data.calendar import Break, Day, load_calendar, shipped_calendar
from data.errors import CalendarError
from data.schema import CalendarDay, SchoolBreak
from data.store import Store
from data.terms import DayType
from tests.conftest import NOW


def test_agrees_with_an_independent_library_on_every_announced_day() -> None:
    """2,191 days of 2021 to 2026, working or not, 调休 included."""
    calendar = shipped_calendar()
    wrong = [
        day.date
        for day in calendar.days(dt.date(2021, 1, 1), dt.date(2026, 12, 31))
        if (day.type in (DayType.WORKDAY, DayType.SHIFTED_WORKDAY)) != chinese_calendar.is_workday(day.date)
    ]
    assert wrong == []


def test_make_up_sunday_is_a_school_day() -> None:
    """Sunday 2026-09-20 is worked, so it has an evening, not a weekend, pattern."""
    day = shipped_calendar().day(dt.date(2026, 9, 20))
    assert day.type is DayType.SHIFTED_WORKDAY
    assert day.is_school_day


def test_unpublished_year_is_provisional_with_statutory_days_only() -> None:
    """2027 is not announced: its statutory days are known, its 调休 is not, and each day says so."""
    calendar = shipped_calendar()
    days = calendar.days(dt.date(2027, 1, 1), dt.date(2027, 12, 31))
    assert all(day.provisional for day in days)
    off = [day.date for day in days if day.type is DayType.HOLIDAY]
    assert len(off) == 13
    assert dt.date(2027, 2, 6) in off
    assert not any(day.type is DayType.SHIFTED_WORKDAY for day in days)


def test_override_wins_and_is_not_provisional() -> None:
    """The bureau's own word on a date outranks every table."""
    date = dt.date(2027, 2, 20)
    calendar = shipped_calendar(overrides=[Day(date, DayType.SHIFTED_WORKDAY, "", "市通知")])
    assert calendar.day(date).type is DayType.SHIFTED_WORKDAY
    assert not calendar.day(date).provisional


def test_school_breaks_on_file_replace_the_habitual_ones() -> None:
    """Breaks are set locally; the habit only serves where nothing is on file."""
    habit = shipped_calendar()
    assert habit.day(dt.date(2026, 7, 20)).school_break == "暑假"
    filed = shipped_calendar(breaks=[Break("暑假", dt.date(2026, 7, 25), dt.date(2026, 8, 31))])
    assert filed.day(dt.date(2026, 7, 20)).school_break == ""
    assert filed.day(dt.date(2026, 7, 25)).school_break == "暑假"


def test_workday_clock_skips_holidays_and_counts_make_up_days() -> None:
    """Five workdays after 2026-09-30 lie behind the National Day week and the make-up Saturday."""
    assert shipped_calendar().add_workdays(dt.date(2026, 9, 30), 3) == dt.date(2026, 10, 10)


def test_broken_table_is_refused(tmp_path: object) -> None:
    """A damaged table is an error, never an empty calendar."""
    from pathlib import Path

    table = Path(str(tmp_path)) / "holidays.toml"
    table.write_text("year = 3")
    with pytest.raises(CalendarError) as refusal:
        shipped_calendar(table=table)
    assert refusal.value.code == "broken_table"


def test_database_rows_reach_the_calendar(store: Store) -> None:
    """Overrides and breaks are register records."""
    with store.begin(actor="clerk", now=NOW) as session:
        session.add(
            CalendarDay(date=dt.date(2026, 12, 5), day_type=DayType.WORKDAY, name="", source="区通知")
        )
        session.add(
            SchoolBreak(
                name="寒假", first_day=dt.date(2027, 1, 20), last_day=dt.date(2027, 2, 25), source="市教育局"
            )
        )
    with store.reading() as session:
        calendar = load_calendar(session)
    assert calendar.day(dt.date(2026, 12, 5)).type is DayType.WORKDAY
    assert calendar.day(dt.date(2027, 1, 20)).school_break == "寒假"
