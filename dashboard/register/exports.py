"""Places as a layer's frame, and the rows that an import gave back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
from openpyxl import Workbook
from sqlalchemy.orm import Session

from dashboard.i18n import sentence_for
from dashboard.parts.workbook import add_heading, safe
from data import frames
from data.register.headings import REASON_TITLE
from data.register.rejects import ImportResult, Reject
from data.register.sheets import Row

_EXPORTED = {
    "institutions": (
        "name",
        "kind",
        "address",
        "lon",
        "lat",
        "match_level",
        "error_radius_m",
        "grid_code",
        "status",
        "match_code",
    ),
    "schools": ("name", "stage", "address", "lon", "lat"),
    "grids": ("grid_code", "name", "subdistrict", "community"),
}


def places_frame(session: Session, what: str) -> gpd.GeoDataFrame:
    """Return `institutions`, `schools` or `grids` as a frame to export, WGS-84, with its id column."""
    readers: dict[str, Callable[[Session], gpd.GeoDataFrame]] = {
        "institutions": frames.institutions_frame,
        "schools": frames.schools_frame,
        "grids": frames.grids_frame,
    }
    frame = readers[what](session)
    if "lon" in _EXPORTED[what]:
        frame["lon"], frame["lat"] = frame.geometry.x, frame.geometry.y
    columns = [name for name in _EXPORTED[what] if name in frame.columns]
    renamed = frame[[*columns, "geometry"]].rename(columns={"match_level": "level", "match_code": "code"})
    return renamed.reset_index()


def write_rejects(result: ImportResult, path: Path) -> None:
    """Write the rejected rows as they came, sheet by sheet under their own heading, the reason in front.

    Mended and imported again they are taken like any other file.
    """
    reasons: dict[tuple[str, int], list[Reject]] = defaultdict(list)
    for told in result.rejected:
        reasons[told.sheet, told.row].append(told)
    book = Workbook()
    del book[book.sheetnames[0]]
    headings = {} if result.table is None else result.table.headings
    found = () if result.table is None else result.table.rows
    for name, heading in headings.items():
        rows = [row for row in found if row.sheet == name and (name, row.number) in reasons]
        if rows or len(headings) == 1:
            _write_returned(book.create_sheet(name or "退回行"), heading, rows, reasons)
    if not book.sheetnames:
        book.create_sheet("退回行")
    book.save(path)


def _write_returned(
    sheet: Any,
    heading: Sequence[Sequence[str]],
    rows: Sequence[Row],
    reasons: Mapping[tuple[str, int], Sequence[Reject]],
) -> None:
    # What the name of a sheet or of a group of rows said must be said in the row, which now stands alone.
    stated = list(dict.fromkeys(title for row in rows for title in row.stated))
    width = max([len(cells) for cells in heading] + [len(row.written) for row in rows])
    for at, cells in enumerate(heading):
        first, last = (REASON_TITLE, stated) if at == 0 else ("", [""] * len(stated))
        add_heading(sheet, [first, *cells, *[""] * (width - len(cells)), *last])
    for row in rows:
        why = "；".join(
            f"【{told.column}】{sentence_for(told.code, told.fields, 'zh')}"
            for told in reasons[row.sheet, row.number]
        )
        blanks = [""] * (width - len(row.written))
        said = [row.stated.get(title, "") for title in stated]
        for cells in _rows_to_confirm(row, reasons[row.sheet, row.number]):
            sheet.append([safe(text) for text in (why, *cells, *blanks, *said)])
            for cell in sheet[sheet.max_row]:
                cell.number_format = "@"
    sheet.freeze_panes = sheet.cell(row=len(heading) + 1, column=2)
    sheet.column_dimensions["A"].width = 48


def _rows_to_confirm(row: Row, told: Sequence[Reject]) -> list[tuple[str, ...]]:
    """Return the cells of a row, once for each of the sites that one of its cells holds."""
    for reject in told:
        column, parts = row.header.columns.get("address"), reject.fields.get("parts")
        if reject.code == "several_sites" and column is not None and isinstance(parts, (list, tuple)):
            return [(*row.written[:column], str(part), *row.written[column + 1 :]) for part in parts]
    return [row.written]
