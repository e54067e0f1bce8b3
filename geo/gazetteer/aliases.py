"""Learned aliases: what a hand correction teaches about a road name that was written wrong."""

from __future__ import annotations

import numpy as np
from shapely.geometry import Point

from geo.address.parser import parse_address
from geo.crs import Floats, project_xy
from geo.gazetteer.index import Gazetteer
from geo.gazetteer.interpolation import fit_line, is_within_reach, road_slopes, slopes_without
from geo.gazetteer.roads import Road, road_number

_LEAST_ALIKE = 60.0  # far less than a look-up asks for: the point is the better witness
_NEAR_M = 250.0  # p90 of interpolated doors; a door further from its point does not fit
_RIVAL_M = 1.5  # a second road must fit this much worse, else nobody can tell which one was meant


def learn_alias(address: str, point: Point, gazetteer: Gazetteer) -> tuple[str, str] | None:
    """Tell which known road a written road name means, from an address and its confirmed point.

    Parameters
    ----------
    address : str
        Address as written.
    point : Point
        Where a person put it, in WGS-84.
    gazetteer : Gazetteer
        Known roads.

    Returns
    -------
    tuple of str or None
        The written name and the known road, for `build_gazetteer`; None when the written road
        is known, the address has no number, or not exactly one road of a similar name has that door near the
        point.
    """
    parsed = parse_address(address)
    number = road_number(parsed)
    written = parsed.road
    if written is None or number is None or gazetteer.road_names.ending_of(written) is not None:
        return None
    place = project_xy([point.x], [point.y], gazetteer.crs)[0]
    near = sorted(
        (distance, name)
        for name, alike in gazetteer.road_names.alike(written)
        if alike >= _LEAST_ALIKE
        and (distance := _door_distance(gazetteer, gazetteer.roads[name], number, place)) <= _NEAR_M
    )
    if not near or (len(near) > 1 and near[1][0] < _RIVAL_M * near[0][0]):
        return None
    return written, near[0][1]


def _door_distance(gazetteer: Gazetteer, road: Road, number: int, place: Floats) -> float:
    """Give the distance from a point to where a road has a number, infinite where it cannot have it."""
    if not is_within_reach(road, number):
        return float("inf")
    at = road.index_of(number)
    if at is not None:
        return float(np.hypot(*(road.xy[at] - place)))
    slopes = slopes_without(road_slopes(gazetteer.roads), road.name)
    guess = fit_line(road.numbers, road.xy, road.counts, slopes=slopes).at(number)
    return float(np.hypot(*(guess.xy - place)))
