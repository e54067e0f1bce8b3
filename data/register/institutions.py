"""Register import: good rows are upserted by code or name and address, bad ones come back as rejects."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.errors import SheetError
from data.register.entries import COLUMNS, REQUIRED, Checked, check_row
from data.register.holders import drop_repeats, leave_codes
from data.register.rejects import Extent, ImportResult, ToWgs84
from data.register.sheets import Row, read_table
from data.register.wording import WORDS, Words
from data.schema import Institution
from data.terms import Authority

_DECLARED = ("declared_lon", "declared_lat", "source_crs")
# A column that a later file does not have says nothing about what is on file.
_OPTIONAL = ("uscc", "permit_no", "status", "contact_name", "contact_phone")


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
    good = drop_repeats(good, result)
    _upsert(session, good, result, source_crs=source_crs, now=now)
    order = {(row.sheet, row.number): at for at, row in enumerate(table.rows)}
    result.rejected.sort(key=lambda told: (order[told.sheet, told.row], told.column))
    return result


def _upsert(
    session: Session,
    good: Sequence[Checked],
    result: ImportResult,
    *,
    source_crs: str | None,
    now: dt.datetime,
) -> None:
    known = session.scalars(select(Institution).order_by(Institution.id)).all()
    good = leave_codes(good, known)
    matches = _match(good, known)
    for checked in good:
        values = dict(checked.values)
        values["source_crs"] = source_crs if values["declared_lon"] is not None else None
        record = matches.get(id(checked))
        if record is None:
            session.add(Institution(**values, changed_at=now, doubtful=False))
            result.count("added")
            continue
        changed = _changes(record, values, checked.row)
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


def _changes(record: Institution, values: Mapping[str, object], row: Row) -> dict[str, object]:
    changed = {name: value for name, value in values.items() if getattr(record, name) != value}
    columns = row.header.columns.keys()
    silent = {name for name in _OPTIONAL if name not in columns}
    if not row.get("status"):
        # A blank beside a closed place does not open it again.
        silent.add("status")
    if values["authority"] is Authority.UNKNOWN:
        silent.add("authority")
    # A declared point belongs to its address; only a file that moves the place may drop it unsaid.
    if not {"lon", "lat"} <= columns and "address" not in changed:
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
