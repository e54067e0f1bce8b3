"""Named rounds: their dates from the calendar, a bureau's own dates, and what is owed and paid in each."""

from __future__ import annotations

import datetime as dt

import pytest

from data.calendar import Break, Day, shipped_calendar
from data.errors import CalendarError
from data.store import Store
from data.terms import DayType, Kind, RoundName, SlotKind
from planner.errors import PlannerError
from planner.rounds import Round, count_rounds, find_round, list_rounds, load_rounds, round_on, set_round
from planner.slots import read_rules
from tests.conftest import NOW
from tests.register import add_institution, add_visit

WINTER = Break("2026年寒假", dt.date(2026, 1, 24), dt.date(2026, 3, 1))
SUMMER = Break("暑假", dt.date(2026, 7, 11), dt.date(2026, 8, 31))


def dates(rounds: tuple[Round, ...]) -> dict[str, tuple[str, str]]:
    """Return first and last day by name."""
    return {item.name.value: (item.first.isoformat(), item.last.isoformat()) for item in rounds}


def test_the_rounds_of_2026_by_the_notice_and_the_breaks_on_file() -> None:
    """Dates worked out by hand; the Sunday 20 September is worked, so it is no holiday's."""
    rounds = list_rounds(shipped_calendar(breaks=[WINTER, SUMMER]), 2026)
    assert dates(rounds) == {
        "winter_break": ("2026-01-24", "2026-03-01"),
        "spring_start": ("2026-03-02", "2026-03-15"),
        "spring_term": ("2026-03-16", "2026-07-10"),
        "dragon_boat": ("2026-06-19", "2026-06-21"),
        "summer_break": ("2026-07-11", "2026-08-31"),
        "autumn_start": ("2026-09-01", "2026-09-14"),
        "autumn_term": ("2026-09-15", "2027-01-14"),
        "mid_autumn": ("2026-09-25", "2026-09-27"),
        "national_day": ("2026-10-01", "2026-10-07"),
    }
    # The winter break of 2027 is not on file, so the end of the autumn term is a habit only.
    assert [item.name for item in rounds if item.provisional] == [RoundName.AUTUMN_TERM]


def test_a_term_starts_on_its_first_school_day() -> None:
    """A break that ends on a Friday: the weekend after it is not yet school."""
    spring = Break("寒假", dt.date(2026, 1, 24), dt.date(2026, 3, 6))
    rounds = dates(list_rounds(shipped_calendar(breaks=[spring]), 2026))
    assert rounds["spring_start"] == ("2026-03-09", "2026-03-22")
    # Saturday 28 February is worked in 2026.
    short = Break("寒假", dt.date(2026, 1, 24), dt.date(2026, 2, 27))
    assert dates(list_rounds(shipped_calendar(breaks=[short]), 2026))["spring_start"][0] == "2026-02-28"


def test_joined_holidays_share_their_dates_and_unpublished_years_are_provisional() -> None:
    """In 2025 one notice joins 国庆 and 中秋; 2027 has statutory days only."""
    rounds = dates(list_rounds(shipped_calendar(), 2025))
    assert rounds["mid_autumn"] == rounds["national_day"] == ("2025-10-01", "2025-10-08")
    waiting = {item.name for item in list_rounds(shipped_calendar(), 2027) if item.provisional}
    assert {RoundName.DRAGON_BOAT, RoundName.NATIONAL_DAY, RoundName.SUMMER_BREAK} <= waiting


def test_a_day_the_bureau_made_a_workday_is_not_in_the_round() -> None:
    """The overridable calendar decides."""
    worked = Day(dt.date(2026, 6, 21), DayType.SHIFTED_WORKDAY, "", "市通知")
    rounds = dates(list_rounds(shipped_calendar(overrides=[worked]), 2026))
    assert rounds["dragon_boat"] == ("2026-06-19", "2026-06-20")


def test_an_unknown_break_is_refused() -> None:
    """Only the two breaks that schools have."""
    with pytest.raises(CalendarError):
        shipped_calendar().school_break("春假", 2026)


def test_own_dates_override_and_are_kept_once(store: Store) -> None:
    """Set twice, the later holds; other years are as before."""
    first, last = dt.date(2026, 9, 1), dt.date(2026, 9, 20)
    with store.begin(actor="t", now=NOW) as session:
        for end in (dt.date(2026, 9, 10), last):
            set_round(session, Round(RoundName.AUTUMN_START, 2026, first, end, False, "区教育局通知"))
        own = next(item for item in load_rounds(session, 2026) if item.name is RoundName.AUTUMN_START)
        assert (own.first, own.last, own.source) == (first, last, "区教育局通知")
        assert dates(load_rounds(session, 2025)) == dates(list_rounds(shipped_calendar(), 2025))
        with pytest.raises(PlannerError) as refusal:
            set_round(session, Round(RoundName.AUTUMN_START, 2026, last, first))
        assert refusal.value.code == "round_reversed"


@pytest.mark.parametrize(
    ("word", "first", "last", "name"),
    [
        ("national_day", "2026-10-01", "2026-10-07", RoundName.NATIONAL_DAY),
        ("国庆", "2026-10-03", "2026-10-04", RoundName.NATIONAL_DAY),
        ("normal", "2026-11-23", "2026-12-06", RoundName.AUTUMN_TERM),
        ("normal", "2027-01-04", "2027-01-10", RoundName.AUTUMN_TERM),
        ("日常", "2026-04-06", "2026-04-12", RoundName.SPRING_TERM),
        ("开学", "2026-09-01", "2026-09-07", RoundName.AUTUMN_START),
    ],
)
def test_a_round_is_found_by_its_word_and_the_period(
    store: Store, word: str, first: str, last: str, name: RoundName
) -> None:
    """Identifier, Chinese label, or the word for rounds that a year has twice."""
    with store.reading() as session:
        found = find_round(
            session, word, first=dt.date.fromisoformat(first), last=dt.date.fromisoformat(last)
        )
        assert found.name is name


@pytest.mark.parametrize(
    ("word", "code"), [("国庆", "outside_round"), ("元宵", "unknown_round"), ("normal", "outside_round")]
)
def test_a_period_outside_its_round_is_refused(store: Store, word: str, code: str) -> None:
    """A visit after the round's last day would pay nothing in it."""
    with store.reading() as session, pytest.raises(PlannerError) as refusal:
        find_round(session, word, first=dt.date(2026, 10, 5), last=dt.date(2027, 3, 8))
    assert refusal.value.code == code


def test_a_visit_pays_in_every_round_it_falls_into(store: Store) -> None:
    """Subject tutoring owes the holiday in 国庆 and in the term round it lies in."""
    with store.begin(actor="t", now=NOW) as session:
        place = add_institution(session, 1, kind=Kind.SUBJECT)
        add_visit(session, place, dt.date(2026, 10, 2), slot=SlotKind.HOLIDAY_AM)
        counts = {
            item.round.name: (item.owed, item.paid)
            for item in count_rounds(session, 2026, rules=read_rules())
        }
        assert counts[RoundName.NATIONAL_DAY] == (1, 1)
        assert counts[RoundName.AUTUMN_TERM] == (3, 1)
        assert counts[RoundName.MID_AUTUMN] == (1, 0)
        assert counts[RoundName.SUMMER_BREAK] == (3, 0)


def test_a_day_belongs_to_the_shortest_round_that_holds_it() -> None:
    """2 October is 国庆, not merely the autumn term."""
    rounds = list_rounds(shipped_calendar(), 2026)
    named = [round_on(rounds, dt.date(2026, 10, day)) for day in (2, 20)]
    assert [item.name for item in named if item] == [RoundName.NATIONAL_DAY, RoundName.AUTUMN_TERM]
    assert round_on(rounds, dt.date(2028, 1, 1)) is None
