"""Sources of coordinates as people state them: one spelling each, and whether a file agrees."""

from __future__ import annotations

import re

import numpy as np
import pyproj
from numpy.typing import ArrayLike

from geo.crs import Floats, SourceCrs, to_wgs84
from geo.errors import CrsError

_SURE_EPSG = 70  # per cent of confidence at which pyproj takes a .prj of Esri for the code
_SPELLINGS = {"cgcs2000": "wgs84", "4326": "wgs84", "4490": "wgs84"}  # the same at patrol scale


def name_source(written: str) -> str:
    """Give a declared source one spelling: GCJ-02 is ``gcj02``, CGCS2000 is ``wgs84``, 4550 is ``EPSG:4550``.

    Parameters
    ----------
    written : str
        As somebody wrote it.

    Returns
    -------
    str
        The name, or what was written (without blanks around it) where it is none of these.
    """
    bare = re.sub(r"[-_\s]", "", written).lower().removeprefix("epsg:")
    bare = _SPELLINGS.get(bare, bare)
    if bare in list(SourceCrs):
        return bare
    return f"EPSG:{bare}" if bare.isdecimal() else written.strip()


def row_to_wgs84(lon: ArrayLike, lat: ArrayLike, source_crs: SourceCrs | str | int) -> tuple[Floats, Floats]:
    """Convert one row's coordinates as `to_wgs84`; NaN where they cannot be coordinates of that source."""
    try:
        return to_wgs84(lon, lat, source_crs)
    except CrsError as error:
        if error.code != "out_of_range":
            raise
        nowhere = np.full(np.shape(lon), np.nan)
        return nowhere, nowhere


def is_same_crs(declared: pyproj.CRS, stated: SourceCrs | str | int) -> bool:
    """Tell whether the EPSG code that somebody states is the CRS that a file declares."""
    try:
        other = pyproj.CRS.from_user_input(stated)
    except pyproj.exceptions.CRSError:
        return False
    code = declared.to_epsg(min_confidence=_SURE_EPSG)
    return bool(declared.equals(other, ignore_axis_order=True)) or (
        code is not None and code == other.to_epsg()
    )
