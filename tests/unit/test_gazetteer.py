"""The gazetteer: roads are looked up forgivingly, numbers only as numbers."""

import geopandas as gpd
import pytest
from shapely.geometry import Point

from geo.address import parse_address
from geo.errors import GazetteerError
from geo.gazetteer import build_gazetteer
from geo.roads import RoadMatch, road_number

ROADS = [
    "成都北路",
    "兴业路",
    "南京东路",
    "南京西路",
    "福佑路",
    "士英街",
    "金陵中路",
    "柏灵寺路",
    "山西南路",
    "三牌楼路",
    "长乐路",
    "常熟路",
]


@pytest.fixture(scope="module")
def gazetteer():
    rows = [
        (f"店{n}", f"黄浦区{road}{n}号", 121.47 + n / 1e5, 31.2 + k / 1e3)
        for k, road in enumerate(ROADS)
        for n in (2, 8, 31)
    ]
    rows += [("向明中学", "黄浦区田子坊长乐路141号", 121.46, 31.222), ("无址", None, 121.4, 31.2)]
    frame = gpd.GeoDataFrame(
        {"名称": [r[0] for r in rows], "地址": [r[1] for r in rows]},
        geometry=gpd.points_from_xy([r[2] for r in rows], [r[3] for r in rows]),
        crs=4326,
    )
    return build_gazetteer(frame)


def test_numbers_are_sorted_and_a_glued_landmark_is_dropped(gazetteer):
    road = gazetteer.roads["长乐路"]
    assert road.numbers.tolist() == [2, 8, 31, 141]
    assert road.index_of(8) == 1
    assert road.index_of(9) is None
    assert set(gazetteer.roads) == set(ROADS)
    assert gazetteer.districts == {"黄浦区"}
    assert "向明中学" in gazetteer.places


@pytest.mark.parametrize(
    ("written", "names", "kind"),
    [
        ("成都北路", ("成都北路",), RoadMatch.EXACT),
        ("城都北路", ("成都北路",), RoadMatch.FUZZY),  # same sound
        ("新业路", ("兴业路",), RoadMatch.FUZZY),  # xin for xing
        ("柏灵士路", ("柏灵寺路",), RoadMatch.FUZZY),
        ("老城隍庙福佑路", ("福佑路",), RoadMatch.LEAD),
        ("南京路", ("南京东路", "南京西路"), RoadMatch.DIRECTION),
        ("士英街二段", ("士英街",), RoadMatch.SECTION),
        ("金陵西路", ("金陵中路",), RoadMatch.SIBLING),
    ],
)
def test_a_road_is_found_in_spite_of(gazetteer, written, names, kind):
    hit = gazetteer.find_road(written)
    assert (hit.names, hit.kind) == (names, kind)
    assert hit.score == 100 or kind is not RoadMatch.EXACT


@pytest.mark.parametrize(
    "written",
    ["百翎路", "柳江街", "成都南街", "北路", "兴业街", "长兴路", "昌勒路二", "陕西南路", "四牌楼路"],
)
def test_a_different_road_is_not_found(gazetteer, written):
    assert gazetteer.find_road(written) is None


def test_no_direction_is_ever_swapped_silently(gazetteer):
    hit = gazetteer.find_road("成都南路")
    assert hit.kind is RoadMatch.SIBLING
    assert hit.score < 85


def test_a_lane_stands_in_the_series_of_its_road():
    assert road_number(parse_address("复兴中路498弄12号")) == 498
    assert road_number(parse_address("复兴中路12号")) == 12
    assert road_number(parse_address("复兴中路")) is None


def test_unusable_frames_are_refused():
    empty = gpd.GeoDataFrame({"名称": ["a"], "地址": ["b"]}, geometry=[None], crs=4326)
    with pytest.raises(GazetteerError, match="empty_gazetteer"):
        build_gazetteer(empty)
    area = gpd.GeoDataFrame({"名称": ["a"], "地址": ["b"]}, geometry=[Point(0, 0).buffer(1)], crs=4326)
    with pytest.raises(GazetteerError, match="not_points"):
        build_gazetteer(area)
