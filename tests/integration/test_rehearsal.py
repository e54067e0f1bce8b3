"""Writes rehearsed on a copy: whole or not at all, never over what others wrote, the audit chain unbroken."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from data import audit, chain, rehearsal
from data.aside import write_aside
from data.errors import StoreError
from data.faults import name_fault
from data.register.officers import list_officers
from data.schema import AuditEvent, Base, Institution, Officer, OfficerLeave
from data.store import Store
from tests.conftest import NOW, TODAY
from tests.register import add_institution, add_officers


def contents(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table."""
    with store.engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in Base.metadata.sorted_tables
        }


def change_much(session: Session) -> int:
    """Add, change and remove records, also with references and without the unit of work."""
    add_institution(session, 9)
    session.scalars(select(Institution).order_by(Institution.id)).first().name = "新名"  # type: ignore[union-attr]
    first, second, *_ = list_officers(session)
    first.leave = [OfficerLeave(date=TODAY)]
    session.delete(second)
    session.flush()
    session.execute(delete(Officer).where(Officer.code == "O6"))
    return 7


def test_what_was_rehearsed_is_what_an_ordinary_transaction_writes(store: Store, tmp_path: Path) -> None:
    """Row for row, in every table, with the same audit chain; nothing is left beside the register."""
    other = Store(f"sqlite:///{tmp_path / 'other.db'}", seal=store.seal)
    other.upgrade()
    for one in (store, other):
        with one.begin(actor="clerk", now=NOW) as session:
            add_institution(session, 1)
            add_officers(session)
    with other.begin(actor="clerk", now=NOW) as session:
        change_much(session)
    assert write_aside(store, change_much, actor="clerk", now=NOW) == 7
    assert contents(store) == contents(other)
    with store.reading() as session:
        assert chain.first_break(session) is None
        assert (
            session.scalar(select(AuditEvent.actor).order_by(AuditEvent.sequence.desc()).limit(1)) == "clerk"
        )
    other.close()
    assert not list(tmp_path.glob("rehearsal-*"))


def test_a_failed_step_leaves_nothing(store: Store, tmp_path: Path) -> None:
    """An error on the copy is an error, and the register is as it was."""
    before = contents(store)

    def fail(session: Session) -> None:
        add_institution(session, 1)
        raise StoreError("out_of_date")

    with pytest.raises(StoreError, match="out_of_date"):
        write_aside(store, fail, actor="clerk", now=NOW)
    assert contents(store) == before
    assert not list(tmp_path.glob("rehearsal-*"))


def test_others_may_write_meanwhile_and_the_step_is_done_again_on_what_they_wrote(store: Store) -> None:
    """The register is not locked while the step runs; what came between is seen by the second try."""
    seen: list[int] = []

    def step(session: Session) -> None:
        seen.append(len(session.scalars(select(Institution)).all()))
        if len(seen) == 1:
            with store.begin(actor="other", now=NOW) as busy:
                add_institution(busy, 2)
        add_institution(session, 1)

    write_aside(store, step, actor="clerk", now=NOW)
    assert seen == [0, 1]
    with store.reading() as session:
        assert sorted(session.scalars(select(Institution.name))) == ["机构1", "机构2"]
        assert chain.first_break(session) is None


def test_what_others_only_log_meanwhile_costs_no_try(store: Store) -> None:
    """A log-in or an export moves the chain's end; the step's links go after it, and it runs once."""
    runs: list[int] = []

    def step(session: Session) -> None:
        runs.append(1)
        add_institution(session, 1)
        with store.begin(actor="other", now=NOW) as busy:
            audit.append(busy, action="login", entity="user", entity_key="other")

    with store.begin(actor="clerk", now=NOW) as session:
        add_institution(session, 2)
    write_aside(store, step, actor="clerk", now=NOW)
    with store.reading() as session:
        told = session.execute(
            select(AuditEvent.actor, AuditEvent.action).order_by(AuditEvent.sequence)
        ).all()
        assert [tuple(row) for row in told] == [("clerk", "insert"), ("other", "login"), ("clerk", "insert")]
        assert chain.first_break(session) is None
    assert len(runs) == 1


@pytest.mark.postgres
def test_a_long_write_on_postgresql_keeps_nobody_waiting(postgres_store: Store) -> None:
    """Others write while it runs; what they only log costs no try, what they change does."""
    runs: list[int] = []

    def step(session: Session) -> None:
        add_institution(session, 1)
        session.flush()
        runs.append(len(session.scalars(select(Institution)).all()))
        impatient = Store(postgres_store.url.render_as_string(hide_password=False), wait_s=0.5)
        with impatient.begin(actor="other", now=NOW) as busy:
            audit.append(busy, action="login", entity="user", entity_key="other")
            if len(runs) == 1:
                add_institution(busy, 2)
        impatient.close()

    write_aside(postgres_store, step, actor="clerk", now=NOW)
    with postgres_store.reading() as session:
        assert sorted(session.scalars(select(Institution.name))) == ["机构1", "机构2"]
        actors = session.scalars(select(AuditEvent.actor).order_by(AuditEvent.sequence)).all()
        assert actors == ["other", "other", "other", "clerk"]
        assert chain.first_break(session) is None
    assert runs == [1, 2]


@pytest.mark.postgres
def test_long_writes_on_postgresql_go_in_a_line(postgres_store: Store) -> None:
    """Two imports of the same places at once: the second sees what the first wrote."""
    found: list[int] = []
    entered = threading.Barrier(2, timeout=20)

    def write(number: int) -> None:
        entered.wait()

        def step(session: Session) -> None:
            known = len(session.scalars(select(Institution)).all())
            found.append(known)
            if not known:
                add_institution(session, 1)
                session.flush()
                time.sleep(0.3)

        write_aside(postgres_store, step, actor=f"clerk{number}", now=NOW)

    threads = [threading.Thread(target=write, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [0, 1]


def test_a_register_that_never_rests_is_refused(store: Store) -> None:
    """After three tries nothing was written, and the refusal says why."""

    def step(session: Session) -> None:
        with store.begin(actor="other", now=NOW) as busy:
            add_institution(busy, len(busy.scalars(select(Institution)).all()))
        add_institution(session, 99)

    with pytest.raises(StoreError) as refusal:
        write_aside(store, step, actor="clerk", now=NOW)
    assert refusal.value.code == "changed_meanwhile"
    with store.reading() as session:
        assert sorted(session.scalars(select(Institution.name))) == ["机构0", "机构1", "机构2"]


def test_the_copy_of_a_killed_process_is_removed(store: Store, tmp_path: Path) -> None:
    """The next long write clears what a killed one left; that of a living process stays."""
    dead, alive = tmp_path / "rehearsal-99999999-x", tmp_path / "rehearsal-1-x"
    dead.mkdir()
    alive.mkdir()
    sqlite3.connect(dead / "copy.db").close()
    write_aside(store, lambda session: add_institution(session, 1), actor="clerk", now=NOW)
    assert (dead.exists(), alive.exists()) == (False, True)


@pytest.mark.parametrize(
    ("number", "code"), [(28, "disk_full"), (13, "folder_closed"), (30, "folder_closed")]
)
def test_a_folder_without_room_for_the_copy_is_named(
    store: Store, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    """Full, not ours or read-only: a sentence, and the register stays as it is."""

    def refuse(**_: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr("tempfile.TemporaryDirectory", refuse)
    with pytest.raises(StoreError) as refusal:
        write_aside(store, lambda session: add_institution(session, 1), actor="clerk", now=NOW)
    assert refusal.value.code == code


def test_a_disk_that_is_full_at_the_end_changes_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step fitted on the copy; the register may not grow."""
    before, connect = contents(store), rehearsal._connect

    def narrow(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    def step(session: Session) -> None:
        for number in range(300):
            add_institution(session, number, name=f"机构{number}" * 20)

    monkeypatch.setattr(rehearsal, "_connect", narrow)
    with pytest.raises(StoreError) as refusal:
        write_aside(store, step, actor="clerk", now=NOW)
    assert refusal.value.code == "disk_full"
    assert contents(store) == before


def test_a_register_whose_folder_is_gone_is_not_called_changed(store: Store, tmp_path: Path) -> None:
    """Its own fault comes out: nobody has changed anything meanwhile."""
    folder = tmp_path / "office"
    folder.mkdir()
    with contextlib.closing(sqlite3.connect(str(store.url.database))) as source:
        source.execute("VACUUM INTO ?", (str(folder / "register.db"),))
    with contextlib.closing(sqlite3.connect(folder / "register.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    with contextlib.closing(sqlite3.connect(folder / "register.db", isolation_level=None)) as connection:
        shutil.rmtree(folder)
        with pytest.raises(sqlite3.OperationalError) as fault, rehearsal._locked(connection):
            pytest.fail("it was locked for writing")
        assert name_fault(fault.value) in ("unreachable", "disk_failed", "read_only_file")


def test_what_ended_a_transaction_is_what_is_told(store: Store) -> None:
    """A full disk rolls back by itself; that there is nothing left to roll back is no news."""
    with contextlib.closing(sqlite3.connect(str(store.url.database), isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError, match="full"), rehearsal._locked(connection):
            connection.execute("ROLLBACK")
            raise sqlite3.OperationalError("database or disk is full")
        assert not connection.in_transaction
