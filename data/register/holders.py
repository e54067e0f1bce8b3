"""Rows that share a credit code: campuses of one holder, or a code copied to another place by mistake."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from data.register.entries import COLUMNS, Checked
from data.register.rejects import ImportResult, Reject, reject, row_name
from data.register.sheets import Row
from data.register.sites import is_campus
from data.schema import Institution


def drop_repeats(good: Sequence[Checked], result: ImportResult) -> list[Checked]:
    """Return the rows without those that repeat one before them, which become rejects."""
    by_key: dict[object, Row] = {}
    by_code: dict[object, list[Row]] = defaultdict(list)
    kept = []
    for checked in good:
        row, key, code = checked.row, checked.values["identity_key"], checked.values["uscc"]
        others = by_code[code] if code else []
        if (same := next((one for one in others if not _is_site(row, one)), None)) is not None:
            result.rejected.append(_repeat(row, same, "uscc", "duplicate_uscc"))
        elif key in by_key:
            result.rejected.append(_repeat(row, by_key[key], "name", "duplicate_record"))
        else:
            by_key[key] = row
            others.append(row)
            kept.append(checked)
    return kept


def leave_codes(good: Sequence[Checked], known: Sequence[Institution]) -> list[Checked]:
    """Leave each credit code to one of its rows and name it as their holder's in the others.

    It stays with the record that has it on file: with the row of the same name and address, or that moved or
    was renamed. A campus alone in a file is none of these, and leaves that record as it is.
    """
    main = {record.uscc: record for record in known if record.uscc}
    on_file = {(record.holder_uscc, record.identity_key) for record in known if record.holder_uscc}
    by_code: dict[str, list[int]] = defaultdict(list)
    for at, checked in enumerate(good):
        if checked.values["uscc"]:
            by_code[str(checked.values["uscc"])].append(at)
    further: set[int] = set()
    for code, places in by_code.items():
        free = [at for at in places if (code, good[at].values["identity_key"]) not in on_file]
        first = _first_site([good[at] for at in free], main.get(code))
        further.update(at for at in places if first is None or good[at] is not first)
    return [
        replace(c, values={**c.values, "uscc": None, "holder_uscc": c.values["uscc"]}) if at in further else c
        for at, c in enumerate(good)
    ]


def _first_site(rows: Sequence[Checked], record: Institution | None) -> Checked | None:
    """Return which of a code's rows is its first site: None when all are further ones of the stored one."""
    if record is None or not rows:
        return rows[0] if rows else None
    for name in ("identity_key", "address", "name"):
        for checked in rows:
            if checked.values[name] == getattr(record, name):
                return checked
    # Moved and renamed at once, unless the name is that of a campus.
    return next((c for c in rows if not is_campus(str(c.values["name"]), record.name)), None)


def _is_site(row: Row, other: Row) -> bool:
    """Return whether two rows of one credit code are campuses of its holder."""
    elsewhere = re.sub(r"\s+", "", row.get("address")) != re.sub(r"\s+", "", other.get("address"))
    return elsewhere and is_campus(row.get("name"), other.get("name"))


def _repeat(row: Row, first: Row, name: str, code: str) -> Reject:
    where = {"first_row": row_name(first, row)}
    return reject(row, name, code, where, title=COLUMNS[name][0], value=row.get(name))
