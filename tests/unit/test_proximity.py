"""Nearest school, rings and counts in metres."""

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import LineString

from geo.crs import metric_crs, unproject_xy
from geo.errors import FrameError
from geo.proximity import near, nearest, ring_labels

ORIGIN = np.array([500_000.0, 3_450_000.0])


def at(*offsets, index=None, **columns):
    lon, lat = unproject_xy(ORIGIN + np.array(offsets, dtype=float), metric_crs(120.0))
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(lon, lat), index=index, crs=4326)


SCHOOLS = at((0, 0), (700, 0), index=["east", "west"])


def test_distances_are_metres_to_the_nearest_school():
    found = nearest(at((100, 0), (650, 0), (0, 3000), index=[5, 6, 7]), SCHOOLS)
    assert found["nearest"].tolist() == ["east", "west", "east"]
    assert found["nearest_m"].tolist() == pytest.approx([100, 50, 3000], abs=0.01)
    assert found.index.tolist() == [5, 6, 7]


def test_rings_counts_and_doubt():
    points = at((100, 0), (350, 0), (0, 990), (0, 3000), error_m=[30.0, 30.0, 30.0, np.nan])
    found = near(points, SCHOOLS, error_column="error_m")
    assert found["ring"].tolist() == ["0-200", "200-500", "500-1000", "1000+"]
    assert found["ring_sure"].tolist() == [True, True, False, False]
    assert found["within_200"].tolist() == [1, 0, 0, 0]
    assert found["within_500"].tolist() == [1, 2, 0, 0]
    assert found["within_1000"].tolist() == [2, 2, 1, 0]


def test_missing_points_and_missing_schools_give_no_distance():
    points = gpd.GeoDataFrame(geometry=[None, *at((0, 0)).geometry], crs=4326)
    found = near(points, SCHOOLS)
    assert found["ring"].tolist() == [None, "0-200"]
    assert np.isnan(found["nearest_m"][0])
    assert not found["ring_sure"][0]
    nowhere = near(points, SCHOOLS.iloc[:0])
    assert nowhere["ring"].tolist() == [None, None]
    assert nowhere["within_200"].tolist() == [0, 0]


def test_a_street_is_an_anchor_too():
    street = gpd.GeoDataFrame(
        geometry=[LineString(at((0, 0), (1000, 0)).geometry.tolist())], index=["步行街"], crs=4326
    )
    assert nearest(at((500, 40)), street)["nearest_m"][0] == pytest.approx(40, abs=0.1)


@pytest.mark.parametrize("radii", [(), (500, 200), (0, 200), (200, 200)])
def test_radii_must_ascend(radii):
    with pytest.raises(FrameError, match="bad_radii"):
        near(SCHOOLS, SCHOOLS, radii_m=radii)


def test_ring_names():
    assert ring_labels((200, 500)) == ("0-200", "200-500", "500+")
