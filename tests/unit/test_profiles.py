"""Which roads each way of travel may use, in which direction and how fast."""

import pytest

from geo.errors import TravelError
from geo.network.profiles import (
    CAR,
    EBIKE,
    PROFILES,
    WALK,
    directed_speeds,
    find_profile,
    parse_speed_m_s,
    road_class,
)
from geo.travel import SPEED_M_S


def ways(profile, directed=False, **tags):
    """Return whether a road is open along and against its line."""
    named = {key.replace("__", ":"): value for key, value in tags.items()}
    along, against = directed_speeds({"highway": "residential", **named}, profile, directed=directed)
    return along > 0, against > 0


BOTH, ALONG, AGAINST, SHUT = (True, True), (True, False), (False, True), (False, False)


@pytest.mark.parametrize(
    ("oneway", "expected"),
    [("yes", ALONG), ("true", ALONG), ("True", ALONG), ("1", ALONG), ("F", ALONG),
     ("-1", AGAINST), ("T", AGAINST), ("reverse", AGAINST),
     ("no", BOTH), ("B", BOTH), ("False", BOTH), (None, BOTH), ("reversible", SHUT)],
)  # fmt: skip
def test_one_way_streets_bind_vehicles_but_not_walkers(oneway, expected):
    assert ways(CAR, oneway=oneway) == ways(EBIKE, oneway=oneway) == expected
    assert ways(WALK, oneway=oneway) == BOTH


def test_walkers_heed_only_their_own_direction():
    assert ways(WALK, oneway__foot="yes") == ALONG
    assert ways(WALK, oneway__foot="-1", oneway="yes") == AGAINST


def test_roundabouts_and_motorways_run_one_way_unless_they_say_otherwise():
    assert ways(CAR, junction="roundabout") == ways(EBIKE, junction="circular") == ALONG
    assert ways(CAR, junction="roundabout", oneway="no") == BOTH
    assert ways(CAR, highway="motorway") == ALONG
    assert ways(WALK, junction="roundabout") == BOTH


def test_contraflow_opens_a_one_way_street_to_e_bikes_only():
    assert ways(EBIKE, oneway="yes", oneway__bicycle="no") == BOTH
    assert ways(EBIKE, oneway="yes", cycleway="opposite_lane") == BOTH
    assert ways(CAR, oneway="yes", oneway__bicycle="no") == ALONG


def test_a_directed_row_goes_one_way_for_vehicles_and_both_ways_for_walkers():
    assert ways(CAR, directed=True) == ways(EBIKE, directed=True, oneway="no") == ALONG
    assert ways(EBIKE, directed=True, oneway="yes", oneway__bicycle="no") == BOTH
    assert ways(WALK, directed=True, oneway="yes") == BOTH


@pytest.mark.parametrize(
    ("tags", "walk", "ebike", "car"),
    [
        ({"highway": "motorway"}, SHUT, SHUT, ALONG),
        ({"highway": "steps"}, BOTH, SHUT, SHUT),
        ({"highway": "pedestrian"}, BOTH, BOTH, SHUT),
        ({"highway": "construction"}, SHUT, SHUT, SHUT),
        ({"access": "private"}, SHUT, SHUT, SHUT),
        ({"access": "no", "foot": "yes"}, BOTH, BOTH, SHUT),  # an e-bike is pushed
        ({"access": "no", "bicycle": "yes"}, SHUT, BOTH, SHUT),
        ({"foot": "no"}, SHUT, BOTH, BOTH),
        ({"bicycle": "no"}, BOTH, SHUT, BOTH),
        ({"motor_vehicle": "no"}, BOTH, BOTH, SHUT),
        ({"motor_vehicle": "no", "motorcar": "yes"}, BOTH, BOTH, BOTH),
        ({"vehicle": "private"}, BOTH, SHUT, SHUT),
    ],
)
def test_access_closes_roads_to_those_it_names(tags, walk, ebike, car):
    assert (ways(WALK, **tags), ways(EBIKE, **tags), ways(CAR, **tags)) == (walk, ebike, car)


def test_speeds_follow_class_limit_and_pushing():
    def speed(profile, **tags):
        return directed_speeds({"highway": "residential", **tags}, profile)[0]

    assert speed(WALK) == SPEED_M_S["walk"] > speed(WALK, highway="steps")
    assert speed(EBIKE) == SPEED_M_S["ebike"]
    assert speed(EBIKE, highway="footway") == speed(EBIKE, highway="path", bicycle="dismount") == 1.25
    assert speed(EBIKE, highway="footway", bicycle="yes") == 2.8
    assert speed(CAR, highway="primary") == pytest.approx(30 / 3.6)
    assert speed(CAR, highway="primary", maxspeed="20") == pytest.approx(20 / 3.6)
    assert speed(CAR, highway="primary", maxspeed="80") == pytest.approx(30 / 3.6)
    assert speed(WALK, maxspeed="3") == 1.25


@pytest.mark.parametrize(
    ("value", "km_h"),
    [("50", 50), ("50 km/h", 50), ("30 mph", 48.28032), ("10 knots", 18.52), ("['60', '40']", 40),
     ("60;40", 40), ("none", None), ("CN:urban", None), ("walk", None), ("", None), (None, None),
     ("0", None)],
)  # fmt: skip
def test_speed_limits_have_units(value, km_h):
    assert parse_speed_m_s(value) == (None if km_h is None else pytest.approx(km_h / 3.6))


def test_classes_are_read_from_lists_and_chinese_words():
    assert road_class("['steps', 'footway']") == "steps"
    assert (road_class("次干路"), road_class("步行街"), road_class(None)) == ("secondary", "pedestrian", "")
    assert ways(CAR, highway="快速路") == BOTH
    assert ways(WALK, highway="快速路") == SHUT


@pytest.mark.parametrize(
    ("written", "walk", "ebike", "car"),
    [
        ("高速公路", SHUT, SHUT, BOTH),
        ("快速路", SHUT, SHUT, BOTH),
        ("城市快速路", SHUT, SHUT, BOTH),
        ("匝道", SHUT, SHUT, BOTH),
        ("城市主干道", BOTH, BOTH, BOTH),
        ("主干路", BOTH, BOTH, BOTH),
        ("主干路（一级）", BOTH, BOTH, BOTH),
        ("城镇次干道", BOTH, BOTH, BOTH),
        ("次干路", BOTH, BOTH, BOTH),
        ("支路", BOTH, BOTH, BOTH),
        ("小区内部道路", BOTH, BOTH, BOTH),
        ("内部路", BOTH, BOTH, BOTH),
        ("街巷", BOTH, BOTH, BOTH),
        ("胡同", BOTH, BOTH, BOTH),
        ("国道", BOTH, BOTH, BOTH),
        ("省道", BOTH, BOTH, BOTH),
        ("县道", BOTH, BOTH, BOTH),
        ("乡道", BOTH, BOTH, BOTH),
        ("步行道", BOTH, BOTH, SHUT),
        ("人行道", BOTH, BOTH, SHUT),
        ("自行车道", BOTH, BOTH, SHUT),
        ("台阶", BOTH, SHUT, SHUT),
        ("河道", SHUT, SHUT, SHUT),
    ],
)
def test_chinese_classes_open_the_ways_they_should(written, walk, ebike, car):
    assert tuple(ways(profile, highway=written) for profile in (WALK, EBIKE, CAR)) == (walk, ebike, car)


def test_chinese_classes_rank_as_their_roads_do():
    speeds = [directed_speeds({"highway": word}, CAR)[0] for word in ("快速路", "主干道", "支路", "小区道路")]
    assert speeds == sorted(speeds, reverse=True) and len(set(speeds)) == 4


def test_profiles_are_those_of_the_straight_line():
    assert list(PROFILES) == list(SPEED_M_S)
    with pytest.raises(TravelError, match="unknown_profile"):
        find_profile("rocket")
