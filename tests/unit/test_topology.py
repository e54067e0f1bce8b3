"""Topology of a grid layer: every kind of fault is found where it lies, real layers are sound."""

from pathlib import Path

import geopandas as gpd
import pytest
from shapely.affinity import translate
from shapely.geometry import MultiPolygon, Polygon, box

from geo.formats.read import read_layer
from geo.grid.topology import find_issues

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "grids"
KM = 1000.0


def layer(**shapes):
    """Make a layer from shapes in metres round a middle meridian."""
    moved = [translate(shape, 500_000, 4_400_000) for shape in shapes.values()]
    return gpd.GeoDataFrame({"grid_code": list(shapes)}, geometry=moved, crs=4549).to_crs(4326)


def kinds(**shapes):
    issues = find_issues(layer(**shapes))
    return sorted(zip(issues["kind"], issues["grids"], strict=True))


def test_a_tiling_is_sound():
    assert kinds(a=box(0, 0, KM, KM), b=box(KM, 0, 2 * KM, KM)) == []


def test_gap_overlap_and_crack():
    a, b = box(0, 0, KM, KM), box(KM, 0, 2 * KM, KM)
    assert kinds(a=a, b=box(KM - 5, 0, 2 * KM, KM)) == [("overlap", "a b")]
    assert kinds(a=a, b=box(KM + 0.6, 0, 2 * KM, KM)) == [("gap", "a b")]
    ring = Polygon(box(0, 0, KM, KM).exterior, [box(400, 400, 600, 600).exterior])
    issues = find_issues(layer(a=ring, b=b))
    assert list(issues["kind"]) == ["gap"]
    assert issues["area_m2"][0] == pytest.approx(40_000, rel=0.01)
    assert issues.crs.to_epsg() == 4326 and layer(a=ring).union_all().envelope.contains(issues.geometry[0])


def test_exclaves_parts_slivers_and_enclosed_areas():
    a, b = box(0, 0, KM, KM), box(KM, 0, 2 * KM, KM)
    hole = Polygon(b.exterior, [box(1400, 400, 1600, 600).exterior])
    exclave = MultiPolygon([a, box(1400, 400, 1600, 600)])
    assert kinds(a=exclave, b=hole) == [("exclave", "a")]
    assert kinds(a=MultiPolygon([a, box(0, 3 * KM, 500, 3500)]), b=b) == [("multi_part", "a")]
    assert kinds(a=a, b=hole, c=box(1400, 400, 1600, 600)) == [("enclosed", "b c")]
    strip = MultiPolygon([a, box(0, 1500, KM, 1503)])
    assert kinds(a=strip, b=b) == [("sliver", "a")]


@pytest.mark.reference
@pytest.mark.skipif(not REFERENCE.exists(), reason="../shared/reference/grids is not here")
def test_real_subdistricts_tile_their_districts():
    frame = read_layer(REFERENCE / "beijing_dongcheng_xicheng_32.gpkg", source_crs="wgs84")
    frame["grid_code"] = frame["code9"]
    assert find_issues(frame).empty
    broken = frame.copy()
    broken.loc[0, "geometry"] = translate(broken.geometry[0], 0.0005, 0)
    found = find_issues(broken)
    assert {"overlap"} <= set(found["kind"]) and found["grids"].str.contains(frame["code9"][0]).all()


def test_an_area_that_borders_on_no_other_is_an_exclave():
    here, beside, apart = box(0, 0, 100, 100), box(100, 0, 200, 100), box(300, 0, 400, 100)
    assert kinds(a=here, b=beside) == []
    assert kinds(a=here, b=beside, c=apart) == [("exclave", "c")]
    assert kinds(a=here) == []
