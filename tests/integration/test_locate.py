"""Grid areas and places: versions, honest codes, and nobody left in an area that is gone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyproj import Geod
from sqlalchemy import select

from dashboard.reviewwords import row_line
from data import audit
from data.schema import GazetteerEntry, GridArea, Institution
from data.store import Store
from geo import locate
from geo.crs import from_wgs84
from geo.errors import GridError
from geo.grid import layer as gridlayer
from geo.review.queue import Why, find_candidates, list_acceptable, list_queue
from tests.conftest import NOW, TODAY
from tests.register import LAT, LON, add_institution, add_school

WEST = [[121.0, 40.2], [121.2, 40.2], [121.2, 40.5], [121.0, 40.5], [121.0, 40.2]]
EAST = [[121.2, 40.2], [121.4, 40.2], [121.4, 40.5], [121.2, 40.5], [121.2, 40.2]]


def write(path: Path, *areas: tuple[Any, list[list[float]]], column: str = "网格编码") -> Path:
    """Write areas as GeoJSON."""
    features = [
        {
            "type": "Feature",
            "properties": {column: code, "街道": "一街道"},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        for code, ring in areas
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def load(
    store: Store, tmp_path: Path, *areas: tuple[Any, list[list[float]]], **options: str
) -> gridlayer.GridImport:
    """Import areas."""
    path = write(tmp_path / "g.geojson", *areas, **options)
    with store.begin(actor="clerk", now=NOW) as session:
        return gridlayer.import_grids(session, path, source_crs="wgs84", today=TODAY)


def find(store: Store, *, again: bool = False) -> locate.LocateResult:
    """Locate everything."""
    with store.begin(actor="clerk", now=NOW) as session:
        return locate.locate(session, again=again)


def counter(store: Store) -> int:
    """Return the register's change counter."""
    with store.reading() as session:
        return audit.change_counter(session)


def only(store: Store) -> Institution:
    """Return the only institution."""
    with store.reading() as session:
        return session.scalars(select(Institution)).one()


def codes_in_force(store: Store) -> list[str]:
    """Return the codes of the grid areas in force."""
    with store.reading() as session:
        statement = select(GridArea.code).where(GridArea.valid_to.is_(None)).order_by(GridArea.code)
        return list(session.scalars(statement))


def test_a_changed_area_gets_a_new_version_and_a_missing_one_ends(store: Store, tmp_path: Path) -> None:
    """History stays: three rows, two in force; the same layer again is idle."""
    assert load(store, tmp_path, ("W", WEST), ("E", EAST)).added == 2
    before = counter(store)
    assert load(store, tmp_path, ("W", WEST), ("E", EAST)).unchanged == 2
    assert counter(store) == before
    smaller = [[121.0, 40.3], *WEST[1:4], [121.0, 40.3]]
    result = load(store, tmp_path, ("W", smaller), ("N", EAST))
    assert (result.updated, result.added, result.retired) == (1, 1, 1)
    assert codes_in_force(store) == ["N", "W"]
    with store.reading() as session:
        ended = session.scalars(select(GridArea).where(GridArea.valid_to.is_not(None))).all()
    assert {(area.code, area.valid_to) for area in ended} == {("W", TODAY), ("E", TODAY)}


def test_institutions_follow_a_new_layer(store: Store, tmp_path: Path) -> None:
    """No place keeps the code of an area that is gone, or stays without one that has come."""
    with store.begin(actor="t", now=NOW) as session:
        add_institution(session, 1, at=(121.3, LAT))
    load(store, tmp_path, ("W", WEST), ("E", EAST))
    assert (only(store).grid_code, only(store).subdistrict) == ("E", "一街道")
    load(store, tmp_path, ("W", WEST), ("N", EAST))
    assert only(store).grid_code == "N"
    load(store, tmp_path, ("W", WEST))
    assert (only(store).grid_code, only(store).grid_id, only(store).subdistrict) == (None, None, None)
    assert find(store).outside == 1


def test_a_place_on_a_border_has_one_grid(store: Store, tmp_path: Path) -> None:
    """The lowest code takes it."""
    with store.begin(actor="t", now=NOW) as session:
        add_institution(session, 1, at=(121.2, LAT))
    load(store, tmp_path, ("W", WEST), ("E", EAST))
    assert only(store).grid_code == "E"


def test_codes_kept_as_numbers_stay_codes(store: Store, tmp_path: Path) -> None:
    """210123456789012 never becomes 210123456789012.0."""
    load(store, tmp_path, (210123456789012, WEST), (210123456789013.0, EAST))
    assert codes_in_force(store) == ["210123456789012", "210123456789013"]


@pytest.mark.parametrize(
    ("areas", "column", "code"),
    [
        ([("W", WEST), ("W", EAST)], "网格编码", "broken_layer"),
        ([("", WEST)], "网格编码", "broken_layer"),
        ([(None, WEST), ("E", EAST)], "网格编码", "broken_layer"),
        ([("W", WEST), ("E", WEST)], "网格编码", "broken_layer"),
        ([("W", [WEST[0], WEST[2], WEST[1], WEST[3], WEST[0]])], "网格编码", "broken_layer"),
        ([("W", WEST)], "号码", "no_code_column"),
        ([(2.1012345678901234e19, WEST), (1.5, EAST)], "网格编码", "inexact_codes"),
    ],
)
def test_a_broken_layer_is_refused_whole(
    store: Store, tmp_path: Path, areas: list[tuple[Any, list[list[float]]]], column: str, code: str
) -> None:
    """Repeated, blank, overlapping, crossed, nameless, rounded: nothing of it is stored."""
    with pytest.raises(GridError) as refusal:
        load(store, tmp_path, *areas, column=column)
    assert refusal.value.code == code
    assert counter(store) == 0


def add_entry(store: Store, address: str, lon: float = LON) -> None:
    """Add a known address."""
    with store.begin(actor="t", now=NOW) as session:
        session.add(GazetteerEntry(name="", address=address, lon=lon, lat=LAT, source_crs="wgs84"))


def test_the_address_is_found_and_locating_again_is_idle(store: Store, tmp_path: Path) -> None:
    """Point, level, radius and grid area are set once."""
    load(store, tmp_path, ("W", WEST), ("E", EAST))
    add_entry(store, "红旗路12号", 121.1)
    with store.begin(actor="t", now=NOW) as session:
        add_institution(session, 1, at=None, address="红旗路12号201室")
        add_institution(session, 2, at=None, address="月亮湾")
    result = find(store)
    assert (result.placed, result.unplaced, result.outside) == (1, 1, 0)
    with store.reading() as session:
        one, two = session.scalars(select(Institution).order_by(Institution.id))
    assert (one.lon, one.grid_code) == (pytest.approx(121.1), "W")
    assert one.error_radius_m is not None
    assert (two.lon, two.grid_code, two.error_radius_m) == (None, None, None)
    assert two.match_code not in (None, "placed")
    before = counter(store)
    find(store)
    assert counter(store) == before


def test_without_a_gazetteer_nobody_is_placed_and_nobody_is_lost(store: Store) -> None:
    """The code says why; what was placed before stays, even when asked again."""
    with store.begin(actor="t", now=NOW) as session:
        add_institution(session, 1)
        add_institution(session, 2, at=None)
    for again in (False, True):
        result = find(store, again=again)
        assert (result.placed, result.unplaced, result.by_code) == (1, 1, {"no_gazetteer": 1})


def test_the_middle_of_a_subdistrict_is_no_place_but_a_start_for_the_map(
    store: Store, tmp_path: Path
) -> None:
    """An unknown road in a named subdistrict stays unplaced; its candidate is the subdistrict."""
    load(store, tmp_path, ("W", WEST), ("E", EAST))
    with store.begin(actor="t", now=NOW) as session:
        for area in session.scalars(select(GridArea)):
            area.subdistrict = "清溪街道" if area.code == "W" else "松涛街道"
    add_entry(store, "红旗路12号", 121.1)
    with store.begin(actor="t", now=NOW) as session:
        key = add_institution(session, 1, at=None, address="清溪街道月牙巷3号")
    assert find(store).by_code == {"only_area": 1}
    with store.reading() as session:
        (candidate,) = find_candidates(session, key)
    west = np.array(WEST).mean(axis=0)
    assert candidate.level == "area" and candidate.matched_text == "清溪街道"
    assert (candidate.error_radius_m or 0.0) > 1000.0
    assert abs((candidate.lon or 0.0) - west[0]) < 0.1


def test_a_place_that_is_no_longer_found_leaves_its_grid(store: Store, tmp_path: Path) -> None:
    """Asking again with another gazetteer never leaves a grid code without a point."""
    load(store, tmp_path, ("W", WEST), ("E", EAST))
    add_entry(store, "红旗路12号", 121.1)
    with store.begin(actor="t", now=NOW) as session:
        add_institution(session, 1, at=None, address="红旗路12号")
    assert find(store).placed == 1
    with store.begin(actor="t", now=NOW) as session:
        session.scalars(select(GazetteerEntry)).one().address = "月亮湾大街9号"
    assert find(store, again=True).placed == 0
    assert (only(store).lon, only(store).grid_code, only(store).subdistrict) == (None, None, None)


def declare(store: Store, lon: float, lat: float) -> None:
    """Let the only institution declare a point (as converted from what its file said)."""
    with store.begin(actor="t", now=NOW) as session:
        record = session.scalars(select(Institution)).one()
        record.declared_lon, record.declared_lat, record.source_crs = lon, lat, "wgs84"
        record.lon = record.lat = None


def test_a_declared_point_wins_over_the_address(store: Store, tmp_path: Path) -> None:
    """The file's own point is used, with its radius, and stays when asked again."""
    load(store, tmp_path, ("W", WEST), ("E", EAST))
    add_entry(store, "红旗路12号", 121.1)
    with store.begin(actor="t", now=NOW) as session:
        add_institution(session, 1, at=None, address="红旗路12号")
    declare(store, 121.1005, LAT)
    for again in (False, True):
        assert find(store, again=again).doubtful == 0
        assert (only(store).lon, only(store).match_level, only(store).grid_code) == (
            121.1005,
            "declared",
            "W",
        )
        assert only(store).error_radius_m == locate.DECLARED_RADIUS_M


@pytest.mark.parametrize("datum", ["gcj02", "bd09", None])
def test_a_declared_point_far_from_its_address_is_a_question(
    store: Store, tmp_path: Path, datum: str | None
) -> None:
    """It stays where it was declared, with the distance as its radius and the likely datum as the reason."""
    load(store, tmp_path, ("W", WEST), ("E", EAST))
    add_entry(store, "红旗路12号", 121.1)
    with store.begin(actor="t", now=NOW) as session:
        add_institution(session, 1, at=None, address="红旗路12号")
    lon, lat = (121.11, LAT) if datum is None else (float(v) for v in from_wgs84(121.1, LAT, datum))
    declare(store, lon, lat)
    result = find(store)
    code = "declared_apart" if datum is None else f"declared_{datum}"
    assert [(row.code, row.level) for row in result.review] == [(code, "declared")]
    with store.reading() as session:
        (row,) = list_queue(session)
        assert (row.why, row.code, row.lon) == (Why.DOUBTFUL, code, pytest.approx(lon))
        assert list_acceptable(session, 0.0) == []
    moved = Geod(ellps="WGS84").inv(121.1, LAT, lon, lat)[2]
    assert row.error_radius_m == pytest.approx(moved, abs=2.0)
    assert row_line(row, "zh").endswith(f"相距约 {moved:,.0f} 米")
    declare(store, 121.1, LAT)
    assert (find(store).doubtful, only(store).match_code) == (0, "placed")


def test_extent_and_schools(store: Store, tmp_path: Path) -> None:
    """The extent has its margin; a school without an address is no gazetteer."""
    with store.reading() as session:
        assert locate.district_extent(session) is None
        assert locate.build_geocoder(session) is None
    load(store, tmp_path, ("W", WEST))
    with store.begin(actor="t", now=NOW) as session:
        add_school(session)
    with store.reading() as session:
        assert locate.district_extent(session) == pytest.approx((120.8, 40.0, 121.4, 40.7))
        assert locate.build_geocoder(session) is None
