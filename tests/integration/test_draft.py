"""Drafts from a small register: refusals, duties before their dates, publication and tampering."""

from __future__ import annotations

import datetime as dt
import gzip
import itertools
import json

import pytest
from sqlalchemy import select, update

from data import audit
from data.schema import (
    Institution,
    Officer,
    OfficerLeave,
    PlanRevision,
    PlanShift,
    PlanShiftMember,
    PlanStop,
    PlanUnserved,
)
from data.store import Store
from data.terms import Kind, Outcome, PlanStatus, SiteStatus, SlotKind
from planner.draft import make_plan
from planner.errors import OptionsError, PlannerError
from planner.inforce import governing_plans, next_shift_date
from planner.itinerary import (
    PlanView,
    find_revision,
    list_plans,
    read_plan,
    shifts_between,
    shifts_on,
)
from planner.options import PlanOptions
from planner.publish import check, publish
from planner.revision import PlanResult
from tests.conftest import NOW, TODAY
from tests.register import (
    add_district,
    add_finding,
    add_institution,
    add_officers,
    add_tip,
    add_visit,
)

WEEK = PlanOptions(first=dt.date(2026, 11, 23), last=dt.date(2026, 11, 29), teams=2, iterations=300, seed=4)
DAY = dt.timedelta(days=1)


def plan(store: Store, options: PlanOptions = WEEK, **more: object) -> PlanResult:
    """Make a draft today."""
    return make_plan(store, options=options, actor="lead", now=NOW, today=TODAY, **more)  # type: ignore[arg-type]


def view(store: Store, result: PlanResult) -> PlanView:
    """Read a plan back."""
    with store.reading() as session:
        return read_plan(session, result.code)


def counter(store: Store) -> int:
    """Return the register's change counter."""
    with store.reading() as session:
        return audit.change_counter(session)


def district(store: Store, count: int = 25) -> list[int]:
    """Fill the register."""
    with store.begin(actor="t", now=NOW) as session:
        return add_district(session, count)


def refuse(store: Store, options: PlanOptions = WEEK, **more: object) -> PlannerError:
    """Expect a refusal that leaves the register as it was."""
    before = counter(store)
    with pytest.raises(PlannerError) as refusal:
        plan(store, options, **more)
    assert counter(store) == before
    with store.reading() as session:
        assert list_plans(session) == []
        assert session.scalars(select(PlanShift)).all() == []
    return refusal.value


def test_an_empty_register_is_refused(store: Store) -> None:
    """Nothing to plan."""
    assert refuse(store).code == "no_institutions"


def test_a_register_without_points_is_refused(store: Store) -> None:
    """Nobody can be routed."""
    with store.begin(actor="t", now=NOW) as session:
        add_institution(session, 1, at=None)
        add_officers(session)
    assert refuse(store).code == "nothing_placed"


@pytest.mark.parametrize("until", [None, dt.date(2026, 11, 28)])
def test_without_two_certificates_through_the_period_there_is_no_plan(
    store: Store, until: dt.date | None
) -> None:
    """One certified officer is not enough; a certificate that ends on the last day but one does not count."""
    district(store)
    with store.begin(actor="t", now=NOW) as session:
        for officer in session.scalars(select(Officer).where(Officer.code != "O1")):
            officer.certificate_until = until
            if until is None:
                officer.certificate_no = None
    error = refuse(store)
    assert (error.code, error.fields) == ("no_certified_officers", {"officers": 6, "certified": 1})


def test_yesterday_is_refused_and_today_is_not(store: Store) -> None:
    """A plan never begins in the past."""
    district(store, 4)
    options = PlanOptions(first=TODAY - DAY, last=TODAY, iterations=50)
    assert refuse(store, options).code == "period_in_past"
    assert plan(store, PlanOptions(first=TODAY, last=TODAY, iterations=50)).code


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"last": dt.date(2026, 11, 22)}, "period_reversed"),
        ({"last": dt.date(2027, 1, 24)}, "period_too_long"),
        ({"round_from": dt.date(2026, 11, 24)}, "round_after_period"),
        ({"teams": 0}, "out_of_range"),
        ({"teams": 61}, "out_of_range"),
    ],
)
def test_impossible_options_are_named(fields: dict[str, object], code: str) -> None:
    """Each option outside its range is a fault."""
    with pytest.raises(OptionsError) as refusal:
        PlanOptions(**{"first": TODAY, "last": TODAY + DAY, **fields})  # type: ignore[arg-type]
    assert [fault.code for fault in refusal.value.faults] == [code]


def test_a_limit_is_needed(store: Store) -> None:
    """Neither iterations nor seconds: refused, nothing stored."""
    district(store, 4)
    error = refuse(store, PlanOptions(first=TODAY, last=TODAY + DAY, iterations=None))
    assert "no_limit" in str(error)


def test_a_cancelled_plan_stores_nothing(store: Store) -> None:
    """Whenever the word comes before the end."""
    district(store)
    assert refuse(store, cancel=lambda: True).code == "cancelled"


def test_progress_is_told_from_reading_to_done(store: Store) -> None:
    """Shares between 0 and 1, the stages in order, done last."""
    district(store, 6)
    told: list[tuple[float, str]] = []
    plan(store, progress=lambda share, stage: told.append((share, stage)))
    assert [stage for stage, _ in itertools.groupby(stage for _, stage in told)] == [
        "reading", "solving", "checking", "storing", "done",
    ]  # fmt: skip
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert (min(shares) >= 0, shares[-1]) == (True, 1.0)


def test_the_plan_sees_every_kind_when_it_may_be_seen(store: Store) -> None:
    """Every place once; two certificates on every crew; nobody on leave; rows agree with the figures."""
    district(store)
    with store.begin(actor="t", now=NOW) as session:
        officer = session.scalars(select(Officer).where(Officer.code == "O2")).one()
        session.add(OfficerLeave(officer_id=officer.id, date=TODAY))
    result = plan(store)
    shown = view(store, result)
    with store.reading() as session:
        assert check(session, result.code).holds
    assert shown.head.summary["institutions_seen"] == shown.head.summary["institutions"] == 25
    stops = [(shift, stop) for shift in shown.shifts for stop in shift.stops]
    assert len(stops) == shown.head.summary["served"]
    assert {shift.slot_kind for shift, s in stops if s.kind is Kind.KINDERGARTEN} == {SlotKind.SCHOOL_HOURS}
    for shift in shown.shifts:
        assert sum(member.certified for member in shift.members) >= 2
        assert not (shift.date == TODAY and "O2" in {member.code for member in shift.members})
        assert [stop.sequence for stop in shift.stops] == list(range(1, len(shift.stops) + 1))
        times = [t for stop in shift.stops for t in (stop.arrive_s, stop.start_s, stop.leave_s)]
        assert times == sorted(times)
        assert shift.start_s <= times[0] <= times[-1] <= shift.end_s
    for _, group in itertools.groupby(shown.shifts, key=lambda s: (s.date, s.slot_kind)):
        names = [member.code for shift in group for member in shift.members]
        assert len(names) == len(set(names))


def test_rechecks_and_tips_are_visited_by_their_dates(store: Store) -> None:
    """Mandatory, in time, with the reason on the stop; an overdue one within the period."""
    ids = district(store)
    care, subject, late = ids[2], ids[0], ids[9]
    with store.begin(actor="t", now=NOW) as session:
        recheck = add_finding(session, care, TODAY - 9 * DAY, recheck_due=TODAY + DAY)
        tip = add_tip(session, subject, TODAY, TODAY + 2 * DAY)
        overdue = add_finding(session, late, TODAY - 30 * DAY, recheck_due=TODAY - 10 * DAY)
    shown = view(store, plan(store))
    must = {
        (stop.institution_id, reason["reason"], reason["record_id"]): shift.date
        for shift in shown.shifts
        for stop in shift.stops
        for reason in stop.reasons
        if reason.get("reason") in ("recheck", "tip") and stop.mandatory
    }
    assert must[care, "recheck", recheck] <= TODAY + DAY
    assert must[subject, "tip", tip] <= TODAY + 2 * DAY
    assert (late, "recheck", overdue) in must
    assert shown.head.summary["mandatory"] == shown.head.summary["mandatory_served"] == 3


def test_a_round_pays_debts_and_a_locked_door_does_not(store: Store) -> None:
    """What the round has seen at noon is not sought at noon again; an attempt is."""
    with store.begin(actor="t", now=NOW) as session:
        paid, tried, earlier = (add_institution(session, n) for n in range(3))
        add_officers(session)
        add_visit(session, paid, TODAY - 5 * DAY)
        add_visit(session, paid, TODAY - 4 * DAY, slot=SlotKind.EVENING)
        add_visit(session, tried, TODAY - 5 * DAY, outcome=Outcome.NOT_OPEN)
        add_visit(session, earlier, TODAY - 40 * DAY)
    options = PlanOptions(
        first=WEEK.first, last=WEEK.last, teams=2, iterations=100, round_from=TODAY - 10 * DAY
    )

    def wanted(chosen: PlanOptions) -> set[tuple[int, str]]:
        shown = view(store, plan(store, chosen))
        stops = {(s.institution_id, s.slot_class.value) for shift in shown.shifts for s in shift.stops}
        left = {(u.institution_id, u.slot_class.value) for u in shown.unserved if u.slot_class}
        return stops | left

    both = {(key, c) for key in (tried, earlier) for c in ("noon", "evening")}
    assert wanted(options) == both
    assert wanted(WEEK) == both | {(paid, "noon"), (paid, "evening")}


def test_a_round_that_is_all_paid_gives_an_empty_plan(store: Store) -> None:
    """Nothing owed: no shift, no team, coverage whole, and the plan can be checked."""
    with store.begin(actor="t", now=NOW) as session:
        key = add_institution(session, 1)
        add_officers(session)
        for slot in (SlotKind.NOON, SlotKind.EVENING):
            add_visit(session, key, TODAY - DAY, slot=slot)
    result = plan(
        store, PlanOptions(first=TODAY, last=TODAY + DAY, round_from=TODAY - 2 * DAY, iterations=50)
    )
    assert (result.summary["visits"], result.summary["shifts"], result.summary["coverage"]) == (0, 0, 1.0)
    with store.reading() as session:
        assert check(session, result.code).holds


def test_unplaced_and_deregistered_places_are_told_or_left_alone(store: Store) -> None:
    """One is unserved with its reason, the other owes nothing."""
    district(store, 5)
    with store.begin(actor="t", now=NOW) as session:
        unplaced = add_institution(session, 90, at=None)
        gone = add_institution(session, 91, status=SiteStatus.DEREGISTERED)
    shown = view(store, plan(store))
    assert [(u.institution_id, u.code) for u in shown.unserved if u.code == "not_placed"] == [
        (unplaced, "not_placed")
    ]
    assert gone not in {s.institution_id for shift in shown.shifts for s in shift.stops}


def test_same_seed_and_iterations_give_the_same_bytes(store: Store) -> None:
    """Document and digests are equal; another seed is another input."""
    district(store)
    codes = [plan(store).code, plan(store).code]
    other = PlanOptions(first=WEEK.first, last=WEEK.last, teams=2, iterations=300, seed=5)
    codes.append(plan(store, other).code)
    with store.reading() as session:
        one, two, three = (find_revision(session, code) for code in codes)
    assert len(set(codes)) == 3
    assert (one.document, one.document_digest, one.input_digest) == (
        two.document, two.document_digest, two.input_digest,
    )  # fmt: skip
    assert three.input_digest != one.input_digest


def test_a_year_without_announcement_needs_a_word_before_publication(store: Store) -> None:
    """The draft is marked; publishing it needs the confirmation."""
    district(store, 5)
    result = plan(store, PlanOptions(first=dt.date(2027, 3, 1), last=dt.date(2027, 3, 5), iterations=100))
    assert result.summary["provisional"] is True
    assert view(store, result).head.provisional
    before = counter(store)
    with store.begin(actor="lead", now=NOW) as session, pytest.raises(PlannerError) as refusal:
        publish(session, result.code, actor="lead", now=NOW, today=TODAY)
    assert refusal.value.code == "provisional"
    assert counter(store) == before
    assert view(store, result).head.status is PlanStatus.DRAFT
    with store.begin(actor="lead", now=NOW) as session:
        publish(session, result.code, actor="lead", now=NOW, today=TODAY, confirm_provisional=True)
    assert view(store, result).head.status is PlanStatus.PUBLISHED


def test_publication_supersedes_plans_inside_and_is_final(store: Store) -> None:
    """The later plan of the same week rules; a published plan is not published again."""
    district(store, 8)
    first, second = plan(store), plan(store)
    for minutes, result in enumerate((first, second)):
        now = NOW + dt.timedelta(minutes=minutes)
        with store.begin(actor="lead", now=now) as session:
            publish(session, result.code, actor="lead", now=now, today=TODAY, confirm_parent=True)
    assert view(store, first).head.status is PlanStatus.SUPERSEDED
    head = view(store, second).head
    assert (head.status, head.published_by, head.published_at) == (
        PlanStatus.PUBLISHED, "lead", NOW + dt.timedelta(minutes=1),
    )  # fmt: skip
    for result, status in ((first, "superseded"), (second, "published")):
        before = counter(store)
        with store.begin(actor="lead", now=NOW) as session, pytest.raises(PlannerError) as refusal:
            publish(session, result.code, actor="lead", now=NOW, today=TODAY)
        assert (refusal.value.code, refusal.value.fields["status"]) == ("not_a_draft", status)
        assert counter(store) == before
    with store.reading() as session:
        assert set(governing_plans(session, WEEK.first, WEEK.last).values()) == {head.id}
        assert {s.plan for s in shifts_between(session, first=WEEK.first, last=WEEK.last)} == {second.code}


def test_a_later_plan_of_a_part_rules_that_part(store: Store) -> None:
    """Two days are planned anew: the week stays in force for the other days."""
    district(store, 8)
    week = plan(store)
    part = plan(store, PlanOptions(first=TODAY, last=TODAY + DAY, teams=2, iterations=100))
    for minutes, result in enumerate((week, part)):
        now = NOW + dt.timedelta(minutes=minutes)
        with store.begin(actor="lead", now=now) as session:
            publish(session, result.code, actor="lead", now=now, today=TODAY, confirm_parent=True)
    ids = {code: view(store, result).head.id for code, result in (("week", week), ("part", part))}
    with store.reading() as session:
        rules = governing_plans(session, WEEK.first - DAY, WEEK.last + DAY)
    assert rules == {WEEK.first + n * DAY: ids["part" if n < 2 else "week"] for n in range(7)}


def test_a_draft_is_nobodys_route(store: Store) -> None:
    """Only what is published is in force, for the officer's own shifts and the next date too."""
    district(store)
    result = plan(store)
    shown = view(store, result)
    with store.reading() as session:
        assert shifts_on(session, day=shown.shifts[0].date) == ()
        assert next_shift_date(session, after=TODAY - DAY) is None
    with store.begin(actor="lead", now=NOW) as session:
        publish(session, result.code, actor="lead", now=NOW, today=TODAY)
    one = shown.shifts[0].members[0].officer_id
    own = [s for s in shown.shifts if one in {m.officer_id for m in s.members}]
    with store.reading() as session:
        found = shifts_between(session, first=WEEK.first, last=WEEK.last, officer_id=one)
        assert [s.code for s in found] == [s.code for s in own]
        assert next_shift_date(session, after=TODAY - DAY, officer_id=one) == own[0].date
        assert next_shift_date(session, after=WEEK.last) is None
        assert shifts_on(session, day=TODAY, officer_id=9999) == ()


def tamper(store: Store, code: str, document: bytes) -> None:
    """Write another document past every rule."""
    with store.engine.begin() as connection:
        connection.execute(update(PlanRevision).where(PlanRevision.code == code).values(document=document))


def test_a_tampered_document_is_found_and_not_published(store: Store) -> None:
    """A moved stop, cut bytes and plain rubbish are all told as one broken rule."""
    district(store, 8)
    result = plan(store)
    with store.reading() as session:
        good = find_revision(session, result.code).document
    body = json.loads(gzip.decompress(good))
    body["plan"]["routes"][0]["stops"].pop()
    before = counter(store)
    for document in (
        gzip.compress(json.dumps(body).encode()),
        good[:-20],
        b"rubbish",
        b"",
        gzip.compress(b"x"),
    ):
        tamper(store, result.code, document)
        with store.reading() as session:
            report = check(session, result.code)
        assert [violation.code for violation in report.violations] == ["digest"]
        with store.begin(actor="lead", now=NOW) as session, pytest.raises(PlannerError) as refusal:
            publish(session, result.code, actor="lead", now=NOW, today=TODAY)
        assert refusal.value.code == "broken_plan"
    assert counter(store) == before
    tamper(store, result.code, good)
    with store.reading() as session:
        assert check(session, result.code).holds


@pytest.mark.parametrize(
    ("table", "name", "value"),
    [
        (PlanStop, "arrive_s", 1),
        (PlanStop, "institution_id", 1),
        (PlanStop, "sequence", 99),
        (PlanStop, "mandatory", True),
        (PlanShift, "date", TODAY + 30 * DAY),
        (PlanShift, "end_s", 1),
        (PlanShiftMember, "leads", False),
        (PlanShiftMember, "officer_id", 6),
    ],
)
def test_tampered_rows_are_found_too(store: Store, table: type, name: str, value: object) -> None:
    """People read rows, not the document: whatever differs in a shift, crew or stop is a broken rule."""
    district(store, 8)
    with store.begin(actor="t", now=NOW) as session:
        session.add(OfficerLeave(officer_id=6, date=TODAY))
    result = plan(store, PlanOptions(first=TODAY, last=TODAY, teams=1, iterations=50))
    key = select(table.id).where(getattr(table, name) != value).order_by(table.id).limit(1)  # type: ignore[attr-defined]
    with store.engine.begin() as connection:
        changed = connection.execute(
            update(table).where(table.id == key.scalar_subquery()).values({name: value})  # type: ignore[attr-defined]
        )
    assert changed.rowcount == 1
    with store.begin(actor="lead", now=NOW) as session:
        assert [v.code for v in check(session, result.code).violations] == ["rows_differ"]
        with pytest.raises(PlannerError) as refusal:
            publish(session, result.code, actor="lead", now=NOW, today=TODAY)
    assert refusal.value.code == "broken_plan"


def test_unknown_plans_are_refused(store: Store) -> None:
    """Reading, checking and publishing what is not there."""
    with store.begin(actor="lead", now=NOW) as session:
        for step in (read_plan, check, find_revision):
            with pytest.raises(PlannerError) as refusal:
                step(session, "P0")
            assert refusal.value.code == "unknown_plan"
        with pytest.raises(PlannerError) as refusal:
            publish(session, "P0", actor="lead", now=NOW, today=TODAY)
        assert refusal.value.code == "unknown_plan"


def test_what_is_left_out_is_stored_with_its_reason(store: Store) -> None:
    """One team for sixty places in a day: every unserved visit has a row with a code."""
    with store.begin(actor="t", now=NOW) as session:
        for number in range(60):
            add_institution(session, number, at=(121.2 + 0.004 * (number % 8), 40.3 + 0.003 * (number // 8)))
        add_officers(session, 2)
    result = plan(store, PlanOptions(first=TODAY, last=TODAY, teams=1, iterations=300))
    with store.reading() as session:
        rows = session.scalars(select(PlanUnserved)).all()
        names = {i.id for i in session.scalars(select(Institution))}
        assert check(session, result.code).holds
    assert len(rows) == result.summary["visits"] - result.summary["served"] > 0
    assert {row.code for row in rows} <= {"no_room", "no_window", "gap", "not_worth", "too_far"}
    assert {row.institution_id for row in rows} <= names
    assert sum(result.summary["unserved"].values()) == len(rows)


def test_a_plan_whose_period_is_over_is_not_published(store: Store) -> None:
    """A draft forgotten in the drawer is refused with its last day."""
    district(store, 5)
    result = plan(store)
    with store.begin(actor="lead", now=NOW) as session, pytest.raises(PlannerError) as refusal:
        publish(session, result.code, actor="lead", now=NOW, today=WEEK.last + DAY)
    assert refusal.value.code == "period_over"
    assert view(store, result).head.status is PlanStatus.DRAFT


def test_a_published_route_does_not_change_under_a_team(store: Store) -> None:
    """A new name, address or lost point of a place reaches the next plan, not this one."""
    district(store, 5)
    result = plan(store)
    before = view(store, result).shifts
    with store.begin(actor="clerk", now=NOW) as session:
        for place in session.scalars(select(Institution)):
            place.name, place.address, place.lon, place.lat = "改名", "改址", None, None
    assert view(store, result).shifts == before


def test_duties_are_kept_when_people_are_short(store: Store) -> None:
    """Two certified people, five shifts: rechecks come first, and progress never falls over the retries."""
    ids = district(store, 40)
    with store.begin(actor="t", now=NOW) as session:
        for officer in session.scalars(select(Officer).order_by(Officer.id)).all()[2:]:
            officer.certificate_no = None
        places = session.scalars(select(Institution).where(Institution.id.in_(ids))).all()
        care = [place.id for place in places if place.kind is Kind.CARE and place.lon is not None][:3]
        for place in care:
            add_finding(session, place, TODAY - 7 * DAY, recheck_due=TODAY + 4 * DAY)
    shares: list[float] = []
    result = plan(store, progress=lambda share, stage: shares.append(share))
    shown = view(store, result)
    assert shown.unserved
    assert not any(item.mandatory for item in shown.unserved)
    dates = {s.institution_id: shift.date for shift in shown.shifts for s in shift.stops if s.mandatory}
    assert set(dates) == set(care)
    assert max(dates.values()) <= TODAY + 4 * DAY
    assert shares == sorted(shares)
