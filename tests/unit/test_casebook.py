"""Dossiers: what a plan may know of each place, and what a replay of the past may not know yet."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from data.schema import Finding, Institution, Tip, VisitRecord
from data.store import Store
from data.terms import FindingStatus, Kind, Outcome, SiteStatus, TipStatus
from planner.casebook import read_casebook, read_facts
from planner.risk import Exit, Facts
from tests.conftest import NOW, TODAY
from tests.register import LAT, LON, add_finding, add_institution, add_school, add_tip, add_visit

DAY = dt.timedelta(days=1)


def replay(session: Session, day: dt.date) -> Facts:
    """Return what was known of the only place before `day`."""
    (facts,) = read_casebook(session, replay=True).facts_on(day)
    return facts


def test_an_empty_register_has_no_facts(store: Store) -> None:
    """Nothing is made up."""
    with store.reading() as session:
        assert read_facts(session, as_of=TODAY) == ()


def test_facts_know_nothing_later_than_their_date(store: Store) -> None:
    """What happens on the day itself or later is not known yet."""
    day = dt.timedelta(days=1)
    with store.begin(actor="t", now=NOW) as session:
        key = add_institution(session, 1)
        earlier = add_visit(session, key, TODAY - day)
        add_finding(session, key, TODAY, visit_id=earlier)
        add_visit(session, key, TODAY)
        add_visit(session, key, TODAY - 2 * day, outcome=Outcome.NOT_OPEN)
        add_tip(session, key, TODAY, TODAY)
        unfounded = TipStatus.UNFOUNDED
        add_tip(session, key, TODAY - day, TODAY, status=unfounded)
        add_tip(session, key, TODAY - day, TODAY, status=TipStatus.VERIFIED)
        for due in (TODAY - 3 * day, TODAY - 9 * day, TODAY):
            add_finding(session, key, TODAY - 20 * day, recheck_due=due)
        (facts,) = read_facts(session, as_of=TODAY)
    assert [(v.record_id, v.found) for v in facts.visits] == [(earlier, False)]
    assert [t.verified for t in facts.tips] == [True]
    assert facts.recheck_overdue_since == TODAY - 9 * day


def test_shared_doors_and_school_distance(store: Store) -> None:
    """Rooms of one door share it; an address without a door is unknown; distance is in metres."""
    with store.begin(actor="t", now=NOW) as session:
        addresses = ("红旗路12号201室", "红旗路12号305室", "红旗路13号", "红旗路附近")
        for number, address in enumerate(addresses):
            place = None if number == 3 else (LON, LAT)
            add_institution(session, number, kind=Kind.SUBJECT, address=address, at=place)
        add_school(session, at=(LON, LAT + 0.0045))
        facts = read_facts(session, as_of=TODAY)
    assert [f.licences_at_address for f in facts] == [2, 2, 1, None]
    assert facts[0].school_distance_m == pytest.approx(500, abs=2)
    assert facts[3].school_distance_m is None


def test_a_replay_sees_a_visit_and_its_finding_only_once_they_were_recorded(store: Store) -> None:
    """A visit of the 1st entered on the 10th, its finding on the 20th; older history counts at once."""
    first = dt.date(2026, 10, 1)
    with store.begin(actor="t", now=NOW) as session:
        key = add_institution(session, 1)
        visit = session.get_one(VisitRecord, add_visit(session, key, first))
        finding = session.get_one(Finding, add_finding(session, key, first, visit_id=visit.id))
        add_visit(session, key, first - 30 * DAY, team="T2")
        # 17:00 UTC is already the 10th in Shanghai.
        visit.recorded_at = dt.datetime(2026, 10, 9, 17, tzinfo=dt.UTC)
        finding.recorded_at = dt.datetime(2026, 10, 20, 1, tzinfo=dt.UTC)
        session.flush()
        known = {
            n: [v.found for v in replay(session, dt.date(2026, 10, n)).visits] for n in (2, 10, 11, 20, 21)
        }
        planned = read_facts(session, as_of=first + DAY)[0]
    assert known == {
        2: [False], 10: [False], 11: [False, False], 20: [False, False], 21: [True, False]
    }  # fmt: skip
    assert [v.found for v in planned.visits] == [True, False]  # a plan knows all that is on file


def test_a_replay_knows_no_decision_on_a_tip_before_it_was_made(store: Store) -> None:
    """Verified on the 20th: open before, verified and closed after; undated decisions stay unknown."""
    with store.begin(actor="t", now=NOW) as session:
        key = add_institution(session, 1)
        start = dt.date(2026, 10, 1)
        dated = add_tip(session, key, start, start + 7 * DAY, status=TipStatus.VERIFIED, handled=True)
        session.get_one(Tip, dated).decided_on = dt.date(2026, 10, 20)
        vague = add_tip(session, key, start, start + 7 * DAY, status=TipStatus.UNFOUNDED, handled=True)
        session.flush()

        def seen(number: int) -> dict[int, tuple[bool, bool]]:
            facts = replay(session, dt.date(2026, 10, number))
            return {tip.record_id: (tip.verified, tip.open) for tip in facts.tips}

        assert seen(1) == {}
        assert seen(5) == {dated: (False, True), vague: (False, True)}
        assert seen(15) == {dated: (False, True), vague: (False, False)}
        assert seen(21) == {dated: (True, False), vague: (False, False)}
        (now,) = read_facts(session, as_of=TODAY)
    assert [(tip.record_id, tip.verified, tip.open) for tip in now.tips] == [(dated, True, False)]


def test_a_replay_counts_an_order_overdue_until_it_was_closed(store: Store) -> None:
    """Due on the 10th, closed on the 20th."""
    with store.begin(actor="t", now=NOW) as session:
        key = add_institution(session, 1)
        found, due = dt.date(2026, 10, 1), dt.date(2026, 10, 10)
        order = add_finding(session, key, found, recheck_due=due, status=FindingStatus.CLOSED)
        session.get_one(Finding, order).closed_on = dt.date(2026, 10, 20)
        session.flush()
        overdue = {n: replay(session, dt.date(2026, 10, n)).recheck_overdue_since for n in (10, 11, 20, 21)}
        assert read_facts(session, as_of=TODAY)[0].recheck_overdue_since is None
    assert overdue == {10: None, 11: due, 20: due, 21: None}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def either_store(request: pytest.FixtureRequest) -> Store:
    """Return an empty register on each database: JSON columns are asked in each one's own way."""
    found: Store = request.getfixturevalue("store" if request.param == "sqlite" else "postgres_store")
    return found


def test_exits_and_new_scopes_come_from_the_change_log_with_their_dates(either_store: Store) -> None:
    """A subject body leaves, its neighbour in the same room turns to care; another room is not concerned."""
    store = either_store
    addresses = ("红旗路12号201室", "红旗路12号201室", "红旗路12号305室")
    with store.begin(actor="t", now=NOW) as session:
        ids = [
            add_institution(session, n, kind=Kind.SUBJECT, address=text) for n, text in enumerate(addresses)
        ]
    with store.begin(actor="t", now=NOW + DAY) as session:
        session.get_one(Institution, ids[0]).status = SiteStatus.DEREGISTERED
        session.get_one(Institution, ids[1]).kind = Kind.CARE
    left = TODAY + DAY
    with store.reading() as session:
        now = read_facts(session, as_of=left + DAY)
        past = read_casebook(session, replay=True).facts_on(left)
    assert [facts.exits for facts in now] == [(Exit(ids[0], left),), (Exit(ids[0], left),), ()]
    assert [facts.scope_changed_on for facts in now] == [None, left, None]
    assert [(facts.kind, facts.status, facts.exits) for facts in past] == [
        (Kind.SUBJECT, SiteStatus.OPEN, ())
    ] * 3


def test_the_same_telephone_makes_relatives_unless_it_is_masked(store: Store) -> None:
    """Numbers are compared in full only."""
    with store.begin(actor="t", now=NOW) as session:
        ids = [add_institution(session, n, kind=Kind.SUBJECT) for n in range(4)]
        for key, phone in zip(
            ids, ("13800001234", "138-0000-1234", "138****1234", "138****1234"), strict=True
        ):
            session.get_one(Institution, key).contact_phone = phone
        for key in (ids[0], ids[2]):
            session.get_one(Institution, key).status = SiteStatus.EXITING
        session.flush()
        facts = read_facts(session, as_of=TODAY)
    assert [[exit_.record_id for exit_ in item.exits] for item in facts] == [[ids[0]], [ids[0]], [ids[2]], []]


def test_a_neighbourhood_is_high_where_more_is_found_than_the_teams_explain(store: Store) -> None:
    """Twenty findings round one corner mark its clean neighbour, no far place; a lone one is unknown."""
    with store.begin(actor="t", now=NOW) as session:
        corner = [add_institution(session, n, at=(LON, LAT + 0.0001 * n)) for n in range(6)]
        far = [add_institution(session, n, at=(LON + 0.05, LAT + 0.0001 * n)) for n in range(10, 30)]
        alone = add_institution(session, 99, at=(LON - 0.05, LAT))
        for key in corner:
            for week in range(4):
                visit = add_visit(session, key, TODAY - (7 * week + 1) * DAY)
                if key != corner[0]:
                    add_finding(session, key, TODAY - (7 * week + 1) * DAY, visit_id=visit)
        for key in far:
            add_visit(session, key, TODAY - DAY)
        high = {item.institution_id: item.neighbourhood_high for item in read_facts(session, as_of=TODAY)}
        early = read_casebook(session).facts_on(TODAY - 25 * DAY)
    assert high[corner[0]] is True and high[far[0]] is False and high[alone] is None
    assert {item.neighbourhood_high for item in early} == {None}  # five findings say nothing of any place
