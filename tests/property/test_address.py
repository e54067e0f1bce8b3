"""The parser never invents: every part stands in the normalised text."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geo.address.numerals import normalise
from geo.address.offset import find_offset, read_offset
from geo.address.parser import building_key, door_key, parse_address, recuts, room_key

WORDS = (
    "上海市|黄浦区|县|和平|中山东二路|路|街|大街|弄|巷|号|号楼|单元|楼|层|室|底商|门市|近|与|口|甲|一|十二|二段|"
    "1|3|12|618|201|６１８|-|、|(|)|A|B|F|小区|大厦|街道|镇|市|区|红旗|第一百货|新村|五村|支路|【|】|、|/|东50米|向北|米|★|🏠|交叉路口|\u3000"
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


ROADS = st.sampled_from(["松山路", "中山东二路", "红旗大街", "士英街二段", "方浜中路", "马路街"])
NUMBER = st.integers(1, 9999).map(str)


@settings(max_examples=300, deadline=None)
@given(TEXT)
def test_keys_are_made_of_what_is_written_and_nest(text):
    address = parse_address(text)
    building, door, room = building_key(address), door_key(address), room_key(address)
    signs = "号弄至之#/层室单元B-零一二三四五六七八九十"
    for key in (building, door, room):
        assert key is None or set(key) <= set(address.text.upper()) | set(address.text) | set(signs)
    assert (building is None) == (door is None)
    assert room is None or room.startswith(f"{door}/")


@settings(max_examples=300, deadline=None)
@given(
    ROADS,
    NUMBER,
    st.none() | NUMBER,
    st.none() | st.integers(1, 40).map(str),
    st.none() | st.integers(101, 999),
)
def test_parts_that_are_put_together_come_back(road, number, lane, floor, room):
    text = f"清澜区{road}{f'{lane}弄' if lane else ''}{number}号"
    text += f"{floor}楼" * (floor is not None) + f"{room}室" * (room is not None)
    address = parse_address(text)
    assert (address.district, address.road, address.lane) == ("清澜区", road, lane)
    assert (address.number, address.floor) == (number, floor)
    assert address.room == (None if room is None else str(room))


@settings(max_examples=300, deadline=None)
@given(TEXT)
def test_full_width_and_half_width_are_the_same_address(text):
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    assert parse_address(wide) == parse_address("".join(c if c != "\u3000" else " " for c in text))


@settings(max_examples=200, deadline=None)
@given(ROADS, st.integers(1, 999), st.integers(0, 9))
def test_another_digit_is_another_door(road, number, digit):
    short, long = parse_address(f"{road}{number}号"), parse_address(f"{road}{number}{digit}号")
    assert door_key(short) != door_key(long)
    assert building_key(short) != building_key(long)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["东", "西", "南", "北", "东南", "西北", "北东"]),
    st.integers(1, 5000),
    st.sampled_from(["", "约"]),
)
def test_an_offset_is_as_long_as_it_says(heading, metres, about):
    written = find_offset(f"松山路与竹林路交叉口向{heading}{about}{metres}米")
    assert written == f"向{heading}{about}{metres}米"
    assert sum(part**2 for part in read_offset(written)) ** 0.5 == pytest.approx(metres)
