"""Packed and broken layer files: unpacked when honest, refused by name when not."""

import struct
import zipfile

import geopandas as gpd
import pytest
from shapely.geometry import LineString, Point

from geo.errors import FormatError
from geo.formats.archives import unpack
from geo.formats.read import read_layer
from geo.formats.shapefiles import find_encoding

FRAME = gpd.GeoDataFrame(
    {"名称": ["网格一", "网格二"]}, geometry=[Point(121.4, 31.2), Point(121.5, 31.3)], crs=4326
)


def code_of(path, **options):
    with pytest.raises(FormatError) as caught:
        read_layer(path, **{"source_crs": "wgs84", **options})
    return caught.value.code


def pack(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def shapefile(folder, encoding="gbk", *, cpg=True):
    path = folder / "a.shp"
    FRAME.to_file(path, encoding=encoding)
    if not cpg:
        (folder / "a.cpg").unlink()
        table = bytearray((folder / "a.dbf").read_bytes())
        table[29] = 0
        (folder / "a.dbf").write_bytes(bytes(table))
    return path


def test_kmz_and_zipped_shapefiles_are_read(tmp_path):
    FRAME.to_file(tmp_path / "doc.kml", driver="KML")
    kmz = pack(
        tmp_path / "a.kmz", {"doc.kml": (tmp_path / "doc.kml").read_bytes(), "icons/i.png": b"\x89PNG"}
    )
    assert len(read_layer(kmz, source_crs="wgs84")) == 2
    path = shapefile(tmp_path)
    parts = {f"层/{p.name}": p.read_bytes() for p in tmp_path.iterdir() if p.stem == path.stem and p != kmz}
    back = read_layer(pack(tmp_path / "b.zip", parts), source_crs="wgs84")
    assert list(back["名称"]) == ["网格一", "网格二"]


@pytest.mark.parametrize(
    ("encoding", "cpg", "told"),
    [("gbk", True, "cpg"), ("gbk", False, "detected"), ("utf-8", False, "detected"), ("utf-8", True, "cpg")],
)
def test_the_encoding_is_found_and_shown(tmp_path, encoding, cpg, told):
    back = read_layer(shapefile(tmp_path, encoding, cpg=cpg), source_crs="wgs84")
    assert list(back["名称"]) == ["网格一", "网格二"]
    assert back.attrs["encoding"][1] == told


def test_a_driver_id_or_the_stated_encoding_decides(tmp_path):
    path = shapefile(tmp_path, cpg=False)
    table = bytearray((tmp_path / "a.dbf").read_bytes())
    table[29] = 0x4D
    (tmp_path / "a.dbf").write_bytes(bytes(table))
    assert find_encoding(path, None).told_by == "driver_id"
    assert find_encoding(path, "GBK").told_by == "stated"
    assert code_of(path, encoding="klingon") == "unknown_encoding"


@pytest.mark.parametrize("gone", [".dbf", ".shx"])
def test_a_shapefile_without_its_companions_is_refused(tmp_path, gone):
    path = shapefile(tmp_path)
    path.with_suffix(gone).unlink()
    assert code_of(path) == "missing_companions"


def test_a_bomb_is_refused_before_it_grows(tmp_path):
    bomb = pack(tmp_path / "a.kmz", {"doc.kml": b"<kml>" + b" " * 20_000_000})
    assert code_of(bomb) == "zip_bomb"
    many = pack(tmp_path / "b.zip", {f"{n}.txt": b"x" for n in range(500)})
    assert code_of(many) == "zip_bomb"


def test_a_directory_that_lies_about_sizes_is_caught_while_unpacking(tmp_path):
    random = bytes((n * n) % 251 for n in range(400_000))
    path = pack(tmp_path / "a.zip", {"a.shp": random})
    raw = bytearray(path.read_bytes())
    at = raw.rindex(b"PK\x01\x02")
    raw[at + 24 : at + 28] = struct.pack("<I", 1000)
    path.write_bytes(bytes(raw))
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(FormatError) as caught:
        unpack(path, folder, suffixes=(".shp",), most_bytes=2000)
    assert caught.value.code in ("zip_bomb", "unreadable")
    assert sum(p.stat().st_size for p in folder.iterdir()) <= 2000


def test_names_that_climb_out_stay_inside(tmp_path):
    path = pack(tmp_path / "a.kmz", {"../../evil.kml": b"<kml/>"})
    folder = tmp_path / "out"
    folder.mkdir()
    assert unpack(path, folder, suffixes=(".kml",)).parent == folder
    assert not (tmp_path.parent / "evil.kml").exists()


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.kmz", b"PK\x03\x04 broken", "unreadable"),
        ("b.kml", b'<!DOCTYPE k [<!ENTITY a "aaaa">]><kml>&a;</kml>', "unreadable"),
        ("c.gpx", b"<html></html>", "unreadable"),
        ("d.shp", b"\x00\x00\x27\x0a" + b"\x00" * 100, "missing_companions"),
    ],
)
def test_broken_files_are_named(tmp_path, name, content, code):
    (tmp_path / name).write_bytes(content)
    assert code_of(tmp_path / name) == code


def test_archives_without_one_layer_are_refused(tmp_path):
    assert code_of(pack(tmp_path / "a.zip", {"readme.txt": b"x"})) == "no_layer_inside"
    assert code_of(pack(tmp_path / "b.kmz", {"a.kml": b"<kml/>", "b.kml": b"<kml/>"})) == "several_layers"
    assert code_of(pack(tmp_path / "c.zip", {"x/a.shp": b"1", "y/a.shp": b"2"})) == "several_layers"


def test_an_encrypted_archive_is_named(tmp_path):
    path = pack(tmp_path / "a.zip", {"a.shp": b"x"})
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(raw))
    assert code_of(path) == "encrypted"


def test_heights_are_left_out_and_told(tmp_path):
    path = tmp_path / "a.geojson"
    gpd.GeoDataFrame(geometry=[Point(121, 31, 5)], crs=4326).to_file(path, driver="GeoJSON")
    back = read_layer(path, source_crs="wgs84")
    assert back.attrs["flattened"] and not back.has_z.any()


def test_a_layer_round_the_world_is_no_district(tmp_path):
    path = tmp_path / "a.geojson"
    gpd.GeoDataFrame(geometry=[Point(179.9, 31), Point(-179.9, 31)], crs=4326).to_file(path, driver="GeoJSON")
    assert code_of(path) == "crosses_antimeridian"


def test_tracks_of_a_receiver_are_read(tmp_path):
    frame = gpd.GeoDataFrame({"name": ["夜查"]}, geometry=[LineString([(121, 31), (121.1, 31.1)])], crs=4326)
    path = tmp_path / "a.gpx"
    frame.to_file(path, driver="GPX", layer="tracks", geometry_type="MultiLineString", promote_to_multi=True)
    assert read_layer(path, source_crs="wgs84")["name"][0] == "夜查"
