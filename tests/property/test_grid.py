"""Each point lies in exactly one grid of a partition, or outside all of them."""

import geopandas as gpd
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, box

from geo.grid.assign import assign_grids, check_grids

WEST, SOUTH, SIDE = 121.0, 31.0, 0.25  # binary fractions, so that shared borders are exact


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 4),
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(-2, 18), st.integers(-2, 18)), min_size=1, max_size=20),
    st.randoms(use_true_random=False),
)
def test_exactly_one_grid_or_outside(columns, rows, steps, random):
    cells = [
        box(WEST + i * SIDE, SOUTH + j * SIDE, WEST + (i + 1) * SIDE, SOUTH + (j + 1) * SIDE)
        for i in range(columns)
        for j in range(rows)
    ]
    codes = [f"{n:03d}" for n in range(len(cells))]
    random.shuffle(codes)
    grids = gpd.GeoDataFrame({"grid_code": codes}, geometry=cells, crs=4326)
    assert check_grids(grids) == []
    # Quarter steps land on borders and corners as often as inside.
    points = gpd.GeoDataFrame(
        geometry=[Point(WEST + x * SIDE / 4, SOUTH + y * SIDE / 4) for x, y in steps], crs=4326
    )
    found = assign_grids(points, grids)
    for point, code in zip(points.geometry, found, strict=True):
        touching = sorted(c for c, cell in zip(codes, cells, strict=True) if shapely.intersects(cell, point))
        assert code == (touching[0] if touching else None)
