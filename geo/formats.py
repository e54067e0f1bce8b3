"""Layer files in and out: what is declared is converted, what is doubtful is refused with a code."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import shapely

from geo.crs import WGS84_EPSG, SourceCrs, check_frame, to_wgs84
from geo.errors import CrsError, FormatError

MAX_BYTES = 100 * 1024 * 1024
_LON_NAMES = ("经度", "lon", "lng", "longitude", "x")
_LAT_NAMES = ("纬度", "lat", "latitude", "y")
_GEOGRAPHIC = (WGS84_EPSG, 4490)  # CGCS2000 equals WGS-84 at patrol scale
_FAMILY = {"Point": "point", "LineString": "line", "LinearRing": "line", "Polygon": "polygon"}
_LISTED = 20  # rows named in an error
_FORMULA_STARTS = ("=", "+", "-", "@", "\t")


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
        A .geojson/.json, .gpkg, .shp, .kml or .csv file (csv with columns such as 经度 and 纬度).
    source_crs : SourceCrs, str or int
        Datum of coordinates in degrees; a file that declares a projected CRS is converted from that one.
    layer : str, optional
        Layer of a file with several.
    encoding : str, optional
        Text encoding of an old shapefile or csv; a csv is else UTF-8, or GB18030 where UTF-8 is impossible.
    max_bytes : int
        Largest file accepted.

    Returns
    -------
    GeoDataFrame
        Rows in file order, RangeIndex, WGS-84; ``attrs["declared_crs"]`` says what the file declared.

    Raises
    ------
    FormatError
        ``not_found``, ``wrong_type``, ``file_too_large``, ``empty``, ``unreadable``, ``several_layers``,
        ``no_geometry``, ``no_coordinates``, ``bad_coordinates``, ``missing_geometry``, ``mixed_types``,
        ``crs_conflict``, ``swapped_lon_lat``, ``out_of_range``.
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
    frame = _read_csv(file, encoding) if kind == ".csv" else _read_vector(file, layer, encoding)
    if len(frame) == 0:
        raise FormatError("empty", name=file.name)
    _check_shapes(frame, file.name)
    return _as_wgs84(frame, source_crs, file.name)


def write_layer(frame: gpd.GeoDataFrame, path: Path | str) -> Path:
    """Write a WGS-84 frame as .geojson, .gpkg or .csv.

    Parameters
    ----------
    frame : GeoDataFrame
        Frame in WGS-84; a csv gets the columns lon and lat (empty where unplaced), or wkt for other shapes.
    path : Path or str
        File to write; an existing one is replaced when the new one is complete.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FrameError
        As `geo.crs.check_frame`.
    FormatError
        ``wrong_type``.

    Notes
    -----
    Text cells of a csv that a spreadsheet would run as a formula get a leading apostrophe.
    """
    check_frame(frame)
    file = Path(path)
    kind = file.suffix.lower()
    drivers = {".geojson": "GeoJSON", ".gpkg": "GPKG", ".csv": "CSV"}
    if kind not in drivers:
        raise FormatError("wrong_type", suffix=kind, accepted=sorted(drivers))
    part = file.with_name(f".{file.stem}.part{kind}")
    part.unlink(missing_ok=True)
    try:
        if kind == ".csv":
            _csv_table(frame).to_csv(part, index=False, encoding="utf-8-sig")
        else:
            name = re.sub(r"\W", "_", file.stem)  # GeoPackage takes no dots or blanks in a layer name
            frame.to_file(part, driver=drivers[kind], layer=name, engine="pyogrio")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return file


# First bytes of each kind: GDAL would else open whatever the content says, remote references included.
_SIGNATURES: dict[str, tuple[bytes, ...]] = {
    ".geojson": (b"{",),
    ".json": (b"{",),
    ".gpkg": (b"SQLite format 3\x00",),
    ".shp": (b"\x00\x00\x27\x0a",),
    ".kml": (b"<",),
    ".csv": (b"",),
}


def _read_vector(file: Path, layer: str | None, encoding: str | None) -> gpd.GeoDataFrame:
    with file.open("rb") as stream:
        start = stream.read(4096)
    kind = file.suffix.lower()
    bare = start.removeprefix(b"\xef\xbb\xbf").lstrip() if kind in (".geojson", ".json", ".kml") else start
    if not bare.startswith(_SIGNATURES[kind]) or (kind == ".kml" and b"<kml" not in bare):
        raise FormatError("unreadable", name=file.name, reason="content")
    try:
        names = [str(name) for name, _ in pyogrio.list_layers(file)]
        if layer is None and len(names) > 1:
            raise FormatError("several_layers", name=file.name, layers=names)
        if layer is not None and layer not in names:
            raise FormatError("several_layers", name=file.name, layers=names, asked=layer)
        frame = gpd.read_file(file, layer=layer, encoding=encoding, engine="pyogrio")
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError, LookupError) as error:
        raise FormatError("unreadable", name=file.name, reason=type(error).__name__) from error
    if not isinstance(frame, gpd.GeoDataFrame) or (len(frame) and frame.geometry.isna().all()):
        raise FormatError("no_geometry", name=file.name)
    return frame


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


def _check_shapes(frame: gpd.GeoDataFrame, name: str) -> None:
    missing = np.flatnonzero(frame.geometry.isna() | frame.geometry.is_empty)
    if len(missing):
        raise FormatError("missing_geometry", name=name, count=len(missing), rows=missing[:_LISTED].tolist())
    families = {_FAMILY.get(str(kind).removeprefix("Multi"), str(kind)) for kind in frame.geom_type}
    if len(families) > 1:
        raise FormatError("mixed_types", name=name, types=sorted(families))


def _as_wgs84(frame: gpd.GeoDataFrame, source_crs: SourceCrs | str | int, name: str) -> gpd.GeoDataFrame:
    declared = frame.crs
    in_degrees = declared is None or any(
        declared.equals(pyproj.CRS.from_epsg(epsg), ignore_axis_order=True) for epsg in _GEOGRAPHIC
    )
    if not in_degrees:
        if str(source_crs) != SourceCrs.WGS84:
            raise FormatError("crs_conflict", name=name, declared=declared.name, stated=str(source_crs))
        source: Any = declared.to_wkt()
    else:
        source = source_crs
    shapes = shapely.force_2d(frame.geometry.to_numpy())
    if in_degrees and isinstance(source, str) and source.lower() in list(SourceCrs):
        _check_degrees(shapely.get_coordinates(shapes), name)

    def shift(xy: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], source))

    try:
        moved = shapely.transform(shapes, shift)
    except CrsError as error:
        if error.code == "unknown_crs":
            raise
        raise FormatError("out_of_range", name=name) from error
    _check_degrees(shapely.get_coordinates(moved), name)
    result = gpd.GeoDataFrame(frame.drop(columns=frame.geometry.name), geometry=moved, crs=WGS84_EPSG)
    result = result.reset_index(drop=True)
    result.attrs["declared_crs"] = None if declared is None else declared.name
    return result


def _check_degrees(xy: np.ndarray[Any, np.dtype[np.float64]], name: str) -> None:
    x, y = np.median(xy[:, 0]), np.median(xy[:, 1])
    # Latitudes of 73-136 degrees with longitudes of 15-55 are China written the wrong way round.
    if 15 <= x <= 55 and 73 <= y <= 136:
        raise FormatError("swapped_lon_lat", name=name, first=float(x), second=float(y))
    bad = (np.abs(xy[:, 0]) > 180) | (np.abs(xy[:, 1]) > 90) | ~np.isfinite(xy).all(axis=1)
    if bad.any():
        raise FormatError("out_of_range", name=name, count=int(bad.sum()))


def _csv_table(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    names = (*_LON_NAMES, *_LAT_NAMES)
    kept = [c for c in frame.columns if c != frame.geometry.name and str(c).strip().lower() not in names]
    table = pd.DataFrame(frame[kept])
    table = table.map(lambda v: f"'{v}" if isinstance(v, str) and v.startswith(_FORMULA_STARTS) else v)
    known = frame.geometry[frame.geometry.notna()]
    if (known.geom_type == "Point").all():
        return table.assign(lon=frame.geometry.x.round(8), lat=frame.geometry.y.round(8))
    return table.assign(wkt=frame.geometry.to_wkt(rounding_precision=8))
