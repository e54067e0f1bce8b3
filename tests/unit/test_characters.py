"""Characters: what is folded, what goes, and what must stay a separator."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.register.characters import normalise
from data.register.sheets import cell_value


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("淮海路９３９号（Ａ座）", "淮海路939号(A座)"),
        ("⽴德路⻓宁⻋站", "立德路长宁车站"),
        ("\u202d和平\u200b路\u2060\ufeff1\u00ad号\u202c", "和平路1号"),
        ("①15号②16号", "①15号②16号"),
        ("⑴甲㈠乙❶丙⒈丁", "⑴甲㈠乙❶丙⒈丁"),
        ("15²号", "15²号"),
        ("½", "½"),
        ("甲\r\n乙\t丙\u2028丁", "甲 乙 丙 丁"),
        ("葛\U000e0101城\ufe00", "葛城"),
        ("\ue000甲\uffff\ud800", "甲"),
        ("㎡", "m2"),
        ("ﾀ", "タ"),
    ],
)
def test_what_is_meant_is_read(written: str, read: str) -> None:
    assert normalise(written) == read


@given(st.text())
def test_reading_twice_is_reading_once(text: str) -> None:
    """Nothing invisible is left, and circled numbers never become figures beside others."""
    once = normalise(text)
    assert normalise(once) == once
    assert normalise("①" + text).startswith("①")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('="013800000000"', "013800000000"),
        ("'440103199001011234", "440103199001011234"),
        ("'=1+1", "=1+1"),
        ("＝甲", "=甲"),
    ],
)
def test_marks_of_spreadsheets_are_no_text(written: str, read: str) -> None:
    assert cell_value(written) == read
