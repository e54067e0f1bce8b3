"""Connections of the register: pragmas and modes of a SQLite file, waits of a server, texts both can hold."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError

from data.errors import StoreError

CONNECT_S = 10
_OWNER_ONLY = 0o600
_NUL, _REPLACED = "\0", "�"


def connect(url: URL, *, wait_s: float) -> Engine:
    """Return the engine of a register; a SQLite file is made, or made, readable by its owner only.

    Parameters
    ----------
    wait_s
        How long a writer waits for another before it is refused as `busy`.

    Raises
    ------
    StoreError
        `unreachable` when the file or its folder cannot be made.
    """
    # Parameters hold names and telephones: they must not reach a log or a stored trace.
    if url.get_backend_name() == "postgresql":
        named = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_S}
        engine = create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=named)
        _prepare_postgresql(engine, wait_s)
    else:
        _guard_file(url)
        engine = create_engine(url, hide_parameters=True)
        _prepare_sqlite(engine, wait_s)
        if (file := file_of(url)) is not None:
            _hold_to_file(engine, file)
    event.listen(engine, "before_cursor_execute", _refuse_nul, retval=True)
    return engine


def file_of(url: URL) -> Path | None:
    """Return the file of an SQLite register, None for any other."""
    name = url.database
    if url.get_backend_name() != "sqlite" or not name or name == ":memory:" or name.startswith("file:"):
        return None
    return Path(name)


def _guard_file(url: URL) -> None:
    """Make the file, its log and its index readable by their owner only; SQLite copies the mode."""
    path = file_of(url)
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, _OWNER_ONLY))
        for file in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
            if file.is_file() and _is_ours(file.stat()):
                file.chmod(_OWNER_ONLY)
    except OSError as error:
        raise StoreError("unreachable", url=url.render_as_string(hide_password=True)) from error


def _is_ours(facts: os.stat_result) -> bool:
    """Return whether the file is ours and others may read it."""
    return bool(facts.st_mode & 0o077) and (not hasattr(os, "geteuid") or facts.st_uid == os.geteuid())


def _prepare_sqlite(engine: Engine, wait_s: float) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: object) -> None:
        connection.isolation_level = None
        # First the wait: changing the journal's mode already needs the lock. FULL: what was told as written
        # outlives a power cut. Recursive triggers: REPLACE then fires those that refuse a deletion.
        pragmas = (
            f"busy_timeout={int(wait_s * 1000)}",
            "synchronous=FULL",
            "foreign_keys=ON",
            "recursive_triggers=ON",
        )
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        # A file that may not be written stays in the mode it has.
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            connection.execute("PRAGMA journal_mode=WAL")

    # BEGIN IMMEDIATE for writers: a deferred transaction that upgrades fails with "database is locked".
    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _hold_to_file(engine: Engine, file: Path) -> None:
    """Use a connection only while its file is the one of that name.

    A file that was deleted or put aside takes every write, and nobody ever sees them again.
    """

    def inode() -> tuple[int, int]:
        try:
            facts = file.stat()
        except OSError as error:
            raise StoreError("unreachable", url=file.name) from error
        return facts.st_dev, facts.st_ino

    @event.listens_for(engine, "do_connect")
    def _open(dialect: Any, record: Any, arguments: Any, parameters: Any) -> None:
        # SQLite would make an empty file in its place.
        record.info["file"] = inode()

    @event.listens_for(engine, "checkout")
    def _checkout(connection: Any, record: Any, proxy: Any) -> None:
        if record.info.get("file") != inode():
            # Another one, such as a backup that was put back: opened anew.
            raise DisconnectionError


def _prepare_postgresql(engine: Engine, wait_s: float) -> None:
    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        if connection.get_execution_options().get("writing", False):
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(wait_s * 1000)}")


def _refuse_nul(
    connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
) -> tuple[str, Any]:
    """Refuse to write a text with NUL, which PostgreSQL cannot hold; a question for one finds nothing."""
    # Many rows come as a list; rows that were put into one statement come as one.
    rows = parameters if isinstance(parameters, list) else (parameters,)
    if not any(_NUL in value for row in rows if row for value in _values(row) if isinstance(value, str)):
        return statement, parameters
    if context is not None and (context.isinsert or context.isupdate or context.isdelete):
        raise StoreError("bad_text")
    return statement, [_cleaned(row) for row in rows] if rows is parameters else _cleaned(parameters)


def _values(row: Any) -> Any:
    return row.values() if isinstance(row, Mapping) else row


def _cleaned(row: Any) -> Any:
    def clean(value: object) -> object:
        return value.replace(_NUL, _REPLACED) if isinstance(value, str) else value

    if isinstance(row, Mapping):
        return {name: clean(value) for name, value in row.items()}
    return tuple(clean(value) for value in row) if isinstance(row, Sequence) else row
