"""Officers: table import with certificates and leave, and who is certified on a date."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from data.errors import SheetError
from data.register.rejects import ImportResult, Reject, cell_faults, long_texts, reject, row_name
from data.register.sheets import Row, read_table
from data.register.wording import WORDS
from data.schema import Officer, OfficerLeave

COLUMNS: dict[str, tuple[str, ...]] = {
    "code": ("工号", "编号", "人员编号", "code"),
    "name": ("姓名", "名字", "name"),
    "department": ("单位", "部门", "所属单位", "department"),
    "certificate_no": ("执法证号", "执法证编号", "执法证件号", "证件号", "证件编号", "证号", "执法证"),
    "certificate_until": (
        "证件有效期至",
        "执法证有效期至",
        "执法证有效期",
        "有效期至",
        "有效期止",
        "有效期",
        "到期日期",
        "截止日期",
    ),
    "post": ("职务", "角色"),
    "joined_on": ("到岗日期", "到岗时间", "入职日期"),
    "leave": ("请假日期", "请假", "不可用日期"),
}
_OPTIONAL = {
    "certificate_no": "certificate_no",
    "certificate_until": "certificate_until",
    "leads": "post",
    "official": "post",
    "joined_on": "joined_on",
}
_MOST_CLEARED = 0.1
_MOST_NAMED = 5
LEADING_POSTS = {"组长", "副组长", "队长"}
# Who comes along as 带队领导 and never counts for the two certified.
OFFICIAL_POSTS = {"带队领导", "局长", "副局长", "分管领导", "分管局长"}


def import_officers(
    session: Session,
    path: Path,
    *,
    sheet: str | None = None,
    today: dt.date | None = None,
    clear: bool = False,
) -> ImportResult:
    """Import officers and their leave; upsert by code, the file's leave replaces the old.

    Parameters
    ----------
    today
        Leave before this day is past: a file that leaves it out takes nothing away.
    clear
        Somebody confirmed that the blank cells are to take away certificates or leave, though of many.

    Raises
    ------
    SheetError
        When the file as a whole cannot be used; `clears_many` when its blank cells would take certificates
        or coming leave from more than one officer and more than a tenth of those who have any.
    """
    table = read_table(path, COLUMNS, required=("code", "name", "department"), sheet=sheet)
    result = ImportResult.of(table)
    known = {officer.code: officer for officer in list_officers(session)}
    seen: dict[str, Row] = {}
    holding = {code: _holds(officer, today) for code, officer in known.items()}
    for row in table.rows:
        values, leave, rejects = _check(row, seen)
        if rejects:
            result.rejected.extend(rejects)
            continue
        seen[row.get("code")] = row
        officer = known.get(row.get("code"))
        if officer is None:
            days = [OfficerLeave(date=day) for day in sorted(leave)]
            session.add(Officer(**values, leave=days))
            result.count("added")
            continue
        # A column that the file does not have says nothing about what is on file.
        said = {k: v for k, v in values.items() if _OPTIONAL.get(k, k) in row.header.columns}
        result.count(_change(officer, said, leave if "leave" in row.header.columns else None))
    cleared = [code for code, held in holding.items() if held - _holds(known[code], today)]
    if not clear and len(cleared) > 1 and len(cleared) > _MOST_CLEARED * sum(map(bool, holding.values())):
        raise SheetError(
            "clears_many", file=path.name, count=len(cleared), officers=sorted(cleared)[:_MOST_NAMED]
        )
    session.flush()
    return result


def _holds(officer: Officer, today: dt.date | None) -> set[str]:
    """Return which of certificate, its end, and coming leave an officer has."""
    held = {
        "certificate_no": officer.certificate_no,
        "certificate_until": officer.certificate_until,
        "leave": any(today is None or day.date >= today for day in officer.leave),
    }
    return {name for name, value in held.items() if value}


def _check(row: Row, seen: dict[str, Row]) -> tuple[dict[str, object], set[dt.date], list[Reject]]:
    rejects = cell_faults(row, COLUMNS)

    def refuse(name: str, code: str, **fields: object) -> None:
        if name not in row.odd:
            rejects.append(reject(row, name, code, fields, title=COLUMNS[name][0]))

    for name in ("code", "name", "department"):
        if not row.get(name):
            refuse(name, f"no_{name}")
    if row.get("code") in seen:
        refuse("code", "duplicate_officer", first_row=row_name(seen[row.get("code")], row))
    dates = {name: read_date(row.get(name)) for name in ("certificate_until", "joined_on")}
    for name, day in dates.items():
        if row.get(name) and day is None:
            refuse(name, "bad_date")
    leave: set[dt.date] = set()
    for word in re.split(r"[;；,，、\s]+", row.get("leave")):
        if word:
            day = read_date(word)
            if day is None:
                refuse("leave", "bad_date")
                break
            leave.add(day)
    rejects += long_texts(row, Officer, ("code", "name", "department", "certificate_no"))
    certificate = row.get("certificate_no")
    values: dict[str, object] = {
        "code": row.get("code"),
        "name": row.get("name"),
        "department": row.get("department"),
        "certificate_no": None if WORDS.is_none(certificate) else certificate or None,
        "certificate_until": dates["certificate_until"],
        "leads": row.get("post") in LEADING_POSTS,
        "official": row.get("post") in OFFICIAL_POSTS or None,
        "joined_on": dates["joined_on"],
    }
    return values, leave, rejects


def read_date(text: str) -> dt.date | None:
    """Return the date people write as 2026-09-20, 2026年9月20日 or 20260920, None when it is none."""
    # Without separators all eight digits are needed: 2026111 could be two dates.
    match = re.fullmatch(r"(\d{4})(\d{2})(\d{2})", text) or re.fullmatch(
        r"(\d{4})\D(\d{1,2})\D(\d{1,2})[日号]?", text
    )
    try:
        return dt.date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def _change(officer: Officer, values: dict[str, object], leave: set[dt.date] | None) -> str:
    changed = {name: value for name, value in values.items() if getattr(officer, name) != value}
    for name, value in changed.items():
        setattr(officer, name, value)
    old = {day.date for day in officer.leave}
    moved = leave is not None and old != leave
    if leave is not None and moved:
        officer.leave = [d for d in officer.leave if d.date in leave] + [
            OfficerLeave(date=day) for day in sorted(leave - old)
        ]
    return "updated" if changed or moved else "unchanged"


def list_officers(session: Session) -> list[Officer]:
    """Return all officers by code, with their leave loaded."""
    return list(session.scalars(select(Officer).options(selectinload(Officer.leave)).order_by(Officer.code)))


def is_certified(officer: Officer, day: dt.date) -> bool:
    """Return whether an officer holds a certificate that is valid on `day`."""
    until = officer.certificate_until
    return bool(officer.certificate_no) and (until is None or until >= day)
