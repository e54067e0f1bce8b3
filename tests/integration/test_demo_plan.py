"""From nothing to a published, checked plan of the fictional district."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import box
from sqlalchemy import select, text
from typer.testing import CliRunner

from dashboard.access.published import demand_private
from dashboard.cli import app
from dashboard.district import DemoSummary, build_demo, summarise_demo
from data import audit, chain
from data.access import credentials
from data.access.passwords import hash_password, holds
from data.demo import make_demo
from data.demo.people import DEMO_PASSWORD, USERS
from data.demo.streets import to_metres
from data.errors import AccountError, RegisterError, StoreError
from data.schema import District, GridArea, Institution, PlanRevision, PlanStop, School, User
from data.store import Store
from data.terms import PlanStatus, Role, Stage
from geo.basemap.build import build_basemap
from geo.review.queue import list_queue
from planner.publish import check
from tests.conftest import NOW, TODAY
from tests.shared import copied


@pytest.fixture(scope="module")
def built(
    small_demo: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Store, DemoSummary, Path]]:
    """The built demo with its summary."""
    folder = copied(small_demo, tmp_path_factory.mktemp("demo"))
    store = Store(f"sqlite:///{folder / 'gridpatrol.db'}")
    yield store, summarise_demo(store), folder
    store.close()


@pytest.fixture
def demo(built: tuple[Store, DemoSummary, Path], tmp_path: Path) -> Iterator[Store]:
    """A copy of the built demo, to be changed."""
    with (
        closing(sqlite3.connect(built[2] / "gridpatrol.db")) as source,
        closing(sqlite3.connect(tmp_path / "copy.db")) as copy,
    ):
        source.backup(copy)
    store = Store(f"sqlite:///{tmp_path / 'copy.db'}")
    yield store
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
        assert chain.first_break(session) is None


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


def _own(kind: str) -> Any:
    """Return one record of somebody's own register."""
    if kind == "user":
        return User(
            username="zhang",
            display_name="张",
            role=Role.ADMINISTRATOR,
            password_hash="-",
            must_change_password=False,
            active=True,
        )
    if kind == "school":
        return School(name="一小", stage=Stage.PRIMARY, address="", lon=121.0, lat=40.0, source_crs="wgs84")
    return District(code="", name="真实区", fictional=False)


@pytest.mark.parametrize("kind", ["user", "school", "district"])
def test_a_register_of_somebodys_own_is_left_alone(store: Store, tmp_path: Path, kind: str) -> None:
    with store.begin(actor="test", now=NOW) as session:
        session.add(_own(kind))
    with store.reading() as session:
        before = audit.change_counter(session)
    with pytest.raises(RegisterError) as refusal:
        build_demo(store, preset="small", seed=1, today=TODAY, now=NOW, var_dir=tmp_path)
    assert (refusal.value.code, refusal.value.fields) == ("not_empty", {"found": f"{kind} 1"})
    with store.reading() as session:
        assert audit.change_counter(session) == before
    assert not (tmp_path / "basemap.pmtiles").exists()


def test_a_register_of_an_older_schema_is_not_even_upgraded(tmp_path: Path) -> None:
    """What somebody works with stays as it is, tables included."""
    file = tmp_path / "office.db"
    store = Store(f"sqlite:///{file}")
    store.upgrade()
    with store.begin(actor="test", now=NOW) as session:
        session.add(_own("user"))
        session.execute(text("UPDATE alembic_version SET version_num = '0003'"))
    with pytest.raises(RegisterError):
        build_demo(store, preset="small", seed=1, today=TODAY, now=NOW, var_dir=tmp_path)
    # Nor by the command's door, before the step is asked.
    asked = ["demo", "--no-serve", "--preset", "small", "--database", f"sqlite:///{file}"]
    answer = CliRunner().invoke(app, asked, env={"GRIDPATROL_VAR": str(tmp_path)})
    assert answer.exit_code == 2 and "user 1" in answer.output
    with pytest.raises(StoreError) as refusal:
        store.require_current()
    assert refusal.value.code == "out_of_date"
    store.close()


def test_a_base_map_that_cannot_be_read_is_somebodys_own(store: Store, tmp_path: Path) -> None:
    (tmp_path / "basemap.pmtiles").write_bytes(b"tiles of another program")
    with pytest.raises(RegisterError) as refusal:
        build_demo(store, preset="small", seed=1, today=TODAY, now=NOW, var_dir=tmp_path)
    assert refusal.value.code == "basemap_exists"


def test_another_base_map_is_left_alone(store: Store, tmp_path: Path) -> None:
    build_basemap(
        {"district": gpd.GeoDataFrame({"name": [""]}, geometry=[box(121, 40, 121.1, 40.1)], crs=4326)},
        tmp_path / "basemap.pmtiles",
        min_zoom=11,
        max_zoom=12,
        attribution="本局",
    )
    before = (tmp_path / "basemap.pmtiles").read_bytes()
    with pytest.raises(RegisterError) as refusal:
        build_demo(store, preset="small", seed=1, today=TODAY, now=NOW, var_dir=tmp_path)
    assert refusal.value.code == "basemap_exists"
    assert (tmp_path / "basemap.pmtiles").read_bytes() == before


def test_a_folder_in_the_base_maps_place_is_left_alone(store: Store, tmp_path: Path) -> None:
    """Refused before anything is written, in the register as in the folder."""
    (tmp_path / "var" / "basemap.pmtiles").mkdir(parents=True)
    with pytest.raises(RegisterError) as refusal:
        build_demo(store, preset="small", seed=1, today=TODAY, now=NOW, var_dir=tmp_path / "var")
    assert refusal.value.code == "basemap_exists"
    assert [file.name for file in (tmp_path / "var").rglob("*")] == ["basemap.pmtiles"]


def test_the_published_password_stays_on_this_machine(store: Store) -> None:
    """Served elsewhere only once every account that has it is stopped or has another."""
    with store.begin(actor="test", now=NOW) as session:
        user = _own("user")
        user.username, user.password_hash = USERS[0].username, hash_password(DEMO_PASSWORD)
        session.add(user)
    for host in ("127.0.0.1", "localhost", "::1"):
        demand_private(store, host=host)
    for host in ("0.0.0.0", "192.168.1.5", "xuncha"):
        with pytest.raises(AccountError) as refusal:
            demand_private(store, host=host)
        assert refusal.value.fields == {"accounts": USERS[0].username}
    with store.begin(actor="test", now=NOW) as session:
        credentials.set_active(session, username=USERS[0].username, active=False)
    demand_private(store, host="0.0.0.0")


def test_addresses_are_placed_with_honest_radii(district_file: Path) -> None:
    demo = make_demo("district", seed=1, today=TODAY)
    store = Store(f"sqlite:///{district_file}")
    with store.reading() as session:
        records = list(session.scalars(select(Institution).order_by(Institution.id)))
        assert len(list(session.scalars(select(GridArea.id)))) == 400
    store.close()
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


@pytest.mark.parametrize("kind", ["user", "school"])
def test_a_demo_that_somebody_made_their_own_is_left_alone(demo: Store, tmp_path: Path, kind: str) -> None:
    """Its next start neither plans nor publishes; whoever only tries it out goes on."""
    with demo.begin(actor="command-line:zhang", now=NOW) as session:
        session.add(_own(kind))
    with demo.reading() as session:
        before = audit.change_counter(session)
    later = TODAY + dt.timedelta(days=60)
    with pytest.raises(RegisterError) as refusal:
        build_demo(demo, preset="small", seed=1, today=later, now=NOW, var_dir=tmp_path)
    assert (refusal.value.code, refusal.value.fields) == ("not_empty", {"found": f"{kind} 1"})
    with demo.reading() as session:
        assert audit.change_counter(session) == before


@pytest.mark.parametrize("name", ["gridpatrol.db", "audit-heads.log"])
def test_a_folder_of_another_register_is_left_alone(store: Store, tmp_path: Path, name: str) -> None:
    office = tmp_path / "office"
    office.mkdir()
    (office / name).write_bytes(b"theirs")
    with pytest.raises(RegisterError) as refusal:
        build_demo(store, preset="small", seed=1, today=TODAY, now=NOW, var_dir=office)
    assert refusal.value.code == "var_in_use"
    assert [file.name for file in office.iterdir()] == [name] and (office / name).read_bytes() == b"theirs"
