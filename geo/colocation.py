"""Several licences at one address (一址多照): groups by room, door and building, with their evidence."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import geopandas as gpd
import numpy as np

from geo.address.parser import Address, building_key, door_key, parse_address, room_key
from geo.crs import check_frame, frame_metric_crs

_APART_M = 300.0  # one written address, but points this far apart: two roads of one name
_MALL = re.compile(r"广场|商场|商城|商厦|大厦|大楼|购物中心|百货|写字楼|中心|市场|商务楼|综合楼|园区")
_CROWD = 5  # licences behind one door beyond which it is a shared building unless rooms say otherwise
_PERSON = re.compile(r"[\s·.,，。()（）]")


class ColocationLevel(StrEnum):
    """How near two licences are: one room, one door number, or one building."""

    ROOM = "room"
    DOOR = "door"
    BUILDING = "building"


class Evidence(StrEnum):
    """What speaks for one business behind several licences, or against it."""

    SAME_ROOM = "same_room"
    SAME_DOOR = "same_door"
    SAME_BUILDING = "same_building"
    SAME_PHONE = "same_phone"
    SAME_PERSON = "same_person"
    OTHER_ROOMS = "other_rooms"
    MALL = "mall"
    CROWD = "crowd"


# How much each observation moves the confidence that the licences are one case (judgement; not measured).
_WEIGHTS = {
    Evidence.SAME_ROOM: 0.70,
    Evidence.SAME_DOOR: 0.40,
    Evidence.SAME_BUILDING: 0.10,
    Evidence.SAME_PHONE: 0.30,
    Evidence.SAME_PERSON: 0.25,
    Evidence.OTHER_ROOMS: -0.25,
    Evidence.MALL: -0.20,
    Evidence.CROWD: -0.10,
}
_SUSPECT = 0.35


@dataclass(frozen=True, slots=True)
class Group:
    """Licences at one address.

    Parameters
    ----------
    level : ColocationLevel
        The narrowest level that holds all of them.
    key : str
        Canonical key of the address at that level.
    members : tuple
        Index labels, ascending.
    evidence : tuple of Evidence
        What was seen.
    confidence : float
        Between 0 and 1: that these are one case.
    finding : bool
        Whether people should look: room or door level and not plainly a mall; a building alone never is one.
    """

    level: ColocationLevel
    key: str
    members: tuple[Hashable, ...]
    evidence: tuple[Evidence, ...]
    confidence: float
    finding: bool


@dataclass(frozen=True, slots=True)
class _Row:
    label: Hashable
    address: Address
    phone: str
    person: str
    text: str


def find_groups(places: gpd.GeoDataFrame) -> list[Group]:
    """Find the licences that share a room, a door number or a building.

    Parameters
    ----------
    places : GeoDataFrame
        Institutions in WGS-84 with ``address``, ``contact_name`` and ``contact_phone`` (empty where unknown);
        a missing point tells nothing about nearness.

    Returns
    -------
    list of Group
        Room groups, then door groups that hold more than one of them, then buildings likewise; by confidence
        and key. Every two licences that share a key are together in at least one group.

    Raises
    ------
    FrameError
        As `geo.crs.check_frame`.

    Notes
    -----
    An address is compared by its canonical key, never by distance: published points of one written address
    scatter by 30 m in the median, and 36 to 54 % of all written addresses are shared by honest neighbours.
    """
    check_frame(places, "address", "contact_name", "contact_phone")
    rows = [
        _Row(label, parse_address(str(address)), _digits(phone), _name(person), str(address))
        for label, address, phone, person in zip(
            places.index, places["address"], places["contact_phone"], places["contact_name"], strict=True
        )
    ]
    where = _positions(places)
    found: list[Group] = []
    narrower: set[tuple[Hashable, ...]] = set()
    for level, key_of in _KEYS.items():
        by_key: dict[str, list[_Row]] = defaultdict(list)
        for row in rows:
            key = key_of(row.address)
            if key is not None:
                by_key[key].append(row)
        groups = [
            _judge(level, key if number == 0 else f"{key}~{number}", near)
            for key, same in by_key.items()
            for number, near in enumerate(_split_far(same, where))
            if len(near) > 1 and tuple(row.label for row in near) not in narrower
        ]
        narrower |= {group.members for group in groups}
        found += groups
    order = list(ColocationLevel)
    return sorted(found, key=lambda g: (order.index(g.level), -g.confidence, g.key, str(g.members[0])))


def stop_keys(addresses: Sequence[str], points: Sequence[tuple[float, float]]) -> list[str | None]:
    """Give each place the key of its building where several share one, so that a route stops there once.

    Parameters
    ----------
    addresses : sequence of str
        Written addresses.
    points : sequence of tuple of float
        WGS-84 longitude and latitude.

    Returns
    -------
    list of str or None
        One key a place; None where it stands alone.
    """
    frame = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*np.array(points).reshape(-1, 2).T), crs=4326)
    rows = [_Row(n, parse_address(text), "", "", text) for n, text in enumerate(addresses)]
    where = _positions(frame)
    keys: list[str | None] = [None] * len(rows)
    by_key: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        key = building_key(row.address)
        if key is not None:
            by_key[key].append(row)
    for key, same in by_key.items():
        for number, near in enumerate(_split_far(same, where)):
            for row in near if len(near) > 1 else ():
                keys[int(str(row.label))] = key if number == 0 else f"{key}~{number}"
    return keys


def _written_room(address: Address) -> str | None:
    """Give the key of a room; a floor alone is no room."""
    return room_key(address) if address.room is not None else None


_KEYS = {
    ColocationLevel.ROOM: _written_room,
    ColocationLevel.DOOR: door_key,
    ColocationLevel.BUILDING: building_key,
}
_SAME = {
    ColocationLevel.ROOM: Evidence.SAME_ROOM,
    ColocationLevel.DOOR: Evidence.SAME_DOOR,
    ColocationLevel.BUILDING: Evidence.SAME_BUILDING,
}


def _judge(level: ColocationLevel, key: str, rows: Sequence[_Row]) -> Group:
    seen = [_SAME[level]]
    if _shared(row.phone for row in rows):
        seen.append(Evidence.SAME_PHONE)
    if _shared(row.person for row in rows):
        seen.append(Evidence.SAME_PERSON)
    rooms = [_written_room(row.address) for row in rows]
    if level is not ColocationLevel.ROOM and len({room for room in rooms if room is not None}) > 1:
        seen.append(Evidence.OTHER_ROOMS)
    if any(_MALL.search(row.text) for row in rows):
        seen.append(Evidence.MALL)
    if len(rows) > _CROWD:
        seen.append(Evidence.CROWD)
    confidence = round(min(0.99, max(0.01, sum(_WEIGHTS[one] for one in seen))), 2)
    finding = level is not ColocationLevel.BUILDING and confidence >= _SUSPECT
    if level is ColocationLevel.DOOR and not finding and {Evidence.MALL, Evidence.CROWD} & set(seen):
        level = ColocationLevel.BUILDING  # one door number for a whole mall or tower
    return Group(level, key, tuple(row.label for row in rows), tuple(seen), confidence, finding)


def _split_far(rows: Sequence[_Row], where: Mapping[Hashable, tuple[float, float]]) -> list[list[_Row]]:
    """Split rows of one key whose points lie far apart; rows without a point stay with the first."""
    parts: list[list[_Row]] = []
    for row in rows:
        spot = where.get(row.label)
        home = next((part for part in parts if _is_near(spot, part, where)), None)
        if home is None:
            parts.append([row])
        else:
            home.append(row)
    return parts


def _is_near(
    spot: tuple[float, float] | None, part: Sequence[_Row], where: Mapping[Hashable, tuple[float, float]]
) -> bool:
    others = [where[row.label] for row in part if row.label in where]
    if spot is None or not others:
        return True
    return bool(np.hypot(*(np.array(others) - spot).T).min() <= _APART_M)


def _positions(frame: gpd.GeoDataFrame) -> dict[Hashable, tuple[float, float]]:
    known = frame[~(frame.geometry.isna() | frame.geometry.is_empty)]
    if known.empty:
        return {}
    metric = known.to_crs(frame_metric_crs(known))
    return {label: (float(p.x), float(p.y)) for label, p in zip(metric.index, metric.geometry, strict=True)}


def _shared(values: Iterable[str]) -> bool:
    listed = [value for value in values if value]
    return len(set(listed)) < len(listed)


def _digits(phone: object) -> str:
    """Keep the digits of a phone; a masked one (138****1234) identifies nobody."""
    text = "" if phone is None or phone != phone else str(phone)
    digits = re.sub(r"\D", "", text)
    return digits if len(digits) >= 7 and "*" not in text else ""


def _name(person: object) -> str:
    """Keep a full name; a masked one (张某, 张**) identifies nobody."""
    text = "" if person is None or person != person else _PERSON.sub("", str(person))
    return text if len(text) >= 2 and not re.search(r"[*＊某×]", text) else ""
