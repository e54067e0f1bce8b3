"""Rules that reach the solver from the register: caps, hidden slots, drawn visits, places seen before."""

from __future__ import annotations

import dataclasses
import datetime as dt
import gzip
import json
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from data.schema import Institution, PlanStop, PlanUnserved, VisitRecord
from data.store import Store
from data.terms import Kind, SlotKind, VisitForm, VisitReason
from planner.caps import read_inspections
from planner.desk import Desk, build_desk
from planner.draft import make_plan
from planner.itinerary import find_revision
from planner.options import PlanOptions, SolveOptions
from planner.plan import Plan, Unserved, build_plan
from planner.publish import check, publish
from planner.solve import solve
from planner.verify import verify
from tests.conftest import NOW, TODAY
from tests.register import add_district, add_institution, add_officers, add_tip, add_visit

LAST = dt.date(2026, 11, 29)
WEEK = PlanOptions(first=TODAY, last=LAST, teams=2, iterations=300, seed=4)


def district(store: Store, count: int = 21) -> list[int]:
    """Fill the register."""
    with store.begin(actor="t", now=NOW) as session:
        return add_district(session, count)


def inspect(session: Session, place: int, day: dt.date) -> None:
    """Put one inspection on record."""
    visit = session.get_one(VisitRecord, add_visit(session, place, day))
    visit.form = VisitForm.INSPECTION


def plan(store: Store, options: PlanOptions = WEEK) -> str:
    """Make a draft that the checker accepts."""
    code = make_plan(store, options=options, actor="lead", now=NOW, today=TODAY).code
    with store.reading() as session:
        assert check(session, code).holds
    return code


def rows(store: Store, code: str) -> tuple[list[PlanStop], list[PlanUnserved], dict[str, Any]]:
    """Return stops, unserved visits and the document of a plan."""
    with store.reading() as session:
        record = find_revision(session, code)
        stops = list(session.query(PlanStop).filter_by(plan_id=record.id))
        left = list(session.query(PlanUnserved).filter_by(plan_id=record.id))
        return stops, left, json.loads(gzip.decompress(record.document))


def solved(store: Store, options: PlanOptions) -> tuple[Desk, Plan]:
    """Return the desk and its solved plan."""
    with store.reading() as session:
        desk = build_desk(session, options=options)
    return desk, solve(desk.problem, options=SolveOptions(seed=1, iterations=300, bound=False))


def test_no_enterprise_is_inspected_more_often_than_its_year_allows(store: Store) -> None:
    """Two done: none is planned and the reason is the cap; one done: one; the tip is exempt."""
    ids = district(store)
    with store.begin(actor="t", now=NOW) as session:
        session.execute(update(Institution).where(Institution.id.in_(ids[:3])).values(kind=Kind.CARE))
        for place, count in ((ids[0], 2), (ids[1], 1), (ids[2], 2)):
            for number in range(count):
                inspect(session, place, dt.date(2026, 5, 4 + number))
        add_tip(session, ids[2], TODAY, LAST)
    stops, left, _ = rows(store, plan(store, dataclasses.replace(WEEK, inspection=True)))
    planned = {place: [s for s in stops if s.institution_id == place] for place in ids}
    assert planned[ids[0]] == []
    assert {row.code for row in left if row.institution_id == ids[0]} == {"cap"}
    assert len(planned[ids[1]]) == 1
    assert [(s.reason, s.form) for s in planned[ids[2]]] == [(VisitReason.TIP, VisitForm.INSPECTION)]
    counted = {place: sum(s.reason is not VisitReason.TIP for s in found) for place, found in planned.items()}
    assert max(counted.values()) <= 2


def test_the_checker_sees_a_cap_broken(store: Store) -> None:
    """The same routes under a cap of none."""
    district(store, 7)
    desk, made = solved(store, dataclasses.replace(WEEK, inspection=True))
    assert verify(desk.problem, made).holds and desk.problem.caps
    tighter = dataclasses.replace(
        desk.problem, caps=tuple(dataclasses.replace(cap, most=0) for cap in desk.problem.caps)
    )
    assert "cap" in {violation.code for violation in verify(tighter, made).violations}


@pytest.mark.parametrize("changes", [{}, {"inspection": True, "campaign": "区教发〔2026〕9号"}])
def test_patrols_and_an_approved_campaign_use_up_nothing(store: Store, changes: dict[str, Any]) -> None:
    """Places with more inspections than the cap are planned all the same, and count nothing afterwards."""
    ids = district(store, 7)
    with store.begin(actor="t", now=NOW) as session:
        for place in ids:
            for number in range(3):
                inspect(session, place, dt.date(2026, 5, 4 + number))
        before = read_inspections(session, first=TODAY, last=LAST)
    code = plan(store, dataclasses.replace(WEEK, control_share=0.0, **changes))
    stops, left, _ = rows(store, code)
    assert {s.institution_id for s in stops} == set(ids) and not any(row.code == "cap" for row in left)
    assert {s.reason for s in stops} == {VisitReason.CAMPAIGN if changes else VisitReason.DUE}
    with store.begin(actor="t", now=NOW) as session:
        publish(session, code, actor="lead", now=NOW, today=TODAY)
    with store.reading() as session:
        later = dt.date(2026, 12, 1)
        assert read_inspections(session, first=later, last=later) == before


def test_inspections_planned_before_leave_less_for_the_next_period(store: Store) -> None:
    """A published week of inspections counts although nothing is on record yet."""
    district(store, 7)
    code = plan(store, dataclasses.replace(WEEK, inspection=True))
    with store.begin(actor="t", now=NOW) as session:
        publish(session, code, actor="lead", now=NOW, today=TODAY)
    stops, _, _ = rows(store, code)
    monday = LAST + dt.timedelta(days=1)
    options = PlanOptions(
        first=monday, last=monday + dt.timedelta(days=13), iterations=300, inspection=True, teams=2
    )
    later, _, _ = rows(store, plan(store, options))
    for place in {s.institution_id for s in stops}:
        both = [s for s in [*stops, *later] if s.institution_id == place]
        assert sum(s.form is VisitForm.INSPECTION for s in both) <= 2 or place % len(Kind) == 0


def test_no_visit_is_planned_in_a_slot_hidden_from_it(store: Store) -> None:
    """A fifth is hidden, none of it used; the checker refuses a stop there."""
    district(store)
    code = plan(store)
    _, _, document = rows(store, code)
    hidden = {key: set(item["hidden"]) for key, item in document["visits"].items()}
    assert sum(map(len, hidden.values())) > 20
    slot_of = {shift["id"]: shift["slot"] for shift in document["problem"]["shifts"]}
    for route in document["plan"]["routes"]:
        assert all(slot_of[route["shift"]] not in hidden[stop["visit"]] for stop in route["stops"])
    desk, _ = solved(store, WEEK)
    visit, shift = next(
        (want.visit, shift)
        for want in desk.wants.values()
        for shift in desk.problem.shifts
        if shift.slot in {window.slot for window in want.hidden}
    )
    broken = build_plan(
        dataclasses.replace(
            desk.problem,
            visits=tuple(
                dataclasses.replace(v, windows=(*v.windows, *desk.wants[v.id].hidden))
                for v in desk.problem.visits
            ),
        ),
        {shift.id: (visit.id,)},
        reasons={v.id: Unserved(v.id, "no_room") for v in desk.problem.visits if v.id != visit.id},
    )
    assert "slot" in {violation.code for violation in verify(desk.problem, broken).violations}


def test_the_realised_share_is_the_setting_and_reasons_cannot_be_changed(store: Store) -> None:
    """Within two points at every setting; a changed reason or chance differs from the document."""
    district(store, 63)
    for share in (0.0, 0.1, 0.2):
        code = plan(store, dataclasses.replace(WEEK, control_share=share, teams=3))
        stops, _, _ = rows(store, code)
        drawn = [s for s in stops if s.reason is VisitReason.RANDOM]
        assert abs(len(drawn) / len(stops) - share) <= 0.02
        assert all(0 < s.p_select < 1 for s in drawn)
        assert all(s.p_select == 1 for s in stops if s.reason is not VisitReason.RANDOM)
    with store.begin(actor="t", now=NOW) as session:
        stop = session.get_one(PlanStop, drawn[0].id)
        stop.p_select = 1.0
    with store.reading() as session:
        assert {v.code for v in check(session, code).violations} == {"rows_differ"}


def test_a_place_seen_in_the_round_owes_no_first_visit(store: Store) -> None:
    """The lexicographic prize is for the others; what it still owes is wanted like any second visit."""
    with store.begin(actor="t", now=NOW) as session:
        seen, unseen = (add_institution(session, n, kind=Kind.CARE) for n in (1, 2))
        add_officers(session)
        add_visit(session, seen, dt.date(2026, 11, 16), slot=SlotKind.NOON)
    desk, _ = solved(store, dataclasses.replace(WEEK, round="normal", round_from=dt.date(2026, 9, 15)))
    assert {site.id: site.seen for site in desk.problem.sites} == {f"I{seen}": True, f"I{unseen}": False}
    desk, _ = solved(store, WEEK)
    assert not any(site.seen for site in desk.problem.sites)


def test_the_same_register_and_options_give_the_same_bytes(store: Store) -> None:
    """Draw, hidden slots and all."""
    district(store)
    documents = [rows(store, plan(store))[2] for _ in range(2)]
    assert documents[0] == documents[1]
    other = rows(store, plan(store, dataclasses.replace(WEEK, seed=5)))[2]
    assert other["control"] != documents[0]["control"]
    assert [v["hidden"] for v in other["visits"].values()] != [
        v["hidden"] for v in documents[0]["visits"].values()
    ]
