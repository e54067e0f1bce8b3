"""Schools and known addresses: what is refused and what a second import does."""

from __future__ import annotations

import csv
import functools
from pathlib import Path

import pytest
from sqlalchemy import select

from data import audit
from data.errors import SheetError
from data.register.rejects import ImportResult
from data.register.surroundings import import_gazetteer, import_schools
from data.schema import GazetteerEntry, School
from data.store import Store
from data.terms import Stage
from geo.sources import row_to_wgs84
from tests.conftest import NOW

EXTENT = (121.0, 40.0, 121.5, 40.6)


def write(path: Path, rows: list[list[str]]) -> Path:
    """Write rows as CSV."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def load(store: Store, tmp_path: Path, rows: list[list[str]], *, what: str = "schools") -> ImportResult:
    """Import a table of WGS-84 points."""
    step = import_schools if what == "schools" else import_gazetteer
    convert = functools.partial(row_to_wgs84, source_crs="wgs84")
    with store.begin(actor="clerk", now=NOW) as session:
        path = write(tmp_path / "t.csv", rows)
        return step(session, path, source_crs="wgs84", to_wgs84=convert, extent=EXTENT)


def counter(store: Store) -> int:
    """Return the register's change counter."""
    with store.reading() as session:
        return audit.change_counter(session)


def test_schools_come_in_once_and_are_updated_by_name(store: Store, tmp_path: Path) -> None:
    """Stage from its word; the same file again is idle; a short file leaves stage and address alone."""
    rows = [["学校名称", "学段", "地址", "经度", "纬度"], ["一小", "小学", "一路1号", "121.2", "40.3"]]
    assert load(store, tmp_path, rows).added == 1
    before = counter(store)
    assert load(store, tmp_path, rows).unchanged == 1
    assert load(store, tmp_path, [["名称", "经度", "纬度"], ["一小", "121.2", "40.3"]]).unchanged == 1
    assert counter(store) == before
    assert load(store, tmp_path, [["名称", "经度", "纬度"], ["一小", "121.3", "40.3"]]).updated == 1
    with store.reading() as session:
        school = session.scalars(select(School)).one()
    assert (school.stage, school.address, school.lon) == (Stage.PRIMARY, "一路1号", 121.3)


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        (["", "小学", "", "121.2", "40.3"], "学校名称", "no_name"),
        (["一小", "茶馆", "", "121.2", "40.3"], "学段", "unknown_stage"),
        (["一小", "小学", "", "", ""], "经度", "no_coordinates"),
        (["一小", "小学", "", "121.2", ""], "经度", "bad_coordinates"),
        (["一小", "小学", "", "40.3", "121.2"], "经度", "swapped_coordinates"),
        (["一小", "小学", "", "116.4", "39.9"], "经度", "outside_district"),
        (["校" * 101, "小学", "", "121.2", "40.3"], "学校名称", "too_long"),
    ],
)
def test_bad_schools_are_named_and_nothing_is_stored(
    store: Store, tmp_path: Path, row: list[str], column: str, code: str
) -> None:
    """One reject with the column's own title, no record."""
    result = load(store, tmp_path, [["学校名称", "学段", "地址", "经度", "纬度"], row])
    assert [(r.row, r.column, r.code) for r in result.rejected] == [(2, column, code)]
    assert counter(store) == 0


def test_all_faults_of_a_school_come_together(store: Store, tmp_path: Path) -> None:
    """Name and point missing are told in one go."""
    result = load(store, tmp_path, [["学校名称", "学段", "地址", "经度", "纬度"], ["", "小学", "x", "", ""]])
    assert [r.code for r in result.rejected] == ["no_name", "no_coordinates"]


def test_a_repeated_school_points_to_the_first_row(store: Store, tmp_path: Path) -> None:
    """Two rows of one name are not two schools."""
    rows = [["名称", "经度", "纬度"], ["一小", "121.2", "40.3"], ["一小", "121.3", "40.3"]]
    result = load(store, tmp_path, rows)
    assert [(r.row, r.code, r.fields) for r in result.rejected] == [(3, "duplicate_record", {"first_row": 2})]


def test_gazetteer_is_keyed_by_name_and_address(store: Store, tmp_path: Path) -> None:
    """Two names at one door are two entries; an entry without an address is refused."""
    rows = [
        ["名称", "地址", "经度", "纬度"],
        ["甲大厦", "一路1号", "121.2", "40.3"],
        ["", "一路1号", "121.2", "40.3"],
        ["", "一路1号", "121.21", "40.3"],
        ["乙", "", "121.2", "40.3"],
    ]
    result = load(store, tmp_path, rows, what="gazetteer")
    assert result.added == 2
    assert [(r.row, r.code) for r in result.rejected] == [(4, "duplicate_record"), (5, "no_address")]
    before = counter(store)
    assert load(store, tmp_path, rows, what="gazetteer").unchanged == 2
    assert counter(store) == before
    with store.reading() as session:
        assert len(session.scalars(select(GazetteerEntry)).all()) == 2


@pytest.mark.parametrize(
    ("rows", "code"),
    [([["名称", "经度"], ["一小", "121"]], "missing_columns"), ([["名称", "经度", "纬度"]], "empty_sheet")],
)
def test_unusable_tables_change_nothing(
    store: Store, tmp_path: Path, rows: list[list[str]], code: str
) -> None:
    """A table without points or without rows is refused whole."""
    with pytest.raises(SheetError) as refusal:
        load(store, tmp_path, rows)
    assert refusal.value.code == code
    assert counter(store) == 0
