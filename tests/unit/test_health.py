"""Health: what is told to whoever asks, and that it costs the same however many ask."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.testclient import TestClient

from dashboard import anchors, api, supervisor
from dashboard import wiring as wired
from dashboard.access.limits import Shared
from dashboard.settings import Settings
from data.errors import StoreError
from data.schema import School
from data.terms import Stage
from tests import loops


@pytest.fixture
def parts(migrated_file: Path, tmp_path: Path) -> Iterator[wired.Wiring]:
    """Wire an empty register."""
    (tmp_path / "register.db").write_bytes(migrated_file.read_bytes())
    made = wired.assemble(
        Settings(database=f"sqlite:///{tmp_path / 'register.db'}", var=tmp_path / "var", worker=False)
    )
    wired.install(made)
    yield made
    made.close()


@pytest.fixture
def client(parts: wired.Wiring) -> TestClient:
    """Return who asks."""
    return TestClient(Starlette(routes=api.routes()))


def test_a_register_that_answers_is_healthy(client: TestClient) -> None:
    """Nothing is told beyond that."""
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_a_damaged_register_fails_by_name(parts: wired.Wiring, client: TestClient) -> None:
    """No address, no path, no message of the database."""
    parts.close()
    (parts.settings.var.parent / "register.db").write_bytes(b"tea" * 9000)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (503, {"status": "failing", "database": "damaged"})


def test_a_page_damaged_under_a_running_server_fails_from_the_first_question_on(
    parts: wired.Wiring, client: TestClient
) -> None:
    """Pages in memory may still answer; a file put in its place is another one."""
    with parts.store.begin(actor="clerk", now=parts.now()) as session:
        session.add_all(
            School(
                name=f"{n}小", stage=Stage.PRIMARY, address="路" * 150, lon=0.0, lat=0.0, source_crs="wgs84"
            )
            for n in range(60)
        )
    path = parts.settings.var.parent / "register.db"
    parts.close()
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = file.execute("SELECT rootpage FROM sqlite_master WHERE name = 'school'").fetchone()[0]
        size = file.execute("PRAGMA page_size").fetchone()[0]
    good = path.read_bytes()
    with path.open("r+b") as stream:
        stream.seek((page - 1) * size)
        stream.write(b"tea" * (size // 3))
    with pytest.raises(StoreError, match="damaged"), parts.store.reading() as session:
        session.execute(text("SELECT count(*) FROM school NOT INDEXED")).all()
        session.execute(text("SELECT max(lon) FROM school")).all()
    assert client.get("/healthz").json() == {"status": "failing", "database": "damaged"}
    (path.parent / "backup.db").write_bytes(good)
    parts.close()
    (path.parent / "backup.db").replace(path)
    assert client.get("/healthz").status_code == 200


def test_a_register_of_another_schema_fails(parts: wired.Wiring, client: TestClient) -> None:
    """A restored backup of before, under a running server."""
    with parts.store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert client.get("/healthz").json() == {"status": "failing", "database": "out_of_date"}


def test_a_worker_that_is_gone_fails(client: TestClient) -> None:
    """It is told within its grace, and not before."""
    keeper = supervisor.Supervisor(Settings(worker=False), command=["/bin/false"], first_pause_s=60.0)
    supervisor._installed[:] = [keeper]
    try:
        assert client.get("/healthz").status_code == 200
        keeper._down_since = time.monotonic() - supervisor.GRACE_S - 1
        assert client.get("/healthz").json() == {"status": "failing", "worker": "down"}
    finally:
        keeper.stop()
        supervisor.forget()


def test_a_broken_log_is_told_and_stops_nobody(parts: wired.Wiring, client: TestClient) -> None:
    """The server looks at the last day's links when it starts, and keeps the head all the same."""
    for name in ("一小", "二小"):
        with parts.store.begin(actor="clerk", now=parts.now()) as session:
            session.add(
                School(name=name, stage=Stage.PRIMARY, address="", lon=0.0, lat=0.0, source_crs="wgs84")
            )
    parts.close()
    with sqlite3.connect(parts.settings.var.parent / "register.db") as file:
        file.execute("DROP TRIGGER audit_event_no_update")
        file.execute("UPDATE audit_event SET actor = 'nobody' WHERE sequence = 2")
    anchor = anchors.start(parts)
    try:
        anchor.look()
        answer = client.get("/healthz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok", "audit_broken_at": 2})
        assert parts.settings.audit_heads.read_text().count("\n") >= 1
    finally:
        anchor.stop()
        anchors._installed.clear()


def test_a_hundred_askers_cost_one_answer() -> None:
    """Who gives up takes the answer from nobody; who asks afterwards gets a new one."""
    made: list[int] = []

    def work() -> int:
        time.sleep(0.05)
        made.append(1)
        return len(made)

    async def scene() -> None:
        shared = Shared()
        asked = [asyncio.create_task(shared.run(work)) for _ in range(100)]
        await asyncio.sleep(0)
        asked[0].cancel()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert isinstance(answers[0], asyncio.CancelledError)
        assert answers[1:] == [1] * 99
        assert await shared.run(work) == 2

    loops.run(scene())


def test_a_fault_is_everybodys_and_the_next_one_tries_again() -> None:
    """Nothing is kept of work that failed."""
    faults = iter([ValueError("tea")])

    def work() -> str:
        for fault in faults:
            raise fault
        return "well"

    async def scene() -> None:
        shared = Shared()
        first, second = await asyncio.gather(shared.run(work), shared.run(work), return_exceptions=True)
        assert isinstance(first, ValueError) and isinstance(second, ValueError)
        assert await shared.run(work) == "well"

    loops.run(scene())


def test_a_full_disk_fails_and_room_heals(
    parts: wired.Wiring, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anybody has tried to write; and after a write that failed, until one succeeds."""
    monkeypatch.setattr("data.store.LEAST_FREE", 1 << 60)
    assert client.get("/healthz").json() == {"status": "failing", "database": "disk_full"}
    monkeypatch.undo()
    assert client.get("/healthz").status_code == 200
    with parts.store.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    big = [School(name=f"{n}" * 200, stage=Stage.PRIMARY, lon=0.0, lat=0.0) for n in range(400)]
    for school in big:
        school.address, school.source_crs = "", "wgs84"
    with pytest.raises(StoreError), parts.store.begin(actor="x", now=parts.now()) as session:
        session.add_all(big)
    assert parts.store._fault == "disk_full"
    assert client.get("/healthz").status_code == 200 and parts.store._fault is None


def test_a_file_put_aside_takes_no_more_writes(parts: wired.Wiring, client: TestClient) -> None:
    """What was written into it would be lost; a file put back is used at once, without a new start."""
    path = parts.settings.var.parent / "register.db"
    assert client.get("/healthz").status_code == 200
    copy = path.read_bytes()
    path.rename(path.with_suffix(".old"))
    assert client.get("/healthz").json() == {"status": "failing", "database": "unreachable"}
    with pytest.raises(StoreError), parts.store.begin(actor="x", now=parts.now()):
        pass
    assert not path.exists()
    path.write_bytes(copy)
    assert client.get("/healthz").status_code == 200
