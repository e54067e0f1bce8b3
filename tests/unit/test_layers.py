"""Layers carry what their cards say, leave out what has no place and stay plain text."""

import geopandas as gpd
import pandas as pd
from shapely.geometry import Point, box

from dashboard import layers, tables
from dashboard.timeline import draw_timeline
from data.terms import Kind, SlotClass, SlotKind
from planner.itinerary import ShiftView, StopView


def _places() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "name": ["甲", "乙", "丙"],
            "kind": ["subject", "care", "subject"],
            "status": ["open"] * 3,
            "address": ["一路1号"] * 3,
            "doubtful": [False, True, False],
        },
        geometry=[Point(121, 40), Point(121.1, 40.1), None],
        index=[1, 2, 3],
        crs=4326,
    )


def _debts() -> pd.DataFrame:
    return pd.DataFrame({"institution_id": [1, 1, 2], "owed": [1, 1, 1], "paid": [1, 1, 0]})


def _shift(number: int) -> ShiftView:
    stop = StopView(
        1,
        7,
        "<b>甲</b>",
        Kind.CARE,
        "一路1号",
        121.0,
        40.0,
        10.0,
        61200,
        61200,
        62400,
        SlotClass.EVENING,
        True,
        1.0,
        [],
        call=1,
    )
    return ShiftView(
        "P",
        "S",
        f"T{number}",
        pd.Timestamp("2026-09-17").date(),
        SlotKind.EVENING,
        61200,
        75600,
        600,
        (),
        (stop,),
    )


def test_unplaced_institutions_are_left_out_and_fill_tells_the_debt() -> None:
    drawn = layers.institutions(_places(), _debts(), language="zh")["features"]
    assert [f["properties"]["fill"] for f in drawn] == ["paid", "doubtful"]
    assert drawn[0]["geometry"]["coordinates"] == [121.0, 40.0]


def test_kinds_narrow_the_points() -> None:
    drawn = layers.institutions(_places(), _debts(), language="en", kinds=["care"])["features"]
    assert [f["properties"]["title"] for f in drawn] == ["乙"]


def test_coverage_without_debt_has_no_number() -> None:
    areas = gpd.GeoDataFrame(
        {
            "grid_code": ["1", "2"],
            "name": ["一格", ""],
            "subdistrict": ["东", "东"],
            "institutions": [2, 0],
            "owed": [4, 0],
            "paid": [1, 0],
            "share": [0.25, float("nan")],
            "state": ["partial", "no_data"],
        },
        geometry=[box(0, 0, 1, 1), box(1, 0, 2, 1)],
        crs=4326,
    )
    features = layers.coverage(areas, language="zh")["features"]
    assert [f["properties"]["share"] for f in features] == [0.25, None]
    assert features[1]["properties"]["title"] == "2"
    total = tables.coverage_sum(areas)
    assert (total.owed, total.paid, total.share) == (4, 1, "25.0%")
    assert len(tables.coverage_rows(areas, "zh")) == 1


def test_routes_start_and_end_at_the_depot() -> None:
    drawn = layers.routes([_shift(2)], depot=("局", 120.9, 39.9), language="zh")["features"]
    line = drawn[0]["geometry"]["coordinates"]
    assert line[0] == line[-1] == [120.9, 39.9]
    assert [f["properties"]["label"] for f in drawn[1:]] == ["1", "起"]


def test_no_shift_draws_nothing() -> None:
    assert layers.routes([], depot=("局", 120.9, 39.9), language="zh")["features"] == []
    assert draw_timeline([], names=[], describe="") == ""


def test_the_timeline_escapes_names() -> None:
    drawn = draw_timeline([_shift(1)], names=["第 1 组"], describe='a"b')
    assert "<b>" not in drawn and "&lt;b&gt;" in drawn
    assert 'aria-label="a&quot;b"' in drawn


def test_too_few_findings_are_not_called_a_rate() -> None:
    rates = pd.DataFrame(
        {
            "school_id": [1],
            "school_name": ["一小"],
            "radius_m": [500],
            "institutions": [3],
            "visits": [4],
            "findings": [1],
            "rate": [0.25],
            "base_rate": [0.1],
            "excess": [1.0],
            "label": ["too_few"],
        }
    )
    assert tables.hotspot_sum(rates, 500).tested is False
    schools = gpd.GeoDataFrame({"name": ["一小"]}, geometry=[Point(121, 40)], index=[1], crs=4326)
    card = layers.hotspots(rates, schools, radius_m=500, language="zh")["features"][0]["properties"]
    assert card["lines"][-1] == "样本不足，不作判断"


def test_schools_carry_their_name_and_stage() -> None:
    schools = gpd.GeoDataFrame(
        {"name": ["<b>一小</b>"], "stage": ["primary"]}, geometry=[Point(121, 40)], crs=4326
    )
    (feature,) = layers.schools(schools, language="zh")["features"]
    assert feature["properties"] == {"title": "<b>一小</b>", "lines": ["小学"]}
    assert feature["geometry"]["coordinates"] == [121.0, 40.0]
