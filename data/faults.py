"""What an error of the database means to people: full, busy, damaged, away, or written by somebody else."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import (
    DatabaseError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import DataError as ValueRefusedError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from data.errors import StoreError

# Primary result codes of SQLite, https://www.sqlite.org/rescode.html.
_SQLITE = {
    5: "busy",  # SQLITE_BUSY
    6: "busy",  # SQLITE_LOCKED
    8: "read_only_file",  # SQLITE_READONLY
    10: "disk_failed",  # SQLITE_IOERR
    11: "damaged",  # SQLITE_CORRUPT
    13: "disk_full",  # SQLITE_FULL
    14: "unreachable",  # SQLITE_CANTOPEN
    26: "damaged",  # SQLITE_NOTADB
}
# SQLSTATE codes or classes of PostgreSQL, https://www.postgresql.org/docs/current/errcodes-appendix.html.
_POSTGRESQL = {
    "08": "unreachable",
    "22": "bad_text",
    "25006": "read_only_file",
    "28": "unreachable",
    "3D": "unreachable",
    "40": "busy",
    "42P01": "not_initialised",
    "53100": "disk_full",
    "53": "busy",
    "55P03": "busy",
    "57P": "unreachable",
    "58": "disk_failed",
    "XX001": "damaged",
    "XX002": "damaged",
}
# Two writers of the same row, or a row that was taken away meanwhile: the other one was first.
_MEANWHILE = ("UNIQUE constraint failed", "FOREIGN KEY constraint failed", "23505", "23503")


@contextmanager
def named(shown_url: str) -> Iterator[None]:
    """Turn errors of the database into named ones; what is a fault of our code stays as it is.

    Parameters
    ----------
    shown_url
        Address of the database without its password, for the sentence.

    Raises
    ------
    StoreError
        `busy`, `read_only_file`, `disk_failed`, `disk_full`, `damaged`, `unreachable`, `not_initialised`,
        `changed_meanwhile`, `append_only`, `bad_text` or `database_failed`.
    """
    try:
        yield
    except UnicodeEncodeError as error:
        raise StoreError("bad_text") from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        code = name_fault(error)
        if code is None:
            raise
        raise StoreError(code, url=shown_url) from error


def name_fault(error: SQLAlchemyError | sqlite3.Error) -> str | None:
    """Return the code of an error of the database, None when it is a fault of our code."""
    if isinstance(error, sqlite3.Error):
        # Raised while a connection is set up, before SQLAlchemy watches it.
        return _name_sqlite(error)
    if isinstance(error, PoolTimeoutError):
        return "busy"
    if not isinstance(error, DBAPIError):
        return None
    said = str(error.orig)
    if "append-only" in said:
        return "append_only"
    state = getattr(error.orig, "sqlstate", None)
    if isinstance(error, IntegrityError):
        return "changed_meanwhile" if any(mark in f"{state} {said}" for mark in _MEANWHILE) else None
    return _name_sqlite(error.orig) or _name_postgresql(error, state)


def _name_sqlite(error: BaseException | None) -> str | None:
    number = getattr(error, "sqlite_errorcode", None)
    if number is None:
        return None
    if re.match("no such (table|column)", str(error)):
        return "not_initialised"
    # The primary code is the low byte; an SQLITE_ERROR is a wrong statement, which is ours.
    return _SQLITE.get(number & 0xFF)


def _name_postgresql(error: DBAPIError, state: str | None) -> str | None:
    for length in (5, 3, 2):
        if state is not None and state[:length] in _POSTGRESQL:
            return _POSTGRESQL[state[:length]]
    if isinstance(error, ValueRefusedError):
        return "bad_text"
    if getattr(error.orig, "sqlite_errorcode", None) is not None:
        return None
    # A connection that breaks has no state.
    lost = state is None and isinstance(error, (OperationalError, InterfaceError))
    return "unreachable" if lost or error.connection_invalidated else _name_rest(error)


def _name_rest(error: DBAPIError) -> str | None:
    return "database_failed" if type(error) in (DatabaseError, OperationalError) else None
