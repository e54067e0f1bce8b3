"""Road networks for tests: drawn from short lists, and an oracle of networkx that knows no contraction."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import geopandas as gpd
import networkx as nx
import numpy as np
import shapely

from geo.network.graph import SHUT, RoadNetwork
from geo.network.profiles import TAGS
from geo.network.snapping import Footing

WEST, SOUTH, DEGREE_M = 121.5, 31.2, 1e-5  # about one metre a step


def lonlat(x: float, y: float) -> tuple[float, float]:
    """Place a point of a plane of about one metre a unit."""
    return WEST + x * DEGREE_M, SOUTH + y * DEGREE_M


def roads(
    nodes: Sequence[tuple[float, float]],
    pieces: Sequence[tuple[int, int] | tuple[int, int, dict[str, str]]],
    *,
    directed: bool = False,
) -> gpd.GeoDataFrame:
    """Make the frame of `read_roads` from nodes of a plane and pieces (u, v, tags)."""
    rows, shapes = [], []
    for u, v, *more in pieces:
        tags = {"highway": "residential", **(more[0] if more else {})}
        rows.append({"u": u, "v": v, "directed": directed, **{key: tags.get(key) for key in TAGS}})
        bend = [(nodes[u][0] + 7.0, nodes[u][1] + 9.0), (nodes[u][0] + 12.0, nodes[u][1])] if u == v else []
        shapes.append(shapely.LineString([lonlat(*p) for p in (nodes[u], *bend, nodes[v])]))
    frame = gpd.GeoDataFrame(rows, geometry=shapes, crs=4326)
    return frame.astype(dict.fromkeys(TAGS, object))


def plain_costs(
    network: RoadNetwork, footing: Footing, *, lengths: bool = False
) -> tuple[list[list[int | None]], nx.DiGraph]:
    """Give the cost between all footed places by networkx on the uncontracted graph, places as nodes."""
    graph = nx.DiGraph()
    name: dict[int, object] = {}
    for piece, (u, v) in enumerate(zip(network.u.tolist(), network.v.tolist(), strict=True)):
        whole = int(network.length_mm[piece])
        on = sorted((int(footing.along_mm[i]), i) for i in np.flatnonzero(footing.piece == piece))
        sides = ((network.along_ms[piece], (u, v)), (network.against_ms[piece], (v, u)))
        for way, (cost, ends) in enumerate(sides):
            if cost == SHUT:
                continue
            cost = whole if lengths else int(cost)
            stops: list[tuple[int, object]] = [(0, ends[0])]
            for along, place in on if way == 0 else on[::-1]:
                share = int(np.rint(cost * (along / whole)))
                name[place] = u if along == 0 else v if along == whole else ("place", piece, along)
                stops.append((share if way == 0 else cost - share, name[place]))
            stops.append((cost, ends[1]))
            for (before, a), (after, b) in pairwise(stops):
                least = min(after - before, graph.get_edge_data(a, b, {"cost": after - before})["cost"])
                graph.add_edge(a, b, cost=least)
    found: list[list[int | None]] = []
    for i in range(len(footing.piece)):
        far = nx.single_source_dijkstra_path_length(graph, name[i], weight="cost")
        found.append([far.get(name[j]) for j in range(len(footing.piece))])
    return found, graph
