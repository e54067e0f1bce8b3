"""Register import: what is refused, what is matched with what, and what a later file leaves alone."""

from __future__ import annotations

import csv
import functools
from pathlib import Path

import pytest
from sqlalchemy import select

from data import audit
from data.errors import SheetError
from data.register.entries import identity_key
from data.register.institutions import import_register
from data.register.rejects import ImportResult
from data.register.uscc import check_digit
from data.schema import Institution
from data.store import Store
from data.terms import Authority, CareType, Kind, SiteStatus
from geo.sources import row_to_wgs84
from tests.conftest import NOW

HEAD = ["机构名称", "机构类别", "统一社会信用代码", "登记机关", "详细地址", "营业状态"]
ONE, OTHER = (f"{body}{check_digit(body)}" for body in ("5221010512345678A", "9121010512345678B"))


def write(path: Path, rows: list[list[str]]) -> Path:
    """Write rows as CSV."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def load(store: Store, path: Path, rows: list[list[str]], **options: object) -> ImportResult:
    """Import rows under `HEAD`, or under their own first row when it is no record."""
    with store.begin(actor="clerk", now=NOW) as session:
        return import_register(session, write(path / "r.csv", rows), now=NOW, **options)  # type: ignore[arg-type]


def held(store: Store) -> list[Institution]:
    """Return all records by id."""
    with store.reading() as session:
        return list(session.scalars(select(Institution).order_by(Institution.id)))


def counter(store: Store) -> int:
    """Return the register's change counter."""
    with store.reading() as session:
        return audit.change_counter(session)


def test_a_good_row_becomes_a_record(store: Store, tmp_path: Path) -> None:
    """Care type from the word, authority from the code, address without blanks."""
    row = ["甲 托管", "小 饭桌", ONE.lower(), "市场监管局", "一路 １号", "停业"]
    result = load(store, tmp_path, [HEAD, row])
    assert (result.added, result.rejected) == (1, [])
    (record,) = held(store)
    assert (record.kind, record.care_type) == (Kind.CARE, CareType.MEAL_TABLE)
    assert (record.uscc, record.authority) == (ONE, Authority.CIVIL_AFFAIRS)
    assert (record.address, record.status) == ("一路1号", SiteStatus.SUSPENDED)
    assert record.lon is None


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        (["", "托管", "", "", "一路1号", ""], "机构名称", "no_name"),
        (["甲", "托管", "", "", "", ""], "详细地址", "no_address"),
        (["甲", "", "", "", "一路1号", ""], "机构类别", "no_kind"),
        (["甲", "茶馆", "", "", "一路1号", ""], "机构类别", "unknown_kind"),
        (["甲", "托管", ONE[:-1], "", "一路1号", ""], "统一社会信用代码", "uscc_length"),
        (["甲", "托管", "I" + ONE[1:], "", "一路1号", ""], "统一社会信用代码", "uscc_character"),
        (["甲", "托管", "1" + ONE[1:], "", "一路1号", ""], "统一社会信用代码", "uscc_check_digit"),
        (["甲", "托管", "", "", "一路1号", "关张"], "营业状态", "unknown_status"),
        (["甲" * 151, "托管", "", "", "一路1号", ""], "机构名称", "too_long"),
        (["甲", "托管", "", "", "路" * 201, ""], "详细地址", "too_long"),
    ],
)
def test_each_bad_row_is_named_and_nothing_is_stored(
    store: Store, tmp_path: Path, row: list[str], column: str, code: str
) -> None:
    """Row, column and code of the reason; the register is as it was."""
    result = load(store, tmp_path, [HEAD, row])
    assert [(r.row, r.column, r.code) for r in result.rejected] == [(2, column, code)]
    assert held(store) == []
    assert counter(store) == 0


def test_all_faults_of_a_row_come_together(store: Store, tmp_path: Path) -> None:
    """A row with four faults is told once, not four times."""
    result = load(store, tmp_path, [HEAD, ["", "茶馆", "x", "", "", "关张"]])
    assert {r.code for r in result.rejected} == {
        "no_name", "no_address", "unknown_kind", "uscc_length", "unknown_status",
    }  # fmt: skip


def test_repeats_within_a_file_point_to_the_first_row(store: Store, tmp_path: Path) -> None:
    """The same code, or the same name and address, is one institution."""
    result = load(
        store,
        tmp_path,
        [HEAD, ["甲", "托管", ONE, "", "一路1号", ""], ["乙", "托管", ONE, "", "二路2号", ""],
         ["甲", "自习室", "", "", "一 路1号", ""]],
    )  # fmt: skip
    assert [(r.row, r.code, r.fields) for r in result.rejected] == [
        (3, "duplicate_uscc", {"first_row": 2}),
        (4, "duplicate_record", {"first_row": 2}),
    ]
    assert result.added == 1


def test_a_name_that_begins_like_a_total_is_a_record(store: Store, tmp_path: Path) -> None:
    """小计算家 is a place; 合计 307家 is a total line."""
    rows = [
        [*HEAD[:2], HEAD[4]],
        ["小计算家托管", "托管", "一路1号"],
        ["合计：", "1家"],
        ["合计", "", "共2家"],
    ]
    result = load(store, tmp_path, rows)
    assert (result.added, result.rejected) == (1, [])


def test_control_characters_do_not_reach_the_register(store: Store, tmp_path: Path) -> None:
    """PostgreSQL, workbooks and pages cannot hold them."""
    load(store, tmp_path, [HEAD, ["甲\x01\x1f托管", "托管", "", "", "一路\x0b1号\u200b", ""]])
    assert [(r.name, r.address) for r in held(store)] == [("甲托管", "一路1号")]


def test_a_place_that_moved_and_its_successor_are_two_records(store: Store, tmp_path: Path) -> None:
    """The code's row takes the record; the row with the old name and address is a new place, in any order."""
    load(store, tmp_path, [HEAD, ["甲", "托管", ONE, "", "一路1号", ""]])
    rows = [HEAD, ["甲", "托管", "", "", "一路1号", ""], ["乙", "托管", ONE, "", "二路2号", ""]]
    second = load(store, tmp_path, rows)
    assert (second.added, second.updated) == (1, 1)
    assert [(r.uscc, r.name) for r in held(store)] == [(ONE, "乙"), (None, "甲")]
    third = load(store, tmp_path, [rows[0], rows[2], rows[1]])
    assert (third.added, third.updated, third.unchanged) == (0, 0, 2)


def test_another_code_at_the_same_name_and_address_is_another_licence(store: Store, tmp_path: Path) -> None:
    """A record without a code takes the code that comes; one with another code does not."""
    load(store, tmp_path, [HEAD, ["甲", "托管", "", "", "一路1号", ""]])
    assert load(store, tmp_path, [HEAD, ["甲", "托管", ONE, "", "一路1号", ""]]).updated == 1
    assert load(store, tmp_path, [HEAD, ["甲", "托管", OTHER, "", "一路1号", ""]]).added == 1
    again = load(store, tmp_path, [HEAD, ["甲", "托管", "", "", "一路1号", ""]])
    assert (again.added, again.updated, again.unchanged) == (0, 0, 1)
    assert [r.uscc for r in held(store)] == [ONE, OTHER]


def test_a_column_that_is_missing_changes_nothing(store: Store, tmp_path: Path) -> None:
    """A short list does not reopen a deregistered place or wipe authority, phone and declared point."""
    convert = functools.partial(row_to_wgs84, source_crs="wgs84")
    head = [*HEAD, "联系电话", "经度", "纬度"]
    row = ["甲", "托管", "", "市场监管局", "一路1号", "已注销", "0429-1", "121.2", "40.3"]
    load(store, tmp_path, [head, row], source_crs="wgs84", to_wgs84=convert)
    before = counter(store)
    short = [["机构名称", "机构类别", "地址"], ["甲", "托管", "一路1号"]]
    assert load(store, tmp_path, short).unchanged == 1
    assert counter(store) == before
    (record,) = held(store)
    assert (record.status, record.authority) == (SiteStatus.DEREGISTERED, Authority.MARKET)
    assert (record.declared_lon, record.source_crs, record.contact_phone) == (121.2, "wgs84", "0429-1")


def test_a_declared_point_does_not_undo_what_a_person_confirmed(store: Store, tmp_path: Path) -> None:
    """Coordinates in a later file are noted, the point stays; a new address ends it and is counted."""
    head = ["机构名称", "机构类别", "统一社会信用代码", "地址", "经度", "纬度"]
    convert = functools.partial(row_to_wgs84, source_crs="wgs84")
    load(store, tmp_path, [head[:4], ["甲", "托管", ONE, "一路1号"]])
    with store.begin(actor="clerk", now=NOW) as session:
        record = session.scalars(select(Institution)).one()
        record.lon, record.lat, record.confirmed_by, record.confirmed_at = 121.2, 40.3, "clerk", NOW
    rows = [head, ["甲", "托管", ONE, "一路1号", "121.3", "40.4"]]
    result = load(store, tmp_path, rows, source_crs="wgs84", to_wgs84=convert)
    (record,) = held(store)
    assert (result.updated, result.unconfirmed, record.declared_lon) == (1, 0, 121.3)
    assert (record.lon, record.confirmed_by) == (121.2, "clerk")
    rows[1][3] = "二路2号"
    assert load(store, tmp_path, rows, source_crs="wgs84", to_wgs84=convert).unconfirmed == 1
    (record,) = held(store)
    assert (record.lon, record.confirmed_at) == (None, None)


def test_a_new_address_forgets_the_old_point(store: Store, tmp_path: Path) -> None:
    """A place that moved is located again; its declared point belonged to the old address."""
    convert = functools.partial(row_to_wgs84, source_crs="wgs84")
    head = ["机构名称", "机构类别", "统一社会信用代码", "地址", "经度", "纬度"]
    rows = [head, ["甲", "托管", ONE, "一路1号", "121.2", "40.3"]]
    load(store, tmp_path, rows, source_crs="wgs84", to_wgs84=convert)
    with store.begin(actor="clerk", now=NOW) as session:
        record = session.scalars(select(Institution)).one()
        record.lon, record.lat, record.grid_code, record.doubtful = 121.2, 40.3, "g", True
    moved = [[*head[:4]], ["甲", "托管", ONE, "二路2号"]]
    assert load(store, tmp_path, moved).updated == 1
    (record,) = held(store)
    assert (record.declared_lon, record.source_crs) == (None, None)
    assert (record.lon, record.lat, record.grid_code, record.doubtful) == (None, None, None, False)


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [
        ("121.2", "", "bad_coordinates"),
        ("东经121", "40.3", "bad_coordinates"),
        ("nan", "40.3", "bad_coordinates"),
        ("inf", "40.3", "bad_coordinates"),
        ("40.3", "121.2", "swapped_coordinates"),
        ("500", "40.3", "bad_coordinates"),
        ("116.4", "39.9", "outside_district"),
        ("0", "0", "outside_district"),
    ],
)
def test_bad_coordinates_are_refused_with_their_text(
    store: Store, tmp_path: Path, lon: str, lat: str, code: str
) -> None:
    """Nothing is guessed about a point."""
    result = load(
        store,
        tmp_path,
        [["名称", "类别", "地址", "经度", "纬度"], ["甲", "托管", "一路1号", lon, lat]],
        source_crs="gcj02",
        to_wgs84=functools.partial(row_to_wgs84, source_crs="gcj02"),
        extent=(121.0, 40.0, 121.5, 40.6),
    )
    assert [(r.code, r.value) for r in result.rejected] == [(code, f"{lon},{lat}")]
    assert counter(store) == 0


def test_declared_points_are_stored_as_wgs84(store: Store, tmp_path: Path) -> None:
    """A GCJ-02 point moves by some hundred metres."""
    rows = [["名称", "类别", "地址", "经度", "纬度"], ["甲", "托管", "一路1号", "121.2", "40.3"]]
    load(
        store,
        tmp_path,
        rows,
        source_crs="gcj02",
        to_wgs84=functools.partial(row_to_wgs84, source_crs="gcj02"),
    )
    (record,) = held(store)
    assert record.declared_lon is not None
    assert 0.002 < 121.2 - record.declared_lon < 0.01


def test_coordinates_without_a_datum_refuse_the_file(store: Store, tmp_path: Path) -> None:
    """The datum is never assumed."""
    rows = [["名称", "类别", "地址", "经度", "纬度"], ["甲", "托管", "一路1号", "121.2", "40.3"]]
    with pytest.raises(SheetError) as refusal:
        load(store, tmp_path, rows)
    assert refusal.value.code == "crs_required"
    assert counter(store) == 0


def test_identity_key_ignores_blanks_and_width() -> None:
    """The same place written in two ways has one key."""
    assert identity_key("甲 托管", "一路１号 ") == identity_key("甲托管", "一路 1号")


def test_a_blank_status_does_not_open_a_closed_place_again(store: Store, tmp_path: Path) -> None:
    """A list kept for telephones says nothing about who is closed."""
    head = ["名称", "类别", "地址", "状态"]
    load(store, tmp_path, [head, ["甲", "托管", "一路1号", "已注销"]])
    assert load(store, tmp_path, [head, ["甲", "托管", "一路1号", ""]]).unchanged == 1
    with store.reading() as session:
        assert session.scalars(select(Institution.status)).one() is SiteStatus.DEREGISTERED
