"""The half-year of people: which plan was in force, who worked, what leave and a late start spare."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from data.store import Store
from data.terms import PlanStatus, SlotKind
from planner.attendance import (
    Attended,
    Presence,
    balance_half_year,
    pairs_met,
    plans_in_force,
    read_attendance,
    recent_shifts,
)
from planner.crew import PastShift
from tests.conftest import NOW
from tests.register import add_officers, add_plan, add_shift

DAY = dt.timedelta(days=1)
FIRST = dt.date(2026, 11, 2)


def noon(day: dt.date) -> dt.datetime:
    """Return noon of a local date."""
    return dt.datetime(day.year, day.month, day.day, 4, tzinfo=dt.UTC)


def make_plan(
    session: Session,
    first: dt.date,
    last: dt.date,
    *,
    published: dt.date | None,
    status: PlanStatus = PlanStatus.PUBLISHED,
) -> int:
    """Add a plan and return its id."""
    at = None if published is None else noon(published)
    return add_plan(session, first, last, status=status, published_at=at)


def worked(session: Session, before: dt.date) -> list[tuple[dt.date, tuple[str, ...]]]:
    """Return date and crew of the shifts of the half-year."""
    return [(shift.date, shift.members) for shift in read_attendance(session, before=before)]


def test_a_superseded_plan_counts_until_the_next_was_published(store: Store) -> None:
    """Every date has one plan: what was superseded later still happened, nothing counts twice."""
    with store.begin(actor="t", now=NOW) as session:
        add_officers(session)
        old = make_plan(session, FIRST, FIRST + 5 * DAY, published=FIRST - DAY, status=PlanStatus.SUPERSEDED)
        new = make_plan(session, FIRST, FIRST + 6 * DAY, published=FIRST + 3 * DAY)
        for plan, crew in ((old, ("O1", "O2")), (new, ("O3", "O4"))):
            for number in range(6):
                add_shift(session, plan, FIRST + number * DAY, crew)
        force = plans_in_force(session, FIRST - DAY, FIRST + 9 * DAY)
        assert force == {FIRST + number * DAY: old if number < 3 else new for number in range(7)}
        found = worked(session, FIRST + 9 * DAY)
    assert [day for day, _ in found] == [FIRST + number * DAY for number in range(6)]
    assert [crew for _, crew in found] == [("O1", "O2")] * 3 + [("O3", "O4")] * 3


def test_of_overlapping_plans_the_one_published_last_wins(store: Store) -> None:
    """Also where both are still published."""
    with store.begin(actor="t", now=NOW) as session:
        add_officers(session)
        wide = make_plan(session, FIRST, FIRST + 6 * DAY, published=FIRST - 2 * DAY)
        part = make_plan(session, FIRST + 2 * DAY, FIRST + 3 * DAY, published=FIRST - DAY)
        for number in range(4):
            add_shift(session, wide, FIRST + number * DAY, ("O1", "O2"))
        add_shift(session, part, FIRST + 2 * DAY, ("O3", "O4"))
        found = worked(session, FIRST + 30 * DAY)
    assert found == [(FIRST, ("O1", "O2")), (FIRST + DAY, ("O1", "O2")), (FIRST + 2 * DAY, ("O3", "O4"))]


@pytest.mark.parametrize("status", [PlanStatus.DRAFT, PlanStatus.PUBLISHED])
def test_drafts_and_late_publications_never_happened(store: Store, status: PlanStatus) -> None:
    """Nobody worked by a plan that was published after the date."""
    published = None if status is PlanStatus.DRAFT else FIRST + 3 * DAY
    with store.begin(actor="t", now=NOW) as session:
        add_officers(session)
        plan = make_plan(session, FIRST, FIRST + 2 * DAY, published=published, status=status)
        add_shift(session, plan, FIRST, ("O1", "O2"))
        assert worked(session, FIRST + 30 * DAY) == []


def test_the_half_year_ends_the_day_before(store: Store) -> None:
    """183 days count, the day itself does not; the class follows the slot."""
    before = FIRST + 183 * DAY
    with store.begin(actor="t", now=NOW) as session:
        add_officers(session)
        plan = make_plan(session, FIRST - DAY, before, published=FIRST - 9 * DAY)
        for day in (FIRST - DAY, FIRST, before - DAY, before):
            add_shift(session, plan, day, ("O1", "O2"), kind=SlotKind.WEEKEND_AM)
        found = read_attendance(session, before=before)
    assert [(shift.date, shift.kind) for shift in found] == [(FIRST, "weekend"), (before - DAY, "weekend")]


def evening(day: int, *members: str) -> Attended:
    """Return an evening so many days after the first."""
    return Attended(FIRST + day * DAY, 61_200, 75_600, "evening", members)


def test_half_present_and_half_the_work_is_fair() -> None:
    """Who joined in the middle is excused the other half; who joins after it begins with the mean."""
    shifts = [evening(day, "a", "b") for day in range(4)] + [evening(day, "a", "c") for day in range(4, 8)]
    people = [
        Presence("a", "certified"),
        Presence("b", "certified", leave=frozenset(FIRST + day * DAY for day in range(4, 8))),
        Presence("c", "certified", joined_on=FIRST + 4 * DAY),
        Presence("d", "certified", joined_on=FIRST + 8 * DAY),
    ]
    found = balance_half_year(shifts, people)
    counts = {
        code: item.worked.get("evening", 0) + item.excused.get("evening", 0) for code, item in found.items()
    }
    assert counts == {"a": 8, "b": 8, "c": 8, "d": 8}
    assert found["d"].expected == {"evening": 0.0} and found["b"].expected == {"evening": 4.0}
    assert sum(item.worked.get("evening", 0) for item in found.values()) == 16


def test_groups_share_no_rate() -> None:
    """An official who came once and people without certificate are no measure for the others."""
    shifts = [evening(0, "a", "b", "x"), evening(1, "a", "b")]
    people = [
        Presence("a", "certified"),
        Presence("b", "certified"),
        Presence("x", "official"),
        Presence("z", "other"),
    ]
    found = balance_half_year(shifts, people)
    assert found["a"].worked == {"evening": 2} and found["a"].excused == {}
    assert found["x"].expected == {"evening": 1.0}
    assert found["z"].worked == found["z"].excused == found["z"].expected == {}
    assert balance_half_year([], people)["a"].worked == {}


def test_leave_on_every_date_of_a_kind_takes_the_mean() -> None:
    """Nothing is divided by nobody."""
    shifts = [evening(0, "a"), evening(1, "b")]
    days = frozenset({FIRST, FIRST + DAY})
    found = balance_half_year(
        shifts, [Presence("a", "g"), Presence("b", "g"), Presence("c", "g", leave=days)]
    )
    assert found["c"].excused == {"evening": 1}
    alone = balance_half_year(shifts, [Presence("a", "g", leave=days)])
    assert alone["a"].worked == {"evening": 1} and alone["a"].excused == {}


def test_recent_shifts_and_pairs() -> None:
    """By officer in order of time; two together are a pair each time."""
    shifts = [evening(0, "a", "b"), evening(3, "a", "b"), evening(4, "a", "c")]
    recent = recent_shifts(shifts, since=FIRST + DAY)
    assert recent["a"] == tuple(PastShift(FIRST + day * DAY, 61_200, 75_600) for day in (3, 4))
    assert recent["c"] == (PastShift(FIRST + 4 * DAY, 61_200, 75_600),)
    met = pairs_met(shifts)
    assert met == {frozenset("ab"): 2, frozenset("ac"): 1}
