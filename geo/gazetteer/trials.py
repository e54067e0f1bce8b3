"""Left-out trials: a gazetteer places its own rows, and the distance to where they are is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from geo.address.parser import unit_key
from geo.crs import Floats
from geo.gazetteer.estates import families
from geo.gazetteer.index import Gazetteer
from geo.gazetteer.interpolation import Course, place_without, road_slopes, slopes_without
from geo.gazetteer.roads import Ints, Road, road_number, side_of

# (scale, error in metres, weight). Rows of one address share its error. Counted by rows, one campus of forty
# departments sets every radius; counted by addresses, too few points are held where many rows share one.
Trials = list[tuple[float, float, float]]

_GAPS = (100, 200)  # house numbers cleared on both sides to try what roads with few known numbers are like
_MOST_PAIRED = 40  # numbers of one road in trials of pairs, evenly spaced
_MOST_WHOLE = 3000  # numbers whose road is placed without them
_MOST_OF_ROAD = 300  # points of one road in trials of crossings
_MOST_CROSSED = 300  # roads tried for crossings
_SUPPORT = (1, 3)  # known addresses of a road or town: one, two or three, more
_CROSSING_M = 40.0  # points of two roads this close show where they cross
_CLEARED_M = (100.0, 250.0, 500.0)  # rows left out round a crossing
_MEET_M = 80.0  # points of two roads this close show that the roads meet
_HEADING = {"东": (1.0, 0.0), "西": (-1.0, 0.0), "南": (0.0, -1.0), "北": (0.0, 1.0)}


def left_out(gazetteer: Gazetteer, course: Course, *, most: int) -> Trials:
    """List (spread, error) of rows whose number is taken out of its road, for about so many numbers."""
    return _left_out(gazetteer, course, most=most, gap=0)


def cleared(gazetteer: Gazetteer, course: Course, *, most: int) -> Trials:
    """List (spread, error) of numbers placed after clearing the road round them."""
    return [trial for gap in _GAPS for trial in _left_out(gazetteer, course, most=most, gap=gap)]


def _left_out(gazetteer: Gazetteer, course: Course, *, most: int, gap: int) -> Trials:
    slopes = road_slopes(gazetteer.roads)
    found: Trials = []
    for road, chosen in _numbers(gazetteer, most):
        others = slopes_without(slopes, road.name)
        placed = place_without(road, chosen, gap=gap, course=course, slopes=others)
        for at, point, spread in zip(*placed, strict=True):
            found += _trials(float(spread), gazetteer.xy[road.rows[at]], point)
    return found


def _numbers(gazetteer: Gazetteer, most: int) -> Iterator[tuple[Road, Ints]]:
    """Yield (road, positions of numbers) of about so many numbers, evenly over roads of two or more."""
    roads = [road for _, road in sorted(gazetteer.roads.items()) if len(road.numbers) >= 2]
    step = 1 + sum(len(road.numbers) for road in roads) // most
    for place, road in enumerate(roads):
        chosen = np.arange(place % step, len(road.numbers), step, dtype=np.int64)
        if len(chosen):
            yield road, chosen


def same_number(gazetteer: Gazetteer) -> tuple[Trials, Trials]:
    """List the errors of a row placed by the other rows of its door, and by other units at its number."""
    door: Trials = []
    unit: Trials = []
    for rows in (rows for road in gazetteer.roads.values() for rows in road.rows if len(rows) > 1):
        groups: dict[tuple[str | None, ...], list[int]] = defaultdict(list)
        for row in rows:
            groups[unit_key(gazetteer.addresses[row])].append(int(row))
        for group in groups.values():
            others = [int(row) for row in rows if int(row) not in group]
            for row in group:
                rest = [other for other in group if other != row]
                if rest:
                    door += _trials(0.0, gazetteer.xy[[row]], middle(gazetteer.xy[rest]), len(group))
                if others:
                    unit += _trials(0.0, gazetteer.xy[[row]], middle(gazetteer.xy[others]), len(group))
    return door, unit


def gaps(gazetteer: Gazetteer) -> Trials:
    """List (difference, distance in metres) of pairs of numbers on the same road."""
    found: Trials = []
    for road in gazetteer.roads.values():
        pick = _spaced(len(road.numbers))
        one, other = np.triu_indices(len(pick), k=1)
        apart = road.numbers[pick[other]] - road.numbers[pick[one]]
        metres = np.hypot(*(road.xy[pick[other]] - road.xy[pick[one]]).T)
        found += [(float(gap), float(metre), 1.0) for gap, metre in zip(apart, metres, strict=True)]
    return found


def doors_of(gazetteer: Gazetteer, rows: Ints) -> list[Ints]:
    """Group rows by the address they share: the number on a road, else the text."""
    groups: dict[tuple[str | None, int | str], list[int]] = defaultdict(list)
    for row in rows:
        address = gazetteer.addresses[row]
        number = road_number(address)
        text = address.text.split("(")[0]
        groups[(address.road or address.place, text if number is None else number)].append(int(row))
    return [np.array(found, dtype=np.int64) for found in groups.values()]


def streets_of(gazetteer: Gazetteer, rows: Ints) -> list[Ints]:
    """Group rows by the road or place they lie on."""
    groups: dict[str | None, list[int]] = defaultdict(list)
    for row in rows:
        address = gazetteer.addresses[row]
        groups[address.road or address.place].append(int(row))
    return [np.array(found, dtype=np.int64) for found in groups.values()]


def middles(gazetteer: Gazetteer, sets: Iterable[list[Ints]], *, lone: bool = False) -> dict[int, Trials]:
    """List (extent of the rest, error of its middle) of each group left out of the rows of its set.

    Parameters
    ----------
    gazetteer : Gazetteer
        Known addresses.
    sets : iterable of list of ndarray
        Rows of one road, estate or town in groups: `doors_of`, or `streets_of` where the doors of unknown
        streets shall be placed.

    lone : bool
        Leave out only groups of a single door: a street that nobody knows is like one of which one door is
        known (Good 1953, "The population frequencies of species"), not like the large ones.

    Returns
    -------
    dict of int to list
        Trials by the class of how many groups the rest has, see `support`.
    """
    sets = list(sets)
    step, place = 1 + sum(map(len, sets)) // _MOST_WHOLE, 0
    found: dict[int, Trials] = {kind: [] for kind in range(len(_SUPPORT) + 1)}
    for groups in sets:
        for at, rows in enumerate(groups):
            place += 1
            if place % step or len(groups) == 1 or (lone and len(doors_of(gazetteer, rows)) > 1):
                continue
            rest = gazetteer.xy[np.concatenate(groups[:at] + groups[at + 1 :])]
            found[support(len(groups) - 1)] += _trials(extent(rest), gazetteer.xy[rows], middle(rest))
    return found


def support(known: int) -> int:
    """Class a number of known groups: 0 for one, 1 for two or three, 2 for more."""
    return sum(known > limit for limit in _SUPPORT)


def meetings(gazetteer: Gazetteer) -> Trials:
    """List (distance of the nearest points, error of the crossing) of roads that meet, cleared round it."""
    found: Trials = []
    roads = [_thinned(gazetteer, road) for _, road in sorted(gazetteer.roads.items())]
    for at, other in _neighbours(roads, _CROSSING_M):
        one, two = roads[at], roads[other]
        place, _ = nearest_pair(one, two)
        for clear in _CLEARED_M:
            left = [points[np.hypot(*(points - place).T) > clear] for points in (one, two)]
            if min(map(len, left)):
                guess, apart = nearest_pair(*left)
                found.append((apart, float(np.hypot(*(guess - place))), 1.0))
    return found


def estate_siblings(gazetteer: Gazetteer) -> Trials:
    """List (extent, error) of the middles of estates placed by their siblings."""
    found: Trials = []
    for names in families(gazetteer.estates).values():
        for name in names:
            others = [gazetteer.estates[other] for other in names if other != name]
            if others:
                points = gazetteer.points_of(others)
                own = gazetteer.xy[gazetteer.estates[name].all_rows]
                found += _trials(extent(points), own, middle(points))
    return found


def siblings(gazetteer: Gazetteer) -> Trials:
    """List (extent of the rest, error) of rows placed by their road's other parts (金陵西路 by 金陵中路)."""
    found: Trials = []
    for name, road in gazetteer.roads.items():
        family = gazetteer.road_names.family(name) if side_of(name) else ()
        if family:
            others = gazetteer.xy[np.concatenate([gazetteer.roads[other].all_rows for other in family])]
            end = sibling_end(others, side_of(name))
            found += _trials(extent(others), gazetteer.xy[road.all_rows], end)
    return found


def crossings(gazetteer: Gazetteer) -> Trials:
    """List (extent of a road, distance of its middle from the rows of the roads that meet it)."""
    found: Trials = []
    roads = [_thinned(gazetteer, road) for road in gazetteer.roads.values()]
    for at, other in _neighbours(roads, _MEET_M):
        found += _trials(extent(roads[at]), roads[other], middle(roads[at]))
    return found


def _thinned(gazetteer: Gazetteer, road: Road) -> Floats:
    points: Floats = gazetteer.xy[road.all_rows[:: 1 + len(road.all_rows) // _MOST_OF_ROAD]]
    return points


def _neighbours(roads: Sequence[Floats], near_m: float) -> Iterator[tuple[int, int]]:
    """Yield the pairs of roads whose points come within some metres of each other."""
    low = np.array([points.min(axis=0) for points in roads]).reshape(-1, 2)
    high = np.array([points.max(axis=0) for points in roads]).reshape(-1, 2)
    for at in range(0, len(roads), 1 + len(roads) // _MOST_CROSSED):
        near = ((low <= high[at] + near_m) & (high >= low[at] - near_m)).all(axis=1)
        for other in np.flatnonzero(near).tolist():
            if other != at and nearest_pair(roads[at], roads[other])[1] <= near_m:
                yield at, other


def nearest_pair(one: Floats, other: Floats) -> tuple[Floats, float]:
    """Give the point half way between the nearest points of two roads, and their distance in metres."""
    # Sorted first, so that the order of the rows never decides between two equally near pairs.
    one, other = one[np.lexsort(one.T)], other[np.lexsort(other.T)]
    apart = np.hypot(*(one[:, None] - other[None]).transpose(2, 0, 1))
    i, j = np.unravel_index(int(np.argmin(apart)), apart.shape)
    return (one[i] + other[j]) / 2.0, float(apart[i, j])


def sibling_end(points: Floats, side: str) -> Floats:
    """Give the end of known parts of a road that lies towards the direction of an unknown part.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        Points of the known parts in metres.
    side : str
        Direction or ordinal in the unknown part's name; only 东西南北 tell where to look.

    Returns
    -------
    ndarray, shape (2,)
        The outermost point, or the middle where the name gives no direction.
    """
    heading = _HEADING.get(side[:1])
    if heading is None:
        return middle(points)
    # Sorted first, so that the order of the rows never decides between two equally far points.
    ordered = points[np.lexsort(points.T)]
    outermost: Floats = ordered[int(np.argmax(ordered @ np.array(heading)))]
    return outermost


def middle(points: Floats) -> Floats:
    """Give the median point of points of shape (n, 2)."""
    found: Floats = np.median(points, axis=0)
    return found


def extent(points: Floats) -> float:
    """Give the largest distance of points (shape (n, 2), metres) from their middle."""
    return float(np.hypot(*(points - middle(points)).T).max())


def _spaced(count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.unique(np.linspace(0, count - 1, min(count, _MOST_PAIRED)).astype(np.int64))


def _trials(scale: float, points: Floats, guess: Floats, share: int | None = None) -> Trials:
    errors = np.hypot(*(points - guess).T)
    return [(scale, float(error), (share or len(points)) ** -0.5) for error in errors]
