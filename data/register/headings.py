"""The heading of a table: one row or two, titles as offices write them, the best column for a field."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from data.register.books import Sheet
from data.register.characters import normalise

SEARCH_ROWS = 30
REASON_TITLE = "退回原因"
"""Title of the column in which a file of rejected rows says why."""
Variants = Mapping[str, tuple[str, ...]]
_BRACKETED = re.compile(r"[(（\[【〔][^()（）\[\]【】〔〕]*[)）\]】〕]")
_NUMBERED = re.compile(r"^(?:\d{1,2}|[一二三四五六七八九十]{1,2})[.、．)）]\s*")
_DROPPED = re.compile(r"[\s*＊:：()（）\[\]【】〔〕\"'“”]")


@dataclass(frozen=True)
class Header:
    """Where the heading ends (its last row, from 1) and which column holds each field.

    `titles` are the words of those columns as they stand in the file, `unused` those of all other columns
    with something under them; `rows` is how many rows the heading has.
    """

    row: int
    columns: Mapping[str, int]
    titles: Mapping[str, str]
    unused: tuple[str, ...] = ()
    rows: int = 1
    width: int = 0


def find_header(sheet: Sheet, variants: Variants) -> Header:
    """Return the heading among the first rows that tells the most fields; one without any when none does.

    Parameters
    ----------
    variants
        For each field the titles people write, best first.
    """
    ranks = {
        _plain(word): (rank, name) for name, words in variants.items() for rank, word in enumerate(words)
    }
    best = Header(0, {}, {}, rows=SEARCH_ROWS)
    for row in range(min(SEARCH_ROWS, len(sheet.cells))):
        for rows in (1, 2):
            found = _read(sheet, row, rows, ranks)
            if found is not None and _worth(found) > _worth(best):
                best = found
    return replace(best, unused=_unused(sheet, best))


def _worth(header: Header) -> tuple[int, int]:
    """Return how much a heading tells; of two that tell as much the one of fewer rows."""
    return len(header.columns), -header.rows


def spellings(title: str) -> list[str]:
    """Return what a title may be compared by: whole, then without remarks in brackets."""
    whole = _NUMBERED.sub("", normalise(title))
    bare = _BRACKETED.sub("", whole)
    return list(dict.fromkeys(text for text in (_plain(whole), _plain(bare)) if text))


def _plain(title: str) -> str:
    return _DROPPED.sub("", normalise(title)).lower()


def _read(sheet: Sheet, row: int, rows: int, ranks: Mapping[str, tuple[int, str]]) -> Header | None:
    """Read the heading that begins in `row`, None when it cannot be one of so many rows."""
    if row + rows > len(sheet.cells):
        return None
    columns = _titles_of_one(sheet, row) if rows == 1 else _titles_of_two(sheet, row)
    if columns is None:
        return None
    claims: dict[str, tuple[tuple[int, int, int], int, str]] = {}
    for column, asked in enumerate(columns):
        for order, title in enumerate(asked):
            known = next(((n, ranks[text]) for n, text in enumerate(spellings(title)) if text in ranks), None)
            if known is None:
                continue
            exactness, (rank, name) = known
            # An exact title of a lower rank is a better witness than a remark's remainder.
            claim = ((rank, exactness + order, column), column, asked[0])
            claims[name] = min(claims.get(name, claim), claim)
            break
    last = row + rows
    return Header(
        row=last,
        columns={name: column for name, (_, column, _) in claims.items()},
        titles={name: normalise(title) for name, (_, _, title) in claims.items()},
        rows=rows,
        width=max((len(cells) for cells in sheet.cells[row:last]), default=0),
    )


def _titles_of_one(sheet: Sheet, row: int) -> list[list[str]]:
    below = sheet.cells[row + 1] if row + 1 < len(sheet.cells) else []
    # What stands over several columns that differ below is no title of its first one.
    common = {
        c0
        for r0, c0, _, c1 in sheet.merged
        if r0 == row and sum(map(bool, map(str.strip, below[c0 : c1 + 1]))) > 1
    }
    return [[cell] if cell.strip() and at not in common else [] for at, cell in enumerate(sheet.cells[row])]


def _titles_of_two(sheet: Sheet, row: int) -> list[list[str]] | None:
    """Return the titles of two rows, those under a common one joined with it; None where none is common."""
    upper, lower = sheet.cells[row], sheet.cells[row + 1]
    width = max(len(upper), len(lower))
    upper, lower = [*upper, *[""] * (width - len(upper))], [*lower, *[""] * (width - len(lower))]
    owner = _owners(sheet, row, upper, lower)
    shared = [column for column in range(width) if owner[column] != column and lower[column].strip()]
    if not shared:
        return None
    crowded = {owner[column] for column in shared}
    titles = []
    for column in range(width):
        above, below = upper[owner[column]].strip(), lower[column].strip()
        if not below:
            titles.append([above] if above and owner[column] == column else [])
        elif owner[column] in crowded:
            # The common title alone is no title of any one of its columns.
            titles.append([_joined(above, below), below])
        else:
            titles.append([text for text in (_joined(above, below) if above else "", above, below) if text])
    return titles


def _joined(above: str, below: str) -> str:
    """Return two titles as one: 执法证 and 证号 are 执法证号."""
    return above + (below[1:] if above[-1] == below[0] and len(below) > 1 else below)


def _owners(sheet: Sheet, row: int, upper: Sequence[str], lower: Sequence[str]) -> list[int]:
    """Return for each column the one whose upper title stands over it."""
    owner = list(range(len(upper)))
    merges = [(c0, c1) for r0, c0, _, c1 in sheet.merged if r0 == row and c1 > c0]
    for first, last in merges:
        for column in range(first, min(last + 1, len(owner))):
            owner[column] = first
    if merges:
        return owner
    # A file without merged cells (CSV) leaves the cells under a common title blank.
    for column in range(1, len(owner)):
        blank = not upper[column].strip() and bool(lower[column].strip())
        if blank and upper[owner[column - 1]].strip() and lower[owner[column - 1]].strip():
            owner[column] = owner[column - 1]
    return owner


def _unused(sheet: Sheet, header: Header) -> tuple[str, ...]:
    """Return the titles of the columns that hold something and no field, by letter where they have none."""
    if not header.columns:
        return ()
    filled: set[int] = set()
    for cells in sheet.cells[header.row :]:
        filled.update(column for column, cell in enumerate(cells) if cell and cell.strip())
    titles: list[list[str]] | None = _titles_of_one(sheet, header.row - 1)
    if header.rows == 2:
        titles = _titles_of_two(sheet, header.row - 2)
    named = {column: asked[0] for column, asked in enumerate(titles or []) if asked}
    # Why a row came back is ours to tell and nobody's to read again.
    reasons = {column for column, title in named.items() if normalise(title) == REASON_TITLE}
    rest = sorted(filled - set(header.columns.values()) - reasons)
    return tuple(normalise(named[column]) if column in named else f"{_letters(column)}列" for column in rest)


def _letters(column: int) -> str:
    """Return a column's name in a spreadsheet, A for 0."""
    name = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        name = chr(ord("A") + letter) + name
    return name
