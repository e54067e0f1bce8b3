"""Coverage rounds of a year: 开学, 端午, 中秋, 国庆, 寒假, 暑假 and the terms between, with their dates.

Dates come from the calendar table and the school breaks; a bureau's own dates override them. A term's start
(开学) is its first school day and the 13 days after; the ordinary round lasts from then to the next break.
A holiday's round is its days off: 调休 workdays are not among them, and where one notice joins two holidays
both rounds have its dates. Rounds may overlap: a visit pays in every round it falls into.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.calendar import Calendar, load_calendar
from data.schema import CoverageRound
from data.terms import DayType, RoundName
from planner.errors import PlannerError
from planner.ledger import owed
from planner.slots import SlotRules, list_slots

START_DAYS = 14
_HOLIDAYS = (
    (RoundName.DRAGON_BOAT, "端午"),
    (RoundName.MID_AUTUMN, "中秋"),
    (RoundName.NATIONAL_DAY, "国庆"),
)
# Words for the rounds that a year has twice: the one that holds the period is meant.
_ALIASES: Mapping[str, tuple[RoundName, ...]] = {
    "normal": (RoundName.SPRING_TERM, RoundName.AUTUMN_TERM),
    "日常": (RoundName.SPRING_TERM, RoundName.AUTUMN_TERM),
    "term_start": (RoundName.SPRING_START, RoundName.AUTUMN_START),
    "开学": (RoundName.SPRING_START, RoundName.AUTUMN_START),
}


@dataclass(frozen=True)
class Round:
    """A round, both dates inclusive; `provisional` where a notice or a school break is not on file yet."""

    name: RoundName
    year: int
    first: dt.date
    last: dt.date
    provisional: bool = False
    source: str = ""


@dataclass(frozen=True)
class RoundCount:
    """A round with what is owed and paid in it: institutions x key time points (家次)."""

    round: Round
    owed: int
    paid: int


def list_rounds(calendar: Calendar, year: int, *, overrides: Sequence[Round] = ()) -> tuple[Round, ...]:
    """Return the rounds that begin in `year`, in order of time; overrides of that year replace their like."""
    found = {item.name: item for item in [*_term_rounds(calendar, year), *_holiday_rounds(calendar, year)]}
    found |= {item.name: item for item in overrides if item.year == year}
    return tuple(sorted(found.values(), key=lambda item: (item.first, item.last, item.name.value)))


def _term_rounds(calendar: Calendar, year: int) -> list[Round]:
    winter, winter_filed = calendar.school_break("寒假", year)
    summer, summer_filed = calendar.school_break("暑假", year)
    following, following_filed = calendar.school_break("寒假", year + 1)
    return [
        Round(RoundName.WINTER_BREAK, year, winter.first_day, winter.last_day, not winter_filed),
        Round(RoundName.SUMMER_BREAK, year, summer.first_day, summer.last_day, not summer_filed),
        *_term(
            (RoundName.SPRING_START, RoundName.SPRING_TERM),
            year,
            first=_first_school_day(calendar, winter.last_day),
            until=summer.first_day,
            provisional=(not winter_filed, not summer_filed),
        ),
        *_term(
            (RoundName.AUTUMN_START, RoundName.AUTUMN_TERM),
            year,
            first=_first_school_day(calendar, summer.last_day),
            until=following.first_day,
            provisional=(not summer_filed, not following_filed),
        ),
    ]


def _term(
    names: tuple[RoundName, RoundName],
    year: int,
    *,
    first: dt.date,
    until: dt.date,
    provisional: tuple[bool, bool],
) -> list[Round]:
    """Return the start and the rest of a term; a term too short for both has only a start."""
    day = dt.timedelta(days=1)
    rest = first + START_DAYS * day
    rounds = [Round(names[0], year, first, min(rest, until) - day, provisional[0])]
    if rest < until:
        rounds.append(Round(names[1], year, rest, until - day, any(provisional)))
    return rounds


def _first_school_day(calendar: Calendar, after: dt.date) -> dt.date:
    day = after + dt.timedelta(days=1)
    while not calendar.day(day).is_school_day:
        day += dt.timedelta(days=1)
    return day


def _holiday_rounds(calendar: Calendar, year: int) -> list[Round]:
    days = calendar.days(dt.date(year, 1, 1), dt.date(year, 12, 31))
    off = [day for day in days if day.type is DayType.HOLIDAY]
    rounds = []
    for name, word in _HOLIDAYS:
        own = [day for day in off if word in day.name]
        if own:
            waiting = any(day.provisional for day in own)
            rounds.append(Round(name, year, own[0].date, own[-1].date, waiting, own[0].source))
    return rounds


def load_rounds(session: Session, year: int) -> tuple[Round, ...]:
    """Return the district's rounds that begin in `year`."""
    rows = session.scalars(select(CoverageRound).where(CoverageRound.year == year))
    own = [Round(row.name, row.year, row.first_day, row.last_day, False, row.source) for row in rows]
    return list_rounds(load_calendar(session), year, overrides=own)


def count_rounds(session: Session, year: int, *, rules: SlotRules) -> tuple[RoundCount, ...]:
    """Return the rounds of a year with what is owed and paid in each."""
    calendar = load_calendar(session)
    counts = []
    for item in load_rounds(session, year):
        slots = list_slots(calendar, first=item.first, last=item.last, rules=rules)
        classes = {slot.slot_class for slot in slots}
        ledger = owed(session, round_from=item.first, round_to=item.last, rules=rules, classes=classes)
        counts.append(RoundCount(item, int(ledger["owed"].sum()), int(ledger["paid"].sum())))
    return tuple(counts)


def set_round(session: Session, item: Round) -> None:
    """Store a bureau's own dates of a round, in place of those of before.

    Raises
    ------
    PlannerError
        `round_reversed`.
    """
    if item.last < item.first:
        raise PlannerError(code="round_reversed", fields={"first": str(item.first), "last": str(item.last)})
    statement = select(CoverageRound).where(CoverageRound.year == item.year, CoverageRound.name == item.name)
    row = session.scalar(statement)
    if row is None:
        row = CoverageRound(year=item.year, name=item.name)
        session.add(row)
    row.first_day, row.last_day, row.source = item.first, item.last, item.source
    session.flush()


def name_round(word: str) -> tuple[RoundName, ...]:
    """Return the rounds a word may mean: an identifier, a Chinese label, or normal, 日常, term_start, 开学.

    Raises
    ------
    PlannerError
        `unknown_round`.
    """
    for name in RoundName:
        if word in (name.value, name.zh):
            return (name,)
    if word in _ALIASES:
        return _ALIASES[word]
    known = [*(name.value for name in RoundName), "normal", "term_start"]
    raise PlannerError(code="unknown_round", fields={"round": word, "known": known})


def find_round(session: Session, word: str, *, first: dt.date, last: dt.date) -> Round:
    """Return the round of that name which holds the whole period.

    Raises
    ------
    PlannerError
        `unknown_round`, `outside_round` with the dates of the nearest one.
    """
    names = name_round(word)
    known = [
        item
        for year in (first.year - 1, first.year)
        for item in load_rounds(session, year)
        if item.name in names
    ]
    for item in known:
        if item.first <= first and last <= item.last:
            return item
    nearest = min(known, key=lambda item: abs((item.first - first).days), default=None)
    raise PlannerError(
        code="outside_round",
        fields={
            "round": word,
            "first": str(nearest.first) if nearest else "",
            "last": str(nearest.last) if nearest else "",
        },
    )


def round_on(rounds: Sequence[Round], day: dt.date) -> Round | None:
    """Return the round a day belongs to: the shortest of those that hold it."""
    holding = [item for item in rounds if item.first <= day <= item.last]
    return min(holding, key=lambda item: (item.last - item.first, item.name.value), default=None)
