"""The table of recusals: good rows go in, bad rows come back with their reasons."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import select

from data import chain
from data.errors import SheetError
from data.register.recusals import import_recusals
from data.register.rejects import ImportResult
from data.schema import AuditEvent, Recusal
from data.store import Store
from data.terms import RecusalReason
from tests.conftest import NOW
from tests.register import add_institution, add_officers

HEAD = ["工号", "机构名称", "统一社会信用代码", "回避事由", "起始日期", "截止日期"]
GOOD = ["O1", "机构1", "", "近亲属", "2026-09-01", ""]


@pytest.fixture(autouse=True)
def register(store: Store) -> None:
    """Fill the register: two institutions share a name."""
    with store.begin(actor="t", now=NOW) as session:
        add_officers(session, 2)
        for number, name in enumerate(("机构1", "同名", "同名")):
            add_institution(session, number, name=name, address=f"{number}号")


def load(store: Store, tmp_path: Path, rows: list[list[str]]) -> ImportResult:
    """Import rows as CSV."""
    path = tmp_path / "r.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    with store.begin(actor="clerk", now=NOW) as session:
        return import_recusals(session, path)


def held(store: Store) -> list[Recusal]:
    """Return all recusals."""
    with store.reading() as session:
        return list(session.scalars(select(Recusal)))


def test_a_recusal_goes_in_once_and_is_audited(store: Store, tmp_path: Path) -> None:
    """The same file again is idle, a new last day is an update."""
    assert load(store, tmp_path, [HEAD, GOOD]).added == 1
    assert load(store, tmp_path, [HEAD, GOOD]).unchanged == 1
    assert load(store, tmp_path, [HEAD, [*GOOD[:-1], "2026年12月31日"]]).updated == 1
    assert load(store, tmp_path, [HEAD[:-1], GOOD[:-1]]).unchanged == 1
    (record,) = held(store)
    assert (record.reason, record.until) == (RecusalReason.RELATIVE, dt.date(2026, 12, 31))
    with store.reading() as session:
        links = session.scalars(select(AuditEvent).where(AuditEvent.entity == "recusal")).all()
        assert [link.action for link in links] == ["insert", "update"]
        assert chain.first_break(session) is None


@pytest.mark.parametrize(
    ("change", "column", "code"),
    [
        ({0: "O9"}, "工号", "unknown_officer"),
        ({1: "没有"}, "机构名称", "unknown_institution"),
        ({1: "同名"}, "机构名称", "several_institutions"),
        ({2: "91110000000000000X"}, "统一社会信用代码", "unknown_institution"),
        ({3: "不喜欢"}, "回避事由", "unknown_reason"),
        ({4: ""}, "起始日期", "no_since"),
        ({4: "去年"}, "起始日期", "bad_date"),
        ({5: "明年"}, "截止日期", "bad_date"),
        ({5: "2026-08-31"}, "截止日期", "until_before_since"),
    ],
)
def test_bad_rows_come_back(
    store: Store, tmp_path: Path, change: dict[int, str], column: str, code: str
) -> None:
    """Nothing of a bad row is stored; the good one beside it is."""
    row = [change.get(index, value) for index, value in enumerate(GOOD)]
    other = ["O2", *GOOD[1:]]
    result = load(store, tmp_path, [HEAD, row, other])
    assert [(item.row, item.column, item.code) for item in result.rejected] == [(2, column, code)]
    assert result.added == len(held(store)) == 1


def test_a_pair_named_twice_points_to_the_first_row(store: Store, tmp_path: Path) -> None:
    """The second could contradict the first."""
    result = load(store, tmp_path, [HEAD, GOOD, GOOD])
    assert [(item.code, item.fields) for item in result.rejected] == [("duplicate_recusal", {"first_row": 2})]


def test_every_fault_of_a_row_is_told(store: Store, tmp_path: Path) -> None:
    """Three at once."""
    result = load(store, tmp_path, [HEAD, ["O9", "没有", "", "", "", ""]])
    assert {item.code for item in result.rejected} == {
        "unknown_officer", "unknown_institution", "unknown_reason", "no_since",
    }  # fmt: skip


def test_a_table_without_reasons_is_refused(store: Store, tmp_path: Path) -> None:
    """The whole file."""
    with pytest.raises(SheetError) as refusal:
        load(store, tmp_path, [HEAD[:2], GOOD[:2]])
    assert refusal.value.code == "missing_columns"
