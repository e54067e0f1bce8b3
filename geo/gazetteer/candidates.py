"""Candidates for an address: every place it may mean, typed and scored, from the door to the area."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from geo.address.parser import Address, recuts
from geo.crs import Floats
from geo.gazetteer.calibration import Calibration
from geo.gazetteer.doors import at_door
from geo.gazetteer.index import Gazetteer
from geo.gazetteer.interpolation import (
    Line,
    fit_line,
    is_sound,
    is_within_reach,
    nearest_end,
    road_slopes,
    slopes_without,
)
from geo.gazetteer.landmarks import POI_BESIDE_ROAD, Landmarks
from geo.gazetteer.matches import Level
from geo.gazetteer.roads import Ints, Road, RoadHit, RoadMatch, road_number, side_of
from geo.gazetteer.spots import SCORE, Spot, shifted, widened
from geo.gazetteer.trials import doors_of, middle, nearest_pair, sibling_end

__all__ = ["Cascade", "Spot"]

_BESIDE_TRUST = 0.55  # trust in the road that an unknown one meets
_ALIKE_TRUST = 0.7  # trust in a road of a similar name
_GUESSED = 0.25  # trust in a road or part of a road that a person has to choose
_LEAST_ALIKE = 60.0
_DOUBT = 0.5  # trust in a road whose name several bear, or that lies far from the town that is written
_OTHER_TOWN = 0.2  # trust in a guess far from the town that is written: the town's own rows are better
_SURE = (RoadMatch.EXACT, RoadMatch.ALIAS, RoadMatch.FUZZY, RoadMatch.LEAD)


class Cascade:
    """The ways from a parsed address to places, over one gazetteer.

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
        self._slopes = road_slopes(gazetteer.roads)
        self._lines: dict[int, Line] = {}
        self._landmarks = Landmarks(gazetteer, calibration)

    def best(self, address: Address, name: str, heard: Mapping[str, frozenset[str]]) -> Spot | None:
        """Give the place an address means, or None; the first of `every` that needs no person."""
        found: list[Spot] = []
        for ceiling, spots in self._stages(address, name, heard):
            if any(spot.score >= ceiling for spot in found):
                break
            found += spots
        return max(found, key=lambda spot: spot.score, default=None)

    def every(self, address: Address, name: str, heard: Mapping[str, frozenset[str]]) -> list[Spot]:
        """List the places an address may mean, best first, those a person has to choose last."""
        found = [spot for _, spots in self._stages(address, name, heard) for spot in spots]
        found.sort(key=lambda spot: -spot.score)
        lowest = min((spot.score for spot in found), default=1.0)
        guesses = sorted(self._guesses(address), key=lambda spot: -spot.score)
        return found + [replace(spot, score=min(spot.score, lowest)) for spot in guesses]

    def _stages(
        self, address: Address, name: str, heard: Mapping[str, frozenset[str]]
    ) -> Iterator[tuple[float, Iterator[Spot]]]:
        """Yield the ways, surest first, each with the highest score it can give."""
        places = self._landmarks
        yield 1.0, self._by_road(address)
        yield 1.0, places.by_estate(address)
        yield SCORE[Level.POI] if address.road is None else POI_BESIDE_ROAD, places.by_words(address, name)
        yield SCORE[Level.ROAD], places.by_quarter(address, heard)
        yield SCORE[Level.AREA], places.by_area(address)

    def _by_road(self, address: Address) -> Iterator[Spot]:
        for cut in recuts(address):
            spots = [self._in_town(cut, spot) for spot in self._on_roads(cut)]
            if address.cut is None:
                yield from spots
            else:
                for spot in spots:
                    yield replace(spot, score=spot.score * 0.95, notes=(*spot.notes, "number_cut"))

    def _in_town(self, address: Address, spot: Spot) -> Spot:
        """Trust a spot less that lies far from the town its address names."""
        if not self._landmarks.is_other_town(address, spot):
            return spot
        weak = {"road_fuzzy", "road_namesake", "number_out_of_reach"}.intersection(spot.notes)
        trust = _OTHER_TOWN if weak else _DOUBT
        return replace(spot, score=spot.score * trust, notes=(*spot.notes, "other_town"))

    def _on_roads(self, address: Address) -> Iterator[Spot]:
        own = self.gazetteer.find_road(address.road) if address.road else None
        crossed = [hit for word in reversed(address.lead) if (hit := self._crossed(word)) is not None]
        crossed = [hit for hit in crossed if own is None or hit.names != own.names]
        if own is not None:
            if crossed and road_number(address) is None and own.kind in _SURE:
                yield shifted(self._crossing(own, crossed[0]), address)
            yield self._on_known(address, own)
        for hit in crossed:
            # The number belongs to the street it follows; of a crossing road only the course is known.
            yield widened(self._beside_road(hit, (*_note(hit), "road_of_crossing")), address)

    def _crossed(self, word: str) -> RoadHit | None:
        hit = self.gazetteer.find_road(word)
        return hit if hit is not None and hit.kind in _SURE else None

    def _on_known(self, address: Address, hit: RoadHit) -> Spot:
        """Place an address on its road; of several of its name on the one of its town or of most rows."""
        same = [self.gazetteer.roads[hit.names[0]], *self.gazetteer.namesakes(hit.names[0])]
        if len(hit.names) > 1 or len(same) == 1:
            return self._on_road(address, hit, self._roads(hit))
        spots = [self._on_road(address, hit, [road]) for road in same]
        town = self._landmarks.town(address)
        if town is not None:
            rows = self.gazetteer.towns[town]
            near = [self._apart(road, self.gazetteer.xy[rows]) for road in same]
            return spots[int(np.argmin(near))]
        first = spots[0]
        off = max(float(np.hypot(*(first.xy - spot.xy))) + spot.radius_m for spot in spots)
        return replace(first, score=first.score * _DOUBT, radius_m=off, notes=(*first.notes, "road_namesake"))

    def _apart(self, road: Road, points: Floats) -> float:
        return nearest_pair(self.gazetteer.xy[road.all_rows], points)[1]

    def _on_road(self, address: Address, hit: RoadHit, roads: Sequence[Road]) -> Spot:
        notes = _note(hit)
        number = road_number(address)
        if number is None or hit.kind in (RoadMatch.SECTION, RoadMatch.SIBLING):
            return self._along(address, roads, hit, notes)
        if len(roads) > 1:
            roads_with = [road for road in roads if road.index_of(number) is not None]
            roads = roads_with if len(roads_with) == 1 else roads
        if hit.kind is RoadMatch.DIRECTION and roads[0].index_of(number) is None:
            return self._along(address, roads, hit, notes)  # 南京西路 does not count on where 南京路 ends
        if len(roads) > 1 or len(roads[0].numbers) == 0:
            return self._along(address, roads, hit, notes)
        if is_within_reach(roads[0], number):
            return self._at_number(address, roads[0], number, hit, notes)
        end, missing = nearest_end(roads[0], number)
        radius = self.calibration.end_m(missing)
        return _spot(end, Level.ROAD, hit, radius, roads[0].name, (*notes, "number_out_of_reach"))

    def _at_number(
        self, address: Address, road: Road, number: int, hit: RoadHit, notes: tuple[str, ...]
    ) -> Spot:
        at = road.index_of(number)
        if at is not None:
            spot = at_door(self.gazetteer, self.calibration, address, road.rows[at])
            return replace(spot, score=spot.score * hit.score / 100.0, notes=notes)
        inside = _in_range(address, road, number)
        if inside is not None:
            points, radius = road.xy[inside], self.calibration.other_unit_m
            notes = (*notes, "number_range")
            return _spot(middle(points), Level.OTHER_UNIT, hit, radius, f"{road.name}{number}", notes)
        guess = self._line(road).at(number)
        if guess.outside:
            notes = (*notes, "extrapolated")
        radius = self.calibration.interpolated_m(guess)
        return _spot(guess.xy, Level.INTERPOLATED, hit, radius, f"{road.name}{number}", notes)

    def _along(self, address: Address, roads: Sequence[Road], hit: RoadHit, notes: tuple[str, ...]) -> Spot:
        points, names = self._points(roads), "、".join(road.name for road in roads)
        if hit.kind is RoadMatch.SIBLING:
            end = sibling_end(points, side_of(address.road or ""))
            return _spot(end, Level.ROAD, hit, self.calibration.sibling_m, names, notes)
        # A door of a road of which only another part is known lies as far off as one of a road that meets it.
        known = len(doors_of(self.gazetteer, np.concatenate([road.all_rows for road in roads])))
        radius = self.calibration.road_m(points, known)
        if hit.kind is RoadMatch.DIRECTION:
            radius = max(radius, self.calibration.crossing_m(points))
        return widened(_spot(middle(points), Level.ROAD, hit, radius, names, notes), address)

    def _crossing(self, own: RoadHit, crossed: RoadHit) -> Spot:
        """Place an address that names two roads and no number where their known points come nearest."""
        one, other = self._points(self._roads(own)), self._points(self._roads(crossed))
        point, apart = nearest_pair(one, other)
        radius = self.calibration.meeting_m(apart)
        text = f"{own.names[0]}、{crossed.names[0]}"
        spot = _spot(point, Level.ROAD, own, radius, text, (*_note(own), "crossing"))
        return replace(spot, score=spot.score * 1.2)

    def _beside_road(self, hit: RoadHit, notes: tuple[str, ...]) -> Spot:
        roads = self._roads(hit)
        points = self._points(roads)
        names = "、".join(road.name for road in roads)
        spot = _spot(middle(points), Level.ROAD, hit, self.calibration.crossing_m(points), names, notes)
        return replace(spot, score=spot.score * _BESIDE_TRUST)

    def _guesses(self, address: Address) -> Iterator[Spot]:
        """Yield what only a person can choose: each part of a road, and roads of a similar name."""
        if address.road is None:
            return
        hit = self.gazetteer.find_road(address.road)
        names = [] if hit is None or len(hit.names) == 1 else [(name, hit.score) for name in hit.names]
        if hit is None:
            names = [p for p in self.gazetteer.road_names.alike(address.road) if p[1] >= _LEAST_ALIKE]
        for name, alike in names:
            part = RoadHit((name,), alike, RoadMatch.FUZZY)
            spot = self._on_road(address, part, self._roads(part))
            yield replace(spot, score=spot.score * _GUESSED, chosen=False)

    def _roads(self, hit: RoadHit) -> list[Road]:
        return [self.gazetteer.roads[name] for name in hit.names]

    def _points(self, roads: Sequence[Road]) -> Floats:
        return self.gazetteer.points_of(roads)

    def _line(self, road: Road) -> Line:
        # Remembers a pure fit for the life of this cascade.
        key = id(road)
        if key not in self._lines:
            slopes, course = slopes_without(self._slopes, road.name), self.calibration.course
            by_hand = np.array([self.gazetteer.confirmed[rows].any() for rows in road.rows], dtype=np.bool_)
            keep = is_sound(road.numbers, road.xy, by_hand)
            numbers, xy, counts = road.numbers[keep], road.xy[keep], road.counts[keep]
            self._lines[key] = fit_line(numbers, xy, counts, course=course, slopes=slopes)
        return self._lines[key]


def _spot(xy: Floats, level: Level, hit: RoadHit, radius_m: float, text: str, notes: tuple[str, ...]) -> Spot:
    # A name that only sounds alike is often another road; a door that it knows speaks for it.
    unsure = hit.kind is RoadMatch.FUZZY and level in (Level.INTERPOLATED, Level.ROAD)
    trust = hit.score / 100.0 * (_ALIKE_TRUST if unsure else 1.0)
    return Spot(xy, level, SCORE[level] * trust, radius_m, text, notes)


def _note(hit: RoadHit) -> tuple[str, ...]:
    return () if hit.kind is RoadMatch.EXACT else (f"road_{hit.kind}",)


def _in_range(address: Address, road: Road, number: int) -> Ints | None:
    """Find the known numbers inside a written range on its side of the road (12-18号)."""
    last = int(address.number_to) if address.number_to and not address.lane else number
    inside = np.flatnonzero(
        (road.numbers >= number) & (road.numbers <= last) & (road.numbers % 2 == number % 2)
    )
    return inside if len(inside) else None
