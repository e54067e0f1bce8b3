"""Offline gazetteer: known door numbers along each road, places by name, and forgiving road names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache

import geopandas as gpd
import numpy as np
import pyproj
from numpy.typing import NDArray
from pypinyin import Style, lazy_pinyin

from geo.address import Address, parse_address
from geo.crs import Floats, check_frame, frame_metric_crs, project_xy
from geo.errors import GazetteerError
from geo.numerals import normalise

Ints = NDArray[np.int64]
_SHORTEST_NAME = 3  # a shop name of two characters says nothing about a place
_FUZZY_THRESHOLD = 85.0
_ROAD_FORM = re.compile(
    r"(?P<stem>.+?)(?P<side>[东西南北中]?[一二三四五六七八九十]*)(?P<word>大街|大道|公路|胡同|路|街|道|巷|弄|浜)"
    r"(?P<section>(?:[东西南北中]?[一二三四五六七八九十]+段|[东西南北中]段|[一二三四五六七八九十]+[巷弄])?)"
)
# Two of these are never a slip of the pen for each other: 三牌楼路 and 四牌楼路 are two roads.
_TELLING = frozenset("一二三四五六七八九十东西南北中大小上下前后左右新老内外")
_NAMESAKES = frozenset({"山西", "陕西"})  # both written right, both common, and they sound the same
# Sounds that people who type by ear mix up (新业路 for 兴业路).
_SOUNDS = ((r"^zh", "z"), (r"^ch", "c"), (r"^sh", "s"), (r"ng$", "n"))


class RoadMatch(StrEnum):
    """How a written road name met a known one."""

    EXACT = "exact"
    LEAD = "lead"  # words before the road name were dropped
    FUZZY = "fuzzy"  # sounds alike, or one character of a long name differs
    DIRECTION = "direction"  # 东西南北中 is not written; several roads may be meant
    SECTION = "section"  # the section (二段) is unknown, only the road as a whole is
    SIBLING = "sibling"  # only the road's other parts are known (金陵中路 for 金陵西路)


@dataclass(frozen=True, slots=True)
class RoadHit:
    """Known roads a written name may mean, with a similarity of 0 to 100."""

    names: tuple[str, ...]
    score: float
    kind: RoadMatch


@dataclass(frozen=True, slots=True, eq=False)
class Road:
    """Known door numbers of one road in ascending order.

    Parameters
    ----------
    name : str
        Road name.
    numbers : ndarray of int64, shape (k,)
        Distinct numbers; a lane (弄) stands in the same series as the doors, as it does on the ground.
    xy : ndarray, shape (k, 2)
        Median point of each number in metres.
    rows : tuple of ndarray
        Gazetteer rows behind each number.
    all_rows : ndarray of int64
        Every row on the road, also those without a number.
    """

    name: str
    numbers: Ints
    xy: Floats
    rows: tuple[Ints, ...]
    all_rows: Ints

    def index_of(self, number: int) -> int | None:
        """Give the position of a known number, else None."""
        at = int(np.searchsorted(self.numbers, number))
        return at if at < len(self.numbers) and self.numbers[at] == number else None


@dataclass(frozen=True, eq=False)
class Gazetteer:
    """Known addresses of a district, indexed by road and number, by place and by name.

    Parameters
    ----------
    crs : pyproj.CRS
        Metric CRS of `xy`.
    xy : ndarray, shape (n, 2)
        Points in metres.
    names : tuple of str
        Name of each row, normalised, may be empty.
    addresses : tuple of Address
        Parsed address of each row.
    roads : dict of str to Road
        Roads by name.
    places : dict of str to ndarray
        Rows by normalised place or row name.
    districts : frozenset of str
        District names seen in the addresses.
    """

    crs: pyproj.CRS
    xy: Floats
    names: tuple[str, ...]
    addresses: tuple[Address, ...]
    roads: dict[str, Road]
    places: dict[str, Ints]
    districts: frozenset[str]
    _hits: dict[str, RoadHit | None] = field(default_factory=dict, repr=False)

    def find_road(self, name: str, *, threshold: float = _FUZZY_THRESHOLD) -> RoadHit | None:
        """Look up a road name: exact, without leading words, by sound, without direction, without section.

        Parameters
        ----------
        name : str
            Road name as parsed.
        threshold : float
            Least similarity (0-100) for a name that is spelt differently.

        Returns
        -------
        RoadHit or None
            None also when two different roads are equally alike.
        """
        # Remembers a pure look-up for the life of this gazetteer; a scan of every road costs milliseconds.
        key = f"{threshold}:{name}"
        if key not in self._hits:
            self._hits[key] = self._find_road(name, threshold)
        return self._hits[key]

    def _find_road(self, name: str, threshold: float) -> RoadHit | None:
        if name in self.roads:
            return RoadHit((name,), 100.0, RoadMatch.EXACT)
        known = next((end for end in _endings(name) if end in self.roads), None)
        if known is not None:
            return RoadHit((known,), 97.0, RoadMatch.LEAD)
        form = _ROAD_FORM.fullmatch(name)
        if form is None:
            return None
        alike = [(self._alike(form, other), known) for known, other in self._forms.items()]
        best = max((score for score, _ in alike), default=0.0)
        top = tuple(known for score, known in alike if score == best)
        if best >= threshold and len(top) == 1:
            return RoadHit(top, best, RoadMatch.FUZZY)
        family = tuple(k for k, o in self._forms.items() if _same(form, o, "stem", "word", "section"))
        if family:
            kind = RoadMatch.SIBLING if form["side"] else RoadMatch.DIRECTION
            return RoadHit(family, 60.0 if form["side"] else 80.0, kind)
        whole = name[: len(name) - len(form["section"])]
        if form["section"] and whole in self.roads:
            return RoadHit((whole,), 70.0, RoadMatch.SECTION)
        return None

    @cached_property
    def _forms(self) -> dict[str, re.Match[str]]:
        found = {name: _ROAD_FORM.fullmatch(name) for name in self.roads}
        return {name: form for name, form in found.items() if form is not None}

    def _alike(self, form: re.Match[str], other: re.Match[str]) -> float:
        """Score two road names 0-100; direction, ordinal and kind of road must be the same."""
        stem, known = form["stem"], other["stem"]
        if len(stem) != len(known) or not _same(form, other, "side", "word", "section"):
            return 0.0
        if sorted(stem) == sorted(known) and len(stem) > 1:
            return 90.0
        pairs = [(a, b) for a, b in zip(stem, known, strict=True) if a != b]
        if {stem, known} == _NAMESAKES or any(_TELLING.issuperset(pair) for pair in pairs):
            return 0.0
        strange = sum(_sound(a) != _sound(b) for a, b in pairs)
        if strange == 0 and len(pairs) < max(len(stem), 2):
            exactly = all(_sound(a, exact=True) == _sound(b, exact=True) for a, b in pairs)
            return (96.0 if exactly else 92.0) if len(pairs) == 1 else 88.0
        return 86.0 if strange == 1 and len(pairs) == 1 and len(stem) >= 3 else 0.0


def build_gazetteer(
    frame: gpd.GeoDataFrame, *, name_column: str = "名称", address_column: str = "地址"
) -> Gazetteer:
    """Index a frame of known addresses.

    Parameters
    ----------
    frame : GeoDataFrame
        Points in WGS-84 with a name and an address column.
    name_column, address_column : str
        Their names.

    Returns
    -------
    Gazetteer
        Index over the rows that have a point.

    Raises
    ------
    FrameError
        As `geo.crs.check_frame`.
    GazetteerError
        ``not_points`` or ``empty_gazetteer``.
    """
    check_frame(frame, name_column, address_column)
    usable = frame[~(frame.geometry.isna() | frame.geometry.is_empty)]
    if len(usable) == 0:
        raise GazetteerError("empty_gazetteer")
    if not (usable.geom_type == "Point").all():
        raise GazetteerError("not_points", types=sorted(set(usable.geom_type)))
    crs = frame_metric_crs(usable)
    xy = project_xy(usable.geometry.x.to_numpy(), usable.geometry.y.to_numpy(), crs)
    texts = ["" if v is None or v != v else str(v) for v in usable[address_column]]
    names = tuple(normalise("" if v is None or v != v else str(v)) for v in usable[name_column])
    addresses = tuple(parse_address(text) for text in texts)
    return Gazetteer(
        crs=crs,
        xy=xy,
        names=names,
        addresses=addresses,
        roads=_index_roads(addresses, xy),
        places=_index_places(addresses, names),
        districts=frozenset(a.district for a in addresses if a.district),
    )


def road_number(address: Address) -> int | None:
    """Give the number an address has in its road's series (the lane's, else the door's), or None."""
    digits = address.lane or address.number
    return int(digits) if digits is not None and len(digits) <= 6 else None


def unit_key(address: Address) -> tuple[str | None, ...]:
    """Give what tells two doors of the same road number apart (lane, inner number, sub-number, building)."""
    return (address.lane, address.number, address.sub_number, address.building)


def _endings(name: str) -> list[str]:
    """List what remains after dropping two or more leading characters: 老城隍庙福佑路 ends in 福佑路."""
    return [name[at:] for at in range(2, len(name) - 2)]


def _index_roads(addresses: Sequence[Address], xy: Floats) -> dict[str, Road]:
    by_road: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    everything: dict[str, list[int]] = defaultdict(list)
    written = {address.road for address in addresses if address.road}
    for row, address in enumerate(addresses):
        if address.road is None:
            continue
        # A landmark glued to a road of the same gazetteer (田子坊泰康路) is that road.
        road = next((end for end in _endings(address.road) if end in written), address.road)
        everything[road].append(row)
        number = road_number(address)
        if number is not None:
            by_road[road][number].append(row)
    roads = {}
    for name, rows in everything.items():
        numbers = sorted(by_road[name])
        behind = tuple(np.array(by_road[name][n], dtype=np.int64) for n in numbers)
        middle = np.array([np.median(xy[r], axis=0) for r in behind]).reshape(-1, 2)
        roads[name] = Road(
            name, np.array(numbers, dtype=np.int64), middle, behind, np.array(rows, dtype=np.int64)
        )
    return roads


def _index_places(addresses: Sequence[Address], names: Sequence[str]) -> dict[str, Ints]:
    rows: dict[str, list[int]] = defaultdict(list)
    for row, (address, name) in enumerate(zip(addresses, names, strict=True)):
        for key in {name, address.place or ""}:
            if len(key) >= _SHORTEST_NAME:
                rows[key].append(row)
    return {key: np.array(found, dtype=np.int64) for key, found in rows.items()}


def _same(one: re.Match[str], other: re.Match[str], *groups: str) -> bool:
    return all(one[group] == other[group] for group in groups)


@lru_cache(maxsize=8192)
def _sound(character: str, *, exact: bool = False) -> str:
    sound: str = lazy_pinyin(character, style=Style.NORMAL)[0]
    for pattern, plain in () if exact else _SOUNDS:
        sound = re.sub(pattern, plain, sound)
    return sound
