"""Who is barred: recusals while they hold, and the crew of the last visit."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from data.schema import Officer, Recusal
from data.store import Store
from data.terms import RecusalReason
from planner.recusal import MET_LAST, RECUSAL, read_barred
from tests.conftest import NOW, TODAY
from tests.register import add_institution, add_officers, add_plan, add_shift, add_visit

DAY = dt.timedelta(days=1)
EARLIER = TODAY - 40 * DAY
PUBLISHED = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)


@pytest.fixture
def place(store: Store) -> int:
    """Return the only institution; six officers are on file."""
    with store.begin(actor="t", now=NOW) as session:
        add_officers(session)
        return add_institution(session, 1)


def plan(session: Session) -> int:
    """Add a plan in force for the last weeks and the next."""
    return add_plan(session, EARLIER, TODAY + 20 * DAY, published_at=PUBLISHED)


def barred(session: Session, place: int, **period: dt.date) -> dict[str, str]:
    """Return who is barred from the place today."""
    return dict(read_barred(session, as_of=period.pop("as_of", TODAY), **period).get(place, {}))


@pytest.mark.parametrize(
    ("since", "until", "holds"),
    [(TODAY, None, True), (TODAY + 6 * DAY, None, True), (TODAY + 7 * DAY, None, False),
     (EARLIER, TODAY, True), (EARLIER, TODAY - DAY, False)],
)  # fmt: skip
def test_a_recusal_holds_from_since_to_until(
    store: Store, place: int, since: dt.date, until: dt.date | None, holds: bool
) -> None:
    """One day of the period is enough; both ends count."""
    with store.begin(actor="t", now=NOW) as session:
        officer = session.scalars(select(Officer).where(Officer.code == "O3")).one()
        reason = RecusalReason.RELATIVE
        session.add(
            Recusal(officer_id=officer.id, institution_id=place, reason=reason, since=since, until=until)
        )
        session.flush()
        assert barred(session, place, last=TODAY + 6 * DAY) == ({"O3": RECUSAL} if holds else {})


def test_the_crew_of_the_last_planned_visit_is_barred(store: Store, place: int) -> None:
    """Only of the last, and only once its date is past."""
    with store.begin(actor="t", now=NOW) as session:
        number = plan(session)
        add_shift(session, number, TODAY - 9 * DAY, ("O1", "O2"), institution_id=place)
        add_shift(session, number, TODAY - DAY, ("O3", "O4"), institution_id=place)
        add_shift(session, number, TODAY, ("O5", "O6"), institution_id=place)
        assert barred(session, place) == {"O3": MET_LAST, "O4": MET_LAST}
        assert barred(session, place, as_of=TODAY + DAY) == {"O5": MET_LAST, "O6": MET_LAST}


def test_a_record_names_its_stop_or_its_date(store: Store, place: int) -> None:
    """The record's own stop first, else the stop planned on that date; strangers' visits end the bar."""
    with store.begin(actor="t", now=NOW) as session:
        number = plan(session)
        early = add_shift(session, number, TODAY - 9 * DAY, ("O1", "O2"), institution_id=place)
        add_shift(session, number, TODAY - 5 * DAY, ("O3", "O4"), institution_id=place)
        add_visit(session, place, TODAY - 5 * DAY)
        assert set(barred(session, place)) == {"O3", "O4"}
        add_visit(session, place, TODAY - 3 * DAY, stop_id=early)
        assert set(barred(session, place)) == {"O1", "O2"}
        add_visit(session, place, TODAY - 2 * DAY)
        assert barred(session, place) == {}


def test_plans_that_were_not_in_force_bar_nobody(store: Store, place: int) -> None:
    """A plan published after the date was never worked."""
    with store.begin(actor="t", now=NOW) as session:
        late = add_plan(session, EARLIER, TODAY, published_at=NOW)
        add_shift(session, late, TODAY - 5 * DAY, ("O1", "O2"), institution_id=place)
        assert barred(session, place) == {}


def test_a_recusal_is_told_before_the_last_visit(store: Store, place: int) -> None:
    """Both hold; the lasting one is named."""
    with store.begin(actor="t", now=NOW) as session:
        add_shift(session, plan(session), TODAY - DAY, ("O1", "O2"), institution_id=place)
        officer = session.scalars(select(Officer).where(Officer.code == "O1")).one()
        other = RecusalReason.OTHER
        session.add(Recusal(officer_id=officer.id, institution_id=place, reason=other, since=EARLIER))
        session.flush()
        assert barred(session, place) == {"O1": RECUSAL, "O2": MET_LAST}
