"""The yearly cap: what counts, for whom, and how much room a year leaves."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from data.schema import PlanStop, VisitRecord
from data.store import Store
from data.terms import Kind, Outcome, SiteStatus, SlotClass, VisitForm, VisitReason
from planner.caps import cap_wants, enterprise_of, read_inspections
from planner.demand import Want
from planner.ledger import Account
from planner.problem import Cap, Visit, Window
from planner.risk import Score
from planner.slots import CapRule, read_rules
from tests.conftest import NOW, TODAY
from tests.register import add_institution, add_officers, add_plan, add_shift, add_visit

RULE = CapRule(2, (Kind.UNLICENSED,))
LAST = dt.date(2026, 11, 29)


def account(number: int, uscc: str | None = None, kind: Kind = Kind.CARE) -> Account:
    """Return an institution of an enterprise."""
    return Account(number, "", kind, SiteStatus.OPEN, True, frozenset(), None, uscc)


def want(number: int, *dates: str, counted: bool = True) -> Want:
    """Return an inspection of one institution on any of the dates."""
    windows = tuple(Window(f"{date}-evening", 61_200, 72_000) for date in dates or ("2026-11-24",))
    visit = Visit(f"I{number}-evening", f"I{number}", 900, 1000, windows=windows)
    return Want(visit, number, SlotClass.EVENING, None, Score(0, 0.05, ()), (), counted=counted)


def test_the_shipped_table_allows_two_a_year_and_none_for_the_unlicensed() -> None:
    """A published example; the number is the bureau's to change."""
    assert read_rules().cap == RULE


def test_institutions_of_one_enterprise_share_its_cap() -> None:
    """One inspection done at either leaves one for both; others are not touched."""
    accounts = [account(1, "91A"), account(2, "91A"), account(3)]
    capped = cap_wants([want(1), want(2), want(3)], accounts, {(2, 2026): 1}, rule=RULE)
    assert [item.visit.cap for item in capped.wants] == ["91A", "91A", "I3"]
    assert capped.caps == (Cap("91A", 1), Cap("I3", 2)) and not capped.shut
    assert [enterprise_of(item) for item in accounts] == ["91A", "91A", "I3"]


def test_what_does_not_count_has_no_cap() -> None:
    """Patrols, duties, campaigns (not counted) and unlicensed places; and a bureau without a cap."""
    accounts = [account(1), account(2, kind=Kind.UNLICENSED)]
    wants = [want(1, counted=False), want(2)]
    assert cap_wants(wants, accounts, {(1, 2026): 9, (2, 2026): 9}, rule=RULE).caps == ()
    assert cap_wants([want(1)], accounts, {(1, 2026): 9}, rule=CapRule(None)).wants == [want(1)]


def test_a_used_up_cap_shuts_the_visit() -> None:
    """It stays wanted, under a cap of none, so that the plan can say why it is not served."""
    capped = cap_wants([want(1)], [account(1)], {(1, 2026): 3}, rule=RULE)
    assert capped.shut == {"I1-evening"}
    assert [cap.most for cap in capped.caps if cap.id == capped.wants[0].visit.cap] == [0]


def test_each_calendar_year_has_its_own_room() -> None:
    """A year used up loses its days; with room in both the smaller room holds for the period."""
    days = ("2026-12-30", "2027-01-04")
    capped = cap_wants([want(1, *days)], [account(1)], {(1, 2026): 2}, rule=RULE)
    assert [w.slot[:4] for w in capped.wants[0].visit.windows] == ["2027"]
    assert capped.caps == (Cap("I1", 2),)
    capped = cap_wants([want(1, *days)], [account(1)], {(1, 2026): 1}, rule=RULE)
    assert len(capped.wants[0].visit.windows) == 2 and capped.caps == (Cap("I1", 1),)
    # A visit that only the spent year could take does not shut the other year.
    accounts = [account(1, "91A"), account(2, "91A")]
    capped = cap_wants([want(1, days[0]), want(2, days[1])], accounts, {(1, 2026): 2}, rule=RULE)
    assert capped.shut == {"I1-evening"}
    assert {cap.id: cap.most for cap in capped.caps} == {"91A/2026": 0, "91A": 2}


def record(session: Session, place: int, day: dt.date, **changes: object) -> None:
    """Add an inspection on record, with some fields changed."""
    visit = session.get_one(VisitRecord, add_visit(session, place, day))
    visit.form = VisitForm.INSPECTION
    for name, value in changes.items():
        setattr(visit, name, value)
    session.flush()


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({}, 1),
        ({"outcome": Outcome.REFUSED}, 1),
        ({"outcome": Outcome.NOT_OPEN}, 0),
        ({"outcome": Outcome.CLOSED_AS_EXPECTED}, 0),
        ({"form": VisitForm.PATROL}, 0),
        ({"form": VisitForm.COURTESY}, 0),
        ({"form": VisitForm.RECHECK}, 0),
        ({"reason": VisitReason.TIP}, 0),
        ({"reason": VisitReason.RECHECK}, 0),
        ({"reason": VisitReason.CAMPAIGN}, 0),
        ({"reason": VisitReason.RANDOM}, 1),
        ({"date": dt.date(2025, 12, 31)}, 0),
    ],
)
def test_only_inspections_of_the_year_at_which_somebody_was_met_count(
    store: Store, changes: dict[str, object], count: int
) -> None:
    """Patrol, courtesy visit, inspection and recheck are four different records (domain fact 1)."""
    with store.begin(actor="t", now=NOW) as session:
        place = add_institution(session, 1)
        record(session, place, dt.date(2026, 3, 2), **changes)
        done = read_inspections(session, first=TODAY, last=LAST)
        assert done == ({(place, 2026): 1} if count else {})


def test_planned_inspections_of_other_periods_count_until_they_are_on_record(store: Store) -> None:
    """A published plan elsewhere counts once, its record takes its place; the period itself is free."""
    with store.begin(actor="t", now=NOW) as session:
        place = add_institution(session, 1)
        add_officers(session, 2)
        before = TODAY - dt.timedelta(days=7)
        stops = []
        for day in (before, TODAY, dt.date(2026, 12, 7)):
            plan = add_plan(session, day, day, published_at=NOW - dt.timedelta(days=30))
            stop = add_shift(session, plan, day, ("O1", "O2"), institution_id=place)
            assert stop is not None
            session.get_one(PlanStop, stop).form = VisitForm.INSPECTION
            stops.append(stop)
        session.flush()
        assert read_inspections(session, first=TODAY, last=LAST) == {(place, 2026): 2}
        record(session, place, before, plan_stop_id=stops[0])
        assert read_inspections(session, first=TODAY, last=LAST) == {(place, 2026): 2}
        session.get_one(PlanStop, stops[2]).reason = VisitReason.TIP
        session.flush()
        assert read_inspections(session, first=TODAY, last=LAST) == {(place, 2026): 1}
