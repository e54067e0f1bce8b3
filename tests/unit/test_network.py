"""Road networks and travel on them: snapping, detached parts, straight legs, limits, lines, cache, walks."""

import geopandas as gpd
import numpy as np
import pytest
from shapely import Point, box

from geo.errors import FrameError, RoadError, TravelError
from geo.nearby import walk_nearest
from geo.network.file import read_roads
from geo.network.graph import build_network, length_arcs
from geo.network.pack import content_hash, pack_network, unpack_network
from geo.network.shortest import least_costs
from geo.network.snapping import Snapper, join
from geo.network.travel import Access, Roadbed, RoadTravel
from geo.travel import SPEED_M_S, TravelModel, straight_line
from tests.roadgraphs import lonlat, roads
from tests.unit.test_roadfile import CROSS, layer, reference

__all__ = ["reference"]
SQUARE = [(0.0, 0.0), (200.0, 0.0), (200.0, 200.0), (0.0, 200.0)]
RING = [(0, 1), (1, 2), (2, 3), (3, 0)]


def travel(pieces=RING, nodes=SQUARE, profile="walk", **options):
    """Make the travel model of a drawn network."""
    return RoadTravel(Roadbed(build_network(roads(nodes, pieces), profile, name="square")), **options)


def at(*places):
    """Give places of the plane as lon and lat."""
    return tuple(np.array([lonlat(*place) for place in places]).T)


def test_a_ring_without_junctions_is_still_searched():
    model = travel()
    assert len(model.bed.arcs.folded.indptr) - 1 == 1
    matrix = model.matrix_s(*at((100, 0), (100, 200)))
    metres = model.bed.network.length_mm.sum() / 2000
    assert matrix[0, 1] == pytest.approx(metres / SPEED_M_S["walk"], abs=1.01)
    assert (matrix == matrix.T).all()


def test_a_one_way_ring_is_longer_one_way():
    model = travel([(u, v, {"oneway": "yes"}) for u, v in RING], profile="ebike")
    there, back = model.matrix_s(*at((50, 0), (150, 0)))[[0, 1], [1, 0]]
    assert back > 5 * there > 0


def test_a_place_at_a_corner_leaves_by_any_street():
    # The nearest line may be the one-way street that only arrives at the corner.
    pieces = [(0, 1, {"oneway": "yes"}), (1, 2), (2, 3), (3, 0), (1, 3)]
    model = travel(pieces, profile="ebike")
    matrix = model.matrix_s(*at((200, 0), (200, 100)))
    assert matrix[0, 1] == pytest.approx(matrix[1, 0], abs=1)
    assert matrix[0, 1] < 40


def test_parallel_roads_count_with_the_quicker_one():
    slow = travel([*RING, (0, 1, {"highway": "path"})], profile="ebike")
    assert (
        slow.matrix_s(*at((0, 0), (200, 0))).tolist()
        == travel(profile="ebike").matrix_s(*at((0, 0), (200, 0))).tolist()
    )


def test_every_piece_costs_something():
    network = build_network(
        roads([(0.0, 0.0), (0.0, 0.0), (50.0, 0.0)], [(0, 1), (1, 2)]), "walk", name="dot"
    )
    assert network.along_ms.min() == 1
    assert network.length_mm.min() == 1


def test_roads_nobody_may_use_are_refused():
    with pytest.raises(RoadError, match="no_passable_road"):
        build_network(roads(SQUARE, [(0, 1, {"highway": "steps"})]), "car", name="stairs")
    with pytest.raises(RoadError, match="no_passable_road"):
        build_network(roads(SQUARE, [(0, 1, {"oneway": "yes"})]), "car", name="trap")
    with pytest.raises(TravelError, match="unknown_profile"):
        build_network(roads(SQUARE, RING), "rocket", name="square")


ISLAND = [*SQUARE, (5000.0, 0.0), (5100.0, 0.0)]


def test_places_without_roads_are_told_and_reached_by_straight_line():
    model = travel([*RING, (4, 5)], ISLAND)
    lon, lat = at((100, -20), (100, -1000), (5050, 0))
    assert [p.access for p in model.survey(lon, lat)] == [Access.ROAD, Access.FAR, Access.UNREACHABLE]
    assert model.survey(lon, lat)[1].off_m == pytest.approx(1109, abs=3)
    matrix = model.matrix_s(lon, lat)
    off = [p.off_m for p in model.survey(lon, lat)]
    assert matrix[0, 1] == pytest.approx((off[0] + 1.5 * off[1]) / 1.25, abs=1.01)
    assert [p.place for p in model.report.apart] == [1, 2]
    assert "straight line x 1.5 at 1.25 m/s for 2 of 3 places and 0 pairs" in model.description
    assert "square" in model.description
    assert "walk" in model.description


def test_pairs_beyond_the_limit_are_told_and_never_quicker_than_it():
    model = travel(limit_s=100, fixed_s=30)
    lon, lat = at((100, 0), (100, 200), (150, 0))
    matrix = model.matrix_s(lon, lat)
    assert model.report.pairs == 4
    straight = straight_line("walk", fixed_s=30).matrix_s(lon, lat)
    assert matrix[0, 1] == pytest.approx(max(straight[0, 1], 130), abs=1)
    assert matrix[0, 2] < 100
    assert "4 pairs" in model.description
    assert travel(limit_s=20).matrix_s(*at((0, 0), (45, 0)))[0, 1] >= 20


def test_one_address_costs_the_fixed_time_only():
    model = travel(fixed_s=60.9)
    assert model.matrix_s(*at((100, -90), (100, -90))).tolist() == [[0, 60], [60, 0]]


def test_nothing_and_nonsense():
    model = travel()
    assert model.matrix_s([], []).shape == (0, 0)
    assert model.path([], []) == []
    assert "straight" not in travel().description
    with pytest.raises(TravelError, match="bad_places"):
        model.matrix_s([121.5, np.nan], [31.2, 31.2])
    with pytest.raises(TravelError) as caught:
        travel(snap_m=0, circuity=0.5, fixed_s=-1, limit_s=0)
    assert set(caught.value.fields) == {"snap_m", "circuity", "fixed_s", "limit_s"}


def test_lines_follow_the_roads_from_stop_to_stop():
    model: TravelModel = travel()
    lon, lat = at((100, -10), (190, 100), (190, 100))
    first, second = model.path(lon, lat)
    assert first[0] == pytest.approx((lon[0], lat[0]))
    assert first[-1] == pytest.approx((lon[1], lat[1]))
    corner = np.abs(first - lonlat(200, 0)).max(axis=1).min()
    assert corner < 1e-7
    assert len(second) == 2
    straight = straight_line("walk").path(lon, lat)
    assert [line.shape for line in straight] == [(2, 2), (2, 2)]
    assert straight[0].tolist() == [[lon[0], lat[0]], [lon[1], lat[1]]]


def frame(*places, index=None):
    """Make a frame of points of the plane, None for a missing one."""
    shapes = [None if place is None else Point(*lonlat(*place)) for place in places]
    return gpd.GeoDataFrame(geometry=gpd.GeoSeries(shapes, index=index, crs=4326))


def test_walks_to_school_follow_the_roads():
    network = build_network(roads(ISLAND, [*RING[:3], (4, 5)]), "walk", name="open square")
    points = frame((0, 0), (60, 0), None, (0, 195), (3000, 0), index=["a", "b", "c", "d", "e"])
    schools = frame((0, 200), (100, 0), (5050, 0), index=["north", "south", "island"])
    found = walk_nearest(network, points, schools)
    assert found["walk_nearest"].tolist() == ["south", "south", None, "north", None]
    assert found["walk_m"]["a"] == pytest.approx(95.4, abs=1)
    assert found["walk_m"]["b"] == pytest.approx(38.2, abs=1)
    assert np.isnan(found["walk_m"][["c", "e"]]).all()
    north = walk_nearest(network, points, schools[:1])
    assert north["walk_m"]["a"] > 550  # 222 m as the crow flies, but the fourth side has no street
    assert walk_nearest(network, points, schools[:1], limit_m=400)["walk_nearest"].tolist()[:2] == [
        None,
        None,
    ]
    assert walk_nearest(network, points, schools[:0])["walk_m"].isna().all()


def test_walks_need_points_and_sensible_limits():
    network = build_network(roads(SQUARE, RING), "walk", name="square")
    areas = gpd.GeoDataFrame(geometry=[box(121.5, 31.2, 121.6, 31.3)], crs=4326)
    with pytest.raises(FrameError, match="not_points"):
        walk_nearest(network, frame((0, 0)), areas)
    with pytest.raises(FrameError, match="bad_radii"):
        walk_nearest(network, frame((0, 0)), frame((0, 0)), limit_m=0)


def test_walks_are_those_of_the_matrix():
    random = np.random.default_rng(5)
    nodes = [
        (x * 90.0 + random.normal(0, 9), y * 90.0 + random.normal(0, 9)) for x in range(9) for y in range(9)
    ]
    pairs = [(i, i + 1) for i in range(80) if i % 9 < 8] + [(i, i + 9) for i in range(72)]
    drawn = [
        (*pair, {"oneway:foot": "yes"} if random.random() < 0.2 else {})
        for pair in pairs
        if random.random() < 0.8
    ]
    network = build_network(roads(nodes, drawn), "walk", name="town")
    places, schools = random.uniform(-20, 740, (60, 2)), random.uniform(0, 720, (7, 2))
    snapper, arcs = Snapper(network), length_arcs(network)
    here, there = snapper.snap(*at(*places)), snapper.snap(*at(*schools))
    costs = least_costs(arcs, join(network, arcs, here), join(network, arcs, there)).astype(np.int64)
    total = np.rint(here.off_m * 1000)[:, None] + costs + np.rint(there.off_m * 1000)[None, :]
    found = walk_nearest(network, frame(*places), frame(*schools))
    assert np.allclose(found["walk_m"], total.min(axis=1) / 1000)
    assert found["walk_nearest"].tolist() == total.argmin(axis=1).tolist()


def test_a_network_is_packed_and_read_back_whole(tmp_path):
    built = build_network(read_roads(layer(tmp_path, CROSS), source_crs="wgs84"), "walk", name="cross")
    packed = pack_network(built)
    again = unpack_network(packed)
    for name in ("u", "v", "along_ms", "against_ms", "length_mm", "xy", "start"):
        assert (getattr(built, name) == getattr(again, name)).all()
    assert (again.name, again.profile, again.epsg) == ("cross", "walk", built.epsg)
    assert unpack_network(packed[:200]) is None


def test_the_hash_is_the_content_with_its_companions_and_how_it_is_read(tmp_path):
    path = layer(tmp_path, CROSS, "roads.shp")
    key = content_hash(path, "wgs84", None)
    assert content_hash(path, "wgs84", None) == key != content_hash(path, "gcj02", None)
    table = path.with_suffix(".dbf")
    table.write_bytes(table.read_bytes().replace(b"footway", b"service"))
    assert content_hash(path, "wgs84", None) != key
    with pytest.raises(RoadError, match="not_found"):
        content_hash(tmp_path / "none.pbf")


def test_a_pickle_is_not_opened(tmp_path):
    np.savez(tmp_path / "bad.npz", name=np.array([{"a": 1}], dtype=object))
    assert unpack_network((tmp_path / "bad.npz").read_bytes()) is None
