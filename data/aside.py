"""Long writes that keep nobody waiting: run aside, then written in one short transaction."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from data import audit, topics
from data.errors import StoreError
from data.faults import name_fault
from data.rehearsal import StaleError, rehearse
from data.store import Store
from data.topics import Topic

Result = TypeVar("Result")

_TRIES = 3
# A long write waits for another one, not for its turn between short ones.
_IN_LINE_MS = 1_800_000
_LINE = 0x6772_6964
# Shorter than the time after which PostgreSQL looks for a deadlock and ends one of the two.
_TURN_MS = 300


def write_aside(store: Store, step: Callable[[Session], Result], *, actor: str, now: dt.datetime) -> Result:
    """Run a long step so that nobody waits for it, then write what it changed in one short transaction.

    Readers and other writers see nothing of it before, and all of it after. On an SQLite file it runs on a
    copy; on PostgreSQL, which locks rows and not the register, in a transaction that takes the end of the
    audit chain only to finish. Links that others wrote meanwhile (a log-in, a request for a plan) do no harm;
    a change of anything that a step might have read does.

    Parameters
    ----------
    step
        Called with a writing session; once more each time somebody else has changed the register meanwhile.
    actor, now
        As `data.store.Store.begin`.

    Raises
    ------
    StoreError
        `changed_meanwhile` when others changed it during each of three tries; nothing was written.
    """
    if store.url.get_backend_name() == "sqlite" and store.url.database in (None, "", ":memory:"):
        with store.begin(actor=actor, now=now) as session:
            return step(session)
    attempt = _on_postgresql if store.url.get_backend_name() == "postgresql" else rehearse
    for _ in range(_TRIES):
        with contextlib.suppress(StaleError):
            return attempt(store, step, actor=actor, now=now)
    raise StoreError("changed_meanwhile", tries=_TRIES)


def _on_postgresql(
    store: Store, step: Callable[[Session], Result], *, actor: str, now: dt.datetime
) -> Result:
    try:
        with store.begin(actor=actor, now=now, serial=False) as session:
            wait = session.scalar(text("SHOW lock_timeout"))
            session.execute(text(f"SET LOCAL lock_timeout = {_IN_LINE_MS}"))
            session.execute(text(f"SELECT pg_advisory_xact_lock({_LINE})"))
            session.execute(text(f"SET LOCAL lock_timeout = '{wait}'"))
            seen = topics.counters(session, tuple(Topic))
            result = step(session)
            session.flush()
            # From here on others wait: for the links and the commit.
            _take_turn(session)
            if topics.counters(session, tuple(Topic)) != seen:
                raise StaleError
            return result
    except StoreError as error:
        if error.code == "changed_meanwhile":
            raise StaleError from error
        raise


def _take_turn(session: Session) -> None:
    """Take the chain's head at the end of a long write.

    Whoever has it may be waiting for a row of this very write, and then gives up and lets go of both.
    """
    connection, until_s = session.connection(), time.monotonic() + _IN_LINE_MS / 1000
    while True:
        try:
            with connection.begin_nested():
                connection.execute(text(f"SET LOCAL lock_timeout = {_TURN_MS}"))
                audit.hold(session)
            return
        except DBAPIError as error:
            if name_fault(error) != "busy" or time.monotonic() > until_s:
                raise
