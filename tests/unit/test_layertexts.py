"""Texts of layers: encodings declared and not, field names GDAL spoils, texts cut in half; never mojibake."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import geopandas as gpd
import pytest
from shapely.geometry import Polygon, box, shape

from geo.errors import CrsError, FormatError
from geo.formats.read import read_layer
from geo.formats.write import write_layer

AREA = box(121, 31, 121.01, 31.01)
FRAME = gpd.GeoDataFrame({"code": ["310101001001"], "name": ["中心网格"]}, geometry=[AREA], crs=4326)
KML = (
    '<?xml version="1.0" encoding="{}"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><name>甲</name>'
    '<ExtendedData><Data name="网格编码"><value>310101001001</value></Data>'
    '<Data name="街道"><value>和平街道</value></Data></ExtendedData><Polygon><outerBoundaryIs><LinearRing>'
    "<coordinates>121,31 121.01,31 121.01,31.01 121,31</coordinates></LinearRing></outerBoundaryIs></Polygon>"
    "</Placemark></Document></kml>"
)


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [("UTF-8", "utf-8"), ("GBK", "gbk"), ("UTF-8", "gbk"), ("gb2312", "utf-8"), ("UTF-16", "utf-16")],
)
def test_kml_in_any_encoding_keeps_its_field_names(tmp_path: Path, declared: str, encoding: str) -> None:
    """Whatever the first line says; two Chinese names of one length stay two columns."""
    path = tmp_path / "a.kml"
    path.write_bytes(KML.format(declared).encode(encoding))
    row = read_layer(path, source_crs="wgs84").iloc[0]
    assert (row["Name"], row["网格编码"], row["街道"]) == ("甲", "310101001001", "和平街道")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_geojson_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    """Some systems write GBK where only UTF-8 is allowed."""
    text = json.dumps(json.loads(FRAME.to_json()), ensure_ascii=False)
    (tmp_path / "a.geojson").write_bytes(text.encode(encoding))
    assert read_layer(tmp_path / "a.geojson", source_crs="wgs84")["name"][0] == "中心网格"


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
@pytest.mark.parametrize("page", [None, "UTF-8", "GBK", "936"])
def test_a_shapefile_whose_page_is_wrong_is_read_rightly(
    tmp_path: Path, encoding: str, page: str | None
) -> None:
    """UTF-8 without a .cpg, and a .cpg of another encoding; nothing is warned of on a clerk's screen."""
    FRAME.to_file(tmp_path / "s.shp", encoding=encoding)
    (tmp_path / "s.cpg").unlink()
    if page is not None:
        (tmp_path / "s.cpg").write_text(page)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = read_layer(tmp_path / "s.shp", source_crs="wgs84")
    assert read["name"][0] == "中心网格"
    assert read.attrs["cut"] == []


def test_a_text_cut_inside_a_character_is_named(tmp_path: Path) -> None:
    """A field is so many bytes wide: the broken character goes, row and column are told."""
    FRAME.to_file(tmp_path / "s.shp", encoding="utf-8")
    body = (tmp_path / "s.dbf").read_bytes()
    cut = "中心网格".encode()[:-1]
    (tmp_path / "s.dbf").write_bytes(body.replace("中心网格".encode(), cut + b" "))
    read = read_layer(tmp_path / "s.shp", source_crs="wgs84")
    assert (read["name"][0], read.attrs["cut"]) == ("中心网", [(1, "name")])


def test_texts_in_another_encoding_than_stated_are_refused(tmp_path: Path) -> None:
    """Stated by the person who imports, so it is asked back instead of guessed."""
    FRAME.to_file(tmp_path / "s.shp", encoding="gbk")
    with pytest.raises(FormatError) as refusal:
        read_layer(tmp_path / "s.shp", source_crs="wgs84", encoding="utf-8")
    assert (refusal.value.code, refusal.value.fields["columns"]) == ("wrong_encoding", ["name"])


def test_a_local_grid_is_a_sentence(tmp_path: Path) -> None:
    """A survey's own coordinates tell no place on Earth."""
    FRAME.to_file(tmp_path / "s.shp", encoding="utf-8")
    (tmp_path / "s.prj").write_text('LOCAL_CS["某工程坐标系",UNIT["metre",1]]')
    with pytest.raises(CrsError, match="unknown_crs"):
        read_layer(tmp_path / "s.shp", source_crs="wgs84")


def test_geojson_leaves_as_the_standard_asks(tmp_path: Path) -> None:
    """Outer rings counter-clockwise, holes clockwise, no member crs."""
    hole = [(121.002, 31.002), (121.004, 31.002), (121.004, 31.004), (121.002, 31.004)]
    clockwise = Polygon(list(AREA.exterior.coords), [hole]).reverse()
    frame = gpd.GeoDataFrame({"name": ["甲", "乙"]}, geometry=[clockwise, None], crs=4326)
    body = json.loads(write_layer(frame, tmp_path / "a.geojson").read_text(encoding="utf-8"))
    assert "crs" not in body
    ring = shape(body["features"][0]["geometry"])
    assert ring.exterior.is_ccw
    assert not ring.interiors[0].is_ccw
    assert body["features"][1]["geometry"] is None
