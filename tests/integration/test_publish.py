"""Two leads: what a publication would undo, or what changed since the draft, is asked and never silent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from data.schema import CalendarDay, Institution, Officer, OfficerLeave, PlanRevision, Recusal
from data.store import Store
from data.terms import DayType, PlanStatus, RecusalReason, SiteStatus
from planner.draft import make_plan
from planner.errors import PlannerError
from planner.inforce import governing_plans
from planner.itinerary import find_revision, read_plan
from planner.objections import list_objections
from planner.options import PlanOptions
from planner.publish import publish
from planner.revise import Event, revise
from tests.conftest import NOW, TODAY
from tests.register import add_district

DAY = dt.timedelta(days=1)
SPAN = PlanOptions(first=TODAY, last=TODAY + 2 * DAY, teams=2, iterations=50, seed=4)


def make(store: Store, options: PlanOptions = SPAN) -> str:
    """Make a draft."""
    return make_plan(store, options=options, actor="lead", now=NOW, today=TODAY).code


def put(store: Store, code: str, **words: bool) -> None:
    """Publish a draft."""
    with store.begin(actor="lead", now=NOW) as session:
        publish(session, code, actor="lead", now=NOW, today=TODAY, **words)


def refusal_of(store: Store, code: str, **words: bool) -> PlannerError:
    """Return why a draft is not published; nothing changes."""
    with pytest.raises(PlannerError) as refusal:
        put(store, code, **words)
    with store.reading() as session:
        assert find_revision(session, code).status is PlanStatus.DRAFT
        if refusal.value.code not in ("not_a_draft", "unknown_plan"):
            told = list_objections(session, code, today=TODAY)
            assert refusal.value.code in {objection.code for objection in told}
    return refusal.value


@pytest.fixture
def draft(store: Store) -> str:
    """Return a draft of three days for twelve places and six officers."""
    with store.begin(actor="t", now=NOW) as session:
        add_district(session, 12)
    return make(store)


def repaired(store: Store, code: str, number: int) -> str:
    """Return a revision that drops one of the places."""
    with store.reading() as session:
        stops = [stop for shift in read_plan(session, code).shifts for stop in shift.stops]
    event = Event(drop=(f"I{stops[number].institution_id}",))
    return revise(store, code, event, actor="lead", now=NOW).code


def test_two_repairs_of_one_plan_are_not_published_over_each_other(store: Store, draft: str) -> None:
    """The second names the first, and takes its place only on the word of its lead."""
    put(store, draft)
    one, two = repaired(store, draft, 0), repaired(store, draft, -1)
    put(store, one)
    refusal = refusal_of(store, two)
    assert (refusal.code, refusal.fields["parent"], refusal.fields["by"]) == (
        "parent_superseded", draft, [one],
    )  # fmt: skip
    # A repair of a plan that is no longer in force, made later, is the same.
    late = repaired(store, draft, 1)
    assert refusal_of(store, late).code == "parent_superseded"
    # One of the plan in force, and a repair of that draft, go through.
    put(store, repaired(store, repaired(store, one, -1), 0))
    put(store, two, confirm_parent=True)
    with store.reading() as session:
        assert set(governing_plans(session, SPAN.first, SPAN.last).values()) == {
            find_revision(session, two).id
        }


def test_a_plan_made_before_another_was_published_is_asked_about(store: Store, draft: str) -> None:
    """Of the same days or overlapping ones; a plan made after it is not."""
    longer = make(store, PlanOptions(first=TODAY + DAY, last=TODAY + 4 * DAY, teams=2, iterations=50))
    put(store, longer)
    refusal = refusal_of(store, draft)
    assert (refusal.code, refusal.fields["by"]) == ("published_meanwhile", [longer])
    after = make(store)
    put(store, after)
    with pytest.raises(PlannerError, match="not_a_draft"):
        put(store, after)
    with store.reading() as session:
        days = governing_plans(session, TODAY, TODAY + 4 * DAY)
        ids = [find_revision(session, code).id for code in (after, longer)]
    assert list(days.values()) == [ids[0]] * 3 + [ids[1]] * 2


def close_all(session: Session) -> None:
    for place in session.scalars(select(Institution)):
        place.status = SiteStatus.DEREGISTERED


def move_all(session: Session) -> None:
    for place in session.scalars(select(Institution)):
        place.lat = (place.lat or 0) + 0.01


def end_certificates(session: Session) -> None:
    for officer in session.scalars(select(Officer)):
        officer.certificate_until = TODAY - DAY


def grant_leave(session: Session) -> None:
    for officer in session.scalars(select(Officer)).all():
        session.add_all(OfficerLeave(officer_id=officer.id, date=TODAY + n * DAY) for n in range(3))


def recuse(session: Session) -> None:
    place = session.scalars(select(Institution.id)).all()
    for officer in session.scalars(select(Officer.id)).all():
        session.add_all(
            Recusal(officer_id=officer, institution_id=key, reason=RecusalReason.RELATIVE, since=TODAY)
            for key in place
        )


def shut(session: Session) -> None:
    for number in range(3):
        session.add(CalendarDay(date=TODAY + number * DAY, day_type=DayType.HOLIDAY, name="", source="x"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (close_all, "closed"),
        (move_all, "moved"),
        (end_certificates, "officers"),
        (grant_leave, "officers"),
        (recuse, "recused"),
        (shut, "days"),
    ],
)
def test_a_changed_register_is_told_before_publication(
    store: Store, draft: str, change: Callable[[Session], None], field: str
) -> None:
    """Places closed or moved, people away or without certificate, recusals, days off: counts and names."""
    with store.reading() as session:
        assert list_objections(session, draft, today=TODAY) == ()
    with store.begin(actor="clerk", now=NOW) as session:
        change(session)
    refusal = refusal_of(store, draft)
    assert refusal.code == "inputs_changed"
    assert int(str(refusal.fields[field])) > 0 and refusal.fields["first"]
    assert [name for name in ("closed", "moved", "officers", "recused") if refusal.fields[name]] in (
        [field], []
    )  # fmt: skip
    with store.reading() as session:
        # What is past cannot be planned anew: only the days from today on count.
        assert list_objections(session, draft, today=SPAN.last + DAY) == ()
    put(store, draft, confirm_inputs=True)


def publish_at_once(store: Store, codes: list[str]) -> list[str]:
    """Publish drafts in threads of their own and return how each ended."""

    def attempt(code: str) -> str:
        try:
            put(store, code)
        except PlannerError as error:
            return error.code
        return "published"

    with ThreadPoolExecutor(len(codes)) as threads:
        return sorted(threads.map(attempt, codes))


@pytest.mark.parametrize("base", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_two_who_publish_at_once_leave_one_plan_in_force(base: str, request: pytest.FixtureRequest) -> None:
    """Two drafts of one period, or one draft twice."""
    store: Store = request.getfixturevalue("store" if base == "sqlite" else "postgres_store")
    with store.begin(actor="t", now=NOW) as session:
        add_district(session, 12)
    one, two = make(store), make(store)
    assert publish_at_once(store, [one, two]) == ["published", "published_meanwhile"]
    again = make(store)
    assert publish_at_once(store, [again, again]) == ["not_a_draft", "published"]
    with store.reading() as session:
        in_force = session.scalars(select(PlanRevision).where(PlanRevision.status == PlanStatus.PUBLISHED))
        assert [plan.code for plan in in_force] == [again]
