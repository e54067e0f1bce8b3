"""A table file as records: every visible sheet read, and whatever was not read named.

One reader for all tables that come in: registers, officers, schools, known addresses, recusals.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from data.errors import SheetError
from data.register.books import MAX_BYTES, Sheet, read_book
from data.register.celltext import unguard
from data.register.characters import normalise
from data.register.headings import Header, Variants, find_header
from data.register.workbooks import INEXACT

FromName = Mapping[str, Callable[[str], str | None]]
"""For fields that the name of a sheet may state: the word it states, None when it states none."""

_TOTAL = re.compile(r"(?:合计|总计|小计|共计|总数|汇总)[\s\d,.:()机构家所个人户]*")
_FOOTER = re.compile(
    r"(?:注|备注|说明|填表说明|填表人|填报人|填报单位|制表人?|制表单位|审核人?|复核人?|单位负责人|负责人签[字名]|"
    r"填表日期|填报日期|制表日期|联系人|联系电话|打印日期|第?\d+页)\s*(?:[:]|[\s\d]*$|[一二三1-9][.、])"
)
_GROUP = re.compile(
    r"(?:[(]?[一二三四五六七八九十]{1,3}[)、.]|[(]?\d{1,2}[)、.]).*|.*[(]?\d+(?:家|所|个|户)[)]?"
)
_ROUNDED = re.compile(r"[+-]?\d(?:\.\d+)?E\+?(?:1[0-9]|[2-9]\d)", re.IGNORECASE)
_AS_TEXT = re.compile(r'="(.*)"', re.DOTALL)
_TABLE_ROWS, _TABLE_COLUMNS = 2, 3


@dataclass(frozen=True)
class Note:
    """Something of a file that was not read, or read in a way that somebody should know."""

    code: str
    fields: Mapping[str, object]


@dataclass(frozen=True)
class Row:
    """One record row: its 1-based number, the normalised text of each field, and the cells as written.

    `odd` names the fields whose cell has no usable value (`error`, `formula`, `inexact`), `ragged` says that
    the row has more or fewer cells than the heading, `stated` holds by title what no cell of it says but the
    name of its sheet or of its group.
    """

    number: int
    values: Mapping[str, str]
    header: Header = field(default_factory=lambda: Header(0, {}, {}))
    sheet: str = ""
    written: tuple[str, ...] = ()
    odd: Mapping[str, str] = field(default_factory=dict)
    ragged: str | None = None
    stated: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """Return the text of a field, empty when the column is missing."""
        return self.values.get(name, "")

    def written_of(self, name: str) -> str:
        """Return the text of a field as it was written, line ends and all."""
        column = self.header.columns.get(name)
        return self.written[column] if column is not None and column < len(self.written) else ""


@dataclass(frozen=True)
class Table:
    """The records of a file, its headings as written by sheet and their last rows, and what was not read."""

    rows: tuple[Row, ...]
    headings: Mapping[str, tuple[tuple[str, ...], ...]]
    notes: tuple[Note, ...]
    ends: Mapping[str, int] = field(default_factory=dict)

    @property
    def columns(self) -> frozenset[str]:
        """Fields that any of the sheets has a column for."""
        return frozenset(name for row in self.rows for name in row.header.columns)


def cell_value(text: str) -> str:
    """Return what is meant by a cell's text: no marks of a spreadsheet, no guard, nothing invisible."""
    seen = normalise(text)
    as_text = _AS_TEXT.fullmatch(seen)
    if as_text is not None:
        return as_text[1].strip()
    # What our own exports guarded against formulas comes back as it was; others mark a text so.
    return unguard(seen).removeprefix("'").strip()


def read_table(
    path: Path,
    variants: Variants,
    *,
    required: tuple[str, ...],
    sheet: str | None = None,
    from_name: FromName | None = None,
    max_bytes: int = MAX_BYTES,
) -> Table:
    """Read the records of every visible sheet of a file that has a usable heading, or of one sheet.

    Parameters
    ----------
    variants
        For each field the titles people write, best first.
    required
        Fields without which a sheet is refused.
    sheet
        Name of the one to read.
    from_name
        Fields that the name of a sheet may state where it has no column for them.

    Raises
    ------
    SheetError
        As `data.register.books.read_book`; `missing_columns` with the titles wanted, the sheet and the row
        that came nearest, when a sheet that is a table has no usable heading or no sheet has one.
    """
    book = read_book(path, sheet=sheet, max_bytes=max_bytes)
    first_titles = {name: words[0] for name, words in variants.items()}
    parts: list[_Part] = []
    notes: list[Note] = []
    unusable: list[tuple[Sheet, Header, list[str]]] = []
    for one in book:
        if not one.visible and sheet is None:
            notes.append(Note("sheet_hidden", {"sheet": one.name}))
        elif not any(any(map(str.strip, cells)) for cells in one.cells):
            notes.append(Note("sheet_blank" if one.is_table else "sheet_no_table", {"sheet": one.name}))
        else:
            header = find_header(one, variants)
            stated = _stated(one, header, from_name or {})
            missing = [
                variants[name][0] for name in required if name not in header.columns and name not in stated
            ]
            if missing:
                unusable.append((one, header, missing))
            else:
                parts.append(_Part(one, header, stated, from_name or {}, first_titles, path.name))
    for one, header, missing in unusable:
        # A cover or a page of remarks is named; a table nobody can read stops the import.
        if not parts or _is_table(one, header):
            raise SheetError(
                "missing_columns", file=path.name, columns=missing, row=header.row, sheet=one.name
            )
        notes.append(Note("sheet_without_heading", {"sheet": one.name}))
    rows = [row for part in parts for row in part.rows(notes)]
    headings = {
        part.sheet.name: tuple(
            tuple(cells) for cells in part.sheet.cells[part.header.row - part.header.rows : part.header.row]
        )
        for part in parts
    }
    ends = {part.sheet.name: part.header.row for part in parts}
    return Table(tuple(rows), headings, tuple(notes), ends)


def _stated(sheet: Sheet, header: Header, from_name: FromName) -> dict[str, str]:
    """Return the fields without a column that the sheet's name states, blank where its groups do."""
    stated: dict[str, str] = {}
    for name, read in from_name.items():
        if name in header.columns:
            continue
        word = read(sheet.name)
        groups = (
            cells[0] for cells in (list(filter(str.strip, row)) for row in sheet.cells) if len(cells) == 1
        )
        if word is not None:
            stated[name] = word
        elif any(read(normalise(group)) for group in groups):
            stated[name] = ""
    return stated


def _is_table(sheet: Sheet, header: Header) -> bool:
    """Return whether a sheet without a usable heading holds records that would be lost."""
    filled = [sum(bool(cell.strip()) for cell in cells) for cells in sheet.cells]
    return bool(header.columns) and sum(count >= _TABLE_COLUMNS for count in filled) > _TABLE_ROWS


@dataclass(frozen=True)
class _Part:
    """One sheet with its heading, and what its name states."""

    sheet: Sheet
    header: Header
    stated: Mapping[str, str]
    from_name: FromName
    titles: Mapping[str, str]
    file: str

    def rows(self, notes: list[Note]) -> Iterator[Row]:
        """Yield the records; note columns, hidden rows and lines that are no records."""
        about = {"sheet": self.sheet.name or self.file}
        if self.header.unused:
            notes.append(Note("columns_unused", {**about, "columns": list(self.header.unused)}))
        hidden = sorted(row + 1 for row in self.sheet.hidden if row >= self.header.row)
        if hidden:
            notes.append(Note("rows_hidden", {**about, "count": len(hidden), "rows": hidden}))
        cells = _filled_down(self.sheet, self.header.row)
        widths = self._widths(cells) if self.sheet.is_text else None
        above = range(self.header.row - self.header.rows)
        skipped = [at + 1 for at in above if any(map(str.strip, self.sheet.cells[at]))]
        stated = self.stated
        banners = {row for r0, c0, r1, c1 in self.sheet.merged if c1 - c0 >= 2 for row in range(r0, r1 + 1)}
        for at in range(self.header.row, len(cells)):
            values = [cell_value(cell) for cell in cells[at]]
            if not any(values):
                continue
            if self._is_no_record(values, banner=at in banners):
                skipped.append(at + 1)
                stated = {**stated, **self._stated_by_group(values)}
                continue
            yield self._row(at, stated, self._found(values), cells[at], widths)
        if skipped:
            notes.append(Note("rows_no_record", {**about, "rows": skipped, "count": len(skipped)}))

    def _found(self, values: Sequence[str]) -> dict[str, str]:
        columns = self.header.columns.items()
        return {name: values[index] if index < len(values) else "" for name, index in columns}

    def _stated_by_group(self, values: Sequence[str]) -> dict[str, str]:
        """Return what the heading of a group of rows states, such as 二、非学科类（12家）."""
        filled = [value for value in values if value]
        if len(filled) != 1:
            return {}
        said = {name: read(filled[0]) for name, read in self.from_name.items() if name in self.stated}
        return {name: word for name, word in said.items() if word}

    def _row(
        self,
        at: int,
        stated: Mapping[str, str],
        found: Mapping[str, str],
        written: Sequence[str],
        widths: tuple[int, int] | None,
    ) -> Row:
        odd = {
            name: kind
            for name, index in self.header.columns.items()
            if (kind := self.sheet.odd.get((at, index)) or _rounded(found[name])) is not None
        }
        return Row(
            number=at + 1,
            values={**stated, **found},
            header=self.header,
            sheet=self.sheet.name,
            written=tuple(written),
            odd=odd,
            ragged=None if widths is None else _ragged(written, *widths),
            stated={self.titles[name]: word for name, word in stated.items()},
        )

    def _widths(self, cells: Sequence[Sequence[str]]) -> tuple[int, int]:
        """Return how many cells a row of a text file has at least and at most."""
        found = Counter(len(row) for row in cells[self.header.row :] if any(row))
        short = sum(count for width, count in found.items() if width < self.header.width)
        # Some systems leave out the signs after the last filled cell; then a short row says nothing.
        return 0 if short > found.total() / 2 else self.header.width, self.header.width

    def _is_no_record(self, values: Sequence[str], *, banner: bool) -> bool:
        """Return whether a line is a total, a remark, a group's heading or the heading again."""
        filled = [value for value in values if value]
        if len(filled) <= 4 and any(_TOTAL.fullmatch(value) for value in filled[:2]):
            return True
        names = {name: values[index] for name, index in self.header.columns.items() if index < len(values)}
        if len(filled) > 1 and all(
            not value or value == self.header.titles[name] for name, value in names.items()
        ):
            return any(names.values())
        if _FOOTER.match(filled[0]) and len(filled) <= 6:
            return True
        return len(filled) == 1 and (banner or _GROUP.fullmatch(filled[0]) is not None)


def _ragged(written: Sequence[str], least: int, most: int) -> str | None:
    if any(map(str.strip, written[most:])):
        return "too_many_cells"
    return "too_few_cells" if len(written) < least else None


def _rounded(text: str) -> str | None:
    """Return that a text is a long number as a spreadsheet shortened it, such as 4.40103E+17."""
    return INEXACT if _ROUNDED.fullmatch(text) else None


def _filled_down(sheet: Sheet, first: int) -> list[list[str]]:
    """Return the cells with those merged over several rows written into each of them."""
    cells = [list(row) for row in sheet.cells]
    for r0, c0, r1, _ in sheet.merged:
        if r1 == r0 or r0 < first or r0 >= len(cells) or c0 >= len(cells[r0]):
            continue
        for row in range(r0 + 1, min(r1 + 1, len(cells))):
            cells[row].extend([""] * (c0 + 1 - len(cells[row])))
            if not cells[row][c0]:
                cells[row][c0] = cells[r0][c0]
    return cells
