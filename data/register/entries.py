"""One row of an institution register: its columns, and its values or every reason why it is rejected."""

from __future__ import annotations

import re
from dataclasses import dataclass

from data.register import uscc as codes
from data.register.characters import normalise
from data.register.rejects import (
    LAT_TITLES,
    LON_TITLES,
    Extent,
    Reject,
    ToWgs84,
    cell_faults,
    long_texts,
    read_point,
    reject,
)
from data.register.sheets import Row
from data.register.sites import sites_in
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
_TEXTS = ("name", "address", "permit_no", "contact_name", "contact_phone")


@dataclass(frozen=True)
class Checked:
    """The values of one good row."""

    row: Row
    values: dict[str, object]


def identity_key(name: str, address: str) -> str:
    """Return the key that tells records without a code apart: name and address without blanks."""
    return re.sub(r"\s+", "", normalise(name)) + "@" + re.sub(r"\s+", "", normalise(address))


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
