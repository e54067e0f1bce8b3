"""The roster: fair, rotating, repeatable, and honest about what it cannot crew."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta

import pytest

from planner.crew import Officer, SlotNeed
from planner.errors import RosterFailedError, RosterInputError
from planner.options import RosterOptions
from planner.roster import make_roster
from planner.verify_roster import verify_roster

MONDAY = date(2026, 9, 7)


def make_office(people: int, days: int, teams: int) -> tuple[list[Officer], list[SlotNeed]]:
    """Return officers, a sixth of them without certificate, and evening, noon and weekend slots."""
    chance = random.Random(11)
    officers = [
        Officer(
            f"O{number:02d}",
            certified=number % 6 != 5,
            leader=number % 3 == 0,
            unavailable=frozenset({MONDAY + timedelta(chance.randrange(days))}),
            worked={"evening": chance.randrange(3)},
        )
        for number in range(people)
    ]
    needs = []
    for number in range(days):
        day = MONDAY + timedelta(number)
        if day.weekday() < 5:
            needs.append(SlotNeed(f"{day}-e", day, "evening", 17 * 3600, 21 * 3600, teams))
            needs.append(SlotNeed(f"{day}-n", day, "day", 11 * 3600, 13 * 3600, 1))
        else:
            needs.append(SlotNeed(f"{day}-m", day, "weekend", 30600, 41400, teams - 1))
            needs.append(SlotNeed(f"{day}-a", day, "weekend", 50400, 63000, teams - 1))
    return officers, needs


OFFICERS, NEEDS = make_office(18, 14, 3)
OPTIONS = RosterOptions(seed=3)


def test_everything_is_crewed_fairly_and_every_rule_kept() -> None:
    roster = make_roster(OFFICERS, NEEDS, options=OPTIONS)
    report = verify_roster(OFFICERS, NEEDS, roster, options=OPTIONS)
    assert report.violations == () and report.warnings == ()
    assert report.measures["teams_crewed"] == report.measures["teams_wanted"]
    assert roster.spread["evening"] <= 2 and roster.spread["weekend"] <= 1 and roster.spread["total"] <= 2


def test_the_same_facts_give_the_same_roster_and_a_seed_another() -> None:
    roster = make_roster(OFFICERS, NEEDS, options=OPTIONS)
    assert roster == make_roster(OFFICERS, NEEDS, options=OPTIONS)
    assert roster.crews != make_roster(OFFICERS, NEEDS, options=RosterOptions(seed=4)).crews


def test_pairs_rotate_and_remember() -> None:
    four = [Officer(name) for name in "abcd"]
    days = [
        SlotNeed(f"e{number}", MONDAY + timedelta(number), "evening", 61200, 75600, 2) for number in range(3)
    ]
    roster = make_roster(four, days, options=OPTIONS)
    pairs = Counter(crew.members for crew in roster.crews)
    assert len(pairs) == 6 and set(pairs.values()) == {1}
    met = {frozenset("ab"): 1, frozenset("cd"): 1, frozenset("ac"): 1, frozenset("bd"): 1}
    fresh = make_roster(four, days[:1], options=OPTIONS, met=met)
    assert {crew.members for crew in fresh.crews} == {("a", "d"), ("b", "c")}


def test_earlier_shifts_are_made_up_for() -> None:
    tired = [Officer(name, worked={"evening": 3 if name in "ab" else 0}) for name in "abcd"]
    days = [
        SlotNeed(f"e{number}", MONDAY + timedelta(number), "evening", 61200, 75600, 1) for number in range(3)
    ]
    roster = make_roster(tired, days, options=OPTIONS)
    assert all(crew.members == ("c", "d") for crew in roster.crews)
    assert roster.spread["evening"] == 0


def test_third_seats_go_to_people_without_certificate_too() -> None:
    options = RosterOptions(crew_size=3)
    roster = make_roster(OFFICERS, NEEDS[:2], options=options)
    assert all(len(crew.members) == 3 for crew in roster.crews)
    uncertified = {officer.id for officer in OFFICERS if not officer.certified}
    assert all(len(uncertified & set(crew.members)) <= 1 for crew in roster.crews)


def test_a_shortage_is_spread_over_the_slots() -> None:
    needs = [SlotNeed(f"s{hour}", MONDAY, "day", hour * 3600, (hour + 2) * 3600, 3) for hour in (8, 9)]
    roster = make_roster([Officer(name) for name in "abcdef"], needs, options=OPTIONS)
    crewed = Counter(crew.slot for crew in roster.crews)
    assert sorted(crewed.values()) == [1, 2]
    assert {item.code for item in roster.shortfalls} == {"rest_or_overlap"}


def test_a_leader_is_named_who_may_lead() -> None:
    roster = make_roster(OFFICERS, NEEDS, options=RosterOptions(leader_required=True, effort=2.0))
    able = {officer.id for officer in OFFICERS if officer.leader}
    assert roster.crews and all(crew.leader in able for crew in roster.crews)


def test_too_few_people_are_told_apart_from_too_few_certificates() -> None:
    need = [SlotNeed("e", MONDAY, "evening", 61200, 75600, 1)]
    one = make_roster([Officer("a"), Officer("x", certified=False)], need, options=OPTIONS)
    assert [item.code for item in one.shortfalls] == ["no_certified_officers"]
    options = RosterOptions(crew_size=3, min_crew=3)
    two = make_roster([Officer("a"), Officer("b")], need, options=options)
    assert [item.code for item in two.shortfalls] == ["not_enough_officers"]
    assert make_roster([], [], options=OPTIONS).crews == ()


def test_contradictions_are_refused_together() -> None:
    with pytest.raises(RosterInputError) as refused:
        make_roster(
            [Officer("a"), Officer("a", worked={"night": 1})],
            [SlotNeed("s", MONDAY, "night", 5, 5, -1)],
            options=OPTIONS,
        )
    assert [fault.where for fault in refused.value.faults] == [
        "officers[1]",
        "officers[1].worked",
        "needs[0].kind",
        "needs[0].end_s",
        "needs[0].teams",
    ]


def test_no_effort_is_a_named_failure() -> None:
    with pytest.raises(RosterFailedError):
        make_roster(OFFICERS, NEEDS, options=RosterOptions(effort=1e-9))
