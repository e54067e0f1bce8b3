"""Layer files: conversion of what is declared, refusal of what is doubtful."""

import json

import geopandas as gpd
import pytest
from shapely.geometry import LineString, Point, box

from geo.crs import from_wgs84
from geo.errors import CrsError, FormatError
from geo.formats.read import read_layer
from geo.formats.write import write_layer


@pytest.fixture
def frame():
    return gpd.GeoDataFrame(
        {"名称": ["甲", "=1+1"], "n": [1, 2]}, geometry=[Point(121.47, 31.21), Point(121.48, 31.22)], crs=4326
    )


def code_of(path, **options):
    with pytest.raises(FormatError) as caught:
        read_layer(path, **{"source_crs": "wgs84", **options})
    return caught.value.code


@pytest.mark.parametrize("kind", ["geojson", "gpkg", "csv"])
def test_what_is_written_is_read_again(tmp_path, frame, kind):
    path = write_layer(frame, tmp_path / f"点.{kind}")
    back = read_layer(path, source_crs="wgs84")
    assert back.crs.to_epsg() == 4326
    assert back.geometry.geom_equals_exact(frame.geometry, 1e-8).all()
    assert back["名称"][0] == "甲"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_csv_cells_cannot_become_formulas(tmp_path, frame):
    path = write_layer(frame, tmp_path / "a.csv")
    assert "'=1+1" in path.read_text(encoding="utf-8-sig")
    assert read_layer(path, source_crs="wgs84")["名称"][1] == "=1+1"


@pytest.mark.parametrize("driver", ["ESRI Shapefile", "KML"])
def test_shapefile_and_kml(tmp_path, frame, driver):
    path = tmp_path / ("a.shp" if driver == "ESRI Shapefile" else "a.kml")
    frame.to_file(path, driver=driver, encoding="utf-8" if path.suffix == ".shp" else None)
    back = read_layer(path, source_crs="wgs84")
    assert back.geometry.geom_equals_exact(frame.geometry, 1e-7).all()


def test_a_declared_projected_crs_is_converted(tmp_path, frame):
    path = tmp_path / "a.gpkg"
    frame.to_crs(4549).to_file(path)
    back = read_layer(path, source_crs="wgs84")
    assert back.geometry.geom_equals_exact(frame.geometry, 1e-8).all()
    assert "CGCS2000" in back.attrs["declared_crs"]
    assert code_of(path, source_crs="gcj02") == "crs_conflict"


def test_the_stated_datum_is_applied(tmp_path):
    lon, lat = from_wgs84(121.47, 31.21, "gcj02")
    path = tmp_path / "a.csv"
    path.write_text(f"名称,经度,纬度\n甲,{float(lon)!r},{float(lat)!r}\n", encoding="gb18030")
    back = read_layer(path, source_crs="gcj02")
    assert back.geometry[0].x == pytest.approx(121.47, abs=1e-8)
    assert back["名称"][0] == "甲"


def test_projected_numbers_need_their_epsg_code(tmp_path, frame):
    metres = frame.to_crs(4549)
    path = tmp_path / "a.csv"
    path.write_text(f"x,y\n{metres.geometry[0].x},{metres.geometry[0].y}\n", encoding="utf-8")
    assert read_layer(path, source_crs=4549).geometry[0].x == pytest.approx(121.47, abs=1e-7)
    assert code_of(path) == "out_of_range"
    with pytest.raises(CrsError, match="unknown_crs"):
        read_layer(path, source_crs="EPSG:1")


def test_doubtful_csv_files_are_refused(tmp_path):
    path = tmp_path / "a.csv"
    cases = {
        "名称,经度,纬度\n甲,31.2,121.4\n": "swapped_lon_lat",
        "名称,经度,纬度\n甲,,31.2\n": "bad_coordinates",
        "名称,经度,纬度\n甲,121.4度,31.2\n": "bad_coordinates",
        "名称,经度,纬度\n": "empty",
        "名称,东经\n甲,121\n": "no_coordinates",
        "经度,lon,纬度\n121,121,31\n": "no_coordinates",
        "经度,纬度\n121,31,1\n": "unreadable",
    }
    for text, code in cases.items():
        path.write_text(text, encoding="utf-8")
        assert code_of(path) == code, text
    path.write_bytes(b"\xff\xfe\xff\xff")
    assert code_of(path) == "unreadable"


def test_bad_coordinates_name_their_lines(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("经度,纬度\n121,31\nx,31\n121,\n", encoding="utf-8")
    with pytest.raises(FormatError) as caught:
        read_layer(path, source_crs="wgs84")
    assert caught.value.fields["lines"] == [3, 4]


def test_doubtful_vector_files_are_refused(tmp_path, frame):
    assert code_of(tmp_path / "a.xlsx") == "wrong_type"
    assert code_of(tmp_path / "none.geojson") == "not_found"
    empty = tmp_path / "empty.geojson"
    empty.touch()
    assert code_of(empty) == "empty"
    wrong = tmp_path / "wrong.gpkg"
    wrong.write_text("not a database")
    assert code_of(wrong) == "unreadable"
    broken = tmp_path / "broken.geojson"
    broken.write_text('{"type": "FeatureCollection", "features": [')
    assert code_of(broken) == "unreadable"
    big = write_layer(frame, tmp_path / "big.geojson")
    assert code_of(big, max_bytes=10) == "file_too_large"


def test_a_file_that_points_elsewhere_is_not_opened(tmp_path):
    path = tmp_path / "a.kml"
    path.write_text("<OGRVRTDataSource><OGRVRTLayer name='x'/></OGRVRTDataSource>")
    assert code_of(path) == "unreadable"


def test_geometry_faults_are_named(tmp_path, frame):
    mixed = gpd.GeoDataFrame(geometry=[Point(121, 31), box(121, 31, 122, 32)], crs=4326)
    mixed.to_file(tmp_path / "mixed.geojson")
    assert code_of(tmp_path / "mixed.geojson") == "mixed_types"
    holes = gpd.GeoDataFrame({"a": [1, 2]}, geometry=[Point(121, 31), None], crs=4326)
    holes.to_file(tmp_path / "holes.geojson")
    assert code_of(tmp_path / "holes.geojson") == "missing_geometry"
    bare = tmp_path / "bare.geojson"
    features = [{"type": "Feature", "properties": {"a": 1}, "geometry": None}]
    bare.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    assert code_of(bare) == "no_geometry"
    swapped = gpd.GeoDataFrame(geometry=[Point(31.2, 121.4)], crs=4326)
    swapped.to_file(tmp_path / "swapped.geojson")
    assert code_of(tmp_path / "swapped.geojson") == "swapped_lon_lat"


def test_a_file_with_layers_needs_a_name(tmp_path, frame):
    path = tmp_path / "two.gpkg"
    frame.to_file(path, layer="a")
    frame.to_file(path, layer="b")
    assert code_of(path) == "several_layers"
    assert code_of(path, layer="c") == "several_layers"
    assert len(read_layer(path, layer="b", source_crs="wgs84")) == 2


def test_shapes_and_missing_points_go_to_csv(tmp_path):
    lines = gpd.GeoDataFrame({"n": [1]}, geometry=[LineString([(121, 31), (122, 31)])], crs=4326)
    assert "LINESTRING" in write_layer(lines, tmp_path / "a.csv").read_text(encoding="utf-8-sig")
    points = gpd.GeoDataFrame({"n": [1, 2]}, geometry=[Point(121, 31), None], crs=4326)
    text = write_layer(points, tmp_path / "b.csv").read_text(encoding="utf-8-sig")
    assert text.splitlines() == ["n,lon,lat", "1,121.0,31.0", "2,,"]
    with pytest.raises(FormatError, match="wrong_type"):
        write_layer(lines, tmp_path / "a.dxf")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv"]


@pytest.mark.parametrize("stated", ["EPSG:4549", "4549", "WGS84"])
def test_the_code_that_a_file_declares_is_no_conflict(tmp_path, frame, stated):
    path = tmp_path / "metres.gpkg"
    frame.to_crs(4549).to_file(path, driver="GPKG")
    assert read_layer(path, source_crs=stated).geometry.iloc[0].equals_exact(frame.geometry.iloc[0], 1e-7)
    with pytest.raises(FormatError) as caught:
        read_layer(path, source_crs="EPSG:4550")
    assert caught.value.code == "crs_conflict"


@pytest.mark.parametrize("text", ["中心网格", "Centre"])
def test_a_shapefile_name_cut_inside_a_character_is_read(tmp_path, frame, text):
    path = tmp_path / "a.shp"
    frame[["geometry"]].assign(网格编码="310101001001001", 说明=text).to_file(path, encoding="utf-8")
    back = read_layer(path, source_crs="wgs84")
    assert back["网格编"].eq("310101001001001").all() and back["说明"].eq(text).all()
