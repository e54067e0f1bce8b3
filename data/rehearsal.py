"""Long writes rehearsed on a copy of the register, so that its write lock is held for the result only.

See docs/decisions/0010-rehearsed-imports.md.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from sqlalchemy.orm import Session

from data.errors import StoreError
from data.faults import named
from data.schema import Base
from data.store import Store
from data.topics import TOPIC_OF

Result = TypeVar("Result")

_TRIES = 3
_PREFIX = "rehearsal-"
_BUSY_S = 15.0
_CHANGES = "rehearsed_change"
_HEAD = "SELECT sequence, hash FROM main.audit_head"
_AUDITED = {mapper.class_.__tablename__ for mapper in Base.registry.mappers if mapper.class_.audited} | {
    "audit_event",
    "audit_head",
}


def write_aside(store: Store, step: Callable[[Session], Result], *, actor: str, now: dt.datetime) -> Result:
    """Run a long step on a copy of the register, then bring over what it changed in one short transaction.

    Readers and other writers see nothing of it before, and all of it after. On PostgreSQL, which locks rows
    and not the register, and on a register in memory the step runs in an ordinary write transaction.

    Parameters
    ----------
    step
        Called with a writing session; once more each time somebody else has written meanwhile.
    actor, now
        As `data.store.Store.begin`.

    Raises
    ------
    StoreError
        `changed_meanwhile` when others wrote during each of three tries; nothing was written.
    """
    if store.url.get_backend_name() != "sqlite" or store.url.database in (None, "", ":memory:"):
        with store.begin(actor=actor, now=now) as session:
            return step(session)
    path = Path(str(store.url.database)).resolve()
    _clear_leftovers(path.parent)
    for _ in range(_TRIES):
        with (
            named(path.name),
            tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", dir=path.parent) as folder,
            contextlib.closing(_connect(path)) as connection,
        ):
            copy = Path(folder) / "copy.db"
            seen = _copy(connection, copy)
            result = _rehearse(store, copy, step, actor=actor, now=now)
            if _bring_over(connection, copy, seen):
                return result
    raise StoreError("changed_meanwhile", tries=_TRIES)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_S)
    # Pages that find no room in the cache would be written twice while the register is locked.
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY", "cache_size=-262144"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _copy(connection: sqlite3.Connection, copy: Path) -> tuple[object, object]:
    """Copy the register and note changes to come; return what tells whether somebody wrote since."""
    # Noted before the copy is made: a change between the two is a try lost, not a fault.
    seen = (connection.execute("PRAGMA data_version").fetchone(), connection.execute(_HEAD).fetchone())
    with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as target:
        connection.backup(target)
        target.execute(f"CREATE TABLE {_CHANGES} (place TEXT, row INTEGER, PRIMARY KEY (place, row))")
        for name in _tables(target):
            for event, row in (("INSERT", "new"), ("UPDATE", "new"), ("DELETE", "old")):
                target.execute(
                    f"CREATE TRIGGER rehearsed_{name}_{event} AFTER {event} ON {name} BEGIN "  # noqa: S608
                    f"INSERT OR IGNORE INTO {_CHANGES} VALUES ('{name}', {row}.rowid); END"
                )
    return seen


def _tables(connection: sqlite3.Connection, where: str = "main") -> list[str]:
    found = connection.execute(
        f"SELECT name FROM {where}.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"  # noqa: S608
    )
    # The counters of topics are raised with what is brought over, not copied.
    return [name for (name,) in found if name not in (_CHANGES, "topic_counter")]


def _rehearse(
    store: Store, copy: Path, step: Callable[[Session], Result], *, actor: str, now: dt.datetime
) -> Result:
    rehearsal = Store(f"sqlite:///{copy}", seal=store.seal)
    try:
        with rehearsal.begin(actor=actor, now=now) as session:
            return step(session)
    finally:
        rehearsal.close()


def _bring_over(connection: sqlite3.Connection, copy: Path, seen: tuple[object, object]) -> bool:
    """Write what the rehearsal changed; tell whether nobody else had written what it built upon."""
    connection.execute("ATTACH DATABASE ? AS copy", (str(copy),))
    touched = [name for (name,) in connection.execute(f"SELECT DISTINCT place FROM copy.{_CHANGES}")]  # noqa: S608
    # What can be worked out before the lock is: it holds as long as the checks under the lock do.
    moves = [statement for name in touched for statement in _moves(connection, name)]
    with _locked(connection):
        version = connection.execute("PRAGMA data_version").fetchone()
        head = connection.execute(_HEAD).fetchone()
        # Every change of an audited table moves the head of the audit chain.
        if head != seen[1] or (version != seen[0] and not _AUDITED.issuperset(touched)):
            return False
        connection.execute("PRAGMA defer_foreign_keys = ON")
        for statement in moves:
            connection.execute(statement)
        for topic in {TOPIC_OF.get(name) for name in touched} - {None}:
            connection.execute("UPDATE topic_counter SET value = value + 1 WHERE topic = ?", (str(topic),))
    return True


@contextlib.contextmanager
def _locked(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        raise StoreError("changed_meanwhile", tries=1) from error
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _moves(connection: sqlite3.Connection, name: str) -> list[str]:
    """Sort a table's changed rows into gone, changed and new; return the statements that bring them over."""
    listed = [row[1] for row in connection.execute(f"PRAGMA main.table_info({name})")]
    columns, rows = ", ".join(listed), f"SELECT row FROM copy.{_CHANGES} WHERE place = '{name}'"  # noqa: S608
    there, here = f"IN (SELECT rowid FROM main.{name})", f"IN (SELECT rowid FROM copy.{name})"  # noqa: S608
    assigned = ", ".join(f"{column} = now.{column}" for column in listed)
    sorts = {
        "gone": (f"row {there} AND row NOT {here}", f"DELETE FROM main.{name} WHERE rowid IN "),  # noqa: S608
        "changed": (
            f"row {there} AND row {here}",
            f"UPDATE main.{name} SET {assigned} FROM copy.{name} AS now "  # noqa: S608
            f"WHERE main.{name}.rowid = now.rowid AND now.rowid IN ",
        ),
        "new": (
            f"row NOT {there} AND row {here}",
            f"INSERT INTO main.{name} (rowid, {columns}) "  # noqa: S608
            f"SELECT rowid, {columns} FROM copy.{name} WHERE rowid IN ",
        ),
    }
    statements = []
    for sort, (which, statement) in sorts.items():
        made = f"temp.{sort}_{name}"
        connection.execute(f"CREATE TEMP TABLE {sort}_{name} AS {rows} AND {which} ORDER BY row")
        if connection.execute(f"SELECT EXISTS (SELECT 1 FROM {made})").fetchone()[0]:  # noqa: S608
            statements.append(f"{statement}(SELECT row FROM {made})")  # noqa: S608
    return statements


def _clear_leftovers(folder: Path) -> None:
    """Remove the copies of processes that were killed in the middle."""
    for left in folder.glob(f"{_PREFIX}*-*"):
        owner = left.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdecimal() and sys.platform != "win32" and not _runs(int(owner)):
            shutil.rmtree(left, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
