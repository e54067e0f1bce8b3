"""Any table: refused whole by name, or every row is accounted for and a second import is idle."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from data import audit
from data.errors import SheetError
from data.register.institutions import import_register
from data.register.rejects import ImportResult
from data.register.surroundings import import_gazetteer, import_schools
from data.register.uscc import check_digit
from data.store import Store
from geo.sources import row_to_wgs84
from tests.conftest import NOW

CODES = [f"{body}{check_digit(body)}" for body in ("5221010512345678A", "9121010512345678B")]
WORDS = st.sampled_from(
    ["", "甲", "乙", "托管", "学科类", "一路1号", "二路2号", "营业", "合计", "121.2", "40.3", "nan", *CODES]
)
CELL = st.one_of(WORDS, WORDS, WORDS, st.text(max_size=8))
HEADS = st.permutations(["名称", "类别", "地址", "信用代码", "状态", "经度", "纬度"]).map(lambda h: list(h))
TABLE = st.tuples(
    st.lists(st.lists(CELL, max_size=3), max_size=2),
    st.one_of(HEADS, st.just(["名称", "类别", "地址", "信用代码"])),
    st.lists(st.lists(CELL, min_size=2, max_size=8), max_size=8),
).map(lambda parts: [*parts[0], parts[1], *parts[2]])


def write(folder: Path, table: list[list[str]]) -> Path:
    """Write a table as CSV, surrogates left out."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(table)
    path = folder / "t.csv"
    path.write_bytes(text.getvalue().encode("utf-8", "ignore"))
    return path


def convert(lon: object, lat: object) -> object:
    """Convert as the command door does."""
    return row_to_wgs84(lon, lat, "gcj02")  # type: ignore[arg-type]


def load(store: Store, path: Path) -> tuple[ImportResult, int]:
    """Import and return the result with the change counter afterwards."""
    with store.begin(actor="clerk", now=NOW) as session:
        result = import_register(session, path, now=NOW, source_crs="gcj02", to_wgs84=convert)  # type: ignore[arg-type]
    with store.reading() as session:
        return result, audit.change_counter(session)


QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=400, deadline=None, suppress_health_check=QUIET)
@given(TABLE)
@example(
    [["名称", "类别", "地址", "信用代码"], ["甲", "托管", "一路1号", CODES[0]], ["甲", "托管", "一路1号", ""]]
)
def test_every_row_is_accounted_for_and_a_second_import_is_idle(store: Store, table: list[list[str]]) -> None:
    """Good, rejected and left-out rows are all rows; the same file again changes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), table)
        try:
            result, counter = load(store, path)
        except SheetError as refusal:
            assert refusal.code in {"empty_sheet", "missing_columns", "unreadable"}
            return
        assert result.table is not None
        records = [row.number for row in result.table.rows]
        rejected = {reject.row for reject in result.rejected}
        assert rejected <= set(records)
        assert result.added + result.updated + result.unchanged + len(rejected) == len(records)
        again, later = load(store, path)
        assert (again.added, again.updated) == (0, 0)
        assert later == counter


@settings(max_examples=150, deadline=None, suppress_health_check=QUIET)
@given(TABLE)
def test_schools_and_addresses_too(store: Store, table: list[list[str]]) -> None:
    """The other two tables keep the same promise."""
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), table)
        for load_table in (import_schools, import_gazetteer):
            counters = []
            for _ in range(2):
                try:
                    with store.begin(actor="clerk", now=NOW) as session:
                        load_table(session, path, source_crs="gcj02", to_wgs84=convert)  # type: ignore[arg-type]
                except SheetError as refusal:
                    assert refusal.code in {"empty_sheet", "missing_columns", "unreadable"}
                with store.reading() as session:
                    counters.append(audit.change_counter(session))
            assert counters[0] == counters[1]
