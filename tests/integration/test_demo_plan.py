"""From nothing to a published, checked plan of the fictional district."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from dashboard.district import DemoSummary, build_demo, load_district
from data import audit
from data.access import credentials
from data.access.passwords import holds
from data.demo import make_demo
from data.demo.streets import to_metres
from data.errors import RegisterError
from data.schema import District, GridArea, Institution, PlanRevision, PlanStop, User
from data.store import Store
from data.terms import PlanStatus, Role
from geo.review.queue import list_queue
from planner.publish import check
from tests.conftest import NOW, TODAY


@pytest.fixture(scope="module")
def built(
    migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Store, DemoSummary, Path]]:
    folder = tmp_path_factory.mktemp("demo")
    shutil.copy(migrated_file, folder / "register.db")
    store = Store(f"sqlite:///{folder / 'register.db'}")
    summary = build_demo(store, preset="small", seed=1, today=TODAY, now=NOW, var_dir=folder)
    yield store, summary, folder
    store.close()


def test_every_institution_that_can_be_seen_is_seen(built: tuple[Store, DemoSummary, Path]) -> None:
    store, summary, _ = built
    plan = summary.figures["plan"]
    assert plan["institutions"] == 76
    assert plan["institutions_seen"] == plan["institutions"] - plan["unserved"].get("not_placed", 0)
    assert plan["mandatory_served"] == plan["mandatory"] == 5
    with store.reading() as session:
        report = check(session, summary.plan)
        record = session.scalar(select(PlanRevision).where(PlanRevision.code == summary.plan))
        assert session.scalar(select(PlanStop.id).limit(1)) is not None
    assert report.holds and report.violations == ()
    assert record is not None and record.status is PlanStatus.PUBLISHED


def test_the_base_map_lies_beside_the_register(built: tuple[Store, DemoSummary, Path]) -> None:
    archive = (built[2] / "basemap.pmtiles").read_bytes()
    assert archive.startswith(b"PMTiles") and len(archive) > 10_000


def test_points_in_another_datum_wait_in_the_review_queue(built: tuple[Store, DemoSummary, Path]) -> None:
    """Of the points the register declares, those in GCJ-02 contradict their addresses, the others do not."""
    store, _, _ = built
    rows = {row.name for row in make_demo("small", seed=1, today=TODAY).register if row.misread}
    with store.reading() as session:
        queue = {row.name: row.code for row in list_queue(session)}
        declared = session.scalars(select(Institution).where(Institution.declared_lon.is_not(None))).all()
    assert rows and {name for name, code in queue.items() if code.startswith("declared_")} == rows
    assert {queue[name] for name in rows} == {"declared_gcj02"} and len(declared) > len(rows)


def test_building_again_changes_nothing(built: tuple[Store, DemoSummary, Path]) -> None:
    store, summary, folder = built
    with store.reading() as session:
        before = audit.change_counter(session)
    again = build_demo(store, preset="small", seed=9, today=TODAY, now=NOW, var_dir=folder)
    assert again == summary
    with store.reading() as session:
        assert audit.change_counter(session) == before
        assert audit.first_break(session) is None


def test_every_role_can_log_in(built: tuple[Store, DemoSummary, Path]) -> None:
    store, summary, _ = built
    assert {login.role for login in summary.logins} == {role.value for role in Role}
    assert {login.username for login in summary.logins} == {
        "zuzhang",
        "jiancha",
        "wangge",
        "lingdao",
        "neiqin",
        "admin",
    }
    with store.begin(actor="test", now=NOW) as session:
        for login in summary.logins[:2]:
            known = credentials.find(session, login.username)
            assert known is not None and holds(known.password_hash, login.password)
        users = {user.role: user for user in session.scalars(select(User))}
        assert users[Role.OFFICER].officer_id is not None
        assert users[Role.GRID_WORKER].scope_grid_code
        assert not any(user.must_change_password for user in users.values())


def test_a_register_that_is_no_demo_is_left_alone(store: Store, tmp_path: Path) -> None:
    with store.begin(actor="test", now=NOW) as session:
        session.add(District(code="", name="真实区", fictional=False))
    with pytest.raises(RegisterError) as refusal:
        build_demo(store, preset="small", seed=1, today=TODAY, now=NOW, var_dir=tmp_path)
    assert refusal.value.code == "district_exists"
    with store.reading() as session:
        assert session.scalar(select(Institution.id).limit(1)) is None


def test_addresses_are_placed_with_honest_radii(store: Store) -> None:
    demo = make_demo("district", seed=1, today=TODAY)
    # Visits and findings need no place; without them the test is a second shorter.
    untold = dataclasses.replace(demo.history, visits=(), findings=(), tips=())
    with store.begin(actor="test", now=NOW) as session:
        load_district(session, dataclasses.replace(demo, history=untold), now=NOW, password_hash="-")
        records = list(session.scalars(select(Institution).order_by(Institution.id)))
        assert len(list(session.scalars(select(GridArea.id)))) == 400
    truth = {row.uscc or row.name: row for row in demo.register}
    placed = [r for r in records if r.lon is not None and r.lat is not None]
    assert 0.97 <= len(placed) / len(records) < 1.0
    assert 1 <= sum(r.grid_code is None for r in placed) <= 8
    rows = [truth[r.uscc or r.name] for r in placed]
    there = to_metres([row.lon for row in rows], [row.lat for row in rows])
    found = to_metres([r.lon or 0.0 for r in placed], [r.lat or 0.0 for r in placed])
    metres = np.hypot(*(there - found).T)
    radius = np.array([r.error_radius_m for r in placed])
    assert (metres <= radius).mean() >= 0.9
    assert np.median(metres) < 30 and np.median(radius) < 60
