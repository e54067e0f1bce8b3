"""Datum shifts against published values, and the choice of the metric CRS."""

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import Point

from geo import crs, sources
from geo.errors import CrsError, FrameError

# WGS-84 -> GCJ-02 -> BD-09, computed by two independent libraries that agree to 1e-8 degrees.
CHAINS = [
    ((123.4315, 41.8057), (123.43763569772108, 41.80812804290693), (123.44422237352742, 41.81390843999759)),
    ((122.9946, 41.1086), (123.00010095337244, 41.11052036071254), (123.00646769471511, 41.116886037302095)),
]


@pytest.mark.parametrize(("wgs", "gcj", "bd"), CHAINS)
def test_chain_matches_two_libraries(wgs, gcj, bd):
    assert crs.from_wgs84(*wgs, "gcj02") == pytest.approx(gcj, abs=1e-8)
    assert crs.from_wgs84(*wgs, "bd09") == pytest.approx(bd, abs=1e-8)
    assert crs.to_wgs84(*gcj, "gcj02") == pytest.approx(wgs, abs=1e-8)
    assert crs.to_wgs84(*bd, crs.SourceCrs.BD09) == pytest.approx(wgs, abs=1e-8)


def test_published_values_of_one_point():
    assert crs.wgs84_to_gcj02(116.404, 39.915) == pytest.approx(
        (116.41024449916938, 39.91640428150164), abs=1e-8
    )
    assert crs.gcj02_to_bd09(116.404, 39.915) == pytest.approx(
        (116.41036949371029, 39.92133699351021), abs=1e-8
    )
    closed = crs.bd09_to_gcj02(116.404, 39.915, corrections=0)
    assert closed == pytest.approx((116.39762729119315, 39.90865673957631), abs=1e-8)
    inverse = crs.gcj02_to_wgs84(116.404, 39.915)
    assert inverse == pytest.approx((116.3977557546871, 39.91359623568433), abs=1e-8)


def test_no_box_round_the_country():
    lon, _ = crs.from_wgs84(126.978, 37.5665, "gcj02")
    assert abs(float(lon) - 126.978) > 1e-4


def test_epsg_codes_go_through_pyproj_with_easting_first():
    x, y = crs.from_wgs84(123.9, 41.87, 4550)
    assert (float(x), float(y)) == pytest.approx((574_700, 4_637_000), abs=2_000)
    assert crs.to_wgs84(x, y, "EPSG:4550") == pytest.approx((123.9, 41.87), abs=1e-8)


@pytest.mark.parametrize(
    ("lon", "lat", "epsg"),
    [
        (123.4, 41.8, 4550),
        (121.47, 31.2, 4549),
        (120.0, 30.0, 4549),
        (126.6, 45.0, 4551),
        (75.0, 39.0, 4534),
        (135.0, 48.0, 4554),
        (2.35, 48.85, 32631),
        (-58.4, -34.6, 32721),
        (180.0, 10.0, 32660),
    ],
)
def test_metric_crs_follows_the_longitude(lon, lat, epsg):
    assert crs.metric_crs(lon, lat=lat).to_epsg() == epsg


def test_two_kilometres_stay_two_kilometres():
    ends = crs.project_xy([123.9, 123.9], [41.87, 41.888], crs.metric_crs(123.9))
    assert np.hypot(*(ends[1] - ends[0])) == pytest.approx(1998, abs=2)


def test_projection_returns_to_the_same_point():
    zone = crs.metric_crs(121.4)
    lon, lat = crs.unproject_xy(crs.project_xy([121.4, 121.5], [31.2, 31.3], zone), zone)
    assert lon == pytest.approx([121.4, 121.5], abs=1e-9)
    assert lat == pytest.approx([31.2, 31.3], abs=1e-9)


def test_missing_coordinates_stay_missing():
    lon, lat = crs.to_wgs84([np.nan, 121.0], [np.nan, 31.0], "gcj02")
    assert np.isnan(lon[0])
    assert np.isfinite(lat[1])


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (([200.0], [10.0], "wgs84"), "out_of_range"),
        (([1.0, 2.0], [1.0], "wgs84"), "shape_mismatch"),
        (([1.0], [1.0], "mars"), "unknown_crs"),
        (([31.2], [121.4], "gcj02"), "out_of_range"),
    ],
)
def test_unusable_input_is_named(args, code):
    with pytest.raises(CrsError) as caught:
        crs.to_wgs84(*args)
    assert caught.value.code == code


def test_frames_are_projected_on_the_same_index():
    frame = gpd.GeoDataFrame(
        {"id": [1, 2]}, geometry=[Point(121.4, 31.2), Point(121.5, 31.2)], crs=4326, index=["a", "b"]
    )
    metres = crs.to_metric(frame)
    assert list(metres.index) == ["a", "b"]
    assert metres.crs.to_epsg() == 4549
    assert frame.crs.to_epsg() == 4326


def test_a_frame_without_crs_or_columns_is_refused():
    bare = gpd.GeoDataFrame(geometry=[Point(0, 0)])
    with pytest.raises(FrameError, match="frame_crs"):
        crs.check_frame(bare)
    with pytest.raises(FrameError) as caught:
        crs.check_frame(bare.set_crs(4326), "a", "b")
    assert caught.value.fields["columns"] == ["a", "b"]
    with pytest.raises(FrameError, match="empty_frame"):
        crs.to_metric(gpd.GeoDataFrame(geometry=[], crs=4326))


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("GCJ-02", "gcj02"),
        (" BD 09", "bd09"),
        ("WGS-84", "wgs84"),
        ("CGCS2000", "wgs84"),
        ("EPSG:4490", "wgs84"),
        ("4550", "EPSG:4550"),
        ("epsg:4550", "EPSG:4550"),
        ("foo ", "foo"),
    ],
)
def test_a_source_has_one_spelling(written, name):
    assert sources.name_source(written) == name


@pytest.mark.parametrize(
    ("x", "y"), [(121.2, 40.3), (40_601_000.0, 4_461_000.0), (1_971_000.0, 14_636_000.0)]
)
def test_degrees_zone_numbers_and_feet_are_no_metres_of_a_zone(x, y):
    with pytest.raises(CrsError) as caught:
        crs.to_wgs84([x], [y], "EPSG:4549")
    assert caught.value.code == "out_of_range"
    assert np.isnan(sources.row_to_wgs84([x], [y], "EPSG:4549")).all()
    assert crs.to_wgs84([601_000.0], [4_461_000.0], "EPSG:4549")[0] == pytest.approx([121.19], abs=0.01)
