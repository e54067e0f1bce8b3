"""Every hard rule of a roster: the checker sees it broken, and the roster keeps it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import date, timedelta

from planner.crew import Crew, Officer, Roster, Shortfall, SlotNeed
from planner.options import RosterOptions
from planner.roster import make_roster
from planner.verify import Violation
from planner.verify_roster import verify_roster

MONDAY = date(2026, 9, 7)
OPTIONS = RosterOptions(effort=1.0)
PEOPLE = tuple(Officer(name) for name in "abcdef")


def need(slot: str, day: int = 0, start_h: float = 17, end_h: float = 21, teams: int = 1) -> SlotNeed:
    return SlotNeed(slot, MONDAY + timedelta(day), "evening", int(start_h * 3600), int(end_h * 3600), teams)


def crew(slot: str, members: str, number: int = 1, leader: str | None = None) -> Crew:
    return Crew(slot, number, tuple(members), leader or members[0])


def judge(
    needs: Sequence[SlotNeed],
    *crews: Crew,
    people: Sequence[Officer] = PEOPLE,
    options: RosterOptions = OPTIONS,
    shortfalls: Sequence[Shortfall] = (),
) -> list[Violation]:
    roster = Roster(tuple(crews), tuple(shortfalls), {}, 1)
    return list(verify_roster(people, needs, roster, options=options).violations)


def codes(violations: Sequence[Violation]) -> set[str]:
    return {violation.code for violation in violations}


def roster_well(
    needs: Sequence[SlotNeed], people: Sequence[Officer] = PEOPLE, options: RosterOptions = OPTIONS
) -> Roster:
    roster = make_roster(people, needs, options=options)
    assert verify_roster(people, needs, roster, options=options).violations == ()
    return roster


def test_a_kept_roster_has_no_violation() -> None:
    assert judge([need("e0", teams=2)], crew("e0", "ab"), crew("e0", "cd", 2)) == []


def test_only_known_officers_and_slots() -> None:
    assert "unknown_officer" in codes(judge([need("e0")], crew("e0", "az")))
    assert "unknown_slot" in codes(judge([need("e0")], crew("e0", "ab"), crew("e9", "cd")))


def test_two_certificates_a_crew() -> None:
    people = (*PEOPLE[:3], Officer("x", certified=False), Officer("y", certified=False))
    three = dataclasses.replace(OPTIONS, crew_size=3)
    assert "too_few_certified" in codes(judge([need("e0")], crew("e0", "axy"), people=people, options=three))
    assert judge([need("e0")], crew("e0", "abx"), people=people, options=three) == []
    roster = roster_well([need("e0", teams=2)], people, three)
    assert len(roster.crews) == 1 and len(roster.crews[0].members) == 3
    assert [item.code for item in roster.shortfalls] == ["no_certified_officers"]


def test_the_size_of_a_crew() -> None:
    assert "crew_too_small" in codes(judge([need("e0")], crew("e0", "a")))
    assert "crew_too_large" in codes(judge([need("e0")], crew("e0", "abc")))
    wide = dataclasses.replace(OPTIONS, crew_size=4, min_crew=3)
    sizes = [len(item.members) for item in roster_well([need("e0", teams=2)], options=wide).crews]
    assert sizes == [3, 3]


def test_dates_off() -> None:
    away = (dataclasses.replace(PEOPLE[0], unavailable=frozenset({MONDAY})), *PEOPLE[1:3])
    assert "unavailable" in codes(judge([need("e0")], crew("e0", "ab"), people=away))
    roster = roster_well([need("e0"), need("e1", 1)], away)
    assert roster.crews[0].members == ("b", "c") and len(roster.crews) == 2


def test_nobody_is_in_two_crews_of_a_slot() -> None:
    assert "twice_in_slot" in codes(judge([need("e0", teams=2)], crew("e0", "ab"), crew("e0", "ac", 2)))
    members = [name for item in roster_well([need("e0", teams=3)]).crews for name in item.members]
    assert sorted(members) == list("abcdef")


def test_overlapping_slots_of_a_day() -> None:
    needs = [need("n", start_h=11, end_h=13.5), need("k", start_h=13, end_h=15)]
    assert "overlap" in codes(judge(needs, crew("n", "ab"), crew("k", "ac")))
    touching = [need("n", start_h=11, end_h=13), need("k", start_h=13, end_h=15)]
    assert judge(touching, crew("n", "ab"), crew("k", "ab")) == []
    assert len(roster_well(needs, PEOPLE[:3]).crews) == 1
    assert len(roster_well(touching, PEOPLE[:2]).crews) == 2


def test_rest_between_days() -> None:
    needs = [need("e0"), need("m1", 1, 7.5, 11)]
    assert "rest" in codes(judge(needs, crew("e0", "ab"), crew("m1", "ac")))
    later = [need("e0"), need("m1", 1, 8, 11)]
    assert judge(later, crew("e0", "ab"), crew("m1", "ab")) == []
    roster = roster_well(needs, PEOPLE[:2])
    assert len(roster.crews) == 1
    assert [item.code for item in roster.shortfalls] == ["rest_or_overlap"]


def test_weekly_limit() -> None:
    needs = [need(f"e{day}", day) for day in range(6)]
    crews = [crew(f"e{day}", "ab") for day in range(6)]
    assert "weekly_limit" in codes(judge(needs, *crews))
    # The seventh day after a Monday belongs to the next calendar week.
    spread = [*needs[:5], need("e7", 7)]
    assert judge(spread, *crews[:5], crew("e7", "ab")) == []
    roster = roster_well(needs, PEOPLE[:2])
    assert len(roster.crews) == 5
    assert [item.code for item in roster.shortfalls] == ["weekly_limit"]


def test_daily_limit() -> None:
    needs = [need(f"s{hour}", 0, hour, hour + 1) for hour in (8, 12, 18)]
    crews = [crew(item.slot, "ab") for item in needs]
    assert "daily_limit" in codes(judge(needs, *crews))
    assert len(roster_well(needs, PEOPLE[:2]).crews) == 2


def test_leaders() -> None:
    assert "leader_not_member" in codes(judge([need("e0")], crew("e0", "ab", leader="c")))
    people = (*PEOPLE[:4], Officer("x", leader=True))
    led = dataclasses.replace(OPTIONS, leader_required=True)
    assert "leader_not_able" in codes(judge([need("e0")], crew("e0", "ab"), people=people, options=led))
    roster = roster_well([need("e0", teams=2)], people, led)
    assert [item.leader for item in roster.crews] == ["x"]
    assert [item.code for item in roster.shortfalls] == ["no_leader"]


def test_shortfalls_are_told() -> None:
    assert "shortfall" in codes(judge([need("e0", teams=2)], crew("e0", "ab")))
    told = Shortfall("e0", 2, 1, "not_found")
    assert judge([need("e0", teams=2)], crew("e0", "ab"), shortfalls=[told]) == []
    assert "shortfall" in codes(judge([need("e0")], crew("e0", "ab"), shortfalls=[told]))
    assert "too_many_crews" in codes(judge([need("e0")], crew("e0", "ab"), crew("e0", "cd", 2)))
    assert "crew_numbers" in codes(judge([need("e0", teams=2)], crew("e0", "ab"), crew("e0", "cd")))
