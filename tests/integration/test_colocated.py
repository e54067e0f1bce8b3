"""Decisions about shared addresses: recorded, remembered, and opened again when the licences change."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from data.schema import AuditEvent, ColocationDecision, Institution
from data.store import Store
from data.terms import ColocationVerdict, SiteStatus
from geo.colocated import Case, decide, list_cases
from geo.errors import ColocationError
from tests.conftest import NOW
from tests.register import add_institution


def fill(store: Store) -> None:
    with store.begin(actor="clerk", now=NOW) as session:
        for number, address in enumerate(["东大街5号201室", "东大街5号201室", "东大街9号", "西大街1号"]):
            add_institution(session, number, address=address)


def cases(store: Store) -> list[Case]:
    with store.reading() as session:
        return list_cases(session)


def settle(store: Store, case: Case, verdict: ColocationVerdict, note: str = "") -> None:
    with store.begin(actor="lead", now=NOW) as session:
        decide(
            session,
            level=case.group.level.value,
            key=case.group.key,
            verdict=verdict,
            note=note,
            actor="lead",
            now=NOW,
        )


def test_a_decision_closes_a_case_and_a_new_licence_opens_it_again(store: Store) -> None:
    fill(store)
    (case,) = cases(store)
    assert case.open and len(case.licences) == 2
    settle(store, case, ColocationVerdict.SAME_OPERATOR, "两证同一举办者")
    (case,) = cases(store)
    assert not case.open and case.decision is not None and case.decision.note == "两证同一举办者"
    with store.begin(actor="clerk", now=NOW) as session:
        add_institution(session, 9, address="东大街5号201室")
    (case,) = cases(store)
    assert case.open and case.decision is not None and case.decision.changed
    with store.reading() as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.entity == "colocation_decision")).one()
        assert event.actor == "lead"


def test_unclear_stays_open_and_the_newest_decision_holds(store: Store) -> None:
    fill(store)
    (case,) = cases(store)
    settle(store, case, ColocationVerdict.UNCLEAR)
    assert cases(store)[0].open
    settle(store, case, ColocationVerdict.TRUE_CASE)
    assert not cases(store)[0].open
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(ColocationDecision)) == 2


def test_deregistered_licences_share_nothing(store: Store) -> None:
    fill(store)
    with store.begin(actor="clerk", now=NOW) as session:
        session.get_one(Institution, 1).status = SiteStatus.DEREGISTERED
    assert cases(store) == []


@pytest.mark.parametrize(
    ("key", "note", "code"), [("没有这里", "", "unknown_group"), (None, "长" * 501, "note_too_long")]
)
def test_decisions_about_nothing_are_refused(store: Store, key: str | None, note: str, code: str) -> None:
    fill(store)
    (case,) = cases(store)
    with pytest.raises(ColocationError) as caught, store.begin(actor="lead", now=NOW) as session:
        decide(
            session,
            level="room",
            key=key or case.group.key,
            verdict=ColocationVerdict.ORDINARY,
            note=note,
            actor="lead",
            now=NOW,
        )
    assert caught.value.code == code and cases(store)[0].decision is None
