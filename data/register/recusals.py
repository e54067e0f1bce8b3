"""Recusals (回避): table import of who must not inspect which institution, and why."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.register.officers import read_date
from data.register.rejects import ImportResult, Reject, cell_faults, reject, row_name
from data.register.sheets import Row, read_table
from data.schema import Institution, Officer, Recusal
from data.terms import RecusalReason

COLUMNS: dict[str, tuple[str, ...]] = {
    "officer": ("工号", "人员编号", "officer"),
    "institution": ("机构名称", "回避机构", "institution"),
    "uscc": ("统一社会信用代码", "社会信用代码", "信用代码", "uscc"),
    "reason": ("回避事由", "事由", "原因", "reason"),
    "since": ("起始日期", "开始日期", "自", "since"),
    "until": ("截止日期", "结束日期", "至", "until"),
}
REQUIRED = ("officer", "institution", "reason", "since")
_WORDS = {
    "利害关系": RecusalReason.INTEREST,
    "近亲属": RecusalReason.RELATIVE,
    "亲属": RecusalReason.RELATIVE,
    "曾任职": RecusalReason.FORMER_POST,
    "其他": RecusalReason.OTHER,
}
REASON_WORDS = _WORDS | {reason.zh: reason for reason in RecusalReason} | {r.value: r for r in RecusalReason}


@dataclass(frozen=True)
class _Values:
    officer_id: int
    institution_id: int
    reason: RecusalReason
    since: dt.date
    until: dt.date | None


class _Register:
    """Officers and institutions by what a table calls them."""

    def __init__(self, session: Session) -> None:
        self.officers = dict(session.execute(select(Officer.code, Officer.id)).tuples().all())
        self.by_uscc: dict[str, list[int]] = defaultdict(list)
        self.by_name: dict[str, list[int]] = defaultdict(list)
        rows = session.execute(
            select(Institution.id, Institution.name, Institution.uscc, Institution.holder_uscc)
        )
        for record_id, name, uscc, holder in rows.tuples():
            self.by_name[name].append(record_id)
            if uscc or holder:
                self.by_uscc[uscc or holder or ""].append(record_id)


def import_recusals(session: Session, path: Path, *, sheet: str | None = None) -> ImportResult:
    """Import recusals; upsert by officer and institution. Whoever is not in the file stays recused.

    Raises
    ------
    SheetError
        When the file as a whole cannot be used.
    """
    table = read_table(path, COLUMNS, required=REQUIRED, sheet=sheet)
    register = _Register(session)
    known = {(item.officer_id, item.institution_id): item for item in session.scalars(select(Recusal))}
    result = ImportResult.of(table)
    seen: dict[tuple[int, int], Row] = {}
    for row in table.rows:
        values, rejects = _check(row, register, seen)
        if values is None:
            result.rejected.extend(rejects)
            continue
        pair = values.officer_id, values.institution_id
        seen[pair] = row
        record = known.get(pair)
        if record is None:
            session.add(Recusal(**vars(values)))
            result.count("added")
        else:
            # A column that the file does not have says nothing about what is on file.
            result.count(_change(record, values, with_until="until" in row.header.columns))
    session.flush()
    return result


def _change(record: Recusal, values: _Values, *, with_until: bool) -> str:
    names = ("reason", "since", "until") if with_until else ("reason", "since")
    changed = {
        name: getattr(values, name) for name in names if getattr(record, name) != getattr(values, name)
    }
    for name, value in changed.items():
        setattr(record, name, value)
    return "updated" if changed else "unchanged"


def _check(
    row: Row, register: _Register, seen: dict[tuple[int, int], Row]
) -> tuple[_Values | None, list[Reject]]:
    rejects = cell_faults(row, COLUMNS)

    def refuse(name: str, code: str, **fields: object) -> None:
        if name not in row.odd:
            rejects.append(reject(row, name, code, fields, title=COLUMNS[name][0]))

    officer = register.officers.get(row.get("officer"))
    if officer is None:
        refuse("officer", "unknown_officer", officer=row.get("officer"))
    place = _find_place(row, register, refuse)
    reason = REASON_WORDS.get(row.get("reason"))
    if reason is None:
        refuse("reason", "unknown_reason", known="、".join(item.zh for item in RecusalReason))
    since, until = _read_dates(row, refuse)
    if officer is None or place is None or reason is None or since is None or rejects:
        return None, rejects
    if (officer, place) in seen:
        refuse("institution", "duplicate_recusal", first_row=row_name(seen[officer, place], row))
        return None, rejects
    return _Values(officer, place, reason, since, until), []


def _find_place(row: Row, register: _Register, refuse: Callable[..., None]) -> int | None:
    uscc = row.get("uscc")
    found = register.by_uscc.get(uscc, []) if uscc else register.by_name.get(row.get("institution"), [])
    if uscc and len(found) > 1:
        # Of a holder's sites the one with this name is meant.
        found = [one for one in found if one in register.by_name.get(row.get("institution"), [])] or found
    if uscc and not found:
        refuse("uscc", "unknown_institution")
        return None
    if len(found) != 1:
        refuse("institution", "several_institutions" if found else "unknown_institution")
        return None
    return found[0]


def _read_dates(row: Row, refuse: Callable[..., None]) -> tuple[dt.date | None, dt.date | None]:
    since, until = read_date(row.get("since")), read_date(row.get("until"))
    if since is None:
        refuse("since", "bad_date" if row.get("since") else "no_since")
    if row.get("until") and until is None:
        refuse("until", "bad_date")
    if since is not None and until is not None and until < since:
        refuse("until", "until_before_since")
    return since, until
