"""Many writers at once on both databases: nobody waits crosswise, no try is lost, the log stays whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from dashboard.access import login
from dashboard.access.presence import acting
from dashboard.settings import Settings
from dashboard.wiring import Wiring
from data import audit, chain
from data.access import credentials, passwords, sessions, tries
from data.accounts import Permission, create_user
from data.aside import write_aside
from data.errors import StoreError
from data.schema import AuditEvent, Institution, LoginTry, Officer
from data.store import Store
from data.terms import Role
from geo.travel import straight_line
from tests.conftest import TODAY
from tests.register import add_institution, add_officers

PASSWORD = "Kx9#mmvLq2"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def wiring(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Wiring]:
    """Yield the parts of a server on a register with one place, once on each database."""
    store: Store = request.getfixturevalue("store" if request.param == "sqlite" else "postgres_store")
    settings = Settings(database="sqlite://", var=tmp_path, today=TODAY)
    parts = Wiring(settings=settings, store=store, travel=straight_line("ebike"))
    with store.begin(actor="x", now=parts.now()) as session:
        add_institution(session, 1)
        create_user(
            session,
            username="lead",
            display_name="组长",
            role=Role.TEAM_LEAD,
            password_hash=passwords.hash_password(PASSWORD),
            must_change_password=False,
        )
    yield parts


def at_once(*asked: Callable[[], object]) -> list[object]:
    """Do everything at the same time; return the answers."""
    begun = threading.Barrier(len(asked))

    def run(one: Callable[[], object]) -> object:
        begun.wait()
        return one()

    with ThreadPoolExecutor(len(asked)) as threads:
        return [done.result() for done in [threads.submit(run, one) for one in asked]]


def log_in(wiring: Wiring, asked: login.Try) -> str:
    """Try to log in; return the code of the answer."""
    with wiring.store.reading() as session:
        known = credentials.find(session, asked.username)
    keys = tries.keys_of(name=asked.username, address=asked.address, device=None)
    if known is None:
        return login._refuse_try(wiring, None, asked, keys, now=wiring.now()).code
    return login._admit(wiring, known, asked, keys, now=wiring.now()).code


def test_wrong_tries_at_once_are_all_counted_and_logged(wiring: Wiring) -> None:
    """Two that meet for the first time neither fail nor lose one of them."""
    asked = login.Try("nobody", "wrong", "10.0.0.9", None, None, False)
    assert at_once(*[lambda: log_in(wiring, asked)] * 6) == ["bad_credentials"] * 6
    with wiring.store.reading() as session:
        assert set(session.scalars(select(LoginTry.failures))) == {6}
        logged = select(func.count()).where(AuditEvent.action == "login_refused")
        assert session.scalar(logged) == 6


def test_a_persons_log_ins_and_writes_do_not_wait_for_each_other(wiring: Wiring) -> None:
    """A log-in changes the account that a page's write asks about: neither ends the other."""
    asked = login.Try("lead", PASSWORD, "10.0.0.1", "device", None, False)
    first = login._open(wiring, asked).token
    with wiring.store.reading() as session:
        lead = sessions.identify(session, first, now=wiring.now())
    assert lead is not None

    def click() -> str:
        with acting(wiring, lead, Permission.WRITE_ROSTER) as writing:
            audit.append(writing.session, action="x", entity="y", entity_key="z")
        return "ok"

    for _ in range(3):
        answers = at_once(click, lambda: log_in(wiring, asked), click, lambda: log_in(wiring, asked))
        assert answers == ["ok"] * 4
    with wiring.store.reading() as session:
        assert chain.first_break(session) is None


@pytest.mark.postgres
def test_who_wants_a_row_of_a_long_write_holds_nobody_up_and_does_not_end_it(
    postgres_store: Store, tmp_path: Path
) -> None:
    """The page that wants it is told `busy` soon; others write on, and the import is written."""
    settings = Settings(database="sqlite://", var=tmp_path, today=TODAY)
    wiring = Wiring(settings=settings, store=postgres_store, travel=straight_line("ebike"))
    with postgres_store.begin(actor="x", now=wiring.now()) as session:
        place = add_institution(session, 1)
    changed, waited = threading.Event(), threading.Event()

    def load() -> object:
        def step(session: object) -> str:
            session.get_one(Institution, place).name = "新名"  # type: ignore[attr-defined]
            session.flush()  # type: ignore[attr-defined]
            changed.set()
            assert waited.wait(20)
            return "ok"

        return write_aside(postgres_store, step, actor="clerk", now=wiring.now())

    def correct() -> object:
        assert changed.wait(20)
        try:
            with postgres_store.begin(actor="lead", now=wiring.now()) as session:
                # Let the import come to its end while this one has the chain's head.
                threading.Timer(0.2, waited.set).start()
                session.get_one(Institution, place, with_for_update=True).name = "别名"
        except StoreError as error:
            return error.code
        return "written"

    def note() -> object:
        assert changed.wait(20)
        begun_s = time.monotonic()
        time.sleep(0.1)
        with postgres_store.begin(actor="other", now=wiring.now()) as session:
            audit.append(session, action="login", entity="user", entity_key="other")
        return time.monotonic() - begun_s < 3.0

    assert at_once(load, correct, note) == ["ok", "busy", True]
    with postgres_store.reading() as session:
        assert session.scalars(select(Institution.name)).all() == ["新名"]
        assert chain.first_break(session) is None


def test_eight_writers_and_a_long_one_keep_the_log_whole(wiring: Wiring) -> None:
    """Every change has one link, no link stands for a change that was not made."""
    store = wiring.store

    def write(number: int) -> object:
        for turn in range(5):
            with store.begin(actor=f"w{number}", now=wiring.now()) as session:
                add_institution(session, 100 * number + turn)
                audit.append(session, action="note", entity="x", entity_key=f"{number}-{turn}")
                if turn == 4 and number % 2:
                    session.rollback()
        return None

    def load() -> object:
        return write_aside(store, add_officers, actor="import", now=wiring.now()) and None

    def patient() -> object:
        for _ in range(5):
            try:
                return load()
            except StoreError as error:
                assert error.code == "changed_meanwhile"
        return None

    at_once(*[lambda n=number: write(n) for number in range(2, 10)], patient)  # type: ignore[misc]
    with store.reading() as session:
        assert chain.first_break(session) is None
        keys = session.scalars(select(AuditEvent.entity_key).where(AuditEvent.action == "note")).all()
        assert len(keys) == len(set(keys)) == 36
        told = select(func.count()).where(AuditEvent.action == "insert")
        places = session.scalar(select(func.count()).select_from(Institution))
        assert session.scalar(told.where(AuditEvent.entity == "institution")) == places == 37
        officers = session.scalar(select(func.count()).select_from(Officer))
        assert session.scalar(told.where(AuditEvent.entity == "officer")) == officers


def test_a_reader_sees_one_state_while_others_write(wiring: Wiring) -> None:
    """The log is never called broken because a link came between the last one read and the end stated."""
    store = wiring.store

    def note() -> None:
        with store.begin(actor="other", now=wiring.now()) as session:
            audit.append(session, action="login", entity="user", entity_key="other")

    note()
    with store.reading() as session:
        before = audit.read_head(session)
        note()
        assert audit.read_head(session) == before
        assert chain.verify(session) is None
    with store.reading() as session:
        assert audit.read_head(session) != before
