"""Nearness: how far each place is from the nearest school, and in which ring it lies."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.crs import check_frame, frame_metric_crs
from geo.errors import FrameError

RADII_M = (200, 500, 1000)


def nearest(points: gpd.GeoDataFrame, anchors: gpd.GeoDataFrame) -> pd.DataFrame:
    """Find the nearest anchor of each point by straight line.

    Parameters
    ----------
    points : GeoDataFrame
        WGS-84 points; a missing point gets no distance.
    anchors : GeoDataFrame
        WGS-84 schools (points), streets (lines) or areas.

    Returns
    -------
    DataFrame
        Index of `points`; ``nearest`` (index label of the anchor, the first on a tie, None without any) and
        ``nearest_m`` (metres, NaN without any).

    Raises
    ------
    FrameError
        As `geo.crs.check_frame`.
    """
    check_frame(points)
    check_frame(anchors)
    label, distance = np.full(len(points), None, dtype=object), np.full(len(points), np.nan)
    shapes, schools = _metric(points, anchors)
    if len(schools):
        labels = anchors.index[~(anchors.geometry.isna() | anchors.geometry.is_empty)]
        (rows, hits), metres = shapely.STRtree(schools).query_nearest(shapes, return_distance=True)
        order = np.lexsort((hits, rows))
        rows, first = np.unique(rows[order], return_index=True)
        label[rows] = labels.to_numpy(dtype=object)[hits[order][first]]
        distance[rows] = metres[order][first]
    named = pd.Series(label, index=points.index, dtype=object)
    return pd.DataFrame({"nearest": named, "nearest_m": distance}, index=points.index)


def near(
    points: gpd.GeoDataFrame,
    anchors: gpd.GeoDataFrame,
    *,
    radii_m: Sequence[float] = RADII_M,
    error_column: str | None = None,
) -> pd.DataFrame:
    """Put each point into a ring round its nearest anchor and count the anchors within each radius.

    Parameters
    ----------
    points, anchors : GeoDataFrame
        As in `nearest`.
    radii_m : sequence of float
        Ascending radii in metres.
    error_column : str, optional
        Column of `points` with the error radius of each point in metres.

    Returns
    -------
    DataFrame
        Index of `points`; the columns of `nearest`, ``ring`` (``0-200``, ``200-500``, ..., ``1000+``, None
        without a distance; a distance equal to a radius is inside), ``ring_sure`` (False where the error
        radius reaches into another ring, or is missing), and ``within_200`` and so on (number of anchors).

    Raises
    ------
    FrameError
        ``bad_radii``, or as `geo.crs.check_frame`.
    """
    radii = [float(radius) for radius in radii_m]
    if not radii or radii != sorted(set(radii)) or radii[0] <= 0:
        raise FrameError("bad_radii", radii_m=list(radii_m))
    check_frame(points, *([error_column] if error_column else []))
    result = nearest(points, anchors)
    metres = result["nearest_m"].to_numpy()
    labels = ring_labels(radii)
    known = np.isfinite(metres)
    ring = np.searchsorted(radii, metres, side="left")
    names = [labels[at] if good else None for at, good in zip(ring, known, strict=True)]
    result["ring"] = pd.Series(names, index=points.index, dtype=object)
    error = np.zeros(len(points))
    if error_column is not None:
        error = points[error_column].to_numpy(dtype=np.float64)
    lower = np.searchsorted(radii, np.maximum(metres - error, 0.0), side="left")
    upper = np.searchsorted(radii, metres + error, side="left")
    result["ring_sure"] = known & np.isfinite(error) & (lower == upper)
    shapes, schools = _metric(points, anchors)
    tree = shapely.STRtree(schools)
    for radius in radii:
        rows, _ = tree.query(shapes, predicate="dwithin", distance=radius)
        result[f"within_{radius:g}"] = np.bincount(rows, minlength=len(points))
    return result


def ring_labels(radii_m: Sequence[float]) -> tuple[str, ...]:
    """Name the rings between ascending radii: ``0-200``, ``200-500``, ``500+``."""
    edges = [0.0, *radii_m]
    inner = (f"{a:g}-{b:g}" for a, b in pairwise(edges))
    return (*inner, f"{edges[-1]:g}+")


def _metric(
    points: gpd.GeoDataFrame, anchors: gpd.GeoDataFrame
) -> tuple[np.ndarray[tuple[int], np.dtype[np.object_]], np.ndarray[tuple[int], np.dtype[np.object_]]]:
    """Project both frames into one metric CRS; empty anchors are left out, points keep their positions."""
    present = anchors[~(anchors.geometry.isna() | anchors.geometry.is_empty)]
    if len(present) == 0:
        return np.full(len(points), None, dtype=object), np.array([], dtype=object)
    crs = frame_metric_crs(present)
    return points.to_crs(crs).geometry.to_numpy(), present.to_crs(crs).geometry.to_numpy()
