"""Analysis cells: squares or H3 hexagons laid over a district for counting; never official grid areas."""

from __future__ import annotations

from enum import StrEnum

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geo.crs import check_frame, frame_metric_crs
from geo.errors import GridError

_MOST_CELLS = 50_000
_FINEST_H3 = 12


class CellKind(StrEnum):
    """Shape of the analysis cells."""

    SQUARE = "square"
    H3 = "h3"


def make_cells(area: gpd.GeoDataFrame, *, kind: CellKind | str, size: float) -> gpd.GeoDataFrame:
    """Cover an area with cells.

    Parameters
    ----------
    area : GeoDataFrame
        Polygons in WGS-84 (the official grid areas); cells that touch any of them are kept whole.
    kind : CellKind or str
        ``square`` or ``h3``.
    size : float
        Side of a square in metres, or the H3 resolution (whole, 0 to 12).

    Returns
    -------
    GeoDataFrame
        WGS-84, index ``cell`` (its id), columns ``kind``, ``official`` (always False) and ``area_m2`` (the
        cell's own: H3 cells of one resolution differ by a third).

    Raises
    ------
    GridError
        ``bad_cell_size``, ``unknown_cell_kind`` or ``too_many_cells``.
    FrameError
        As `geo.crs.check_frame`.

    Notes
    -----
    Squares start at multiples of their side in the metric CRS, so that two runs over one district agree.
    """
    check_frame(area)
    if kind not in list(CellKind):
        raise GridError("unknown_cell_kind", kind=str(kind), known=[k.value for k in CellKind])
    crs = frame_metric_crs(area)
    if kind == CellKind.SQUARE:
        cells = _squares(area.to_crs(crs), size).set_crs(crs).to_crs(4326)
    else:
        cells = _hexagons(shapely.unary_union(area.geometry.to_numpy()), size)
    cells["area_m2"] = cells.to_crs(crs).area.round(1)
    cells.insert(0, "kind", CellKind(kind).value)
    cells.insert(1, "official", False)
    return cells


def count_points(
    cells: gpd.GeoDataFrame, points: gpd.GeoDataFrame
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Count points per cell; a point on a border counts in the first cell only.

    Parameters
    ----------
    cells, points : GeoDataFrame
        WGS-84; missing points are left out.

    Returns
    -------
    ndarray of int64
        One count a row of `cells`.
    """
    check_frame(cells)
    check_frame(points)
    rows, hits = shapely.STRtree(cells.geometry.to_numpy()).query(
        points.geometry.to_numpy(), predicate="intersects"
    )
    first = np.full(len(points), len(cells), dtype=np.int64)
    np.minimum.at(first, rows, hits)
    return np.bincount(first[first < len(cells)], minlength=len(cells))


def _squares(area: gpd.GeoDataFrame, size_m: float) -> gpd.GeoDataFrame:
    if not 20 <= size_m <= 20_000:
        raise GridError("bad_cell_size", size=size_m, least=20, most=20_000)
    west, south, east, north = area.total_bounds
    columns = np.arange(np.floor(west / size_m), np.ceil(east / size_m))
    rows = np.arange(np.floor(south / size_m), np.ceil(north / size_m))
    if len(columns) * len(rows) > _MOST_CELLS:
        raise GridError("too_many_cells", cells=len(columns) * len(rows), limit=_MOST_CELLS)
    x, y = (grid.ravel() for grid in np.meshgrid(columns, rows))
    boxes = shapely.box(x * size_m, y * size_m, (x + 1) * size_m, (y + 1) * size_m)
    touched = np.unique(shapely.STRtree(boxes).query(area.geometry.to_numpy(), predicate="intersects")[1])
    ids = [f"S{size_m:g}-{int(x[at])}-{int(y[at])}" for at in touched]
    return gpd.GeoDataFrame({"cell": ids}, geometry=boxes[touched]).set_index("cell")


def _hexagons(whole: BaseGeometry, resolution: float) -> gpd.GeoDataFrame:
    import h3  # Only where hexagons are asked for.

    if resolution != int(resolution) or not 0 <= resolution <= _FINEST_H3:
        raise GridError("bad_cell_size", size=resolution, least=0, most=_FINEST_H3)
    west, south, east, north = whole.bounds
    middle = h3.latlng_to_cell((south + north) / 2, (west + east) / 2, int(resolution))
    box_km2 = (east - west) * (north - south) * 111.0**2
    if box_km2 / h3.cell_area(middle, unit="km^2") > _MOST_CELLS:
        cells = int(box_km2 / h3.cell_area(middle, unit="km^2"))
        raise GridError("too_many_cells", cells=cells, limit=_MOST_CELLS)
    found = {
        cell
        for part in shapely.get_parts(whole)
        if part.geom_type == "Polygon"
        for cell in h3.h3shape_to_cells_experimental(
            h3.geo_to_h3shape(shapely.geometry.mapping(part)), int(resolution), contain="overlap"
        )
    }
    ids = sorted(found)
    shapes = [shapely.Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(cell)]) for cell in ids]
    return gpd.GeoDataFrame({"cell": ids}, geometry=shapes, crs=4326).set_index("cell")
