"""Offline gazetteer: known door numbers along each road, places by name, quarters and areas."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
from numpy.typing import NDArray

from geo.address.numerals import normalise
from geo.address.parser import Address, parse_address
from geo.crs import Floats, check_frame, frame_metric_crs, project_xy
from geo.errors import GazetteerError
from geo.gazetteer.areas import Area, index_areas
from geo.gazetteer.estates import index_estates
from geo.gazetteer.mentions import index_mentions, index_quarters
from geo.gazetteer.roads import NAMESAKE, Ints, Road, RoadHit, RoadMatch, RoadNames, index_roads

__all__ = ["Gazetteer", "RoadHit", "RoadMatch", "build_gazetteer"]

_SHORTEST_NAME = 3  # a shop name of two characters says nothing about a place
_FUZZY_THRESHOLD = 85.0
_TOWN_WORDS = ("", "镇", "乡", "新镇")
_CONFIRMED = "confirmed"
_BRANCH = re.compile(r"\([^()]*\)$")
_ADMIN = re.compile(r"^(?:[一-龥]{2,3}省)?(?:[一-龥]{2,3}市)?(?:[一-龥]{2,3}[区县](?=.{4}))?")


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
    road_names : RoadNames
        The roads' names, looked up forgivingly.
    mentions : dict of str to ndarray
        Rows that only mention a road, by its name; no row lies on it.
    quarters : dict of str to ndarray
        Rows by the quarter or landmark written before their road.
    confirmed : ndarray of bool, shape (n,)
        Rows whose point a person set or confirmed.
    estates : dict of str to Road
        Estates and villages as series of numbers, see `geo.gazetteer.estates.index_estates`.
    towns : dict of str to ndarray
        Rows by the 街道, 镇 or 乡 of their address.
    aliases : mapping of str to str
        Written road or place name to the known name it means.
    areas : dict of str to Area
        Named areas, empty when none were given.
    """

    crs: pyproj.CRS
    xy: Floats
    names: tuple[str, ...]
    addresses: tuple[Address, ...]
    roads: dict[str, Road]
    places: dict[str, Ints]
    districts: frozenset[str]
    road_names: RoadNames
    mentions: dict[str, Ints]
    quarters: dict[str, Ints]
    confirmed: NDArray[np.bool_]
    estates: dict[str, Road] = field(default_factory=dict)
    towns: dict[str, Ints] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    areas: dict[str, Area] = field(default_factory=dict)
    _hits: dict[str, RoadHit | None] = field(default_factory=dict, repr=False)

    def points_of(self, roads: Sequence[Road]) -> Floats:
        """Give the points of every row on some roads, shape (n, 2)."""
        points: Floats = self.xy[np.concatenate([road.all_rows for road in roads])]
        return points

    def town_of(self, word: str) -> str | None:
        """Give the known town a word names, with or without its 镇 or 乡."""
        return next((name for kind in _TOWN_WORDS if (name := word + kind) in self.towns), None)

    def namesakes(self, name: str) -> list[Road]:
        """List the other roads that bear the name of a road, far from it."""
        found: list[Road] = []
        while (road := self.roads.get(f"{name}{NAMESAKE}{len(found) + 1}")) is not None:
            found.append(road)
        return found

    def find_road(self, name: str, *, threshold: float = _FUZZY_THRESHOLD) -> RoadHit | None:
        """Look up a road name: an alias first, else as `RoadNames.find`.

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
            meant = self.aliases.get(name) if name not in self.roads else None
            known = meant is not None and meant in self.roads
            alias = RoadHit((meant,), 99.0, RoadMatch.ALIAS) if known and meant is not None else None
            self._hits[key] = alias or self.road_names.find(name, threshold=threshold)
        return self._hits[key]


def build_gazetteer(
    frame: gpd.GeoDataFrame,
    *,
    name_column: str = "名称",
    address_column: str = "地址",
    aliases: Mapping[str, str] | None = None,
    areas: gpd.GeoDataFrame | None = None,
) -> Gazetteer:
    """Index a frame of known addresses.

    Parameters
    ----------
    frame : GeoDataFrame
        Points in WGS-84 with a name and an address column; a column ``confirmed`` marks the rows whose point
        a person set.
    name_column, address_column : str
        Their names.
    aliases : mapping of str to str, optional
        Written road or place name to the known name it means, as `learn_alias` gives them.
    areas : GeoDataFrame, optional
        Named polygons, see `geo.gazetteer.areas.index_areas`.

    Returns
    -------
    Gazetteer
        Index over the rows that have a point.

    Raises
    ------
    FrameError
        As `geo.crs.check_frame`.
    GazetteerError
        ``not_points``, ``empty_gazetteer`` or ``not_areas``.
    """
    check_frame(frame, name_column, address_column)
    usable = frame[~(frame.geometry.isna() | frame.geometry.is_empty)]
    if len(usable) == 0:
        raise GazetteerError("empty_gazetteer")
    if not (usable.geom_type == "Point").all():
        raise GazetteerError("not_points", types=sorted(set(usable.geom_type)))
    crs = frame_metric_crs(usable)
    xy = project_xy(usable.geometry.x.to_numpy(), usable.geometry.y.to_numpy(), crs)
    names = tuple(normalise(text) for text in _texts(usable[name_column]))
    addresses = tuple(parse_address(text) for text in _texts(usable[address_column]))
    roads = index_roads(addresses, xy)
    known = RoadNames(roads)
    given = usable[_CONFIRMED] if _CONFIRMED in usable.columns else [False] * len(usable)
    return Gazetteer(
        crs=crs,
        xy=xy,
        names=names,
        addresses=addresses,
        roads=roads,
        places=_index_places(addresses, names),
        districts=frozenset(a.district for a in addresses if a.district),
        road_names=known,
        mentions=index_mentions(addresses, names, known),
        quarters=index_quarters(addresses, known),
        estates=index_estates(addresses, names, xy),
        towns=_index_towns(addresses),
        confirmed=np.array([v is not None and v == v and bool(v) for v in given], dtype=np.bool_),
        aliases={normalise(written): normalise(meant) for written, meant in (aliases or {}).items()},
        areas={} if areas is None else index_areas(areas, crs),
    )


def place_name(name: str) -> str:
    """Write a name as places are looked up by: without 上海市黄浦区 before it and a branch in brackets."""
    short = _BRANCH.sub("", name)
    bare = _ADMIN.sub("", short)
    return bare if len(bare) >= _SHORTEST_NAME else short


def _texts(column: pd.Series) -> list[str]:
    return ["" if v is None or v != v else str(v) for v in column]


def _index_towns(addresses: Sequence[Address]) -> dict[str, Ints]:
    rows: dict[str, list[int]] = defaultdict(list)
    for row, address in enumerate(addresses):
        if address.street:
            rows[address.street].append(row)
    return {town: np.array(found, dtype=np.int64) for town, found in rows.items()}


def _index_places(addresses: Sequence[Address], names: Sequence[str]) -> dict[str, Ints]:
    rows: dict[str, list[int]] = defaultdict(list)
    for row, (address, name) in enumerate(zip(addresses, names, strict=True)):
        for key in {name, place_name(name), address.place or ""}:
            if len(key) >= _SHORTEST_NAME:
                rows[key].append(row)
    return {key: np.array(found, dtype=np.int64) for key, found in rows.items()}
