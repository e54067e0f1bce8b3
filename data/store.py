"""The database: engine, write transactions, read-only sessions and schema upgrades."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.orm import Session

from data import audit, topics
from data.errors import StoreError


class RegisterSession(Session):
    """The session class whose flushes are audited."""


def _refuse_flush(*_: object) -> None:
    raise StoreError("read_only_session")


class ReadingSession(Session):
    """A session that may not write."""


audit.listen(RegisterSession)
topics.listen(RegisterSession)
event.listen(
    ReadingSession, "before_flush", lambda s, *_: _refuse_flush() if s.new or s.dirty or s.deleted else None
)


def _prepare_sqlite(engine: Engine) -> None:
    # BEGIN IMMEDIATE for writers: a deferred transaction that upgrades fails with "database is locked".
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: object) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=15000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


class Store:
    """The register's database at `url` (SQLite file by default, PostgreSQL by URL).

    Raises
    ------
    StoreError
        `bad_url` when the address cannot be read or names another kind of database.
    """

    def __init__(self, url: str) -> None:
        try:
            self.url = make_url(url)
        except ArgumentError as error:
            raise StoreError("bad_url", url=url) from error
        if self.url.get_backend_name() not in {"sqlite", "postgresql"}:
            raise StoreError("bad_url", url=self.url.render_as_string(hide_password=True))
        if self.url.get_backend_name() == "postgresql":
            self.url = self.url.set(drivername="postgresql+psycopg")
        elif self.url.database and self.url.database != ":memory:":
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        self.engine = create_engine(self.url)
        if self.url.get_backend_name() == "sqlite":
            _prepare_sqlite(self.engine)

    @contextmanager
    def begin(self, *, actor: str, now: dt.datetime) -> Iterator[Session]:
        """Open a write transaction: committed on success, rolled back whole on any exception.

        Parameters
        ----------
        actor
            Who writes, as the audit log will name them.
        now
            Aware instant of the change.
        """
        engine = self.engine.execution_options(writing=True)
        with RegisterSession(engine, expire_on_commit=False) as session, session.begin():
            session.info.update(actor=actor, now=now, audited=True)
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a read-only session."""
        with ReadingSession(self.engine, expire_on_commit=False) as session:
            if self.url.get_backend_name() == "postgresql":
                session.execute(text("SET TRANSACTION READ ONLY"))
            yield session

    def upgrade(self) -> None:
        """Bring the schema to the newest migration.

        Raises
        ------
        StoreError
            `unreachable` when the database does not answer.
        """
        config = _alembic_config()
        try:
            with self.engine.execution_options(writing=True).begin() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except OperationalError as error:
            raise StoreError("unreachable", url=self.url.render_as_string(hide_password=True)) from error

    def require_current(self) -> None:
        """Check that the database exists and is at the newest migration.

        Raises
        ------
        StoreError
            `not_initialised` without tables, `out_of_date` at an older migration, `unreachable`.
        """
        head = ScriptDirectory.from_config(_alembic_config()).get_current_head()
        try:
            with self.engine.connect() as connection:
                current = MigrationContext.configure(connection).get_current_revision()
        except OperationalError as error:
            raise StoreError("unreachable", url=self.url.render_as_string(hide_password=True)) from error
        if current is None:
            raise StoreError("not_initialised", url=self.url.render_as_string(hide_password=True))
        if current != head:
            raise StoreError("out_of_date", current=current, wanted=head)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
