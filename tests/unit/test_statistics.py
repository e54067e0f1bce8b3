"""The overview's counts: periods with their edges, and nothing outside the asking person's scope."""

from __future__ import annotations

import datetime as dt

from data.accounts import Identity
from data.schema import Institution
from data.statistics import Headline, headline
from data.store import Store
from data.terms import FindingStatus, Kind, Role
from tests.conftest import NOW, TODAY
from tests.register import add_finding, add_grid, add_institution, add_tip, add_visit


def ask(store: Store, role: Role = Role.TEAM_LEAD, **scope: str) -> Headline:
    """Ask for the numbers of today."""
    who = Identity(1, "u", "u", role, None, scope.get("subdistrict"), scope.get("grid"), False)
    with store.reading() as session:
        return headline(session, who, today=TODAY)


def fill(store: Store) -> None:
    """Add two places in grid A (one outside every layer), one unplaced in B, with visits, findings, tips."""
    day = dt.timedelta(days=1)
    with store.begin(actor="t", now=NOW) as session:
        grid_id = add_grid(session, "A", (121.0, 40.0, 121.3, 40.5))
        one = add_institution(session, 1, grid="A")
        session.get_one(Institution, one).grid_id = grid_id
        two = add_institution(session, 2, kind=Kind.KINDERGARTEN, grid="A")
        three = add_institution(session, 3, at=None, grid="B")
        for ago in (0, 29, 30, 59, 60, -1):
            add_visit(session, one, TODAY - ago * day)
        add_finding(session, one, TODAY, recheck_due=TODAY - day)
        add_finding(session, one, TODAY - 29 * day, recheck_due=TODAY, status=FindingStatus.SUBMITTED)
        add_finding(session, two, TODAY - 30 * day, recheck_due=TODAY - day, status=FindingStatus.CLOSED)
        add_tip(session, two, TODAY, TODAY)
        add_tip(session, three, TODAY, TODAY)
        add_tip(session, three, TODAY, TODAY, handled=True)


def test_numbers_of_the_whole_district(store: Store) -> None:
    """30 days end today, the 30 before follow without gap; what is due today is not overdue."""
    fill(store)
    seen = ask(store)
    assert (seen.institutions, seen.by_kind) == (3, {Kind.CARE: 2, Kind.KINDERGARTEN: 1})
    assert (seen.placed, seen.unplaced, seen.outside, seen.doubtful) == (2, 1, 1, 0)
    assert (seen.visits_30d, seen.visits_previous_30d) == (2, 2)
    assert (seen.open_findings, seen.overdue_rechecks, seen.findings_30d) == (2, 1, 2)
    assert seen.open_tips == 2


def test_a_scope_narrows_every_number(store: Store) -> None:
    """Grid B holds one unplaced place with one open tip, and nothing of grid A shows."""
    fill(store)
    seen = ask(store, Role.GRID_WORKER, grid="B")
    assert (seen.institutions, seen.placed, seen.unplaced, seen.outside) == (1, 0, 1, 0)
    assert (seen.visits_30d, seen.open_findings, seen.overdue_rechecks, seen.open_tips) == (0, 0, 0, 1)


def test_whoever_may_read_nothing_counts_nothing(store: Store) -> None:
    """The administrator and a grid worker without a grid see zeros, never everything."""
    fill(store)
    for role in (Role.ADMINISTRATOR, Role.GRID_WORKER):
        seen = ask(store, role)
        assert (seen.institutions, seen.visits_30d, seen.open_findings, seen.open_tips) == (0, 0, 0, 0)
        assert seen.by_kind == {}


def test_an_empty_register_is_all_zeros(store: Store) -> None:
    """Nothing divides by nothing."""
    assert ask(store).institutions == 0
