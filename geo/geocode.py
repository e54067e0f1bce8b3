"""Geocoding: from a written address to a point, with the level reached and an honest error radius."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from geo.address.admin import FORMER_DISTRICTS, current_district
from geo.address.parser import Address, parse_address
from geo.crs import unproject_xy
from geo.errors import GazetteerError
from geo.gazetteer.calibration import Calibration, calibrate
from geo.gazetteer.candidates import Cascade, Spot
from geo.gazetteer.index import Gazetteer
from geo.gazetteer.matches import Level, Match, matches_frame, unplaced
from geo.gazetteer.mentions import hearsay

__all__ = ["GazetteerGeocoder", "Geocoder", "Level", "Match", "matches_frame"]

_APART_M = 1.0  # candidates nearer than this are the same point


class Geocoder(Protocol):
    """Anything that places addresses; the offline gazetteer and an online service are two of them."""

    def locate(self, addresses: Sequence[str], *, names: Sequence[str] | None = None) -> list[Match]:
        """Place each address (with the institution's name as a second chance), in the same order."""
        ...


class GazetteerGeocoder:
    """Offline geocoder over a gazetteer: room, door, other unit, place, interpolation, road, area, unplaced.

    Parameters
    ----------
    gazetteer : Gazetteer
        Known addresses.
    calibration : Calibration, optional
        Error radii; taken from the gazetteer itself by leave-one-out when not given.
    source : str
        Name written into each match.
    former_districts : mapping of str to str
        Merged or renamed districts and what they are called today.
    """

    def __init__(
        self,
        gazetteer: Gazetteer,
        *,
        calibration: Calibration | None = None,
        source: str = "gazetteer",
        former_districts: Mapping[str, str] = FORMER_DISTRICTS,
    ) -> None:
        self.gazetteer = gazetteer
        self.calibration = calibration if calibration is not None else calibrate(gazetteer)
        self.source = source
        self.former_districts = former_districts
        self._cascade = Cascade(gazetteer, self.calibration)

    def locate(self, addresses: Sequence[str], *, names: Sequence[str] | None = None) -> list[Match]:
        """Place addresses.

        Parameters
        ----------
        addresses : sequence of str
            Addresses as written. A road no row lies on is placed by the roads that another address of the
            same list says it meets (文庙路学宫街36号); nothing else depends on the list.
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
        keys = list(zip(addresses, names if names is not None else [""] * len(addresses), strict=True))
        parsed = {text: parse_address(text) for text in dict.fromkeys(addresses)}
        heard = hearsay(list(parsed.values()), self.gazetteer.road_names)
        best = {
            (text, name): self._cascade.best(parsed[text], name, heard) for text, name in dict.fromkeys(keys)
        }
        found = [(key, spot) for key, spot in best.items() if spot is not None]
        placed = self._matches([(parsed[key[0]], spot) for key, spot in found])
        matches = {key: match for (key, _), match in zip(found, placed, strict=True)}
        return [matches.get(key) or self._unplaced(parsed[key[0]]) for key in keys]

    def candidates(
        self, address: str, *, name: str = "", among: Sequence[str] = (), limit: int = 5
    ) -> tuple[Match, ...]:
        """List the places an address may mean, best first, at distinct points.

        Parameters
        ----------
        address : str
            Address as written.
        name : str
            Institution name.
        among : sequence of str
            The list the address stands in, see `locate`.
        limit : int
            Most candidates.

        Returns
        -------
        tuple of Match
            The first is what `locate` gives, where it places the address at all; candidates with the code
            ``suggestion`` (a road of a similar name, one part of a road) are for a person to choose. An area
            is listed only where nothing finer is known.
        """
        parsed = parse_address(address)
        heard = hearsay([parsed, *map(parse_address, among)], self.gazetteer.road_names)
        spots = self._cascade.every(parsed, name, heard)
        finer = any(spot.chosen and spot.level is not Level.AREA for spot in spots)
        kept: list[Spot] = []
        for spot in spots:
            if finer and spot.level is Level.AREA:
                continue
            if all(np.hypot(*(spot.xy - other.xy)) > _APART_M for other in kept):
                kept.append(spot)
        return tuple(self._matches([(parsed, spot) for spot in kept[:limit]]))

    def _unplaced(self, address: Address) -> Match:
        if not address.text:
            return unplaced("no_address", self.source)
        named = "unknown_road" if address.road else "unknown_place" if address.place else "no_road"
        return unplaced(named, self.source)

    def _matches(self, found: Sequence[tuple[Address, Spot]]) -> list[Match]:
        points = np.array([spot.xy for _, spot in found]).reshape(-1, 2)
        lon, lat = unproject_xy(points, self.gazetteer.crs)
        districts = {address.district for address, _ in found}
        judged = {district: self._judge(district) for district in districts}
        matches = []
        for (address, spot), x, y in zip(found, lon, lat, strict=True):
            trust, notes = judged[address.district]
            score, radius = round(spot.score * trust, 3), float(np.ceil(spot.radius_m))
            code = "placed" if spot.chosen else "suggestion"
            match = Match(float(x), float(y), spot.level, score, radius, spot.text, self.source, code)
            matches.append(replace(match, notes=(*spot.notes, *notes)))
        return matches

    def _judge(self, written: str | None) -> tuple[float, tuple[str, ...]]:
        """Give the trust in a match whose address names this district, and what to note."""
        known = self.gazetteer.districts
        if not written or not known or any(written.endswith(district) for district in known):
            return 1.0, ()
        today = current_district(written, former=self.former_districts)
        if any(today.endswith(district) for district in known):
            return 1.0, ("former_district",)
        return 0.7, ("other_district",)
