"""Long writes rehearsed on a copy of the register, so that its write lock is held for the result only.

See docs/decisions/0010-rehearsed-imports.md.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy.orm import Session

from data import audit, chain
from data.errors import StoreError
from data.faults import name_fault, named
from data.store import Store
from data.topics import TOPIC_OF

Result = TypeVar("Result")

_PREFIX = "rehearsal-"
_BUSY_S = 15.0
_CHANGES = "rehearsed_change"
_LINKS = "audit_event"
# Written in their own way: links go to the end that the chain has by then, counters are raised.
_APART = {_CHANGES, _LINKS, "audit_head", "topic_counter"}
_HEAD = "SELECT sequence, hash FROM main.audit_head"
_COUNTERS = "SELECT topic, value FROM main.topic_counter ORDER BY topic"


class StaleError(Exception):
    """Somebody changed what a step was built upon."""


def rehearse(store: Store, step: Callable[[Session], Result], *, actor: str, now: dt.datetime) -> Result:
    """Run a step once on a copy of an SQLite register and bring over what it changed.

    Raises
    ------
    StaleError
        When somebody else changed the register meanwhile; nothing was written.
    StoreError
        As `data.faults.named`.
    """
    path = Path(str(store.url.database)).resolve()
    _clear_leftovers(path.parent)
    with (
        named(path.name),
        _folder_beside(path) as folder,
        contextlib.closing(_connect(path)) as connection,
    ):
        copy = Path(folder) / "copy.db"
        seen = _copy(connection, copy)
        rehearsal = Store(f"sqlite:///{copy}", seal=store.seal)
        with contextlib.closing(rehearsal):
            with rehearsal.begin(actor=actor, now=now) as session:
                result = step(session)
            _bring_over(connection, rehearsal, copy, seen)
        connection.execute("PRAGMA main.wal_checkpoint(PASSIVE)")
        return result


def _folder_beside(path: Path) -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", dir=path.parent)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise StoreError("disk_full" if full else "folder_closed", url=path.name) from error


@dataclass(frozen=True)
class _Seen:
    """The register when it was copied: SQLite's own counter, the chain's end, the topics, the last rows."""

    version: object
    head: tuple[int, str | None]
    counters: object
    last: dict[str, int]


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_S)
    # Pages that find no room in the cache would be written twice while the register is locked.
    # The log is put into the file afterwards, when others may write again.
    for pragma in (
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "cache_size=-262144",
        "wal_autocheckpoint=0",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _copy(connection: sqlite3.Connection, copy: Path) -> _Seen:
    """Copy the register and note changes to come; return what tells whether somebody wrote since."""
    # Noted before the copy is made: a change between the two is a try lost, not a fault.
    version = connection.execute("PRAGMA data_version").fetchone()
    counters = connection.execute(_COUNTERS).fetchall()
    with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as target:
        connection.backup(target)
        # The copy's own: others may have logged something between the two.
        head = _head(target)
        target.execute(f"CREATE TABLE {_CHANGES} (place TEXT, row INTEGER, PRIMARY KEY (place, row))")
        last = {}
        for name in _tables(target):
            last[name] = target.execute(f"SELECT ifnull(MAX(rowid), 0) FROM {name}").fetchone()[0]  # noqa: S608
            # A row past the last one is new; many of them need no note each.
            for event, row, when in (
                ("INSERT", "new", f"WHEN new.rowid <= {last[name]} "),
                ("UPDATE", "new", f"WHEN new.rowid <= {last[name]} "),
                ("DELETE", "old", f"WHEN old.rowid <= {last[name]} "),
            ):
                target.execute(
                    f"CREATE TRIGGER rehearsed_{name}_{event} AFTER {event} ON {name} {when}BEGIN "  # noqa: S608
                    f"INSERT OR IGNORE INTO {_CHANGES} VALUES ('{name}', {row}.rowid); END"
                )
    return _Seen(version, head, counters, last)


def _tables(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute(
        "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    return [name for (name,) in found if name not in _APART]


def _bring_over(connection: sqlite3.Connection, rehearsal: Store, copy: Path, seen: _Seen) -> None:
    """Write what the rehearsal changed, unless somebody has changed what it was built upon.

    Raises
    ------
    StaleError
        When somebody has.
    """
    connection.execute("ATTACH DATABASE ? AS copy", (str(copy),))
    # What can be worked out before the lock is: it holds as long as the checks under the lock do.
    moves = {name: found for name, row in seen.last.items() if (found := _moves(connection, name, row))}
    untold = any(TOPIC_OF.get(name) is None for name in moves)
    links = _Links(connection, rehearsal, seen.head)
    # Links are numbered again outside the lock when others have written some; in the end inside it.
    for quick in (True, True, False):
        links.follow(_head(connection))
        with _locked(connection):
            if connection.execute(_COUNTERS).fetchall() != seen.counters:
                raise StaleError
            if untold and connection.execute("PRAGMA data_version").fetchone() != seen.version:
                raise StaleError
            head = _head(connection)
            if head != links.head and quick:
                continue
            links.follow(head)
            connection.execute("PRAGMA defer_foreign_keys = ON")
            for statement in (statement for found in moves.values() for statement in found):
                connection.execute(statement)
            links.write()
            for topic in {TOPIC_OF.get(name) for name in moves} - {None}:
                connection.execute(
                    "UPDATE topic_counter SET value = value + 1 WHERE topic = ?", (str(topic),)
                )
            return


def _head(connection: sqlite3.Connection) -> tuple[int, str | None]:
    found: tuple[int, str | None] | None = connection.execute(_HEAD).fetchone()
    return found or (0, None)


class _Links:
    """The audit links of a rehearsal, put after the chain's end as it is when they are written."""

    def __init__(
        self, connection: sqlite3.Connection, rehearsal: Store, head: tuple[int, str | None]
    ) -> None:
        self.head = head
        self._connection = connection
        self._rehearsal = rehearsal
        self._first = head[0] + 1
        connection.execute(
            "CREATE TEMP TABLE link "
            "(old INTEGER PRIMARY KEY, sequence INTEGER, previous_hash TEXT, hash TEXT)"
        )
        connection.execute(
            "INSERT INTO temp.link SELECT sequence, sequence, previous_hash, hash FROM copy.audit_event "
            "WHERE sequence >= ?",
            (self._first,),
        )

    def follow(self, head: tuple[int, str | None]) -> None:
        """Number and seal the links again when the chain has grown."""
        if head == self.head:
            return
        with self._rehearsal.reading() as session:
            links = (dict(link._mapping) for link in chain.stream(session, first=self._first))
            numbered = audit.sealed(links, sequence=head[0], previous=head[1])
            self._connection.executemany(
                "UPDATE temp.link SET sequence = ?, previous_hash = ?, hash = ? WHERE old = ?",
                (
                    (link["sequence"], link["previous_hash"], link["hash"], self._first + n)
                    for n, link in enumerate(numbered)
                ),
            )
        self.head = head

    def write(self) -> None:
        """Write the links and the chain's new end."""
        told = "at, actor, action, entity, entity_key, before, after"
        self._connection.execute(
            f"INSERT INTO main.audit_event (sequence, {told}, previous_hash, hash) "  # noqa: S608
            f"SELECT link.sequence, {told}, link.previous_hash, link.hash "
            "FROM temp.link JOIN copy.audit_event AS made ON made.sequence = link.old ORDER BY link.old"
        )
        self._connection.execute(
            "UPDATE main.audit_head SET (sequence, hash) = "
            "(SELECT sequence, hash FROM temp.link ORDER BY old DESC LIMIT 1) "
            "WHERE EXISTS (SELECT 1 FROM temp.link)"
        )


@contextlib.contextmanager
def _locked(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if name_fault(error) != "busy":
            raise
        raise StoreError("changed_meanwhile", tries=1) from error
    try:
        yield
    except BaseException:
        # A full disk has ended it already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _moves(connection: sqlite3.Connection, name: str, last: int) -> list[str]:
    """Return the statements that bring over a table's rows: gone, changed, written again, and new ones."""
    listed = [row[1] for row in connection.execute(f"PRAGMA main.table_info({name})")]
    columns = ", ".join(listed)
    noted = f"SELECT row FROM copy.{_CHANGES} WHERE place = '{name}'"  # noqa: S608
    there, here = f"IN (SELECT rowid FROM main.{name})", f"IN (SELECT rowid FROM copy.{name})"  # noqa: S608
    insert = (
        f"INSERT INTO main.{name} (rowid, {columns}) SELECT rowid, {columns} FROM copy.{name} WHERE rowid "  # noqa: S608
    )
    statements = []
    if gone := _gather(connection, f"gone_{name}", f"{noted} AND row {there} AND row NOT {here}"):
        statements.append(f"DELETE FROM main.{name} WHERE rowid IN {gone}")  # noqa: S608
    if rows := _gather(connection, f"changed_{name}", f"{noted} AND row {there} AND row {here}"):
        # An index is written anew for every column that is assigned, changed or not.
        differing = _differing(connection, name, listed, rows)
        assigned = ", ".join(f"{column} = now.{column}" for column in differing)
        if assigned:
            statements.append(
                f"UPDATE main.{name} SET {assigned} FROM copy.{name} AS now "  # noqa: S608
                f"WHERE main.{name}.rowid = now.rowid AND now.rowid IN {rows}"
            )
    if back := _gather(connection, f"back_{name}", f"{noted} AND row NOT {there} AND row {here}"):
        statements.append(f"{insert}IN {back}")
    if connection.execute(f"SELECT 1 FROM copy.{name} WHERE rowid > {last} LIMIT 1").fetchone():  # noqa: S608
        statements.append(f"{insert}> {last} ORDER BY rowid")
    return statements


def _gather(connection: sqlite3.Connection, made: str, rows: str) -> str | None:
    """Keep the rows that a question finds and return a question for them, None when there are none."""
    connection.execute(f"CREATE TEMP TABLE {made} AS {rows} ORDER BY row")
    found = connection.execute(f"SELECT 1 FROM temp.{made} LIMIT 1").fetchone()  # noqa: S608
    return f"(SELECT row FROM temp.{made})" if found else None  # noqa: S608


def _differing(connection: sqlite3.Connection, name: str, columns: list[str], rows: str) -> list[str]:
    """Return the columns in which any of the rows differs between the register and its copy."""
    told = ", ".join(f"MAX(was.{column} IS NOT now.{column})" for column in columns)
    found = connection.execute(
        f"SELECT {told} FROM main.{name} AS was JOIN copy.{name} AS now ON was.rowid = now.rowid "  # noqa: S608
        f"WHERE now.rowid IN {rows}"
    ).fetchone()
    return [column for column, differs in zip(columns, found, strict=True) if differs]


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
