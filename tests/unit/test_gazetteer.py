"""The gazetteer: roads are looked up forgivingly, numbers only as numbers."""

import geopandas as gpd
import pytest
from shapely.geometry import Point

from geo.address.parser import parse_address
from geo.errors import GazetteerError
from geo.gazetteer.aliases import learn_alias
from geo.gazetteer.index import build_gazetteer
from geo.gazetteer.roads import RoadMatch, road_number

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


def _frame(rows, **columns):
    return gpd.GeoDataFrame(
        {"名称": [r[0] for r in rows], "地址": [r[1] for r in rows], **columns},
        geometry=gpd.points_from_xy([r[2] for r in rows], [r[3] for r in rows]),
        crs=4326,
    )


def test_an_alias_comes_before_similar_names_but_never_before_the_road_itself():
    rows = [("a", "成都北路2号", 121.47, 31.2), ("b", "城东北路2号", 121.48, 31.2)]
    gazetteer = build_gazetteer(
        _frame(rows), aliases={"成都背路": "城东北路", "成都北路": "城东北路", "甲路": "乙路"}
    )
    assert gazetteer.find_road("成都背路").names == ("城东北路",)
    assert gazetteer.find_road("成都背路").kind is RoadMatch.ALIAS
    assert gazetteer.find_road("成都北路").kind is RoadMatch.EXACT
    assert gazetteer.find_road("甲路") is None


def test_a_correction_teaches_a_road_only_when_name_number_and_point_agree():
    rows = [(f"店{n}", f"柏灵路{n}号", 121.47 + n / 5e4, 31.2) for n in (2, 8, 14, 30)]
    rows += [(f"铺{n}", f"白云路{n}号", 121.47 + n / 5e4, 31.3) for n in (2, 8, 14, 30)]
    gazetteer = build_gazetteer(_frame(rows))
    near, far = Point(121.4704, 31.2001), Point(121.49, 31.25)
    assert learn_alias("百灵路20号", near, gazetteer) == ("百灵路", "柏灵路")
    assert learn_alias("百灵路20号", far, gazetteer) is None
    assert learn_alias("百灵路", near, gazetteer) is None
    assert learn_alias("柏灵路20号", near, gazetteer) is None
    assert learn_alias("老城白云路20号", near, gazetteer) is None
    assert learn_alias("红旗街20号", near, gazetteer) is None
    assert learn_alias("百灵路9000号", near, gazetteer) is None


def test_two_roads_that_fit_equally_teach_nothing():
    rows = [(f"店{n}", f"柏灵路{n}号", 121.47 + n / 5e4, 31.2) for n in (2, 8, 30)]
    rows += [(f"铺{n}", f"百林路{n}号", 121.47 + n / 5e4, 31.2004) for n in (2, 8, 30)]
    assert learn_alias("百灵路20号", Point(121.4704, 31.2002), build_gazetteer(_frame(rows))) is None


def test_areas_are_points_with_a_radius_that_holds_nine_tenths():
    square = Point(121.47, 31.2).buffer(0.01, cap_style="square")
    areas = gpd.GeoDataFrame({"name": ["清澜街道办事处", None]}, geometry=[square, square], crs=4326)
    gazetteer = build_gazetteer(_frame([("a", "成都北路2号", 121.47, 31.2)]), areas=areas)
    area = gazetteer.areas["清澜街道"]
    assert list(gazetteer.areas) == ["清澜街道"]
    assert 950 < area.radius_m < 1_450
    line = gpd.GeoDataFrame({"name": ["x"]}, geometry=[Point(0, 0)], crs=4326)
    with pytest.raises(GazetteerError, match="not_areas"):
        build_gazetteer(_frame([("a", "成都北路2号", 121.47, 31.2)]), areas=line)


def test_roads_that_are_only_mentioned_and_quarters_are_indexed():
    rows = [
        ("面馆(海口路店)", "福建中路192号", 121.47, 31.2),
        ("小学", "永宁街20号(学前街一粟街)", 121.48, 31.2),
        ("中学", "长乐路10号", 121.48, 31.21),
        ("花店", "田子坊长乐路12号", 121.481, 31.21),
    ]
    gazetteer = build_gazetteer(_frame(rows))
    assert {"海口路", "学前街", "一粟街"} <= set(gazetteer.mentions)
    assert gazetteer.quarters["田子坊"].tolist() == [3]
