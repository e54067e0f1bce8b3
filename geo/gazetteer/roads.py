"""Roads of a gazetteer: their names, read forgivingly, and their known door numbers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from geo.address.numerals import spell
from geo.address.parser import Address
from geo.crs import Floats

Ints = NDArray[np.int64]

_FORM = re.compile(
    r"(?P<stem>.+?)(?P<side>支|[东西南北中]?[一二三四五六七八九十]*)(?P<word>大街|大道|公路|胡同|路|街|道|巷|弄|浜)"
    r"(?P<section>(?:[东西南北中]?[一二三四五六七八九十]+段|[东西南北中]段|[一二三四五六七八九十]+[巷弄])?)"
)
# Two of these are never a slip of the pen for each other: 三牌楼路 and 四牌楼路 are two roads.
_TELLING = frozenset("一二三四五六七八九十东西南北中大小上下前后左右新老内外")
_SURNAME = "家"  # 徐家宅路 and 陈家宅路 differ in what tells them apart
_HOMONYMS = frozenset({"山西", "陕西"})  # both written right, both common, and they sound the same
# Sounds that people who type by ear mix up (新业路 for 兴业路).
_SOUNDS = ((r"^zh", "z"), (r"^ch", "c"), (r"^sh", "s"), (r"ng$", "n"))


NAMESAKE = "·"  # between the name of a road and the count of another of the same name
_NAMESAKE_M = 2500.0


class RoadMatch(StrEnum):
    """How a written road name met a known one."""

    EXACT = "exact"
    ALIAS = "alias"  # a person said which road the written name means
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

    @property
    def counts(self) -> Ints:
        """Number of rows behind each number, shape (k,)."""
        return np.array([len(rows) for rows in self.rows], dtype=np.int64)


class RoadNames:
    """Known road names, looked up forgivingly.

    Parameters
    ----------
    names : iterable of str
        Known names.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._known = frozenset(names)
        found = {name: _FORM.fullmatch(name) for name in sorted(self._known)}
        self._forms = {name: form for name, form in found.items() if form is not None}

    def find(self, name: str, *, threshold: float) -> RoadHit | None:
        """Look up a road name: exact, without leading words, by sound, without direction, without section.

        Parameters
        ----------
        name : str
            Road name as written.
        threshold : float
            Least similarity (0-100) for a name that is spelt differently.

        Returns
        -------
        RoadHit or None
            None also when two different roads are equally alike.
        """
        name = spell(name)
        if name in self._known:
            return RoadHit((name,), 100.0, RoadMatch.EXACT)
        known = next((end for end in endings(name) if end in self._known), None)
        if known is not None:
            return RoadHit((known,), 97.0, RoadMatch.LEAD)
        form = _FORM.fullmatch(name)
        if form is None:
            return None
        alike = self.alike(name)
        best = max((score for _, score in alike), default=0.0)
        top = tuple(known for known, score in alike if score == best)
        if best >= threshold and len(top) == 1:
            return RoadHit(top, best, RoadMatch.FUZZY)
        family = self.family(name)
        if family:
            sure = form["side"] != "" or all(side_of(known) == "支" for known in family)
            kind = RoadMatch.SIBLING if sure else RoadMatch.DIRECTION
            return RoadHit(family, 60.0 if sure else 80.0, kind)
        whole = name[: len(name) - len(form["section"])]
        if form["section"] and whole in self._known:
            return RoadHit((whole,), 70.0, RoadMatch.SECTION)
        return None

    def alike(self, name: str) -> list[tuple[str, float]]:
        """List the known roads that sound or look like a name, with a similarity above 0, best first."""
        form = _FORM.fullmatch(spell(name))
        if form is None:
            return []
        scored = [(known, _similarity(form, other)) for known, other in self._forms.items()]
        return sorted((pair for pair in scored if pair[1] > 0), key=lambda pair: (-pair[1], pair[0]))

    def family(self, name: str) -> tuple[str, ...]:
        """List the other known parts of a road: 金陵东路 and 金陵中路 for 金陵西路."""
        form = _FORM.fullmatch(name)
        if form is None:
            return ()
        return tuple(
            known
            for known, other in self._forms.items()
            if known != name and _same(form, other, "stem", "word", "section")
        )

    def ending_of(self, name: str) -> str | None:
        """Give the known road that a name with leading words ends in, else None."""
        name = spell(name)
        return next((end for end in (name, *endings(name)) if end in self._known), None)


def side_of(name: str) -> str:
    """Give the direction or ordinal in a road name (西 of 金陵西路), empty when there is none."""
    form = _FORM.fullmatch(name)
    return "" if form is None else form["side"]


def road_number(address: Address) -> int | None:
    """Give the number an address has in its road's series (the lane's, else the door's), or None."""
    digits = address.lane or address.number
    return int(digits) if digits is not None and len(digits) <= 6 else None


def endings(name: str) -> Iterator[str]:
    """Yield what remains after dropping two or more leading characters: 老城隍庙福佑路 ends in 福佑路."""
    return (name[at:] for at in range(2, len(name) - 2))


def index_roads(addresses: Sequence[Address], xy: Floats) -> dict[str, Road]:
    """Gather the rows of each road.

    Parameters
    ----------
    addresses : sequence of Address
        Parsed address of each row.
    xy : ndarray, shape (n, 2)
        Points in metres.

    Returns
    -------
    dict of str to Road
        Roads by name; a landmark glued to a road of the same rows (田子坊泰康路) is dropped from the name.
    """
    by_road: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    everything: dict[str, list[int]] = defaultdict(list)
    written = {spell(address.road) for address in addresses if address.road}
    for row, address in enumerate(addresses):
        if address.road is None:
            continue
        named = spell(address.road)
        road = next((end for end in endings(named) if end in written), named)
        everything[road].append(row)
        number = road_number(address)
        if number is not None:
            by_road[road][number].append(row)
    found: dict[str, Road] = {}
    for name, rows in everything.items():
        parts = _namesakes(by_road[name], rows, xy)
        for part, own in enumerate(parts):
            kept = {n: inside for n, of in by_road[name].items() if (inside := sorted(own.intersection(of)))}
            key = name if part == 0 else f"{name}{NAMESAKE}{part}"
            found[key] = gather_road(name, kept, sorted(own), xy)
    return found


def _namesakes(by_number: dict[int, list[int]], rows: list[int], xy: Floats) -> list[set[int]]:
    """Part the rows of one name into the roads that bear it, the one of most rows first.

    Notes
    -----
    A long road has far stretches too, but its numbers grow along it: only clusters whose numbers overlap are
    different roads.
    """
    heap = _clusters(xy[rows])
    if heap.max() == 0:
        return [set(rows)]
    cluster = dict(zip(rows, heap.tolist(), strict=True))
    spans: dict[int, list[int]] = defaultdict(list)
    for number, behind in by_number.items():
        for row in behind:
            spans[cluster[row]].append(number)
    parts = {at: {row for row in rows if cluster[row] == at} for at in range(int(heap.max()) + 1)}
    largest = max(spans, key=lambda at: (len(parts[at]), -at), default=None)
    if largest is None:
        return [set(rows)]
    low, high = min(spans[largest]), max(spans[largest])
    strange = sorted(
        at for at in spans if at != largest and max(low, min(spans[at])) <= min(high, max(spans[at]))
    )
    home = set(rows).difference(*(parts[at] for at in strange))
    return [home, *(parts[at] for at in strange)]


def _clusters(points: Floats) -> Ints:
    """Number the clusters of points that lie more than `_NAMESAKE_M` apart, from 0."""
    number = np.full(len(points), -1, dtype=np.int64)
    found = 0
    for start in range(len(points)):
        if number[start] >= 0:
            continue
        reached = [start]
        number[start] = found
        while reached:
            near = np.hypot(*(points - points[reached.pop()]).T) <= _NAMESAKE_M
            fresh = np.flatnonzero(near & (number < 0))
            number[fresh] = found
            reached += fresh.tolist()
        found += 1
    return number


def gather_road(name: str, by_number: dict[int, list[int]], rows: list[int], xy: Floats) -> Road:
    """Put the rows of one road or estate together, those of each number by themselves."""
    numbers = sorted(by_number)
    behind = tuple(np.array(by_number[number], dtype=np.int64) for number in numbers)
    middle = np.array([np.median(xy[found], axis=0) for found in behind]).reshape(-1, 2)
    return Road(name, np.array(numbers, dtype=np.int64), middle, behind, np.array(rows, dtype=np.int64))


def _similarity(form: re.Match[str], other: re.Match[str]) -> float:
    """Score two road names 0-100; direction, ordinal and kind of road must be the same."""
    stem, known = form["stem"], other["stem"]
    if len(stem) != len(known) or not _same(form, other, "side", "word", "section"):
        return 0.0
    if sorted(stem) == sorted(known) and len(stem) > 1:
        # 新育路 and 育新路 are often two roads: too little to act upon.
        return 90.0 if len(stem) > 2 else 80.0
    pairs = [(a, b) for a, b in zip(stem, known, strict=True) if a != b]
    if {stem, known} == _HOMONYMS or any(_TELLING.issuperset(pair) for pair in pairs):
        return 0.0
    strange = sum(_sound(a) != _sound(b) for a, b in pairs)
    if strange == 0 and len(pairs) < max(len(stem), 2):
        exactly = all(_sound(a, exact=True) == _sound(b, exact=True) for a, b in pairs)
        return (96.0 if exactly else 92.0) if len(pairs) == 1 else 88.0
    if (
        strange == 1
        and len(pairs) == 1
        and len(stem) >= 3
        and not (stem[1] == _SURNAME != known[0] != stem[0])
    ):
        return 86.0
    # Too little to act upon, enough to ask a person.
    return 60.0 if 2 * strange <= len(stem) else 0.0


def _same(one: re.Match[str], other: re.Match[str], *groups: str) -> bool:
    return all(one[group] == other[group] for group in groups)


@lru_cache(maxsize=8192)
def _sound(character: str, *, exact: bool = False) -> str:
    # Its dictionary takes half a second to load, which only an unknown road is worth.
    from pypinyin import Style, lazy_pinyin

    sound: str = lazy_pinyin(character, style=Style.NORMAL)[0]
    for pattern, plain in () if exact else _SOUNDS:
        sound = re.sub(pattern, plain, sound)
    return sound
