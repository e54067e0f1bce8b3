"""Coverage by grid area and findings round schools, from records."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from data.accounts import Identity
from data.store import Store
from data.terms import Kind, Outcome, Role, SiteStatus, SlotClass
from geo.monitor import coverage_by_grid, near_school_hotspots
from planner.ledger import owed
from planner.slots import read_rules
from tests.conftest import NOW, TODAY
from tests.register import (
    LAT,
    LON,
    add_finding,
    add_grid,
    add_institution,
    add_school,
    add_visit,
)

CLASSES = [SlotClass.NOON, SlotClass.EVENING]


def identity(role: Role = Role.TEAM_LEAD, grid: str | None = None) -> Identity:
    """Return who asks."""
    return Identity(1, "u", "u", role, None, None, grid, False)


def cover(store: Store, who: Identity, kind: str | None = None) -> pd.DataFrame:
    """Return the coverage of this month by grid code."""
    with store.reading() as session:
        first = dt.date(2026, 11, 1)
        debts = owed(session, round_from=first, round_to=TODAY, rules=read_rules(), classes=CLASSES)
        frame = coverage_by_grid(session, debts, identity=who, kind=kind)
        return pd.DataFrame(frame).set_index("grid_code")


def fill(store: Store) -> None:
    """Add grids W (two care centres, one of them paid at noon), E (deregistered) and an empty N."""
    with store.begin(actor="t", now=NOW) as session:
        add_grid(session, "W", (121.0, 40.2, 121.2, 40.5))
        add_grid(session, "E", (121.2, 40.2, 121.4, 40.5))
        add_grid(session, "N", (121.0, 40.5, 121.4, 40.6))
        one = add_institution(session, 1, grid="W")
        add_institution(session, 2, grid="W")
        add_institution(session, 3, grid="E", status=SiteStatus.DEREGISTERED)
        add_visit(session, one, dt.date(2026, 11, 10))
        add_visit(session, one, dt.date(2026, 11, 11), outcome=Outcome.NOT_OPEN)


def test_states_of_grids(store: Store) -> None:
    """One of four visits paid, a grid that owes nothing, a grid without places."""
    fill(store)
    frame = cover(store, identity())
    assert frame.loc["W", ["institutions", "owed", "paid", "share", "state"]].tolist() == [
        2, 4, 1, 0.25, "partial",
    ]  # fmt: skip
    assert frame["state"].to_dict() == {"W": "partial", "E": "nothing_owed", "N": "no_data"}


def test_one_kind_counts_its_own_debts_only(store: Store) -> None:
    """The filter narrows institutions, owed and paid together."""
    fill(store)
    with store.begin(actor="t", now=NOW) as session:
        add_institution(session, 4, kind=Kind.NON_SUBJECT, grid="W")
    columns = ["institutions", "owed", "paid"]
    assert cover(store, identity()).loc["W", columns].tolist() == [3, 5, 1]
    assert cover(store, identity(), "care").loc["W", columns].tolist() == [2, 4, 1]
    assert cover(store, identity(), "non_subject").loc["W", columns].tolist() == [1, 1, 0]


def test_places_outside_every_grid_belong_to_none(store: Store) -> None:
    """They do not raise and do not add to a grid."""
    fill(store)
    with store.begin(actor="t", now=NOW) as session:
        add_institution(session, 9, at=None)
    assert cover(store, identity())["owed"].sum() == 4


def test_a_grid_worker_sees_the_own_grid_only(store: Store) -> None:
    """The other grids show no data."""
    fill(store)
    frame = cover(store, identity(Role.GRID_WORKER, "E"))
    assert frame["state"].to_dict() == {"W": "no_data", "E": "nothing_owed", "N": "no_data"}


def test_an_empty_register_covers_nothing(store: Store) -> None:
    """Neither grids nor places."""
    assert cover(store, identity()).empty
    with store.begin(actor="t", now=NOW) as session:
        add_grid(session, "W", (121.0, 40.2, 121.2, 40.5))
    assert cover(store, identity())["state"].to_dict() == {"W": "no_data"}


def near(store: Store, first: dt.date, last: dt.date = TODAY) -> pd.DataFrame:
    """Return the rates round schools of a period."""
    with store.reading() as session:
        return near_school_hotspots(session, date_from=first, date_to=last, seed=3)[0]


def test_findings_count_once_a_visit_that_saw_the_place(store: Store) -> None:
    """Two findings of one visit are one; attempts and visits outside the period are none."""
    with store.begin(actor="t", now=NOW) as session:
        add_school(session, "一小")
        add_school(session, "园", at=(LON + 0.1, LAT))
        key = add_institution(session, 1)
        add_institution(session, 2, at=(LON + 0.1, LAT), kind=Kind.SUBJECT)
        add_institution(session, 3, at=None)
        visit = add_visit(session, key, dt.date(2026, 11, 10))
        add_finding(session, key, dt.date(2026, 11, 10), visit_id=visit)
        add_finding(session, key, dt.date(2026, 11, 10), visit_id=visit)
        locked = add_visit(session, key, dt.date(2026, 11, 11), outcome=Outcome.REFUSED)
        add_finding(session, key, dt.date(2026, 11, 11), visit_id=locked)
        add_visit(session, key, dt.date(2026, 10, 1))
    rates = near(store, dt.date(2026, 11, 1))
    here = rates[rates["school_name"] == "一小"]
    assert set(here["visits"]) == {1}
    assert set(here["findings"]) == {1}
    assert set(rates[rates["school_name"] == "园"]["visits"]) == {0}


def test_without_schools_or_places_there_is_an_empty_answer(store: Store) -> None:
    """An empty frame with the columns a page asks for."""
    for add in (None, add_school, lambda session: add_institution(session, 1, at=None)):
        if add is not None:
            with store.begin(actor="t", now=NOW) as session:
                add(session)
        rates = near(store, dt.date(2026, 11, 1))
        assert rates.empty
        assert {"school_id", "school_name", "radius_m", "label"} <= set(rates.columns)
