"""Grid layers: every fault is named, every point has one grid at most."""

import geopandas as gpd
import pytest
from shapely.geometry import LineString, Point, Polygon, box

from geo.crs import frame_metric_crs
from geo.errors import FrameError, GridError
from geo.grid.assign import GridFault, assign_grids, check_grids


def layer(shapes, codes):
    return gpd.GeoDataFrame({"grid_code": codes}, geometry=shapes, crs=4326)


LEFT, RIGHT = box(121.40, 31.20, 121.41, 31.21), box(121.41, 31.20, 121.42, 31.21)


def test_a_sound_layer_has_no_faults():
    assert check_grids(layer([LEFT, RIGHT], ["a", "b"])) == []


def test_every_fault_is_listed_at_once():
    bow = Polygon([(121.5, 31.2), (121.51, 31.21), (121.51, 31.2), (121.5, 31.21)])
    shapes = [LEFT, RIGHT, bow, LineString([(0, 0), (1, 1)]), Polygon(), None]
    faults = check_grids(layer(shapes, ["a", "a", "c", None, " ", "f"]))
    assert [(f.code, f.rows) for f in faults] == [
        ("blank_code", (3,)),
        ("blank_code", (4,)),
        ("duplicate_code", (0, 1)),
        ("invalid_geometry", (2,)),
        ("not_polygon", (3,)),
        ("empty_geometry", (4,)),
        ("empty_geometry", (5,)),
    ]


def test_overlap_is_measured_in_square_metres_and_slivers_pass():
    wide = box(121.409, 31.20, 121.42, 31.21)
    (fault,) = check_grids(layer([LEFT, wide], ["a", "b"]))
    assert fault.grids == ("a", "b")
    assert fault.area_m2 == pytest.approx(95.3 * 1108.8, rel=0.01)
    sliver = box(121.41 - 1e-8, 31.20, 121.42, 31.21)
    assert check_grids(layer([LEFT, sliver], ["a", "b"])) == []
    assert len(check_grids(layer([LEFT, sliver], ["a", "b"]), sliver_m2=0.1)) == 1


def test_an_area_of_nothing_is_a_fault_with_its_row():
    line = box(121.43, 31.20, 121.43 + 1e-12, 31.21)
    assert line.is_valid and line.area > 0
    (fault,) = check_grids(layer([LEFT, line, RIGHT], ["a", "b", "c"]))
    assert (fault.code, fault.rows, fault.grids, fault.area_m2) == ("no_area", (1,), ("b",), 0.0)
    square_metre = box(121.43, 31.20, 121.43 + 1.1e-5, 31.20 + 1e-5)
    assert check_grids(layer([LEFT, square_metre], ["a", "b"])) == []


def test_an_empty_layer_is_a_fault():
    assert check_grids(layer([], [])) == [GridFault("empty_layer")]


def test_points_get_the_lowest_code_on_a_border_and_none_outside():
    points = gpd.GeoDataFrame(
        geometry=[Point(121.405, 31.205), Point(121.41, 31.205), Point(121.5, 31.2), None],
        index=list("wxyz"),
        crs=4326,
    )
    found = assign_grids(points, layer([LEFT, RIGHT], ["b", "a"]))
    assert found.to_dict() == {"w": "b", "x": "a", "y": None, "z": None}
    assert list(points.columns) == ["geometry"]


def test_unusable_layers_are_refused():
    points = gpd.GeoDataFrame(geometry=[Point(0, 0)], crs=4326)
    with pytest.raises(GridError, match="bad_codes"):
        assign_grids(points, layer([LEFT, RIGHT], ["a", "a"]))
    with pytest.raises(GridError, match="not_points"):
        assign_grids(layer([LEFT], ["a"]), layer([LEFT], ["a"]))
    with pytest.raises(FrameError, match="missing_columns"):
        check_grids(points)


def test_long_borders_that_lack_a_neighbours_vertex_are_no_overlap():
    shapes = [
        box(121.2, 40.29, 121.28, 40.3),
        box(121.2, 40.3, 121.24, 40.31),
        box(121.24, 40.3, 121.28, 40.31),
    ]
    long = gpd.GeoDataFrame({"grid_code": ["a", "b", "c"]}, geometry=shapes, crs=4326)
    south = long.set_geometry(long.scale(1, -1, origin=(121.24, 40.3)))
    metres = frame_metric_crs(long)
    drawn_in_metres = long.to_crs(metres).assign(
        geometry=[box(0, 0, 6000, 900), box(0, 900, 3000, 2000), box(3000, 900, 6000, 2000)]
    )
    drawn_in_metres = drawn_in_metres.set_geometry(drawn_in_metres.translate(600_000, 4_460_000))
    for layer_ in (long, south, drawn_in_metres.to_crs(4326)):
        assert check_grids(layer_) == []
    wider = long.set_geometry([box(121.2, 40.29, 121.28, 40.30002), *shapes[1:]])
    assert {fault.code for fault in check_grids(wider)} == {"overlap"}
