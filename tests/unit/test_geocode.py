"""The cascade from door to road, on a town whose numbers grow along straight roads."""

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import Point

from geo.crs import metric_crs, project_xy, unproject_xy
from geo.errors import GazetteerError
from geo.gazetteer.calibration import calibrate
from geo.gazetteer.index import build_gazetteer
from geo.geocode import GazetteerGeocoder, Level, matches_frame

ZONE = metric_crs(121.4)
ORIGIN = np.array([570_000.0, 3_450_000.0])
NAMES = [f"{a}{b}路" for a in "松柏梅竹兰菊" for b in "山河林湖"]


def where(road, number):
    """Odd numbers on one side, even ones 30 m across, 4 m per number, roads 400 m apart."""
    return ORIGIN + np.array([number * 4.0, NAMES.index(road) * 400.0 + (30.0 if number % 2 else 0.0)])


def town(numbers=range(1, 200, 9), noise_m=20.0):
    random = np.random.default_rng(7)
    rows = [(f"{road}{n}号店", f"清澜区{road}{n}号", where(road, n)) for road in NAMES for n in numbers]
    rows += [
        ("清澜第一小学", "清澜区松山路12号", where("松山路", 12)),
        ("连锁店", "清澜区松山路1号", where("松山路", 1)),
        ("连锁店", "清澜区菊湖路190号", where("菊湖路", 190)),
    ]
    xy = np.array([r[2] for r in rows]) + random.normal(0, noise_m, (len(rows), 2))
    lon, lat = unproject_xy(xy, ZONE)
    table = {"名称": [r[0] for r in rows], "地址": [r[1] for r in rows]}
    return build_gazetteer(gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(lon, lat), crs=4326))


@pytest.fixture(scope="module")
def geocoder():
    return GazetteerGeocoder(town())


def error_m(match, road, number):
    return float(np.hypot(*(project_xy([match.lon], [match.lat], ZONE)[0] - where(road, number))))


@pytest.mark.parametrize(
    ("text", "level", "notes"),
    [
        ("清澜区松山路10号", Level.DOOR, ()),
        ("松山路10号2楼201室", Level.DOOR, ()),
        ("松山路10号甲", Level.OTHER_UNIT, ()),
        ("松山路10弄3号", Level.OTHER_UNIT, ()),
        ("松山路15号", Level.INTERPOLATED, ()),
        ("松山路1593层", Level.INTERPOLATED, ("number_cut",)),
        ("松山路215号", Level.INTERPOLATED, ("extrapolated",)),
        ("松山路9999号", Level.ROAD, ("number_out_of_reach",)),
        ("松山路", Level.ROAD, ()),
        ("嵩山路15号", Level.INTERPOLATED, ("road_fuzzy",)),
        ("松山路无名街3号", Level.ROAD, ("road_of_crossing",)),
        ("松山路二段15号", Level.ROAD, ("road_section",)),
        ("和平区松山路10号", Level.DOOR, ("other_district",)),
        ("清澜第一小学", Level.POI, ()),
        ("松山路（清澜第一小学）", Level.POI, ()),
    ],
)
def test_level_and_notes(geocoder, text, level, notes):
    (match,) = geocoder.locate([text])
    assert (match.level, match.notes, match.code) == (level, notes, "placed")
    assert 0 < match.score <= 1
    assert match.error_radius_m > 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "no_address"),
        ("　", "no_address"),
        ("无名街3号", "unknown_road"),
        ("某某大厦", "unknown_place"),
        ("连锁店", "unknown_place"),
        ("见许可证", "no_road"),
        ("68号", "no_road"),
    ],
)
def test_unplaced_rows_say_why(geocoder, text, code):
    (match,) = geocoder.locate([text])
    assert (match.code, match.level) == (code, Level.NONE)
    assert match.lon is None
    assert match.error_radius_m is None


def test_points_lie_where_they_should(geocoder):
    doors = [("松山路", 10), ("松山路", 15), ("菊湖路", 77), ("竹林路", 180)]
    for match, (road, number) in zip(geocoder.locate([f"{r}{n}号" for r, n in doors]), doors, strict=True):
        assert error_m(match, road, number) < 60


def test_the_radius_holds_nine_of_ten_points_never_seen(geocoder):
    doors = [(road, n) for road in NAMES for n in range(5, 200, 7)]
    random = np.random.default_rng(8)
    found = geocoder.locate([f"{road}{n}号" for road, n in doors])
    noise = random.normal(0, 20.0, (len(doors), 2))
    guessed = project_xy([m.lon for m in found], [m.lat for m in found], ZONE)
    off = np.hypot(*(guessed - np.array([where(*door) for door in doors]) - noise).T)
    held = np.mean([e <= m.error_radius_m for e, m in zip(off, found, strict=True)])
    assert 0.85 <= held <= 1.0
    assert np.median([m.error_radius_m for m in found]) < 160


def test_no_finer_level_has_a_wider_radius_than_the_road(geocoder):
    door, between, road = geocoder.locate(["松山路10号", "松山路15号", "松山路"])
    assert max(door.error_radius_m, between.error_radius_m) <= road.error_radius_m
    assert door.score > between.score > road.score


def test_a_name_is_a_second_chance_only(geocoder):
    by_name, by_door = geocoder.locate(["", "菊湖路190号"], names=["清澜第一小学", "清澜第一小学"])
    assert by_name.level is Level.POI
    assert error_m(by_name, "松山路", 12) < 80
    assert by_door.level is Level.DOOR
    with pytest.raises(GazetteerError, match="length_mismatch"):
        geocoder.locate(["a"], names=[])


def test_missing_direction_is_not_guessed():
    geocoder = GazetteerGeocoder(_two_sides())
    known, unknown = geocoder.locate(["南京路8号", "南京路5号"])
    assert (known.level, known.matched_text) == (Level.DOOR, "南京西路8号")
    assert (unknown.level, unknown.notes) == (Level.ROAD, ("road_direction",))


def _two_sides():
    rows = [("a", "南京东路2号", 121.48), ("b", "南京东路6号", 121.49), ("c", "南京西路8号", 121.46)]
    table = {"名称": [r[0] for r in rows], "地址": [r[1] for r in rows]}
    points = gpd.points_from_xy([r[2] for r in rows], [31.2] * 3)
    return build_gazetteer(gpd.GeoDataFrame(table, geometry=points, crs=4326))


def test_a_small_gazetteer_falls_back_on_published_errors():
    calibration = calibrate(_two_sides())
    assert calibration.door_m == 140.0
    assert calibration.along.at(50.0) >= 634.0
    with pytest.raises(GazetteerError, match="bad_coverage"):
        calibrate(_two_sides(), coverage=1.0)


def test_calibration_learns_how_far_points_scatter():
    exact, scattered = calibrate(town(noise_m=2.0)), calibrate(town(noise_m=60.0))
    assert exact.along.at(30.0) < scattered.along.at(30.0)
    points = np.array([[0.0, 0.0], [200.0, 0.0]])
    assert exact.road.at(points, 9) < 1268.0 == calibrate(_two_sides()).road.at(points, 9)


def test_matches_become_a_frame(geocoder):
    frame = matches_frame(geocoder.locate(["松山路10号", ""]), index=["x", "y"])
    assert frame.crs.to_epsg() == 4326
    assert frame.geometry.isna().tolist() == [False, True]
    assert frame.loc["x", "level"] == "door"
    assert frame.loc["y", "code"] == "no_address"


def test_nothing_gives_nothing(geocoder):
    assert geocoder.locate([]) == []
    assert len(matches_frame([], index=[])) == 0


def small(rows, **given):
    table = {"名称": [r[0] for r in rows], "地址": [r[1] for r in rows]}
    if len(rows[0]) > 4:
        table["confirmed"] = [r[4] for r in rows]
    points = gpd.points_from_xy([r[2] for r in rows], [r[3] for r in rows])
    return GazetteerGeocoder(build_gazetteer(gpd.GeoDataFrame(table, geometry=points, crs=4326), **given))


def test_a_confirmed_row_wins_at_its_door():
    rows = [("甲", "松山路12号2楼", 121.40, 31.2, False), ("乙", "松山路12号", 121.41, 31.2, True)]
    (match,) = small(rows).locate(["松山路12号2楼"])
    assert (match.lon, match.level) == (pytest.approx(121.41), Level.DOOR)


def test_the_same_room_is_a_level_of_its_own():
    rows = [("甲", "松山路12号3楼305室", 121.40, 31.2), ("乙", "松山路12号2楼", 121.402, 31.2)]
    room, door = small(rows).locate(["松山路12号305室", "松山路12号4楼"])
    assert (room.level, room.lon) == (Level.ROOM, pytest.approx(121.40))
    assert (door.level, door.lon) == (Level.DOOR, pytest.approx(121.401))
    assert room.score > door.score


def test_candidates_are_distinct_sorted_and_begin_with_the_answer(geocoder):
    for text in [
        "松山路10号(清澜第一小学)",
        "松山路15号",
        "嵩山路1593层",
        "松山路竹林路口",
        "清澜第一小学旁",
    ]:
        (answer,) = geocoder.locate([text])
        found = geocoder.candidates(text)
        assert found[0] == answer
        assert [m.score for m in found] == sorted((m.score for m in found), reverse=True)
        assert len({(m.lon, m.lat) for m in found}) == len(found) <= 5
    assert len(geocoder.candidates("松山路10号(清澜第一小学)", limit=1)) == 1
    assert geocoder.candidates("") == ()


def test_what_only_a_person_can_choose_is_suggested_and_never_placed():
    geocoder = GazetteerGeocoder(_two_sides())
    found = geocoder.candidates("南京路5号")
    assert [m.code for m in found] == ["placed", "suggestion", "suggestion"]
    alike = small([("a", "松山路2号", 121.4, 31.2), ("b", "松山路8号", 121.401, 31.2)])
    assert alike.locate(["松林路6号"])[0].code == "unknown_road"
    assert [m.code for m in alike.candidates("松林路6号")] == ["suggestion"]


def test_two_known_roads_without_a_number_meet_somewhere():
    rows = [(f"a{n}", f"松山路{n}号", 121.40 + n / 1e4, 31.2) for n in (2, 20, 40)]
    rows += [(f"b{n}", f"竹林路{n}号", 121.402, 31.2 + n / 1e4) for n in (2, 20, 40)]
    (match,) = small(rows).locate(["松山路与竹林路路口东南角"])
    assert (match.level, match.notes) == (Level.ROAD, ("crossing",))
    assert (match.lon, match.lat) == (pytest.approx(121.402), pytest.approx(31.2001))


def test_a_list_explains_a_road_that_nothing_else_knows(geocoder):
    alone, explained, explaining = (
        geocoder.locate(["学宫街9号"])[0],
        *geocoder.locate(["学宫街9号", "松山路学宫街36号"]),
    )
    assert alone.code == "unknown_road"
    assert (explained.level, explained.notes) == (Level.ROAD, ("road_hearsay",))
    assert explaining.notes == ("road_of_crossing",)
    assert geocoder.candidates("学宫街9号", among=["松山路学宫街36号"])[0] == explained


def test_quarters_mentions_and_areas_place_unknown_roads_widely():
    rows = [("甲", "田子坊松山路2号", 121.40, 31.2), ("乙(海口路店)", "松山路8号", 121.401, 31.2)]
    square = Point(121.47, 31.2).buffer(0.01)
    areas = gpd.GeoDataFrame({"name": ["清澜街道"]}, geometry=[square], crs=4326)
    quarter, mention, area = small(rows, areas=areas).locate(
        ["田子坊无名路3号", "海口路3号", "清澜街道无名弄口3号"]
    )
    assert (quarter.notes, mention.notes) == (("quarter",), ("road_mention",))
    assert (area.level, area.lon) == (Level.AREA, pytest.approx(121.47, abs=1e-4))


def test_an_old_district_is_no_other_district():
    rows = [("甲", "黄浦区松山路2号", 121.40, 31.2)]
    old, other = small(rows).locate(["卢湾区松山路2号", "和平区松山路2号"])
    assert (old.notes, other.notes) == (("former_district",), ("other_district",))
    assert old.score > other.score


def test_a_range_is_one_door_with_the_numbers_it_spans(geocoder):
    (match,) = geocoder.locate(["松山路24-30号"])
    assert (match.level, match.notes) == (Level.OTHER_UNIT, ("number_range",))


def test_a_learned_alias_places_a_row_that_had_no_place():
    rows = [(f"店{n}", f"松山路{n}号", 121.40 + n / 1e4, 31.2) for n in (2, 8, 14)]
    (match,) = small(rows, aliases={"宋三大路": "松山路"}).locate(["宋三大路8号"])
    assert (match.level, match.notes) == (Level.DOOR, ("road_alias",))
