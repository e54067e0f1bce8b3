"""The audit chain followed link by link: where it breaks first, and which link stands where."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from data import audit
from data.schema import AuditEvent

_AT_ONCE = 2000


@dataclass(frozen=True)
class Break:
    """The first broken link: its sequence, the instant it states, and the kind of fault.

    `kind` is `gap` (links are missing before it), `previous` (it does not follow its forerunner), `content`
    (it is not what was written) or `head` (the chain's end is not where the register says).
    """

    sequence: int
    at: dt.datetime | None
    kind: str


def stream(session: Session, *, first: int = 1) -> Generator[Row[Any]]:
    """Yield the links from `first` on in order, a few thousand in memory at a time."""
    columns = AuditEvent.__table__.columns
    links = select(*columns).where(AuditEvent.sequence >= first).order_by(AuditEvent.sequence)
    with session.execute(links.execution_options(yield_per=_AT_ONCE)) as found:
        yield from found


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
        if audit.link_hash(link.previous_hash, audit.payload(dict(link._mapping))) != link.hash:
            return Break(self.expected, link.at, "content")
        self.expected, self.previous = self.expected + 1, link.hash
        return None


# What reading a link raises that was changed to what no link holds: an instant that is none, broken JSON,
# bytes. Text that is no text is told by the driver alone.
_UNREADABLE = (ValueError, TypeError, AttributeError, OverflowError, RecursionError)
_NO_TEXT = "Could not decode"


def verify(session: Session, *, first: int = 1) -> Break | None:
    """Return the first broken link from `first` on, or None when the chain holds to its end."""
    walk = _Walk(1, audit.GENESIS) if first <= 1 else _Walk(first, hash_at(session, first - 1))
    try:
        with contextlib.closing(stream(session, first=walk.expected)) as links:
            broken = next(filter(None, map(walk.take, links)), None)
    except _UNREADABLE:
        return _walk_singly(session, walk)
    except OperationalError as error:
        if _NO_TEXT not in str(error.orig):
            raise
        return _walk_singly(session, walk)
    if broken is None and audit.read_head(session) != (walk.expected - 1, walk.previous):
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
    return audit.change_counter(session) + 1 if found is None else found


def hash_at(session: Session, sequence: int) -> str | None:
    """Return the hash of a link, that of the beginning for 0, None where there is none."""
    if sequence == 0:
        return audit.GENESIS
    return session.scalar(select(AuditEvent.hash).where(AuditEvent.sequence == sequence))
