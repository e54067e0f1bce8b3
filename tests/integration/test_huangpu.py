"""The main job on a real register: import, locate, plan with five teams, check, publish."""

from __future__ import annotations

import csv
import datetime as dt
import functools
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from data import audit, chain
from data.register import institutions, officers, surroundings
from data.register.rejects import ImportResult
from data.schema import Institution, Officer
from data.store import Store
from data.terms import PlanStatus
from geo import locate
from geo.crs import metric_crs, project_xy, to_wgs84
from geo.grid import layer as gridlayer
from planner.draft import make_plan
from planner.itinerary import find_revision, read_plan, shifts_on
from planner.options import PlanOptions
from planner.publish import check, publish
from tests.conftest import NOW, TODAY

pytestmark = pytest.mark.reference
OPTIONS = PlanOptions(
    first=dt.date(2026, 11, 30), last=dt.date(2026, 12, 13), teams=5, iterations=8_000, seed=7
)


def load(store: Store, folder: Path) -> list[ImportResult]:
    """Import everything a bureau hands over and locate it."""
    convert = functools.partial(to_wgs84, source_crs="wgs84")
    with store.begin(actor="clerk", now=NOW) as session:
        gridlayer.import_grids(session, folder / "grids.geojson", source_crs="wgs84", today=TODAY)
        extent = locate.district_extent(session)
        results = [
            institutions.import_register(session, folder / "register.xlsx", now=NOW),
            surroundings.import_schools(
                session, folder / "schools.csv", source_crs="wgs84", to_wgs84=convert, extent=extent
            ),
            surroundings.import_gazetteer(
                session, folder / "gazetteer.csv", source_crs="wgs84", to_wgs84=convert, extent=extent
            ),
            officers.import_officers(session, folder / "officers.csv"),
        ]
    with store.begin(actor="clerk", now=NOW) as session:
        locate.locate(session)
    return results


@pytest.fixture(scope="module")
def loaded(
    migrated_file: Path, huangpu: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[ImportResult]]:
    """Return the loaded register, to be copied, and what its imports told."""
    path = tmp_path_factory.mktemp("huangpu") / "register.db"
    shutil.copy(migrated_file, path)
    store = Store(f"sqlite:///{path}")
    results = load(store, huangpu)
    store.close()
    return path, results


@pytest.fixture
def register(loaded: tuple[Path, list[ImportResult]], tmp_path: Path) -> Iterator[Store]:
    """Yield a copy of the loaded register."""
    store = Store(f"sqlite:///{shutil.copy(loaded[0], tmp_path / 'loaded.db')}")
    yield store
    store.close()


def test_import_finds_exactly_the_planted_faults_and_is_idempotent(
    loaded: tuple[Path, list[ImportResult]], register: Store, huangpu: Path
) -> None:
    """Every planted row comes back, no other does; the second import changes nothing."""
    store, first = register, loaded[1]
    with (huangpu / "planted_faults.csv").open(encoding="utf-8-sig") as file:
        planted = [int(row["行"]) for row in csv.DictReader(file) if "total line" not in row["问题"]]
    assert [reject.row for reject in first[0].rejected] == planted
    assert first[0].added == 307
    with store.reading() as session:
        before = audit.change_counter(session)
    second = load(store, huangpu)
    assert [(r.added, r.updated) for r in second] == [(0, 0)] * 4
    with store.reading() as session:
        assert audit.change_counter(session) == before
        assert chain.first_break(session) is None


def test_located_points_are_near_the_truth_with_honest_radii(register: Store, huangpu: Path) -> None:
    """At least 95 % of the rows with an address placed, median 70 m, p90 280 m, radii true for 87-93 %."""
    with (huangpu / "truth.csv").open(encoding="utf-8-sig") as file:
        truth = {row["机构名称"]: (float(row["经度"]), float(row["纬度"])) for row in csv.DictReader(file)}
    with register.reading() as session:
        records = session.scalars(select(Institution)).all()
    placed = [r for r in records if r.lon is not None]
    assert len(placed) / sum(bool(r.address.strip()) for r in records) >= 0.95
    assert all(r.grid_code is not None for r in placed)
    assert all(r.match_code != "placed" and r.error_radius_m is None for r in records if r.lon is None)
    crs = metric_crs(121.48, lat=31.2)
    found = project_xy([r.lon for r in placed], [r.lat for r in placed], crs)
    true = project_xy([truth[r.name][0] for r in placed], [truth[r.name][1] for r in placed], crs)
    error_m = np.hypot(*(found - true).T)
    radius_m = np.array([r.error_radius_m for r in placed])
    assert float(np.median(error_m)) <= 70.0
    assert float(np.quantile(error_m, 0.9)) <= 280.0
    assert 0.87 <= float((error_m <= radius_m).mean()) <= 0.93


def test_plan_check_publish(register: Store) -> None:
    """Every placed institution is seen, no hard rule is broken, only certified pairs go out."""
    store = register
    result = make_plan(store, options=OPTIONS, actor="lead", now=NOW, today=TODAY)
    with store.reading() as session:
        view = read_plan(session, result.code)
        report = check(session, result.code)
        leave = {
            (officer.id, day.date) for officer in officers.list_officers(session) for day in officer.leave
        }
        uncertified = set(session.scalars(select(Officer.id).where(Officer.certificate_no.is_(None))))
    assert report.holds
    unplaced = sum(item.code == "not_placed" for item in view.unserved)
    assert view.head.summary["institutions_seen"] == view.head.summary["institutions"] - unplaced
    for shift in view.shifts:
        assert sum(member.certified for member in shift.members) >= 2
        assert not {m.officer_id for m in shift.members if m.certified} & uncertified
        assert not {(m.officer_id, shift.date) for m in shift.members} & leave
    assert max(len({s.team for s in view.shifts if s.date == x.date}) for x in view.shifts) <= 5
    with store.begin(actor="lead", now=NOW) as session:
        publish(session, result.code, actor="lead", now=NOW, today=TODAY)
    with store.reading() as session:
        assert read_plan(session, result.code).head.status is PlanStatus.PUBLISHED
        assert shifts_on(session, day=view.shifts[0].date)


def test_same_inputs_and_iterations_give_the_same_bytes(register: Store) -> None:
    """Two plans of the same register, options and seed have the same document."""
    quick = replace(OPTIONS, iterations=1_000)
    digests = set()
    for _ in range(2):
        code = make_plan(register, options=quick, actor="lead", now=NOW, today=TODAY).code
        with register.reading() as session:
            record = find_revision(session, code)
            digests.add((record.document, record.document_digest, record.input_digest))
    assert len(digests) == 1
