"""The same border, other words or dates: versions are kept, never re-cut, and nothing is half-ignored."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import geopandas as gpd
import pytest
from shapely import MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry
from sqlalchemy import select

from data.schema import AuditEvent, GridArea, Institution
from data.store import Store
from geo.errors import GridError
from geo.grid.layer import GridImport, import_grids
from tests.conftest import NOW, TODAY
from tests.register import LAT, LON, add_institution

CODE = "990101001001"
AREA = box(LON - 0.01, LAT - 0.01, LON + 0.01, LAT + 0.01)
SMALLER = box(LON - 0.01, LAT - 0.01, LON + 0.008, LAT + 0.01)
JANUARY, MARCH = dt.date(2026, 1, 5), dt.date(2026, 3, 2)
WORDS = {"网格名称": "第一网格", "网格员": "甲", "社区": "东社区"}


def load(
    store: Store,
    folder: Path,
    *,
    area: BaseGeometry = AREA,
    today: dt.date = TODAY,
    scheme: str | None = None,
    **cells: object,
) -> GridImport:
    """Import one grid area with the cells given."""
    frame = gpd.GeoDataFrame([{"网格编码": CODE, **cells}], geometry=[area], crs=4326)
    frame.to_file(folder / "g.geojson", driver="GeoJSON")
    with store.begin(actor="clerk", now=NOW) as session:
        return import_grids(session, folder / "g.geojson", source_crs="wgs84", today=today, scheme=scheme)


def versions(store: Store) -> list[GridArea]:
    """Return all versions in the order they were made."""
    with store.reading() as session:
        return list(session.scalars(select(GridArea).order_by(GridArea.id)))


def spans(store: Store) -> list[tuple[dt.date | None, dt.date | None]]:
    """Return from when to when each version is in force."""
    return [(one.valid_from, one.valid_to) for one in versions(store)]


def test_changed_words_are_written_into_the_version_in_force_and_the_log(
    store: Store, tmp_path: Path
) -> None:
    load(store, tmp_path, **WORDS)
    result = load(store, tmp_path, **{**WORDS, "网格员": "乙", "网格名称": "新名"}, 终止日期="2027-01-01")
    assert (result.updated, result.unchanged, result.added) == (1, 0, 0)
    (one,) = versions(store)
    assert (one.worker, one.name, one.expires_on) == ("乙", "新名", dt.date(2027, 1, 1))
    with store.reading() as session:
        told = session.scalars(select(AuditEvent).where(AuditEvent.entity == "grid_area")).all()[-1]
    assert (told.action, told.before["worker"], told.after["worker"]) == ("update", "甲", "乙")


def test_what_a_file_has_no_column_for_stays_and_a_blank_cell_clears(store: Store, tmp_path: Path) -> None:
    load(store, tmp_path, scheme="GB/T 2260", **WORDS)
    assert load(store, tmp_path, 网格名称="第一网格").unchanged == 1
    assert (versions(store)[0].worker, versions(store)[0].code_scheme) == ("甲", "GB/T 2260")
    load(store, tmp_path, area=SMALLER, 网格名称="第一网格")
    assert [one.worker for one in versions(store)] == ["甲", "甲"]
    assert load(store, tmp_path, area=SMALLER, 网格员="").updated == 1
    assert versions(store)[-1].worker == "" and versions(store)[-1].community == "东社区"


def test_an_earlier_start_corrects_the_version(store: Store, tmp_path: Path) -> None:
    load(store, tmp_path)
    assert spans(store) == [(TODAY, None)]
    assert load(store, tmp_path, 启用日期="2026-01-05").updated == 1
    assert load(store, tmp_path, 启用日期="2026-01-05").unchanged == 1
    assert load(store, tmp_path).unchanged == 1
    assert spans(store) == [(JANUARY, None)]


def test_a_later_start_of_the_same_border_is_a_new_version(store: Store, tmp_path: Path) -> None:
    with store.begin(actor="clerk", now=NOW) as session:
        add_institution(session, 1, at=(LON, LAT))
    load(store, tmp_path, 启用日期="2026-01-05", **WORDS)
    assert load(store, tmp_path, 启用日期="2026-03-02", 网格员="乙").updated == 1
    assert load(store, tmp_path, 启用日期="2026-03-02", 网格员="乙").unchanged == 1
    assert spans(store) == [(JANUARY, MARCH), (MARCH, None)]
    assert [(one.worker, one.name) for one in versions(store)] == [("甲", "第一网格"), ("乙", "第一网格")]
    with store.reading() as session:
        assert session.scalars(select(Institution.grid_id)).one() == versions(store)[-1].id


def test_versions_of_one_code_never_overlap_in_time(store: Store, tmp_path: Path) -> None:
    load(store, tmp_path, 启用日期="2026-01-05")
    # Another border under the old date: the old border was in force then, this one is from today on.
    load(store, tmp_path, area=SMALLER, 启用日期="2026-01-05")
    assert spans(store) == [(JANUARY, TODAY), (TODAY, None)]
    assert load(store, tmp_path, area=SMALLER, 启用日期="2026-01-05").unchanged == 1


def test_a_changed_border_is_in_force_from_its_own_later_date(store: Store, tmp_path: Path) -> None:
    load(store, tmp_path, 启用日期="2026-01-05")
    load(store, tmp_path, area=SMALLER, 启用日期="2026-03-02")
    assert spans(store) == [(JANUARY, MARCH), (MARCH, None)]


def test_a_code_that_comes_back_begins_after_its_end(store: Store, tmp_path: Path) -> None:
    load(store, tmp_path, 启用日期="2026-01-05")
    with store.begin(actor="clerk", now=NOW) as session:
        session.scalars(select(GridArea)).one().valid_to = MARCH
    assert load(store, tmp_path, 启用日期="2026-01-05").added == 1
    assert spans(store) == [(JANUARY, MARCH), (MARCH, None)]


@pytest.mark.parametrize(
    "again",
    [
        Polygon([*AREA.exterior.coords[2:], *AREA.exterior.coords[1:3]]),
        Polygon(AREA.exterior.coords[::-1]),
        MultiPolygon([AREA]),
    ],
)
def test_a_ring_begun_elsewhere_is_the_same_border(store: Store, tmp_path: Path, again: BaseGeometry) -> None:
    load(store, tmp_path)
    assert load(store, tmp_path, area=again).unchanged == 1
    assert len(versions(store)) == 1


def test_a_file_that_would_end_many_areas_asks_first(store: Store, tmp_path: Path) -> None:
    """One feature of twelve ends nothing unasked; confirmed, it ends eleven."""
    codes = [f"99010100{n:04d}" for n in range(12)]
    shapes = [box(LON + n / 100, LAT, LON + (n + 1) / 100, LAT + 0.01) for n in range(12)]
    frame = gpd.GeoDataFrame({"网格编码": codes}, geometry=shapes, crs=4326)
    path = tmp_path / "all.geojson"

    def load_part(count: int, *, retire: bool = False) -> GridImport:
        frame.iloc[:count].to_file(path, driver="GeoJSON")
        with store.begin(actor="clerk", now=NOW) as session:
            return import_grids(session, path, source_crs="wgs84", today=TODAY, retire=retire)

    load_part(12)
    assert load_part(11).retired == 1
    with pytest.raises(GridError) as refusal:
        load_part(1)
    assert refusal.value.code == "retires_many"
    assert refusal.value.fields == {"retired": 10, "current": 11, "incoming": 1, "first": codes[1:6]}
    assert sum(one.valid_to is None for one in versions(store)) == 11
    assert load_part(1, retire=True).retired == 10


def test_one_offices_layer_leaves_the_others_alone(store: Store, tmp_path: Path) -> None:
    """With --part nothing ends; what would overlap an area of another file is refused by both codes."""
    codes = [f"99010100{n:04d}" for n in range(6)]
    shapes = [box(LON + n / 100, LAT, LON + (n + 1) / 100, LAT + 0.01) for n in range(6)]
    path = tmp_path / "part.geojson"

    def load_part(first: int, last: int, *, shift: float = 0.0) -> GridImport:
        moved = [
            box(*shape.bounds) if not shift else box(LON - shift, LAT, LON + shift, LAT + 0.01)
            for shape in shapes
        ]
        frame = gpd.GeoDataFrame({"网格编码": codes}, geometry=moved, crs=4326).iloc[first:last]
        frame.to_file(path, driver="GeoJSON")
        with store.begin(actor="clerk", now=NOW) as session:
            return import_grids(session, path, source_crs="wgs84", today=TODAY, part=True)

    assert load_part(0, 3).added == 3
    second = load_part(3, 6)
    assert (second.added, second.retired) == (3, 0)
    assert load_part(0, 3).unchanged == 3
    with pytest.raises(GridError) as refusal:
        load_part(5, 6, shift=0.005)
    assert refusal.value.code == "broken_layer"
    named = {code for fault in refusal.value.fields["faults"] for code in fault["fields"]["grids"]}  # type: ignore[attr-defined]
    assert {codes[0], codes[5]} <= named
    assert sum(one.valid_to is None for one in versions(store)) == 6
