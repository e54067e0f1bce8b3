"""Datum guard: does a layer lie where its stated datum says, or where a slip of the datum would put it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from geo.crs import Floats, SourceCrs, from_wgs84, metric_crs, project_xy, to_wgs84
from geo.errors import DatumError

Flags = NDArray[np.bool_]
_FEWEST_PAIRS = 5
# Published points of one written address scatter by 30 m; the median of five pairs stays well below this.
_NOTICEABLE_M = 150.0
_FAR_M = 2_000.0  # no datum shifts this far: another zone, another unit, another place
_FIT = 0.35  # a shift is a hypothesis' own when it misses its vector by at most this share of its length
_SURE = 2.4  # sign test: six points in and none out; a question costs little, a shifted map much
_FEWEST_MOVED = 6
_FEWEST_BESIDE = 20
_SURE_BESIDE = 4.0  # right roads lie at -3 and below, shifted ones at 5 and above for 300 doors
_BESIDE_M = 400.0  # a place farther from any road tells nothing


@dataclass(frozen=True, slots=True)
class Slip:
    """One way a datum is mistaken: a layer was read as `read_as` and is really in `truth`."""

    read_as: SourceCrs
    truth: SourceCrs

    def undo(self, lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
        """Give the true WGS-84 degrees of points that were converted with the wrong datum."""
        raw = from_wgs84(lon, lat, self.read_as)
        return to_wgs84(*raw, self.truth)

    def redo(self, lon: ArrayLike, lat: ArrayLike) -> tuple[Floats, Floats]:
        """Give the degrees at which true WGS-84 points would lie, had they been in the misread layer."""
        raw = from_wgs84(lon, lat, self.truth)
        return to_wgs84(*raw, self.read_as)


SLIPS = tuple(Slip(a, b) for a in SourceCrs for b in SourceCrs if a is not b)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Why a layer's datum is in doubt.

    Parameters
    ----------
    code : str
        ``datum_slip`` (lies where another datum would put it), ``layer_shifted`` (off by something else) or
        ``layer_elsewhere`` (not near the district at all).
    offset_m : float
        How far the layer lies from where it is expected, in metres.
    truth : SourceCrs or None
        The datum that would put it right.
    evidence : str
        ``pairs`` (same names, codes or addresses on both sides), ``addresses`` (points where their addresses
        are), ``inside`` (points inside the area) or ``nearness`` (places beside their roads).
    count : int
        Pairs, or points, behind it.
    """

    code: str
    offset_m: float
    truth: SourceCrs | None
    evidence: str
    count: int

    def question(self, stated: str) -> DatumError:
        """Put the suspicion as the question that stops an import of a layer in a stated datum."""
        return DatumError(
            self.code,
            stated=stated,
            truth=None if self.truth is None else self.truth.value,
            offset_m=round(self.offset_m),
            evidence=self.evidence,
            count=self.count,
        )


def judge_pairs(
    incoming: tuple[ArrayLike, ArrayLike],
    known: tuple[ArrayLike, ArrayLike],
    *,
    read_as: SourceCrs | None,
    fixed: bool = False,
) -> Suspicion | None:
    """Compare points of a layer with where the same things are already known to be.

    Parameters
    ----------
    incoming, known : tuple of array_like
        WGS-84 longitudes and latitudes of the same things, as imported and as known.
    read_as : SourceCrs or None
        Datum the layer was converted from; None for an EPSG code.
    fixed : bool
        Whether the things cannot move (areas, not shops): then even one pair kilometres apart is a question.

    Returns
    -------
    Suspicion or None
        None when the median displacement is small, or with fewer than five pairs.

    Notes
    -----
    The median of displacement *vectors* is taken: scatter of single points cancels, a datum shift does not.
    """
    lon, lat = (np.asarray(values, dtype=np.float64) for values in incoming)
    known_lon, known_lat = (np.asarray(values, dtype=np.float64) for values in known)
    few = len(lon) < _FEWEST_PAIRS
    if len(lon) == 0 or (few and not fixed):
        return None
    crs = metric_crs(float(np.median(known_lon)), lat=float(np.median(known_lat)))
    here, there = project_xy(known_lon, known_lat, crs), project_xy(lon, lat, crs)
    vector = np.median(there - here, axis=0)
    offset = float(np.hypot(*vector))
    if offset < (_FAR_M if few else _NOTICEABLE_M):
        return None
    fits: list[tuple[float, Slip]] = []
    for slip in _slips(read_as):
        right = project_xy(*slip.undo(lon, lat), crs)
        expected = np.median(there - right, axis=0)
        miss = float(np.hypot(*(vector - expected)))
        if miss <= _FIT * float(np.hypot(*expected)):
            fits.append((miss, slip))
    if not fits:
        return Suspicion("layer_shifted", offset, None, "pairs", len(lon))
    best = min(fits, key=lambda fit: fit[0])[1]
    return Suspicion("datum_slip", offset, best.truth, "pairs", len(lon))


def judge_guesses(
    incoming: tuple[ArrayLike, ArrayLike], guessed: tuple[ArrayLike, ArrayLike], *, read_as: SourceCrs | None
) -> Suspicion | None:
    """Compare points of a layer with where a gazetteer places their addresses.

    Parameters
    ----------
    incoming, guessed : tuple of array_like
        WGS-84 longitudes and latitudes, as imported and as geocoded.
    read_as : SourceCrs or None
        Datum the layer was converted from; None for an EPSG code.

    Returns
    -------
    Suspicion or None
        ``datum_slip`` when undoing a slip brings more points nearer to their addresses than it takes farther,
        by 2.4 standard deviations (sign test). A geocoder errs by 100 m: any other offset is no question.
    """
    lon, lat = (np.asarray(values, dtype=np.float64) for values in incoming)
    if len(lon) < _FEWEST_MOVED:
        return None
    crs = metric_crs(float(np.median(lon)), lat=float(np.median(lat)))
    there, right = project_xy(lon, lat, crs), project_xy(*guessed, crs)
    now = np.hypot(*(there - right).T)
    fits: list[tuple[float, float, Slip]] = []
    for slip in _slips(read_as):
        undone = project_xy(*slip.undo(lon, lat), crs)
        then = np.hypot(*(undone - right).T)
        nearer, farther = int((then < now).sum()), int((now < then).sum())
        if (nearer - farther) / np.sqrt(max(nearer + farther, 1)) >= _SURE:
            offset = float(np.hypot(*np.median(there - undone, axis=0)))
            fits.append((float(np.median(then)), offset, slip))
    if not fits:
        return None
    _, offset, best = min(fits, key=lambda fit: fit[0])
    return Suspicion("datum_slip", offset, best.truth, "addresses", len(lon))


def judge_inside(
    lon: ArrayLike, lat: ArrayLike, area: BaseGeometry, *, read_as: SourceCrs | None
) -> Suspicion | None:
    """Ask whether another datum would bring many more points of a layer into the district's area.

    Parameters
    ----------
    lon, lat : array_like, shape (n,)
        WGS-84 degrees of the layer's points as imported.
    area : geometry
        The district in WGS-84 degrees (union of its grid areas).
    read_as : SourceCrs or None
        Datum the layer was converted from; None for an EPSG code.

    Returns
    -------
    Suspicion or None
        ``datum_slip`` when a slip explains the points outside, by 2.4 standard deviations of those that
        change sides (sign test); ``layer_elsewhere`` when no point is inside and none would be.

    Notes
    -----
    The points of a neighbouring district prove nothing: far ones lie outside under every datum, and of those
    across the border as many as a slip would bring in are expected next to them, one slip farther out.
    """
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    slips = _slips(read_as)
    shapely.prepare(area)
    now = shapely.contains_xy(area, x, y)
    thens = []
    for slip in slips:
        once = slip.undo(x, y)
        thens.append((shapely.contains_xy(area, *once), shapely.contains_xy(area, *slip.undo(*once))))
    return _judge_sides(x, y, area, now, thens, slips)


def judge_area(
    area: BaseGeometry, lon: ArrayLike, lat: ArrayLike, *, read_as: SourceCrs | None
) -> Suspicion | None:
    """Ask whether another datum would bring many more known points into an imported area.

    Parameters
    ----------
    area : geometry
        Union of the imported grid areas in WGS-84 degrees.
    lon, lat : array_like, shape (n,)
        WGS-84 degrees of points that are already known.
    read_as : SourceCrs or None
        Datum the area was converted from; None for an EPSG code.

    Returns
    -------
    Suspicion or None
        As `judge_inside`.
    """
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    slips = _slips(read_as)
    now = shapely.contains_xy(area, x, y)
    thens = []
    for slip in slips:

        def undo(xy: Floats, slip: Slip = slip) -> Floats:
            return np.column_stack(slip.undo(xy[:, 0], xy[:, 1]))

        once = shapely.transform(area, undo)
        thens.append(
            (shapely.contains_xy(once, x, y), shapely.contains_xy(shapely.transform(once, undo), x, y))
        )
    return _judge_sides(x, y, area, now, thens, slips)


def judge_nearness(
    lon: ArrayLike, lat: ArrayLike, lines: gpd.GeoDataFrame, *, read_as: SourceCrs | None
) -> Suspicion | None:
    """Ask whether another datum would bring roads nearer to the doors that stand at them.

    Parameters
    ----------
    lon, lat : array_like, shape (n,)
        WGS-84 degrees of known addresses.
    lines : GeoDataFrame
        Roads in WGS-84 as imported.
    read_as : SourceCrs or None
        Datum the roads were converted from; None for an EPSG code.

    Returns
    -------
    Suspicion or None
        ``datum_slip`` when, under a slip, more doors come nearer to a road than go farther by 4 standard
        deviations (sign test); None with fewer than 20 doors near the roads.
    """
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    if len(x) < _FEWEST_BESIDE:
        return None
    crs = metric_crs(float(np.median(x)), lat=float(np.median(y)))
    tree = shapely.STRtree(lines.to_crs(crs).geometry.to_numpy())
    now = _distances(tree, project_xy(x, y, crs))
    best: tuple[float, Slip] | None = None
    for slip in _slips(read_as):
        then = _distances(tree, project_xy(*slip.redo(x, y), crs))
        nearer, farther = int((then < now).sum()), int((now < then).sum())
        sure = (nearer - farther) / np.sqrt(max(nearer + farther, 1))
        if nearer + farther >= _FEWEST_BESIDE and sure >= _SURE_BESIDE and (best is None or sure > best[0]):
            best = (float(sure), slip)
    if best is None:
        return None
    moved = project_xy(*best[1].redo(x, y), crs) - project_xy(x, y, crs)
    offset = float(np.hypot(*np.median(moved, axis=0)))
    return Suspicion("datum_slip", offset, best[1].truth, "nearness", len(x))


def _distances(tree: shapely.STRtree, xy: Floats) -> Floats:
    """Give the metres from each point to the nearest line, `_BESIDE_M` where none is that near."""
    metres = np.full(len(xy), _BESIDE_M)
    (row, _), found = tree.query_nearest(
        shapely.points(xy), max_distance=_BESIDE_M, return_distance=True, all_matches=False
    )
    metres[row] = found
    return metres


def _judge_sides(
    x: Floats,
    y: Floats,
    area: BaseGeometry,
    now: Flags,
    thens: Sequence[tuple[Flags, Flags]],
    slips: Sequence[Slip],
) -> Suspicion | None:
    """Judge which points are inside now, and which after undoing each slip once and twice."""
    if len(x) < _FEWEST_PAIRS:
        return None
    crs = metric_crs(float(area.centroid.x), lat=float(area.centroid.y))
    best: tuple[float, Slip] | None = None
    for slip, (then, farther) in zip(slips, thens, strict=True):
        gained = int((then & ~now).sum())
        lost = int((now & ~then).sum()) + int((farther & ~then & ~now).sum())
        sure = float((gained - lost) / np.sqrt(max(gained + lost, 1)))
        if gained - lost >= _FEWEST_MOVED and sure >= _SURE and (best is None or sure > best[0]):
            best = (sure, slip)
    if best is not None:
        moved = project_xy(*best[1].undo(x, y), crs) - project_xy(x, y, crs)
        offset = float(np.hypot(*np.median(moved, axis=0)))
        return Suspicion("datum_slip", offset, best[1].truth, "inside", len(x))
    if now.any():
        return None
    ends = project_xy([area.centroid.x, np.median(x)], [area.centroid.y, np.median(y)], crs)
    return Suspicion("layer_elsewhere", float(np.hypot(*(ends[1] - ends[0]))), None, "inside", len(x))


def _slips(read_as: SourceCrs | None) -> Sequence[Slip]:
    """List the slips of a layer read with a datum; a projected file can only have been in another datum."""
    stated = SourceCrs.WGS84 if read_as is None else read_as
    return [slip for slip in SLIPS if slip.read_as is stated]
