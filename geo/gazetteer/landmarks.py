"""Places without a road number: estates, names, quarters, towns and areas."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np

from geo.address.numerals import normalise, spell
from geo.address.parser import Address
from geo.gazetteer.areas import area_name
from geo.gazetteer.calibration import Calibration
from geo.gazetteer.doors import at_door
from geo.gazetteer.estates import estate_number, estate_of, sibling_estates
from geo.gazetteer.index import Gazetteer, place_name
from geo.gazetteer.matches import Level
from geo.gazetteer.mentions import quarters_of
from geo.gazetteer.roads import Ints, Road, road_number
from geo.gazetteer.spots import SCORE, Spot, shifted, widened
from geo.gazetteer.trials import doors_of, extent, middle, streets_of

POI_BESIDE_ROAD = 0.65  # a name written besides a road may be a landmark near by
_HEARD = 0.5  # trust in a road that is only known by the roads it meets
_SIBLING_TRUST = 0.6  # trust in an estate of which only a sibling is known
_TIGHT_M = 300.0  # rows of one name further apart than this are branches, not one place
_WIDEST_QUARTER_M = 1000.0
_BESIDE_M = 100.0  # how far 旁 or 对面 may be
_BESIDE = re.compile(r"(?:[东南西北左右]?(?:侧|边|面)|旁边?|对面|附近|隔壁|门口|以?内|里面|楼上|楼下|院内)$")

_TELLING_STREETS = 4  # streets of a town that show where it lies
_FAR_M = 2500.0
_LEAST_TOWN_M, _LEAST_OBSCURE_M = 1500.0, 3000.0  # radius of a town, and of one of which little is known
_NO_TOWN = re.compile(r"工业|园区|开发|新城|农场|大道")  # 嘉定工业区 is not in 嘉定镇


class Landmarks:
    """The ways from a parsed address to places that are no road, over one gazetteer.

    Parameters
    ----------
    gazetteer : Gazetteer
        Known addresses.
    calibration : Calibration
        Their error radii.
    """

    def __init__(self, gazetteer: Gazetteer, calibration: Calibration) -> None:
        self.gazetteer = gazetteer
        self.calibration = calibration
        self._counts: dict[str, int] = {}

    def by_estate(self, address: Address) -> Iterator[Spot]:
        """Place a door of an estate or a village: the door, else the middle of it or of its siblings."""
        name = estate_of(address)
        if name is None:
            return
        name = self.gazetteer.aliases.get(name, name)
        estate = self.gazetteer.estates.get(name)
        if estate is not None:
            yield self._in_estate(address, estate)
            return
        beside = sibling_estates(name, self.gazetteer.estates)
        if beside:
            rows = np.concatenate([self.gazetteer.estates[other].all_rows for other in beside])
            points = self.gazetteer.xy[rows]
            radius = max(self.calibration.estate_sibling_m, extent(points))
            score = SCORE[Level.ROAD] * _SIBLING_TRUST
            spot = Spot(middle(points), Level.ROAD, score, radius, "、".join(beside), ("estate_sibling",))
            yield widened(spot, address)

    def _in_estate(self, address: Address, estate: Road) -> Spot:
        number = estate_number(address)
        at = None if number is None else estate.index_of(number)
        if at is not None:
            return at_door(self.gazetteer, self.calibration, address, estate.rows[at])
        points = self.gazetteer.xy[estate.all_rows]
        reach = self.calibration.estate.at(points, len(doors_of(self.gazetteer, estate.all_rows)))
        radius = max(self.calibration.door_m, reach)
        spot = Spot(middle(points), Level.ROAD, SCORE[Level.ROAD], radius, estate.name, ("estate",))
        return shifted(spot, address)

    def by_words(self, address: Address, name: str) -> Iterator[Spot]:
        """Place an address by the name of a place in it, or by the institution's own."""
        score = SCORE[Level.POI] if address.road is None else POI_BESIDE_ROAD
        estate = estate_of(address)
        door = estate is not None and (estate in self.gazetteer.estates or estate_number(address) is not None)
        for word in (address.place, *address.tail, *address.lead, normalise(name)):
            if word and not (door and word == address.place):
                yield from self._by_name(word, score, address)

    def _by_name(self, word: str, score: float, address: Address) -> Iterator[Spot]:
        bare = _before_offset(word, address)
        beside = _BESIDE.sub("", bare)
        for key in dict.fromkeys((word, place_name(word), bare, beside, place_name(beside))):
            key = self.gazetteer.aliases.get(key, key)
            rows = self.gazetteer.places.get(key)
            if rows is None or key in self.gazetteer.towns or self._is_elsewhere(address, rows):
                continue
            points = self.gazetteer.xy[rows]
            if extent(points) <= _TIGHT_M:
                far = bare != beside and key in (beside, place_name(beside))
                radius = max(self.calibration.door_m, extent(points)) + (_BESIDE_M if far else 0.0)
                notes = ("beside",) if far else ()
                spot = Spot(middle(points), Level.POI, score, radius, key, notes)
                yield shifted(spot, address) if address.offset and word != bare else spot
                return

    def _is_elsewhere(self, address: Address, rows: Ints) -> bool:
        """Tell whether every row of a name has a door on another road than the one that is written."""
        if address.road is None or road_number(address) is None:
            return False
        others = [self.gazetteer.addresses[row] for row in rows]
        return all(
            other.road is not None
            and road_number(other) is not None
            and spell(other.road) != spell(address.road)
            for other in others
        )

    def by_quarter(self, address: Address, heard: Mapping[str, frozenset[str]]) -> Iterator[Spot]:
        """Place an unknown road by the quarter before it, by the rows that mention it, or by its list."""
        road = address.road
        if road is None or self.gazetteer.find_road(road) is not None:
            return
        for quarter in (*quarters_of(address, self.gazetteer.road_names), *_leading(road)):
            rows = self.gazetteer.quarters.get(quarter)
            if rows is not None and not self._is_wide(quarter):
                yield from self._near(rows, quarter, "quarter")
        rows = self.gazetteer.mentions.get(road)
        if rows is not None:
            yield from self._near(rows, road, "road_mention")
        met = sorted(heard.get(road, ()))
        if met:
            points = self.gazetteer.points_of([self.gazetteer.roads[name] for name in met])
            radius = self.calibration.crossing_m(points)
            score = SCORE[Level.ROAD] * _HEARD
            yield Spot(middle(points), Level.ROAD, score, radius, "、".join(met), ("road_hearsay",))

    def _is_wide(self, word: str) -> bool:
        """Tell whether a word is a whole town, district or city: no quarter, close as its rows may lie."""
        town = self.gazetteer.town_of(word)
        large = town is not None and self._streets(town) >= _TELLING_STREETS
        return large or any(word in name for name in self.gazetteer.districts)

    def _near(self, rows: Ints, text: str, note: str) -> Iterator[Spot]:
        points = self.gazetteer.xy[rows]
        if extent(points) <= _WIDEST_QUARTER_M:
            radius = self.calibration.crossing_m(points)
            yield Spot(middle(points), Level.ROAD, SCORE[Level.ROAD] * 0.7, radius, text, (note,))

    def by_area(self, address: Address) -> Iterator[Spot]:
        """Place an address by the named area it lies in, or by the known rows of its town."""
        words = [word for word in (address.street, address.place, *address.tail, *address.lead) if word]
        areas = [area for word in words if (area := self.gazetteer.areas.get(area_name(word))) is not None]
        for area in areas:
            yield Spot(area.xy, Level.AREA, SCORE[Level.AREA], area.radius_m, area.name)
        town = None if areas else self.town(address)
        if town is not None:
            points = self.gazetteer.xy[self.gazetteer.towns[town]]
            known = self._streets(town)
            least = _LEAST_TOWN_M if known >= _TELLING_STREETS else _LEAST_OBSCURE_M
            radius = max(least, self.calibration.town.at(points, known))
            yield Spot(middle(points), Level.AREA, SCORE[Level.AREA], radius, town, ("town_rows",))

    def town(self, address: Address) -> str | None:
        """Give the known town an address names: as its street, before its road, or in its words."""
        road = address.road or ""
        before = () if _NO_TOWN.search(road) else _leading(road)
        words = (address.street, address.place, *address.lead, *before, *address.tail)
        return next((town for word in words if word and (town := self.gazetteer.town_of(word))), None)

    def _streets(self, town: str) -> int:
        # Remembers a count for the life of this object.
        if town not in self._counts:
            self._counts[town] = len(streets_of(self.gazetteer, self.gazetteer.towns[town]))
        return self._counts[town]

    def is_other_town(self, address: Address, spot: Spot) -> bool:
        """Tell whether a spot lies far from every known row of the town that an address names."""
        town = address.street or ""
        if town not in self.gazetteer.towns or self._streets(town) < _TELLING_STREETS:
            return False
        points = self.gazetteer.xy[self.gazetteer.towns[town]]
        return float(np.hypot(*(points - spot.xy).T).min()) > _FAR_M


def _before_offset(word: str, address: Address) -> str:
    """Take a distance remark, or its direction alone, off the end of a word."""
    if address.offset is None:
        return word
    direction = re.sub(r"\d.*", "", address.offset)
    bare = word.split(address.offset)[0] if address.offset in word else word.removesuffix(direction)
    return bare if f"{bare}{address.offset}" in address.text else word


def _leading(road: str) -> Iterator[str]:
    """Yield the words that may be a quarter glued before an unknown road (豫园百翎路)."""
    return (road[:at] for at in range(len(road) - 2, 1, -1))
