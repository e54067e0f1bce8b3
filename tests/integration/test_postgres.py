"""The whole job on a real PostgreSQL server: demo, plan, pages' reads, log-in."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from dashboard.district import build_demo, summarise_demo
from data import accounts, chain, statistics
from data.access import credentials, passwords
from data.calendar import load_calendar
from data.demo import DEMO_PASSWORD
from data.schema import User
from data.store import Store
from geo.monitor import coverage_by_grid, near_school_hotspots
from planner.itinerary import read_plan, shifts_on
from planner.ledger import owed
from planner.publish import check
from planner.slots import list_slots, read_rules
from tests.conftest import NOW, TODAY
from tests.shared import copied

pytestmark = pytest.mark.postgres


def test_the_demo_lives_on_postgresql_as_on_sqlite(
    postgres_store: Store, small_demo: Path, tmp_path: Path
) -> None:
    """Both databases hold the same register, give the same plan, and answer every page's question."""
    made = build_demo(postgres_store, preset="small", seed=1, today=TODAY, now=NOW, var_dir=tmp_path)
    store = Store(f"sqlite:///{copied(small_demo, tmp_path / 's') / 'gridpatrol.db'}")
    assert summarise_demo(store) == made
    store.close()
    with postgres_store.reading() as session:
        view = read_plan(session, made.plan)
        assert check(session, made.plan).holds
        assert shifts_on(session, day=view.shifts[0].date)
        user = session.scalars(select(User).where(User.username == "zuzhang")).one()
        identity = accounts.identity_of(user)
        assert statistics.headline(session, identity, today=TODAY).institutions == 76
        rules = read_rules()
        slots = list_slots(load_calendar(session), first=TODAY, last=view.head.period_to, rules=rules)
        classes = {slot.slot_class for slot in slots}
        debts = owed(session, round_from=TODAY, round_to=view.head.period_to, rules=rules, classes=classes)
        grids = coverage_by_grid(session, debts, identity=identity)
        assert int(grids["owed"].sum()) > 0
        rates, schools = near_school_hotspots(session, date_from=TODAY.replace(year=2025), date_to=TODAY)
        assert len(rates) == 3 * len(schools)
        assert chain.first_break(session) is None
    with postgres_store.reading() as session:
        known = credentials.find(session, "zuzhang")
        assert known is not None and passwords.holds(known.password_hash, DEMO_PASSWORD)
