"""Calls of a route: licences of one building that follow each other are one place on the way."""

from __future__ import annotations

from collections.abc import Sequence

from data.schema import PlanStop
from geo.colocation import stop_keys


def number_calls(addresses: Sequence[str], points: Sequence[tuple[float, float]]) -> list[int]:
    """Number the calls of a route.

    Parameters
    ----------
    addresses, points
        Written address and WGS-84 point of each stop, in driving order.

    Returns
    -------
    list of int
        The call of each stop, from 1; a building that is left and come back to is a call each time.
    """
    keys = stop_keys(addresses, points)
    calls: list[int] = []
    for key, before in zip(keys, [None, *keys], strict=False):
        same = key is not None and key == before
        calls.append((calls[-1] if calls else 0) + (not same))
    return calls


def with_calls(stops: Sequence[PlanStop]) -> Sequence[PlanStop]:
    """Write into the stops of a route, in driving order, which call each is, and return them."""
    calls = number_calls([stop.address for stop in stops], [(stop.lon, stop.lat) for stop in stops])
    for stop, call in zip(stops, calls, strict=True):
        stop.call = call
    return stops
