"""Table files as people hand them over: title rows, blank rows, total lines, full-width digits."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import re
import subprocess
import sys
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import SheetError
from data.register.celltext import unguard

MAX_BYTES = 50 * 1024 * 1024
MAX_UNPACKED_BYTES = 400 * 1024 * 1024
MAX_CELLS = 20_000_000
MAX_COLUMNS = 16_384  # as wide as spreadsheets go
MAX_CHARACTERS = 200_000_000
_READER_S = 600
HEADER_SEARCH_ROWS = 30
WORKBOOKS = {".xlsx", ".xlsm", ".xls", ".ods", ".et"}
_TOTAL = re.compile(r"(?:合计|总计|小计|共计|总数|汇总)[\s\d,.:()机构家所个人户]*")
# Control characters no database, workbook or page can hold.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\u200b]")


@dataclass(frozen=True)
class Header:
    """Where the header row is (1-based, as a spreadsheet counts) and which column holds each field."""

    row: int
    columns: Mapping[str, int]
    titles: Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """One record row: its 1-based number and the normalised text of each field."""

    number: int
    values: Mapping[str, str]

    def get(self, name: str) -> str:
        """Return the text of a field, empty when the column is missing."""
        return self.values.get(name, "")


def normalise(text: str) -> str:
    """Return `text` with full-width forms folded, control characters and outer blanks removed."""
    if text.isascii() and text.isprintable():
        return text.strip()
    return _CONTROL.sub("", unicodedata.normalize("NFKC", text)).strip()


def cell_text(cell: object) -> str:
    """Return a cell as normalised text: whole numbers without a point, days as YYYY-MM-DD."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, (dt.datetime, dt.date)):
        return cell.isoformat()[:10]
    # What our own exports guarded against formulas comes back as it was.
    return unguard(normalise(str(cell))).strip()


def read_rows(path: Path, *, sheet: str | None = None, max_bytes: int = MAX_BYTES) -> list[list[str]]:
    """Return all cells of a workbook's sheet or a CSV file as normalised text.

    Parameters
    ----------
    sheet
        Name of the sheet; the first one that has cells when None.
    max_bytes
        Largest file that is read.

    Raises
    ------
    SheetError
        `not_found`, `file_too_large`, `wrong_type`, `unreadable`, `unknown_sheet`, `empty_sheet`,
        `encrypted_sheet`; `sheet_too_large` with rows and columns, `sheet_overflow` where not even those
        can be told.
    """
    if not path.is_file():
        raise SheetError("not_found", file=path.name)
    kind = path.suffix.lower()
    if kind not in WORKBOOKS and kind not in {".csv", ".txt"}:
        raise SheetError("wrong_type", file=path.name, wanted="xlsx, xls, csv")
    content = _read_bytes(path, max_bytes)
    try:
        rows = _read_workbook(content, sheet) if kind in WORKBOOKS else _read_csv(content)
    except SheetError as error:
        raise SheetError(error.code, **{"file": path.name, **error.fields}) from error
    if not any(any(row) for row in rows):
        raise SheetError("empty_sheet", file=path.name)
    return rows


def _read_bytes(path: Path, max_bytes: int) -> bytes:
    """Read a file once, so that one that changes meanwhile is still one file."""
    try:
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            content = b"" if size > max_bytes else stream.read(max_bytes + 1)
    except OSError as error:
        raise SheetError("unreadable", file=path.name) from error
    size = max(size, len(content))
    if size > max_bytes:
        raise SheetError("file_too_large", file=path.name, size_mb=size // 2**20, max_mb=max_bytes // 2**20)
    return content


def _read_workbook(content: bytes, sheet: str | None) -> list[list[str]]:
    packed = io.BytesIO(content)
    is_zip = zipfile.is_zipfile(packed)
    if is_zip:
        try:
            with zipfile.ZipFile(packed) as archive:
                unpacked = sum(item.file_size for item in archive.infolist())
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
            raise SheetError("unreadable") from error
        if unpacked > MAX_UNPACKED_BYTES:
            size, most = unpacked // 2**20, MAX_UNPACKED_BYTES // 2**20
            raise SheetError("file_too_large", size_mb=size, max_mb=most)
    try:
        return _ask_reader(content, "dense", sheet)
    except SheetError as error:
        if not is_zip or error.code not in {"sheet_too_large", "sheet_overflow"}:
            raise
        try:
            return _ask_reader(content, "sparse", sheet)
        except SheetError as sparse:
            raise (error if sparse.code == "unreadable" else sparse) from error


def _ask_reader(content: bytes, how: str, sheet: str | None) -> list[list[str]]:
    """Let `data.register.workbooks` read a workbook in a process of its own, which may die of it."""
    command = [sys.executable, "-P", "-m", "data.register.workbooks", how, *([sheet] if sheet else [])]
    root = str(Path(__file__).resolve().parents[2])
    environment = {**os.environ, "PYTHONPATH": root, "RUST_BACKTRACE": "0", "PYTHONIOENCODING": "utf-8"}
    try:
        done = subprocess.run(  # noqa: S603
            command, input=content, capture_output=True, env=environment, timeout=_READER_S, check=False
        )
        answer: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise SheetError("unreadable") from error
    if "rows" in answer:
        return list(answer["rows"])
    if "code" in answer:
        raise SheetError(answer["code"], **answer["fields"])
    # Out of memory the reader aborts or Python raises; anything else is a file it cannot make sense of.
    starved = b"memory allocation" in done.stderr or b"MemoryError" in done.stderr
    starved = starved or b"capacity overflow" in done.stderr
    raise SheetError("sheet_overflow" if starved else "unreadable", limit=MAX_CELLS)


def _read_csv(content: bytes) -> list[list[str]]:
    if b"\x00" in content[:4096]:
        raise SheetError("unreadable")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return _split_csv(text)
    raise SheetError("unreadable")


def _split_csv(text: str) -> list[list[str]]:
    rows: list[list[str]] = []
    spent = width = 0
    try:
        for row in csv.reader(io.StringIO(text, newline="")):
            spent, width = spent + len(row), max(width, len(row))
            if spent > MAX_CELLS or width > MAX_COLUMNS:
                raise SheetError("sheet_too_large", rows=len(rows) + 1, columns=width, limit=MAX_CELLS)
            rows.append([cell_text(cell) for cell in row])
    except csv.Error as error:
        raise SheetError("unreadable") from error
    return rows


def _title(cell: str) -> str:
    return re.sub(r"[\s*:：（）()]", "", cell).lower()


def find_header(
    rows: list[list[str]], variants: Mapping[str, tuple[str, ...]], *, required: tuple[str, ...]
) -> Header:
    """Find the header row by its words among the first rows.

    Parameters
    ----------
    variants
        For each field the titles people write, best first.
    required
        Fields without which the table is refused.

    Raises
    ------
    SheetError
        `missing_columns` with the titles wanted and the row that came nearest.
    """
    known = {_title(word): name for name, words in variants.items() for word in words}
    best = Header(0, {}, {})
    for number, row in enumerate(rows[:HEADER_SEARCH_ROWS], start=1):
        columns: dict[str, int] = {}
        titles: dict[str, str] = {}
        for index, cell in enumerate(row):
            name = known.get(_title(cell)) if cell else None
            if name is not None and name not in columns:
                columns[name], titles[name] = index, cell
        if len(columns) > len(best.columns):
            best = Header(number, columns, titles)
    missing = [variants[name][0] for name in required if name not in best.columns]
    if missing:
        raise SheetError("missing_columns", columns=missing, row=best.row)
    return best


def record_rows(rows: list[list[str]], header: Header) -> Iterator[Row]:
    """Yield the record rows under the header; blank and total lines are left out."""
    width = max(header.columns.values()) + 1
    for number, cells in enumerate(rows[header.row :], start=header.row + 1):
        if not any(cells) or _is_total(cells):
            continue
        padded = cells + [""] * (width - len(cells))
        yield Row(number, {name: padded[index] for name, index in header.columns.items()})


def _is_total(cells: list[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return len(filled) <= 4 and any(_TOTAL.fullmatch(cell) for cell in filled[:2])
