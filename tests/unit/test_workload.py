"""The workload: enough teams for what is owed, no more, and never more than the people allow."""

from __future__ import annotations

import datetime as dt

import pytest

from data.terms import SlotKind
from planner.problem import Visit, Window
from planner.slots import Slot
from planner.workload import size_slots

MONDAY = dt.date(2026, 11, 23)


def evening(day: int) -> Slot:
    """Return a four-hour evening so many days after Monday."""
    date = MONDAY + dt.timedelta(days=day)
    return Slot(f"{date}-evening", date, SlotKind.EVENING, 17 * 3600, 21 * 3600)


SLOTS = [evening(day) for day in range(5)]


def visits(
    count: int, slots: list[Slot], *, service_min: int = 20, first: int = 0, mandatory: bool = False
) -> list[Visit]:
    """Return one visit for each of so many places, allowed in all of `slots`."""
    windows = tuple(Window(slot.id, slot.start_s, slot.end_s) for slot in slots)
    return [
        Visit(f"V{n}", f"S{n}", service_min * 60, 900, mandatory=mandatory, windows=windows)
        for n in range(first, first + count)
    ]


def size(owed: list[Visit], slots: list[Slot] | None = None, **options: int) -> dict[str, int]:
    """Size with five minutes of travel a stop and ten minutes home."""
    teams, crews = options.get("teams", 6), options.get("crews_a_week", 30)
    return size_slots(
        owed, SLOTS if slots is None else slots, teams=teams, travel_s=300, depot_s=600, crews_a_week=crews
    )


def test_nothing_owed_needs_nobody() -> None:
    """No visit, no team; a visit whose slots are elsewhere opens none either."""
    assert size([]) == {slot.id: 0 for slot in SLOTS}
    assert sum(size(visits(3, [evening(20)])).values()) == 0
    assert size([], []) == {}


def test_one_visit_opens_one_team_as_early_as_possible() -> None:
    """Debts are paid early."""
    assert size(visits(1, SLOTS)) == {slot.id: int(slot is SLOTS[0]) for slot in SLOTS}


@pytest.mark.parametrize("count", [8, 30, 100])
def test_capacity_covers_what_is_owed_without_waste(count: int) -> None:
    """Teams x fill x length is at least the work and less than one team more."""
    teams = sum(size(visits(count, SLOTS)).values())
    each, shift = 25 * 60, (4 * 3600 - 600) * 0.85
    assert count * each <= teams * shift < count * each * 1.02 + shift


def test_teams_and_people_are_never_exceeded() -> None:
    """More work than people: the limits hold, and every crew is used."""
    wanted = size(visits(500, SLOTS), teams=3, crews_a_week=7)
    assert max(wanted.values()) <= 3
    assert sum(wanted.values()) == 7


def test_weeks_have_their_own_people() -> None:
    """Sunday and Monday are two ISO weeks."""
    slots = [evening(6), evening(7)]
    wanted = size(visits(500, slots), slots, crews_a_week=2)
    assert list(wanted.values()) == [2, 2]


def test_no_people_no_teams() -> None:
    """Zero crews a week is an answer, not a failure."""
    assert sum(size(visits(5, SLOTS), crews_a_week=0).values()) == 0


def test_the_crew_goes_where_most_places_are_seen() -> None:
    """One crew, and two places that only Tuesday can see: Tuesday, although Monday is earlier."""
    monday, tuesday = SLOTS[:2]
    owed = visits(4, [monday, tuesday]) + visits(2, [tuesday], first=50)
    assert size(owed, [monday, tuesday], crews_a_week=1) == {monday.id: 0, tuesday.id: 1}


def test_a_slot_shorter_than_the_way_there_is_not_opened() -> None:
    """Ten minutes of slot leave no room after the way from the depot."""
    short = Slot("s", MONDAY, SlotKind.EVENING, 0, 600)
    assert size(visits(4, [short], service_min=5), [short]) == {"s": 0}


def test_a_duty_opens_its_slot_before_many_places_are_seen() -> None:
    """One crew for the week: the recheck on Wednesday outranks the eight first visits of Monday."""
    owed = visits(8, SLOTS[:1]) + visits(1, SLOTS[2:3], first=8, mandatory=True)
    assert size(owed, crews_a_week=1) == {slot.id: int(slot is SLOTS[2]) for slot in SLOTS}
