"""Layers that leave: each format comes back as it went, the datum is named, QGIS finds its style."""

import json
import sqlite3
import xml.etree.ElementTree as ET
from contextlib import closing

import geopandas as gpd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Point, box

from geo.errors import FormatError, FrameError
from geo.formats.qgis import Style, make_qml
from geo.formats.read import read_layer
from geo.formats.write import write_layer, write_package, write_routes

POINTS = gpd.GeoDataFrame(
    {"name": ["甲<b>&", "乙"], "kind": ["care", "subject"]},
    geometry=[Point(121.47, 31.21), Point(121.48, 31.22)],
    crs=4326,
)
LINE = gpd.GeoDataFrame(
    {"name": ["一线"]}, geometry=[LineString([(121.47, 31.21), (121.48, 31.22), (121.49, 31.2)])], crs=4326
)
AREA = gpd.GeoDataFrame({"name": ["网格"]}, geometry=[box(121.4, 31.2, 121.5, 31.3)], crs=4326)
STYLE = Style(column="kind", categories=(("care", "托管", "#0a7d55"),), label="name")


@pytest.mark.parametrize("datum", ["wgs84", "gcj02"])
@pytest.mark.parametrize("kind", ["geojson", "gpkg", "kml", "gpx", "csv"])
@pytest.mark.parametrize("frame", [POINTS, LINE, AREA], ids=["points", "line", "area"])
def test_what_leaves_comes_back_in_its_datum(tmp_path, frame, kind, datum):
    if (frame is AREA and kind == "gpx") or (frame is not POINTS and kind == "csv"):
        return
    path = write_layer(frame, tmp_path / f"层.{kind}", datum=datum)
    back = read_layer(path, source_crs=datum)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    for was, now in zip(frame.geometry, back.geometry, strict=True):
        assert was.hausdorff_distance(now) < 2e-8
    if datum == "gcj02":
        read_as_it_is = read_layer(path, source_crs="wgs84").geometry[0].centroid
        assert read_as_it_is.distance(frame.geometry[0].centroid) > 0.003
        text = path.read_bytes() if kind != "gpkg" else str(back["datum"][0]).encode()
        assert b"GCJ-02" in text or b"gcj02" in text


def test_names_and_words_reach_kml_and_gpx(tmp_path):
    kml = ET.parse(write_layer(POINTS, tmp_path / "a.kml")).getroot()
    assert [n.text for n in kml.iter("{http://www.opengis.net/kml/2.2}name")][-2:] == ["甲<b>&", "乙"]
    gpx = ET.parse(write_layer(POINTS, tmp_path / "a.gpx")).getroot()
    assert [n.text for n in gpx.iter("{http://www.topografix.com/GPX/1/1}desc")] == [
        "kind: care",
        "kind: subject",
    ]


@settings(max_examples=40, deadline=None)
@given(name=st.text(max_size=12))
def test_any_name_gives_well_formed_xml(tmp_path_factory, name):
    frame = gpd.GeoDataFrame({"name": [name]}, geometry=[Point(121, 31)], crs=4326)
    folder = tmp_path_factory.mktemp("xml")
    for kind in ("kml", "gpx"):
        ET.parse(write_layer(frame, folder / f"a.{kind}"))


def test_a_geopackage_carries_its_style(tmp_path):
    path = write_layer(POINTS, tmp_path / "机构 1.gpkg", style=STYLE)
    with closing(sqlite3.connect(path)) as store:
        table, column, qml, default = store.execute(
            "SELECT f_table_name, f_geometry_column, styleQML, useAsDefault FROM layer_styles"
        ).fetchone()
        assert (table, default) == ("机构_1", 1)
        assert store.execute("SELECT column_name FROM gpkg_geometry_columns").fetchone() == (column,)
        assert store.execute("PRAGMA user_version").fetchone()[0] < 10_300
    root = ET.fromstring(qml)
    assert [c.get("label") for c in root.iter("category")] == ["托管", "其他"]
    assert len(read_layer(path, source_crs="wgs84")) == 2


@pytest.mark.parametrize("geometry", ["Point", "MultiPolygon", "LineString"])
def test_every_geometry_has_a_symbol(geometry):
    root = ET.fromstring(make_qml(Style(), geometry))
    assert len(list(root.iter("symbol"))) == 1
    with pytest.raises(ValueError):
        make_qml(Style(color="red"), geometry)


def test_shifted_layers_claim_no_crs(tmp_path):
    body = json.loads(write_layer(POINTS, tmp_path / "a.geojson", datum="gcj02").read_text(encoding="utf-8"))
    assert body["datum"] == "GCJ-02" and "crs" not in body
    assert gpd.read_file(write_layer(POINTS, tmp_path / "a.gpkg", datum="gcj02")).crs is None


@pytest.mark.parametrize(
    ("frame", "name", "options", "code"),
    [
        (POINTS, "a.dxf", {}, "wrong_type"),
        (POINTS, "a.gpkg", {"datum": "bd09"}, "wrong_datum"),
        (AREA, "a.gpx", {}, "gpx_no_polygons"),
    ],
)
def test_what_cannot_be_written_is_named_and_leaves_nothing(tmp_path, frame, name, options, code):
    with pytest.raises(FormatError) as caught:
        write_layer(frame, tmp_path / name, **options)
    assert caught.value.code == code and list(tmp_path.iterdir()) == []
    with pytest.raises(FrameError):
        write_layer(frame.to_crs(4549), tmp_path / "a.gpkg")


STOPS = gpd.GeoDataFrame(
    {
        "route": ["夜1", "夜1", "夜2"],
        "sequence": [2, 1, 1],
        "name": ["乙", "甲", "丙"],
        "desc": ["", "18:40", ""],
    },
    geometry=[Point(121.2, 31.2), Point(121.1, 31.1), Point(121.3, 31.3)],
    crs=4326,
)
GPX = "{http://www.topografix.com/GPX/1/1}"


@pytest.mark.parametrize(("datum", "name"), [("wgs84", "夜1"), ("gcj02", "夜1 (GCJ-02)")])
def test_routes_keep_their_order_and_names_in_gpx(tmp_path, datum, name):
    root = ET.parse(write_routes(STOPS, tmp_path / "a.gpx", datum=datum)).getroot()
    routes = root.findall(f"{GPX}rte")
    assert routes[0].findtext(f"{GPX}name") == name
    assert [[p.findtext(f"{GPX}name") for p in r.findall(f"{GPX}rtept")] for r in routes] == [
        ["甲", "乙"],
        ["丙"],
    ]


def test_a_package_holds_every_layer_with_its_style(tmp_path):
    path = write_package(
        {"点": (POINTS, STYLE), "线": (LINE, None), "空": (POINTS.iloc[:0], None)}, tmp_path / "a.gpkg"
    )
    assert len(read_layer(path, source_crs="wgs84", layer="点")) == 2
    assert len(read_layer(path, source_crs="wgs84", layer="线")) == 1
    with closing(sqlite3.connect(path)) as store:
        assert store.execute("SELECT f_table_name FROM layer_styles").fetchall() == [("点",)]
    with pytest.raises(FormatError):
        write_package({"空": (POINTS.iloc[:0], None)}, tmp_path / "b.gpkg")
    assert [p.name for p in tmp_path.iterdir()] == ["a.gpkg"]
