"""Seats of institutions: which door each takes, who shares it, and how near a school it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from data.demo.presets import Preset
from data.demo.schools import DemoSchool
from data.demo.streets import Door, Floats
from data.demo.words import PEDESTRIAN_STREET
from data.terms import Kind

NEAR_M, MIDDLE_M = 300.0, 800.0
_NEAR_SHARE, _MIDDLE_SHARE = 0.60, 0.32
_SHARED_SHARE = 0.37
# Known doors are a few metres off: nearer to the border an address would fall into no grid area.
_BORDER_M = 45.0
# Kinds that share a building with others; kindergartens and the unlicensed keep to themselves.
_SHARING = (Kind.SUBJECT, Kind.NON_SUBJECT, Kind.CARE, Kind.SELF_STUDY, Kind.EDU_CONSULT)


@dataclass(frozen=True)
class Seat:
    """A place for one institution.

    `group` is the number of the address, `position` counts the institutions at it, `size` is how many
    they are; `one_room` marks an address whose licences all name the same room.
    """

    door: int
    group: int
    position: int
    size: int
    one_room: bool
    cluster: str | None
    school_m: float
    astray: bool = False
    lost: bool = False


def take_seats(
    doors: Sequence[Door],
    schools: Sequence[DemoSchool],
    boundary: Any,
    preset: Preset,
    *,
    chance: np.random.Generator,
) -> list[tuple[Seat, Kind]]:
    """Return a seat and a kind for every institution of the preset.

    60 % lie within 300 m of a school, a third up to 800 m, the rest anywhere; 37 % share their address.
    """
    points = np.array([(door.x, door.y) for door in doors])
    campuses = np.array([school.xy for school in schools])
    school_m = np.hypot(*(points[:, None] - campuses[None]).transpose(2, 0, 1)).min(axis=1)
    inside = shapely.contains_xy(boundary.buffer(-_BORDER_M), points[:, 0], points[:, 1])
    street = np.array([door.street for door in doors])
    free = inside & (street != PEDESTRIAN_STREET)
    free[[school.door for school in schools]] = False
    order = chance.permutation(len(doors))
    clusters = dict(_cluster_doors(points, schools, street, free, order, preset))
    outside = [int(at) for at in order if not shapely.intersects_xy(boundary, *points[at])]
    sizes = _group_sizes(preset, len(clusters), chance)
    taken = [*clusters, *outside[: preset.astray]]
    bands = _Bands(order[free[order] & ~np.isin(order, taken)], school_m, preset, taken)
    seats: list[Seat] = []
    for group, size in enumerate(sizes):
        door = bands.draw(size)
        one_room = size >= 3 and group % 2 == 0
        seats += [Seat(door, group, n, size, one_room, None, float(school_m[door])) for n in range(size)]
    group = len(sizes)
    for door, cluster in clusters.items():
        seats.append(Seat(door, group, 0, 1, False, cluster, float(school_m[door])))
        group += 1
    for door in outside[: preset.astray]:
        seats.append(Seat(door, group, 0, 1, False, None, float(school_m[door]), astray=True))
        group += 1
    return _with_kinds(seats, preset, chance)


def _cluster_doors(
    points: Floats,
    schools: Sequence[DemoSchool],
    street: NDArray[np.str_],
    free: NDArray[np.bool_],
    order: NDArray[np.int64],
    preset: Preset,
) -> Iterator[tuple[int, str]]:
    """Yield (door, cluster) of the planted clusters: doors next to two schools and in the 步行街."""
    for school in schools:
        if school.cluster is not None:
            distance = np.where(free, np.hypot(*(points - school.xy).T), np.inf)
            nearest = np.argsort(distance, kind="stable")[: preset.cluster_size]
            yield from ((int(at), school.cluster) for at in nearest)
    mall = [int(at) for at in order if street[at] == PEDESTRIAN_STREET]
    yield from ((at, "mall") for at in mall[: preset.mall_size])


def _group_sizes(preset: Preset, clustered: int, chance: np.random.Generator) -> list[int]:
    """Return how many institutions each further address holds: a few of three or more, pairs, single ones."""
    big = [int(size) for size in chance.integers(3, 6, size=preset.shared_doors)]
    total = preset.institutions - clustered - preset.astray
    pairs = max(0, round(_SHARED_SHARE * preset.institutions) - sum(big)) // 2
    return [*big, *[2] * pairs, *[1] * (total - sum(big) - 2 * pairs)]


class _Bands:
    """Doors near, at middle distance and far from schools, drawn so that the shares come out right."""

    def __init__(
        self, order: NDArray[np.int64], school_m: Floats, preset: Preset, taken: Sequence[int]
    ) -> None:
        self._band = np.digitize(school_m, [NEAR_M, MIDDLE_M], right=True)
        self._pools = [[int(at) for at in order if self._band[at] == band] for band in range(3)]
        shares = (_NEAR_SHARE, _MIDDLE_SHARE, 1 - _NEAR_SHARE - _MIDDLE_SHARE)
        self._wanted = [share * preset.institutions for share in shares]
        for door in taken:
            self._wanted[self._band[door]] -= 1

    def draw(self, size: int) -> int:
        """Return a fresh door of the band that lacks most."""
        open_bands = [band for band in range(3) if self._pools[band]]
        band = max(open_bands, key=lambda band: self._wanted[band])
        self._wanted[band] -= size
        return self._pools[band].pop()


def _with_kinds(seats: list[Seat], preset: Preset, chance: np.random.Generator) -> list[tuple[Seat, Kind]]:
    """Give every seat a kind: single seats to kindergartens and the unlicensed, near ones to care first."""
    order = [seats[at] for at in chance.permutation(len(seats))]
    lonely = [seat for seat in order if seat.size == 1 and seat.cluster is None and not seat.astray]
    quiet = iter(sorted(lonely, key=lambda seat: seat.school_m < NEAR_M / 3))
    pairs: list[tuple[Seat, Kind]] = []
    for kind in (Kind.KINDERGARTEN, Kind.UNLICENSED):
        pairs += [(next(quiet), kind) for _ in range(preset.kinds[kind])]
    given = {id(seat) for seat, _ in pairs}
    rest = [seat for seat in order if id(seat) not in given]
    left = Counter({kind: preset.kinds[kind] for kind in _SHARING})
    lost = preset.lost
    for seat in rest:
        weight = np.array([left[kind] * _liking(kind, seat) for kind in _SHARING], dtype=float)
        kind = _SHARING[int(chance.choice(len(_SHARING), p=weight / weight.sum()))]
        left[kind] -= 1
        if lost and seat.size == 1 and seat.cluster is None and not seat.astray:
            lost -= 1
            seat = _lose(seat)
        pairs.append((seat, kind))
    return [pairs[at] for at in chance.permutation(len(pairs))]


def _liking(kind: Kind, seat: Seat) -> float:
    if seat.cluster is not None and kind not in (Kind.NON_SUBJECT, Kind.CARE):
        return 0.1  # a cluster of a rare kind would raise what is expected of that kind
    if kind is Kind.CARE:
        return 2.0 if seat.school_m <= NEAR_M else 0.5
    return 1.0


def _lose(seat: Seat) -> Seat:
    return Seat(
        seat.door, seat.group, seat.position, seat.size, seat.one_room, None, seat.school_m, lost=True
    )
