"""The base map: named layers in one archive, read back by an independent reader."""

import geopandas as gpd
import pyogrio
import pytest
from shapely.geometry import LineString, Point, box

from geo.basemap.build import build_basemap
from geo.basemap.pmtiles import tile_id
from geo.errors import BasemapError, FrameError


@pytest.fixture
def layers():
    roads = gpd.GeoDataFrame(
        {"name": ["和平路", "长街"], "lanes": [2, 4]},
        geometry=[
            LineString([(121.2, 40.3), (121.22, 40.3)]),
            LineString([(121.21, 40.29), (121.21, 40.31)]),
        ],
        crs=4326,
    )
    water = gpd.GeoDataFrame({"name": ["河"]}, geometry=[box(121.2, 40.295, 121.22, 40.297)], crs=4326)
    return {"water": water, "roads": roads, "rail": roads.iloc[:0]}


def test_an_independent_reader_finds_layers_names_and_places(tmp_path, layers):
    path = build_basemap(layers, tmp_path / "base.pmtiles", min_zoom=11, max_zoom=14, attribution="own")
    assert [str(name) for name, _ in pyogrio.list_layers(path)] == ["water", "roads"]
    roads = gpd.read_file(path, layer="roads")
    assert set(roads["name"]) == {"和平路", "长街"}
    assert set(roads["lanes"]) == {2, 4}
    west, south, east, north = roads.to_crs(4326).total_bounds
    assert (west, east) == pytest.approx((121.2, 121.22), abs=1e-4)
    assert (south, north) == pytest.approx((40.29, 40.31), abs=1e-4)
    assert gpd.read_file(path, layer="water")["name"].tolist()[0] == "河"
    assert [p.name for p in tmp_path.iterdir()] == ["base.pmtiles"]


def test_the_same_layers_give_the_same_bytes(tmp_path, layers):
    one = build_basemap(layers, tmp_path / "base.pmtiles").read_bytes()
    assert build_basemap(layers, tmp_path / "base.pmtiles").read_bytes() == one


def test_tile_ids_follow_the_specification():
    # Table of the PMTiles specification, version 3.
    known = {
        (0, 0, 0): 0,
        (1, 0, 0): 1,
        (1, 0, 1): 2,
        (1, 1, 1): 3,
        (1, 1, 0): 4,
        (2, 0, 0): 5,
        (12, 3423, 1763): 19078479,
    }
    assert {key: tile_id(*key) for key in known} == known


def test_a_large_directory_is_split_into_leaves_that_are_still_read(tmp_path, layers, monkeypatch):
    monkeypatch.setattr("geo.basemap.pmtiles._ROOT_ROOM", 90)
    monkeypatch.setattr("geo.basemap.pmtiles._LEAF_ENTRIES", 4)
    path = build_basemap(layers, tmp_path / "base.pmtiles", min_zoom=10, max_zoom=16)
    header = path.read_bytes()[:127]
    root_length, leaf_length = (int.from_bytes(header[at : at + 8], "little") for at in (16, 48))
    assert root_length <= 90
    assert leaf_length > 90
    assert set(gpd.read_file(path, layer="roads")["name"]) == {"和平路", "长街"}


def test_unusable_input_is_named(tmp_path, layers):
    cases = [
        ((layers, tmp_path / "a.mbtiles"), {}, "wrong_type"),
        ((layers, tmp_path / "a.pmtiles"), {"min_zoom": 12, "max_zoom": 11}, "bad_zoom"),
        (({"Roads!": layers["roads"]}, tmp_path / "a.pmtiles"), {}, "bad_layer_name"),
        (({"rail": layers["rail"]}, tmp_path / "a.pmtiles"), {}, "no_features"),
    ]
    for args, options, code in cases:
        with pytest.raises(BasemapError) as caught:
            build_basemap(*args, **options)
        assert caught.value.code == code
    with pytest.raises(FrameError, match="frame_crs"):
        build_basemap({"a": gpd.GeoDataFrame(geometry=[Point(0, 0)])}, tmp_path / "a.pmtiles")
    assert list(tmp_path.iterdir()) == []
