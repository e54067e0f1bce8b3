"""Accompanied rounds: who comes along, fairly, and never with a team that stays at home."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from planner.crew import Crew, Officer, PastShift, SlotNeed
from planner.officials import reseat
from planner.options import RosterOptions
from planner.roster import make_roster

MONDAY = date(2026, 9, 7)
WORKERS = [Officer(f"O{number}") for number in range(8)]


def slots(days: int) -> list[SlotNeed]:
    """Return noon and evening of so many days, two teams each."""
    return [
        SlotNeed(f"{kind}{day}", MONDAY + timedelta(day), kind, *span, 1)
        for day in range(days)
        for kind, span in (("day", (39_600, 48_600)), ("evening", (61_200, 75_600)))
    ]


def rounds(officials: list[Officer], days: int, wanted: int) -> list[tuple[SlotNeed, str]]:
    """Return the accompanied slots with the official."""
    needs = {need.slot: need for need in slots(days)}
    options = RosterOptions(accompanied=wanted, max_week=5, free_weekend_weeks=0)
    roster = make_roster([*WORKERS, *officials], list(needs.values()), options=options)
    return [(needs[crew.slot], crew.official) for crew in roster.crews if crew.official]


def test_rounds_are_spread_over_weeks_kinds_and_officials() -> None:
    """Four rounds of two officials in two weeks: two each, two a week, two a kind."""
    found = rounds([Officer("X", official=True), Officer("Y", official=True)], 14, 4)
    assert Counter(official for _, official in found) == {"X": 2, "Y": 2}
    assert Counter(need.kind for need, _ in found) == {"day": 2, "evening": 2}
    assert Counter(need.date.isocalendar()[1] for need, _ in found) == {37: 2, 38: 2}


def test_earlier_rounds_are_made_up_for() -> None:
    """Who came along three times goes after who never did."""
    often = Officer("X", official=True, worked={"evening": 3})
    assert {official for _, official in rounds([often, Officer("Y", official=True)], 7, 2)} == {"Y"}


def test_officials_keep_rest_and_leave() -> None:
    """Officials are people: the evening before and days off count."""
    off = frozenset(MONDAY + timedelta(day) for day in range(1, 7))
    late = (PastShift(MONDAY - timedelta(1), 75_600, 86_000),)
    found = rounds([Officer("X", official=True, unavailable=off, recent=late)], 7, 3)
    assert [need.slot for need, _ in found] == ["day0", "evening0"]


def test_an_official_leaves_a_team_without_stops() -> None:
    """For a team of the same slot that works and may take the official, else stays."""
    idle = Crew("s", 1, ("a", "b", "x"), "a", "x")
    busy = [Crew("s", 2, ("c", "d"), "c"), Crew("s", 3, ("e", "f"), "e"), Crew("t", 1, ("g", "h"), "g")]
    crews = reseat([idle, *busy], busy, may_join=lambda crew, official: crew.number == 3)
    assert crews == [
        Crew("s", 1, ("a", "b"), "a"),
        busy[0],
        Crew("s", 3, ("e", "f", "x"), "e", "x"),
        busy[2],
    ]
    assert reseat([idle, *busy], busy, may_join=lambda crew, official: False) == [idle, *busy]
    assert reseat([idle], [idle], may_join=lambda crew, official: True) == [idle]
