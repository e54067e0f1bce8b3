"""Named areas (subdistricts, communities) as the coarsest place an address can mean."""

from __future__ import annotations

import re
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from geo.address.numerals import normalise
from geo.crs import Floats, check_frame
from geo.errors import GazetteerError

_HELD = 0.9  # share of the area the radius holds, as the radii of all other levels do
_STEPS = 24  # halvings; the last one is far below a metre
_OFFICE = re.compile(r"(?:办事处|居民委员会|村民委员会|居委会|村委会)$")


@dataclass(frozen=True, slots=True, eq=False)
class Area:
    """A named area as a point in metres and the radius that holds nine tenths of it."""

    name: str
    xy: Floats
    radius_m: float


def area_name(text: str) -> str:
    """Write the name of an area as areas are looked up: normalised, without the word for its office."""
    return _OFFICE.sub("", normalise(text))


def index_areas(frame: gpd.GeoDataFrame, crs: pyproj.CRS, *, name_column: str = "name") -> dict[str, Area]:
    """Index polygons by their name; parts of one name are one area.

    Parameters
    ----------
    frame : GeoDataFrame
        Polygons with a CRS and a name column.
    crs : pyproj.CRS
        Metric CRS of the points and radii.
    name_column : str
        Column of the names; blank names are left out.

    Returns
    -------
    dict of str to Area
        Areas by `area_name`.

    Raises
    ------
    FrameError
        As `geo.crs.check_frame`.
    GazetteerError
        ``not_areas`` when a geometry is no polygon.
    """
    check_frame(frame, name_column)
    usable = frame[~(frame.geometry.isna() | frame.geometry.is_empty)]
    strange = sorted(set(usable.geom_type) - {"Polygon", "MultiPolygon"})
    if strange:
        raise GazetteerError("not_areas", types=strange)
    names = ["" if v is None or v != v else area_name(str(v)) for v in usable[name_column]]
    shapes = usable.geometry.to_crs(crs).to_numpy()
    found = {}
    for name in sorted({name for name in names if name}):
        whole = shapely.union_all([shape for shape, own in zip(shapes, names, strict=True) if own == name])
        middle = whole.centroid if whole.contains(whole.centroid) else whole.representative_point()
        found[name] = Area(name, np.array([middle.x, middle.y]), _radius(whole, middle))
    return found


def _radius(whole: BaseGeometry, middle: BaseGeometry) -> float:
    low, high = 0.0, float(shapely.hausdorff_distance(middle, whole.envelope)) * 2.0
    for _ in range(_STEPS):
        tried = (low + high) / 2.0
        held = whole.intersection(middle.buffer(tried)).area / whole.area
        low, high = (low, tried) if held >= _HELD else (tried, high)
    return high
