"""Error radii a gazetteer earns by placing its own rows, each left out in turn."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from geo.crs import Floats
from geo.errors import GazetteerError
from geo.gazetteer import Gazetteer, unit_key
from geo.interpolation import Guess, interpolate

_BINS = 5
_FEWEST = 25  # errors per bin below which a quantile of 0.9 means nothing
_MOST_TRIALS = 5_000  # numbers left out; more do not move a quantile
_MOST_NUMBERS = 40  # per road in the comparison of pairs, evenly spaced
_SIBLING_EXTENTS = 3.0  # the unknown part of a road begins where the known one ends, and may be as long again
_SIDES = (1.0, 0.6, 0.35, 0.2)
# Without enough rows of one's own: p90 of 24,710 published addresses in four cities (same written address;
# naive interpolation with one address left out).
_PRIOR_DOOR_M, _PRIOR_INTERPOLATED_M = 140.0, 634.0


@dataclass(frozen=True, slots=True)
class Band:
    """A radius that grows with a scale: ``radius_m[i]`` holds up to ``upto[i]``, the last one beyond."""

    upto: tuple[float, ...]
    radius_m: tuple[float, ...]

    def at(self, scale: float) -> float:
        """Give the radius in metres for a scale."""
        return float(np.interp(scale, self.upto, self.radius_m)) if self.upto else self.radius_m[0]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Error radii of one gazetteer.

    Parameters
    ----------
    coverage : float
        Share of true points the radii are meant to hold.
    side_weight : float
        Weight of the other side of the road that placed the left-out rows best.
    door_m, other_unit_m : float
        Radius of a known door, and of another unit at the same number.
    between, beyond, lone : Band
        Radius of an interpolated point by its `Guess.spread_m`: between known numbers, beyond the last of
        them, or beside the only one.
    gap : Band
        Distance between two numbers of one road by their difference.
    road : Band
        Radius of a road's middle by the distance of its points from it.
    rows : int
        Left-out rows behind the figures.
    """

    coverage: float
    side_weight: float
    door_m: float
    other_unit_m: float
    between: Band
    beyond: Band
    lone: Band
    gap: Band
    road: Band
    rows: int

    def interpolated_m(self, guess: Guess) -> float:
        """Give the radius of an interpolated point; never below that of a known door."""
        band = self.lone if guess.lone else self.beyond if guess.outside else self.between
        return max(self.door_m, band.at(guess.spread_m))

    def end_m(self, missing: int) -> float:
        """Give the radius of a road's last known number for a number that lies that many beyond it."""
        return max(self.door_m, self.gap.at(float(missing)))

    def road_m(self, points: Floats, *, whole: bool = True) -> float:
        """Give the radius of the middle of points on a road (shape (n, 2), metres).

        Parameters
        ----------
        points : ndarray
            Known points.
        whole : bool
            False when the address lies on a neighbouring part of the road that is not known.
        """
        extent = _extent(points)
        radius = self.road.at(extent)
        return radius if whole else radius + _SIBLING_EXTENTS * extent


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
        Radii as upper quantiles of the left-out errors (split-conformal rank ``ceil((n + 1) * coverage)``).

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
    trials = {side: _left_out(gazetteer, side) for side in _SIDES}
    best = min(_SIDES, key=lambda side: _middle_error(trials[side]))
    by_kind: dict[str, list[tuple[float, float]]] = {"between": [], "beyond": [], "lone": []}
    for guess, error in trials[best]:
        kind = "lone" if guess.lone else "beyond" if guess.outside else "between"
        by_kind[kind].append((guess.spread_m, error))
    bands = {kind: _band(pairs, coverage, _PRIOR_INTERPOLATED_M) for kind, pairs in by_kind.items()}
    door, unit = _same_number_errors(gazetteer)
    door_m = _upper(door, coverage, _PRIOR_DOOR_M)
    return Calibration(
        coverage=coverage,
        side_weight=best,
        door_m=door_m,
        other_unit_m=max(door_m, _upper(unit, coverage, _PRIOR_DOOR_M)),
        between=bands["between"],
        beyond=bands["beyond"],
        lone=bands["lone"],
        gap=_band(_gaps(gazetteer), coverage, 2.0 * _PRIOR_INTERPOLATED_M),
        road=_band(_road_errors(gazetteer), coverage, 2.0 * _PRIOR_INTERPOLATED_M),
        rows=len(trials[best]),
    )


def _left_out(gazetteer: Gazetteer, side_weight: float) -> list[tuple[Guess, float]]:
    """List (guess, error) of every row whose number is taken out of its road."""
    found = []
    roads = [road for road in gazetteer.roads.values() if len(road.numbers) >= 2]
    step = 1 + sum(len(road.numbers) for road in roads) // _MOST_TRIALS
    for place, road in enumerate(roads):
        for at in range(place % step, len(road.numbers), step):
            number = road.numbers[at]
            numbers, points = np.delete(road.numbers, at), np.delete(road.xy, at, axis=0)
            guess = interpolate(numbers, points, int(number), side_weight=side_weight)
            errors = np.hypot(*(gazetteer.xy[road.rows[at]] - guess.xy).T)
            found += [(guess, float(error)) for error in errors]
    return found


def _middle_error(trial: list[tuple[Guess, float]]) -> float:
    errors = [error for _, error in trial]
    # The mean of the logs weighs the many small errors like the few large ones.
    return float(np.mean(np.log1p(errors))) if errors else 0.0


def _same_number_errors(gazetteer: Gazetteer) -> tuple[list[float], list[float]]:
    """Give the errors of one row placed by the other rows of its door, and by other units at its number."""
    door: list[float] = []
    unit: list[float] = []
    for road in gazetteer.roads.values():
        for rows in road.rows:
            groups: dict[tuple[str | None, ...], list[int]] = defaultdict(list)
            for row in rows:
                groups[unit_key(gazetteer.addresses[row])].append(int(row))
            for group in groups.values():
                others = [int(row) for row in rows if int(row) not in group]
                for row in group:
                    rest = [other for other in group if other != row]
                    if rest:
                        door.append(_off(gazetteer.xy, row, rest))
                    if others:
                        unit.append(_off(gazetteer.xy, row, others))
    return door, unit


def _gaps(gazetteer: Gazetteer) -> list[tuple[float, float]]:
    """List (difference, distance in metres) of pairs of numbers on the same road."""
    found: list[tuple[float, float]] = []
    for road in gazetteer.roads.values():
        pick = np.unique(
            np.linspace(0, len(road.numbers) - 1, min(len(road.numbers), _MOST_NUMBERS)).astype(int)
        )
        one, other = np.triu_indices(len(pick), k=1)
        apart = road.numbers[pick[other]] - road.numbers[pick[one]]
        metres = np.hypot(*(road.xy[pick[other]] - road.xy[pick[one]]).T)
        found += zip(apart.astype(float).tolist(), metres.tolist(), strict=True)
    return found


def _road_errors(gazetteer: Gazetteer) -> list[tuple[float, float]]:
    """List (extent of the other rows, error of their middle) for every row of roads with two rows or more."""
    found = []
    for road in gazetteer.roads.values():
        for row in road.all_rows if len(road.all_rows) > 1 else ():
            rest = gazetteer.xy[road.all_rows[road.all_rows != row]]
            error = float(np.hypot(*(np.median(rest, axis=0) - gazetteer.xy[row])))
            found.append((_extent(rest), error))
    return found


def _off(xy: Floats, row: int, others: list[int]) -> float:
    return float(np.hypot(*(np.median(xy[others], axis=0) - xy[row])))


def _extent(points: Floats) -> float:
    return float(np.hypot(*(points - np.median(points, axis=0)).T).max())


def _upper(errors: list[float], coverage: float, prior: float) -> float:
    ordered = np.sort(np.asarray(errors, dtype=np.float64))
    if len(ordered) == 0:
        return prior
    rank = min(int(np.ceil((len(ordered) + 1) * coverage)), len(ordered))
    own = float(ordered[rank - 1])
    return own if len(ordered) >= _FEWEST else max(own, prior)


def _band(pairs: list[tuple[float, float]], coverage: float, prior: float) -> Band:
    """Fit a rising radius over bins of equal count of the scale."""
    if len(pairs) < _FEWEST:
        return Band((), (_upper([error for _, error in pairs], coverage, prior),))
    table = np.array(sorted(pairs))
    bins = np.array_split(table, min(_BINS, len(table) // _FEWEST))
    radius = np.maximum.accumulate([_upper(list(part[:, 1]), coverage, prior) for part in bins])
    return Band(tuple(float(np.median(part[:, 0])) for part in bins), tuple(float(r) for r in radius))
