"""Table files as people hand them over: title rows, blank rows, total lines, full-width digits."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook, WorksheetNotFound

from data.errors import SheetError

MAX_BYTES = 50 * 1024 * 1024
MAX_UNPACKED_BYTES = 400 * 1024 * 1024
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
    return _CONTROL.sub("", unicodedata.normalize("NFKC", text)).strip()


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, (dt.datetime, dt.date)):
        return cell.isoformat()[:10]
    return normalise(str(cell))


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
        `not_found`, `file_too_large`, `wrong_type`, `unreadable`, `unknown_sheet`, `empty_sheet`.
    """
    if not path.is_file():
        raise SheetError("not_found", file=path.name)
    size = path.stat().st_size
    if size > max_bytes:
        raise SheetError("file_too_large", file=path.name, size_mb=size // 2**20, max_mb=max_bytes // 2**20)
    if path.suffix.lower() in WORKBOOKS:
        rows = _read_workbook(path, sheet)
    elif path.suffix.lower() in {".csv", ".txt"}:
        rows = _read_csv(path)
    else:
        raise SheetError("wrong_type", file=path.name, wanted="xlsx, xls, csv")
    if not any(any(row) for row in rows):
        raise SheetError("empty_sheet", file=path.name)
    return rows


def _read_workbook(path: Path, sheet: str | None) -> list[list[str]]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            raise SheetError(
                "file_too_large",
                file=path.name,
                size_mb=unpacked // 2**20,
                max_mb=MAX_UNPACKED_BYTES // 2**20,
            )
    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            names = [sheet] if sheet else book.sheet_names
            for name in names:
                # skip_empty_area=False keeps the row numbers that people see in the file.
                cells = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
                if cells or sheet:
                    return [[_text(cell) for cell in row] for row in cells]
    except WorksheetNotFound as error:
        raise SheetError("unknown_sheet", file=path.name, sheet=sheet) from error
    except (CalamineError, OSError, ValueError) as error:
        raise SheetError("unreadable", file=path.name) from error
    return []


def _read_csv(path: Path) -> list[list[str]]:
    raw = path.read_bytes()
    if b"\x00" in raw[:4096]:
        raise SheetError("unreadable", file=path.name)
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        try:
            return [[_text(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline=""))]
        except csv.Error as error:
            raise SheetError("unreadable", file=path.name) from error
    raise SheetError("unreadable", file=path.name)


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
