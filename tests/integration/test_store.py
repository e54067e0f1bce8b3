"""The store, the migrations and the audit chain on SQLite and on PostgreSQL."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import shapely
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from data import audit, chain, jobs
from data.errors import JobError, StoreError
from data.schema import AuditEvent, Base, GridArea, Job, School
from data.store import Store
from data.terms import JobStatus, Stage
from tests.conftest import NOW


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def both(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Yield an empty register, once on each database."""
    yield request.getfixturevalue("store" if request.param == "sqlite" else "postgres_store")


def add_school(store: Store, name: str = "一小") -> None:
    """Add one school in a write transaction."""
    with store.begin(actor="clerk", now=NOW) as session:
        session.add(
            School(name=name, stage=Stage.PRIMARY, address="", lon=121.0, lat=40.0, source_crs="wgs84")
        )


def test_migrations_give_exactly_the_models(both: Store) -> None:
    """Nothing is left for autogenerate to find."""
    with both.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_failed_transaction_changes_nothing(both: Store) -> None:
    """An exception rolls back the records and their audit links together."""
    with pytest.raises(RuntimeError), both.begin(actor="clerk", now=NOW) as session:
        session.add(School(name="x", stage=Stage.PRIMARY, address="", lon=0.0, lat=0.0, source_crs="wgs84"))
        session.flush()
        raise RuntimeError
    with both.reading() as session:
        assert session.scalars(select(School)).all() == []
        assert audit.change_counter(session) == 0


def test_geometry_and_instants_come_back_as_they_went(both: Store) -> None:
    """WKB and aware UTC on both databases."""
    square = shapely.box(121.0, 40.0, 121.1, 40.1)
    with both.begin(actor="clerk", now=NOW) as session:
        session.add(
            GridArea(
                code="990101001001001", name="一", geometry=square, minx=121, miny=40, maxx=121.1, maxy=40.1
            )
        )
    with both.reading() as session:
        grid = session.scalars(select(GridArea)).one()
        assert grid.geometry.equals(square)
        link = session.scalars(select(AuditEvent)).one()
        assert link.at == NOW
        assert link.at.tzinfo is not None


def test_reading_session_cannot_write(both: Store) -> None:
    """Views read; only doors write."""
    with both.reading() as session:
        session.add(School(name="x", stage=Stage.PRIMARY, address="", lon=0.0, lat=0.0, source_crs="wgs84"))
        with pytest.raises(StoreError) as refusal:
            session.flush()
    assert refusal.value.code == "read_only_session"


def test_every_change_is_a_link_with_before_and_after(both: Store) -> None:
    """Insert, update and delete are told with the actor, and the chain holds."""
    add_school(both)
    with both.begin(actor="lead", now=NOW) as session:
        session.scalars(select(School)).one().address = "一路1号"
    with both.begin(actor="lead", now=NOW) as session:
        session.delete(session.scalars(select(School)).one())
    with both.reading() as session:
        links = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence)).all()
        assert [(e.actor, e.action, e.entity, e.entity_key) for e in links] == [
            ("clerk", "insert", "school", "一小"),
            ("lead", "update", "school", "一小"),
            ("lead", "delete", "school", "一小"),
        ]
        assert links[1].before == {"address": ""}
        assert links[1].after == {"address": "一路1号"}
        assert chain.first_break(session) is None


@pytest.mark.parametrize("statement", ["UPDATE audit_event SET actor = 'x'", "DELETE FROM audit_event"])
def test_audit_log_refuses_update_and_delete(both: Store, statement: str) -> None:
    """Not even a hand-written statement changes the log."""
    add_school(both)
    with pytest.raises(DBAPIError, match="append-only"), both.engine.begin() as connection:
        connection.execute(text(statement))


def test_tampering_past_the_trigger_breaks_the_chain(both: Store) -> None:
    """Whoever removes the trigger still leaves a broken hash."""
    add_school(both, "一小")
    add_school(both, "二小")
    with both.engine.begin() as connection:
        if both.url.get_backend_name() == "sqlite":
            connection.execute(text("DROP TRIGGER audit_event_no_update"))
        else:
            connection.execute(text("ALTER TABLE audit_event DISABLE TRIGGER ALL"))
        connection.execute(update(AuditEvent).where(AuditEvent.sequence == 1).values(actor="nobody"))
    with both.reading() as session:
        assert chain.first_break(session) == 1


def test_parallel_writers_keep_one_chain(both: Store) -> None:
    """Four writers at once: all succeed, the chain has no gap."""
    failures: list[Exception] = []

    def write(number: int) -> None:
        try:
            for turn in range(5):
                add_school(both, f"{number}-{turn}")
        except Exception as error:  # noqa: BLE001 - reported below
            failures.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with both.reading() as session:
        assert audit.change_counter(session) == 20
        assert chain.first_break(session) is None


def test_job_is_claimed_once_and_ends(both: Store) -> None:
    """A second job of the kind waits its turn; a claimed one is not claimed again."""
    with both.begin(actor="lead", now=NOW) as session:
        job_id = jobs.enqueue(session, kind="plan", parameters={"a": 1}, created_by="lead", now=NOW)
    with both.begin(actor="lead", now=NOW) as session, pytest.raises(JobError) as refusal:
        jobs.enqueue(session, kind="plan", parameters={}, created_by="lead", now=NOW)
    assert refusal.value.code == "already_queued"
    with both.begin(actor="worker", now=NOW) as session:
        claimed = jobs.claim(session, owner="w", now=NOW)
        assert claimed is not None
        assert claimed.id == job_id
        assert jobs.claim(session, owner="w", now=NOW) is None
    with both.begin(actor="worker", now=NOW) as session:
        jobs.report(session, job_id, progress=2.0, stage="solving")
        assert jobs.get(session, job_id).progress == 1.0
        jobs.finish(session, job_id, result={"plan": "P"}, now=NOW)
    with both.reading() as session:
        job = jobs.latest(session, kind="plan")
        assert job is not None
        assert job.status is JobStatus.DONE


def test_interrupted_and_cancelled_jobs(both: Store) -> None:
    """A job whose worker is gone is failed, another's is not; an ended one cannot be cancelled."""
    with both.begin(actor="lead", now=NOW) as session:
        keys = [
            jobs.enqueue(session, kind="repair", parameters={"plan": plan}, created_by="lead", now=NOW)
            for plan in ("P1", "P2", "P3")
        ]
        for owner in ("one", "two", "one"):
            assert jobs.claim(session, owner=owner, now=NOW) is not None
        jobs.request_cancel(session, keys[0])
        assert jobs.is_cancelled(session, keys[0])
        with pytest.raises(JobError) as refusal:
            jobs.request_cancel(session, keys[0])
        assert refusal.value.code == "not_running"
        assert jobs.fail_owned(session, "one", now=NOW) == 1
        assert jobs.get(session, keys[2]).error_code == "interrupted"
        assert jobs.list_running(session) == {keys[1]: ("two", 1)}
        with pytest.raises(JobError) as refusal:
            jobs.get(session, 999)
        assert refusal.value.code == "unknown_job"


def test_a_beating_job_is_nobody_elses(both: Store) -> None:
    """Only its owner beats for it; who saw fewer beats cannot give it up; a lost owner stores nothing."""
    with both.begin(actor="lead", now=NOW) as session:
        key = jobs.enqueue(session, kind="plan", parameters={}, created_by="lead", now=NOW)
        jobs.claim(session, owner="one", now=NOW)
    with both.begin(actor="worker", now=NOW) as session:
        assert jobs.beat(session, key, owner="one", now=NOW)
        assert not jobs.beat(session, key, owner="two", now=NOW)
        assert not jobs.fail_silent(session, key, beats=1, now=NOW)
        jobs.demand_owned(session, key, owner="one")
        assert jobs.fail_silent(session, key, beats=2, now=NOW)
        assert not jobs.beat(session, key, owner="one", now=NOW)
        jobs.finish(session, key, result={"plan": "P"}, now=NOW)
        assert jobs.get(session, key).status is JobStatus.FAILED
        with pytest.raises(JobError) as refusal:
            jobs.demand_owned(session, key, owner="one")
        assert refusal.value.code == "lost_job"


def test_eight_requests_at_once_for_one_period_are_one_job(both: Store) -> None:
    """Seven are told which one is under way; another period is another matter."""

    def ask(number: int) -> str:
        try:
            with both.begin(actor=f"lead{number}", now=NOW) as session:
                jobs.enqueue(
                    session,
                    kind="plan",
                    parameters={"from": "2026-12-01", "to": "2026-12-05", "seed": number},
                    created_by="lead",
                    now=NOW,
                )
        except JobError as refusal:
            return refusal.code
        return "queued"

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(8)))
    assert sorted(answers) == ["already_queued"] * 7 + ["queued"]
    with both.begin(actor="lead", now=NOW) as session:
        jobs.enqueue(
            session,
            kind="plan",
            parameters={"from": "2026-12-01", "to": "2026-12-06"},
            created_by="lead",
            now=NOW,
        )
    with pytest.raises(StoreError) as refused, both.begin(actor="x", now=NOW) as session:
        taken = session.scalars(select(Job.scope)).first()
        columns = {"kind": "plan", "scope": taken, "parameters": {}, "status": JobStatus.QUEUED}
        session.add(Job(**columns, created_by="x", created_at=NOW))
    assert refused.value.code == "changed_meanwhile"


def test_unusable_addresses_and_states_are_named(tmp_path: object) -> None:
    """Wrong URL, unreachable server, missing tables: three codes."""
    for url in ("nonsense", "mysql://x/y"):
        with pytest.raises(StoreError) as refusal:
            Store(url)
        assert refusal.value.code == "bad_url"
    with pytest.raises(StoreError) as refusal:
        Store(f"sqlite:///{tmp_path}/empty.db").require_current()
    assert refusal.value.code == "not_initialised"
    unreachable = Store("postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")
    with pytest.raises(StoreError) as refusal:
        unreachable.require_current()
    assert refusal.value.code == "unreachable"


def test_naive_instants_are_refused(store: Store) -> None:
    """An instant without a zone never reaches the database."""
    naive = dt.datetime(2026, 1, 1)
    with pytest.raises(Exception, match="aware"), store.begin(actor="x", now=naive) as session:
        audit.append(session, action="x", entity="x", entity_key="x")
        session.flush()


def test_a_savepoint_is_refused(store: Store) -> None:
    """Links of what was rolled back to it would stay in the log."""
    with store.begin(actor="test", now=NOW) as session, pytest.raises(StoreError) as refusal:
        session.begin_nested()
    assert refusal.value.code == "no_savepoints"
