"""Layer files in: what is declared is converted, what is doubtful is refused with a code."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import shapely

from data.register.celltext import unguard
from geo.crs import WGS84_EPSG, SourceCrs, to_wgs84
from geo.errors import CrsError, FormatError
from geo.formats.archives import unpack
from geo.formats.shapefiles import BYTES, Encoding, check_companions, find_encoding, read_texts
from geo.formats.texts import SUFFIXES, make_readable
from geo.sources import is_same_crs

MAX_BYTES = 100 * 1024 * 1024
_LON_NAMES = ("经度", "lon", "lng", "longitude", "x", "lon_gcj02")
_LAT_NAMES = ("纬度", "lat", "latitude", "y", "lat_gcj02")
_GEOGRAPHIC = (WGS84_EPSG, 4490)  # CGCS2000 equals WGS-84 at patrol scale
_FAMILY = {"Point": "point", "LineString": "line", "LinearRing": "line", "Polygon": "polygon"}
_LISTED = 20  # rows named in an error
_UNREADABLE = (
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
    pyproj.exceptions.CRSError,
    ValueError,
    LookupError,
    OverflowError,
    RecursionError,
    MemoryError,
    OSError,
)


def read_layer(
    path: Path | str,
    *,
    source_crs: SourceCrs | str | int,
    layer: str | None = None,
    encoding: str | None = None,
    max_bytes: int = MAX_BYTES,
) -> gpd.GeoDataFrame:
    """Read a layer file into a WGS-84 frame.

    Parameters
    ----------
    path : Path or str
        A .geojson/.json, .gpkg, .shp, .kml, .kmz, .gpx or .csv file (csv with columns such as 经度, 纬度), or
        a .zip that holds one shapefile.
    source_crs : SourceCrs, str or int
        Datum of coordinates in degrees; a file that declares a projected CRS is converted from that one.
    layer : str, optional
        Layer of a file with several.
    encoding : str, optional
        Text encoding of a shapefile or csv; else what a shapefile declares, UTF-8, or GB18030 where UTF-8 is
        impossible.
    max_bytes : int
        Largest file accepted.

    Returns
    -------
    GeoDataFrame
        Rows in file order, RangeIndex, WGS-84. ``attrs`` says what was found: ``declared_crs``, ``encoding``
        (name and who told it), ``flattened`` (heights were left out) and ``cut`` (row, from 1, and column of
        the texts of a shapefile that end inside a character).

    Raises
    ------
    FormatError
        ``not_found``, ``wrong_type``, ``file_too_large``, ``empty``, ``unreadable``, ``several_layers``,
        ``no_geometry``, ``no_coordinates``, ``bad_coordinates``, ``missing_geometry``, ``broken_geometry`` (a
        ring of two points, a ring left open), ``mixed_types`` (collections too), ``crs_conflict``,
        ``swapped_lon_lat``, ``out_of_range``, ``crosses_antimeridian``, ``missing_companions``,
        ``unknown_encoding``, ``zip_bomb``, ``encrypted``, ``no_layer_inside``.
    CrsError
        ``unknown_crs``.
    """
    file = Path(path)
    kind = file.suffix.lower()
    if kind not in _SIGNATURES:
        raise FormatError("wrong_type", suffix=kind, accepted=sorted(_SIGNATURES))
    if not file.is_file():
        raise FormatError("not_found", name=file.name)
    size = file.stat().st_size
    if size > max_bytes:
        raise FormatError("file_too_large", name=file.name, size=size, limit=max_bytes)
    if size == 0:
        raise FormatError("empty", name=file.name)
    if kind in _ARCHIVES:
        with tempfile.TemporaryDirectory(prefix="layer-") as folder:
            inner = unpack(file, Path(folder), suffixes=_ARCHIVES[kind])
            frame = _read_text(inner, layer) if kind == ".kmz" else _read_vector(inner, layer, encoding)
    elif kind == ".csv":
        frame = _read_csv(file, encoding)
    elif kind in SUFFIXES:
        frame = _read_text(file, layer)
    else:
        frame = _read_vector(file, layer, encoding)
    if len(frame) == 0:
        raise FormatError("empty", name=file.name)
    _check_shapes(frame, file)
    return _as_wgs84(frame, source_crs, file.name)


# First bytes of each kind: GDAL would else open whatever the content says, remote references included.
_SIGNATURES: dict[str, tuple[bytes, ...]] = {
    ".geojson": (b"{",),
    ".json": (b"{",),
    ".gpkg": (b"SQLite format 3\x00",),
    ".shp": (b"\x00\x00\x27\x0a",),
    ".kml": (b"<",),
    ".gpx": (b"<",),
    ".kmz": (b"PK\x03\x04",),
    ".zip": (b"PK\x03\x04",),
    ".csv": (b"",),
}
_ARCHIVES = {".kmz": (".kml",), ".zip": (".shp",)}
_XML_MARKS = {".kml": b"<kml", ".gpx": b"<gpx"}


def _read_text(file: Path, layer: str | None) -> gpd.GeoDataFrame:
    """Read a layer that is text, in whatever encoding, under the field names it has."""
    with tempfile.TemporaryDirectory(prefix="layer-") as folder:
        readable, names = make_readable(file, Path(folder))
        try:
            frame = _read_vector(readable, layer, None)
        except FormatError as error:
            raise FormatError(error.code, **{**error.fields, "name": file.name}) from error
    found = frame.attrs
    frame = frame.rename(columns=names)
    frame.attrs = found
    return frame


def _read_vector(file: Path, layer: str | None, encoding: str | None) -> gpd.GeoDataFrame:
    with file.open("rb") as stream:
        start = stream.read(4096)
    kind = file.suffix.lower()
    told: Encoding | None = None
    bare = start.removeprefix(b"\xef\xbb\xbf").lstrip() if kind not in (".gpkg", ".shp") else start
    if not bare.startswith(_SIGNATURES[kind]) or _XML_MARKS.get(kind, b"") not in bare:
        raise FormatError("unreadable", name=file.name, reason="content")
    # A document that defines its own entities can grow without end when it is read.
    if kind in _XML_MARKS and b"<!ENTITY" in file.read_bytes():
        raise FormatError("unreadable", name=file.name, reason="entities")
    if kind == ".shp":
        check_companions(file)
        told = find_encoding(file, encoding)
    try:
        names = _list_layers(file, kind)
        if layer is None and len(names) > 1:
            raise FormatError("several_layers", name=file.name, layers=names)
        if layer is not None and layer not in names:
            raise FormatError("several_layers", name=file.name, layers=names, asked=layer)
        chosen = layer if layer is not None or len(names) != 1 else names[0]
        frame = (
            gpd.read_file(file, layer=chosen, engine="pyogrio")
            if told is None
            else read_texts(file, told.name)
        )
    except shapely.errors.ShapelyError as error:
        rows = _broken_rows(file, chosen)
        raise FormatError(
            "broken_geometry", name=file.name, count=len(rows), rows=rows[:_LISTED], reason=str(error).strip()
        ) from error
    except _UNREADABLE as error:
        raise FormatError("unreadable", name=file.name, reason=type(error).__name__) from error
    if not isinstance(frame, gpd.GeoDataFrame) or (len(frame) and frame.geometry.isna().all()):
        raise FormatError("no_geometry", name=file.name)
    frame.attrs.setdefault("cut", [])
    frame.attrs["encoding"] = None if told is None else (told.name, told.told_by)
    return frame


def _broken_rows(file: Path, layer: str | None) -> list[int]:
    """List the rows, 1-based, whose shape no library can build: rings of two points, rings left open."""
    # No text is wanted, so no text may stop it.
    text = BYTES if file.suffix.lower() == ".shp" else None
    _, _, shapes, _ = pyogrio.raw.read(file, layer=layer, encoding=text, columns=[], force_2d=True)
    built = shapely.is_missing(shapely.from_wkb(shapes, on_invalid="ignore"))
    told = np.array([shape is not None for shape in shapes], dtype=bool)
    return [int(row) + 1 for row in np.flatnonzero(built & told)]


def _list_layers(file: Path, kind: str) -> list[str]:
    """Name the layers with shapes; tables beside them (styles) and a GPX file's empty kinds are none."""
    names = [str(name) for name, geometry in pyogrio.list_layers(file) if geometry is not None]
    if kind != ".gpx":
        return names
    counts = {
        name: pyogrio.read_info(file, layer=name, force_feature_count=True)["features"] for name in names
    }
    # The points of tracks and routes come back with their lines.
    return [name for name in names if counts[name] and not name.endswith("_points")]


def _read_csv(file: Path, encoding: str | None) -> gpd.GeoDataFrame:
    raw = file.read_bytes()
    try:
        text = _decode(raw, encoding)
        table = pd.DataFrame(list(csv.DictReader(io.StringIO(text, newline=""), strict=True)), dtype=object)
    except (UnicodeDecodeError, LookupError, csv.Error) as error:
        raise FormatError("unreadable", name=file.name, reason=type(error).__name__) from error
    if len(table) == 0:
        raise FormatError("empty", name=file.name)
    if None in table.columns:
        raise FormatError("unreadable", name=file.name, reason="ragged_rows")
    lon_name, lat_name = (_column(table, names) for names in (_LON_NAMES, _LAT_NAMES))
    if lon_name is None or lat_name is None:
        raise FormatError("no_coordinates", name=file.name, columns=[str(c) for c in table.columns])
    lon = pd.to_numeric(table[lon_name], errors="coerce").to_numpy(dtype=np.float64)
    lat = pd.to_numeric(table[lat_name], errors="coerce").to_numpy(dtype=np.float64)
    bad = np.flatnonzero(~(np.isfinite(lon) & np.isfinite(lat)))
    if len(bad):
        # The header is line 1 of the file.
        raise FormatError(
            "bad_coordinates", name=file.name, count=len(bad), lines=(bad[:_LISTED] + 2).tolist()
        )
    table = table.map(lambda value: unguard(value) if isinstance(value, str) else value)
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(lon, lat))


def _decode(raw: bytes, encoding: str | None) -> str:
    if encoding is not None:
        return raw.decode(encoding)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("gb18030")


def _column(table: pd.DataFrame, names: Sequence[str]) -> str | None:
    found = [str(column) for column in table.columns if str(column).strip().lower() in names]
    return found[0] if len(found) == 1 else None


def _check_shapes(frame: gpd.GeoDataFrame, file: Path) -> None:
    missing = np.flatnonzero(frame.geometry.isna() | frame.geometry.is_empty)
    if len(missing):
        rows = (missing[:_LISTED] + 1).tolist()
        raise FormatError("missing_geometry", name=file.name, count=len(missing), rows=rows)
    families = {_FAMILY.get(str(kind).removeprefix("Multi"), str(kind)) for kind in frame.geom_type}
    if len(families) > 1 or "GeometryCollection" in families:
        raise FormatError("mixed_types", name=file.name, types=sorted(families))
    if file.suffix.lower() in (".kml", ".kmz", ".gpx"):
        xy, at = shapely.get_coordinates(frame.geometry.to_numpy(), return_index=True)
        # GDAL reads a coordinate that is no number as 0.
        unread = np.unique(at[~xy.any(axis=1)])
        if len(unread):
            rows = (unread[:_LISTED] + 1).tolist()
            raise FormatError("bad_coordinates", name=file.name, count=len(unread), lines=rows)


def _as_wgs84(frame: gpd.GeoDataFrame, source_crs: SourceCrs | str | int, name: str) -> gpd.GeoDataFrame:
    declared = frame.crs
    in_degrees = declared is None or any(
        declared.equals(pyproj.CRS.from_epsg(epsg), ignore_axis_order=True) for epsg in _GEOGRAPHIC
    )
    if not in_degrees:
        if str(source_crs).lower() != SourceCrs.WGS84 and not is_same_crs(declared, source_crs):
            raise FormatError("crs_conflict", name=name, declared=declared.name, stated=str(source_crs))
        if not (declared.is_projected or declared.is_geographic):
            # A local grid of some survey: no place on Earth is told.
            raise CrsError("unknown_crs", crs=declared.name)
        source: Any = declared.to_wkt()
    else:
        source = source_crs
    shapes = shapely.force_2d(frame.geometry.to_numpy())
    found = {name: frame.attrs.get(name) for name in ("encoding", "cut")}
    found["flattened"] = bool(frame.has_z.any())
    if in_degrees and isinstance(source, str) and source.lower() in list(SourceCrs):
        _check_degrees(shapes, name)

    def shift(xy: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], source))

    try:
        moved = shapely.transform(shapes, shift)
    except CrsError as error:
        if error.code == "unknown_crs":
            raise
        raise FormatError("out_of_range", name=name) from error
    _check_degrees(moved, name)
    result = gpd.GeoDataFrame(frame.drop(columns=frame.geometry.name), geometry=moved, crs=WGS84_EPSG)
    result = result.reset_index(drop=True)
    result.attrs = {"declared_crs": None if declared is None else declared.name, **found}
    return result


def _check_degrees(shapes: np.ndarray[Any, np.dtype[np.object_]], name: str) -> None:
    xy, at = shapely.get_coordinates(shapes, return_index=True)
    x, y = np.median(xy[:, 0]), np.median(xy[:, 1])
    # Latitudes of 73-136 degrees with longitudes of 15-55 are China written the wrong way round.
    if 15 <= x <= 55 and 73 <= y <= 136:
        raise FormatError("swapped_lon_lat", name=name, first=float(x), second=float(y))
    bad = (np.abs(xy[:, 0]) > 180) | (np.abs(xy[:, 1]) > 90) | ~np.isfinite(xy).all(axis=1)
    if bad.any():
        rows = (np.unique(at[bad])[:_LISTED] + 1).tolist()
        raise FormatError("out_of_range", name=name, count=int(bad.sum()), rows=rows)
    if xy[:, 0].max() - xy[:, 0].min() > 180:
        # One district never reaches round the world; its metric CRS would lie in the wrong hemisphere.
        raise FormatError("crosses_antimeridian", name=name)
