"""Coordinates: WGS-84 inside, Chinese datums and EPSG codes at the border, metres for measuring."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
from numpy.typing import ArrayLike, NDArray

from geo.errors import CrsError, FrameError

Floats = NDArray[np.float64]
WGS84_EPSG = 4326
_GCJ_AXIS_M = 6378245.0  # Krasovsky 1940, as in the published formula
_GCJ_ECCENTRICITY2 = 0.00669342162296594323
_BD_ANGLE = np.pi * 3000.0 / 180.0
_INVERSE_STEPS = 3  # 1 step errs 3 m, 2 steps 2 cm, 3 steps 0.1 mm
_BD_CORRECTIONS = 2  # the closed form errs up to 0.18 m, two corrections 9 micrometres
_OUT_OF_USE = (-4.0, -4.0, 4.0, 4.0)  # degrees: a neighbouring zone is still a matter for the datum guard
_FIRST_ZONE_EPSG, _FIRST_MERIDIAN, _LAST_MERIDIAN = 4534, 75, 135


class SourceCrs(StrEnum):
    """Datum a source of coordinates declares; it is always stated, never guessed."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"


def to_wgs84(lon: ArrayLike, lat: ArrayLike, source_crs: SourceCrs | str | int) -> tuple[Floats, Floats]:
    """Convert coordinates of a declared source to WGS-84 longitude and latitude.

    Parameters
    ----------
    lon, lat : array_like
        Longitude and latitude in degrees, or easting and northing in metres for a projected EPSG code.
    source_crs : SourceCrs, str or int
        ``wgs84``, ``gcj02``, ``bd09``, or an EPSG code such as ``4550`` or ``"EPSG:4490"``.

    Returns
    -------
    tuple of ndarray
        WGS-84 longitude and latitude in degrees, float64, of the inputs' shape; NaN stays NaN.

    Raises
    ------
    CrsError
        ``unknown_crs``, ``shape_mismatch`` or ``out_of_range``.

    Notes
    -----
    No "outside China" box: the source is declared, so every point of it is converted. Numbers that leave the
    area of a projected CRS by degrees are none of its: degrees, feet, or eastings with a zone's number.
    """
    x, y = _pair(lon, lat)
    datum = _datum(source_crs)
    if datum is None:
        out = _through_pyproj(x, y, source_crs, WGS84_EPSG)
        _check_use(*out, source_crs)
        return out
    _check_degrees(x, y)
    if datum is SourceCrs.WGS84:
        return x, y
    if datum is SourceCrs.BD09:
        x, y = bd09_to_gcj02(x, y)
    return gcj02_to_wgs84(x, y)


def from_wgs84(lon: ArrayLike, lat: ArrayLike, target_crs: SourceCrs | str | int) -> tuple[Floats, Floats]:
    """Convert WGS-84 longitude and latitude to another datum or EPSG code.

    Parameters
    ----------
    lon, lat : array_like
        WGS-84 degrees.
    target_crs : SourceCrs, str or int
        As in `to_wgs84`.

    Returns
    -------
    tuple of ndarray
        Coordinates in the target, easting (or longitude) first.

    Raises
    ------
    CrsError
        ``unknown_crs``, ``shape_mismatch`` or ``out_of_range``.
    """
    x, y = _pair(lon, lat)
    _check_degrees(x, y)
    datum = _datum(target_crs)
    if datum is None:
        return _through_pyproj(x, y, WGS84_EPSG, target_crs)
    if datum is SourceCrs.WGS84:
        return x, y
    x, y = wgs84_to_gcj02(x, y)
    return gcj02_to_bd09(x, y) if datum is SourceCrs.BD09 else (x, y)


def wgs84_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """Shift WGS-84 degrees to GCJ-02 with the widely published formula (as in wandergis/coordtransform)."""
    x, y = _pair(lon, lat)
    radians = np.radians(y)
    magic = 1.0 - _GCJ_ECCENTRICITY2 * np.sin(radians) ** 2
    root = np.sqrt(magic)
    east_m, north_m = _gcj_shift(x - 105.0, y - 35.0)
    meridian = _GCJ_AXIS_M * (1.0 - _GCJ_ECCENTRICITY2) / (magic * root)
    parallel = _GCJ_AXIS_M / root * np.cos(radians)
    return x + np.degrees(east_m / parallel), y + np.degrees(north_m / meridian)


def gcj02_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """Invert GCJ-02 to WGS-84 degrees by three fixed-point steps (error below 0.1 mm)."""
    x, y = _pair(lon, lat)
    guess_x, guess_y = x, y
    for _ in range(_INVERSE_STEPS):
        there_x, there_y = wgs84_to_gcj02(guess_x, guess_y)
        guess_x, guess_y = guess_x + (x - there_x), guess_y + (y - there_y)
    return guess_x, guess_y


def gcj02_to_bd09(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    """Shift GCJ-02 degrees to BD-09 with the published formula."""
    x, y = _pair(lon, lat)
    radius = np.hypot(x, y) + 0.00002 * np.sin(y * _BD_ANGLE)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * _BD_ANGLE)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def bd09_to_gcj02(
    lon: ArrayLike, lat: ArrayLike, *, corrections: int = _BD_CORRECTIONS
) -> tuple[Floats, Floats]:
    """Convert BD-09 degrees to GCJ-02.

    Parameters
    ----------
    lon, lat : array_like
        BD-09 degrees.
    corrections : int
        Correction steps after the published closed form; 0 gives the closed form itself (up to 0.18 m off).

    Returns
    -------
    tuple of ndarray
        GCJ-02 degrees.
    """
    bd_x, bd_y = _pair(lon, lat)
    x, y = bd_x - 0.0065, bd_y - 0.006
    radius = np.hypot(x, y) - 0.00002 * np.sin(y * _BD_ANGLE)
    angle = np.arctan2(y, x) - 0.000003 * np.cos(x * _BD_ANGLE)
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    for _ in range(corrections):
        there_x, there_y = gcj02_to_bd09(x, y)
        x, y = x + (bd_x - there_x), y + (bd_y - there_y)
    return x, y


def metric_crs(lon: float, *, lat: float = 0.0) -> pyproj.CRS:
    """Choose the CRS in metres for a longitude.

    Parameters
    ----------
    lon, lat : float
        Centroid of the district in WGS-84 degrees; the latitude only decides the UTM hemisphere.

    Returns
    -------
    pyproj.CRS
        CGCS2000 3-degree Gauss-Kruger without zone prefix (EPSG:4534-4554) between 73.5 and 136.5 degrees
        east, UTM elsewhere.

    Raises
    ------
    CrsError
        ``out_of_range``.
    """
    _check_degrees(np.array([lon]), np.array([lat]), finite=True)
    meridian = 3 * int(np.floor(lon / 3.0 + 0.5))
    if _FIRST_MERIDIAN <= meridian <= _LAST_MERIDIAN:
        return pyproj.CRS.from_epsg(_FIRST_ZONE_EPSG + (meridian - _FIRST_MERIDIAN) // 3)
    zone = min(int((lon + 180.0) // 6.0) + 1, 60)
    return pyproj.CRS.from_epsg((32600 if lat >= 0 else 32700) + zone)


def project_xy(lon: ArrayLike, lat: ArrayLike, crs: pyproj.CRS) -> Floats:
    """Project WGS-84 degrees into a metric CRS.

    Parameters
    ----------
    lon, lat : array_like, shape (n,)
        WGS-84 degrees.
    crs : pyproj.CRS
        Projected CRS, see `metric_crs`.

    Returns
    -------
    ndarray, shape (n, 2)
        Easting and northing in metres.
    """
    x, y = from_wgs84(lon, lat, crs.to_wkt())
    return np.column_stack([np.atleast_1d(x), np.atleast_1d(y)])


def unproject_xy(xy: ArrayLike, crs: pyproj.CRS) -> tuple[Floats, Floats]:
    """Bring metres of `project_xy` (shape (n, 2)) back to WGS-84 longitude and latitude."""
    points = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
    return _through_pyproj(points[:, 0].copy(), points[:, 1].copy(), crs.to_wkt(), WGS84_EPSG)


def check_frame(frame: Any, *columns: str) -> None:
    """Refuse a frame that is not WGS-84 or lacks columns.

    Parameters
    ----------
    frame : GeoDataFrame
        Frame to check; it is not changed.
    *columns : str
        Columns that must exist.

    Raises
    ------
    FrameError
        ``not_a_frame``, ``frame_crs`` or ``missing_columns`` (every missing one is listed).
    """
    if not isinstance(frame, gpd.GeoDataFrame) or frame.active_geometry_name is None:
        raise FrameError("not_a_frame", type=type(frame).__name__)
    if frame.crs is None or not frame.crs.equals(pyproj.CRS.from_epsg(WGS84_EPSG), ignore_axis_order=True):
        raise FrameError("frame_crs", crs=str(frame.crs))
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise FrameError("missing_columns", columns=missing)


def frame_metric_crs(frame: gpd.GeoDataFrame) -> pyproj.CRS:
    """Choose the metric CRS from the middle of a WGS-84 frame's extent.

    Raises
    ------
    FrameError
        ``empty_frame`` when the frame has no extent, or as `check_frame`.
    """
    check_frame(frame)
    west, south, east, north = frame.total_bounds
    if not np.isfinite([west, south, east, north]).all():
        raise FrameError("empty_frame")
    return metric_crs(float(west + east) / 2.0, lat=float(south + north) / 2.0)


def to_metric(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Project a WGS-84 frame into the metric CRS of its own place (same index, new frame)."""
    return frame.to_crs(frame_metric_crs(frame))


def _gcj_shift(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Give the published shift in metres (east, north) for degrees relative to 105 E, 35 N."""
    root = np.sqrt(np.abs(x))
    wave = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave
    north = north + (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north = north + (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave
    east = east + (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east = east + (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    return east, north


def _pair(lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
    x, y = np.array(lon, dtype=np.float64), np.array(lat, dtype=np.float64)
    if x.shape != y.shape:
        raise CrsError("shape_mismatch", lon=x.shape, lat=y.shape)
    return x, y


def _check_degrees(x: Floats, y: Floats, *, finite: bool = False) -> None:
    bad = (np.abs(x) > 180.0) | (np.abs(y) > 90.0)
    if finite:
        bad = bad | ~np.isfinite(x) | ~np.isfinite(y)
    if bad.any():
        first = int(np.flatnonzero(np.atleast_1d(bad))[0])
        raise CrsError("out_of_range", count=int(bad.sum()), first=first)


def _check_use(lon: Floats, lat: Floats, source: SourceCrs | str | int) -> None:
    known = np.isfinite(lon) & np.isfinite(lat)
    crs = _transformer(source, WGS84_EPSG).source_crs
    use = crs.area_of_use if crs is not None and crs.is_projected else None
    if use is None or not known.any():
        return
    x, y = np.median(lon[known]), np.median(lat[known])
    west, south, east, north = (side + far for side, far in zip(use.bounds, _OUT_OF_USE, strict=True))
    if not (west <= x <= east and south <= y <= north):
        raise CrsError("out_of_range", count=int(known.sum()))


def _datum(name: SourceCrs | str | int) -> SourceCrs | None:
    if isinstance(name, str) and name.lower() in list(SourceCrs):
        return SourceCrs(name.lower())
    return None


@lru_cache(maxsize=64)
def _transformer(source: str | int, target: str | int) -> pyproj.Transformer:
    """Make a transformer once: making one takes 40 ms, converting a point 0.1 ms (a pure function's memo)."""
    return pyproj.Transformer.from_crs(source, target, always_xy=True)


def _through_pyproj(x: Floats, y: Floats, source: str | int, target: str | int) -> tuple[Floats, Floats]:
    try:
        transformer = _transformer(source, target)
    except pyproj.exceptions.CRSError as error:
        raise CrsError("unknown_crs", crs=str(source if source != WGS84_EPSG else target)) from error
    out_x, out_y = (np.asarray(values, dtype=np.float64) for values in transformer.transform(x, y))
    if (np.isinf(out_x) | np.isinf(out_y)).any():
        raise CrsError("out_of_range", count=int((np.isinf(out_x) | np.isinf(out_y)).sum()))
    return out_x, out_y
