"""Topology of a grid layer: gaps, overlaps, slivers, exclaves and enclosed areas, with the place of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geo.crs import Floats, check_frame, frame_metric_crs

_OVERLAP_M2 = 5.0  # digitised borders of neighbours cross by centimetres
_GAP_M2 = 5.0
_SLIVER_WIDTH_M = 8.0  # mean width (2 x area / perimeter) below which a part is a sliver
_CRACK_M = 1.0  # neighbours drawn this close are one border with a crack


@dataclass(frozen=True, slots=True)
class TopologyOptions:
    """What still counts as a drawing inaccuracy.

    Parameters
    ----------
    overlap_m2, gap_m2 : float
        Smallest overlap and gap reported.
    sliver_width_m : float
        Mean width below which a part of an area is a sliver.
    crack_m : float
        Width of cracks between neighbours that are closed before gaps are sought.
    """

    overlap_m2: float = _OVERLAP_M2
    gap_m2: float = _GAP_M2
    sliver_width_m: float = _SLIVER_WIDTH_M
    crack_m: float = _CRACK_M


def find_issues(grids: gpd.GeoDataFrame, *, options: TopologyOptions | None = None) -> gpd.GeoDataFrame:
    """Find where a layer of grid areas does not tile the district.

    Parameters
    ----------
    grids : GeoDataFrame
        Valid polygons in WGS-84 with unique ``grid_code``.
    options : TopologyOptions, optional
        Thresholds.

    Returns
    -------
    GeoDataFrame
        One row an issue in WGS-84: ``kind`` (``overlap``, ``gap``, ``sliver``, ``exclave``, ``multi_part`` or
        ``enclosed``), ``grids`` (codes concerned, joined by a blank), ``area_m2``, ``width_m`` (mean width);
        the geometry is the place itself.

    Raises
    ------
    FrameError
        As `geo.crs.check_frame`.

    Notes
    -----
    A gap is a hole of the union of all areas. A part of an area that touches none of its other parts is an
    exclave when it lies among other areas, else one of several parts (islands); an area in one piece that
    borders on no other is an exclave too. An area whose whole border is
    shared with one neighbour is enclosed. All of these exist in real districts: they are
    reported, not mended.
    """
    check_frame(grids, "grid_code")
    options = options or TopologyOptions()
    crs = frame_metric_crs(grids)
    codes = [str(code) for code in grids["grid_code"]]
    shapes = grids.to_crs(crs).geometry.to_numpy()
    rows = [
        *_overlaps(shapes, codes, options),
        *_gaps(shapes, codes, options),
        *_parts(shapes, codes, options),
        *_enclosed(shapes, codes),
    ]
    table = pd.DataFrame(rows, columns=["kind", "grids", "area_m2", "width_m", "geometry"])
    return gpd.GeoDataFrame(table, geometry="geometry", crs=crs).to_crs(4326)


Row = tuple[str, str, float, float, BaseGeometry]
Shapes = np.ndarray[tuple[int], np.dtype[np.object_]]


def mean_width_m(shapes: Shapes) -> Floats:
    """Give the mean width of polygons in metres, twice the area over the perimeter (a long strip's width)."""
    perimeter = shapely.length(shapes)
    return np.divide(2.0 * shapely.area(shapes), perimeter, out=np.zeros(len(shapes)), where=perimeter > 0)


def _row(kind: str, codes: Sequence[str], shape: BaseGeometry) -> Row:
    width = float(mean_width_m(np.array([shape], dtype=object))[0])
    return kind, " ".join(sorted(codes)), round(float(shape.area), 1), round(width, 2), shape


def _overlaps(shapes: Shapes, codes: Sequence[str], options: TopologyOptions) -> list[Row]:
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = one < other
    one, other = one[pairs], other[pairs]
    common = shapely.intersection(shapes[one], shapes[other])
    large = np.flatnonzero(shapely.area(common) > options.overlap_m2)
    return [_row("overlap", [codes[one[at]], codes[other[at]]], _faces(common[at])) for at in large]


def _gaps(shapes: Shapes, codes: Sequence[str], options: TopologyOptions) -> list[Row]:
    union = shapely.unary_union(shapes)
    half = options.crack_m / 2.0
    closed = union.buffer(half, join_style="mitre").buffer(-half, join_style="mitre")
    holes = [
        shapely.Polygon(ring) for part in shapely.get_parts(closed) for ring in shapely.get_rings(part)[1:]
    ]
    found = [hole.difference(union) for hole in holes if hole.area > options.gap_m2]
    # What the closing of cracks filled are gaps too: strips between neighbours.
    found += [part for part in shapely.get_parts(closed.difference(union)) if part.area > options.gap_m2]
    tree = shapely.STRtree(shapes)
    rows = []
    for gap in found:
        near = tree.query(gap, predicate="dwithin", distance=options.crack_m)
        rows.append(_row("gap", [codes[at] for at in near], gap))
    return rows


def _parts(shapes: Shapes, codes: Sequence[str], options: TopologyOptions) -> list[Row]:
    rows = []
    tree = shapely.STRtree(shapes)
    for at, shape in enumerate(shapes):
        parts = shapely.get_parts(shape)
        widths = mean_width_m(parts)
        rows += [
            _row("sliver", [codes[at]], part)
            for part, width in zip(parts, widths, strict=True)
            if width < options.sliver_width_m
        ]
        if len(parts) < 2:
            if len(shapes) > 1 and len(tree.query(shape, predicate="dwithin", distance=options.crack_m)) == 1:
                rows.append(_row("exclave", [codes[at]], shape))
            continue
        main = int(np.argmax(shapely.area(parts)))
        for number, part in enumerate(parts):
            if number == main or widths[number] < options.sliver_width_m:
                continue
            others = [other for other in tree.query(part, predicate="intersects") if other != at]
            rows.append(_row("exclave" if others else "multi_part", [codes[at]], part))
    return rows


def _enclosed(shapes: Shapes, codes: Sequence[str]) -> list[Row]:
    """List areas that fill a hole of one neighbour."""
    rows = []
    tree = shapely.STRtree(shapes)
    for at, shape in enumerate(shapes):
        holes = [ring for part in shapely.get_parts(shape) for ring in shapely.get_rings(part)[1:]]
        for hole in holes:
            face = shapely.Polygon(hole)
            inside = [
                o for o in tree.query(face, predicate="intersects") if o != at and _fills(shapes[o], face)
            ]
            rows += [_row("enclosed", [codes[o], codes[at]], shapes[o]) for o in inside]
    return rows


def _fills(shape: BaseGeometry, face: BaseGeometry) -> bool:
    return bool(shape.intersection(face).area > 0.5 * shape.area)


def _faces(shape: BaseGeometry) -> BaseGeometry:
    """Keep the polygons of an intersection; touching borders leave lines and points in it."""
    return shapely.MultiPolygon([p for p in shapely.get_parts(shape) if p.geom_type == "Polygon"])
