"""Stored plans after an absence or an urgent visit: a new draft, checked and published, the old one kept."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from data import audit
from data.schema import Officer, PlanRevision
from data.store import Store
from data.terms import PlanStatus
from planner.draft import make_plan
from planner.errors import PlannerError, RepairError
from planner.itinerary import ShiftView, find_revision, read_plan
from planner.options import PlanOptions
from planner.plan import list_sequences
from planner.publish import check, publish
from planner.revise import Event, Revised, revise
from planner.stored import load_plan
from tests.conftest import NOW, TODAY
from tests.register import LAT, LON, add_district, add_institution

DAY = dt.timedelta(days=1)
WEEK = PlanOptions(first=TODAY, last=TODAY + 6 * DAY, teams=2, iterations=300, seed=4)


@pytest.fixture
def plan(store: Store) -> str:
    """Return a published plan of a week for 25 places and six officers."""
    with store.begin(actor="t", now=NOW) as session:
        add_district(session, 25)
    code = make_plan(store, options=WEEK, actor="lead", now=NOW, today=TODAY).code
    with store.begin(actor="lead", now=NOW) as session:
        publish(session, code, actor="lead", now=NOW, today=TODAY)
    return code


def change(store: Store, code: str, event: Event) -> Revised:
    return revise(store, code, event, actor="lead", now=NOW)


def shifts_of(store: Store, code: str) -> tuple[ShiftView, ...]:
    with store.reading() as session:
        return read_plan(session, code).shifts


def demand_good(store: Store, code: str) -> None:
    """Hold the stored revision against every rule, and publish it."""
    with store.reading() as session:
        report = check(session, code)
    assert report.violations == ()
    with store.begin(actor="lead", now=NOW) as session:
        publish(session, code, actor="lead", now=NOW, today=TODAY)


def test_a_stand_in_keeps_the_route(store: Store, plan: str) -> None:
    """Somebody free joins the crew; no stop moves, the old plan is kept and superseded."""
    with store.begin(actor="t", now=NOW) as session:
        office = session.scalars(select(Officer)).all()
        rostered = {m.code for shift in read_plan(session, plan).shifts for m in shift.members}
    shift = shifts_of(store, plan)[0]
    absent = shift.members[0].code
    revised = change(store, plan, Event(absent=absent, date=shift.date))
    told = {pair[1] for pair in revised.stand_ins.values()}
    assert revised.stand_ins and told <= {o.code for o in office} - {absent} and rostered
    comparison = revised.repaired.comparison
    assert comparison.dropped == () == comparison.moved
    new = [s for s in shifts_of(store, revised.code) if s.date == shift.date]
    assert all(absent not in {m.code for m in s.members} for s in new)
    demand_good(store, revised.code)
    with store.reading() as session:
        assert find_revision(session, plan).status is PlanStatus.SUPERSEDED
        record = session.scalars(select(PlanRevision).where(PlanRevision.code == revised.code)).one()
        assert record.summary["parent"] == plan and record.status is PlanStatus.PUBLISHED


def test_without_anybody_free_the_shift_is_lost_and_its_visits_move(store: Store, plan: str) -> None:
    """A whole team is absent: its stops go elsewhere, nothing of it is left, and the plan is sound."""
    shift = shifts_of(store, plan)[0]
    revised = change(store, plan, Event(absent=shift.team, date=shift.date))
    assert revised.stand_ins == {} and revised.repaired.freed
    new = shifts_of(store, revised.code)
    assert not [s for s in new if s.date == shift.date and s.team == shift.team]
    demand_good(store, revised.code)


def test_what_began_stays_and_an_urgent_place_comes_in(store: Store, plan: str) -> None:
    """From the second evening on: earlier stops as they were, the place visited once more."""
    shifts = shifts_of(store, plan)
    site = f"I{shifts[0].stops[0].institution_id}"
    second = sorted({shift.date for shift in shifts})[1]
    revised = change(store, plan, Event(add=(site,), at=(second, 12 * 3600)))
    with store.reading() as session:
        before, after = load_plan(session, plan), load_plan(session, revised.code)
    early = {s.id for s in before.problem.shifts if before.date_of(s) < second}
    kept, now = list_sequences(before.plan), list_sequences(after.plan)
    assert {s: kept[s] for s in early & kept.keys()} == {s: now[s] for s in early & now.keys()}
    urgent = [v for v in after.problem.visits if v.site == site and v.mandatory]
    assert urgent and after.body["parent"] == plan
    demand_good(store, revised.code)


def test_a_place_the_plan_does_not_know_comes_in(store: Store, plan: str) -> None:
    """A tip about a place registered after planning is served, its travel reckoned like the others'."""
    with store.begin(actor="t", now=NOW) as session:
        new = add_institution(session, 900, at=(LON + 0.004, LAT + 0.003))
        lost = add_institution(session, 901, at=None)
    revised = change(store, plan, Event(add=(f"I{new}",)))
    stops = [stop for shift in shifts_of(store, revised.code) for stop in shift.stops]
    assert new in {stop.institution_id for stop in stops}
    demand_good(store, revised.code)
    with pytest.raises(PlannerError) as refusal:
        change(store, plan, Event(add=(f"I{lost}",)))
    assert refusal.value.code == "place_not_located"


def test_pins_and_locks_hold(store: Store, plan: str) -> None:
    """A pinned stop and a locked slot stay when a team drops out."""
    with store.reading() as session:
        before = load_plan(session, plan)
    routes = list_sequences(before.plan)
    shifts = [before.problem.shift_by_id[code] for code in routes]
    lost, locked = shifts[0], next(s for s in shifts if s.day != shifts[0].day)
    home = next(s.id for s in shifts if s.day != lost.day and s.slot != locked.slot)
    pinned = routes[home][0]
    event = Event(absent=lost.team, date=before.date_of(lost), pins=(pinned,), locks=(locked.slot,))
    revised = change(store, plan, event)
    with store.reading() as session:
        after = list_sequences(load_plan(session, revised.code).plan)
    assert all(after[s.id] == routes[s.id] for s in shifts if s.slot == locked.slot)
    assert pinned in after[home] and lost.id not in after
    demand_good(store, revised.code)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (Event(), "no_change"),
        (Event(absent="nobody", date=TODAY), "absent_unknown"),
        (Event(add=("I999",)), "site_not_in_plan"),
        (Event(at=(TODAY + 99 * DAY, 0)), "outside_plan"),
        (Event(drop=("I999",)), "unknown_visit"),
    ],
)
def test_an_event_that_does_not_fit_changes_nothing(store: Store, plan: str, event: Event, code: str) -> None:
    with store.reading() as session:
        before = audit.change_counter(session)
    with pytest.raises(PlannerError) as refusal:
        change(store, plan, event)
    assert refusal.value.code == code
    with store.reading() as session:
        assert audit.change_counter(session) == before
        assert session.scalars(select(PlanRevision)).all()[-1].code == plan


def test_faults_of_pins_and_locks_are_all_named(store: Store, plan: str) -> None:
    with pytest.raises(RepairError) as refusal:
        change(store, plan, Event(pins=("I999-x",), locks=("T9",)))
    assert {fault.where for fault in refusal.value.faults} == {"pins", "locks"}


def test_an_absence_on_a_day_off_is_no_change(store: Store, plan: str) -> None:
    shift = shifts_of(store, plan)[0]
    with pytest.raises(PlannerError) as refusal:
        change(store, plan, Event(absent=shift.members[0].code, date=TODAY + 40 * DAY))
    assert refusal.value.code == "absent_unknown"
