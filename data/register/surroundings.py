"""Schools and known addresses: table import with a named datum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.bulk import insert_rows, update_rows
from data.errors import SheetError
from data.register.rejects import (
    LAT_TITLES,
    LON_TITLES,
    Extent,
    ImportResult,
    Reject,
    ToWgs84,
    cell_faults,
    long_texts,
    read_point,
    reject,
    row_name,
)
from data.register.sheets import Row, read_table
from data.schema import GazetteerEntry, School
from data.terms import Stage

SCHOOL_COLUMNS: dict[str, tuple[str, ...]] = {
    "name": ("学校名称", "名称", "校名", "name"),
    "stage": ("学段", "类型", "办学类型", "学校类型", "stage"),
    "address": ("地址", "校址", "address"),
    "lon": LON_TITLES,
    "lat": LAT_TITLES,
}
GAZETTEER_COLUMNS: dict[str, tuple[str, ...]] = {
    "name": ("名称", "地名", "单位名称", "name"),
    "address": ("地址", "标准地址", "门牌地址", "address"),
    "lon": LON_TITLES,
    "lat": LAT_TITLES,
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
    table = _Table(School, SCHOOL_COLUMNS, needed="name", key=("name",))
    place = _Placing(source_crs, to_wgs84, extent)
    return _import_places(session, path, table, place, sheet=sheet)


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
    table = _Table(GazetteerEntry, GAZETTEER_COLUMNS, needed="address", key=("name", "address"))
    place = _Placing(source_crs, to_wgs84, extent)
    return _import_places(session, path, table, place, sheet=sheet)


@dataclass(frozen=True)
class _Table:
    """One sort of places: its record, titles, the field no row may lack, and what tells records apart."""

    record: type[School | GazetteerEntry]
    columns: dict[str, tuple[str, ...]]
    needed: str
    key: tuple[str, ...]


@dataclass(frozen=True)
class _Placing:
    """How coordinates are read."""

    source_crs: str
    to_wgs84: ToWgs84
    extent: Extent | None


def _import_places(
    session: Session, path: Path, table: _Table, placing: _Placing, *, sheet: str | None
) -> ImportResult:
    read = read_table(path, table.columns, required=(table.needed, "lon", "lat"), sheet=sheet)
    if not read.rows:
        raise SheetError("empty_sheet", file=path.name)
    result = ImportResult.of(read)
    known = _known(session, table)
    seen: dict[tuple[str, ...], Row] = {}
    new: list[dict[str, object]] = []
    before: list[dict[str, object]] = []
    after: list[dict[str, object]] = []
    for row in read.rows:
        values = _read(row, table, placing, result)
        if values is None:
            continue
        key = tuple(row.get(name) for name in table.key)
        if key in seen:
            first = {"first_row": row_name(seen[key], row)}
            result.rejected.append(reject(row, table.needed, "duplicate_record", first, title=table.needed))
            continue
        seen[key] = row
        stored = known.get(key)
        if stored is None:
            new.append(values)
            result.count("added")
            continue
        # A column that the file does not have says nothing about what is on file.
        unsaid = {"stage", "address"} - row.header.columns.keys()
        said = {name: value for name, value in values.items() if name not in unsaid}
        # A point that a person set outranks a file's.
        if stored.get("confirmed_at") is not None or all(stored[k] == v for k, v in said.items()):
            result.count("unchanged")
            continue
        before.append({name: stored[name] for name in ("id", *said)})
        after.append({"id": stored["id"], **said})
        result.count("updated")
    insert_rows(session, table.record, new)
    update_rows(session, table.record, before=before, after=after)
    return result


def _known(session: Session, table: _Table) -> dict[tuple[str, ...], Mapping[str, Any]]:
    """Return the stored values by what tells records apart; 150,000 of them weigh less than their records."""
    found = session.execute(select(*table.record.__table__.columns)).mappings()
    return {tuple(values[name] for name in table.key): dict(values) for values in found}


def _read(row: Row, table: _Table, placing: _Placing, result: ImportResult) -> dict[str, object] | None:
    """Return the values of a row; append every reason why it is rejected and return None."""
    rejects = cell_faults(row, table.columns)
    stage = None
    if "stage" in table.columns:
        stage = STAGE_WORDS.get(row.get("stage"))
        if stage is None and "stage" not in row.odd:
            # Taken as "other" it would silently drop out of everything near schools.
            words = "、".join(word for word in STAGE_WORDS if word)
            rejects.append(reject(row, "stage", "unknown_stage", {"known": words}, title="学段"))
    point = _place(row, table, placing, rejects)
    result.rejected.extend(rejects)
    if point is None or rejects:
        return None
    values: dict[str, object] = {
        "name": row.get("name"),
        "address": row.get("address"),
        "lon": point[0],
        "lat": point[1],
        "source_crs": placing.source_crs,
    }
    return values if stage is None else {**values, "stage": stage}


def _place(row: Row, table: _Table, placing: _Placing, rejects: list[Reject]) -> tuple[float, float] | None:
    rejects += long_texts(row, table.record, ("name", "address"))
    if not row.get(table.needed) and table.needed not in row.odd:
        rejects.append(reject(row, table.needed, f"no_{table.needed}", title=table.columns[table.needed][0]))
    if row.odd.keys() & {"lon", "lat"}:
        return None
    found = len(rejects)
    point = read_point(row, rejects, extent=placing.extent, to_wgs84=placing.to_wgs84)
    if point is None and len(rejects) == found:
        rejects.append(reject(row, "lon", "no_coordinates", title=LON_TITLES[0], value=""))
    return point
