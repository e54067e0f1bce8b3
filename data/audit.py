"""The append-only, hash-chained change log; every flush of a register record writes it.

Links are gathered while a transaction runs and put on the chain when it commits, so that a long one does not
keep the chain's end from everybody else.
"""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import event, insert, inspect, select, text
from sqlalchemy.orm import Session

from data.errors import StoreError
from data.schema import AuditEvent, AuditHead, Base

GENESIS = "0" * 64
_AT_ONCE = 2000
_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
# Secrets never reach the log (a draw's seed and salt are secret until revealed).
_HIDDEN = {"password_hash", "seed", "salt"}
# Personal numbers are told as a keyed digest: that they changed is seen, what they are is not.
_MASKED = {"contact_phone", "phone", "certificate_no"}
_QUIET = {"changed_at"}
_HASHED = ("sequence", "actor", "action", "entity", "entity_key", "before", "after")
_LINKS = "audit_links"
LOT = 200
"""Records that one link tells of, where links tell of many."""
ROW_WAIT_MS = 800
"""How long the holder of the chain's head waits for a row; PostgreSQL looks for deadlocks after 1000."""


def _plain(value: object) -> Any:
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()
    if isinstance(value, (str, int, float, bool, type(None))):
        return value
    if hasattr(value, "wkb"):
        return "geometry:" + hashlib.sha256(value.wkb).hexdigest()[:16]
    return str(value)


def _told(session: Session, name: str, value: object) -> Any:
    """Return a column's value as the log may show it."""
    if name in _HIDDEN:
        return "***"
    if name in _MASKED and value is not None:
        seal: Callable[[], bytes] = session.info["seal"]
        return "masked:" + hmac.new(seal(), f"{name}={value}".encode(), "sha256").hexdigest()[:16]
    return _plain(value)


def _values(session: Session, record: Base) -> dict[str, Any]:
    columns = inspect(type(record)).column_attrs
    return {c.key: _told(session, c.key, getattr(record, c.key)) for c in columns if c.key not in _QUIET}


def _changes(session: Session, record: Base) -> tuple[dict[str, Any], dict[str, Any]]:
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for column in inspect(type(record)).column_attrs:
        history = inspect(record).attrs[column.key].history
        if column.key in _QUIET or not history.has_changes():
            continue
        old, new = history.deleted, history.added
        before[column.key] = _told(session, column.key, old[0] if old else None)
        after[column.key] = _told(session, column.key, new[0] if new else None)
    return before, after


def link_hash(previous_hash: str, payload: dict[str, Any]) -> str:
    """Return the SHA-256 of a link: the previous hash and the canonical JSON of its payload."""
    return hashlib.sha256(f"{previous_hash}{_CANONICAL.encode(payload)}".encode()).hexdigest()


def payload(link: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the hash of a link covers, beside the hash before it."""
    return {name: link[name] for name in _HASHED} | {"at": link["at"].astimezone(dt.UTC).isoformat()}


def hold(session: Session) -> AuditHead:
    """Take the chain's head until the transaction ends: parallel writers wait for it in a line.

    Whoever has it keeps everybody waiting, so it waits for rows that a long write has changed for less time
    than PostgreSQL takes to look for a deadlock.
    """
    head = session.info.get("audit_head")
    if head is None:
        with session.no_autoflush:
            # The migration made the row; a lock of it is one of the chain on PostgreSQL.
            latest = select(AuditHead).with_for_update().execution_options(populate_existing=True)
            head = session.execute(latest).scalar_one()
            if session.get_bind().dialect.name == "postgresql":
                session.execute(text(f"SET LOCAL lock_timeout = {ROW_WAIT_MS}"))
        session.info["audit_head"] = head
    found: AuditHead = head
    return found


def append(
    session: Session,
    *,
    action: str,
    entity: str,
    entity_key: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write one link when the transaction commits; actor and instant come from the write transaction.

    Raises
    ------
    StoreError
        `not_a_write_transaction` when the session was not opened by `Store.begin`.
    """
    actor, now = session.info.get("actor"), session.info.get("now")
    if actor is None or now is None:
        raise StoreError("not_a_write_transaction")
    link = {
        "at": now,
        "actor": actor,
        "action": action,
        "entity": entity,
        "entity_key": entity_key,
        "before": before,
        "after": after,
    }
    session.info.setdefault(_LINKS, []).append(link)


def append_many(
    session: Session,
    *,
    action: str,
    entity: str,
    before: Sequence[Mapping[str, Any]] | None = None,
    after: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    """Write links that each tell of up to `LOT` records of one table, as columns and rows.

    Parameters
    ----------
    before, after
        The same values of the same records, as they were and as they are; all rows name the same columns.
    """
    for start in range(0, len(after or before or ()), LOT):
        sides = [
            None if rows is None else _rows_told(session, rows[start : start + LOT])
            for rows in (before, after)
        ]
        count = len((sides[1] or sides[0] or {})["rows"])
        append(
            session,
            action=action,
            entity=entity,
            entity_key=f"{count} records",
            before=sides[0],
            after=sides[1],
        )


def _rows_told(session: Session, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    columns = sorted(rows[0].keys() - _QUIET)
    return {
        "columns": columns,
        "rows": [[_told(session, name, row[name]) for name in columns] for row in rows],
    }


def sealed(
    links: Iterable[dict[str, Any]], *, sequence: int, previous: str | None
) -> Iterator[dict[str, Any]]:
    """Yield links with the numbers and hashes that put them after a chain's end."""
    for link in links:
        sequence += 1
        whole = {**link, "sequence": sequence}
        whole.update(previous_hash=previous, hash=link_hash(str(previous), payload(whole)))
        previous = whole["hash"]
        yield whole


def _seal(session: Session) -> None:
    session.flush()
    links = session.info.pop(_LINKS, None)
    if not links:
        return
    head = hold(session)
    for start in range(0, len(links), _AT_ONCE):
        lot = list(sealed(links[start : start + _AT_ONCE], sequence=head.sequence, previous=head.hash))
        session.execute(insert(AuditEvent), lot)
        head.sequence, head.hash = lot[-1]["sequence"], lot[-1]["hash"]
    session.flush()


def _entity_key(record: Base) -> str:
    for name in ("uscc", "code", "username", "date", "name", "version", "institution_id", "id"):
        value = getattr(record, name, None)
        if value not in (None, ""):
            return str(_plain(value))[:200]
    return ""


def _before_flush(session: Session, *_: object) -> None:
    if not session.info.get("audited"):
        return
    for record in sorted(session.new, key=lambda r: (type(r).__name__, _entity_key(r))):
        if isinstance(record, Base) and record.audited:
            _append_change(session, "insert", record, None, _values(session, record))
    for record in sorted(session.dirty, key=lambda r: (type(r).__name__, _entity_key(r))):
        if isinstance(record, Base) and record.audited:
            before, after = _changes(session, record)
            if after:
                _append_change(session, "update", record, before, after)
    for record in session.deleted:
        if isinstance(record, Base) and record.audited:
            _append_change(session, "delete", record, _values(session, record), None)


def _append_change(
    session: Session,
    action: str,
    record: Base,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> None:
    append(
        session,
        action=action,
        entity=record.__tablename__,
        entity_key=_entity_key(record),
        before=before,
        after=after,
    )


def listen(session_class: type[Session]) -> None:
    """Make every flush of `session_class` write the audit log."""
    if not event.contains(session_class, "before_flush", _before_flush):
        event.listen(session_class, "before_flush", _before_flush)
        event.listen(session_class, "before_commit", _seal)


def read_head(session: Session) -> tuple[int, str | None]:
    """Return sequence and hash of the chain's end as the register states them."""
    head = session.execute(select(AuditHead.sequence, AuditHead.hash)).tuples().first()
    return (0, None) if head is None else head


def change_counter(session: Session) -> int:
    """Return how many changes the register has seen; views key their caches by it."""
    return session.scalar(select(AuditHead.sequence)) or 0
