"""The commands of shared addresses, patrol areas and analysis cells: JSON, files, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pytest
from sqlalchemy import select

from data.schema import AuditEvent
from data.store import Store
from tests import neighbours
from tests import small_district as small
from tests.integration.test_cli import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return a desk with the small district and its shared addresses."""
    desk = Desk(tmp_path)
    small.build(tmp_path / "cli.db", with_plan=False)
    desk.environment["GRIDPATROL_TODAY"] = small.TODAY.isoformat()
    store = Store(desk.url)
    with store.begin(actor="test", now=small.NOW) as session:
        neighbours.share_addresses(session)
    store.close()
    return desk


def test_a_shared_address_is_listed_decided_and_remembered(desk: Desk) -> None:
    listed = desk.run("colocated", "list")
    assert (listed["cases"], listed["open"]) == (2, 1)
    (case,) = desk.run("colocated", "list", "--open")["rows"]
    assert case["level"] == "room" and {"same_room", "same_phone", "same_person"} <= set(case["evidence"])
    assert neighbours.PHONE not in json.dumps(listed) and neighbours.PERSON not in json.dumps(listed)
    decided = desk.run(
        "colocated", "decide", "room", case["key"], "--verdict", "same_operator", "--note", "看过"
    )
    assert decided["institutions"] == [1, 2]
    assert desk.run("colocated", "list", "--open")["cases"] == 0
    rows = desk.run("colocated", "list")["rows"]
    told = next(row["decision"] for row in rows if row["level"] == "room")
    assert (told["verdict"], told["note"], told["changed"]) == ("same_operator", "看过", False)


def test_patrol_areas_are_made_shown_and_exported_as_not_official(desk: Desk, tmp_path: Path) -> None:
    made = desk.run("areas", "make", "--count", 2, "--seed", 3)
    assert made["areas"] == 2 and made["official"] is False and made["left_out"] == 1
    shown = desk.run("areas", "show")
    assert [area["workload_min"] for area in shown["areas"]] == made["workload_min"]
    for form in ("geojson", "gpkg", "kml"):
        target = tmp_path / f"areas.{form}"
        assert desk.run("areas", "export", "-o", target)["rows"] == 2
        frame = gpd.read_file(target, layer="areas") if form == "gpkg" else gpd.read_file(target)
        assert len(frame) == 2
        words = frame.to_csv()
        assert (
            "非官方网格" in words and "official: False" in words if form == "kml" else "非官方网格" in words
        )
        if form != "kml":
            assert not frame["official"].astype(bool).any()


@pytest.mark.parametrize(("kind", "size"), [("square", 200), ("h3", 9)])
def test_cells_say_that_they_are_not_official(desk: Desk, tmp_path: Path, kind: str, size: int) -> None:
    target = tmp_path / "cells.geojson"
    answer = desk.run("cells", "--kind", kind, "--size", size, "--of", "visits", "-o", target)
    frame = gpd.read_file(target)
    assert (answer["cells"], answer["counted"], answer["official"]) == (len(frame), 8, False)
    assert {"kind", "official", "area_m2", "count"} <= set(frame.columns) and frame["count"].sum() == 8
    assert not frame["official"].astype(bool).any() and frame["name"].str.startswith("非官方分析网格").all()
    since = ("--from", small.TODAY.isoformat())
    none = desk.run("cells", "--kind", kind, "--size", size, "--of", "visits", *since, "-o", target)
    assert none["counted"] == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("areas", "export", "-o", "nowhere.geojson"), "no_patrol_areas"),
        (("areas", "make", "--count", 0), "bad_area_count"),
        (("areas", "make", "--count", 7), "bad_area_count"),
        (("cells", "--kind", "round", "--size", 9, "--of", "visits", "-o", "x.geojson"), "unknown_cell_kind"),
        (("cells", "--kind", "h3", "--size", 9, "--of", "tips", "-o", "x.geojson"), "unknown_count"),
        (("cells", "--kind", "h3", "--size", 9, "--of", "visits", "-o", "no/x.geojson"), "output_failed"),
        (("colocated", "decide", "room", "没有", "--verdict", "unclear"), "unknown_group"),
        (("colocated", "decide", "room", "没有", "--verdict", "maybe"), "unknown_verdict"),
    ],
)
def test_refusals_have_codes_and_change_nothing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[object, ...], code: str
) -> None:
    monkeypatch.chdir(tmp_path)
    before = desk.changes()
    error = desk.run(*words, expect=2)["error"]
    assert error["code"] == code and code not in error["zh"] + error["en"]
    assert desk.changes() == before


def test_without_grids_nothing_is_divided(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.run("init")
    assert desk.run("areas", "make", "--count", 2, expect=2)["error"]["code"] == "no_grids"


def test_what_leaves_as_a_layer_is_in_the_change_log(desk: Desk, tmp_path: Path) -> None:
    target = tmp_path / "cells.geojson"
    desk.run("cells", "--kind", "square", "--size", 200, "--of", "visits", "-o", target)
    store = Store(desk.url)
    with store.reading() as session:
        links = select(AuditEvent.entity, AuditEvent.entity_key).where(AuditEvent.action == "export")
        assert session.execute(links).tuples().all() == [("cells", "cells.geojson")]
    store.close()
