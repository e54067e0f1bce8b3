"""Damaged layers of every kind: read, or refused by name; nothing but a GeoError comes out."""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from data.store import Store
from geo.errors import GeoError
from geo.formats.read import read_layer
from geo.grid.layer import import_grids, read_grids
from tests.conftest import NOW, TODAY
from tests.harm import HARM, Harm, harmed

NUMBER = st.one_of(
    st.sampled_from([121.0, 121.01, 31.0, 31.01, 0, -1e300, None, "121", float("nan"), float("inf"), [], {}]),
    st.floats(121, 121.1),
)
NESTED = st.recursive(st.lists(NUMBER, max_size=4), lambda inner: st.lists(inner, max_size=5), max_leaves=12)
RINGS = st.lists(st.lists(st.tuples(st.floats(121, 121.1), st.floats(31, 31.1)), max_size=5), max_size=3)
SHAPE: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.sampled_from([1, "x", [], {}]),
    st.builds(
        lambda kind, parts: {"type": kind, "coordinates": parts},
        st.sampled_from(["Point", "LineString", "Polygon", "MultiPolygon", "GeometryCollection", "Circle"]),
        st.one_of(NESTED, RINGS),
    ),
    st.builds(lambda parts: {"type": "Polygon", "coordinates": parts}, RINGS),
)
RING = [[121, 31], [121.01, 31], [121.01, 31.01], [121, 31]]
SOUND = {"type": "Polygon", "coordinates": [RING]}
KINDS = [".geojson", ".gpkg", ".kml", ".kmz", ".gpx", ".shp", ".shx", ".dbf", ".zip", ".csv"]


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one small layer of each kind."""
    folder = tmp_path_factory.mktemp("samples")
    shapes = [box(121 + n / 100, 31, 121.01 + n / 100, 31.01) for n in range(3)]
    codes = [f"31010100100100{n}" for n in range(3)]
    frame = gpd.GeoDataFrame({"code": codes, "name": ["甲"] * 3, "d": [1.5] * 3}, geometry=shapes, crs=4326)
    for kind, driver in ((".geojson", "GeoJSON"), (".gpkg", "GPKG"), (".kml", "KML"), (".shp", None)):
        frame.to_file(folder / f"a{kind}", driver=driver, encoding="utf-8" if driver is None else None)
    points = gpd.GeoDataFrame(
        {"name": codes}, geometry=[shape.representative_point() for shape in shapes], crs=4326
    )
    points.to_file(folder / "a.gpx", driver="GPX", layer="waypoints")
    (folder / "a.csv").write_text(
        "code,lon,lat\n" + "".join(f"{code},121.0{n},31\n" for n, code in enumerate(codes))
    )
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        for suffix in (".shp", ".shx", ".dbf", ".prj"):
            archive.write(folder / f"a{suffix}", f"a{suffix}")
    with zipfile.ZipFile(folder / "a.kmz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "a.kml", "doc.kml")
    return folder


def write_features(path: Path, shapes: list[Any]) -> Path:
    """Write shapes, however broken, as features with grid codes."""
    features = [
        {"type": "Feature", "properties": {"code": f"3101010010010{n:02d}"}, "geometry": shape}
        for n, shape in enumerate(shapes)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(harm=HARM)
def test_a_harmed_file_is_read_or_refused(samples: Path, kind: str, harm: Harm) -> None:
    """Bytes changed anywhere and files cut anywhere end in a frame or in a GeoError."""
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GDAL says what it mends
        folder = Path(shutil.copytree(samples, Path(place) / "x"))
        sample = folder / f"a{kind}"
        sample.write_bytes(harmed(sample.read_bytes(), harm))
        asked = folder / ("a.shp" if kind in (".shx", ".dbf") else f"a{kind}")
        try:
            frame = read_layer(asked, source_crs="wgs84")
        except GeoError as refusal:
            assert refusal.fields
        else:
            assert frame.geometry.notna().all()


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shapes=st.lists(SHAPE, min_size=1, max_size=3))
def test_any_shape_is_read_or_refused(store: Store, shapes: list[Any]) -> None:
    """Whatever stands for a geometry in GeoJSON, the grid import takes it whole or names what is wrong."""
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = write_features(Path(place) / "a.geojson", [SOUND, *shapes])
        try:
            with store.begin(actor="clerk", now=NOW) as session:
                import_grids(session, path, source_crs="wgs84", today=TODAY)
                raise GeoError("only_tried")
        except GeoError as refusal:
            assert refusal.code


def polygon(rings: list[Any]) -> dict[str, Any]:
    """Return a polygon of GeoJSON."""
    return {"type": "Polygon", "coordinates": rings}


@pytest.mark.parametrize(
    ("shape", "code"),
    [
        (polygon([[[121, 31], [121.01, 31]]]), "broken_geometry"),
        (polygon([[[121, 31]]]), "broken_geometry"),
        (polygon([RING[:3]]), "broken_geometry"),
        (
            {"type": "Polygon", "coordinates": [*SOUND["coordinates"], [[121, 31], [121.1, 31]]]},
            "broken_geometry",
        ),
        ({"type": "LineString", "coordinates": [[121, 31]]}, "broken_geometry"),
        (polygon([]), "missing_geometry"),
        (polygon([[["121", "31"]]]), "missing_geometry"),
        (None, "missing_geometry"),
        ({"type": "GeometryCollection", "geometries": [SOUND]}, "mixed_types"),
        (
            {"type": "Polygon", "coordinates": [[[1e300, 31], [121, 1e308], [121, 31], [1e300, 31]]]},
            "out_of_range",
        ),
    ],
)
def test_a_broken_shape_names_its_row(tmp_path: Path, shape: Any, code: str) -> None:
    """What no library can build, or nobody can place, is told by the number of its feature."""
    path = write_features(tmp_path / "a.geojson", [SOUND, shape])
    with pytest.raises(GeoError) as refusal, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read_grids(path, source_crs="wgs84")
    assert refusal.value.code == code
    assert refusal.value.fields.get("rows", [2]) == [2]


def test_words_for_coordinates_are_no_place_in_the_gulf_of_guinea(tmp_path: Path) -> None:
    """GDAL reads lat="a" as 0; we do not."""
    path = tmp_path / "a.gpx"
    path.write_text(
        '<gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1"><wpt lat="a" lon="b"/></gpx>'
    )
    with pytest.raises(GeoError) as refusal:
        read_layer(path, source_crs="wgs84")
    assert refusal.value.code == "bad_coordinates"
