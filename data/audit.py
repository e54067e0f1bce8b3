"""The append-only, hash-chained change log; every flush of a register record writes it."""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import json
from typing import Any

from sqlalchemy import event, inspect, select
from sqlalchemy.orm import Session

from data.errors import StoreError
from data.schema import AuditEvent, AuditHead, Base

GENESIS = "0" * 64
# Secrets never reach the log (a draw's seed and salt are secret until revealed); log-in counters change too
# often to be a change of the register.
_HIDDEN = {"password_hash", "seed", "salt"}
_QUIET = {"failed_logins", "locked_until", "changed_at"}


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


def _values(record: Base) -> dict[str, Any]:
    columns = inspect(type(record)).column_attrs
    return {
        c.key: "***" if c.key in _HIDDEN else _plain(getattr(record, c.key))
        for c in columns
        if c.key not in _QUIET
    }


def _changes(record: Base) -> tuple[dict[str, Any], dict[str, Any]]:
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for column in inspect(type(record)).column_attrs:
        history = inspect(record).attrs[column.key].history
        if column.key in _QUIET or not history.has_changes():
            continue
        old, new = history.deleted, history.added
        before[column.key] = "***" if column.key in _HIDDEN else _plain(old[0] if old else None)
        after[column.key] = "***" if column.key in _HIDDEN else _plain(new[0] if new else None)
    return before, after


def link_hash(previous_hash: str, payload: dict[str, Any]) -> str:
    """Return the SHA-256 of a link: the previous hash and the canonical JSON of its payload."""
    body = json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{previous_hash}{body}".encode()).hexdigest()


def _payload(link: AuditEvent) -> dict[str, Any]:
    return {
        "sequence": link.sequence,
        "at": link.at.astimezone(dt.UTC).isoformat(),
        "actor": link.actor,
        "action": link.action,
        "entity": link.entity,
        "entity_key": link.entity_key,
        "before": link.before,
        "after": link.after,
    }


def hold(session: Session) -> AuditHead:
    """Take the chain's head until the transaction ends: parallel writers wait for it in a line."""
    head = session.info.get("audit_head")
    if head is None:
        with session.no_autoflush:
            # The migration made the row; a lock of it is one of the chain on PostgreSQL.
            head = session.execute(select(AuditHead).with_for_update()).scalar_one()
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
) -> AuditEvent:
    """Append one link to the chain; actor and instant come from the write transaction.

    Raises
    ------
    StoreError
        `not_a_write_transaction` when the session was not opened by `Store.begin`.
    """
    actor, now = session.info.get("actor"), session.info.get("now")
    if actor is None or now is None:
        raise StoreError("not_a_write_transaction")
    head = hold(session)
    link = AuditEvent(
        sequence=head.sequence + 1,
        at=now,
        actor=actor,
        action=action,
        entity=entity,
        entity_key=entity_key,
        before=before,
        after=after,
        previous_hash=head.hash,
    )
    link.hash = link_hash(head.hash, _payload(link))
    head.sequence, head.hash = link.sequence, link.hash
    session.add(link)
    return link


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
            _append_change(session, "insert", record, None, _values(record))
    for record in sorted(session.dirty, key=lambda r: (type(r).__name__, _entity_key(r))):
        if isinstance(record, Base) and record.audited:
            before, after = _changes(record)
            if after:
                _append_change(session, "update", record, before, after)
    for record in session.deleted:
        if isinstance(record, Base) and record.audited:
            _append_change(session, "delete", record, _values(record), None)


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


def first_break(session: Session) -> int | None:
    """Return the sequence of the first broken link, or None when the whole chain holds."""
    previous, expected = GENESIS, 1
    for link in session.scalars(select(AuditEvent).order_by(AuditEvent.sequence)):
        if (
            link.sequence != expected
            or link.previous_hash != previous
            or link_hash(previous, _payload(link)) != link.hash
        ):
            return expected
        previous, expected = link.hash, expected + 1
    head = session.get(AuditHead, 1)
    if head is not None and (head.sequence != expected - 1 or head.hash != previous):
        return expected
    return None


def change_counter(session: Session) -> int:
    """Return how many changes the register has seen; views key their caches by it."""
    return session.scalar(select(AuditHead.sequence)) or 0
