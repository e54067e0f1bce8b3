"""A register of the first version moves on: forms and reasons are filled in, and the way back is open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect, text

from data.store import Store, _alembic_config
from planner.publish import check
from tests.conftest import NOW

PLACE = (
    "INSERT INTO institution (id, identity_key, name, kind, authority, address, status, doubtful, changed_at)"
    " VALUES (1, 'k', '甲', 'care', 'market', '一路1号', 'open', :no, :now)"
)
VISIT = (
    "INSERT INTO visit_record (institution_id, date, slot_kind, slot_class, mode, reason, outcome, team)"
    " VALUES (1, :day, 'noon', 'noon', :mode, :reason, 'seen_open', 'T1')"
)
PLAN = (
    "INSERT INTO plan_revision (id, code, period_from, period_to, round_from, status, provisional, options,"
    " seed, input_digest, document_digest, document, summary, created_at, created_by)"
    " VALUES (1, 'P', :day, :day, :day, 'draft', :no, '{}', 1, '', '', :document, '{}', :now, 'x')"
)
SHIFT = (
    "INSERT INTO plan_shift (id, plan_id, code, team, date, slot_kind, start_s, end_s, travel_s)"
    " VALUES (1, 1, 'S', 'T1', :day, 'noon', 0, 1, 0)"
)
STOP = (
    "INSERT INTO plan_stop (plan_id, shift_id, institution_id, visit_code, name, address, lon, lat, sequence,"
    " arrive_s, start_s, leave_s, slot_class, mandatory, points, reasons)"
    " VALUES (1, 1, 1, 'V', '', '', 0, 0, :sequence, 0, 0, 0, 'noon', :no, 0, :reasons)"
)


def migrate(store: Store, revision: str, *, down: bool = False) -> None:
    """Move the schema to a revision."""
    config = _alembic_config()
    with store.engine.execution_options(writing=True).begin() as connection:
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, revision)


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Store]:
    """Yield a register at the first version, with visits and a plan."""
    store = Store(f"sqlite:///{tmp_path / 'old.db'}")
    migrate(store, "0001")
    values = {"day": dt.date(2026, 3, 2).isoformat(), "now": NOW.isoformat(), "no": False, "document": b""}
    with store.engine.begin() as connection:
        connection.execute(text(PLACE), values)
        for mode, reason in (
            ("open_visit", "due"), ("covert_visit", "due"), ("open_visit", "recheck"), ("open_visit", "tip"),
        ):  # fmt: skip
            connection.execute(text(VISIT), values | {"mode": mode, "reason": reason})
        connection.execute(text(PLAN), values)
        connection.execute(text(SHIFT), values)
        for sequence, reason in enumerate(("recheck", "tip", "due"), start=1):
            reasons = f'[{{"factor": "x"}}, {{"reason": "{reason}"}}, {{"reason": "due"}}]'
            connection.execute(text(STOP), values | {"sequence": sequence, "reasons": reasons})
    yield store
    store.close()


def test_what_is_on_file_gets_its_form_and_reason(old: Store) -> None:
    """A covert visit was a patrol, an open one an inspection: for the cap, too many is the safe side."""
    old.upgrade()
    with old.engine.connect() as connection:
        forms = connection.execute(text("SELECT form FROM visit_record ORDER BY id")).scalars().all()
        assert forms == ["inspection", "patrol", "recheck", "inspection"]
        columns = "reason, form, p_select"
        stops = connection.execute(text(f"SELECT {columns} FROM plan_stop ORDER BY sequence")).all()
        assert [tuple(row) for row in stops] == [
            ("recheck", "recheck", 1.0), ("tip", "inspection", 1.0), ("due", "patrol", 1.0),
        ]  # fmt: skip
    with old.reading() as session:
        assert [violation.code for violation in check(session, "P").violations] == ["digest"]


def test_the_way_back_loses_nothing_of_the_first_version(old: Store) -> None:
    """Down and up again: the same rows."""
    old.upgrade()
    migrate(old, "0001", down=True)
    assert not {"draw", "coverage_round"} & set(inspect(old.engine).get_table_names())
    old.upgrade()
    with old.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM plan_stop")).scalar() == 3
        assert connection.execute(text("SELECT count(*) FROM visit_record")).scalar() == 4


GRID = (
    "INSERT INTO grid_area (code, name, subdistrict, community, source_crs, geometry, minx, miny, maxx, maxy,"
    " worker) VALUES ('9901', '', '', '', 'wgs84', :document, 0, 0, 1, 1, '')"
)


def test_doubles_of_before_are_marked_apart_and_nothing_is_lost(old: Store) -> None:
    """Places by their key, grids by their end, plans of the same days by their state; jobs are told."""
    migrate(old, "0003")
    values = {"day": "2026-03-02", "now": NOW.isoformat(), "no": False, "document": b""}
    with old.engine.begin() as connection:
        connection.execute(text(PLACE.replace("VALUES (1", "VALUES (2")), values)
        for _ in range(2):
            connection.execute(text(GRID), values)
        second = PLAN.replace("VALUES (1, 'P'", "VALUES (2, 'Q'")
        connection.execute(text(second), values)
        for hour, plan in ((9, 1), (8, 2)):
            told = {"at": f"2026-03-01 0{hour}:00:00", "id": plan}
            connection.execute(
                text("UPDATE plan_revision SET status = 'published', published_at = :at WHERE id = :id"), told
            )
        job = (
            "INSERT INTO job (kind, parameters, status, progress, stage, created_by, created_at)"
            " VALUES ('plan', '{}', :status, 0, '', 'x', :now)"
        )
        for status in ("running", "queued", "queued"):
            connection.execute(text(job), values | {"status": status})
    old.upgrade()
    with old.engine.connect() as connection:

        def rows(statement: str) -> list[tuple[object, ...]]:
            return [tuple(row) for row in connection.execute(text(statement)).all()]

        assert rows("SELECT identity_key FROM institution ORDER BY id") == [("k",), ("k#2",)]
        assert rows("SELECT valid_to IS NULL FROM grid_area ORDER BY id") == [(0,), (1,)]
        plans = "SELECT code, status, publication, seen_publication FROM plan_revision ORDER BY id"
        assert rows(plans) == [("P", "published", 2, 2), ("Q", "superseded", 1, 2)]
        assert rows("SELECT status, error_code FROM job ORDER BY id") == [
            ("failed", "interrupted"), ("queued", None), ("queued", None),
        ]  # fmt: skip
    migrate(old, "0003", down=True)
    old.upgrade()
