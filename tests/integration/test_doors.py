"""The closed doors of the register: faults have names, two writers never double, the log only grows."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from dashboard.anchors import Anchor, check_heads, keep_head
from dashboard.cli import app
from dashboard.i18n import sentences
from dashboard.keys import read_key
from dashboard.settings import Settings
from dashboard.wiring import Wiring
from data import audit, chain
from data.errors import DataError, StoreError
from data.register.institutions import import_register
from data.schema import AuditEvent, GridArea, Institution, Officer, School
from data.store import Store
from data.terms import Stage
from geo.travel import straight_line
from tests.conftest import NOW, TODAY
from tests.register import add_grid, add_institution

KEY = b"k" * 32


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def both(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Yield an empty register, once on each database."""
    yield request.getfixturevalue("store" if request.param == "sqlite" else "postgres_store")


def school(name: str, **values: object) -> School:
    """Return a new school."""
    return School(
        **{"name": name, "stage": Stage.PRIMARY, "address": "", "lon": 0.0, "lat": 0.0, "source_crs": "wgs84"}
        | values  # type: ignore[arg-type]
    )


def write(store: Store, name: str = "一小", **values: object) -> None:
    """Add one school."""
    with store.begin(actor="clerk", now=NOW) as session:
        session.add(school(name, **values))


def refused(store: Store, name: str = "一小", **values: object) -> str:
    """Return the code with which a school is refused; it has a sentence in both languages."""
    with pytest.raises(StoreError) as refusal:
        write(store, name, **values)
    assert refusal.value.code in sentences()["errors"]
    return refusal.value.code


def file_of(store: Store) -> Path:
    """Return the file of a register."""
    assert store.url.database is not None
    return Path(store.url.database)


def test_a_locked_register_is_busy_and_then_works(store: Store) -> None:
    """The writer waits, is told so, and nothing is stored until the other is done."""
    other = sqlite3.connect(file_of(store), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    impatient = Store(store.url.render_as_string(), wait_s=0.1)
    assert refused(impatient) == "busy"
    other.execute("ROLLBACK")
    other.close()
    write(impatient)
    impatient.close()


def test_a_full_disk_changes_nothing(store: Store) -> None:
    """A file that may not grow is a full disk for SQLite."""
    with store.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    names = [f"{number}" * 20 for number in range(400)]
    with pytest.raises(StoreError) as refusal, store.begin(actor="clerk", now=NOW) as session:
        session.add_all([school(f"{number}{name}") for number, name in enumerate(names)])
    assert refusal.value.code == "disk_full"
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(School)) == 0
        assert chain.verify(session) is None


def test_a_read_only_file_is_named(store: Store) -> None:
    """It may be read, and what is written is refused."""
    address = f"sqlite:///file:{file_of(store)}?mode=ro&uri=true"
    reader = Store(address)
    with reader.reading() as session:
        assert audit.change_counter(session) == 0
    assert refused(reader) == "read_only_file"
    reader.close()


@pytest.mark.parametrize("how", ["scribbled", "cut", "no_database"])
def test_a_damaged_file_is_named(store: Store, how: str) -> None:
    """Whether its pages are scribbled over, it was cut, or it never was a register."""
    for number in range(40):
        write(store, f"{number}")
    store.close()
    path = file_of(store)
    content = path.read_bytes()
    broken = {
        "scribbled": content[:4096] + b"\xff" * (len(content) - 4096),
        "cut": content[: len(content) // 2],
        "no_database": b"tea and biscuits\n" * 400,
    }
    path.write_bytes(broken[how])
    assert refused(store) == "damaged"
    with pytest.raises(StoreError) as refusal, store.reading() as session:
        session.scalars(select(School)).all()
    assert refusal.value.code == "damaged"


def test_the_files_are_the_owners(tmp_path: Path, migrated_file: Path) -> None:
    """New ones are made so, existing ones are tightened, and those SQLite makes copy the mode."""
    path = tmp_path / "new" / "register.db"
    os.umask(old := os.umask(0))
    fresh = Store(f"sqlite:///{path}")
    fresh.upgrade()
    write(fresh)
    known = tmp_path / "register.db"
    known.write_bytes(migrated_file.read_bytes())
    known.chmod(0o644)
    tightened = Store(f"sqlite:///{known}")
    write(tightened)
    for file in (path, known):
        modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in file.parent.glob("register.db*")}
        assert set(modes.values()) == {0o600} and len(modes) == 3
    with fresh.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    fresh.close()
    tightened.close()
    assert old == os.umask(old)


def test_an_error_shows_no_names(both: Store) -> None:
    """The parameters of a statement stay out of the exception and its trace."""
    with pytest.raises(DBAPIError) as error, both.engine.begin() as connection:
        connection.execute(text("INSERT INTO school (name) VALUES (:name)"), {"name": "张三13800000000"})
    assert "13800000000" not in str(error.value).split("DETAIL")[0]


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_a_text_that_cannot_be_stored_is_refused_and_never_found(both: Store, value: str) -> None:
    """On both databases alike; to ask for one is no error where it is only a NUL."""
    assert refused(both, value) == "bad_text"
    assert refused(both, address=value) == "bad_text"
    if "\0" in value:
        with both.reading() as session:
            assert session.scalar(select(School).where(School.name == value)) is None
    write(both)


def test_a_connection_that_was_cut_is_made_anew(postgres_store: Store) -> None:
    """After a restart of the server nobody sees an error."""
    write(postgres_store)
    with postgres_store.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    killer = Store(postgres_store.url.render_as_string(hide_password=False))
    with killer.engine.connect() as connection:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        connection.execute(text(f"{others} AND datname = current_database()"))
    write(postgres_store, "二小")
    killer.close()
    with pytest.raises(StoreError) as refusal, postgres_store.begin(actor="x", now=NOW) as session:
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert refusal.value.code == "unreachable"


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT OR REPLACE INTO audit_event SELECT * FROM audit_event WHERE sequence = 1",
        "REPLACE INTO audit_event SELECT * FROM audit_event WHERE sequence = 1",
        "UPDATE OR REPLACE audit_event SET sequence = 2 WHERE sequence = 1",
        "DELETE FROM audit_head",
        "INSERT OR REPLACE INTO audit_head VALUES (1, 0, 'x')",
        "INSERT INTO audit_head VALUES (2, 0, 'x')",
        "UPDATE audit_head SET sequence = 0",
        "UPDATE audit_head SET hash = 'x'",
    ],
)
def test_no_statement_shortens_the_log_on_sqlite(store: Store, statement: str) -> None:
    """Not even from a connection that knows nothing of our pragmas."""
    write(store)
    write(store, "二小")
    plain = sqlite3.connect(file_of(store), isolation_level=None)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        plain.execute(statement)
    plain.close()
    with store.reading() as session:
        assert chain.verify(session) is None


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE audit_event",
        "TRUNCATE audit_head",
        "DELETE FROM audit_head",
        "UPDATE audit_head SET sequence = 0",
        "INSERT INTO audit_head VALUES (2, 0, 'x')",
        "INSERT INTO audit_head VALUES (1, 0, 'x') ON CONFLICT (id) DO UPDATE SET sequence = 0",
    ],
)
def test_no_statement_shortens_the_log_on_postgresql(postgres_store: Store, statement: str) -> None:
    """TRUNCATE fires no trigger of rows."""
    write(postgres_store)
    with pytest.raises(DBAPIError, match="append-only"), postgres_store.engine.begin() as connection:
        connection.execute(text(statement))


def test_one_file_imported_twice_at_once_is_imported_once(both: Store, tmp_path: Path) -> None:
    """The second reads what the first wrote."""
    table = tmp_path / "register.csv"
    rows = [f"机构{number},托管机构,一路{number}号" for number in range(60)]
    table.write_text("\n".join(["机构名称,机构类别,地址", *rows]), encoding="utf-8")
    store = Store(both.url.render_as_string(hide_password=False))

    def load(_: int) -> int:
        with store.begin(actor="clerk", now=NOW) as session:
            return import_register(session, table, now=NOW).added

    with ThreadPoolExecutor(3) as threads:
        added = list(threads.map(load, range(3)))
    assert sorted(added) == [0, 0, 60]
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(Institution)) == 60
    store.close()


def test_the_database_keeps_one_of_a_kind(both: Store) -> None:
    """A place without a code by name and address, a grid's version in force by its code."""

    def refuse(add: object) -> None:
        with pytest.raises(StoreError) as refusal, both.begin(actor="x", now=NOW) as session:
            add(session)  # type: ignore[operator]
        assert refusal.value.code == "changed_meanwhile"

    box = (121.0, 40.0, 121.1, 40.1)
    with both.begin(actor="x", now=NOW) as session:
        add_institution(session, 1)
        add_grid(session, "990101001001", box)
    refuse(lambda session: add_institution(session, 1))
    refuse(lambda session: add_grid(session, "990101001001", box))
    with both.begin(actor="x", now=NOW) as session:
        session.scalars(select(GridArea)).one().valid_to = TODAY
        session.flush()
        add_grid(session, "990101001001", box)


def test_telephones_and_certificates_are_digests_in_the_log(store: Store) -> None:
    """That they changed is seen; the key decides the digest."""
    keyed = Store(store.url.render_as_string(), seal=lambda: KEY)
    with keyed.begin(actor="x", now=NOW) as session:
        place = session.get_one(Institution, add_institution(session, 1))
        place.contact_phone = "13800000000"
        session.add(Officer(code="O1", name="人", department="教育局", certificate_no="L77", leave=[]))
    with keyed.begin(actor="x", now=NOW) as session:
        session.scalars(select(Institution)).one().contact_phone = "13900000000"
    with keyed.reading() as session:
        links = session.scalars(select(AuditEvent).order_by(AuditEvent.sequence)).all()
    told = json.dumps([[link.before, link.after] for link in links])
    assert not any(secret in told for secret in ("13800000000", "13900000000", "L77"))
    before, after = links[-1].before["contact_phone"], links[-1].after["contact_phone"]  # type: ignore[index]
    assert before.startswith("masked:") and after.startswith("masked:") and before != after
    assert before == links[2].after["contact_phone"]  # type: ignore[index]
    keyed.close()


def wire(store: Store, folder: Path) -> Wiring:
    """Return the parts of a door whose files are in a folder."""
    return Wiring(
        settings=Settings(database="sqlite://", var=folder, today=TODAY),
        store=store,
        travel=straight_line("ebike"),
    )


def rebuild(store: Store, names: list[str]) -> None:
    """Write the whole log anew, with another story and hashes that hold, as an administrator could."""
    with store.engine.begin() as connection:
        for (name,) in connection.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        ).all():
            connection.execute(text(f"DROP TRIGGER {name}"))
        for table in ("audit_event", "school"):
            connection.execute(text(f"DELETE FROM {table}"))
        connection.execute(text("UPDATE audit_head SET sequence = 0, hash = :h"), {"h": audit.GENESIS})
    for name in names:
        write(store, name)


@pytest.mark.parametrize(("names", "kind"), [(["一小"], "cut"), (["甲", "乙", "丙"], "rewritten")])
def test_a_log_written_anew_is_found_by_its_kept_heads(
    store: Store, tmp_path: Path, names: list[str], kind: str
) -> None:
    """The chain holds in itself; the heads outside the database say otherwise, and cannot be forged."""
    wiring = wire(store, tmp_path)
    for name in ("一小", "二小"):
        write(store, name)
        keep_head(wiring, key=KEY)
    lines = wiring.settings.audit_heads.read_text().splitlines()
    assert stat.S_IMODE(wiring.settings.audit_heads.stat().st_mode) == 0o600
    with store.reading() as session:
        assert check_heads(session, lines, key=KEY) is None
        assert check_heads(session, lines, key=b"x" * 32).kind == "seal"  # type: ignore[union-attr]
        assert check_heads(session, lines[1:], key=KEY).kind == "seal"  # type: ignore[union-attr]
        assert check_heads(session, ["tea"], key=KEY).kind == "unreadable"  # type: ignore[union-attr]
    rebuild(store, names)
    with store.reading() as session:
        assert chain.verify(session) is None
        fault = check_heads(session, lines, key=KEY)
    assert fault is not None and fault.kind == kind
    # The server holds them against the log when it starts and every day: the links alone tell nothing.
    wiring.settings.audit_key.write_bytes(KEY)
    anchor = Anchor(wiring)
    anchor.stop()
    assert anchor.broken == fault.sequence


def test_half_a_kept_head_does_not_swallow_the_next(store: Store, tmp_path: Path) -> None:
    """After a power cut in the middle of a line: that line is named, the next one is whole."""
    wiring = wire(store, tmp_path)
    write(store)
    keep_head(wiring, key=KEY)
    path = wiring.settings.audit_heads
    path.write_text(path.read_text()[:-40])
    head = keep_head(wiring, key=KEY)
    assert json.loads(path.read_text().splitlines()[1]) == head


@pytest.mark.parametrize(
    "change",
    [
        "at = 'tea'",
        "after = '{tea'",
        "actor = x'ff'",
        "actor = CAST(x'ff' AS TEXT)",
        "before = '[1'",
        "hash = ''",
    ],
)
def test_a_link_that_cannot_even_be_read_is_named(store: Store, change: str) -> None:
    """Somebody with the file in hand may write anything; the check still says where."""
    for name in ("一小", "二小", "三小"):
        write(store, name)
    with store.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER audit_event_no_update"))
        connection.exec_driver_sql(f"UPDATE audit_event SET {change} WHERE sequence = 2")
    with store.reading() as session:
        for first in (1, 2):
            broken = chain.verify(session, first=first)
            assert broken is not None and (broken.sequence, broken.kind) == (2, "content")


def test_a_file_of_heads_without_heads_does_not_hold(store: Store, tmp_path: Path) -> None:
    """Emptied by somebody, it must not look like a file that agrees."""
    wiring = wire(store, tmp_path)
    write(store)
    keep_head(wiring, key=KEY)
    with store.reading() as session:
        assert check_heads(session, [], key=KEY).kind == "empty"  # type: ignore[union-attr]
    # What somebody left in the file is found, and keeps no further head from being kept.
    wiring.settings.audit_heads.write_bytes(b"\xff\xfe\n")
    keep_head(wiring, key=KEY)
    with store.reading() as session:
        lines = wiring.settings.audit_heads.read_text(errors="replace").splitlines()
        assert len(lines) == 2
        assert check_heads(session, lines, key=KEY).kind == "unreadable"  # type: ignore[union-attr]


def test_heads_kept_at_once_are_sealed_one_after_another(store: Store, tmp_path: Path) -> None:
    """Two servers of one register, and a command beside them."""
    wiring = wire(store, tmp_path)
    write(store)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: keep_head(wiring, key=KEY), range(40)))
    lines = wiring.settings.audit_heads.read_text().splitlines()
    with store.reading() as session:
        assert len(lines) == 40 and check_heads(session, lines, key=KEY) is None


def test_processes_that_start_together_share_one_key(tmp_path: Path) -> None:
    """A key file is whole from its first instant on."""
    for number in range(20):
        path = tmp_path / f"{number}" / "audit.key"
        with ThreadPoolExecutor(8) as threads:
            keys = set(threads.map(read_key, [path] * 8))
        assert len(keys) == 1 and stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [file.name for file in path.parent.iterdir()] == ["audit.key"]


def test_the_commands_of_the_log(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """verify holds; head is kept and printed; export is one line a link; a broken link ends with 1."""
    monkeypatch.setenv("GRIDPATROL_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("GRIDPATROL_DATABASE", store.url.render_as_string())
    for name in ("一小", "二小", "三小"):
        write(store, name)

    def run(*words: str) -> tuple[int, dict[str, object]]:
        done = CliRunner().invoke(app, ["audit", *words, "--json"])
        return done.exit_code, json.loads(done.stdout)

    assert run("head")[1]["sequence"] == 3
    heads = str(tmp_path / "var" / "audit-heads.log")
    assert run("verify", "--heads", heads) == (
        0, {"holds": True, "links": 3, "heads": 1, "broken": None, "head_fault": None},
    )  # fmt: skip
    assert run("export", str(tmp_path / "log.jsonl"))[1]["links"] == 3
    links = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [link["entity_key"] for link in links] == ["一小", "二小", "三小"]
    with store.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER audit_event_no_update"))
        connection.execute(text("UPDATE audit_event SET actor = 'nobody' WHERE sequence = 2"))
    code, told = run("verify")
    assert code == 1
    assert (told["broken"]["sequence"], told["broken"]["kind"]) == (2, "content")  # type: ignore[index]
    assert run("verify", "--heads", "nowhere")[0] == 2


def test_a_link_past_is_verified_from_its_day_on(both: Store) -> None:
    """The server looks at the last day only: a break before it is for the whole check."""
    for name in ("一小", "二小", "三小"):
        write(both, name)
    with both.reading() as session:
        assert chain.first_since(session, NOW) == 1
        assert chain.verify(session, first=2) is None
        assert chain.verify(session, first=4) is None
    with pytest.raises(DataError):
        write(both)
