"""Schools and known addresses: table import with a named datum."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.errors import SheetError
from data.intake import COLUMNS, Extent, ImportResult, Reject, ToWgs84, long_texts, read_point
from data.schema import GazetteerEntry, School
from data.sheets import Header, Row, find_header, read_rows, record_rows
from data.terms import Stage

SCHOOL_COLUMNS: dict[str, tuple[str, ...]] = {
    "name": ("学校名称", "名称", "校名", "name"),
    "stage": ("学段", "类型", "办学类型", "学校类型", "stage"),
    "address": ("地址", "校址", "address"),
    "lon": COLUMNS["lon"],
    "lat": COLUMNS["lat"],
}
GAZETTEER_COLUMNS: dict[str, tuple[str, ...]] = {
    "name": ("名称", "地名", "单位名称", "name"),
    "address": ("地址", "标准地址", "门牌地址", "address"),
    "lon": COLUMNS["lon"],
    "lat": COLUMNS["lat"],
}
# Names of the ministry's statistics beside the everyday words; a blank is "not said".
STAGE_WORDS: dict[str, Stage] = {
    "": Stage.OTHER,
    "小学": Stage.PRIMARY,
    "普通小学": Stage.PRIMARY,
    "教学点": Stage.PRIMARY,
    "小学教学点": Stage.PRIMARY,
    "九年一贯制": Stage.PRIMARY,
    "九年一贯制学校": Stage.PRIMARY,
    "十二年一贯制": Stage.PRIMARY,
    "十二年一贯制学校": Stage.PRIMARY,
    "中学": Stage.SECONDARY,
    "初中": Stage.SECONDARY,
    "初级中学": Stage.SECONDARY,
    "高中": Stage.SECONDARY,
    "高级中学": Stage.SECONDARY,
    "普通高中": Stage.SECONDARY,
    "完全中学": Stage.SECONDARY,
    "幼儿园": Stage.KINDERGARTEN,
    "特殊教育学校": Stage.OTHER,
    "中等职业学校": Stage.OTHER,
    "职业高中": Stage.OTHER,
    "其他学校": Stage.OTHER,
    "其他": Stage.OTHER,
}


def import_schools(
    session: Session,
    path: Path,
    *,
    source_crs: str,
    to_wgs84: ToWgs84,
    extent: Extent | None = None,
    sheet: str | None = None,
) -> ImportResult:
    """Import schools with their points; upsert by name.

    Raises
    ------
    SheetError
        When the file as a whole cannot be used.
    """
    rows, header = _open(path, SCHOOL_COLUMNS, ("name", "lon", "lat"), sheet)
    result = ImportResult()
    known = {school.name: school for school in session.scalars(select(School))}
    seen: dict[str, int] = {}
    for row in record_rows(rows, header):
        stage = STAGE_WORDS.get(row.get("stage"))
        if stage is None:
            # Taken as "other" it would silently drop out of everything near schools.
            title = header.titles["stage"]
            result.rejected.append(Reject(row.number, title, row.get("stage"), "unknown_stage"))
        point = _point_or_reject(row, header, School, result, extent=extent, to_wgs84=to_wgs84)
        if point is None or stage is None:
            continue
        if row.get("name") in seen:
            _reject_repeated(row, header.titles["name"], "name", seen[row.get("name")], result)
            continue
        seen[row.get("name")] = row.number
        values = {
            "name": row.get("name"),
            "stage": stage,
            "address": row.get("address"),
            "lon": point[0],
            "lat": point[1],
            "source_crs": source_crs,
        }
        record = known.get(row.get("name"))
        if record is None:
            session.add(School(**values))
            result.count("added")
        else:
            # A column that the file does not have says nothing about what is on file.
            unsaid = {"stage", "address"} - header.columns.keys()
            result.count(_change(record, {k: v for k, v in values.items() if k not in unsaid}))
    session.flush()
    return result


def import_gazetteer(
    session: Session,
    path: Path,
    *,
    source_crs: str,
    to_wgs84: ToWgs84,
    extent: Extent | None = None,
    sheet: str | None = None,
) -> ImportResult:
    """Import known addresses with their points; upsert by name and address.

    Raises
    ------
    SheetError
        When the file as a whole cannot be used.
    """
    rows, header = _open(path, GAZETTEER_COLUMNS, ("address", "lon", "lat"), sheet)
    result = ImportResult()
    known = {(entry.name, entry.address): entry for entry in session.scalars(select(GazetteerEntry))}
    seen: dict[tuple[str, str], int] = {}
    for row in record_rows(rows, header):
        point = _point_or_reject(row, header, GazetteerEntry, result, extent=extent, to_wgs84=to_wgs84)
        if point is None:
            continue
        values = {
            "name": row.get("name"),
            "address": row.get("address"),
            "lon": point[0],
            "lat": point[1],
            "source_crs": source_crs,
        }
        key = (row.get("name"), row.get("address"))
        if key in seen:
            _reject_repeated(row, header.titles["address"], "address", seen[key], result)
            continue
        seen[key] = row.number
        record = known.get(key)
        if record is None:
            session.add(GazetteerEntry(**values))
            result.count("added")
        else:
            result.count(_change(record, values))
    session.flush()
    return result


def _open(
    path: Path, variants: dict[str, tuple[str, ...]], required: tuple[str, ...], sheet: str | None
) -> tuple[list[list[str]], Header]:
    rows = read_rows(path, sheet=sheet)
    header = find_header(rows, variants, required=required)
    if header.row >= len(rows):
        raise SheetError("empty_sheet", file=path.name)
    return rows, header


def _point_or_reject(
    row: Row,
    header: Header,
    record: type[School] | type[GazetteerEntry],
    result: ImportResult,
    *,
    extent: Extent | None,
    to_wgs84: ToWgs84,
) -> tuple[float, float] | None:
    needed = "name" if record is School else "address"
    rejects = long_texts(row, header, record, ("name", "address"))
    if not row.get(needed):
        rejects.append(Reject(row.number, header.titles[needed], "", f"no_{needed}"))
    point = read_point(row, header, rejects, extent=extent, to_wgs84=to_wgs84)
    if point is None and not any(reject.column == header.titles["lon"] for reject in rejects):
        rejects.append(Reject(row.number, header.titles["lon"], "", "no_coordinates"))
    result.rejected.extend(rejects)
    return None if rejects else point


def _reject_repeated(row: Row, title: str, name: str, first_row: int, result: ImportResult) -> None:
    reject = Reject(row.number, title, row.get(name), "duplicate_record", {"first_row": first_row})
    result.rejected.append(reject)


def _change(record: School | GazetteerEntry, values: dict[str, object]) -> str:
    changed = {name: value for name, value in values.items() if getattr(record, name) != value}
    for name, value in changed.items():
        setattr(record, name, value)
    return "updated" if changed else "unchanged"
