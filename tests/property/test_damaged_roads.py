"""Damaged road files: read, or refused by name; nothing but a GeoError comes out."""

from __future__ import annotations

import tempfile
from pathlib import Path

import networkx as nx
import osmium
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from osmium.osm import mutable

from geo.errors import GeoError
from geo.network.file import read_roads
from tests.harm import HARM, Harm, harmed

WORD = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ["121.5", "-1e400", "nan", "inf", "LINESTRING (121 31, 121.1 31)", "POINT EMPTY", "{{1}}"]
    ),
)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one small file of each kind."""
    folder = tmp_path_factory.mktemp("roads")
    with osmium.SimpleWriter(str(folder / "a.pbf")) as writer:
        for n in range(6):
            writer.add_node(mutable.Node(id=n + 1, location=(121 + n / 1000, 31)))
        for n in range(5):
            tags = {"highway": "residential", "name": "甲路"}
            writer.add_way(mutable.Way(id=n + 1, nodes=[n + 1, n + 2], tags=tags))
    graph = nx.MultiDiGraph(crs="epsg:4326")
    for n in range(6):
        graph.add_node(n, x=str(121 + n / 1000), y="31.0")
    for n in range(5):
        graph.add_edge(n, n + 1, highway="residential", oneway="False")
    nx.write_graphml(graph, folder / "a.graphml")
    assert [len(read_roads(folder / name, source_crs="wgs84")) for name in ("a.pbf", "a.graphml")] == [5, 5]
    return folder


def read_or_refuse(path: Path) -> None:
    """Read a file; a refusal has a code and what it is about."""
    try:
        roads = read_roads(path, source_crs="wgs84")
    except GeoError as refusal:
        assert refusal.code
    else:
        assert roads.geometry.notna().all()


@pytest.mark.parametrize("kind", [".pbf", ".graphml"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(harm=HARM)
def test_a_harmed_road_file_is_read_or_refused(samples: Path, kind: str, harm: Harm) -> None:
    """Bytes changed anywhere and files cut anywhere."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / f"a{kind}"
        path.write_bytes(harmed((samples / f"a{kind}").read_bytes(), harm))
        read_or_refuse(path)


@settings(max_examples=60, deadline=None)
@given(
    places=st.lists(st.tuples(WORD, WORD), min_size=1, max_size=3),
    edges=st.lists(
        st.tuples(
            st.integers(0, 3),
            st.integers(0, 3),
            st.dictionaries(st.sampled_from(["highway", "geometry", "oneway", "length"]), WORD),
        ),
        max_size=4,
    ),
    crs=WORD,
)
def test_any_words_in_a_graph_are_read_or_refused(
    places: list[tuple[str, str]], edges: list[tuple[int, int, dict[str, str]]], crs: str
) -> None:
    """Whatever stands for a coordinate, a shape, a class or a datum."""
    graph = nx.MultiDiGraph(crs=crs)
    for n, (x, y) in enumerate(places):
        graph.add_node(n, x=x, y=y)
    for u, v, data in edges:
        graph.add_edge(u, v, **data)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "a.graphml"
        try:
            nx.write_graphml(graph, path)
        except ValueError:
            # Not every text can be written as XML; such a file does not exist.
            return
        read_or_refuse(path)
