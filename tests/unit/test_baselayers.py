"""Base map layers out of road files and an OpenStreetMap extract."""

from pathlib import Path

import geopandas as gpd
import pytest
from shapely.geometry import LineString, Point, box

from geo.basemap.build import build_basemap
from geo.basemap.layers import join_layers, read_osm_layers, style_layers, style_roads
from geo.basemap.pmtiles import read_metadata
from geo.errors import BasemapError

ROADS = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "roads"
LINE = LineString([(121.2, 40.3), (121.21, 40.3)])


def test_main_roads_lie_above_minor_ones_whatever_the_column_is_called():
    for column in ("highway", "class", "fclass"):
        frame = gpd.GeoDataFrame(
            {column: ["primary", "residential", None], "name": ["一路", None, "三路"]},
            geometry=[LINE] * 3,
            crs=4326,
        )
        styled = style_roads(frame)
        assert list(styled["class"]) == ["minor", "minor", "main"]
        assert list(styled["name"]) == ["", "三路", "一路"]
    assert list(style_roads(gpd.GeoDataFrame(geometry=[LINE], crs=4326))["class"]) == ["minor"]


def test_layers_of_one_name_are_put_together_in_drawing_order():
    roads = style_roads(gpd.GeoDataFrame(geometry=[LINE], crs=4326))
    blocks = gpd.GeoDataFrame({"name": [""]}, geometry=[box(121, 40, 121.1, 40.1)], crs=4326)
    joined = join_layers({"roads": roads, "blocks": blocks}, {"roads": roads, "water": blocks.iloc[:0]})
    assert list(joined) == ["blocks", "roads"] and len(joined["roads"]) == 2


def frame_of(*shapes):
    return gpd.GeoDataFrame({"name": ["甲"] * len(shapes)}, geometry=list(shapes), crs=4326)


def test_every_layer_whose_shapes_cannot_be_what_it_is_called_is_named():
    area, point = box(121, 40, 121.1, 40.1), Point(121, 40)
    layers = {
        "roads": frame_of(LINE, area),
        "rail": frame_of(point),
        "water": frame_of(point),
        "blocks": frame_of(LINE, LINE, area),
    }
    with pytest.raises(BasemapError) as caught:
        style_layers(layers)
    faults = {fault["code"]: fault["fields"] for fault in caught.value.fields["faults"]}
    assert caught.value.code == "wrong_shapes"
    assert {code: (f["found"], f["count"], f["rows"]) for code, f in faults.items()} == {
        "not_roads": (["Polygon"], 1, 2),
        "not_rail": (["Point"], 1, 1),
        "not_water": (["Point"], 1, 1),
        "not_blocks": (["LineString"], 2, 3),
    }


def test_a_stream_drawn_as_a_line_is_narrow_water():
    area = box(121, 40, 121.1, 40.1)
    styled = style_layers({"roads": frame_of(LINE), "water": frame_of(LINE, area), "blocks": frame_of(area)})
    assert set(styled["water"].geom_type) == {"Polygon"} and len(styled["water"]) == 2
    assert list(styled["roads"]["class"]) == ["minor"] and list(styled["blocks"]["name"]) == ["甲"]


@pytest.mark.parametrize(
    ("content", "code"), [(None, "not_found"), (b"", "unreadable"), (b"no map", "unreadable")]
)
def test_what_is_no_extract_is_named(tmp_path, content, code):
    path = tmp_path / "a.osm.pbf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BasemapError) as caught:
        read_osm_layers(path)
    assert caught.value.code == code


@pytest.mark.reference
@pytest.mark.skipif(not ROADS.exists(), reason="../shared/reference/roads is not here")
def test_an_extract_becomes_a_base_map_with_its_credit(tmp_path):
    layers = read_osm_layers(ROADS / "bayfront_singapore.osm.pbf")
    assert len(layers["roads"]) > 100 and len(layers["water"]) and len(layers["blocks"])
    assert set(layers["roads"]["class"]) == {"main", "minor"}
    assert set(layers["water"].geom_type) <= {"Polygon", "MultiPolygon"}
    path = build_basemap(
        join_layers(layers), tmp_path / "a.pmtiles", attribution="© OpenStreetMap contributors"
    )
    assert read_metadata(path)["attribution"] == "© OpenStreetMap contributors"
    (tmp_path / "b.pmtiles").write_bytes(b"PMTiles\x02" + b"\x00" * 200)
    with pytest.raises(BasemapError):
        read_metadata(tmp_path / "b.pmtiles")
