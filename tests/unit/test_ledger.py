"""The ledger: what pays, what is a duty, and which facts a score may know."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from data.store import Store
from data.terms import FindingStatus, Outcome, SiteStatus, SlotClass, SlotKind, TipStatus
from planner.ledger import Account, owed, owed_classes, read_accounts, read_duties
from planner.slots import read_rules
from tests.conftest import NOW, TODAY
from tests.register import add_finding, add_institution, add_tip, add_visit

RULES = read_rules()
ROUND = dt.date(2026, 11, 1)


def account(session: Session) -> Account:
    """Return the only account, as of today in the round of November."""
    (only,) = read_accounts(session, round_from=ROUND, before=TODAY)
    return only


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_what_was_seen_pays(store: Store, outcome: Outcome) -> None:
    """A locked door, a refusal or a place out of trace is an attempt, not a visit (domain fact 5)."""
    with store.begin(actor="t", now=NOW) as session:
        add_visit(session, add_institution(session, 1), dt.date(2026, 11, 10), outcome=outcome)
        pays = outcome in (Outcome.SEEN_OPEN, Outcome.CLOSED_AS_EXPECTED)
        assert account(session).paid == ({SlotClass.NOON} if pays else set())
        assert account(session).last_seen == (dt.date(2026, 11, 10) if pays else None)


@pytest.mark.parametrize(
    ("date", "pays"),
    [(dt.date(2026, 10, 31), False), (ROUND, True), (dt.date(2026, 11, 22), True), (TODAY, False)],
)
def test_the_round_runs_from_its_first_day_to_the_day_before(store: Store, date: dt.date, pays: bool) -> None:
    """An older visit is remembered as last seen, but pays nothing."""
    with store.begin(actor="t", now=NOW) as session:
        add_visit(session, add_institution(session, 1), date)
        assert bool(account(session).paid) is pays
        assert account(session).last_seen == (None if date == TODAY else date)


@pytest.mark.parametrize("status", list(SiteStatus))
def test_a_deregistered_place_owes_no_coverage(store: Store, status: SiteStatus) -> None:
    """It is watched, not covered."""
    with store.begin(actor="t", now=NOW) as session:
        add_institution(session, 1, status=status)
        classes = owed_classes(account(session), RULES, list(SlotClass))
        ledger = owed(
            session,
            round_from=ROUND,
            round_to=TODAY,
            rules=RULES,
            classes=[SlotClass.NOON, SlotClass.HOLIDAY],
        )
    owes = status is not SiteStatus.DEREGISTERED
    assert (SlotClass.NOON in classes) is owes
    assert list(ledger["slot_class"]) == (["noon"] if owes else [])


def test_the_ledger_counts_each_key_time_point_once(store: Store) -> None:
    """Two noon visits pay one noon; the round's last day still pays."""
    with store.begin(actor="t", now=NOW) as session:
        key = add_institution(session, 1)
        for date in (dt.date(2026, 11, 10), TODAY):
            add_visit(session, key, date)
        classes = [SlotClass.NOON, SlotClass.EVENING]
        ledger = owed(session, round_from=ROUND, round_to=TODAY, rules=RULES, classes=classes)
    assert ledger[["slot_class", "owed", "paid"]].to_numpy().tolist() == [["noon", 1, 1], ["evening", 1, 0]]
    assert set(ledger["last_seen"]) == {TODAY}


def test_an_empty_register_has_an_empty_ledger(store: Store) -> None:
    """Columns are there even without rows."""
    with store.reading() as session:
        ledger = owed(session, round_from=ROUND, round_to=TODAY, rules=RULES, classes=list(SlotClass))
        assert read_accounts(session, round_from=ROUND, before=TODAY) == ()
    assert ledger.empty
    assert {"institution_id", "owed", "paid"} <= set(ledger.columns)


def test_duties_are_open_rechecks_and_unhandled_tips_by_date(store: Store) -> None:
    """Closed, handled, unfounded and later ones are none; overdue ones stay."""
    day = dt.timedelta(days=1)
    with store.begin(actor="t", now=NOW) as session:
        key = add_institution(session, 1)
        overdue = add_finding(session, key, TODAY - 30 * day, recheck_due=TODAY - 5 * day)
        waiting = FindingStatus.SUBMITTED
        submitted = add_finding(session, key, TODAY - day, recheck_due=TODAY + 3 * day, status=waiting)
        add_finding(session, key, TODAY, recheck_due=TODAY, status=FindingStatus.CLOSED)
        add_finding(session, key, TODAY, recheck_due=None)
        add_finding(session, key, TODAY, recheck_due=TODAY + 11 * day)
        tip = add_tip(session, key, TODAY, TODAY + 2 * day)
        add_tip(session, key, TODAY, TODAY, handled=True)
        add_tip(session, key, TODAY, TODAY, status=TipStatus.UNFOUNDED)
        add_tip(session, key, TODAY, TODAY + 11 * day)
        duties = read_duties(session, until=TODAY + 10 * day)
    assert [(d.reason, d.record_id) for d in duties] == [
        ("recheck", overdue), ("tip", tip), ("recheck", submitted),
    ]  # fmt: skip


def test_the_slot_of_a_visit_decides_what_it_pays(store: Store) -> None:
    """An evening visit leaves noon owed."""
    with store.begin(actor="t", now=NOW) as session:
        add_visit(session, add_institution(session, 1), dt.date(2026, 11, 10), slot=SlotKind.EVENING)
        left = owed_classes(account(session), RULES, [SlotClass.NOON, SlotClass.EVENING])
    assert left == (SlotClass.NOON,)
