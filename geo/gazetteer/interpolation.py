"""Where a door number lies between the known numbers of its road."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from geo.crs import Floats
from geo.gazetteer.roads import Ints, Road

_ANYWHERE_M = 10_000.0  # spread of the places a road may run through; wide, so that it pulls nothing
_HUNDRED = 100.0  # house numbers per unit of the options below
_LEAST_REACH = 300  # numbers beyond the last known one that a road's course may still place
_STRAY_M = 300.0  # beyond nine tenths of the errors of a guessed door
_MOST_NUMBERS = 1000  # known numbers of one road; more are thinned, as the cost grows with their cube
_TELLING_NUMBERS, _TELLING_RANGE = 4, 60  # what shows the slope of a road
_MOST_SLOPES = 200
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Course:
    """How roads of a district wander with their house numbers; every length is a standard deviation.

    Parameters
    ----------
    slope_m : float
        Metres per hundred numbers in any direction, of a road unlike the others.
    likeness_m : float
        Difference in metres per hundred numbers between a road and the one it is most like.
    unlike : float
        Share of roads that are like none of the others.
    curve_m, curve_hundreds : float
        Gradual departure of a road from its straight line, and the hundreds of numbers over which it fades.
    bend_m, bend_hundreds : float
        The same for sudden departures: corners, and numbers that jump.
    side_m, side_hundreds : float
        The same for each side (odd and even numbers) by itself.
    scatter_m : float
        Scatter of one published point round the door it names.
    scatter_freedom : float
        Degrees of freedom of that scatter: the fewer, the more often a point lies far off its door.
    """

    slope_m: float = 300.0
    likeness_m: float = 15.0
    unlike: float = 0.2
    curve_m: float = 200.0
    curve_hundreds: float = 10.0
    bend_m: float = 110.0
    bend_hundreds: float = 14.0
    side_m: float = 70.0
    side_hundreds: float = 2.5
    scatter_m: float = 20.0
    scatter_freedom: float = 4.0

    def scaled(self, *, bend: float = 1.0, side: float = 1.0, scatter: float = 1.0) -> Course:
        """Give the course with its bends, its sides and the scatter of its points times these factors."""
        return replace(
            self, bend_m=self.bend_m * bend, side_m=self.side_m * side, scatter_m=self.scatter_m * scatter
        )


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
class _Kind:
    """Slopes a road may have, equally likely, and the covariance of its known points given one."""

    slope_sd: float
    covariance: Floats
    slopes: Floats
    prior: float


@dataclass(frozen=True, slots=True, eq=False)
class _Bundle:
    """One covariance with the slopes that share it: their joint weight, mean and variance."""

    slope_sd: float
    weight: float
    slope: Floats
    variance: float
    inverse: Floats
    pull: Floats
    lean: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A road fitted to its known numbers, ready to place others; see `fit_line`."""

    numbers: Ints
    course: Course
    middle: Floats
    bundles: tuple[_Bundle, ...]

    def at(self, number: int) -> Guess:
        """Place a number."""
        asked, centre = np.array([number], dtype=np.int64), float(self.numbers.mean())
        points, variances = [], []
        for bundle in self.bundles:
            shared = _kernel(asked, self.numbers, self.course, bundle.slope_sd, centre)[0]
            own = float(_kernel(asked, asked, self.course, bundle.slope_sd, centre)[0, 0])
            # What of the way along the slope the known numbers do not already tell.
            untold = (number - centre) / _HUNDRED - float(shared @ bundle.lean)
            points.append(self.middle + shared @ bundle.pull + untold * bundle.slope)
            variances.append(own - float(shared @ bundle.inverse @ shared) + untold**2 * bundle.variance)
        weights = np.array([bundle.weight for bundle in self.bundles])
        point = weights @ np.array(points)
        apart = ((np.array(points) - point) ** 2).sum(axis=1) / 2.0
        spread = float(np.sqrt(max(float(weights @ (np.array(variances) + apart)), 0.0)))
        outside = bool(number < self.numbers[0] or number > self.numbers[-1])
        return Guess(point, spread, outside)


def fit_line(
    numbers: Ints, xy: Floats, rows: Ints, *, course: Course | None = None, slopes: Floats | None = None
) -> Line:
    """Fit the course of one road to its known numbers.

    Parameters
    ----------
    numbers : ndarray of int64, shape (k,)
        Known numbers in ascending order, at least one.
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

    Notes
    -----
    Kriging over the house number (Matheron 1963): a straight line, a Matérn covariance (3/2) for its curves,
    an exponential one for its bends, another for each side of the road, and a nugget for the scatter of
    published points. The slope of the line is like that of one of the other roads, or of none, each weighed
    by how well it explains the known points (Bayesian model averaging, Hoeting et al. 1999): streets of a
    town follow few directions and have about the same number of doors per kilometre. The scatter is Student's
    t, so that a point far off its neighbours moves them little: its share of the nugget is fitted in rounds
    (Tipping and Lawrence 2005, "Variational inference for Student-t models"). Beyond 1,000 numbers every
    second, third, ... one is used.
    """
    course = Course() if course is None else course
    step = 1 + (len(numbers) - 1) // _MOST_NUMBERS
    numbers, xy, rows = numbers[::step], xy[::step], rows[::step]
    known = np.empty((0, 2)) if slopes is None else slopes
    unlike = course.unlike if len(known) else 1.0
    kinds = [_kind(numbers, course, course.slope_m, np.zeros((1, 2)), unlike)]
    if len(known):
        kinds.append(_kind(numbers, course, course.likeness_m, known, (1.0 - unlike) / len(known)))
    middle, scatter = xy.mean(axis=0), course.scatter_m**2 * (0.5 + 0.5 / rows)
    nugget = scatter
    bundles = _explain(numbers, xy - middle, nugget, kinds)
    for _ in range(_ROUNDS if len(numbers) > 2 else 0):  # two points cannot tell which of them is off
        ease = (course.scatter_freedom + 2.0) / (course.scatter_freedom + _missed(bundles, nugget) / scatter)
        nugget = scatter / ease
        bundles = _explain(numbers, xy - middle, nugget, kinds)
    return Line(numbers, course, middle, bundles)


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


def _kind(numbers: Ints, course: Course, slope_sd: float, slopes: Floats, prior: float) -> _Kind:
    covariance = _kernel(numbers, numbers, course, slope_sd, float(numbers.mean()))
    return _Kind(slope_sd, covariance, slopes, prior)


def _explain(numbers: Ints, off: Floats, nugget: Floats, kinds: list[_Kind]) -> tuple[_Bundle, ...]:
    """Fit points (offsets from their middle, metres) by each kind of slope, weighed by their evidence."""
    along = (numbers - numbers.mean()) / _HUNDRED
    fitted: list[tuple[_Kind, Floats, Floats, Floats, Floats]] = []
    for kind in kinds:
        covariance = kind.covariance + np.diag(nugget)
        inverse: Floats = np.asarray(np.linalg.inv(covariance), dtype=np.float64)
        pull, lean = inverse @ off, inverse @ along
        misfit = (
            float((off * pull).sum())
            - 2.0 * kind.slopes @ (along @ pull)
            + (kind.slopes**2).sum(axis=1) * float(along @ lean)
        )
        # Two axes share the covariance, so its log determinant counts twice a half.
        evidence = np.log(kind.prior) - 0.5 * misfit - np.linalg.slogdet(covariance)[1]
        fitted.append((kind, evidence, inverse, pull, lean))
    top = max(float(evidence.max()) for _, evidence, *_ in fitted)
    total = sum(float(np.exp(evidence - top).sum()) for _, evidence, *_ in fitted)
    bundles = []
    for kind, evidence, inverse, pull, lean in fitted:
        weights = np.exp(evidence - top) / total
        share = float(weights.sum())
        inner = weights / share if share > 0 else np.full(len(weights), 1.0 / len(weights))
        slope = inner @ kind.slopes
        variance = float(inner @ ((kind.slopes - slope) ** 2).sum(axis=1)) / 2.0
        bundles.append(_Bundle(kind.slope_sd, share, slope, variance, inverse, pull, lean))
    return tuple(bundles)


def _missed(bundles: tuple[_Bundle, ...], nugget: Floats) -> Floats:
    """Give the expected squared distance of each known point from the fitted road, shape (k,)."""
    found = np.zeros(len(nugget))
    for bundle in bundles:
        off = nugget[:, None] * (bundle.pull - np.outer(bundle.lean, bundle.slope))
        unsure = nugget - nugget**2 * np.diag(bundle.inverse)
        found += bundle.weight * ((off**2).sum(axis=1) + 2.0 * unsure)
    return found


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


def _kernel(one: Ints, other: Ints, course: Course, slope_sd: float, centre: float) -> Floats:
    """Give the covariance of the points of two lists of numbers in square metres."""
    apart = np.abs(one[:, None] - other[None, :]) / _HUNDRED
    line = np.outer((one - centre) / _HUNDRED, (other - centre) / _HUNDRED) * slope_sd**2
    steps = np.sqrt(3.0) * apart / course.curve_hundreds
    curve = course.curve_m**2 * (1.0 + steps) * np.exp(-steps)
    bend = course.bend_m**2 * np.exp(-apart / course.bend_hundreds)
    side = course.side_m**2 * np.exp(-apart / course.side_hundreds)
    same = (one[:, None] % 2) == (other[None, :] % 2)
    found: Floats = _ANYWHERE_M**2 + line + curve + bend + np.where(same, side, 0.0)
    return found
