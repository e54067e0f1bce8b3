"""Where a door number lies between the known numbers of its road."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geo.crs import Floats
from geo.gazetteer import Ints, Road

_NARROWEST = 10.0  # house numbers; closer neighbours are all alike
_NEIGHBOUR = 1  # the second nearest known number sets the bandwidth
_RIDGE = 100.0  # squared house numbers; damps the slope when few numbers are near
_FREE_REACH = 60  # numbers beyond the last known one that one or two known numbers may still place
_LINE_REACH = 150  # the same for three or more, which show the road's course


@dataclass(frozen=True, slots=True)
class Guess:
    """A point along a road.

    Parameters
    ----------
    xy : ndarray, shape (2,)
        Metres.
    spread_m : float
        Weighted mean distance of the known points from `xy`; large where they are far or disagree.
    lone : bool
        Whether one known number was all there was.
    outside : bool
        Whether the number lies beyond the known ones.
    """

    xy: Floats
    spread_m: float
    lone: bool
    outside: bool


def interpolate(numbers: Ints, xy: Floats, number: int, *, side_weight: float = 0.35) -> Guess:
    """Estimate the point of a number by a local straight line through the known numbers.

    Parameters
    ----------
    numbers : ndarray of int64, shape (k,)
        Known numbers in ascending order.
    xy : ndarray, shape (k, 2)
        Their points in metres.
    number : int
        Number to place.
    side_weight : float
        Weight of a number on the other (odd or even) side of the road relative to one on the same side.

    Returns
    -------
    Guess
        Point and how far the evidence lies from it.

    Notes
    -----
    Local linear regression (Cleveland 1979) with exponential weights over the house number, bandwidth at the
    second nearest known number and a small ridge. A line through several numbers is steadier than one through
    the two neighbours: published points of the same written address scatter by 30 m (median).
    """
    away = np.abs(numbers - number).astype(np.float64)
    outside = bool(number < numbers[0] or number > numbers[-1])
    if len(numbers) == 1:
        return Guess(xy[0], float(away[0]), True, outside)
    bandwidth = max(_NARROWEST, float(np.partition(away, _NEIGHBOUR)[_NEIGHBOUR]))
    weight = np.exp(-away / bandwidth) * np.where(numbers % 2 == number % 2, 1.0, side_weight)
    weight /= weight.sum()
    centre_number, centre = float(weight @ numbers), weight @ xy
    offset = numbers - centre_number
    slope = ((weight * offset) @ (xy - centre)) / (float(weight @ offset**2) + _RIDGE)
    point = centre + slope * (number - centre_number)
    spread = float(weight @ np.hypot(*(xy - point).T))
    return Guess(point, spread, False, outside)


def is_within_reach(road: Road, number: int) -> bool:
    """Tell whether a number is close enough to a road's known numbers to be placed by them.

    Notes
    -----
    Beyond the known range at most the range's own length, or 60 numbers (150 when three or more numbers are
    known), may be extrapolated.
    """
    if len(road.numbers) == 0:
        return False
    first, last = int(road.numbers[0]), int(road.numbers[-1])
    free = _LINE_REACH if len(road.numbers) >= 3 else _FREE_REACH
    return max(first - number, number - last) <= max(free, last - first)


def nearest_end(road: Road, number: int) -> tuple[Floats, int]:
    """Give the known end of a road nearest to a number out of reach.

    Parameters
    ----------
    road : Road
        Road with at least one known number.
    number : int
        Number beyond the known ones.

    Returns
    -------
    tuple of ndarray and int
        Point of the end in metres, and how many numbers lie between.
    """
    first, last = int(road.numbers[0]), int(road.numbers[-1])
    return (road.xy[0], first - number) if number < first else (road.xy[-1], number - last)
