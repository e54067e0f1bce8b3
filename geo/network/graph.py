"""The road network of one way of travel: directed pieces of road, all of which can reach one another."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from geo.crs import Floats, check_frame, metric_crs, project_xy
from geo.errors import RoadError
from geo.network.contraction import Contraction, contract
from geo.network.profiles import TAGS, Profile, directed_speeds, find_profile

Ids = NDArray[np.int64]
SHUT = -1


@dataclass(frozen=True, slots=True, eq=False)
class RoadNetwork:
    """Pieces of road that one way of travel may use, in a metric CRS.

    Parameters
    ----------
    name : str
        Name of the road data, for the record of a plan.
    profile : str
        walk, ebike or car.
    epsg : int
        Code of the metric CRS of `xy`.
    u, v : ndarray of int64, shape (pieces,)
        Nodes at the first and last vertex, numbered from 0.
    along_ms, against_ms : ndarray of int64, shape (pieces,)
        Whole milliseconds from u to v and back, at least 1, `SHUT` where forbidden.
    length_mm : ndarray of int64, shape (pieces,)
        Whole millimetres, at least 1.
    xy : ndarray, shape (vertices, 2)
        Vertices of all pieces in metres.
    start : ndarray of int64, shape (pieces + 1,)
        First vertex of each piece.
    detached_xy, detached_start : ndarray
        Vertices of the pieces outside the largest strong component: passable, but not from everywhere.
    """

    name: str
    profile: str
    epsg: int
    u: Ids
    v: Ids
    along_ms: Ids
    against_ms: Ids
    length_mm: Ids
    xy: Floats
    start: Ids
    detached_xy: Floats
    detached_start: Ids

    @property
    def crs(self) -> pyproj.CRS:
        """Give the metric CRS."""
        return pyproj.CRS.from_epsg(self.epsg)

    @property
    def nodes(self) -> int:
        """Give the number of nodes."""
        return int(max(self.u.max(), self.v.max())) + 1

    @property
    def arcs(self) -> int:
        """Give the number of directed arcs."""
        return int((self.along_ms != SHUT).sum() + (self.against_ms != SHUT).sum())


@dataclass(frozen=True, slots=True, eq=False)
class Arcs:
    """Directed arcs of a network at one kind of cost, with their contraction.

    Parameters
    ----------
    piece : ndarray of int64, shape (arcs,)
        Piece of each arc.
    is_along : ndarray of bool, shape (arcs,)
        Whether the arc follows its piece from u to v.
    of_piece : ndarray of int64, shape (pieces, 2)
        The arc along and the arc against each piece, `SHUT` where forbidden.
    tail, head, cost : ndarray of int64, shape (arcs,)
        Nodes and whole cost of each arc.
    folded : Contraction
        The contracted graph.
    """

    piece: Ids
    is_along: NDArray[np.bool_]
    of_piece: Ids
    tail: Ids
    head: Ids
    cost: Ids
    folded: Contraction


def build_network(roads: gpd.GeoDataFrame, profile: str, *, name: str) -> RoadNetwork:
    """Build the network of one way of travel from pieces of road.

    Parameters
    ----------
    roads : GeoDataFrame
        As `geo.network.file.read_roads` gives.
    profile : str
        walk, ebike or car.
    name : str
        Name of the road data.

    Returns
    -------
    RoadNetwork
        The largest strong component; everything else passable is kept as detached.

    Raises
    ------
    RoadError
        ``no_passable_road``.
    TravelError
        ``unknown_profile``.
    FrameError
        As `geo.crs.check_frame`.
    """
    check_frame(roads, "u", "v", "directed", *TAGS)
    along, against = _speeds(roads, find_profile(profile))
    passable = np.flatnonzero((along > 0) | (against > 0))
    if len(passable) == 0:
        raise RoadError("no_passable_road", name=name, profile=profile)
    along, against = along[passable], against[passable]
    shapes = roads.geometry.to_numpy()[passable]
    lonlat, of = shapely.get_coordinates(shapes, return_index=True)
    middle = (lonlat.min(axis=0) + lonlat.max(axis=0)) / 2
    crs = metric_crs(float(middle[0]), lat=float(middle[1]))
    xy = project_xy(lonlat[:, 0], lonlat[:, 1], crs)
    start = np.searchsorted(of, np.arange(len(shapes) + 1))
    metres = _lengths(xy, start)
    ends = np.concatenate([roads["u"].to_numpy()[passable], roads["v"].to_numpy()[passable]])
    names, node = np.unique(ends, return_inverse=True)
    u, v = np.split(node.astype(np.int64), 2)
    inside = _largest(u, v, along > 0, against > 0, len(names))
    if not inside.any():
        raise RoadError("no_passable_road", name=name, profile=profile)
    _, node = np.unique(np.concatenate([u[inside], v[inside]]), return_inverse=True)
    u, v = np.split(node.astype(np.int64), 2)
    main_xy, main_start = _select(xy, start, inside)
    rest_xy, rest_start = _select(xy, start, ~inside)
    return RoadNetwork(
        name=name,
        profile=profile,
        epsg=int(crs.to_epsg() or 0),
        u=u,
        v=v,
        along_ms=_milliseconds(metres[inside], along[inside]),
        against_ms=_milliseconds(metres[inside], against[inside]),
        length_mm=np.maximum(np.rint(metres[inside] * 1000), 1).astype(np.int64),
        xy=main_xy,
        start=main_start,
        detached_xy=rest_xy,
        detached_start=rest_start,
    )


def time_arcs(network: RoadNetwork) -> Arcs:
    """Give the arcs of a network at their milliseconds."""
    return _arcs(network, network.along_ms, network.against_ms)


def length_arcs(network: RoadNetwork) -> Arcs:
    """Give the arcs of a network at their millimetres."""
    along = np.where(network.along_ms == SHUT, SHUT, network.length_mm)
    return _arcs(network, along, np.where(network.against_ms == SHUT, SHUT, network.length_mm))


def _arcs(network: RoadNetwork, along: Ids, against: Ids) -> Arcs:
    pieces = np.arange(len(network.u))
    ahead, back = pieces[along != SHUT], pieces[against != SHUT]
    piece = np.concatenate([ahead, back])
    of_piece = np.full((len(pieces), 2), SHUT, dtype=np.int64)
    of_piece[ahead, 0] = np.arange(len(ahead))
    of_piece[back, 1] = len(ahead) + np.arange(len(back))
    tail = np.concatenate([network.u[ahead], network.v[back]])
    head = np.concatenate([network.v[ahead], network.u[back]])
    cost = np.concatenate([along[ahead], against[back]])
    folded = contract(piece, tail, head, cost, nodes=network.nodes)
    return Arcs(piece, np.arange(len(piece)) < len(ahead), of_piece, tail, head, cost, folded)


def _speeds(roads: gpd.GeoDataFrame, profile: Profile) -> tuple[Floats, Floats]:
    """Look up the speeds of each distinct set of tags once."""
    columns = [*TAGS, "directed"]
    table = roads[columns].astype(object)
    group = table.groupby(columns, dropna=False, sort=False).ngroup().to_numpy()
    _, first = np.unique(group, return_index=True)
    pairs = np.array(
        [
            directed_speeds(
                {
                    tag: value if isinstance(value, str) else None
                    for tag, value in zip(TAGS, row, strict=False)
                },
                profile,
                directed=bool(row[-1]),
            )
            for row in table.iloc[first].itertuples(index=False, name=None)
        ]
    ).reshape(-1, 2)
    return pairs[group, 0], pairs[group, 1]


def _lengths(xy: Floats, start: Ids) -> Floats:
    step = np.zeros(len(xy))
    step[1:] = np.hypot(*(xy[1:] - xy[:-1]).T)
    step[start[:-1]] = 0  # from the end of one piece to the next
    return np.add.reduceat(step, start[:-1])


def _milliseconds(metres: Floats, speed: Floats) -> Ids:
    shut = speed <= 0
    rounded = np.rint(1000 * metres / np.where(shut, 1, speed))
    return np.where(shut, SHUT, np.maximum(rounded, 1)).astype(np.int64)


def _largest(
    u: Ids, v: Ids, along: NDArray[np.bool_], against: NDArray[np.bool_], nodes: int
) -> NDArray[np.bool_]:
    """Tell which pieces lie in the strong component with the most nodes."""
    tail, head = np.concatenate([u[along], v[against]]), np.concatenate([v[along], u[against]])
    graph = csr_array((np.ones(len(tail), dtype=np.int8), (tail, head)), shape=(nodes, nodes))
    _, part = connected_components(graph, directed=True, connection="strong")
    largest = np.bincount(part).argmax()
    return np.asarray((part[u] == largest) & (part[v] == largest))


def _select(xy: Floats, start: Ids, chosen: NDArray[np.bool_]) -> tuple[Floats, Ids]:
    count = np.diff(start)
    return xy[np.repeat(chosen, count)], np.concatenate([[0], np.cumsum(count[chosen])]).astype(np.int64)
