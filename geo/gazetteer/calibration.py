"""Error radii a gazetteer earns by placing its own rows, each left out in turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geo.crs import Floats
from geo.errors import GazetteerError
from geo.gazetteer.index import Gazetteer
from geo.gazetteer.interpolation import Course, Guess
from geo.gazetteer.trials import (
    Trials,
    cleared,
    crossings,
    doors_of,
    estate_siblings,
    extent,
    gaps,
    left_out,
    meetings,
    middles,
    same_number,
    siblings,
    streets_of,
    support,
)

_OFFSETS = (1.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
_POWERS = (0.0, 0.25, 0.5, 0.75, 1.0)
_LEAST_SHARE = 0.5  # of the extent: no middle is surer than that
_FEWEST = 25  # errors below which a quantile of 0.9 means nothing
_MOST_TRIALS, _MOST_COMPARED, _MOST_CLEARED = (
    3000,
    1000,
    400,
)  # numbers left out: radii, choice of course, gaps
# Roads of other towns may bend more, lie further apart on their two sides, or be surveyed more or less well.
_COURSES = (
    Course(),
    Course().scaled(scatter=0.5),
    Course().scaled(scatter=3.0),
    Course().scaled(bend=2.0),
    Course().scaled(bend=0.4, side=0.4),
)
# Without enough rows of one's own: p90 of 24,710 published addresses in four cities (same written address;
# naive interpolation with one address left out).
_PRIOR_DOOR_M, _PRIOR_INTERPOLATED_M = 140.0, 634.0
_PRIOR_CROSSING_M = 500.0  # of crossings where one point of each road is known
_PRIOR_ESTATE_M, _PRIOR_ESTATE_SIBLING_M = 440.0, 840.0  # p90 of doors of 130 estates of one city
_PRIOR_TOWN_M = 3000.0
_PRIOR_SIBLING_M = 2500.0  # the other parts of a street run through several quarters


@dataclass(frozen=True, slots=True)
class Growth:
    """A radius that grows with a scale: ``factor * (scale + offset) ** power`` in metres."""

    factor: float
    offset: float
    power: float

    def at(self, scale: float) -> float:
        """Give the radius in metres for a scale."""
        return float(self.factor * (scale + self.offset) ** self.power)


@dataclass(frozen=True, slots=True)
class Reach:
    """Radius of the middle of known points, by how many doors or streets are behind it (`trials.support`)."""

    growths: tuple[Growth, ...]

    def at(self, points: Floats, known: int) -> float:
        """Give the radius in metres of the middle of points of shape (n, 2)."""
        return max(extent(points) * _LEAST_SHARE, self.growths[support(known)].at(extent(points)))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Error radii of one gazetteer.

    Parameters
    ----------
    coverage : float
        Share of true points the radii are meant to hold.
    course : Course
        How the district's roads wander, the one that placed the left-out rows best.
    door_m, other_unit_m, sibling_m : float
        Radius of a known door, of another unit at the same number, and of a neighbouring part of the road.
    along : Growth
        Radius of an interpolated point by its `Guess.spread_m`.
    gap : Growth
        Distance between two numbers of one road by their difference.
    road, estate, town : Reach
        Radius of the middle of a road, an estate or a town by the distance of its points from it.
    crossing : Growth
        The same for the middle of a road and a door of an unknown road that meets it.
    meeting : Growth
        Radius of a crossing by the distance of the nearest known points of its two roads.
    estate_sibling_m : float
        Radius of the middle of an estate for a door of its sibling.
    rows : int
        Left-out rows behind the figures.
    """

    coverage: float
    course: Course
    door_m: float
    other_unit_m: float
    sibling_m: float
    along: Growth
    gap: Growth
    road: Reach
    estate: Reach
    town: Reach
    crossing: Growth
    meeting: Growth
    estate_sibling_m: float
    rows: int

    def interpolated_m(self, guess: Guess) -> float:
        """Give the radius of an interpolated point."""
        return self.along.at(guess.spread_m)

    def end_m(self, missing: int) -> float:
        """Give the radius of a road's last known number for a number that lies that many beyond it."""
        return max(self.door_m, self.gap.at(float(missing)))

    def road_m(self, points: Floats, addresses: int) -> float:
        """Give the radius of the middle of a road's points (shape (n, 2), metres) of so many addresses."""
        return max(self.door_m, self.road.at(points, addresses))

    def meeting_m(self, apart_m: float) -> float:
        """Give the radius of a crossing whose roads' known points come that near."""
        return max(self.other_unit_m, self.meeting.at(apart_m))

    def crossing_m(self, points: Floats) -> float:
        """Give the radius of the middle of a road's points for an unknown road that meets it."""
        return max(self.door_m, self.crossing.at(extent(points)))


def calibrate(gazetteer: Gazetteer, *, coverage: float = 0.9) -> Calibration:
    """Measure a gazetteer's own errors by leaving each number (or row) out.

    Parameters
    ----------
    gazetteer : Gazetteer
        Known addresses.
    coverage : float
        Share of true points a radius shall hold, between 0.5 and 0.99.

    Returns
    -------
    Calibration
        Radii as weighted upper quantiles of the left-out errors, in the manner of split-conformal prediction;
        a row of an address with n rows weighs ``n ** -0.5``.

    Raises
    ------
    GazetteerError
        ``bad_coverage``.

    Notes
    -----
    Where fewer than 25 errors of a kind exist, the published figures of other cities stand in, whichever is
    larger.
    """
    if not 0.5 <= coverage <= 0.99:
        raise GazetteerError("bad_coverage", coverage=coverage)
    best = min(_COURSES, key=lambda c: _middle_error(left_out(gazetteer, c, most=_MOST_COMPARED)))
    trials = left_out(gazetteer, best, most=_MOST_TRIALS)
    door, unit = same_number(gazetteer)
    door_m = _radius(door, coverage, _PRIOR_DOOR_M)
    far = _beyond(cleared(gazetteer, best, most=_MOST_CLEARED), trials)
    roads = [doors_of(gazetteer, road.all_rows) for road in gazetteer.roads.values()]
    estates = [doors_of(gazetteer, estate.all_rows) for estate in gazetteer.estates.values()]
    towns = [streets_of(gazetteer, rows) for rows in gazetteer.towns.values()]
    road_prior = 2.0 * _PRIOR_INTERPOLATED_M
    return Calibration(
        coverage=coverage,
        course=best,
        door_m=door_m,
        other_unit_m=max(door_m, _radius(unit, coverage, _PRIOR_DOOR_M)),
        sibling_m=max(door_m, _radius(siblings(gazetteer), coverage, _PRIOR_SIBLING_M)),
        along=_growth(trials, coverage, _PRIOR_INTERPOLATED_M, far=far),
        gap=_growth(gaps(gazetteer), coverage, road_prior),
        road=_reach(middles(gazetteer, roads), coverage, road_prior),
        estate=_reach(middles(gazetteer, estates), coverage, _PRIOR_ESTATE_M),
        town=_reach(middles(gazetteer, towns, lone=True), coverage, _PRIOR_TOWN_M),
        crossing=_growth(crossings(gazetteer), coverage, road_prior),
        meeting=_growth(meetings(gazetteer), coverage, _PRIOR_CROSSING_M),
        estate_sibling_m=_radius(estate_siblings(gazetteer), coverage, _PRIOR_ESTATE_SIBLING_M),
        rows=len(trials),
    )


def _reach(trials: dict[int, Trials], coverage: float, prior: float) -> Reach:
    return Reach(tuple(_growth(trials[kind], coverage, prior) for kind in sorted(trials)))


def _beyond(more: Trials, known: Trials) -> Trials:
    """Keep the trials whose scale is as large as that of the last tenth of the known ones."""
    limit = float(np.quantile([scale for scale, _, _ in known], 0.9)) if known else 0.0
    return [trial for trial in more if trial[0] >= limit]


def _middle_error(trials: Trials) -> float:
    # The mean of the logs weighs the many small errors like the few large ones.
    errors, weights = [np.log1p(error) for _, error, _ in trials], [weight for *_, weight in trials]
    return float(np.average(errors, weights=weights)) if trials else 0.0


def _radius(trials: Trials, coverage: float, prior: float) -> float:
    if not trials:
        return prior
    _, errors, weights = np.array(trials).T
    own = _quantile(errors, weights, coverage)
    return own if len(trials) >= _FEWEST else max(own, prior)


def _quantile(values: Floats, weights: Floats, coverage: float) -> float:
    """Give the least value that this share of the weight does not exceed, one more address assumed beyond."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) / (weights.sum() + 1.0)
    at = min(int(np.searchsorted(reached, coverage)), len(values) - 1)
    return float(values[order][at])


def _growth(trials: Trials, coverage: float, prior: float, *, far: Trials | None = None) -> Growth:
    """Fit the growth of a radius with its scale to left-out errors.

    Notes
    -----
    The factor is the conformal quantile of error over scale (Lei et al. 2018, "Distribution-free predictive
    inference for regression", section 5.2); offset and power are those of least quantile loss (Koenker and
    Bassett 1978). Two parameters only: bins of few rows would follow single large sites. The
    trials ``far`` show how the radius grows where few numbers are known, but not how many points it holds.
    """
    if len(trials) < _FEWEST:
        return Growth(_radius(trials, coverage, prior), 1.0, 0.0)
    trials = trials[:: 1 + len(trials) // _MOST_TRIALS]  # more do not move a quantile
    scale, error, weight = np.array(trials + (far or [])).T
    own = len(trials)
    tried = []
    for offset in _OFFSETS:
        for power in _POWERS:
            shape = (scale + offset) ** power
            factor = _quantile(error[:own] / shape[:own], weight[:own], coverage)
            missing = error - factor * shape
            off = np.maximum(coverage * missing, (coverage - 1.0) * missing)
            loss = float(np.average(off, weights=weight))
            tried.append((loss, power, Growth(factor, offset, power)))
    return min(tried, key=lambda found: found[:2])[2]
