"""Versions of the scorecard: who may propose and approve, from when a card holds, what a plan keeps."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from data.accounts import PERMISSIONS, Identity, Permission
from data.errors import AccountError
from data.schema import AuditEvent
from data.store import Store
from data.terms import Role
from planner.errors import PlannerError, ScorecardError
from planner.risk import WEIGHTS, Scorecard
from planner.scorecard import (
    SHIPPED,
    approve_card,
    describe_card,
    find_card,
    list_cards,
    propose_card,
    read_deck,
    read_scorecard,
)
from tests.conftest import NOW, TODAY

DAY = dt.timedelta(days=1)


def somebody(role: Role, name: str = "") -> Identity:
    """Return a person of a role."""
    return Identity(1, name or role.value, "", role, None, None, None, False)


LEAD, BOSS = somebody(Role.TEAM_LEAD), somebody(Role.LEADER)


def propose(session: Session, *, by: Identity = LEAD, note: str = "", **points: float) -> int:
    """Propose the shipped points with some changed."""
    return propose_card(session, {**WEIGHTS, **points}, identity=by, now=NOW, note=note)


def approve(session: Session, version: int, *, by: Identity = BOSS, first: dt.date | None = None) -> None:
    """Approve a version today."""
    approve_card(session, version, identity=by, now=NOW, today=TODAY, valid_from=first)


def test_only_the_table_says_who_may() -> None:
    """Leads and leaders propose, leaders approve, nobody else does either."""
    holders = {
        p: {role for role in Role if p in PERMISSIONS[role]}
        for p in (Permission.PROPOSE_SCORECARD, Permission.APPROVE_SCORECARD)
    }
    assert holders == {
        Permission.PROPOSE_SCORECARD: {Role.TEAM_LEAD, Role.LEADER},
        Permission.APPROVE_SCORECARD: {Role.LEADER},
    }


@pytest.mark.parametrize("role", list(Role))
def test_each_role_meets_exactly_its_permissions(store: Store, role: Role) -> None:
    """The step refuses whom the table refuses, before anything is stored."""
    person = somebody(role, "who")
    with store.begin(actor="t", now=NOW) as session:
        version = propose(session, by=somebody(Role.TEAM_LEAD, "author"))
        if Permission.PROPOSE_SCORECARD in PERMISSIONS[role]:
            assert propose(session, by=person) == version + 1
        else:
            with pytest.raises(AccountError, match="forbidden"):
                propose(session, by=person)
        if Permission.APPROVE_SCORECARD in PERMISSIONS[role]:
            approve(session, version, by=person)
        else:
            with pytest.raises(AccountError, match="forbidden"):
                approve(session, version, by=person)


def test_nobody_approves_their_own_card(store: Store) -> None:
    """A leader's proposal waits for another leader."""
    with store.begin(actor="t", now=NOW) as session:
        version = propose(session, by=BOSS)
        with pytest.raises(PlannerError, match="own_scorecard"):
            approve(session, version, by=BOSS)
        assert find_card(session, version).approver is None
        approve(session, version, by=somebody(Role.LEADER, "other"))
        assert find_card(session, version).approver == "other"


def test_a_card_holds_from_its_first_day_until_the_next(store: Store) -> None:
    """Dates before keep the card they were scored by; what waits is never in force."""
    with store.begin(actor="t", now=NOW) as session:
        one, two = propose(session, unlicensed=7), propose(session, unlicensed=8)
        waiting = propose(session, unlicensed=9)
        approve(session, one, first=TODAY)
        approve(session, two, first=TODAY + 10 * DAY)
        found = {n: read_scorecard(session, as_of=TODAY + n * DAY) for n in (-1, 0, 9, 10, 99)}
        deck = read_deck(session, as_of=TODAY + 10 * DAY)
    assert {n: (card.version, card.weights["unlicensed"]) for n, card in found.items()} == {
        -1: (0, 6), 0: (one, 7), 9: (one, 7), 10: (two, 8), 99: (two, 8),
    }  # fmt: skip
    assert (deck.current.version, deck.before and deck.before.version) == (two, one)
    assert [card.version for card in deck.waiting] == [waiting]


def test_the_shipped_card_holds_until_one_is_approved(store: Store) -> None:
    """Version 0 is the prior table, listed last."""
    with store.reading() as session:
        assert read_scorecard(session, as_of=TODAY) == Scorecard()
        assert list_cards(session) == (SHIPPED,)
        assert read_deck(session, as_of=TODAY).before is None
        assert find_card(session, 0).weights == WEIGHTS


@pytest.mark.parametrize(
    ("version", "first", "code"),
    [(9, None, "unknown_scorecard"), (1, TODAY - DAY, "valid_in_past"), (2, None, "already_approved")],
)
def test_approvals_that_cannot_be(store: Store, version: int, first: dt.date | None, code: str) -> None:
    """No version, a day that is over, or approved already: refused with a code."""
    with store.begin(actor="t", now=NOW) as session:
        propose(session)
        approve(session, propose(session))
        with pytest.raises(PlannerError) as refused:
            approve(session, version, first=first)
        assert refused.value.code == code


def test_all_faults_of_a_proposal_are_told_at_once(store: Store) -> None:
    """Unknown and missing factors, and points that are no usable numbers."""
    weights: dict[str, Any] = {**WEIGHTS, "hukou": 3, "unlicensed": 21, "repeat_findings": math.nan}
    weights |= {"tip_recent": "4", "scope_changed": True}
    del weights["never_visited"]
    with store.begin(actor="t", now=NOW) as session:
        with pytest.raises(ScorecardError) as refused:
            propose_card(session, weights, identity=LEAD, now=NOW)
        assert len(list_cards(session)) == 1
    assert sorted((fault.code, fault.where) for fault in refused.value.faults) == [
        ("bad_points", "repeat_findings"),
        ("bad_points", "scope_changed"),
        ("bad_points", "tip_recent"),
        ("bad_points", "unlicensed"),
        ("missing_factor", "never_visited"),
        ("unknown_factor", "hukou"),
    ]


def test_both_steps_are_links_of_the_audit_chain(store: Store) -> None:
    """Who proposed which points, and who approved them from when."""
    with store.begin(actor="lead", now=NOW) as session:
        version = propose(session, unlicensed=7, note="more")
    with store.begin(actor="boss", now=NOW) as session:
        approve(session, version)
    with store.reading() as session:
        links = session.scalars(select(AuditEvent).where(AuditEvent.entity == "scorecard")).all()
        assert [(link.actor, link.action, link.entity_key) for link in links] == [
            ("lead", "insert", str(version)),
            ("boss", "update", str(version)),
        ]
        assert links[0].after is not None and "'unlicensed': 7.0" in links[0].after["weights"]
        assert links[1].after is not None and links[1].after["valid_from"] == TODAY.isoformat()


def test_a_plan_keeps_the_card_it_was_made_with() -> None:
    """Version and weights, in order of name, so that the document is the same byte for byte."""
    kept = describe_card(Scorecard({"b": 2.0, "a": 1.0}, version=4))
    assert kept == {"version": 4, "weights": {"a": 1.0, "b": 2.0}}
    assert list(kept["weights"]) == ["a", "b"]
