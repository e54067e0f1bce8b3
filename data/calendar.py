"""Workdays, holidays, 调休 and school breaks: an overridable table that never guesses silently."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import holidays
from sqlalchemy import select
from sqlalchemy.orm import Session

from data.errors import CalendarError
from data.schema import CalendarDay, SchoolBreak
from data.terms import DayType

TABLE = Path(__file__).with_name("holidays.toml")
STATUTORY_SOURCE = "全国年节及纪念日放假办法"
# School breaks are set by the province or city; these months and days are only a habit, so provisional.
_HABITUAL_BREAKS = (("寒假", (1, 15), (2, 28)), ("暑假", (7, 10), (8, 31)))


@dataclass(frozen=True)
class Day:
    """What one date is, with the name of its holiday and where that comes from."""

    date: dt.date
    type: DayType
    name: str = ""
    source: str = ""
    provisional: bool = False
    school_break: str = ""

    @property
    def is_school_day(self) -> bool:
        """Whether schools teach: a workday (after 调休) outside the breaks."""
        return self.type in (DayType.WORKDAY, DayType.SHIFTED_WORKDAY) and not self.school_break


@dataclass(frozen=True)
class Break:
    """A school break, both dates inclusive."""

    name: str
    first_day: dt.date
    last_day: dt.date


@dataclass(frozen=True)
class Calendar:
    """The district's calendar: overrides first, then announced years, then statutory days.

    Parameters
    ----------
    announced
        Dates of announced years that are not plain workdays or weekends.
    announced_years
        Years whose arrangement is published.
    overrides
        The bureau's own word on single dates.
    breaks
        School breaks on file; a year without any gets the habitual ones.
    """

    announced: Mapping[dt.date, Day]
    announced_years: frozenset[int]
    overrides: Mapping[dt.date, Day] = field(default_factory=dict)
    breaks: tuple[Break, ...] = ()

    def day(self, date: dt.date) -> Day:
        """Return what `date` is; dates of unpublished years are marked provisional."""
        known = self.overrides.get(date) or self.announced.get(date)
        provisional = date.year not in self.announced_years and date not in self.overrides
        if known is None:
            known = self._statutory(date) if provisional else _plain_day(date)
        return Day(date, known.type, known.name, known.source, provisional, self._break_name(date))

    def days(self, first: dt.date, last: dt.date) -> list[Day]:
        """Return every day from `first` to `last`, both inclusive."""
        return [self.day(first + dt.timedelta(days=i)) for i in range((last - first).days + 1)]

    def add_workdays(self, date: dt.date, count: int) -> dt.date:
        """Return the date `count` workdays after `date` (working-day clocks of the law)."""
        step = date
        while count > 0:
            step += dt.timedelta(days=1)
            if self.day(step).type in (DayType.WORKDAY, DayType.SHIFTED_WORKDAY):
                count -= 1
        return step

    def school_break(self, name: str, year: int) -> tuple[Break, bool]:
        """Return the break called `name` (寒假 or 暑假) that begins in `year`, and whether it is on file.

        Raises
        ------
        CalendarError
            `unknown_break` for a name that no habit knows.
        """
        for known in self.breaks:
            if name[0] in known.name and known.first_day.year == year:
                return known, True
        for habit, (m1, d1), (m2, d2) in _HABITUAL_BREAKS:
            if habit == name:
                return Break(name, dt.date(year, m1, d1), dt.date(year, m2, d2)), False
        raise CalendarError("unknown_break", name=name)

    def _statutory(self, date: dt.date) -> Day:
        # observed=False: substitute days off are 调休, which only the announcement decides.
        name = holidays.country_holidays("CN", years=date.year, observed=False, language="zh_CN").get(date)
        if name:
            return Day(date, DayType.HOLIDAY, str(name).split(";")[0], STATUTORY_SOURCE)
        return _plain_day(date)

    def _break_name(self, date: dt.date) -> str:
        on_file = [b for b in self.breaks if date.year in (b.first_day.year, b.last_day.year)]
        for known in on_file:
            if known.first_day <= date <= known.last_day:
                return known.name
        if on_file:
            return ""
        for name, (m1, d1), (m2, d2) in _HABITUAL_BREAKS:
            if (m1, d1) <= (date.month, date.day) <= (m2, d2):
                return name
        return ""


def _plain_day(date: dt.date) -> Day:
    return Day(date, DayType.WEEKEND if date.weekday() >= 5 else DayType.WORKDAY)


def shipped_calendar(
    *, overrides: Iterable[Day] = (), breaks: Iterable[Break] = (), table: Path = TABLE
) -> Calendar:
    """Return the calendar of the shipped table with a bureau's overrides and school breaks.

    Raises
    ------
    CalendarError
        `broken_table` when the table cannot be read.
    """
    announced: dict[dt.date, Day] = {}
    years: set[int] = set()
    try:
        entries = tomllib.loads(table.read_text(encoding="utf-8"))["year"]
        for entry in entries:
            years.add(entry["year"])
            for span in entry["spans"]:
                for i in range((span["to"] - span["from"]).days + 1):
                    date = span["from"] + dt.timedelta(days=i)
                    announced[date] = Day(date, DayType.HOLIDAY, span["name"], entry["source"])
            for date in entry["worked"]:
                announced[date] = Day(date, DayType.SHIFTED_WORKDAY, "", entry["source"])
    except (OSError, KeyError, TypeError, tomllib.TOMLDecodeError) as error:
        raise CalendarError("broken_table", table=table.name) from error
    return Calendar(announced, frozenset(years), {d.date: d for d in overrides}, tuple(breaks))


def load_calendar(session: Session) -> Calendar:
    """Return the district's calendar with its overrides and school breaks from the database."""
    overrides = [
        Day(row.date, row.day_type, row.name, row.source)
        for row in session.scalars(select(CalendarDay).order_by(CalendarDay.date))
    ]
    breaks = [
        Break(row.name, row.first_day, row.last_day)
        for row in session.scalars(select(SchoolBreak).order_by(SchoolBreak.first_day))
    ]
    return shipped_calendar(overrides=overrides, breaks=breaks)
