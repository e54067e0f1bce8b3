"""The database: engine, write transactions, read-only sessions and schema upgrades."""

from __future__ import annotations

import datetime as dt
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import NoReturn

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, event, make_url, text, update
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from data import audit, topics
from data.connection import connect, file_of
from data.errors import StoreError
from data.faults import named
from data.schema import TopicCounter

WAIT_S = 15.0
LEAST_FREE = 1 << 20
"""Bytes below which the disk of an SQLite file counts as full."""
DAMAGED = "damaged"
LASTING = {"disk_full", "disk_failed", "read_only_file", DAMAGED}
"""Faults of a write that the next one will meet as well, until somebody does something about it."""


class RegisterSession(Session):
    """The session whose flushes are audited; it has no savepoints, whose links could not be taken back."""

    def begin_nested(self) -> NoReturn:
        """Refuse: what a savepoint gives up would stay in the log.

        Raises
        ------
        StoreError
            `no_savepoints`.
        """
        raise StoreError("no_savepoints")


def _refuse_flush(*_: object) -> None:
    raise StoreError("read_only_session")


class ReadingSession(Session):
    """A session that may not write."""


audit.listen(RegisterSession)
topics.listen(RegisterSession)
event.listen(
    ReadingSession, "before_flush", lambda s, *_: _refuse_flush() if s.new or s.dirty or s.deleted else None
)


class Store:
    """The register's database at `url` (SQLite file by default, PostgreSQL by URL).

    Parameters
    ----------
    url
        SQLAlchemy address.
    wait_s
        How long a writer waits for another before it is refused as `busy`.
    seal
        Gives the key of the digests that stand for telephones and certificate numbers in the change log;
        without one they can be compared within this process only.

    Raises
    ------
    StoreError
        `bad_url` when the address cannot be read or names another kind of database, `unreachable`.
    """

    def __init__(
        self,
        url: str,
        *,
        wait_s: float = WAIT_S,
        seal: Callable[[], bytes] | None = None,
    ) -> None:
        try:
            self.url = make_url(url)
        except ArgumentError as error:
            raise StoreError("bad_url", url=url) from error
        if self.url.get_backend_name() not in {"sqlite", "postgresql"}:
            raise StoreError("bad_url", url=self.url.render_as_string(hide_password=True))
        if self.url.get_backend_name() == "postgresql":
            self.url = self.url.set(drivername="postgresql+psycopg")
        self._seal = cache(seal or partial(secrets.token_bytes, 32))
        self._shown = self.url.render_as_string(hide_password=True)
        self.engine = connect(self.url, wait_s=wait_s)
        self._fault: str | None = None
        self._damaged: tuple[int, int] | None = None

    @property
    def seal(self) -> Callable[[], bytes]:
        """What gives the key of the digests in the change log."""
        return self._seal

    @contextmanager
    def begin(self, *, actor: str, now: dt.datetime, serial: bool = True) -> Iterator[Session]:
        """Open a write transaction: committed on success, rolled back whole on any exception.

        Parameters
        ----------
        actor
            Who writes, as the audit log will name them.
        now
            Aware instant of the change.
        serial
            Take the end of the audit chain before anything is read: a writer on PostgreSQL then sees what the
            one before it wrote, as every writer on SQLite does, and no two wait for each other crosswise.
            Only what logs nothing, or takes its turn at its end (`data.aside`), goes without.

        Raises
        ------
        StoreError
            As `data.faults.named`.
        """
        engine = self.engine.execution_options(writing=True)
        try:
            with (
                named(self._shown),
                RegisterSession(engine, expire_on_commit=False) as session,
                session.begin(),
            ):
                session.info.update(actor=actor, now=now, audited=True, seal=self._seal)
                if serial:
                    audit.hold(session)
                yield session
        except StoreError as error:
            self._fault = error.code if error.code in LASTING else self._fault
            raise
        self._fault = None

    def demand_writable(self, *, now: dt.datetime) -> None:
        """Refuse when nothing can be written; after a write that failed for good, one is tried.

        Raises
        ------
        StoreError
            `disk_full`, `damaged` from the first question on that met a damaged page, and as `begin`.
        """
        if self._damaged is not None and self._damaged == _file_id(self.url):
            raise StoreError(DAMAGED, url=self._shown)
        file = file_of(self.url)
        if file is not None and shutil.disk_usage(file.parent).free < LEAST_FREE:
            raise StoreError("disk_full", url=self._shown)
        if self._fault is not None:
            with self.begin(actor="server", now=now) as session:
                same = update(TopicCounter).values(value=TopicCounter.value)
                session.execute(same.execution_options(synchronize_session=False))

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a read-only session, which sees the register as it was at its first question.

        Raises
        ------
        StoreError
            As `data.faults.named`.
        """
        try:
            with named(self._shown), ReadingSession(self.engine, expire_on_commit=False) as session:
                if self.url.get_backend_name() == "postgresql":
                    session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
                yield session
        except StoreError as error:
            # Other pages may still be read and written; what is broken stays so until a backup is restored.
            self._damaged = _file_id(self.url) if error.code == DAMAGED else self._damaged
            raise

    def upgrade(self) -> None:
        """Bring the schema to the newest migration.

        Raises
        ------
        StoreError
            `unreachable` when the database does not answer, and as `data.faults.named`.
        """
        config = _alembic_config()
        with named(self._shown), self.engine.execution_options(writing=True).begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def require_current(self) -> None:
        """Check that the database exists and is at the newest migration.

        Raises
        ------
        StoreError
            `not_initialised` without tables, `out_of_date` at an older migration, `unreachable`, and as
            `data.faults.named`.
        """
        head = _newest()
        with named(self._shown), self.engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        if current is None:
            raise StoreError("not_initialised", url=self._shown)
        if current != head:
            raise StoreError("out_of_date", current=current, wanted=head)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _file_id(url: URL) -> tuple[int, int]:
    """Return what tells the register's file from another one in its place; nothing tells databases apart."""
    file = file_of(url)
    try:
        facts = None if file is None else file.stat()
    except OSError:
        facts = None
    return (0, 0) if facts is None else (facts.st_dev, facts.st_ino)


@cache
def _newest() -> str | None:
    """Return the newest migration; reading them all takes 40 ms, and anybody may ask for the health."""
    return ScriptDirectory.from_config(_alembic_config()).get_current_head()


def _alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
