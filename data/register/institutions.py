"""Register import: checked rows, rejects with row, column and reason, upsert by code or name and address."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.errors import SheetError
from data.register import uscc as codes
from data.register.characters import normalise
from data.register.headings import Header
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
from data.register.sites import is_campus, sites_in
from data.register.wording import WORDS, Words
from data.schema import Institution
from data.terms import Authority

COLUMNS: dict[str, tuple[str, ...]] = {
    "number": ("序号", "编号"),
    "name": ("机构名称", "名称", "单位名称", "培训机构名称", "企业名称", "场所名称", "name"),
    "kind": ("机构类别", "机构类型", "培训类别", "培训类型", "经营类别", "类别", "类型", "kind"),
    "uscc": ("统一社会信用代码", "社会信用代码", "统一信用代码", "信用代码", "统一代码", "uscc"),
    "permit_no": ("办学许可证号", "办学许可证编号", "许可证号", "许可证编号", "办学许可证"),
    "authority": ("登记机关", "登记部门", "审批机关", "发证机关"),
    "address": (
        "办学地址",
        "培训地址",
        "经营地址",
        "场所地址",
        "机构地址",
        "办学场所",
        "办学地点",
        "培训地点",
        "经营场所",
        "详细地址",
        "地址",
        "注册地址",
        "住所",
        "address",
    ),
    "status": ("营业状态", "状态", "经营状态", "办学状态", "机构状态"),
    "contact_name": ("负责人", "负责人姓名", "法定代表人", "法人", "举办者", "联系人", "联系人姓名"),
    "contact_phone": ("联系电话", "负责人电话", "手机号码", "手机号", "手机", "电话", "联系方式"),
    "lon": LON_TITLES,
    "lat": LAT_TITLES,
}
REQUIRED = ("name", "kind", "address")
_DECLARED = ("declared_lon", "declared_lat", "source_crs")
_TEXTS = ("name", "address", "permit_no", "contact_name", "contact_phone")
# A column that a later file does not have says nothing about what is on file.
_OPTIONAL = ("uscc", "permit_no", "status", "contact_name", "contact_phone")


@dataclass(frozen=True)
class Checked:
    """The values of one good row."""

    row: Row
    values: dict[str, object]


def identity_key(name: str, address: str) -> str:
    """Return the key that tells records without a code apart: name and address without blanks."""
    return re.sub(r"\s+", "", normalise(name)) + "@" + re.sub(r"\s+", "", normalise(address))


def import_register(
    session: Session,
    path: Path,
    *,
    now: dt.datetime,
    sheet: str | None = None,
    source_crs: str | None = None,
    to_wgs84: ToWgs84 | None = None,
    extent: Extent | None = None,
    words: Words = WORDS,
) -> ImportResult:
    """Import an institution register and upsert its good rows; bad rows come back as rejects.

    Parameters
    ----------
    source_crs, to_wgs84
        Name of the datum of coordinate columns and the function that converts them, to NaN where there can
        be no such point; both are needed when the table has coordinates.
    extent
        (west, south, east, north) in degrees beyond which declared coordinates are rejected.
    words
        What kinds, states and authorities are called here.

    Raises
    ------
    SheetError
        When the file as a whole cannot be used, `crs_required` when coordinates come without a datum.
    """
    table = read_table(path, COLUMNS, required=REQUIRED, sheet=sheet, from_name={"kind": words.kind_in})
    if {"lon", "lat"} <= table.columns and (source_crs is None or to_wgs84 is None):
        raise SheetError("crs_required", file=path.name)
    result = ImportResult.of(table)
    good: list[Checked] = []
    for row in table.rows:
        checked, rejects = check_row(row, words=words, extent=extent, to_wgs84=to_wgs84)
        if rejects:
            result.rejected.extend(rejects)
        elif checked is not None:
            good.append(checked)
    good = _without_duplicates(good, result)
    _upsert(session, good, result, source_crs=source_crs, now=now)
    order = {(row.sheet, row.number): at for at, row in enumerate(table.rows)}
    result.rejected.sort(key=lambda told: (order[told.sheet, told.row], told.column))
    return result


def check_row(
    row: Row, *, words: Words = WORDS, extent: Extent | None, to_wgs84: ToWgs84 | None
) -> tuple[Checked | None, list[Reject]]:
    """Return the values of a row, or every reason why it is rejected."""
    rejects = cell_faults(row, COLUMNS)
    sites = sites_in(row.written_of("address"))

    def refuse(name: str, code: str, **fields: object) -> None:
        if name not in row.odd:
            rejects.append(reject(row, name, code, fields, title=COLUMNS[name][0]))

    for name in ("name", "address"):
        if not row.get(name):
            refuse(name, f"no_{name}")
    if sites:
        # Never the first one alone: each is a place to see.
        refuse("address", "several_sites", count=len(sites), sites="；".join(sites), parts=sites)
    kind = words.kind(row.get("kind"))
    if kind is None:
        refuse("kind", "unknown_kind" if row.get("kind") else "no_kind", known="、".join(words.kinds))
    code = None if words.is_none(row.get("uscc")) else row.get("uscc").replace(" ", "").upper() or None
    if code is not None and (fault := codes.fault(code)) is not None:
        refuse("uscc", fault)
    status = words.status(row.get("status"))
    if status is None:
        refuse("status", "unknown_status", known="、".join(filter(None, words.statuses)))
    rejects += long_texts(row, Institution, _TEXTS)
    point = None
    if not row.odd.keys() & {"lon", "lat"}:
        point = read_point(row, rejects, extent=extent, to_wgs84=to_wgs84)
    if rejects or kind is None or status is None:
        return None, rejects
    permit = row.get("permit_no")
    declared = words.authority(row.get("authority"))
    return Checked(
        row,
        {
            "uscc": code,
            "holder_uscc": None,
            "written": written_otherwise(row) or None,
            "identity_key": identity_key(row.get("name"), row.get("address")),
            "name": row.get("name"),
            "kind": kind[0],
            "care_type": kind[1],
            "permit_no": None if words.is_none(permit) else permit or None,
            "authority": declared if code is None else _derive_authority(code, declared),
            "address": re.sub(r"\s+", "", row.get("address")),
            "status": status,
            "contact_name": row.get("contact_name") or None,
            "contact_phone": row.get("contact_phone") or None,
            "declared_lon": None if point is None else point[0],
            "declared_lat": None if point is None else point[1],
        },
    ), []


def written_otherwise(row: Row) -> dict[str, str]:
    """Return name and address as the file wrote them, where they are read as something else."""
    found = {name: row.written_of(name) for name in ("name", "address")}
    return {name: text[:500] for name, text in found.items() if text.strip() != row.get(name)}


def _derive_authority(code: str, declared: Authority) -> Authority:
    derived = codes.authority(code)
    return declared if derived is Authority.UNKNOWN else derived


def _without_duplicates(good: list[Checked], result: ImportResult) -> list[Checked]:
    first_row: dict[tuple[str, object], Row] = {}
    kept = []
    for checked in good:
        keys: list[tuple[str, str, object]] = [("name", "duplicate_record", checked.values["identity_key"])]
        if checked.values["uscc"]:
            keys.insert(0, ("uscc", "duplicate_uscc", checked.values["uscc"]))
        for name, code, value in keys:
            first = first_row.get((name, value))
            if first is not None and not (code == "duplicate_uscc" and _is_site(checked.row, first)):
                where = {"first_row": row_name(first, checked.row)}
                shown, title = str(value).partition("@")[0], COLUMNS[name][0]
                result.rejected.append(reject(checked.row, name, code, where, title=title, value=shown))
                break
        else:
            for name, _, value in keys:
                first_row.setdefault((name, value), checked.row)
            kept.append(checked)
    return kept


def _is_site(row: Row, first: Row) -> bool:
    """Return whether two rows of one credit code are campuses of its holder, not one copied by mistake."""
    elsewhere = re.sub(r"\s+", "", row.get("address")) != re.sub(r"\s+", "", first.get("address"))
    return elsewhere and is_campus(row.get("name"), first.get("name"))


def _with_sites(good: Sequence[Checked], known: Sequence[Institution]) -> list[Checked]:
    """Leave each credit code to one site: the one that has it on file, else the first."""
    main = {record.uscc: record for record in known if record.uscc}
    site_keys = {(record.holder_uscc, record.identity_key) for record in known if record.holder_uscc}
    by_code: dict[object, list[Checked]] = defaultdict(list)
    for checked in good:
        if checked.values["uscc"]:
            by_code[checked.values["uscc"]].append(checked)
    further: set[int] = set()
    for code, rows in by_code.items():
        sites = [c for c in rows if (code, c.values["identity_key"]) in site_keys]
        rest = [c for c in rows if not any(c is site for site in sites)]
        record = main.get(str(code))
        stored = (
            [] if record is None else [c for c in rest if c.values["identity_key"] == record.identity_key]
        )
        first = (stored or rest)[:1]
        further |= {id(c) for c in rows if not any(c is one for one in first)}
    return [
        replace(c, values={**c.values, "uscc": None, "holder_uscc": c.values["uscc"]})
        if id(c) in further
        else c
        for c in good
    ]


def _upsert(
    session: Session,
    good: Sequence[Checked],
    result: ImportResult,
    *,
    source_crs: str | None,
    now: dt.datetime,
) -> None:
    known = session.scalars(select(Institution).order_by(Institution.id)).all()
    good = _with_sites(good, known)
    matches = _match(good, known)
    for checked in good:
        values = dict(checked.values)
        values["source_crs"] = source_crs if values["declared_lon"] is not None else None
        record = matches.get(id(checked))
        if record is None:
            session.add(Institution(**values, changed_at=now, doubtful=False))
            result.count("added")
            continue
        changed = _changes(record, values, checked.row.header)
        for name, value in changed.items():
            setattr(record, name, value)
        # What a person confirmed for this address outranks a point that a file declares for it.
        if "address" in changed or (record.confirmed_at is None and changed.keys() & set(_DECLARED)):
            result.unconfirmed += record.confirmed_at is not None
            _forget_location(record)
        if changed:
            record.changed_at = now
        result.count("updated" if changed else "unchanged")
    session.flush()


def _match(good: Sequence[Checked], known: Sequence[Institution]) -> Mapping[int, Institution]:
    """Return the record of each row that has one: by code, else by name and address; no record twice."""
    by_code = {record.uscc: record for record in known if record.uscc}
    by_key: dict[object, list[Institution]] = defaultdict(list)
    # A record without a code is the better match for a name and address.
    for record in sorted(known, key=lambda record: record.uscc is not None):
        by_key[record.identity_key].append(record)
    found = {id(c): by_code[c.values["uscc"]] for c in good if c.values["uscc"] in by_code}
    taken = {record.id for record in found.values()}
    for checked in good:
        if id(checked) in found:
            continue
        for record in by_key[checked.values["identity_key"]]:
            # The same name and address under another code is another licence, not the same record.
            if record.id not in taken and not (record.uscc and checked.values["uscc"]):
                found[id(checked)] = record
                taken.add(record.id)
                break
    return found


def _changes(record: Institution, values: Mapping[str, object], header: Header) -> dict[str, object]:
    changed = {name: value for name, value in values.items() if getattr(record, name) != value}
    silent = {name for name in _OPTIONAL if name not in header.columns}
    if values["authority"] is Authority.UNKNOWN:
        silent.add("authority")
    # A declared point belongs to its address; only a file that moves the place may drop it unsaid.
    if not {"lon", "lat"} <= header.columns.keys() and "address" not in changed:
        silent |= set(_DECLARED)
    if values["uscc"] is None and values["holder_uscc"] is None:
        silent |= {"uscc", "holder_uscc"}
    return {name: value for name, value in changed.items() if name not in silent}


def _forget_location(record: Institution) -> None:
    for name in (
        "lon",
        "lat",
        "match_level",
        "match_score",
        "match_code",
        "match_text",
        "error_radius_m",
        "location_source",
        # What a person confirmed was the place of the former address.
        "confirmed_by",
        "confirmed_at",
        "grid_id",
        "grid_code",
        "subdistrict",
    ):
        setattr(record, name, None)
    record.doubtful = False
