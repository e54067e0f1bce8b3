"""Road files: what is read from each format, and what is refused with a code."""

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely
from shapely import LineString, MultiLineString, Point

from geo.crs import from_wgs84
from geo.errors import FormatError, GeoError, RoadError
from geo.network.file import read_roads
from geo.network.graph import build_network
from tests.conftest import REFERENCE

ROADS = REFERENCE / "roads"
CROSS = {
    "highway": ["residential", "footway"],
    "geometry": [
        LineString([(121.5, 31.2), (121.501, 31.2), (121.502, 31.2)]),
        LineString([(121.501, 31.199), (121.501, 31.2)]),
    ],
}  # fmt: skip


@pytest.fixture(scope="session")
def reference():
    if not ROADS.is_dir():
        pytest.skip("the reference data (../shared/reference/roads) is not here")
    return ROADS


def layer(tmp_path, columns, name="roads.gpkg", crs=4326, **options):
    """Write lines and return the file."""
    path = tmp_path / name
    gpd.GeoDataFrame(columns, crs=crs).to_file(path, **options)
    return path


def test_lines_are_cut_where_they_share_a_vertex(tmp_path):
    roads = read_roads(layer(tmp_path, CROSS), source_crs="wgs84")
    assert len(roads) == 3
    assert roads.crs.to_epsg() == 4326
    ends = list(zip(roads["u"], roads["v"], strict=True))
    assert ends[0][1] == ends[1][0] == ends[2][1]
    assert roads["highway"].tolist() == ["residential", "residential", "footway"]
    assert not roads["directed"].any()


def test_a_line_that_meets_itself_is_cut_there(tmp_path):
    loop = LineString([(121.5, 31.2), (121.501, 31.2), (121.501, 31.201), (121.5, 31.2), (121.499, 31.2)])
    roads = read_roads(layer(tmp_path, {"highway": ["path"], "geometry": [loop]}), source_crs="wgs84")
    assert [len(line.coords) for line in roads.geometry] == [4, 2]
    assert roads["u"][0] == roads["v"][0] == roads["u"][1]


def test_a_shapefile_of_gb18030_is_read_without_being_told(tmp_path):
    names = {"道路等级": ["次干路", "步行街"], "geometry": CROSS["geometry"]}
    path = layer(tmp_path, names, "路网.shp", encoding="GB18030")
    path.with_suffix(".cpg").unlink()
    roads = read_roads(path, source_crs="wgs84")
    assert sorted(set(roads["highway"])) == ["次干路", "步行街"]
    assert build_network(roads, "ebike", name="路网").arcs == 6


def test_multipart_and_three_dimensional_lines_are_flattened(tmp_path):
    both = MultiLineString([[(121.5, 31.2, 5), (121.501, 31.2, 5)], [(121.502, 31.2, 9), (121.501, 31.2, 5)]])
    roads = read_roads(layer(tmp_path, {"fclass": ["path"], "geometry": [both]}), source_crs="wgs84")
    assert len(roads) == 2
    assert not roads.geometry.has_z.any()


def test_a_projected_layer_and_a_shifted_one_land_at_the_same_place(tmp_path):
    plain = read_roads(layer(tmp_path, CROSS), source_crs="wgs84")
    metric = gpd.GeoDataFrame(CROSS, crs=4326).to_crs(4549)
    metric.to_file(tmp_path / "metric.gpkg")
    shifted = [
        shapely.transform(g, lambda xy: np.column_stack(from_wgs84(*xy.T, "gcj02")))
        for g in CROSS["geometry"]
    ]
    moved = layer(tmp_path, {**CROSS, "geometry": shifted}, "gcj.gpkg")
    for other in (
        read_roads(tmp_path / "metric.gpkg", source_crs="wgs84"),
        read_roads(moved, source_crs="gcj02"),
    ):
        assert plain.geometry.geom_equals_exact(other.geometry, 1e-7).all()


def test_tags_packed_by_gdal_are_found(tmp_path):
    packed = ['"oneway"=>"yes","oneway:bicycle"=>"no"', None]
    roads = read_roads(layer(tmp_path, {**CROSS, "other_tags": packed}), source_crs="wgs84")
    assert roads["oneway"].tolist() == ["yes", "yes", None]
    assert roads["oneway:bicycle"].tolist() == ["no", "no", None]


def edges(**more):
    """Give a two-way and a one-way street as rows with nodes."""
    a, b, c = (121.5, 31.2), (121.501, 31.2), (121.502, 31.2)
    lines = [LineString([a, b]), LineString([b, a]), LineString([b, c])]
    return {"u": ["10", "11", "11"], "v": ["11", "10", "12"], "highway": ["residential"] * 3,
            "oneway": ["False", "False", "True"], "geometry": lines, **more}  # fmt: skip


def test_rows_with_nodes_are_directed_and_drawn_from_u_to_v(tmp_path):
    roads = read_roads(layer(tmp_path, edges()), source_crs="wgs84")
    assert roads["directed"].all()
    assert list(zip(roads["u"], roads["v"], strict=True)) == [(10, 11), (11, 10), (11, 12)]
    assert roads.geometry[1].coords[0] == pytest.approx((121.501, 31.2))


def test_rows_that_contradict_their_nodes_are_refused(tmp_path):
    rows = {key: value * 2 for key, value in edges().items()}
    rows["geometry"][4] = rows["geometry"][3]  # the way back drawn the wrong way
    with pytest.raises(RoadError, match="nodes_disagree"):
        read_roads(layer(tmp_path, rows), source_crs="wgs84")


def test_rows_with_nodes_but_without_ways_back_are_not_directed(tmp_path):
    rows = {key: [value[0], value[2]] for key, value in edges().items()}
    assert not read_roads(layer(tmp_path, rows), source_crs="wgs84")["directed"].any()


def test_columns_that_are_no_nodes_are_left_alone(tmp_path):
    roads = read_roads(layer(tmp_path, {**CROSS, "u": ["1", "1"], "v": ["2", "1"]}), source_crs="wgs84")
    assert len(roads) == 3
    assert not roads["directed"].any()


def graphml(tmp_path, kind=nx.MultiDiGraph, east="121.502", **graph):
    """Write a graph as osmnx does: every value is text."""
    made = kind(**graph)
    for node, x in ((1, "121.5"), (2, "121.501"), (3, east)):
        made.add_node(node, x=x, y="31.2")
    bend = "LINESTRING (121.5 31.2, 121.5005 31.2001, 121.501 31.2)"
    made.add_edge(1, 2, highway="residential", oneway="False", geometry=bend)
    if made.is_directed():
        made.add_edge(2, 1, highway="residential", oneway="False")
    made.add_edge(2, 3, highway="['service', 'path']", oneway="True")
    path = tmp_path / "graph.graphml"
    nx.write_graphml(made, path)
    return path


def test_graphml_keeps_nodes_tags_and_directions(tmp_path):
    roads = read_roads(graphml(tmp_path, crs="epsg:4326"), source_crs="wgs84")
    assert sorted(zip(roads["u"], roads["v"], strict=True)) == [(1, 2), (2, 1), (2, 3)]
    assert roads["directed"].all()
    assert len(roads.geometry[0].coords) == 3
    plain = read_roads(graphml(tmp_path, kind=nx.MultiGraph), source_crs="wgs84")
    assert not plain["directed"].any()
    assert len(plain) == 2


@pytest.mark.reference
def test_directed_edges_of_futian(reference):
    roads = read_roads(reference / "futian_edges.gpkg", source_crs="wgs84")
    assert len(roads) == 4009
    assert roads["directed"].all()
    assert build_network(roads, "walk", name="futian").nodes > 1400


@pytest.mark.reference
def test_an_extract_of_openstreetmap(reference, tmp_path):
    roads = read_roads(reference / "bayfront_singapore.osm.pbf", source_crs="wgs84")
    assert {"footway", "trunk", "steps"} <= set(roads["highway"])
    assert "raceway" not in set(roads["highway"])
    assert 103 < roads.total_bounds[0] < 104
    whole = (reference / "bayfront_singapore.osm.pbf").read_bytes()
    for broken in (whole[: len(whole) // 2], b"hello" * 100):
        (tmp_path / "broken.osm.pbf").write_bytes(broken)
        with pytest.raises(RoadError, match="unreadable"):
            read_roads(tmp_path / "broken.osm.pbf", source_crs="wgs84")


LINE = CROSS["geometry"][0]
BARE_GRAPH = (
    b'<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="directed"><node id="1"/>'
    b"</graph></graphml>"
)


def shapes(*geometry):
    return lambda tmp_path: layer(tmp_path, {**CROSS, "geometry": list(geometry)})


def swapped(tmp_path):
    turned = [shapely.transform(g, lambda xy: xy[:, ::-1]) for g in CROSS["geometry"]]
    return layer(tmp_path, {**CROSS, "geometry": turned})


def without_table(tmp_path):
    path = layer(tmp_path, CROSS, "roads.shp")
    path.with_suffix(".dbf").unlink()
    return path


def written(name, content):
    def write(tmp_path):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (without_table, "missing_companions"),
        (swapped, "swapped_lon_lat"),
        (shapes(LineString(), LINE), "missing_geometry"),
        (shapes(LINE, Point(121.5, 31.2)), "mixed_types"),
        (shapes(*[Point(121.5, 31.2).buffer(1e-3)] * 2), "not_lines"),
        (lambda p: layer(p, {"geometry": CROSS["geometry"]}), "no_road_class"),
        (lambda p: layer(p, {**CROSS, "highway": ["raceway", "river"]}), "no_roads"),
        (shapes(*[LineString([(121.5, 31.2), (121.5, 31.2)])] * 2), "no_roads"),
        (lambda p: graphml(p, east="721.5"), "out_of_range"),
        (written("empty.osm.pbf", b""), "empty"),
        (written("roads.docx", b"x"), "wrong_type"),
        (written("bad.gpkg", b"x" * 100), "unreadable"),
        (written("bad.graphml", b"<graphml><graph>"), "unreadable"),
        (written("bomb.graphml", b'<!DOCTYPE x [<!ENTITY a "b">]><graphml/>'), "unreadable"),
        (written("nodes.graphml", BARE_GRAPH), "no_coordinates"),
        (lambda p: p / "none.osm.pbf", "not_found"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_a_code(tmp_path, make, code):
    with pytest.raises(GeoError) as caught:
        read_roads(make(tmp_path), source_crs="wgs84")
    assert isinstance(caught.value, RoadError | FormatError)
    assert caught.value.code == code


def test_unknown_classes_are_named_with_their_pieces_five_at_most(tmp_path):
    names = ["甲级", "甲级", "乙级", "丙级", "丁级", "戊级", "己级", None]
    lines = [LineString([(121.5, 31.2 + n / 1000), (121.501, 31.2 + n / 1000)]) for n in range(len(names))]
    with pytest.raises(RoadError, match="no_roads") as caught:
        read_roads(layer(tmp_path, {"道路等级": names, "geometry": lines}), source_crs="wgs84")
    found = caught.value.fields["found"]
    assert found[0] == "甲级 (2)" and len(found) == 5 and set(found[1:]) <= {f"{n} (1)" for n in names[2:]}


def test_pieces_of_unknown_classes_are_counted_beside_the_known(tmp_path):
    names = {**CROSS, "highway": ["胡同", "河道"]}
    roads = read_roads(layer(tmp_path, names), source_crs="wgs84")
    assert roads.attrs["unknown"] == {"河道": 1}
    assert read_roads(layer(tmp_path, CROSS, "b.gpkg"), source_crs="wgs84").attrs["unknown"] == {}


def test_ways_of_an_extract_that_are_no_roads_are_counted(reference):
    unknown = read_roads(reference / "bayfront_singapore.osm.pbf", source_crs="wgs84").attrs["unknown"]
    assert unknown and not set(unknown) & {"residential", "footway", "primary"}
    assert list(unknown.values()) == sorted(unknown.values(), reverse=True)


def test_a_file_over_the_limit_is_not_opened(tmp_path):
    with pytest.raises(RoadError, match="file_too_large"):
        read_roads(layer(tmp_path, CROSS), source_crs="wgs84", max_bytes=100)
