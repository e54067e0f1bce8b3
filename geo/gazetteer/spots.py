"""Spots: a point in metres with its level, score and radius, before it becomes a match."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from geo.address.offset import read_offset
from geo.address.parser import Address
from geo.crs import Floats
from geo.gazetteer.matches import Level

SCORE = {
    Level.ROOM: 1.0,
    Level.DOOR: 0.98,
    Level.OTHER_UNIT: 0.9,
    Level.POI: 0.8,
    Level.INTERPOLATED: 0.7,
    Level.ROAD: 0.4,
    Level.AREA: 0.15,
}
_OFFSET_SHARE = 0.3  # of a written distance: it is a round figure, in one of eight directions


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """A point in metres before it becomes a match; `chosen` is False where a person has to decide."""

    xy: Floats
    level: Level
    score: float
    radius_m: float
    text: str
    notes: tuple[str, ...] = ()
    chosen: bool = True


def shifted(spot: Spot, address: Address) -> Spot:
    """Move a spot by the distance an address remarks (交叉口东50米), its radius wider by 0.3 of it.

    Parameters
    ----------
    spot : Spot
        A crossing or a place, where the distance is counted from.
    address : Address
        Address with or without an `offset`.

    Returns
    -------
    Spot
        The spot itself where nothing is remarked.
    """
    if address.offset is None:
        return spot
    way = np.array(read_offset(address.offset))
    far = float(np.hypot(*way))
    radius = float(np.hypot(spot.radius_m, _OFFSET_SHARE * far))
    return replace(spot, xy=spot.xy + way, radius_m=radius, notes=(*spot.notes, "offset"))


def widened(spot: Spot, address: Address) -> Spot:
    """Widen the radius by a remarked distance whose start nobody knows (a road's middle)."""
    if address.offset is None:
        return spot
    far = float(np.hypot(*read_offset(address.offset)))
    return replace(spot, radius_m=float(np.hypot(spot.radius_m, far)))
