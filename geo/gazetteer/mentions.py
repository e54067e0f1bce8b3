"""Roads and quarters that known addresses only mention: (海口路店), 近盐码头路, 田子坊泰康路."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from geo.address.parser import Address
from geo.gazetteer.roads import Ints, RoadNames, road_number

_HAN = "一-龥"
_ROAD = re.compile(rf"[{_HAN}]{{1,4}}?(?:大街|大道|公路|胡同|路|街(?![坊道])|巷)")
# A branch is called after the road it stands on or beside.
_BRANCH = re.compile(rf"[(·-]([{_HAN}]{{1,4}}?(?:路|街))(?:分?店|分部|分院|分园|校区)?\)?$")
_JOINED = re.compile(r"^(?:靠近|临近|邻近|近|与|和(?!平))")
_SHORTEST_ROAD = 3  # a name of two characters (东街, 中路) is a torn one


def index_mentions(addresses: Sequence[Address], names: Sequence[str], known: RoadNames) -> dict[str, Ints]:
    """Gather the rows that mention a road no row lies on.

    Parameters
    ----------
    addresses : sequence of Address
        Parsed address of each row.
    names : sequence of str
        Normalised name of each row.
    known : RoadNames
        Roads that rows lie on.

    Returns
    -------
    dict of str to ndarray
        Row positions by the road mentioned.
    """
    found: dict[str, list[int]] = defaultdict(list)
    for row, (address, name) in enumerate(zip(addresses, names, strict=True)):
        for road in sorted({*_mentioned(address), *_BRANCH.findall(name)}):
            if len(road) >= _SHORTEST_ROAD and known.ending_of(road) is None:
                found[road].append(row)
    return {road: np.array(rows, dtype=np.int64) for road, rows in found.items()}


def index_quarters(addresses: Sequence[Address], known: RoadNames) -> dict[str, Ints]:
    """Gather the rows by the quarter or landmark written before the road (田子坊泰康路248弄).

    Parameters
    ----------
    addresses : sequence of Address
        Parsed address of each row.
    known : RoadNames
        Roads that rows lie on.

    Returns
    -------
    dict of str to ndarray
        Row positions by quarter.
    """
    found: dict[str, list[int]] = defaultdict(list)
    for row, address in enumerate(addresses):
        for quarter in quarters_of(address, known):
            found[quarter].append(row)
    return {quarter: np.array(rows, dtype=np.int64) for quarter, rows in found.items()}


def quarters_of(address: Address, known: RoadNames) -> list[str]:
    """List the quarters written before the road of an address, as the gazetteer's roads tell them apart."""
    words = [word for word in address.lead if known.ending_of(word) is None]
    road = address.road
    end = None if road is None else known.ending_of(road)
    if road is not None and end is not None and end != road:
        words.append(road[: -len(end)])
    return sorted({word for word in words if len(word) >= 2 and _ROAD.fullmatch(word) is None})


def hearsay(addresses: Sequence[Address], known: RoadNames) -> Mapping[str, frozenset[str]]:
    """Learn from a list of addresses which known roads an unknown road meets (文庙路学宫街36号).

    Parameters
    ----------
    addresses : sequence of Address
        Parsed addresses that stand in one list.
    known : RoadNames
        Roads of the gazetteer.

    Returns
    -------
    mapping of str to frozenset of str
        Known roads by unknown road; the same for any order of the list.
    """
    met: dict[str, set[str]] = defaultdict(set)
    for address in addresses:
        road = address.road
        if road is None or road_number(address) is None or known.ending_of(road) is not None:
            continue
        met[road].update(end for word in address.lead if (end := known.ending_of(word)) is not None)
    return {road: frozenset(roads) for road, roads in met.items() if roads}


def _mentioned(address: Address) -> Iterator[str]:
    """Yield the road names in the words beside the road and in the remarks."""
    for word in (*address.lead, *address.tail):
        for road in _ROAD.findall(word):
            yield _JOINED.sub("", road)
