"""Places that are no door of a known road: estates, branch roads, crossings, towns, roads of one name."""

import geopandas as gpd
import numpy as np
import pytest

from geo.address.parser import parse_address
from geo.crs import metric_crs, project_xy, unproject_xy
from geo.gazetteer.calibration import calibrate
from geo.gazetteer.estates import estate_name, sibling_estates, stem_of
from geo.gazetteer.index import build_gazetteer
from geo.gazetteer.trials import doors_of, meetings, middles, support
from geo.geocode import GazetteerGeocoder, Level

ZONE = metric_crs(121.4)
ORIGIN = np.array([570_000.0, 3_450_000.0])


def geocoder(rows):
    """Build a geocoder from (name, address, metres east, metres north)."""
    lon, lat = unproject_xy(ORIGIN + np.array([row[2:4] for row in rows], dtype=float), ZONE)
    table = {"名称": [row[0] for row in rows], "地址": [row[1] for row in rows]}
    return GazetteerGeocoder(
        build_gazetteer(gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(lon, lat), crs=4326))
    )


def at(match):
    return project_xy([match.lon], [match.lat], ZONE)[0] - ORIGIN


ESTATES = [
    ("甲店", "梅岭三村8号", 0, 0),
    ("乙店", "松山路梅岭三村40号", 400, 0),
    ("丙店", "梅岭五村2号楼", 0, 900),
    ("梅岭五村", "松山路10弄", 0, 1000),
    ("丁店", "竹苑小区6号", 5000, 0),
    ("戊店", "前岗村西埭21号", 9000, 0),
]


def test_a_door_of_an_estate_is_known_by_its_own_number():
    exact, written_otherwise = geocoder(ESTATES).locate(["松山路梅岭3村40号", "清澜区梅岭三村40号2楼"])
    assert (
        (exact.level, exact.notes) == (written_otherwise.level, written_otherwise.notes) == (Level.DOOR, ())
    )
    assert at(exact) == pytest.approx([400, 0], abs=1)


@pytest.mark.parametrize(
    "text", ["梅岭三村267号", "梅岭三村", "竹苑小区9号楼", "松山路梅岭五村77号", "前岗村西埭821号"]
)
def test_an_unknown_door_of_an_estate_has_the_radius_of_an_estate(text):
    (match,) = geocoder(ESTATES).locate([text])
    assert (match.level, match.notes) == (Level.ROAD, ("estate",))
    assert match.error_radius_m >= 440
    assert match.score <= 0.4


def test_siblings_place_an_estate_that_nobody_knows():
    known = geocoder(ESTATES)
    sibling, stranger = known.locate(["梅岭七村3号", "兰溪七村3号"])
    assert (sibling.level, sibling.notes) == (Level.ROAD, ("estate_sibling",))
    assert sibling.matched_text == "梅岭三村、梅岭五村"
    assert sibling.error_radius_m >= 840 > known.calibration.door_m
    assert stranger.code == "unknown_place"


def test_names_of_estates():
    assert estate_name("梅岭11村") == "梅岭十一村"
    assert estate_name("梅岭大厦") is None
    assert stem_of("梅岭新村") == stem_of("梅岭十一村") == "梅岭"
    assert stem_of("大岗子村") is stem_of("三村") is None
    assert sibling_estates("梅岭新村", ["梅岭一村", "梅岭新村", "兰溪一村"]) == ("梅岭一村",)


ROADS = [(f"店{n}", f"松山路{n}号", n * 5, 0) for n in range(1, 120, 12)]
ROADS += [(f"铺{n}", f"竹林路{n}号", 300, n * 5 - 300) for n in range(1, 120, 12)]


def test_a_branch_road_is_a_sibling_and_never_the_road_itself():
    branch, trunk = geocoder(ROADS).locate(["松山支路13号", "松山路13号"])
    assert (branch.level, branch.notes) == (Level.ROAD, ("road_sibling",))
    assert trunk.level is Level.DOOR
    (road,) = geocoder([("甲", "松山支路13号", 0, 0)]).locate(["松山路13号"])
    assert (road.level, road.notes) == (Level.ROAD, ("road_sibling",))


@pytest.mark.parametrize(
    ("remark", "way"),
    [
        ("东500米", (500, 0)),
        ("往东约500米(路北)", (500, 0)),
        ("西北100米", (-70.7, 70.7)),
        ("以南30米", (0, -30)),
    ],
)
def test_a_distance_is_counted_from_the_crossing(remark, way):
    plain, moved = geocoder(ROADS).locate(["松山路与竹林路交叉口", f"松山路与竹林路交叉口{remark}"])
    assert at(moved) - at(plain) == pytest.approx(way, abs=1)
    far = np.hypot(*way)
    assert moved.error_radius_m == pytest.approx(np.hypot(plain.error_radius_m, 0.3 * far), abs=2)
    assert moved.notes == ("crossing", "offset")


def test_a_distance_is_counted_from_a_place_but_not_from_the_middle_of_a_road():
    known = geocoder([*ROADS, ("松山地铁站", "松山路9号", 45, 0)])
    station, away, road, beside = known.locate(["松山地铁站", "松山地铁站西600米", "松山路", "松山路北600米"])
    assert at(away) - at(station) == pytest.approx([-600, 0], abs=1)
    assert (away.level, away.notes) == (Level.POI, ("offset",))
    assert at(beside) == pytest.approx(at(road), abs=1)
    assert beside.error_radius_m > road.error_radius_m


def test_crossings_of_roads_with_few_known_doors_have_wide_radii():
    town = []
    for k in range(8):
        town += [
            (f"a{k}{n}", f"{'松梅兰桂柏榆槐枫'[k]}山路{n}号", n * 10, k * 300) for n in range(0, 240, 12)
        ]
        town += [
            (f"b{k}{n}", f"{'松梅兰桂柏榆槐枫'[k]}林路{n}号", k * 300, n * 10) for n in range(0, 240, 12)
        ]
    known = geocoder(town)
    trials = meetings(known.gazetteer)
    assert len(trials) > 25
    held = [error <= known.calibration.meeting_m(apart) for apart, error, _ in trials]
    assert 0.88 <= np.mean(held) < 1.0
    assert known.calibration.meeting_m(500.0) > known.calibration.meeting_m(20.0)


def test_one_known_door_of_a_road_promises_little():
    town = [("甲", "梅山路", 0, 0)]
    for k in range(40):
        stem = "松梅兰桂柏榆槐枫杉柳"[k // 4] + "山河林湖"[k % 4]
        town += [(f"a{k}", f"{stem}街2号", k * 800, 0), (f"b{k}", f"{stem}街90号", k * 800, 1500)]
    known = geocoder(town)
    lone, none = known.locate(["松山街", "梅山路700号"])
    assert none.level is Level.ROAD
    assert none.error_radius_m >= 1500
    assert lone.error_radius_m >= 750


def test_support_counts_doors_not_rows():
    rows = [("甲", "松山路2号", 0, 0), ("乙", "松山路2号3楼", 1, 0), ("丙", "松山路9号", 100, 0)]
    gazetteer = geocoder(rows).gazetteer
    doors = doors_of(gazetteer, gazetteer.roads["松山路"].all_rows)
    assert sorted(map(len, doors)) == [1, 2]
    assert [support(n) for n in (1, 2, 3, 4, 90)] == [0, 1, 1, 2, 2]
    trials = middles(gazetteer, [doors])
    assert [len(trials[kind]) for kind in (0, 1, 2)] == [3, 0, 0]


NORTH = [
    (f"n{k}", f"清澜区北桥镇{road}{k}号", k * 30, 0)
    for road in ("松街", "梅街", "桂街", "柏街")
    for k in (2, 8)
]
SOUTH = [
    (f"s{k}", f"清澜区南桥镇{road}{k}号", k * 30, -9000)
    for road in ("榆街", "槐街", "枫街", "杉街")
    for k in (2, 8)
]
BOTH = [("x1", "清澜区北桥镇人民街3号", 0, 0), ("x2", "清澜区北桥镇人民街19号", 90, 0)]
BOTH += [("y1", "清澜区南桥镇人民街7号", 0, -9000)]


def test_roads_of_one_name_are_told_apart_by_the_town():
    known = geocoder([*NORTH, *SOUTH, *BOTH])
    north, south, nowhere = known.locate(["北桥镇人民街9号", "南桥镇人民街9号", "人民街9号"])
    assert at(north)[1] == pytest.approx(0, abs=300)
    assert at(south)[1] == pytest.approx(-9000, abs=300)
    assert "road_namesake" in nowhere.notes
    assert nowhere.error_radius_m >= 9000
    assert nowhere.score < north.score


def test_one_long_road_is_no_two_roads():
    rows = [(f"a{n}", f"松山公路{n}号", n * 10, 0) for n in (2, 40, 900, 1500)]
    assert set(geocoder(rows).gazetteer.roads) == {"松山公路"}


def test_an_unknown_road_lies_in_its_town():
    known = geocoder([*NORTH, *SOUTH])
    south, short, inside, unknown = known.locate(
        ["清澜区南桥镇无名路3号", "南桥无名路3号", "南桥镇", "东桥镇无名路3号"]
    )
    for match in (south, short, inside):
        assert (match.level, match.notes, match.matched_text) == (Level.AREA, ("town_rows",), "南桥镇")
        assert at(match)[1] == pytest.approx(-9000, abs=1)
        assert match.error_radius_m >= 1500
    assert unknown.code == "unknown_road"


def test_a_similar_name_far_from_the_town_gives_way_to_the_town():
    rows = [*NORTH, *SOUTH, *[(f"z{n}", f"松溪路{n}号", n * 5, 0) for n in (2, 20, 60)]]
    far, near, exact = geocoder(rows).locate(["南桥镇松曦路9号", "松曦路9号", "南桥镇松溪路9号"])
    assert (far.level, far.matched_text) == (Level.AREA, "南桥镇")
    assert (near.level, near.notes) == (Level.INTERPOLATED, ("road_fuzzy",))
    assert near.score < 0.5
    assert (exact.level, exact.notes) == (Level.INTERPOLATED, ("other_town",))
    assert exact.score == pytest.approx(0.35)


def test_a_name_whose_door_is_on_another_road_is_another_branch():
    rows = [("大桥卫生室", "松山路2号", 0, 0), ("乙", "松山路8号", 30, 0)]
    (match,) = geocoder(rows).locate(["竹林路5号大桥卫生室"])
    assert match.code == "unknown_road"


def test_digits_in_a_road_name_find_the_road():
    (match,) = geocoder([("甲", "中山南二路9号", 0, 0), ("乙", "中山南二路90号", 300, 0)]).locate(
        ["中山南2路9号"]
    )
    assert (match.level, match.notes) == (Level.DOOR, ())


def test_a_transposed_name_and_another_surname_are_other_roads():
    known = geocoder([("甲", "育新路9号", 0, 0), ("乙", "陈家宅路9号", 300, 0)])
    assert [match.code for match in known.locate(["新育路9号", "徐家宅路9号"])] == ["unknown_road"] * 2


def test_few_estates_fall_back_on_published_errors():
    calibration = calibrate(geocoder(ESTATES).gazetteer)
    assert calibration.estate.at(np.zeros((1, 2)), 1) == 440
    assert calibration.estate_sibling_m >= 840
    assert calibration.town.at(np.zeros((1, 2)), 1) == 3000
    assert parse_address("梅岭三村8号").place == "梅岭三村"
