"""Several sites: in one cell they become rows to confirm, under one credit code they are campuses."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from dashboard.register.exports import write_rejects
from data import audit
from data.register.institutions import import_register
from data.register.rejects import ImportResult
from data.register.sites import is_campus, sites_in
from data.schema import Institution
from data.store import Store
from tests.conftest import NOW

CODE = "52310101633513936G"
HEAD = ["名称", "类别", "信用代码", "地址"]


def load(store: Store, path: Path, rows: list[list[str]] | None = None) -> ImportResult:
    """Import a register, written as CSV when rows are given."""
    if rows is not None:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows([HEAD, *rows])
    with store.begin(actor="clerk", now=NOW) as session:
        return import_register(session, path, now=NOW)


def places(store: Store) -> list[tuple[str, str, str | None, str | None]]:
    """Return name, address, own and holder's code of all institutions."""
    with store.reading() as session:
        found = session.scalars(select(Institution).order_by(Institution.id)).all()
        return [(one.name, one.address, one.uscc, one.holder_uscc) for one in found]


@pytest.mark.parametrize(
    ("text", "sites"),
    [
        ("和平路15号；南路161号", ("和平路15号", "南路161号")),
        ("①和平路15号②南京路16号", ("和平路15号", "南京路16号")),
        ("总校：和平路15号 分校：南京路16号", ("和平路15号", "南京路16号")),
        ("和平路15号\n南京路6号2楼", ("和平路15号", "南京路6号2楼")),
        ("和平路15号、南京路17号", ("和平路15号", "南京路17号")),
        ("和平路15号、17号", ()),
        ("和平路15号\n3楼", ()),
        ("和平路15号301室、302室", ()),
        ("和平路1号(原建设路2号)", ()),
        ("工业大道南821号", ()),
        ("", ()),
    ],
)
def test_addresses_in_one_cell(text: str, sites: tuple[str, ...]) -> None:
    assert sites_in(text) == sites


def test_names_of_campuses_are_alike() -> None:
    assert is_campus("甲乙丙教育培训学校", "甲乙丙教育培训学校（南校区）")
    assert is_campus("阳光托管中心一部", "阳光托管中心二部")
    assert not is_campus("阳光托管中心", "月亮自习室")
    assert not is_campus("甲", "乙")


def test_several_sites_in_a_cell_come_back_as_rows(store: Store, tmp_path: Path) -> None:
    """Confirmed and imported again they are two places of one holder; the third import changes nothing."""
    row = ["甲乙丙学校", "学科类", CODE, "和平路15号；南路161号"]
    first = load(store, tmp_path / "a.csv", [row])
    assert (first.added, [told.code for told in first.rejected]) == (0, ["several_sites"])
    write_rejects(first, tmp_path / "r.xlsx")
    cells = [[cell.value for cell in line] for line in load_workbook(tmp_path / "r.xlsx")["退回行"]]
    assert [line[-1] for line in cells[1:]] == ["和平路15号", "南路161号"]
    again = load(store, tmp_path / "r.xlsx")
    assert (again.added, again.rejected) == (2, [])
    wanted = [("甲乙丙学校", "和平路15号", CODE, None), ("甲乙丙学校", "南路161号", None, CODE)]
    assert places(store) == wanted
    with store.reading() as session:
        before = audit.change_counter(session)
    turned = [["甲乙丙学校", "学科类", CODE, address] for address in ("南路161号", "和平路15号")]
    third = load(store, tmp_path / "b.csv", turned)
    assert (third.unchanged, third.rejected) == (2, [])
    with store.reading() as session:
        assert audit.change_counter(session) == before
    alone = load(store, tmp_path / "c.csv", turned[:1])
    assert (alone.unchanged, places(store)) == (1, wanted)


def test_a_code_copied_to_another_place_is_a_repeat(store: Store, tmp_path: Path) -> None:
    """Other names are no campuses, and the same address is no second site."""
    rows = [
        ["阳光托管", "托管", CODE, "和平路15号"],
        ["月亮自习", "自习室", CODE, "南路161号"],
        ["阳光托管（东）", "托管", CODE, "和平路15号"],
    ]
    result = load(store, tmp_path / "a.csv", rows)
    assert [(told.row, told.code) for told in result.rejected] == [
        (3, "duplicate_uscc"),
        (4, "duplicate_uscc"),
    ]
    assert len(places(store)) == 1


def test_a_third_row_of_a_code_is_held_against_all_before(store: Store, tmp_path: Path) -> None:
    """The same door under another name of the holder is no third campus."""
    rows = [
        ["甲乙丙学校", "学科类", CODE, "和平路15号"],
        ["甲乙丙学校（南校区）", "学科类", CODE, "南路161号"],
    ]
    result = load(store, tmp_path / "a.csv", [*rows, ["甲乙丙学校（二部）", "学科类", CODE, "南路161号"]])
    assert [(told.row, told.code, told.fields) for told in result.rejected] == [
        (4, "duplicate_uscc", {"first_row": 3})
    ]
    assert result.added == 2


def test_a_campus_alone_in_a_file_leaves_the_first_site_as_it_is(store: Store, tmp_path: Path) -> None:
    """Another name like the holder's is a further site; the same name elsewhere has moved."""
    load(store, tmp_path / "a.csv", [["甲乙丙学校", "学科类", CODE, "和平路15号"]])
    alone = load(store, tmp_path / "b.csv", [["甲乙丙学校（南校区）", "学科类", CODE, "南路161号"]])
    assert alone.added == 1
    assert places(store)[0] == ("甲乙丙学校", "和平路15号", CODE, None)
    moved = load(store, tmp_path / "c.csv", [["甲乙丙学校", "学科类", CODE, "东路3号"]])
    assert (moved.added, moved.updated) == (0, 1)
    assert places(store) == [
        ("甲乙丙学校", "东路3号", CODE, None),
        ("甲乙丙学校(南校区)", "南路161号", None, CODE),
    ]


def test_the_text_as_written_is_kept_beside_the_one_that_is_read(store: Store, tmp_path: Path) -> None:
    """Circled numbers, radicals and widths: what the file wrote can be looked up."""
    load(
        store,
        tmp_path / "a.csv",
        [["甲乙丙学校", "学科类", "", "⽴德路１5号"], ["乙", "学科类", "", "二路2号"]],
    )
    with store.reading() as session:
        first, second = session.scalars(select(Institution).order_by(Institution.id)).all()
        assert (first.address, first.written) == ("立德路15号", {"address": "⽴德路１5号"})
        assert second.written is None
