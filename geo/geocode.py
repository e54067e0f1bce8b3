"""Geocoding: from a written address to a point, with the level reached and an honest error radius."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.address import Address, parse_address, recuts
from geo.calibration import Calibration, calibrate
from geo.crs import WGS84_EPSG, Floats, unproject_xy
from geo.errors import GazetteerError
from geo.gazetteer import Gazetteer, Road, RoadHit, RoadMatch, road_number, unit_key
from geo.interpolation import interpolate, is_within_reach, nearest_end
from geo.numerals import normalise

_TIGHT_M = 300.0  # rows of one name further apart than this are branches, not one place


class Level(StrEnum):
    """How fine a geocode is, finest first."""

    DOOR = "door"
    OTHER_UNIT = "other_unit"
    POI = "poi"
    INTERPOLATED = "interpolated"
    ROAD = "road"
    NONE = "none"


_LEVEL_SCORE = {
    Level.DOOR: 1.0,
    Level.OTHER_UNIT: 0.9,
    Level.POI: 0.8,
    Level.INTERPOLATED: 0.7,
    Level.ROAD: 0.4,
}


@dataclass(frozen=True, slots=True)
class Match:
    """Result of geocoding one address.

    Parameters
    ----------
    lon, lat : float or None
        WGS-84 degrees, None when unplaced.
    level : Level
        How the point was found.
    score : float
        Trust in the text match, 0 to 1.
    error_radius_m : float or None
        Radius that holds the true point for about nine of ten rows of this kind.
    matched_text : str
        What the gazetteer knew (road and number, or a name); empty when unplaced.
    source : str
        Name of the geocoder.
    code : str
        ``placed``, else ``no_address``, ``no_road`` (the text names no road or place) or ``unknown_road``.
    notes : tuple of str
        What a reviewer should know: ``road_lead``, ``road_fuzzy``, ``road_direction``, ``road_section``,
        ``road_sibling``, ``road_of_crossing``, ``number_cut``, ``number_out_of_reach``,
        ``extrapolated``, ``other_district``.
    """

    lon: float | None
    lat: float | None
    level: Level
    score: float
    error_radius_m: float | None
    matched_text: str
    source: str
    code: str = "placed"
    notes: tuple[str, ...] = ()


class Geocoder(Protocol):
    """Anything that places addresses; the offline gazetteer and an online service are two of them."""

    def locate(self, addresses: Sequence[str], *, names: Sequence[str] | None = None) -> list[Match]:
        """Place each address (with the institution's name as a second chance), in the same order."""
        ...


@dataclass(frozen=True, slots=True)
class _Spot:
    """A point in metres before it becomes a match."""

    xy: Floats
    level: Level
    score: float
    radius_m: float
    text: str
    notes: tuple[str, ...] = ()


class GazetteerGeocoder:
    """Offline geocoder over a gazetteer: door, other unit, place, interpolation, road, unplaced.

    Parameters
    ----------
    gazetteer : Gazetteer
        Known addresses.
    calibration : Calibration, optional
        Error radii; taken from the gazetteer itself by leave-one-out when not given.
    source : str
        Name written into each match.
    """

    def __init__(
        self, gazetteer: Gazetteer, *, calibration: Calibration | None = None, source: str = "gazetteer"
    ) -> None:
        self.gazetteer = gazetteer
        self.calibration = calibration if calibration is not None else calibrate(gazetteer)
        self.source = source

    def locate(self, addresses: Sequence[str], *, names: Sequence[str] | None = None) -> list[Match]:
        """Place addresses.

        Parameters
        ----------
        addresses : sequence of str
            Addresses as written.
        names : sequence of str, optional
            Institution names of the same length; used only where the address gives no better than its road.

        Returns
        -------
        list of Match
            One per address, in order.

        Raises
        ------
        GazetteerError
            ``length_mismatch``.
        """
        if names is not None and len(names) != len(addresses):
            raise GazetteerError("length_mismatch", addresses=len(addresses), names=len(names))
        seen: dict[tuple[str, str], _Spot | str] = {}
        keys = list(zip(addresses, names if names is not None else [""] * len(addresses), strict=True))
        for key in keys:
            if key not in seen:
                seen[key] = self._place(*key)
        spots = [found for found in seen.values() if isinstance(found, _Spot)]
        lon, lat = unproject_xy(np.array([spot.xy for spot in spots]), self.gazetteer.crs)
        points = {id(spot): (float(x), float(y)) for spot, x, y in zip(spots, lon, lat, strict=True)}
        return [self._match(seen[key], points) for key in keys]

    def _match(self, found: _Spot | str, points: dict[int, tuple[float, float]]) -> Match:
        if isinstance(found, str):
            return Match(None, None, Level.NONE, 0.0, None, "", self.source, found)
        lon, lat = points[id(found)]
        radius = float(np.ceil(found.radius_m))
        score = round(found.score, 3)
        return Match(lon, lat, found.level, score, radius, found.text, self.source, notes=found.notes)

    def _place(self, text: str, name: str) -> _Spot | str:
        address = parse_address(text)
        if not address.text:
            return self._by_name(normalise(name)) or "no_address"
        best = max(
            (spot for cut in recuts(address) if (spot := self._by_road(cut)) is not None),
            key=lambda spot: (_LEVEL_SCORE[spot.level], spot.score),
            default=None,
        )
        if best is None or best.level is Level.ROAD:
            best = self._by_words(address, name) or best
        if best is None:
            return "unknown_road" if address.road else "no_road"
        if address.cut is not None and best.level is not Level.POI:
            best = replace(best, score=best.score * 0.95, notes=(*best.notes, "number_cut"))
        known = self.gazetteer.districts
        if address.district and known and not any(address.district.endswith(d) for d in known):
            best = replace(best, score=best.score * 0.7, notes=(*best.notes, "other_district"))
        return best

    def _by_road(self, address: Address) -> _Spot | None:
        for depth, name in enumerate((address.road, *reversed(address.lead))):
            hit = self.gazetteer.find_road(name) if name else None
            # The number belongs to the street it follows; of a crossing road only the course is known.
            if hit is not None and (depth == 0 or hit.kind in (RoadMatch.EXACT, RoadMatch.FUZZY)):
                return self._on_road(address, hit, crossing=depth > 0)
        return None

    def _on_road(self, address: Address, hit: RoadHit, *, crossing: bool) -> _Spot:
        notes = () if hit.kind is RoadMatch.EXACT else (f"road_{hit.kind}",)
        roads = [self.gazetteer.roads[name] for name in hit.names]
        number = None if crossing else road_number(address)
        if crossing:
            notes = (*notes, "road_of_crossing")
        trusted = number is not None and hit.kind not in (RoadMatch.SECTION, RoadMatch.SIBLING)
        if number is not None and trusted:
            if len(roads) > 1:
                roads_with = [road for road in roads if road.index_of(number) is not None]
                roads = roads_with if len(roads_with) == 1 else roads
            if len(roads) == 1:
                if is_within_reach(roads[0], number):
                    return self._at_number(address, roads[0], number, hit, notes)
                return self._at_end(roads[0], number, hit, (*notes, "number_out_of_reach"))
        return self._along(roads, hit, notes)

    def _at_number(
        self, address: Address, road: Road, number: int, hit: RoadHit, notes: tuple[str, ...]
    ) -> _Spot:
        at = road.index_of(number)
        trust = hit.score / 100.0
        if at is None:
            guess = interpolate(road.numbers, road.xy, number, side_weight=self.calibration.side_weight)
            radius = self.calibration.interpolated_m(guess)
            level = Level.INTERPOLATED
            if guess.outside:
                notes = (*notes, "extrapolated")
            return _Spot(guess.xy, level, _LEVEL_SCORE[level] * trust, radius, f"{road.name}{number}", notes)
        rows = road.rows[at]
        wanted = unit_key(address)
        same = [row for row in rows if unit_key(self.gazetteer.addresses[row]) == wanted]
        level = Level.DOOR if same else Level.OTHER_UNIT
        points = self.gazetteer.xy[same if same else rows]
        radius = self.calibration.door_m if same else self.calibration.other_unit_m
        text = self.gazetteer.addresses[(same if same else rows)[0]].text
        return _Spot(np.median(points, axis=0), level, _LEVEL_SCORE[level] * trust, radius, text, notes)

    def _at_end(self, road: Road, number: int, hit: RoadHit, notes: tuple[str, ...]) -> _Spot:
        if len(road.numbers) == 0:
            return self._along([road], hit, notes)
        end, missing = nearest_end(road, number)
        radius = self.calibration.end_m(missing)
        return _Spot(end, Level.ROAD, _LEVEL_SCORE[Level.ROAD] * hit.score / 100.0, radius, road.name, notes)

    def _along(self, roads: Sequence[Road], hit: RoadHit, notes: tuple[str, ...]) -> _Spot:
        points = self.gazetteer.xy[np.concatenate([road.all_rows for road in roads])]
        middle = np.median(points, axis=0)
        radius = self.calibration.road_m(points, whole=hit.kind is not RoadMatch.SIBLING)
        score = _LEVEL_SCORE[Level.ROAD] * hit.score / 100.0
        return _Spot(middle, Level.ROAD, score, radius, "、".join(road.name for road in roads), notes)

    def _by_words(self, address: Address, name: str) -> _Spot | None:
        words = (address.place, *address.tail, *address.lead, normalise(name))
        found = (self._by_name(word) for word in words if word)
        return next((spot for spot in found if spot is not None), None)

    def _by_name(self, word: str) -> _Spot | None:
        rows = self.gazetteer.places.get(word)
        if rows is None:
            return None
        points = self.gazetteer.xy[rows]
        middle = np.median(points, axis=0)
        spread = float(np.hypot(*(points - middle).T).max())
        if spread > _TIGHT_M:
            return None
        radius = max(self.calibration.door_m, spread)
        return _Spot(middle, Level.POI, _LEVEL_SCORE[Level.POI], radius, word)


def matches_frame(matches: Sequence[Match], index: Sequence[Hashable] | pd.Index) -> gpd.GeoDataFrame:
    """Put matches into a WGS-84 frame.

    Parameters
    ----------
    matches : sequence of Match
        Result of `Geocoder.locate`.
    index : sequence
        Index of the frame, one label per match.

    Returns
    -------
    GeoDataFrame
        Columns level, score, error_radius_m, matched_text, source, code, notes; the geometry of an unplaced
        row is None.
    """
    columns = ("level", "score", "error_radius_m", "matched_text", "source", "code", "notes")
    table = pd.DataFrame({name: [getattr(m, name) for m in matches] for name in columns}, index=list(index))
    table["level"] = [str(m.level) for m in matches]
    lon = np.array([np.nan if m.lon is None else m.lon for m in matches], dtype=np.float64)
    lat = np.array([np.nan if m.lat is None else m.lat for m in matches], dtype=np.float64)
    points = gpd.GeoSeries(gpd.points_from_xy(lon, lat), index=table.index, crs=WGS84_EPSG)
    return gpd.GeoDataFrame(table, geometry=points.where(np.isfinite(lon), None), crs=WGS84_EPSG)
