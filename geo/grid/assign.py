"""Grid areas: what is wrong with a layer of them, and which one each point lies in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.crs import check_frame, frame_metric_crs
from geo.errors import GridError

REACH_M = 20.0
PAIRS_AT_ONCE, SHAPES_AT_ONCE = 100, 200
_LEAST_M2 = 0.5  # what rounds to 0 square metres is a line drawn as an area
_SLIVER_M2 = 5.0  # digitised borders of neighbours cross by centimetres


@dataclass(frozen=True, slots=True)
class GridFault:
    """One fault of a grid layer.

    Parameters
    ----------
    code : str
        ``empty_layer``, ``blank_code``, ``duplicate_code``, ``empty_geometry``, ``not_polygon``,
        ``invalid_geometry``, ``no_area`` or ``overlap``.
    rows : tuple of int
        Positions of the rows concerned, 0-based.
    grids : tuple of str
        Their grid codes.
    area_m2 : float or None
        Overlapping area, or the area of what has none.
    detail : str
        Geometry type or the place where the geometry crosses itself.
    """

    code: str
    rows: tuple[int, ...] = ()
    grids: tuple[str, ...] = ()
    area_m2: float | None = None
    detail: str = ""


def check_grids(
    frame: gpd.GeoDataFrame, *, code_column: str = "grid_code", sliver_m2: float = _SLIVER_M2
) -> list[GridFault]:
    """List every fault of a layer of grid areas; an empty list means it can be used.

    Parameters
    ----------
    frame : GeoDataFrame
        Polygons in WGS-84 with a code column.
    code_column : str
        Column of the grid code.
    sliver_m2 : float
        Overlap in square metres that is still a drawing inaccuracy.

    Returns
    -------
    list of GridFault
        All faults, row faults first, overlaps last.

    Raises
    ------
    FrameError
        As `geo.crs.check_frame`.
    """
    check_frame(frame, code_column)
    if len(frame) == 0:
        return [GridFault("empty_layer")]
    codes = _codes(frame, code_column)
    faults = [GridFault("blank_code", (row,)) for row, code in enumerate(codes) if not code]
    by_code: dict[str, list[int]] = {}
    for row, code in enumerate(codes):
        by_code.setdefault(code, []).append(row)
    faults += [
        GridFault("duplicate_code", tuple(rows), (code,))
        for code, rows in sorted(by_code.items())
        if code and len(rows) > 1
    ]
    broken = _shape_faults(frame.geometry.to_numpy())
    faults += [GridFault(code, (row,), (codes[row],), detail=told) for row, (code, told) in broken.items()]
    usable = [row for row in range(len(frame)) if row not in broken]
    if usable:
        sound = frame.iloc[usable]
        areas = _areas_m2(sound)
        # Not "smaller than": what does not project has no area at all.
        flat = {row: float(area) for row, area in zip(usable, areas, strict=True) if not area >= _LEAST_M2}
        faults += [GridFault("no_area", (row,), (codes[row],), round(area, 3)) for row, area in flat.items()]
        usable = [row for row in usable if row not in flat]
    return faults + _overlaps(frame, usable, codes, sliver_m2)


def _areas_m2(frame: gpd.GeoDataFrame) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Measure the areas a part at a time: a layer of a million vertices in metres takes 100 MB at once."""
    crs = frame_metric_crs(frame)
    shapes = frame.geometry
    parts = [shapes.iloc[at : at + SHAPES_AT_ONCE] for at in range(0, len(shapes), SHAPES_AT_ONCE)]
    return np.concatenate([part.to_crs(crs).area.to_numpy() for part in parts])


def assign_grids(
    points: gpd.GeoDataFrame,
    grids: gpd.GeoDataFrame,
    *,
    code_column: str = "grid_code",
    reach_m: float = REACH_M,
) -> pd.Series[str]:
    """Find the grid area of each point.

    Parameters
    ----------
    points : GeoDataFrame
        Points in WGS-84; a missing point lies nowhere.
    grids : GeoDataFrame
        Polygons in WGS-84 with unique codes.
    code_column : str
        Column of the grid code.
    reach_m : float
        How far outside every grid area a point may lie and still belong to the nearest one: cracks between
        hand-drawn borders.

    Returns
    -------
    Series of str or None
        Grid code on the index of `points`, None outside every grid. A point on a shared border, in an
        overlap or equally near to two grid areas belongs to the lowest grid code.

    Raises
    ------
    FrameError
        As `geo.crs.check_frame`.
    GridError
        ``bad_codes`` when codes are blank or repeated, ``not_points``.
    """
    check_frame(points)
    check_frame(grids, code_column)
    codes = _codes(grids, code_column)
    if "" in codes or len(set(codes)) < len(codes):
        raise GridError("bad_codes", blank=codes.count(""), distinct=len(set(codes)), rows=len(codes))
    shapes = points.geometry.to_numpy()
    present = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    if (shapely.get_type_id(shapes[present]) != shapely.GeometryType.POINT).any():
        raise GridError("not_points")
    # Ascending codes: the lowest tree position among the hits is the lowest code.
    order = np.argsort(np.array(codes, dtype=object), kind="stable")
    tree = shapely.STRtree(grids.geometry.to_numpy()[order])
    hit_points, hit_grids = tree.query(shapes, predicate="intersects")
    lowest = np.full(len(points), len(codes), dtype=np.int64)
    np.minimum.at(lowest, hit_points, hit_grids)
    outside = np.flatnonzero(present & (lowest == len(codes)))
    if reach_m > 0 and len(outside) and len(codes):
        lowest[outside] = _nearest_grids(points.iloc[outside], grids.iloc[order], reach_m)
    found = [codes[order[at]] if at < len(codes) else None for at in lowest]
    return pd.Series(found, index=points.index, dtype=object, name=code_column)


def _nearest_grids(
    points: gpd.GeoDataFrame, grids: gpd.GeoDataFrame, reach_m: float
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Give the position of the nearest grid area within reach, else the number of grid areas."""
    crs = frame_metric_crs(grids)
    nearest = np.full(len(points), len(grids), dtype=np.int64)
    # Only what lies near the layer's own extent can be within reach; the rest may not even project.
    west, south, east, north = grids.total_bounds
    x, y = points.geometry.x.to_numpy(), points.geometry.y.to_numpy()
    where = np.flatnonzero(
        (abs(2 * x - west - east) < east - west + 0.2) & (abs(2 * y - south - north) < north - south + 0.2)
    )
    tree = shapely.STRtree(grids.to_crs(crs).geometry.to_numpy())
    shapes = points.iloc[where].to_crs(crs).geometry.to_numpy()
    rows, hits = tree.query_nearest(shapes, max_distance=reach_m, all_matches=True)
    np.minimum.at(nearest, where[rows], hits)
    return nearest


def _codes(frame: gpd.GeoDataFrame, column: str) -> list[str]:
    return ["" if value is None or value != value else str(value).strip() for value in frame[column]]


def _shape_faults(shapes: np.ndarray[Any, np.dtype[np.object_]]) -> dict[int, tuple[str, str]]:
    """Give code and detail of what is wrong with a shape, by row, in their order."""
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    kinds = shapely.get_type_id(shapes)
    areal = (kinds == shapely.GeometryType.POLYGON) | (kinds == shapely.GeometryType.MULTIPOLYGON)
    faults: dict[int, tuple[str, str]] = {}
    for row in map(int, np.flatnonzero(empty | ~areal | ~shapely.is_valid(shapes))):
        if empty[row]:
            faults[row] = ("empty_geometry", "")
        elif not areal[row]:
            faults[row] = ("not_polygon", shapes[row].geom_type)
        else:
            faults[row] = ("invalid_geometry", str(shapely.is_valid_reason(shapes[row])))
    return faults


def _touching(
    shapes: np.ndarray[Any, np.dtype[np.object_]],
    one: np.ndarray[Any, np.dtype[np.int64]],
    other: np.ndarray[Any, np.dtype[np.int64]],
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Tell which pairs share no more than their border.

    Most neighbours do, and telling so is cheaper than cutting. A prepared shape takes 200 bytes a vertex:
    few are prepared at a time.
    """
    touching = np.zeros(len(one), dtype=bool)
    order = np.argsort(one, kind="stable")
    for first in range(0, len(order), PAIRS_AT_ONCE):
        some = order[first : first + PAIRS_AT_ONCE]
        prepared = shapes[np.unique(one[some])]
        shapely.prepare(prepared)
        touching[some] = shapely.touches(shapes[one[some]], shapes[other[some]])
        shapely.destroy_prepared(prepared)
    return touching


def _overlaps(
    frame: gpd.GeoDataFrame, usable: list[int], codes: list[str], sliver_m2: float
) -> list[GridFault]:
    if len(usable) < 2:
        return []
    degrees = frame.iloc[usable]
    shapes = degrees.geometry.to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = one < other
    one, other = one[pairs], other[pairs]
    crossing = ~_touching(shapes, one, other)
    one, other = one[crossing], other[crossing]
    # A long border without its neighbour's vertex is straight in one plane and bends by decimetres in the
    # other: only what overlaps both in degrees and in metres was drawn so.
    crs = frame_metric_crs(frame)
    areas = np.zeros(len(one))
    for at in range(0, len(one), PAIRS_AT_ONCE):
        some = slice(at, at + PAIRS_AT_ONCE)
        first, second = (degrees.geometry.iloc[rows[some]] for rows in (one, other))
        common = shapely.intersection(first.to_numpy(), second.to_numpy())
        drawn = gpd.GeoSeries(common, crs=frame.crs).to_crs(crs).area.to_numpy()
        large = np.flatnonzero(drawn > sliver_m2)
        metres = (part.iloc[large].to_crs(crs).to_numpy() for part in (first, second))
        areas[at + large] = np.minimum(drawn[large], shapely.area(shapely.intersection(*metres)))
    return [
        GridFault(
            "overlap",
            (usable[a], usable[b]),
            (codes[usable[a]], codes[usable[b]]),
            area_m2=round(float(area), 1),
        )
        for a, b, area in zip(one, other, areas, strict=True)
        if area > sliver_m2
    ]
