"""Geocoding depends on what is known and written, not on the order or width of writing."""

from functools import lru_cache

import geopandas as gpd
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.crs import project_xy
from geo.gazetteer.index import build_gazetteer
from geo.geocode import GazetteerGeocoder, Level

ROADS = ("松山路", "竹林路", "兰湖东路", "兰湖西路")
ROWS = [
    (f"店{k}{n}", f"清澜区{road}{n}号", 121.40 + n / 5e4, 31.20 + k / 200)
    for k, road in enumerate(ROADS)
    for n in (2, 12, 31, 60, 121, 180)
] + [("清澜第一小学", "清澜区松山路45号", 121.4009, 31.2), ("百货(东)", "清澜区松山路12号", 121.4004, 31.2)]
ROWS += [
    ("甲", "梅岭三村8号", 121.41, 31.21),
    ("乙", "梅岭三村40号", 121.412, 31.21),
    ("丙", "北桥镇兰湖西路8号", 121.4, 31.25),
]
WORDS = st.sampled_from(
    [
        *ROADS,
        "松山支路",
        "梅岭三村",
        "梅岭五村",
        "北桥镇",
        "交叉口",
        "东50米",
        "兰湖路",
        "嵩山路",
        "清澜第一小学",
        "无名街",
        "近",
        "路口",
        "12",
        "121",
        "7",
        "号",
        "-",
        "3楼",
    ]
)
TEXT = st.lists(WORDS, min_size=1, max_size=6).map("".join)


def build(order):
    rows = [ROWS[i] for i in order]
    table = {"名称": [r[0] for r in rows], "地址": [r[1] for r in rows]}
    points = gpd.points_from_xy([r[2] for r in rows], [r[3] for r in rows])
    return GazetteerGeocoder(build_gazetteer(gpd.GeoDataFrame(table, geometry=points, crs=4326)))


@lru_cache(maxsize=1)
def whole():
    return build(range(len(ROWS)))


@settings(max_examples=12, deadline=None)
@given(st.permutations(range(len(ROWS))), st.lists(TEXT, min_size=1, max_size=8))
def test_the_order_of_the_gazetteer_does_not_matter(order, texts):
    for one, other in zip(whole().locate(texts), build(order).locate(texts), strict=True):
        assert (one.level, one.code, one.notes, one.matched_text) == (
            other.level,
            other.code,
            other.notes,
            other.matched_text,
        )
        if one.lon is not None:
            assert abs(one.lon - other.lon) < 1e-7 and abs(one.lat - other.lat) < 1e-7
            assert abs(one.error_radius_m - other.error_radius_m) <= 1.0


@settings(max_examples=120, deadline=None)
@given(TEXT)
def test_candidates_are_sorted_and_begin_with_what_locate_gives(text):
    (answer,) = whole().locate([text])
    found = whole().candidates(text, limit=50)
    assert [m.score for m in found] == sorted((m.score for m in found), reverse=True)
    assert len({(m.lon, m.lat) for m in found}) == len(found)
    if answer.code == "placed":
        assert found[0] == answer
    else:
        assert all(m.code == "suggestion" for m in found)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(ROADS), st.lists(st.tuples(st.integers(1, 400), st.integers(0, 9)), min_size=20))
def test_a_longer_number_is_never_the_door_of_a_shorter_one(road, numbers):
    found = whole().locate([f"{road}{number}{digit}号" for number, digit in numbers])
    for match, (number, digit) in zip(found, numbers, strict=True):
        assert f"{road}{number}号" not in match.matched_text
        if match.level is Level.DOOR:
            assert match.matched_text == f"清澜区{road}{number}{digit}号"


@settings(max_examples=30, deadline=None)
@given(st.lists(TEXT, min_size=2, max_size=6), st.randoms())
def test_the_order_of_the_list_does_not_matter(texts, random):
    mixed = list(texts)
    random.shuffle(mixed)
    found = dict(zip(texts, whole().locate(texts), strict=True))
    assert dict(zip(mixed, whole().locate(mixed), strict=True)) == found


@settings(max_examples=60, deadline=None)
@given(st.sampled_from("东南西北"), st.integers(1, 5000))
def test_a_remarked_distance_moves_a_crossing_by_itself_and_never_narrows_it(heading, metres):
    plain, moved = whole().locate(["松山路与竹林路交叉口", f"松山路与竹林路交叉口{heading}约{metres}米"])
    way = project_xy([plain.lon, moved.lon], [plain.lat, moved.lat], whole().gazetteer.crs)
    assert abs(float(np.hypot(*(way[1] - way[0]))) - metres) < 0.1
    assert moved.error_radius_m >= max(plain.error_radius_m, 0.3 * metres)
    assert moved.score == plain.score


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9999), st.sampled_from(["梅岭三村", "梅岭五村"]))
def test_an_unknown_door_of_an_estate_is_never_as_sure_as_a_known_one(number, estate):
    (match,) = whole().locate([f"{estate}{number}号"])
    known = estate == "梅岭三村" and number in (8, 40)
    assert (match.level is Level.DOOR) == known
    assert known or match.error_radius_m >= 440
