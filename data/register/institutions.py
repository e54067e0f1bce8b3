"""Register import: checked rows, rejects with row, column and reason, upsert by code or name and address."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.errors import SheetError
from data.register import uscc as codes
from data.register.rejects import (
    LAT_TITLES,
    LON_TITLES,
    Extent,
    ImportResult,
    Reject,
    ToWgs84,
    long_texts,
    read_point,
)
from data.register.sheets import Header, Row, find_header, normalise, read_rows, record_rows
from data.register.wording import AUTHORITY_WORDS, KIND_WORDS, STATUS_WORDS
from data.schema import Institution
from data.terms import Authority

COLUMNS: dict[str, tuple[str, ...]] = {
    "number": ("序号", "编号"),
    "name": ("机构名称", "名称", "单位名称", "培训机构名称", "企业名称", "场所名称", "name"),
    "kind": ("机构类别", "类别", "机构类型", "类型", "培训类别", "经营类别", "kind"),
    "uscc": ("统一社会信用代码", "社会信用代码", "信用代码", "统一信用代码", "uscc"),
    "permit_no": ("办学许可证号", "办学许可证", "许可证号", "办学许可证编号"),
    "authority": ("登记机关", "登记部门", "审批机关", "发证机关"),
    "address": ("地址", "详细地址", "机构地址", "办学地址", "经营地址", "培训地址", "住所", "address"),
    "status": ("营业状态", "状态", "经营状态", "办学状态", "机构状态"),
    "contact_name": ("负责人", "法定代表人", "法人", "举办者", "联系人"),
    "contact_phone": ("联系电话", "电话", "手机", "联系方式"),
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

    row: int
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
) -> ImportResult:
    """Import an institution register and upsert its good rows; bad rows come back as rejects.

    Parameters
    ----------
    source_crs, to_wgs84
        Name of the datum of coordinate columns and the function that converts them, to NaN where there can
        be no such point; both are needed when the table has coordinates.
    extent
        (west, south, east, north) in degrees beyond which declared coordinates are rejected.

    Raises
    ------
    SheetError
        When the file as a whole cannot be used, `crs_required` when coordinates come without a datum.
    """
    rows = read_rows(path, sheet=sheet)
    header = find_header(rows, COLUMNS, required=REQUIRED)
    if "lon" in header.columns and "lat" in header.columns and (source_crs is None or to_wgs84 is None):
        raise SheetError("crs_required", file=path.name)
    result = ImportResult()
    good: list[Checked] = []
    for row in record_rows(rows, header):
        checked, rejects = check_row(row, header, extent=extent, to_wgs84=to_wgs84)
        if rejects:
            result.rejected.extend(rejects)
        elif checked is not None:
            good.append(checked)
    good = _without_duplicates(good, header, result)
    _upsert(session, good, header, result, source_crs=source_crs, now=now)
    result.rejected.sort(key=lambda reject: (reject.row, reject.column))
    return result


def check_row(
    row: Row, header: Header, *, extent: Extent | None, to_wgs84: ToWgs84 | None
) -> tuple[Checked | None, list[Reject]]:
    """Return the values of a row, or every reason why it is rejected."""
    rejects: list[Reject] = []

    def reject(name: str, code: str, **fields: object) -> None:
        title = header.titles.get(name, COLUMNS[name][0])
        rejects.append(Reject(row.number, title, row.get(name), code, dict(fields)))

    for name in ("name", "address"):
        if not row.get(name):
            reject(name, f"no_{name}")
    kind_word = re.sub(r"\s+", "", row.get("kind"))
    if kind_word not in KIND_WORDS:
        reject("kind", "unknown_kind" if kind_word else "no_kind")
    code = row.get("uscc").replace(" ", "").upper() or None
    if code is not None and (fault := codes.fault(code)) is not None:
        reject("uscc", fault)
    if row.get("status") not in STATUS_WORDS:
        reject("status", "unknown_status")
    rejects += long_texts(row, header, Institution, _TEXTS)
    point = read_point(row, header, rejects, extent=extent, to_wgs84=to_wgs84)
    if rejects:
        return None, rejects
    kind, care_type = KIND_WORDS[kind_word]
    declared = AUTHORITY_WORDS.get(row.get("authority"), Authority.UNKNOWN)
    return Checked(
        row.number,
        {
            "uscc": code,
            "identity_key": identity_key(row.get("name"), row.get("address")),
            "name": row.get("name"),
            "kind": kind,
            "care_type": care_type,
            "permit_no": row.get("permit_no") or None,
            "authority": declared if code is None else _derive_authority(code, declared),
            "address": re.sub(r"\s+", "", row.get("address")),
            "status": STATUS_WORDS[row.get("status")],
            "contact_name": row.get("contact_name") or None,
            "contact_phone": row.get("contact_phone") or None,
            "declared_lon": None if point is None else point[0],
            "declared_lat": None if point is None else point[1],
        },
    ), []


def _derive_authority(code: str, declared: Authority) -> Authority:
    derived = codes.authority(code)
    return declared if derived is Authority.UNKNOWN else derived


def _without_duplicates(good: list[Checked], header: Header, result: ImportResult) -> list[Checked]:
    first_row: dict[tuple[str, object], int] = {}
    kept = []
    for checked in good:
        keys: list[tuple[str, str, object]] = [("name", "duplicate_record", checked.values["identity_key"])]
        if checked.values["uscc"]:
            keys.insert(0, ("uscc", "duplicate_uscc", checked.values["uscc"]))
        for name, code, value in keys:
            if (name, value) in first_row:
                title = header.titles.get(name, COLUMNS[name][0])
                shown = str(value).partition("@")[0]
                fields: dict[str, object] = {"first_row": first_row[name, value]}
                result.rejected.append(Reject(checked.row, title, shown, code, fields))
                break
        else:
            first_row.update({(name, value): checked.row for name, _, value in keys})
            kept.append(checked)
    return kept


def _upsert(
    session: Session,
    good: Sequence[Checked],
    header: Header,
    result: ImportResult,
    *,
    source_crs: str | None,
    now: dt.datetime,
) -> None:
    matches = _match(good, session.scalars(select(Institution).order_by(Institution.id)).all())
    for checked in good:
        values = dict(checked.values)
        values["source_crs"] = source_crs if values["declared_lon"] is not None else None
        record = matches.get(checked.row)
        if record is None:
            session.add(Institution(**values, changed_at=now, doubtful=False))
            result.count("added")
            continue
        changed = _changes(record, values, header)
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
    found = {c.row: by_code[c.values["uscc"]] for c in good if c.values["uscc"] in by_code}
    taken = {record.id for record in found.values()}
    for checked in good:
        if checked.row in found:
            continue
        for record in by_key[checked.values["identity_key"]]:
            # The same name and address under another code is another licence, not the same record.
            if record.id not in taken and not (record.uscc and checked.values["uscc"]):
                found[checked.row] = record
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
    if values["uscc"] is None:
        silent.add("uscc")
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
