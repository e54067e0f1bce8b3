"""Every hard rule of a roster: the checker sees it broken, and the roster keeps it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import date, timedelta

from planner.crew import Crew, Officer, PastShift, Roster, Shortfall, SlotNeed
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
    spread = [*needs[:4], need("e7", 7)]
    assert judge(spread, *crews[:4], crew("e7", "ab")) == []
    roster = roster_well(needs, PEOPLE[:2])
    assert len(roster.crews) == 4
    assert {item.code for item in roster.shortfalls} == {"weekly_limit"}


def past(*days: int, start_h: float = 17, end_h: float = 21) -> tuple[PastShift, ...]:
    """Return shifts so many days before the Monday of the period."""
    return tuple(PastShift(MONDAY - timedelta(day), int(start_h * 3600), int(end_h * 3600)) for day in days)


def test_weekly_limit_over_the_seam() -> None:
    """Shifts of the same calendar week before the period count."""
    wednesday = [need("e2", 2), need("e3", 3)]
    three = tuple(PastShift(MONDAY + timedelta(day), 61200, 75600) for day in (0, 0, 1))
    people = (dataclasses.replace(PEOPLE[0], recent=three), PEOPLE[1])
    assert "weekly_limit" in codes(judge(wednesday, crew("e2", "ab"), crew("e3", "ab"), people=people))
    assert judge(wednesday[:1], crew("e2", "ab"), people=people) == []
    roster = roster_well(wednesday, people)
    assert len(roster.crews) == 1
    assert [item.code for item in roster.shortfalls] == ["weekly_limit"]


def test_rest_over_the_seam() -> None:
    """A late Sunday evening leaves no early Monday."""
    needs = [need("m0", 0, 7.5, 11)]
    people = (dataclasses.replace(PEOPLE[0], recent=past(1)), PEOPLE[1])
    assert "rest" in codes(judge(needs, crew("m0", "ab"), people=people))
    assert [item.code for item in roster_well(needs, people).shortfalls] == ["rest_or_overlap"]
    assert len(roster_well(needs, (*people, PEOPLE[2])).crews) == 1


def test_one_free_weekend_in_four_weeks() -> None:
    """Saturday or Sunday both spoil a weekend; the fourth in a row must stay free."""
    weekends = [need(f"w{week}", 7 * week + 5 + week % 2) for week in range(5)]
    crews = [crew(f"w{week}", "ab") for week in range(4)]
    assert codes(judge(weekends[:4], *crews)) == {"free_weekend"}
    assert judge([*weekends[:3], weekends[4]], *crews[:3], crew("w4", "ab")) == []
    off = dataclasses.replace(OPTIONS, free_weekend_weeks=0)
    assert judge(weekends[:4], *crews, options=off) == []
    roster = roster_well(weekends[:4], PEOPLE[:2])
    assert len(roster.crews) == 3
    assert [item.code for item in roster.shortfalls] == ["free_weekend"]
    assert len(roster_well(weekends[:4], PEOPLE[:2], off).crews) == 4
    assert len(roster_well(weekends[:4], PEOPLE[:3]).crews) == 4


def test_weekends_before_the_period_count() -> None:
    """Three weekends worked make the next one free; what was broken before is nobody's fault now."""
    weekend = [need("w0", 5)]
    people = (dataclasses.replace(PEOPLE[0], recent=past(1, 9, 15)), PEOPLE[1])
    assert "free_weekend" in codes(judge(weekend, crew("w0", "ab"), people=people))
    assert [item.code for item in roster_well(weekend, people).shortfalls] == ["free_weekend"]
    rested = (dataclasses.replace(PEOPLE[0], recent=past(1, 9)), PEOPLE[1])
    assert judge(weekend, crew("w0", "ab"), people=rested) == []
    tired = (dataclasses.replace(PEOPLE[0], recent=past(1, 8, 15, 22)), PEOPLE[1])
    assert judge([need("e0")], crew("e0", "ab"), people=tired) == []


DEPARTMENTS = (
    *(dataclasses.replace(person, departments=("教育局",)) for person in PEOPLE),
    Officer("p", certified=False, departments=("公安分局",)),
    Officer("q", departments=("市场监管局",)),
)


def joint(slot: str, *departments: str, teams: int = 1) -> SlotNeed:
    return dataclasses.replace(need(slot, teams=teams), joint=departments)


def test_every_department_in_a_joint_team() -> None:
    """A team grows for a department that it lacks, and no further."""
    needs = [joint("e0", "教育局", "公安分局")]
    assert codes(judge(needs, crew("e0", "ab"), people=DEPARTMENTS)) == {"department_missing"}
    assert judge(needs, crew("e0", "abp"), people=DEPARTMENTS) == []
    assert "crew_too_large" in codes(judge(needs, crew("e0", "abcdp"), people=DEPARTMENTS))
    (made,) = roster_well(needs, DEPARTMENTS).crews
    assert len(made.members) == 3 and "p" in made.members
    (small,) = roster_well([joint("e0", "教育局", "市场监管局")], DEPARTMENTS).crews
    assert len(small.members) == 2 and "q" in small.members


def test_a_department_without_people_is_named() -> None:
    """One police officer makes one joint team of two."""
    roster = roster_well([joint("e0", "公安分局", teams=2)], DEPARTMENTS)
    assert len(roster.crews) == 1
    (short,) = roster.shortfalls
    assert (short.code, short.detail["department"]) == ("no_department", "公安分局")


GUESTS = (*PEOPLE, Officer("y", official=True), Officer("z", official=True))


def escort(slot: str, members: str, official: str | None, number: int = 1) -> Crew:
    return Crew(slot, number, tuple(members), members[0], official)


def test_officials_come_on_top_of_a_crew() -> None:
    """They are no certified member, no leader, no worker, and never two in a team."""
    one = dataclasses.replace(OPTIONS, accompanied=1)
    assert judge([need("e0")], escort("e0", "aby", "y"), people=GUESTS, options=one) == []
    found = codes(judge([need("e0")], escort("e0", "ay", "y"), people=GUESTS, options=one))
    assert found == {"crew_too_small", "too_few_certified"}
    assert "officials" in codes(judge([need("e0")], escort("e0", "abyz", "y"), people=GUESTS, options=one))
    assert "officials" in codes(judge([need("e0")], escort("e0", "aby", None), people=GUESTS))
    led = Crew("e0", 1, tuple("aby"), "y", "y")
    assert "leader_is_official" in codes(judge([need("e0")], led, people=GUESTS, options=one))
    away = (*PEOPLE, Officer("y", official=True, unavailable=frozenset({MONDAY})))
    assert "unavailable" in codes(judge([need("e0")], escort("e0", "aby", "y"), people=away, options=one))


def test_as_many_accompanied_rounds_as_wanted() -> None:
    """Spread over weeks and officials; too few are told."""
    needs = [need(f"e{day}", day) for day in (0, 1, 7, 8)]
    assert "too_many_rounds" in codes(judge(needs[:1], escort("e0", "aby", "y"), people=GUESTS))
    two = dataclasses.replace(OPTIONS, accompanied=2)
    assert "rounds_not_told" in codes(judge(needs[:1], escort("e0", "aby", "y"), people=GUESTS, options=two))
    roster = roster_well(needs, GUESTS, two)
    rounds = [item for item in roster.crews if item.official]
    assert {item.official for item in rounds} == {"y", "z"}
    assert len({item.slot in ("e0", "e1") for item in rounds}) == 2
    assert all(len(item.members) == 3 for item in rounds)
    alone = roster_well(needs, PEOPLE, two)
    assert [(item.slot, item.wanted, item.crewed, item.code) for item in alone.shortfalls] == [
        ("", 2, 0, "no_official")
    ]


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
