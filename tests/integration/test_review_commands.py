"""The review queue by commands: list, candidates, set in any datum, accept, undo."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from dashboard.cli import app
from data.schema import Institution, LocationDecision
from data.store import Store
from geo.crs import from_wgs84
from geo.locate import locate
from tests.conftest import NOW
from tests.integration.test_cli import RUNNER, Desk, desk
from tests.register import add_institution
from tests.streets import add_streets, door

__all__ = ["desk"]


@pytest.fixture
def filled(desk: Desk) -> Desk:
    """A desk with a doubtful, an unplaced and a well placed institution."""
    store = Store(desk.url)
    with store.begin(actor="fixture", now=NOW) as session:
        add_streets(session)
        for number, address in enumerate(("红旗路中段", "红星路12号", "兴业路8号"), start=1):
            add_institution(session, number, at=None, address=address)
        locate(session)
    store.close()
    return desk


def records(filled: Desk, table: Any) -> list[Any]:
    """Return all records of a table."""
    store = Store(filled.url)
    with store.reading() as session:
        found = list(session.scalars(select(table).order_by(table.id)))
    store.close()
    return found


def test_the_queue_is_listed_and_candidates_named(filled: Desk) -> None:
    listed = filled.run("review", "list")
    assert [(row["institution_id"], row["why"]) for row in listed["rows"]] == [
        (2, "unplaced"),
        (1, "doubtful"),
    ]
    (found,) = filled.run("review", "candidates", 2)["candidates"]
    assert (found["level"], found["code"], found["matched_text"]) == ("door", "suggestion", "红旗路12号")
    words = RUNNER.invoke(app, ["review", "list"], env=filled.environment)
    assert "2 家待核对" in words.stdout and "门牌库中没有这条路" in words.stdout
    assert filled.run("review", "candidates", 99, expect=2)["error"]["code"] == "unknown_institution"


@pytest.mark.parametrize("crs", ["wgs84", "gcj02", "bd09"])
def test_a_point_is_set_in_its_datum_and_undone(filled: Desk, crs: str) -> None:
    lon, lat = (float(value[0]) for value in from_wgs84([door(0, 12)[0]], [door(0, 12)[1]], crs))
    answer = filled.run("review", "set", 2, "--lon", lon, "--lat", lat, "--crs", crs)
    assert (answer["lon"], answer["lat"]) == pytest.approx(door(0, 12), abs=1e-6)
    assert (answer["grid_code"], answer["entry"], answer["alias"]) == (
        "W",
        "红星路12号",
        ["红星路", "红旗路"],
    )
    (made,) = records(filled, LocationDecision)
    assert made.decided_by.startswith("command-line:")
    assert filled.run("review", "undo", answer["decision"]) == {"undone": [answer["decision"]]}
    assert records(filled, Institution)[1].lon is None
    again = filled.run("review", "undo", answer["decision"], expect=2)
    assert again["error"]["code"] == "already_undone"


@pytest.mark.parametrize(
    ("point", "crs", "code"),
    [
        ((40.3, 121.2), "wgs84", "out_of_range"),
        ((116.4, 39.9), "wgs84", "outside_extent"),
        ((121.2, 40.3), "epsg:4549", "unknown_crs"),
    ],
)
def test_a_refused_point_changes_nothing(
    filled: Desk, point: tuple[float, float], crs: str, code: str
) -> None:
    before = filled.changes()
    answer = filled.run("review", "set", 2, "--lon", point[0], "--lat", point[1], "--crs", crs, expect=2)
    assert answer["error"]["code"] == code
    assert filled.changes() == before


def test_accepting_is_tried_first_then_done_then_undone(filled: Desk) -> None:
    before = filled.changes()
    tried = filled.run("review", "accept", "--above", 0.2, "--dry-run")
    assert tried == {"count": 1, "institutions": [1], "batch": None}
    assert filled.run("review", "accept", "--above", 0.9)["count"] == 0
    assert filled.run("review", "accept", "--above", 2, expect=2)["error"]["code"] == "bad_score"
    assert filled.changes() == before
    done = filled.run("review", "accept", "--above", 0.2)
    assert (done["institutions"], done["batch"]) == ([1], "B0001")
    assert filled.run("review", "list")["count"] == 1
    assert len(filled.run("review", "undo", done["batch"])["undone"]) == 1
    assert filled.run("review", "list")["count"] == 2
    assert filled.run("review", "undo", "B-none", expect=2)["error"]["code"] == "unknown_decision"
