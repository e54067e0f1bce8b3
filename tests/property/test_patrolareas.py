"""Patrol areas: every grid area in one, each connected, work shared out as evenly as the pieces allow."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.affinity import translate
from shapely.geometry import MultiPolygon, box

from geo.errors import GridError
from geo.grid.patrolareas import divide

KM = 1000.0


def district(columns, rows, *, island=False):
    """Make a checkered district of square kilometres, with an island on request."""
    shapes = [box(i * KM, j * KM, (i + 1) * KM, (j + 1) * KM) for i in range(columns) for j in range(rows)]
    if island:
        shapes.append(box(-3 * KM, 0, -2 * KM, KM))
    moved = [translate(shape, 500_000, 4_400_000) for shape in shapes]
    codes = [f"{n:012d}" for n in range(len(moved))]
    return gpd.GeoDataFrame({"grid_code": codes}, geometry=moved, crs=4549, index=codes).to_crs(4326)


@settings(max_examples=30, deadline=None)
@given(
    columns=st.integers(2, 5),
    rows=st.integers(2, 4),
    count=st.integers(1, 5),
    seed=st.integers(0, 9),
    island=st.booleans(),
    data=st.data(),
)
def test_every_grid_area_has_one_connected_patrol_area(columns, rows, count, seed, island, data):
    grids = district(columns, rows, island=island)
    count = min(count, len(grids))
    work = data.draw(st.lists(st.floats(0, 500), min_size=len(grids), max_size=len(grids)))
    series = pd.Series(work, index=grids.index)
    found = divide(grids, series, count=count, seed=seed, steps=1500)
    assert list(found.area.index) == list(grids.index)
    assert set(found.area) == set(range(1, count + 1))
    assert found.workload_min.sum() == pytest.approx(sum(work))
    # The island is a part of its own in whatever area it belongs to.
    assert found.parts.sum() <= count + island
    again = divide(grids, series, count=count, seed=seed, steps=1500)
    assert again.area.equals(found.area)


def test_equal_work_is_shared_equally_and_compactly():
    grids = district(6, 6)
    found = divide(grids, pd.Series(60.0, index=grids.index), count=4)
    assert found.imbalance == pytest.approx(0.0)
    metric = grids.to_crs(4549)
    for number in range(1, 5):
        assert metric[found.area == number].union_all().length <= 14 * KM


def test_numbers_run_from_north_to_south():
    grids = district(2, 8)
    found = divide(grids, pd.Series(10.0, index=grids.index), count=4)
    middles = grids.to_crs(4549).centroid.y.groupby(found.area).mean()
    assert list(middles.index) == [1, 2, 3, 4] and (np.diff(middles) < 0).all()


def test_an_exclave_goes_with_its_grid_area():
    grids = district(3, 2)
    metric = grids.to_crs(4549)
    far = translate(metric.geometry.iloc[0], 9 * KM, 0)
    metric.loc[metric.index[0], "geometry"] = MultiPolygon([metric.geometry.iloc[0], far])
    found = divide(metric.to_crs(4326), pd.Series(1.0, index=grids.index), count=2)
    assert sorted(found.parts) == [1, 2]


@pytest.mark.parametrize(
    ("count", "work", "code"),
    [
        (0, 1.0, "bad_area_count"),
        (9, 1.0, "bad_area_count"),
        (2, -1.0, "bad_workload"),
        (2, float("nan"), "bad_workload"),
    ],
)
def test_impossible_divisions_are_named(count, work, code):
    grids = district(2, 2)
    with pytest.raises(GridError) as caught:
        divide(grids, pd.Series(work, index=grids.index), count=count)
    assert caught.value.code == code
