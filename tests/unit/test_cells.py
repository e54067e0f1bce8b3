"""Analysis cells cover a district, say that they are not official, and count each point once."""

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import Point, box

from geo.errors import FrameError, GridError
from geo.grid.cells import CellKind, count_points, make_cells

AREA = gpd.GeoDataFrame(
    {"grid_code": ["1", "2"]},
    geometry=[box(121.2, 40.3, 121.21, 40.31), box(121.21, 40.3, 121.22, 40.31)],
    crs=4326,
)


@pytest.mark.parametrize(("kind", "size"), [("square", 250), ("h3", 9)])
def test_cells_cover_the_area_and_are_marked(kind, size):
    cells = make_cells(AREA, kind=kind, size=size)
    assert cells.index.is_unique and not cells["official"].any() and set(cells["kind"]) == {kind}
    assert cells.union_all().buffer(1e-9).contains(AREA.union_all())
    assert cells.crs.to_epsg() == 4326
    if kind == "square":
        assert cells["area_m2"].to_numpy() == pytest.approx(62_500, rel=1e-6)
    else:
        assert 60_000 < cells["area_m2"].min() <= cells["area_m2"].max() < 130_000


def test_squares_of_two_layers_agree():
    one = make_cells(AREA, kind=CellKind.SQUARE, size=300)
    part = make_cells(AREA.iloc[:1].set_geometry(AREA.iloc[:1].geometry), kind="square", size=300)
    shared = one.index.intersection(part.index)
    assert len(shared) == len(part)


@pytest.mark.parametrize(("kind", "size"), [("square", 200), ("h3", 10)])
def test_every_point_counts_once(kind, size):
    random = np.random.default_rng(2)
    points = [Point(*p) for p in random.uniform((121.2, 40.3), (121.22, 40.31), (300, 2))]
    cells = make_cells(AREA, kind=kind, size=size)
    corner = Point(cells.geometry.iloc[3].exterior.coords[0])
    frame = gpd.GeoDataFrame(geometry=[*points, corner, None, Point(100, 10)], crs=4326)
    assert count_points(cells, frame).sum() == 301


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"kind": "circle", "size": 100}, "unknown_cell_kind"),
        ({"kind": "square", "size": 5}, "bad_cell_size"),
        ({"kind": "h3", "size": 8.5}, "bad_cell_size"),
        ({"kind": "h3", "size": 13}, "bad_cell_size"),
    ],
)
def test_impossible_cells_are_named(options, code):
    with pytest.raises(GridError) as caught:
        make_cells(AREA, **options)
    assert caught.value.code == code


def test_too_many_cells_are_refused_before_they_are_made():
    wide = gpd.GeoDataFrame(geometry=[box(110, 30, 120, 40)], crs=4326)
    for options in ({"kind": "square", "size": 20}, {"kind": "h3", "size": 12}):
        with pytest.raises(GridError) as caught:
            make_cells(wide, **options)
        assert caught.value.code == "too_many_cells"
    with pytest.raises(FrameError):
        make_cells(AREA.to_crs(4549), kind="square", size=200)
