"""Whatever the office, the roster is accepted by the independent checker and its shortfalls are real."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from planner.crew import Officer, PastShift, SlotNeed
from planner.options import RosterOptions
from planner.roster import make_roster
from planner.verify_roster import verify_roster

SUNDAY = date(2026, 9, 6)
DAYS = st.sampled_from([SUNDAY + timedelta(number) for number in (0, 1, 2, 6)])
PAST = st.builds(
    PastShift,
    st.integers(1, 15).map(lambda number: SUNDAY - timedelta(number)),
    st.sampled_from((30_600, 61_200)),
    st.sampled_from((75_600, 82_800)),
)
DEPARTMENTS = ("教育局", "公安分局")


@st.composite
def officers(draw: st.DrawFn) -> list[Officer]:
    return [
        Officer(
            f"O{number}",
            certified=draw(st.booleans()),
            leader=draw(st.booleans()),
            unavailable=draw(st.frozensets(DAYS, max_size=2)),
            departments=(draw(st.sampled_from(DEPARTMENTS)),),
            worked={"evening": draw(st.integers(0, 3))},
            excused={"weekend": draw(st.integers(0, 2))},
            recent=tuple(draw(st.lists(PAST, max_size=4))),
            official=draw(st.integers(0, 5)) == 0,
        )
        for number in range(draw(st.integers(0, 7)))
    ]


@st.composite
def needs(draw: st.DrawFn) -> list[SlotNeed]:
    found = []
    for number in range(draw(st.integers(0, 6))):
        start = draw(st.integers(7, 20))
        end = draw(st.integers(start + 1, 23))
        kind = draw(st.sampled_from(("day", "evening", "weekend", "holiday")))
        teams = draw(st.integers(0, 3))
        joint = draw(st.sampled_from(((), (), DEPARTMENTS[1:], DEPARTMENTS)))
        found.append(SlotNeed(f"s{number}", draw(DAYS), kind, start * 3600, end * 3600, teams, joint))
    return found


@settings(max_examples=60, deadline=None)
@given(
    people=officers(),
    wanted=needs(),
    crew_size=st.integers(2, 4),
    leader_required=st.booleans(),
    max_week=st.integers(1, 3),
    free_weekend_weeks=st.integers(0, 3),
    accompanied=st.integers(0, 2),
)
def test_checker_accepts_every_roster(
    people: list[Officer],
    wanted: list[SlotNeed],
    crew_size: int,
    leader_required: bool,
    max_week: int,
    free_weekend_weeks: int,
    accompanied: int,
) -> None:
    options = RosterOptions(
        crew_size=crew_size,
        leader_required=leader_required,
        max_week=max_week,
        free_weekend_weeks=free_weekend_weeks,
        accompanied=accompanied,
        effort=0.5,
        min_crew=2,
    )
    roster = make_roster(people, wanted, options=options)
    report = verify_roster(people, wanted, roster, options=options)
    assert report.violations == ()
    missing = sum(item.wanted - item.crewed for item in roster.shortfalls if item.code != "no_official")
    assert len(roster.crews) + missing == sum(need.teams for need in wanted)
    # Small offices are solved to the end, so a shortfall always has a cause.
    assert all(item.code != "not_found" for item in roster.shortfalls)
