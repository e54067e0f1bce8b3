"""The append-only, hash-chained change log; every flush of a register record writes it."""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, event, func, inspect, select
from sqlalchemy.exc import OperationalError
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


def _payload(link: AuditEvent | Row[Any]) -> dict[str, Any]:
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


@dataclass(frozen=True)
class Break:
    """The first broken link: its sequence, the instant it states, and the kind of fault.

    `kind` is `gap` (links are missing before it), `previous` (it does not follow its forerunner), `content`
    (it is not what was written) or `head` (the chain's end is not where the register says).
    """

    sequence: int
    at: dt.datetime | None
    kind: str


def stream(session: Session, *, first: int = 1) -> Iterator[Row[Any]]:
    """Yield the links from `first` on in order, a few thousand in memory at a time."""
    columns = AuditEvent.__table__.columns
    links = select(*columns).where(AuditEvent.sequence >= first).order_by(AuditEvent.sequence)
    yield from session.execute(links.execution_options(yield_per=_AT_ONCE))


@dataclass
class _Walk:
    """How far the chain was followed: the link that must come next, and the hash it must name."""

    expected: int
    previous: str | None

    def take(self, link: Row[Any]) -> Break | None:
        """Go one link on, or say how it is broken."""
        if link.sequence != self.expected:
            return Break(self.expected, link.at, "gap")
        if link.previous_hash != self.previous:
            return Break(self.expected, link.at, "previous")
        if link_hash(link.previous_hash, _payload(link)) != link.hash:
            return Break(self.expected, link.at, "content")
        self.expected, self.previous = self.expected + 1, link.hash
        return None


# What reading a link raises that was changed to what no link holds: an instant that is none, broken JSON,
# bytes. Text that is no text is told by the driver alone.
_UNREADABLE = (ValueError, TypeError, AttributeError, OverflowError, RecursionError)
_NO_TEXT = "Could not decode"


def verify(session: Session, *, first: int = 1) -> Break | None:
    """Return the first broken link from `first` on, or None when the chain holds to its end."""
    walk = _Walk(1, GENESIS) if first <= 1 else _Walk(first, hash_at(session, first - 1))
    try:
        broken = next(filter(None, map(walk.take, stream(session, first=walk.expected))), None)
    except _UNREADABLE:
        return _walk_singly(session, walk)
    except OperationalError as error:
        if _NO_TEXT not in str(error.orig):
            raise
        return _walk_singly(session, walk)
    if broken is None and read_head(session) != (walk.expected - 1, walk.previous):
        return Break(walk.expected, None, "head")
    return broken


def _walk_singly(session: Session, walk: _Walk) -> Break:
    """Go on link by link to the one that cannot be read: thousands are read at once, one of which is it."""
    links = select(*AuditEvent.__table__.columns)
    while True:
        try:
            link = session.execute(links.where(AuditEvent.sequence == walk.expected)).first()
            broken = Break(walk.expected, None, "gap") if link is None else walk.take(link)
        except (*_UNREADABLE, OperationalError) as error:
            if isinstance(error, OperationalError) and _NO_TEXT not in str(error.orig):
                raise
            broken = Break(walk.expected, None, "content")
        if broken is not None:
            return broken


def first_break(session: Session) -> int | None:
    """Return the sequence of the first broken link, or None when the whole chain holds."""
    broken = verify(session)
    return None if broken is None else broken.sequence


def first_since(session: Session, instant: dt.datetime) -> int:
    """Return the sequence of the first link written at or after an instant, else that past the end."""
    found = session.scalar(select(func.min(AuditEvent.sequence)).where(AuditEvent.at >= instant))
    return change_counter(session) + 1 if found is None else found


def hash_at(session: Session, sequence: int) -> str | None:
    """Return the hash of a link, that of the beginning for 0, None where there is none."""
    if sequence == 0:
        return GENESIS
    return session.scalar(select(AuditEvent.hash).where(AuditEvent.sequence == sequence))


def read_head(session: Session) -> tuple[int, str | None]:
    """Return sequence and hash of the chain's end as the register states them."""
    head = session.execute(select(AuditHead.sequence, AuditHead.hash)).tuples().first()
    return (0, None) if head is None else head


def change_counter(session: Session) -> int:
    """Return how many changes the register has seen; views key their caches by it."""
    return session.scalar(select(AuditHead.sequence)) or 0
