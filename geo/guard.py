"""STEP: the datum guard of an import, which compares what came in with what the register already knew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import shapely
from sqlalchemy import select
from sqlalchemy.orm import Session

from data import frames
from data.schema import GazetteerEntry, Institution, School
from geo.address.numerals import normalise
from geo.address.parser import parse_address
from geo.crs import SourceCrs
from geo.datum import Suspicion, judge_area, judge_guesses, judge_inside, judge_pairs
from geo.declared import is_firm
from geo.gazetteer.index import build_gazetteer
from geo.geocode import GazetteerGeocoder

Point = tuple[float, float]
_MOST_ASKED = 200  # addresses of a layer that are placed by the known ones
_SAME_DEG = 0.002  # some 200 m: points of one campus or street front


@dataclass(frozen=True)
class _Thing:
    """A located row of the register: its own key, and what else may name the same place."""

    key: str
    point: Point
    aliases: tuple[str, ...] = ()
    address: str = ""


@dataclass
class DatumGuard:
    """What the register knew before an import.

    Parameters
    ----------
    things : mapping of str to _Thing
        Located rows by key.
    places : mapping of str to tuple of float
        Known points by alias (normalised name or address).
    grids : GeoDataFrame
        Grid areas in force.
    """

    things: Mapping[str, _Thing]
    grids: gpd.GeoDataFrame
    places: Mapping[str, Point] = field(default_factory=dict)

    @classmethod
    def before(cls, session: Session) -> DatumGuard:
        """Read what is known before anything is imported."""
        things = {thing.key: thing for thing in _list_things(session)}
        return cls(things, frames.grids_frame(session), _name_places(things.values()))

    def check(self, session: Session, *, source_crs: str) -> None:
        """Compare the rows that are new or have moved with what was known.

        Raises
        ------
        DatumError
            ``datum_slip``, ``layer_shifted`` or ``layer_elsewhere``, with the offset, the likely datum
            and the evidence; the caller's transaction is then to be rolled back.
        """
        found = self._suspect(session, source_crs)
        if found is not None:
            raise found.question(source_crs)

    def _suspect(self, session: Session, source_crs: str) -> Suspicion | None:
        read_as = SourceCrs(source_crs.lower()) if source_crs.lower() in list(SourceCrs) else None
        incoming = self._list_incoming(session)
        pairs = [(thing.point, known) for thing in incoming if (known := self._known(thing)) is not None]
        if pairs:
            here, there = np.array([p for p, _ in pairs]).T, np.array([k for _, k in pairs]).T
            areas = all(thing.key.startswith("grid:") for thing in incoming)
            found = judge_pairs((here[0], here[1]), (there[0], there[1]), read_as=read_as, fixed=areas)
            if found is not None or len(pairs) >= len(incoming) / 2:
                return found
        found = self._suspect_addresses([t for t in incoming if self._known(t) is None], read_as)
        if found is not None:
            return found
        points = np.array([thing.point for thing in incoming if not thing.key.startswith("grid:")])
        if len(points) and not self.grids.empty:
            area = shapely.unary_union(self.grids.geometry.to_numpy())
            return judge_inside(points[:, 0], points[:, 1], area, read_as=read_as)
        return self._suspect_grids(session, read_as) if len(incoming) > len(points) else None

    def _suspect_addresses(self, incoming: list[_Thing], read_as: SourceCrs | None) -> Suspicion | None:
        """Judge new points by where the known addresses of their roads put them."""
        asked = [thing for thing in incoming if thing.address]
        asked = asked[:: 1 + len(asked) // _MOST_ASKED]
        roads = {parse_address(thing.address).road for thing in asked} - {None}
        known = [t for t in self.things.values() if t.address and parse_address(t.address).road in roads]
        if not known:
            return None
        columns = {"名称": [""] * len(known), "地址": [thing.address for thing in known]}
        points = gpd.points_from_xy(*np.array([thing.point for thing in known]).T)
        gazetteer = build_gazetteer(gpd.GeoDataFrame(columns, geometry=points, crs=4326))
        matches = GazetteerGeocoder(gazetteer).locate([thing.address for thing in asked])
        pairs = [
            (thing.point, (match.lon, match.lat))
            for thing, match in zip(asked, matches, strict=True)
            if match.lon is not None and match.lat is not None and is_firm(match)
        ]
        if not pairs:
            return None
        here, there = np.array([p for p, _ in pairs]).T, np.array([k for _, k in pairs]).T
        return judge_guesses((here[0], here[1]), (there[0], there[1]), read_as=read_as)

    def _list_incoming(self, session: Session) -> list[_Thing]:
        """List what is new or has moved; a layer of grid areas comes whole, with those that stayed."""
        things = list(_list_things(session))
        moved = [t for t in things if t.key not in self.things or self.things[t.key].point != t.point]
        redrawn = any(thing.key.startswith("grid:") for thing in moved)
        known = self.things if redrawn else {}
        return moved + [t for t in things if t.key.startswith("grid:") and known.get(t.key) == t]

    def _suspect_grids(self, session: Session, read_as: SourceCrs | None) -> Suspicion | None:
        """Judge a first layer of grid areas by the points that are already on the map."""
        grids = frames.grids_frame(session)
        if grids.empty or not self.things:
            return None
        known = np.array([thing.point for thing in self.things.values()])
        area = shapely.unary_union(grids.geometry.to_numpy())
        return judge_area(area, known[:, 0], known[:, 1], read_as=read_as)

    def _known(self, thing: _Thing) -> Point | None:
        if thing.key in self.things:
            return self.things[thing.key].point
        return next((self.places[alias] for alias in thing.aliases if alias in self.places), None)


def _name_places(things: Iterable[_Thing]) -> dict[str, Point]:
    """Give the point of each alias; a name shared by things far apart (a bank's) tells none."""
    named: dict[str, list[Point]] = {}
    for thing in things:
        for alias in thing.aliases:
            named.setdefault(alias, []).append(thing.point)
    return {alias: points[-1] for alias, points in named.items() if np.ptp(points, axis=0).max() <= _SAME_DEG}


def _list_things(session: Session) -> Iterator[_Thing]:
    schools = select(School.name, School.address, School.lon, School.lat)
    for name, address, lon, lat in session.execute(schools):
        yield _Thing(f"school:{name}", (lon, lat), _aliases(name, address), address)
    entries = select(GazetteerEntry.name, GazetteerEntry.address, GazetteerEntry.lon, GazetteerEntry.lat)
    for name, address, lon, lat in session.execute(entries):
        yield _Thing(f"entry:{name}|{address}", (lon, lat), _aliases(name, address), address)
    declared = select(
        Institution.id, Institution.address, Institution.declared_lon, Institution.declared_lat
    ).where(Institution.declared_lon.is_not(None))
    for key, address, east, north in session.execute(declared):
        if east is not None and north is not None:
            yield _Thing(f"institution:{key}", (east, north), _aliases("", address), address)
    for row in frames.grids_frame(session).itertuples():
        middle = row.geometry.centroid
        yield _Thing(f"grid:{row.grid_code}", (middle.x, middle.y))


def _aliases(name: str, address: str) -> tuple[str, ...]:
    return tuple(normalise(text) for text in (name, address) if len(text) >= 4)
