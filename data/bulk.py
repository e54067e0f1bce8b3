"""Many records of one table written at once, without the unit of work, and logged in lots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from data import audit
from data.schema import Base

_AT_ONCE = 5000


def insert_rows(session: Session, record: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Add records; every row names the same columns."""
    for start in range(0, len(rows), _AT_ONCE):
        session.execute(insert(record), [dict(row) for row in rows[start : start + _AT_ONCE]])
    audit.append_many(session, action="insert", entity=record.__tablename__, after=rows)


def update_rows(
    session: Session,
    record: type[Base],
    *,
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]],
) -> None:
    """Change records by their primary key.

    Parameters
    ----------
    before, after
        The values of the same columns, the primary key among them, record by record.
    """
    for start in range(0, len(after), _AT_ONCE):
        session.execute(update(record), [dict(row) for row in after[start : start + _AT_ONCE]])
    audit.append_many(session, action="update", entity=record.__tablename__, before=before, after=after)
