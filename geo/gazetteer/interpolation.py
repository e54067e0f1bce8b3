"""Where a door number lies between the known numbers of its road."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.crs import Floats
from geo.gazetteer.kriging import Course, Fits, krige, place
from geo.gazetteer.roads import Ints, Road

__all__ = ["Course", "Guess", "Line", "fit_line", "is_sound", "place_without", "road_slopes"]

_HUNDRED = 100.0
_LEAST_REACH = 300  # numbers beyond the last known one that a road's course may still place
_STRAY_M = 300.0  # beyond nine tenths of the errors of a guessed door
_MOST_NUMBERS = 1000  # known numbers of one road; more are thinned, as the cost grows with their cube
_TELLING_NUMBERS, _TELLING_RANGE = 4, 60  # what shows the slope of a road
_MOST_SLOPES = 200
_MOST_USED = 40


@dataclass(frozen=True, slots=True)
class Guess:
    """A point along a road.

    Parameters
    ----------
    xy : ndarray, shape (2,)
        Metres.
    spread_m : float
        Standard deviation the course of the road gives the point; large far from known numbers.
    outside : bool
        Whether the number lies beyond the known ones.
    """

    xy: Floats
    spread_m: float
    outside: bool


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A road fitted to its known numbers, ready to place others; see `fit_line`."""

    numbers: Ints
    fits: Fits

    def at(self, number: int) -> Guess:
        """Place a number."""
        points, spreads = place(self.fits, np.array([number], dtype=np.int64))
        outside = bool(number < self.numbers[0] or number > self.numbers[-1])
        return Guess(points[0], float(spreads[0]), outside)


def fit_line(
    numbers: Ints, xy: Floats, rows: Ints, *, course: Course | None = None, slopes: Floats | None = None
) -> Line:
    """Fit the course of one road to its known numbers, as `geo.gazetteer.kriging.krige` does.

    Parameters
    ----------
    numbers : ndarray of int64, shape (k,)
        Known numbers in ascending order, at least one; beyond 1,000 every second, third, ... is used.
    xy : ndarray, shape (k, 2)
        Their points in metres.
    rows : ndarray of int64, shape (k,)
        Published points behind each of them.
    course : Course, optional
        How roads wander.
    slopes : ndarray, shape (c, 2), optional
        Slopes of the district's other roads, see `road_slopes`.

    Returns
    -------
    Line
        Fitted road.
    """
    step = 1 + (len(numbers) - 1) // _MOST_NUMBERS
    numbers, xy, rows = numbers[::step], xy[::step], rows[::step]
    known = np.empty((0, 2)) if slopes is None else slopes
    return Line(numbers, krige(numbers[None], xy[None], rows[None], course=course or Course(), slopes=known))


def place_without(
    road: Road, left_out: Ints, *, gap: int, course: Course, slopes: Floats
) -> tuple[Ints, Floats, Floats]:
    """Place known numbers of a road by its other numbers.

    Parameters
    ----------
    road : Road
        Road with two numbers or more.
    left_out : ndarray of int64, shape (m,)
        Positions of the numbers to place, each without itself.
    gap : int
        House numbers up to this far away are left out with it.
    course, slopes
        As in `fit_line`.

    Returns
    -------
    tuple of ndarray
        The positions that have a number left to be placed by, their points, shape (n, 2), and spreads.

    Notes
    -----
    The nearest 40 numbers are used: those further off add nothing.
    """
    away = np.abs(road.numbers[left_out, None] - road.numbers[None])
    order = np.argsort(away, axis=1, kind="stable")
    # The numbers within the gap come first in the order; what follows them may be used.
    cleared = (away <= gap).sum(axis=1)
    used = np.minimum(len(road.numbers) - cleared, _MOST_USED)
    points, spreads = np.empty((len(left_out), 2)), np.empty(len(left_out))
    for size in np.unique(used[used > 0]):
        batch = np.flatnonzero(used == size)
        near = np.sort(order[batch[:, None], cleared[batch, None] + np.arange(size)], axis=1)
        fits = krige(road.numbers[near], road.xy[near], road.counts[near], course=course, slopes=slopes)
        points[batch], spreads[batch] = place(fits, road.numbers[left_out[batch]])
    told = used > 0
    return left_out[told], points[told], spreads[told]


def is_sound(numbers: Ints, xy: Floats, by_hand: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which known numbers of a road may shape its course: no lone point set by hand far off the others.

    Parameters
    ----------
    numbers : ndarray of int64, shape (k,)
        Known numbers in ascending order.
    xy : ndarray, shape (k, 2)
        Their points in metres.
    by_hand : ndarray of bool, shape (k,)
        Numbers whose point a person set.

    Returns
    -------
    ndarray of bool, shape (k,)
        False where the point is further from the straight line between the numbers before and after it than
        these are from each other and `_STRAY_M`; such a door is found, but moves none of its neighbours.
    """
    sound = np.ones(len(numbers), dtype=np.bool_)
    for at in np.flatnonzero(by_hand):
        if not 0 < at < len(numbers) - 1:
            continue
        share = (numbers[at] - numbers[at - 1]) / (numbers[at + 1] - numbers[at - 1])
        chord = xy[at + 1] - xy[at - 1]
        off = np.hypot(*(xy[at] - xy[at - 1] - share * chord))
        sound[at] = off <= np.hypot(*chord) + _STRAY_M
    return sound


def road_slopes(roads: Mapping[str, Road]) -> dict[str, Floats]:
    """Give the slope (metres per hundred numbers, shape (2,)) of the roads whose known numbers show one."""
    telling = sorted(
        name
        for name, road in roads.items()
        if len(road.numbers) >= _TELLING_NUMBERS and road.numbers[-1] - road.numbers[0] >= _TELLING_RANGE
    )
    found = {}
    for name in telling[:: 1 + len(telling) // _MOST_SLOPES]:
        numbers = roads[name].numbers / _HUNDRED
        offset = numbers - numbers.mean()
        found[name] = offset @ roads[name].xy / float(offset @ offset)
    return found


def slopes_without(slopes: Mapping[str, Floats], name: str) -> Floats:
    """Stack the slopes of every road but one (shape (c, 2)): no road is evidence for itself."""
    return np.array([slope for road, slope in slopes.items() if road != name]).reshape(-1, 2)


def is_within_reach(road: Road, number: int) -> bool:
    """Tell whether a number is close enough to a road's known numbers to be placed by its course.

    Notes
    -----
    Beyond the known range at most the range's own length, or 300 numbers, may be extrapolated.
    """
    if len(road.numbers) == 0:
        return False
    first, last = int(road.numbers[0]), int(road.numbers[-1])
    return max(first - number, number - last) <= max(_LEAST_REACH, last - first)


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
