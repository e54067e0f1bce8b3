"""Crews from the register: the half-year, the seam, joint and accompanied rounds, bars, the second check."""

from __future__ import annotations

import dataclasses
import datetime as dt
import gzip
import hashlib
import json
from typing import Any

import pytest
from sqlalchemy import select

from data import audit
from data.schema import Officer, OfficerLeave, PlanRevision, Recusal
from data.store import Store
from data.terms import RecusalReason
from planner.desk import build_desk
from planner.draft import make_plan
from planner.errors import PlannerError
from planner.itinerary import find_revision, read_plan
from planner.options import PlanOptions
from planner.publish import check, publish
from planner.staffing import read_office
from tests.conftest import NOW, TODAY
from tests.register import add_district, add_officers, add_plan, add_shift

DAY = dt.timedelta(days=1)
WEEK = PlanOptions(first=TODAY, last=TODAY + 6 * DAY, teams=2, iterations=200, seed=4)
LONG_AGO = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def make(store: Store, options: PlanOptions = WEEK, *, today: dt.date = TODAY) -> str:
    """Make a draft and return its code."""
    return make_plan(store, options=options, actor="lead", now=NOW, today=today).code


def test_the_half_year_and_the_seam_reach_the_roster(store: Store) -> None:
    """Counts of 183 days, shifts of the last weeks for rest and weekends, a late start excused."""
    with store.begin(actor="t", now=NOW) as session:
        add_officers(session, 4)
        late = session.scalars(select(Officer).where(Officer.code == "O4")).one()
        late.joined_on = TODAY - 2 * DAY
        old = add_plan(session, TODAY - 170 * DAY, TODAY - DAY, published_at=LONG_AGO)
        for back in (170, 100, 60, 30, 6, 1):
            add_shift(session, old, TODAY - back * DAY, ("O1", "O2"))
        office = read_office(session, options=WEEK)
    by_code = {officer.id: officer for officer in office.officers}
    assert by_code["O1"].worked == {"evening": 6} and by_code["O3"].worked == {}
    assert [shift.date for shift in by_code["O1"].recent] == [TODAY - 6 * DAY, TODAY - DAY]
    # Three shared twelve seats but one day in six; whoever joined for the last day lacks five sixths.
    assert by_code["O4"].excused == {"evening": round(5 / 6 * 12 / (3 + 1 / 6))}
    assert by_code["O3"].excused == {}


def test_who_worked_much_works_less(store: Store) -> None:
    """Evenings of the last months are made up for in this week."""
    with store.begin(actor="t", now=NOW) as session:
        add_district(session, 12)
        old = add_plan(session, TODAY - 60 * DAY, TODAY - 20 * DAY, published_at=LONG_AGO)
        for back in range(20, 50):
            add_shift(session, old, TODAY - back * DAY, ("O1", "O2"))
        desk = build_desk(session, options=WEEK)
    evenings = [m for c in desk.roster.crews if c.slot.endswith("evening") for m in c.members]
    assert evenings and not {"O1", "O2"} & set(evenings)


def test_late_starters_do_not_work_before_their_first_day(store: Store) -> None:
    """Their dates before it are days off."""
    with store.begin(actor="t", now=NOW) as session:
        add_district(session, 12)
        for officer in session.scalars(select(Officer)):
            officer.joined_on = TODAY + 3 * DAY
        desk = build_desk(session, options=WEEK)
    assert desk.roster.crews
    assert min(crew.slot for crew in desk.roster.crews) >= (TODAY + 3 * DAY).isoformat()


def test_joint_and_accompanied_rounds(store: Store) -> None:
    """One evening a week with police in every team, and the official twice, both shown with the plan."""
    with store.begin(actor="t", now=NOW) as session:
        add_district(session)
        for officer in session.scalars(select(Officer).where(Officer.code.in_(("O5", "O6")))):
            officer.department, officer.certificate_no = "公安分局", None
        session.add(Officer(code="J1", name="局长", department="教育局", official=True, leave=[]))
    options = dataclasses.replace(
        WEEK, joint_departments=("公安分局",), joint_slots_a_week=1, accompanied=2, seed=1
    )
    code = make(store, options)
    with store.reading() as session:
        assert check(session, code).holds
        body = document(find_revision(session, code))
        shown = read_plan(session, code)
    (joint,) = (need for need in body["roster"]["needs"] if need["joint"])
    crews = [crew for crew in body["roster"]["crews"] if crew["slot"] == joint["slot"]]
    assert joint["kind"] == "evening" and crews
    assert all({"O5", "O6"} & set(crew["members"]) and len(crew["members"]) >= 3 for crew in crews)
    rounds = [crew for crew in body["roster"]["crews"] if crew["official"]]
    assert [crew["official"] for crew in rounds] == ["J1", "J1"]
    assert all(crew["leader"] != "J1" for crew in rounds)
    guests = [m for shift in shown.shifts for m in shift.members if m.code == "J1"]
    assert len(guests) == shown.head.summary["rounds"] == 2


def test_without_officials_the_wanted_rounds_are_told(store: Store) -> None:
    """A shortfall, not a refusal."""
    with store.begin(actor="t", now=NOW) as session:
        add_district(session, 8)
    code = make(store, dataclasses.replace(WEEK, accompanied=1))
    with store.reading() as session:
        told = [v.fields["reason"] for v in check(session, code).warnings if v.code == "shortfall"]
    assert "no_official" in told


def test_recused_and_last_crews_stay_away(store: Store) -> None:
    """Bars reach the routes: nobody who is recused or came last time is in the crew of the next visit."""
    with store.begin(actor="t", now=NOW) as session:
        ids = add_district(session, 16)
        o1 = session.scalars(select(Officer).where(Officer.code == "O1")).one()
        reason = RecusalReason.RELATIVE
        session.add_all(
            Recusal(officer_id=o1.id, institution_id=key, reason=reason, since=TODAY) for key in ids[:4]
        )
    first = make(store)
    with store.begin(actor="lead", now=NOW) as session:
        publish(session, first, actor="lead", now=NOW, today=TODAY)
    later = TODAY + 7 * DAY
    second = make(
        store,
        PlanOptions(first=later, last=later + 6 * DAY, teams=2, iterations=200),
        today=later,
    )
    with store.reading() as session:
        visits = [
            (shift.date, stop.institution_id, {member.code for member in shift.members})
            for code in (first, second)
            for shift in read_plan(session, code).shifts
            for stop in shift.stops
        ]
    assert not [1 for _, key, crew in visits if key in ids[:4] and "O1" in crew]
    last_crew = {key: crew for day, key, crew in sorted(visits, key=lambda v: v[0]) if day < later}
    met_again = [key for day, key, crew in visits if day >= later and crew & last_crew.get(key, set())]
    assert [key for day, key, _ in visits if day >= later] and met_again == []


def document(record: PlanRevision) -> dict[str, Any]:
    """Return a plan's document."""
    body: dict[str, Any] = json.loads(gzip.decompress(record.document))
    return body


def rewrite(store: Store, code: str, body: dict[str, Any]) -> None:
    """Store another document under its own digest, as a faulty planner would have."""
    raw = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    with store.begin(actor="t", now=NOW) as session:
        record = find_revision(session, code)
        record.document, record.document_digest = (
            gzip.compress(raw, mtime=0),
            hashlib.sha256(raw).hexdigest(),
        )
        stated = {"document_digest": record.document_digest}
        audit.append(session, action="draft", entity="plan_revision", entity_key=code, after=stated)


def test_a_document_exchanged_with_its_digest_is_found(store: Store) -> None:
    """The change log still names the digest of the day of planning."""
    with store.begin(actor="t", now=NOW) as session:
        add_district(session, 8)
    code = make(store)
    with store.begin(actor="t", now=NOW) as session:
        record = find_revision(session, code)
        raw = gzip.decompress(record.document).replace(b'"prize":', b'"prize": ')
        record.document, record.document_digest = gzip.compress(raw), hashlib.sha256(raw).hexdigest()
    with store.reading() as session:
        assert [violation.code for violation in check(session, code).violations] == ["digest_log"]


@pytest.fixture
def draft(store: Store) -> tuple[str, dict[str, Any]]:
    """Return a draft's code and document."""
    with store.begin(actor="t", now=NOW) as session:
        add_district(session, 10)
        session.add(OfficerLeave(officer_id=6, date=TODAY))
    code = make(store)
    with store.reading() as session:
        return code, document(find_revision(session, code))


def broken(store: Store, code: str) -> set[str]:
    """Return the broken rules; the plan must be refused."""
    with store.begin(actor="lead", now=NOW) as session:
        found = {violation.code for violation in check(session, code).violations}
        with pytest.raises(PlannerError) as refusal:
            publish(session, code, actor="lead", now=NOW, today=TODAY)
    assert refusal.value.code == "broken_plan"
    return found


def test_publication_checks_the_crews_again(store: Store, draft: tuple[str, dict[str, Any]]) -> None:
    """Leave, certificates, weekly limit and rest are judged from the document alone."""
    code, body = draft
    roster = body["roster"]
    crew = roster["crews"][0]
    day = next(need["date"] for need in roster["needs"] if need["slot"] == crew["slot"])
    person = next(item for item in roster["officers"] if item["id"] == crew["members"][0])
    for name, value, rule in (
        ("unavailable", [day], "unavailable"),
        ("certified", False, "too_few_certified"),
        ("recent", [[day, 0, 60]] * 4, "weekly_limit"),
    ):
        kept, person[name] = person[name], value
        rewrite(store, code, body)
        assert rule in broken(store, code)
        person[name] = kept
    rewrite(store, code, body)
    with store.begin(actor="lead", now=NOW) as session:
        publish(session, code, actor="lead", now=NOW, today=TODAY)


def test_crews_told_twice_must_agree(store: Store, draft: tuple[str, dict[str, Any]]) -> None:
    """The roster's crews are those of the shifts."""
    code, body = draft
    shift = next(iter(body["crews"].values()))
    shift["leader"] = next(member for member in shift["members"] if member != shift["leader"])
    rewrite(store, code, body)
    assert "crews_differ" in broken(store, code)


def test_documents_of_before_stay_publishable(store: Store, draft: tuple[str, dict[str, Any]]) -> None:
    """They name no roster, so there is nothing to judge the crews by."""
    code, body = draft
    del body["roster"]
    rewrite(store, code, body)
    with store.begin(actor="lead", now=NOW) as session:
        publish(session, code, actor="lead", now=NOW, today=TODAY)
        assert check(session, code).holds
