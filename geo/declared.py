"""Coordinates that a register declares, held against the addresses it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from geo.crs import Floats, SourceCrs, project_xy
from geo.datum import SLIPS
from geo.geocode import GazetteerGeocoder, Level, Match

_FIRM = frozenset({Level.ROOM, Level.DOOR, Level.OTHER_UNIT, Level.POI, Level.INTERPOLATED})
_RADII = 2.0  # a radius holds nine of ten; twice as far is one address of forty
_LEAST_M = 250.0  # a site has several gates, a mall several doors
# Stored points were converted already: what is left to undo is a datum that was not stated.
_UNSTATED = tuple(slip for slip in SLIPS if slip.read_as is SourceCrs.WGS84)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A declared point that is not where its address is.

    Parameters
    ----------
    match : Match
        Where the gazetteer places the address.
    apart_m : float
        Metres between the two.
    truth : SourceCrs or None
        Datum in which the declared numbers would fit the address.
    """

    match: Match
    apart_m: float
    truth: SourceCrs | None


def is_firm(match: Match) -> bool:
    """Return whether a match says where a door is: no mere road or area, nothing beyond the known numbers."""
    return match.level in _FIRM and "extrapolated" not in match.notes


def contradictions(
    geocoder: GazetteerGeocoder, addresses: Sequence[str], lon: ArrayLike, lat: ArrayLike
) -> list[Contradiction | None]:
    """Compare declared points with where a gazetteer places their addresses.

    Parameters
    ----------
    geocoder : GazetteerGeocoder
        Offline geocoder with its radii.
    addresses : sequence of str
        Addresses as written.
    lon, lat : array_like of the same length
        Declared points as stored, WGS-84 degrees.

    Returns
    -------
    list of Contradiction or None
        One per address; None where the point is within twice the address' error radius (at least 250 m), or
        where the address says too little.

    Notes
    -----
    A slip of the datum is named when undoing it brings the point within the radius of its address.
    """
    matches = geocoder.locate(addresses)
    firm = [i for i, match in enumerate(matches) if match.lon is not None and is_firm(match)]
    found: list[Contradiction | None] = [None] * len(matches)
    if not firm:
        return found
    x, y = np.asarray(lon, dtype=np.float64)[firm], np.asarray(lat, dtype=np.float64)[firm]
    crs = geocoder.gazetteer.crs
    placed = np.array([(matches[i].lon, matches[i].lat) for i in firm], dtype=np.float64)
    there = project_xy(placed[:, 0], placed[:, 1], crs)
    radius = np.array([matches[i].error_radius_m or 0.0 for i in firm])
    apart = _apart(project_xy(x, y, crs), there)
    slips = [(slip.truth, _apart(project_xy(*slip.undo(x, y), crs), there)) for slip in _UNSTATED]
    for at, i in enumerate(firm):
        if apart[at] <= max(_RADII * radius[at], _LEAST_M):
            continue
        fits = [(then[at], truth) for truth, then in slips if then[at] <= radius[at]]
        found[i] = Contradiction(matches[i], float(apart[at]), min(fits)[1] if fits else None)
    return found


def _apart(one: Floats, other: Floats) -> Floats:
    metres: Floats = np.hypot(*(one - other).T)
    return metres
