"""Kriging of points over house numbers, many roads of one length at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from geo.crs import Floats
from geo.gazetteer.roads import Ints

_ANYWHERE_M = 10_000.0  # spread of the places a road may run through; wide, so that it pulls nothing
_HUNDRED = 100.0  # house numbers per unit of the options below
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


@dataclass(frozen=True, slots=True, eq=False)
class _Kind:
    """Slopes a road may have, equally likely, and the covariance of its known points given one."""

    slope_sd: float
    covariance: Floats
    slopes: Floats
    prior: float


@dataclass(frozen=True, slots=True, eq=False)
class _Bundle:
    """One covariance with the slopes that share it, for each road: joint weight, mean and variance."""

    slope_sd: float
    weight: Floats
    slope: Floats
    variance: Floats
    inverse: Floats
    pull: Floats
    lean: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Fits:
    """Roads fitted to equally many known numbers each; see `krige`."""

    numbers: Ints
    course: Course
    middle: Floats
    bundles: tuple[_Bundle, ...]


def krige(numbers: Ints, xy: Floats, rows: Ints, *, course: Course, slopes: Floats) -> Fits:
    """Fit the courses of roads to their known numbers.

    Parameters
    ----------
    numbers : ndarray of int64, shape (b, k)
        Known numbers of b roads (or of one road with others left out).
    xy : ndarray, shape (b, k, 2)
        Their points in metres.
    rows : ndarray of int64, shape (b, k)
        Published points behind each of them.
    course : Course
        How roads wander.
    slopes : ndarray, shape (c, 2)
        Slopes of the district's other roads, may be none.

    Returns
    -------
    Fits
        For `place`.

    Notes
    -----
    Kriging over the house number (Matheron 1963): a straight line, a Matérn covariance (3/2) for its curves,
    an exponential one for its bends, another for each side of the road, and a nugget for the scatter of
    published points. The slope of the line is like that of one of the other roads, or of none, each weighed
    by how well it explains the known points (Bayesian model averaging, Hoeting et al. 1999): streets of a
    town follow few directions and have about the same number of doors per kilometre. The scatter is Student's
    t, so that a point far off its neighbours moves them little: its share of the nugget is fitted in rounds
    (Tipping and Lawrence 2005, "Variational inference for Student-t models").
    """
    middle = xy.mean(axis=1)
    unlike = course.unlike if len(slopes) else 1.0
    kinds = [_kind(numbers, course, course.slope_m, np.zeros((1, 2)), unlike)]
    if len(slopes):
        kinds.append(_kind(numbers, course, course.likeness_m, slopes, (1.0 - unlike) / len(slopes)))
    scatter: Floats = course.scatter_m**2 * (0.5 + 0.5 / rows)
    off = xy - middle[:, None]
    nugget, bundles = scatter, _explain(numbers, off, scatter, kinds)
    for _ in range(_ROUNDS if numbers.shape[1] > 2 else 0):  # two points cannot tell which of them is off
        ease = (course.scatter_freedom + 2.0) / (course.scatter_freedom + _missed(bundles, nugget) / scatter)
        nugget = scatter / ease
        bundles = _explain(numbers, off, nugget, kinds)
    return Fits(numbers, course, middle, bundles)


def place(fits: Fits, asked: Ints) -> tuple[Floats, Floats]:
    """Place one number on each fitted road.

    Parameters
    ----------
    fits : Fits
        b roads.
    asked : ndarray of int64, shape (b,)
        A number for each.

    Returns
    -------
    tuple of ndarray
        Points in metres, shape (b, 2), and the standard deviation their course gives them, shape (b,).
    """
    one, centre = asked[:, None], fits.numbers.mean(axis=1)
    points, variances = [], []
    for bundle in fits.bundles:
        shared = _kernel(one, fits.numbers, fits.course, bundle.slope_sd, centre)[:, 0]
        own = _kernel(one, one, fits.course, bundle.slope_sd, centre)[:, 0, 0]
        # What of the way along the slope the known numbers do not already tell.
        untold = (asked - centre) / _HUNDRED - (shared * bundle.lean).sum(axis=1)
        pulled = np.matmul(shared[:, None], bundle.pull)[:, 0]
        points.append(fits.middle + pulled + untold[:, None] * bundle.slope)
        told = (np.matmul(shared[:, None], bundle.inverse)[:, 0] * shared).sum(axis=1)
        variances.append(own - told + untold**2 * bundle.variance)
    weights = np.array([bundle.weight for bundle in fits.bundles])
    point: Floats = (weights[..., None] * np.array(points)).sum(axis=0)
    apart = ((np.array(points) - point) ** 2).sum(axis=2) / 2.0
    spread: Floats = np.sqrt(np.maximum((weights * (np.array(variances) + apart)).sum(axis=0), 0.0))
    return point, spread


def _kind(numbers: Ints, course: Course, slope_sd: float, slopes: Floats, prior: float) -> _Kind:
    covariance = _kernel(numbers, numbers, course, slope_sd, numbers.mean(axis=1))
    return _Kind(slope_sd, covariance, slopes, prior)


def _explain(numbers: Ints, off: Floats, nugget: Floats, kinds: list[_Kind]) -> tuple[_Bundle, ...]:
    """Fit points (offsets from their middle, metres) by each kind of slope, weighed by their evidence."""
    along = (numbers - numbers.mean(axis=1, keepdims=True)) / _HUNDRED
    fitted: list[tuple[_Kind, Floats, Floats, Floats, Floats]] = []
    for kind in kinds:
        covariance = kind.covariance + nugget[:, :, None] * np.eye(numbers.shape[1])
        inverse: Floats = np.asarray(np.linalg.inv(covariance), dtype=np.float64)
        pull, lean = np.matmul(inverse, off), np.matmul(inverse, along[..., None])[..., 0]
        misfit = (
            (off * pull).sum(axis=(1, 2))[:, None]
            - 2.0 * (along[..., None] * pull).sum(axis=1) @ kind.slopes.T
            + (kind.slopes**2).sum(axis=1) * (along * lean).sum(axis=1)[:, None]
        )
        # Two axes share the covariance, so its log determinant counts twice a half.
        evidence = np.log(kind.prior) - 0.5 * misfit - np.linalg.slogdet(covariance)[1][:, None]
        fitted.append((kind, evidence, inverse, pull, lean))
    top = np.concatenate([evidence for _, evidence, *_ in fitted], axis=1).max(axis=1, keepdims=True)
    total = np.concatenate([np.exp(evidence - top) for _, evidence, *_ in fitted], axis=1).sum(axis=1)
    bundles = []
    for kind, evidence, inverse, pull, lean in fitted:
        weights = np.exp(evidence - top) / total[:, None]
        share = weights.sum(axis=1)
        inner = weights / np.maximum(share, np.finfo(np.float64).tiny)[:, None]
        slope = inner @ kind.slopes
        variance = (inner @ (kind.slopes**2).sum(axis=1) - (slope**2).sum(axis=1)) / 2.0
        bundles.append(_Bundle(kind.slope_sd, share, slope, np.maximum(variance, 0.0), inverse, pull, lean))
    return tuple(bundles)


def _missed(bundles: tuple[_Bundle, ...], nugget: Floats) -> Floats:
    """Give the expected squared distance of each known point from its fitted road, shape (b, k)."""
    found = np.zeros_like(nugget)
    for bundle in bundles:
        off = nugget[..., None] * (bundle.pull - bundle.lean[..., None] * bundle.slope[:, None])
        unsure = nugget - nugget**2 * np.diagonal(bundle.inverse, axis1=1, axis2=2)
        found += bundle.weight[:, None] * ((off**2).sum(axis=2) + 2.0 * unsure)
    return found


def _kernel(one: Ints, other: Ints, course: Course, slope_sd: float, centre: Floats) -> Floats:
    """Give the covariance of the points of lists of numbers, (b, k) and (b, l), in square metres."""
    apart = np.abs(one[:, :, None] - other[:, None, :]) / _HUNDRED
    here, there = (one - centre[:, None]) / _HUNDRED, (other - centre[:, None]) / _HUNDRED
    steps = np.sqrt(3.0) * apart / course.curve_hundreds
    curve = course.curve_m**2 * (1.0 + steps) * np.exp(-steps)
    bend = course.bend_m**2 * np.exp(-apart / course.bend_hundreds)
    side = course.side_m**2 * np.exp(-apart / course.side_hundreds)
    same = (one[:, :, None] % 2) == (other[:, None, :] % 2)
    line = here[:, :, None] * there[:, None, :] * slope_sd**2
    found: Floats = _ANYWHERE_M**2 + line + curve + bend + np.where(same, side, 0.0)
    return found
