"""Contracted searches give exactly what networkx gives on the plain graph, and ways add up to it."""

import networkx as nx
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import RoadError
from geo.network.graph import SHUT, build_network, length_arcs, time_arcs
from geo.network.search import FAR
from geo.network.shortest import find_way, least_costs
from geo.network.snapping import Snapper, join
from tests.roadgraphs import lonlat, plain_costs, roads

SPACE = 40  # metres between possible nodes
TAGS = st.sampled_from(
    [
        {},
        {},
        {"oneway": "yes"},
        {"oneway": "-1"},
        {"highway": "footway"},
        {"highway": "trunk", "maxspeed": "20"},
    ]
)


@st.composite
def graphs(draw):
    """Draw nodes on a lattice, pieces (loops, parallels, crossings without a node) and places."""
    count = draw(st.integers(2, 12))
    cells = draw(st.lists(st.integers(0, 35), min_size=count, max_size=count, unique=True))
    nodes = [(float(c % 6) * SPACE + c % 5, float(c // 6) * SPACE + c % 7) for c in cells]
    node = st.integers(0, count - 1)
    ring = [(i, (i + 1) % count, draw(TAGS)) for i in range(count)] if draw(st.booleans()) else []
    pieces = ring + draw(st.lists(st.tuples(node, node, TAGS), min_size=1, max_size=16))
    place = st.tuples(st.floats(-30, 240), st.floats(-30, 240))
    places = draw(st.lists(st.one_of(place, st.sampled_from(nodes)), min_size=2, max_size=7))
    return nodes, pieces, places


def built(graph, profile="car"):
    """Build the network and foot the places; None where no road is passable."""
    nodes, pieces, places = graph
    try:
        network = build_network(roads(nodes, pieces), profile, name="drawn")
    except RoadError:
        return None
    lon, lat = np.array([lonlat(*p) for p in places]).T
    return network, Snapper(network).snap(lon, lat)


@settings(max_examples=60, deadline=None)
@given(graphs(), st.booleans())
def test_the_matrix_is_that_of_plain_dijkstra(graph, lengths):
    made = built(graph)
    if made is None:
        return
    network, footing = made
    arcs = length_arcs(network) if lengths else time_arcs(network)
    ends = join(network, arcs, footing)
    expected, _ = plain_costs(network, footing, lengths=lengths)
    found = least_costs(arcs, ends, ends)
    assert found.tolist() == expected


@settings(max_examples=30, deadline=None)
@given(graphs(), st.integers(1, 40_000))
def test_a_limit_hides_what_is_farther_and_changes_nothing_else(graph, limit):
    made = built(graph)
    if made is None:
        return
    network, footing = made
    arcs = time_arcs(network)
    ends = join(network, arcs, footing)
    whole = least_costs(arcs, ends, ends)
    assert (
        least_costs(arcs, ends, ends, limit=limit).tolist() == np.where(whole <= limit, whole, FAR).tolist()
    )


@settings(max_examples=30, deadline=None)
@given(graphs())
def test_a_way_costs_what_the_matrix_says_and_runs_on_the_road_from_point_to_point(graph):
    made = built(graph)
    if made is None:
        return
    network, footing = made
    arcs = length_arcs(network)
    ends = join(network, arcs, footing)
    matrix = least_costs(arcs, ends, ends)
    for i in range(len(footing.piece)):
        for j in range(len(footing.piece)):
            way = find_way(network, arcs, footing, i, j)
            assert way is not None
            assert way.cost == matrix[i, j]
            drawn = float(np.hypot(*np.diff(way.xy, axis=0).T).sum())
            assert abs(drawn - way.metres) < 0.01 * (len(way.xy) + 1)
            assert abs(way.metres * 1000 - way.cost) <= 1
            assert np.allclose(way.xy[0], footing.road_xy[i], atol=2e-3)
            assert np.allclose(way.xy[-1], footing.road_xy[j], atol=2e-3)


@settings(max_examples=40, deadline=None)
@given(graphs())
def test_the_network_is_the_largest_part_that_can_reach_itself(graph):
    _, pieces, _ = graph
    plain = nx.DiGraph()
    for u, v, tags in pieces:
        if tags.get("highway") == "footway":
            continue
        if tags.get("oneway") != "-1":
            plain.add_edge(u, v)
        if tags.get("oneway") != "yes":
            plain.add_edge(v, u)
    parts = [c for c in nx.strongly_connected_components(plain) if plain.subgraph(c).number_of_edges()]
    made = built(graph)
    if made is None:
        assert max(map(len, parts), default=0) <= 1
        return
    network = made[0]
    assert network.nodes == max(map(len, parts))
    open_arcs = [(network.along_ms != SHUT).sum(), (network.against_ms != SHUT).sum()]
    assert network.arcs == sum(open_arcs) > 0
