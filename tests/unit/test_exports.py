"""Files that leave: read back by other programs, with hostile names, without formulas."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import icalendar
import numpy as np
import openpyxl
import pytest
import shapely

from dashboard.exports import PLAN_FORMATS, clock, plan_bytes, plan_features
from dashboard.mapstyles import write_plan_layers
from dashboard.register.exports import places_frame, write_rejects
from data.register.headings import Header
from data.register.rejects import ImportResult, Reject
from data.register.sheets import Row, Table
from data.store import Store
from data.terms import Kind, PlanStatus, SlotClass, SlotKind
from geo.crs import gcj02_to_wgs84
from planner.itinerary import MemberView, PlanHead, PlanView, ShiftView, StopView, UnservedView
from tests.conftest import NOW
from tests.register import add_grid, add_institution, add_school

HOSTILE = ['=HYPERLINK("http://x","y")', "+1", "-1+2", "@SUM(A1)", " =1", "\t=1", "a\x01b", "<b>&"]
DAY = dt.date(2026, 11, 23)


def stop(sequence: int, name: str = "甲", *, lon: float = 121.2) -> StopView:
    """Return a stop at 17:30 and every half hour after it."""
    begin = 17 * 3600 + 1800 * sequence
    return StopView(
        sequence, sequence, name, Kind.CARE, "一路1号", lon + sequence / 1000, 40.3, 30.0,
        begin, begin, begin + 900, SlotClass.EVENING, sequence == 1, 4.0, [],
    )  # fmt: skip


def plan(names: list[str] | None = None) -> PlanView:
    """Return a plan of one evening shift and one unserved visit."""
    head = PlanHead(
        1, "P20261123-001", PlanStatus.PUBLISHED, DAY, DAY, DAY, False, 1, NOW, "lead", NOW, "lead", {}
    )
    members = (
        MemberView(1, "O1", "张", "教育局", True, True),
        MemberView(2, "O2", "李", "公安分局", True, False),
    )
    stops = tuple(stop(n, name) for n, name in enumerate(names or ["甲", "乙"], start=1))
    shift = ShiftView(
        head.code, "2026-11-23-evening-T1", "T1", DAY, SlotKind.EVENING, 61200, 75600, 700, members, stops
    )
    left = UnservedView(9, "丙", Kind.SUBJECT, "三路3号", SlotClass.WEEKEND, True, "no_room", {"shifts": 3})
    return PlanView(head, (shift,), (left,))


def book(content: bytes) -> Any:
    """Read a workbook back as a spreadsheet would, formulas as formulas."""
    return openpyxl.load_workbook(io.BytesIO(content))


def test_workbook_holds_roster_stops_and_what_is_left() -> None:
    """Times as people write them, minutes of travel, the reason in words."""
    read = book(plan_bytes(plan(), "xlsx"))
    assert read.sheetnames == ["排班表", "路线", "未排入"]
    roster = [[cell.value for cell in row] for row in read["排班表"]]
    assert roster[1] == ["2026-11-23", "工作日晚间", "17:00–21:00", "T1", "张", "张、李", None, 2, 11]
    routes = [[cell.value for cell in row] for row in read["路线"]]
    assert [row[3:7] + row[10:] for row in routes[1:]] == [
        [1, "17:30", "甲", "托管看护", "是", "本轮未查", "巡查", 1],
        [2, "18:00", "乙", "托管看护", None, "本轮未查", "巡查", 1],
    ]  # fmt: skip
    left = [cell.value for cell in read["未排入"][2]]
    assert left[:6] == ["丙", "学科类", "三路3号", "是", "本轮未查", "no_room"]
    assert "no_room" not in left[6]


def test_no_cell_is_a_formula_and_control_characters_are_left_out() -> None:
    """Names are text whatever they begin with; the workbook is written at all."""
    read = book(plan_bytes(plan(HOSTILE), "xlsx"))
    cells = [cell for sheet in read for row in sheet for cell in row]
    assert "f" not in {cell.data_type for cell in cells}
    names = [row[5].value for row in read["路线"].iter_rows(min_row=2)]
    assert names[0] == "'" + HOSTILE[0]
    assert all(not name.lstrip().startswith(("=", "+", "-", "@")) for name in names)
    assert "ab" in names


def test_rejected_rows_can_be_read_back_with_their_reason(tmp_path: Path) -> None:
    """The bureau's own columns, every reason in front; hostile values stay text."""
    rejects = [
        Reject(4, "机构类别", "茶馆", "unknown_kind", {"known": "托管"}),
        Reject(5, "机构名称", "=1\x01", "too_long", {"limit": 150, "length": 151}),
        Reject(5, "机构类别", "", "no_kind"),
    ]
    header = Header(3, {"name": 0, "kind": 1}, {"name": "机构名称", "kind": "机构类别"}, width=3)
    rows = (
        Row(4, {}, header=header, written=("甲", "茶馆", "013")),
        Row(5, {}, header=header, written=("=1\x01", "", "")),
        Row(6, {}, header=header, written=("好", "托管", "")),
    )
    table = Table(rows, {"": (("机构名称", "机构类别", "备注"),)}, ())
    path = tmp_path / "r.xlsx"
    write_rejects(ImportResult(rejected=rejects, table=table), path)
    cells = [[cell.value or "" for cell in row] for row in openpyxl.load_workbook(path)["退回行"]]
    assert cells[0] == ["退回原因", "机构名称", "机构类别", "备注"]
    assert cells[1][1:] == ["甲", "茶馆", "013"]
    assert "不认识的机构类别" in cells[1][0]
    assert cells[2][1:] == ["'=1", "", ""]
    assert "150" in cells[2][0]
    assert cells[2][0].count("【") == 2
    assert len(cells) == 3


def test_geojson_has_one_line_a_shift_and_one_point_a_stop() -> None:
    """Longitude first, six decimals, hostile names untouched because JSON needs no disguise."""
    read = json.loads(plan_bytes(plan(HOSTILE), "geojson"))
    assert read["type"] == "FeatureCollection"
    shapes = [feature["geometry"]["type"] for feature in read["features"]]
    assert shapes == ["LineString"] + ["Point"] * len(HOSTILE)
    assert read["features"][0]["geometry"]["coordinates"][0] == [121.201, 40.3]
    assert [f["properties"]["name"] for f in read["features"][1:]] == HOSTILE


def test_one_stop_draws_no_line() -> None:
    """A line needs two points."""
    shapes = [f["geometry"]["type"] for f in plan_features(plan(["甲"]))["features"]]
    assert shapes == ["Point"]
    assert plan_features(plan(), [])["features"] == []


def test_calendar_has_local_times_and_no_names_of_places() -> None:
    """21:00 in Shanghai is 13:00 UTC; the file says how many, not where."""
    content = plan_bytes(plan(["秘密托管"]), "ics")
    events = icalendar.Calendar.from_ical(content).walk("VEVENT")
    assert len(events) == 1
    assert events[0].decoded("dtend").astimezone(dt.UTC) == dt.datetime(2026, 11, 23, 13, tzinfo=dt.UTC)
    assert events[0].decoded("dtstart").utcoffset() == dt.timedelta(hours=8)
    text = content.decode()
    assert "1家" in text
    assert "秘密" not in text
    assert "一路" not in text
    assert "BEGIN:VTIMEZONE" in text


@pytest.mark.parametrize("form", list(PLAN_FORMATS))
def test_an_empty_plan_can_be_written(form: str) -> None:
    """No shift and nothing left out is a plan too."""
    empty = PlanView(plan().head, (), ())
    assert plan_bytes(empty, form)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "00:00"), (59, "00:00"), (61200, "17:00"), (86340, "23:59")]
)
def test_clock(seconds: int, text: str) -> None:
    """Seconds of the day as people read them."""
    assert clock(seconds) == text


def test_places_come_with_points_or_without(store: Store) -> None:
    """An unplaced institution stays in the export, with empty coordinates."""
    with store.begin(actor="t", now=NOW) as session:
        add_institution(session, 1)
        add_institution(session, 2, at=None)
        add_school(session)
        add_grid(session, "A", (121.0, 40.0, 121.3, 40.5))
    with store.reading() as session:
        places = places_frame(session, "institutions")
        assert places["lon"].notna().tolist() == [True, False]
        assert {"id", "name", "kind", "level", "code", "geometry"} <= set(places.columns)
        assert places.crs.to_epsg() == 4326
        assert list(places_frame(session, "schools")["name"]) == ["一小"]
        assert list(places_frame(session, "grids")["grid_code"]) == ["A"]


@pytest.mark.parametrize("what", ["institutions", "schools", "grids"])
def test_an_empty_register_exports_empty_layers(store: Store, what: str) -> None:
    """Columns are there without rows."""
    with store.reading() as session:
        frame = places_frame(session, what)
    assert frame.empty
    assert "geometry" in frame.columns


@pytest.mark.parametrize("names", [HOSTILE, ["甲"]])
def test_a_plan_in_gcj02_holds_what_it_holds_in_wgs84(tmp_path: Path, names: list[str]) -> None:
    """Asked for in another datum a plan keeps its routes and columns; KML draws both kinds too."""
    view = plan(names)
    write_plan_layers(view, "geojson", tmp_path / "gcj02.geojson", datum="gcj02")
    here, there = plan_features(view), json.loads((tmp_path / "gcj02.geojson").read_text(encoding="utf-8"))
    assert there["datum"] == "GCJ-02"
    for was, now in zip(here["features"], there["features"], strict=True):
        assert now["properties"] == {**was["properties"], "datum": "GCJ-02"}
        one, other = shapely.geometry.shape(was["geometry"]), shapely.geometry.shape(now["geometry"])
        back = shapely.transform(other, lambda xy: np.column_stack(gcj02_to_wgs84(xy[:, 0], xy[:, 1])))
        assert one.geom_type == other.geom_type and one.hausdorff_distance(back) < 2e-7
    write_plan_layers(view, "kml", tmp_path / "plan.kml", datum="wgs84")
    kml = gpd.read_file(tmp_path / "plan.kml")
    assert list(kml.geom_type) == [f["geometry"]["type"] for f in here["features"]]
    text = (tmp_path / "plan.kml").read_text(encoding="utf-8")
    assert "sequence: 1;" in text and ".part" not in text


@pytest.mark.parametrize("form", ["geojson", "kml"])
@pytest.mark.parametrize("datum", ["wgs84", "gcj02"])
def test_an_empty_plan_is_an_empty_layer(tmp_path: Path, form: str, datum: str) -> None:
    """No shift is no reason to fail."""
    write_plan_layers(PlanView(plan().head, (), ()), form, tmp_path / f"a.{form}", datum=datum)
    assert (tmp_path / f"a.{form}").stat().st_size
