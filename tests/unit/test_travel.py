"""The straight-line travel model: floor of seconds, zero diagonal, refused options."""

import numpy as np
import pytest

from geo.errors import TravelError
from geo.travel import SPEED_M_S, StraightLine, straight_line


def test_seconds_are_the_floor_of_fixed_plus_detour_over_speed():
    # 0.009 degrees of latitude are 998.2 m here.
    model = StraightLine(2.0, circuity=1.5, fixed_s=60)
    matrix = model.matrix_s([121.5, 121.5], [31.2, 31.209])
    assert matrix.tolist() == [[0, 808], [808, 0]]
    assert matrix.dtype == np.int32


def test_two_places_at_one_point_still_cost_the_fixed_time():
    assert StraightLine(1.0, fixed_s=30.9).matrix_s([121, 121], [31, 31]).tolist() == [[0, 30], [30, 0]]


def test_faster_profiles_never_take_longer():
    lon, lat = np.linspace(121.4, 121.5, 6), np.linspace(31.2, 31.3, 6)
    walk, bike, car = (straight_line(p).matrix_s(lon, lat) for p in ("walk", "ebike", "car"))
    assert (walk >= bike).all()
    assert (bike >= car).all()
    assert (walk == walk.T).all()
    assert list(SPEED_M_S) == ["walk", "ebike", "car"]


def test_nothing_gives_an_empty_matrix():
    assert straight_line("walk").matrix_s([], []).shape == (0, 0)


def test_the_description_names_every_option():
    assert StraightLine(4.17, fixed_s=60).description == "straight line x 1.5 at 4.17 m/s + 60 s"


def test_all_impossible_options_are_named():
    with pytest.raises(TravelError) as caught:
        StraightLine(0.0, circuity=0.9, fixed_s=-1)
    assert set(caught.value.fields) == {"speed_m_s", "circuity", "fixed_s"}
    with pytest.raises(TravelError, match="unknown_profile"):
        straight_line("rocket")


def test_missing_coordinates_are_refused():
    with pytest.raises(TravelError, match="bad_places"):
        straight_line("walk").matrix_s([121.0, np.nan], [31.0, 31.0])
    with pytest.raises(TravelError, match="bad_places"):
        straight_line("walk").matrix_s([121.0], [31.0, 31.0])
    with pytest.raises(TravelError, match="too_many_places"):
        straight_line("walk").matrix_s(np.full(10_001, 121.0), np.full(10_001, 31.0))
