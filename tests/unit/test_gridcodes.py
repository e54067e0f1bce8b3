"""Grid codes stay text, and tables that pad them meet the same areas."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import GridError
from geo.formats.read import read_layer
from geo.grid.codes import canonical_code, join_by_code, read_date, read_text

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "grids"


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (float("nan"), ""), (310101.0, "310101"), (" 31 ", "31"), (0.5, "0.5")]
)
def test_cells_become_text(value, text):
    assert read_text(value) == text


def test_rounded_codes_are_refused():
    with pytest.raises(GridError) as caught:
        read_text(310101001001001001000.0)
    assert caught.value.code == "inexact_codes"


@pytest.mark.parametrize(
    ("value", "date"),
    [
        ("2026-03-01", dt.date(2026, 3, 1)),
        ("2026年3月1日", dt.date(2026, 3, 1)),
        ("20260301", dt.date(2026, 3, 1)),
        (dt.datetime(2026, 3, 1, 8), dt.date(2026, 3, 1)),
        (dt.date(2026, 3, 1), dt.date(2026, 3, 1)),
        ("", None),
        (None, None),
        ("2026/3/1 08:30", dt.date(2026, 3, 1)),
        ("202611", "202611"),
        ("2026-03-311", "2026-03-311"),
        ("去年", "去年"),
        ("2026-02-30", "2026-02-30"),
    ],
)
def test_dates_are_read_or_given_back(value, date):
    assert read_date(value) == date


def test_filling_zeros_do_not_matter_and_parts_never_match():
    joined = join_by_code(
        ["110101001", "110101002000", "110101003001", "110101004"],
        ["110101001000", "110101002", "110101003", "110101004", "110101004000"],
    )
    assert joined.pairs == {"110101001": "110101001000", "110101002000": "110101002"}
    assert joined.unmatched == ("110101003001", "110101004")
    assert joined.unused == ("110101003",)
    assert joined.ambiguous == ("110101004", "110101004000")


@given(st.text("0123456789", min_size=6, max_size=20))
def test_canonical_codes_are_stable_and_only_lose_filling_zeros(code):
    short = canonical_code(code)
    assert canonical_code(short) == short
    assert code.startswith(short) and set(code[len(short) :]) <= {"0"}


@pytest.mark.reference
@pytest.mark.skipif(not REFERENCE.exists(), reason="../shared/reference/grids is not here")
def test_real_subdistricts_meet_a_padded_table():
    frame = read_layer(REFERENCE / "beijing_dongcheng_xicheng_32.gpkg", source_crs="wgs84")
    codes = [read_text(code) for code in frame["code9"]]
    joined = join_by_code(codes, [f"{code}000" for code in codes])
    assert len(joined.pairs) == 32 and not (joined.unmatched or joined.unused or joined.ambiguous)
