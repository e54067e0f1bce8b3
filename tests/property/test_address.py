"""The parser never invents: every part stands in the normalised text."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from geo.address import parse_address, recuts
from geo.numerals import normalise

WORDS = (
    "上海市|黄浦区|县|和平|中山东二路|路|街|大街|弄|巷|号|号楼|单元|楼|层|室|底商|门市|近|与|口|甲|一|十二|二段|"
    "1|3|12|618|201|６１８|-|、|(|)|A|B|F|小区|大厦|街道|镇|市|区|红旗|第一百货|\u3000"
)
PIECES = st.sampled_from(sorted(WORDS.split("|")))
TEXT = st.one_of(st.lists(PIECES, max_size=12).map("".join), st.text(max_size=30))


@settings(max_examples=400, deadline=None)
@given(TEXT)
@example("A巷A1、1")
@example("(()(-街")
def test_every_part_is_written(text):
    for address in recuts(parse_address(text)):
        assert address.text == normalise(text)
        for name in address.__slots__[1:]:
            value = getattr(address, name)
            for piece in value if isinstance(value, tuple) else (value,):
                assert piece is None or (piece and piece in address.text), (name, piece)


@settings(max_examples=200, deadline=None)
@given(TEXT)
def test_normal_form_is_stable(text):
    assert normalise(normalise(text)) == normalise(text)
