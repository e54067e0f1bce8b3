"""The datum guard's judgement: a slip is told with its right datum, honest layers pass."""

import numpy as np
import pytest
from shapely.geometry import box

from geo.crs import SourceCrs, from_wgs84, to_wgs84
from geo.datum import SLIPS, Slip, judge_area, judge_inside, judge_pairs

RANDOM = np.random.default_rng(4)
AREA = box(123.38, 41.77, 123.47, 41.84)
LON, LAT = RANDOM.uniform(123.38, 123.47, 200), RANDOM.uniform(41.77, 41.84, 200)


def mistake(lon, lat, slip):
    """Give points of `slip.truth` that were converted as if they were `slip.read_as`."""
    return to_wgs84(*from_wgs84(lon, lat, slip.truth), slip.read_as)


@pytest.mark.parametrize("slip", SLIPS, ids=lambda s: f"{s.truth}-as-{s.read_as}")
def test_every_slip_is_found_by_pairs_by_points_and_by_area(slip: Slip):
    wrong = mistake(LON, LAT, slip)
    scatter = RANDOM.normal(0, 60 / 111_000, (2, len(LON)))
    found = judge_pairs((wrong[0] + scatter[0], wrong[1] + scatter[1]), (LON, LAT), read_as=slip.read_as)
    assert found is not None and (found.code, found.truth) == ("datum_slip", slip.truth)
    assert 400 < found.offset_m < 1500
    inside = judge_inside(*wrong, AREA, read_as=slip.read_as)
    assert inside is not None and (inside.code, inside.truth) == ("datum_slip", slip.truth)
    corners = np.array(AREA.exterior.coords)
    moved = box(*np.array(mistake(corners[:, 0], corners[:, 1], slip))[:, [2, 0]].T.ravel())
    area = judge_area(moved, LON, LAT, read_as=slip.read_as)
    assert area is not None and area.truth is slip.truth


@pytest.mark.parametrize("datum", list(SourceCrs))
def test_honest_layers_pass(datum):
    scatter = RANDOM.normal(0, 80 / 111_000, (2, len(LON)))
    assert judge_pairs((LON + scatter[0], LAT + scatter[1]), (LON, LAT), read_as=datum) is None
    assert judge_inside(LON, LAT, AREA, read_as=datum) is None
    assert judge_area(AREA, LON, LAT, read_as=datum) is None


def test_a_neighbouring_district_in_the_same_file_proves_nothing():
    lon = np.concatenate([LON, LON + 0.09])
    assert judge_inside(lon, np.concatenate([LAT, LAT]), AREA, read_as=SourceCrs.WGS84) is None


def test_a_shift_that_is_no_datum_is_told_as_one():
    found = judge_pairs((LON + 0.004, LAT - 0.006), (LON, LAT), read_as=SourceCrs.WGS84)
    assert found is not None and (found.code, found.truth) == ("layer_shifted", None)
    assert found.offset_m == pytest.approx(np.hypot(0.004 * 83_000, 0.006 * 111_000), rel=0.02)


@pytest.mark.parametrize("move", [(6.0, 0.0), (0.3, 0.3), (-80.0, -30.0)])
def test_a_wrong_zone_or_unit_lies_elsewhere(move):
    found = judge_inside(LON + move[0], LAT + move[1], AREA, read_as=None)
    assert found is not None and found.code == "layer_elsewhere" and found.offset_m > 20_000


def test_one_area_kilometres_off_is_a_question_and_one_shop_is_none():
    moved = (LON[:1] + 0.05, LAT[:1])
    assert judge_pairs(moved, (LON[:1], LAT[:1]), read_as=None) is None
    found = judge_pairs(moved, (LON[:1], LAT[:1]), read_as=None, fixed=True)
    assert found is not None and found.code == "layer_shifted"
    assert judge_pairs((LON[:1] + 0.004, LAT[:1]), (LON[:1], LAT[:1]), read_as=None, fixed=True) is None


def test_too_few_points_say_nothing():
    few = mistake(LON[:4], LAT[:4], SLIPS[0])
    assert judge_pairs(few, (LON[:4], LAT[:4]), read_as=SLIPS[0].read_as) is None
    assert judge_inside(*few, AREA, read_as=SLIPS[0].read_as) is None
