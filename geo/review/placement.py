"""STEP: where a point lies in the district: inside its extent, in which grid area, how far from before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
from sqlalchemy.orm import Session

from data import frames
from geo.crs import metric_crs, project_xy
from geo.errors import ReviewError
from geo.grid.assign import assign_grids
from geo.locate import district_extent


@dataclass(frozen=True)
class Preview:
    """What a point would mean: its grid area (None outside every one) and the metres from the one before."""

    lon: float
    lat: float
    grid_code: str | None
    grid_name: str
    subdistrict: str
    moved_m: float | None


def check_point(session: Session, lon: float, lat: float) -> None:
    """Check that WGS-84 degrees are a point of the district.

    Raises
    ------
    ReviewError
        ``not_coordinates``, ``outside_extent``.
    """
    if not (math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180.0 and abs(lat) <= 90.0):
        raise ReviewError("not_coordinates", lon=str(lon), lat=str(lat))
    extent = district_extent(session)
    if extent is None:
        return
    west, south, east, north = extent
    if not (west <= lon <= east and south <= lat <= north):
        raise ReviewError("outside_extent", lon=round(lon, 6), lat=round(lat, 6))


def preview(session: Session, lon: float, lat: float, *, before: tuple[float, float] | None) -> Preview:
    """Tell where a point lies and how far it is from the longitude and latitude `before`."""
    grids = frames.grids_frame(session)
    code = areas_of([(lon, lat)], grids)[0]
    moved = None
    if before is not None:
        here, there = project_xy([lon, before[0]], [lat, before[1]], metric_crs(lon, lat=lat))
        moved = float(np.hypot(*(here - there)))
    if code is None:
        return Preview(lon, lat, None, "", "", moved)
    area = grids[grids["grid_code"] == code].iloc[0]
    return Preview(lon, lat, code, str(area["name"] or ""), str(area["subdistrict"] or ""), moved)


def areas_of(points: Sequence[tuple[float, float]], grids: gpd.GeoDataFrame) -> list[str | None]:
    """Return the code of each point's grid area, None outside every one."""
    if grids.empty or not points:
        return [None] * len(points)
    lon, lat = zip(*points, strict=True)
    return list(assign_grids(gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat), crs=4326), grids))
