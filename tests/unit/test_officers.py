"""Officers: certificates, leave, and what a later file leaves alone."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pytest

from data import audit
from data.errors import SheetError
from data.register.officers import import_officers, is_certified, list_officers
from data.register.rejects import ImportResult
from data.schema import Officer
from data.store import Store
from tests.conftest import NOW

HEAD = ["工号", "姓名", "单位", "执法证号", "有效期至", "职务", "请假日期"]
DAY = dt.date(2026, 11, 23)


def load(
    store: Store, tmp_path: Path, rows: list[list[str]], *, today: dt.date | None = None, clear: bool = False
) -> ImportResult:
    """Import rows as CSV."""
    path = tmp_path / "o.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    with store.begin(actor="clerk", now=NOW) as session:
        return import_officers(session, path, today=today, clear=clear)


def held(store: Store) -> list[Officer]:
    """Return all officers."""
    with store.reading() as session:
        return list_officers(session)


def counter(store: Store) -> int:
    """Return the register's change counter."""
    with store.reading() as session:
        return audit.change_counter(session)


def test_certificates_posts_and_leave(store: Store, tmp_path: Path) -> None:
    """Dates in the usual spellings; the same file again is idle."""
    row = ["01", "张", "教育局", "L1", "2027年1月2日", "组长", "2026-12-01；20261202、2026.12.3"]
    assert load(store, tmp_path, [HEAD, row]).added == 1
    (officer,) = held(store)
    assert (officer.leads, officer.certificate_until) == (True, dt.date(2027, 1, 2))
    assert sorted(d.date.day for d in officer.leave) == [1, 2, 3]
    before = counter(store)
    assert load(store, tmp_path, [HEAD, row]).unchanged == 1
    assert counter(store) == before
    row[-1] = "2026-12-03 2026-12-04"
    assert load(store, tmp_path, [HEAD, row]).updated == 1
    assert sorted(d.date.day for d in held(store)[0].leave) == [3, 4]


@pytest.mark.parametrize("word", ["无", "-", "/", "暂无", "办理中", "", "—"])
def test_a_word_for_no_certificate_is_no_certificate(store: Store, tmp_path: Path, word: str) -> None:
    """Whoever has none never counts for the two an inspection needs."""
    load(store, tmp_path, [HEAD, ["01", "张", "教育局", word, "", "", ""]])
    assert not is_certified(held(store)[0], DAY)


@pytest.mark.parametrize(("until", "holds"), [("2026-11-22", False), ("2026-11-23", True), ("", True)])
def test_a_certificate_holds_to_its_last_day(store: Store, tmp_path: Path, until: str, holds: bool) -> None:
    """The last day counts."""
    load(store, tmp_path, [HEAD, ["01", "张", "教育局", "L1", until, "", ""]])
    assert is_certified(held(store)[0], DAY) is holds


def test_a_short_file_keeps_certificates_and_leave(store: Store, tmp_path: Path) -> None:
    """A list of names and departments says nothing about certificates or leave."""
    load(store, tmp_path, [HEAD, ["01", "张", "教育局", "L1", "2027-01-02", "组长", "2026-12-01"]])
    assert load(store, tmp_path, [HEAD[:3], ["01", "张", "公安分局"]]).updated == 1
    (officer,) = held(store)
    assert (officer.department, officer.certificate_no, officer.leads) == ("公安分局", "L1", True)
    assert [d.date for d in officer.leave] == [dt.date(2026, 12, 1)]
    assert load(store, tmp_path, [HEAD, ["01", "张", "公安分局", "", "", "", ""]]).updated == 1
    (officer,) = held(store)
    assert (officer.certificate_no, officer.leads, officer.leave) == (None, False, [])


def test_blank_cells_that_would_clear_many_are_a_question(store: Store, tmp_path: Path) -> None:
    """A list kept for telephones ends nobody's certificate unasked; one person's may be taken away."""
    full = [[f"{n:02}", f"甲{n}", "教育局", f"L{n}", "2027-01-02", "", "2026-12-01"] for n in range(12)]
    load(store, tmp_path, [HEAD, *full])
    blank = [[*row[:3], "", "", "", ""] for row in full]
    before = counter(store)
    for columns in (slice(3, 5), slice(6, 7)):
        rows = [[*row] for row in full]
        for row in rows[:2]:
            row[columns] = [""] * len(row[columns])
        with pytest.raises(SheetError) as refusal:
            load(store, tmp_path, [HEAD, *rows])
        assert (refusal.value.code, refusal.value.fields["count"]) == ("clears_many", 2)
        assert refusal.value.fields["officers"] == ["00", "01"]
    assert counter(store) == before
    assert load(store, tmp_path, [HEAD, blank[0], *full[1:]]).updated == 1
    assert load(store, tmp_path, [HEAD, *blank], clear=True).updated == 11
    assert not any(officer.certificate_no or officer.leave for officer in held(store))


def test_leave_that_is_past_may_be_left_out(store: Store, tmp_path: Path) -> None:
    """A new list rarely repeats last month's leave."""
    full = [[f"{n:02}", f"甲{n}", "教育局", "L", "", "", "2026-11-22"] for n in range(3)]
    load(store, tmp_path, [HEAD, *full])
    assert load(store, tmp_path, [HEAD, *([*row[:6], ""] for row in full)], today=DAY).updated == 3


def test_officials_and_first_days(store: Store, tmp_path: Path) -> None:
    """Who leads from the office only accompanies; a file without the columns leaves both as they are."""
    head = [*HEAD, "到岗日期"]
    rows = [["01", "张", "教育局", "L1", "", "副局长", "", "2026-10-08"], ["02", "李", "教育局", *[""] * 5]]
    load(store, tmp_path, [head, *rows])
    first, second = held(store)
    assert (first.official, first.leads, first.joined_on) == (True, False, dt.date(2026, 10, 8))
    assert (second.official, second.joined_on) == (None, None)
    assert load(store, tmp_path, [HEAD[:3], ["01", "张", "教育局"]]).unchanged == 1
    assert held(store)[0].official
    bad = load(store, tmp_path, [head, [*rows[0][:-1], "上月"]])
    assert [(r.column, r.code) for r in bad.rejected] == [("到岗日期", "bad_date")]


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        (["", "张", "教育局", "", "", "", ""], "工号", "no_code"),
        (["01", "", "教育局", "", "", "", ""], "姓名", "no_name"),
        (["01", "张", "", "", "", "", ""], "单位", "no_department"),
        (["01", "张", "教育局", "L1", "长期", "", ""], "有效期至", "bad_date"),
        (["01", "张", "教育局", "L1", "2026-02-30", "", ""], "有效期至", "bad_date"),
        (["01", "张", "教育局", "L1", "2026111", "", ""], "有效期至", "bad_date"),
        (["01", "张", "教育局", "L1", "", "", "2026-12-01至2026-12-05"], "请假日期", "bad_date"),
        (["0" * 21, "张", "教育局", "L1", "", "", ""], "工号", "too_long"),
    ],
)
def test_bad_rows_are_named_and_nothing_is_stored(
    store: Store, tmp_path: Path, row: list[str], column: str, code: str
) -> None:
    """An unreadable date refuses the row instead of certifying for ever."""
    result = load(store, tmp_path, [HEAD, row])
    assert [(r.column, r.code) for r in result.rejected] == [(column, code)]
    assert counter(store) == 0


def test_a_repeated_code_points_to_the_first_row(store: Store, tmp_path: Path) -> None:
    """Two people cannot share a code."""
    result = load(store, tmp_path, [HEAD[:3], ["01", "张", "教育局"], ["01", "李", "教育局"]])
    assert [(r.row, r.code, r.fields) for r in result.rejected] == [
        (3, "duplicate_officer", {"first_row": 2})
    ]


def test_a_table_without_departments_changes_nothing(store: Store, tmp_path: Path) -> None:
    """The whole file is refused."""
    with pytest.raises(SheetError) as refusal:
        load(store, tmp_path, [["工号", "姓名"], ["01", "张"]])
    assert refusal.value.code == "missing_columns"
    assert counter(store) == 0
