"""Numerals and characters of Chinese addresses in one normal form."""

from __future__ import annotations

import re
import unicodedata
from itertools import takewhile

from data.register.characters import normalise as as_meant

_DIGITS = {**{c: i for i, c in enumerate("零一二三四五六七八九")}, "〇": 0, "两": 2}
_ONES = "零一二三四五六七八九"
_TENS = {"十": 10, "百": 100, "千": 1000}
_NUMERAL = "零〇一二三四五六七八九十百千两廿"
# A Chinese numeral becomes digits only before a word that counts houses; 中山东二路 and 三经街 stay names.
_COUNTED = re.compile(
    rf"(?<![东西南北中])([{_NUMERAL}]+)"
    r"(?=号(?!线|[路街桥])|弄(?!堂)|号?楼(?![上下])|层|室|单元|幢|栋|座(?!谈)|(?<=村.)组|(?<=村..)组)"
)
# 761号之二2楼 is door 之2, floor 2: a comma keeps the two digits apart.
_BRANCH = re.compile(rf"(?<=[\d号]之)([{_NUMERAL}]+)(?=(\d)?)")
# The digits of a list of floors: 一、二层, 地下一至三层.
_LISTED = re.compile(
    rf"(?<![{_NUMERAL}东西南北中])([{_NUMERAL}]{{1,3}})(?=[-、/~至到][{_NUMERAL}\d]{{1,3}}(?:号?楼(?![上下])|层))"
)
# What a list puts before an address: 1、 and signs.
_NOISE = re.compile(r"^(?:[•·*、,.:;。_|]|\d{1,3}[、.](?=[一-龥])(?![号弄楼层室幢栋座单]))+")
_SIGNS = ("So", "Sk", "Mn")
_NAME_DIGIT = re.compile(r"(?<=[一-龥])(\d{1,2})(?=[路街村段])")


def normalise(text: str) -> str:
    """Write an address in half-width characters without blanks, house numerals as digits.

    Parameters
    ----------
    text : str
        Address as entered.

    Returns
    -------
    str
        Normalised text; 十二号 gives 12号 and 一二三号 gives 123号, road names keep their numerals.
        Characters that nobody sees (zero-width blanks, control characters) are left out.
    """
    plain = re.sub(r"\s+", "", as_meant(text))
    plain = as_meant(plain)  # a blank may have stood between a letter and its accent
    plain = re.sub(r"(?<=\d)[‐-―−─至~～](?=\d)", "-", plain)
    plain = plain.translate(str.maketrans("【】[]，；;", "()(),,,"))
    plain = _without_noise(plain)
    plain = _LISTED.sub(lambda found: _to_digits(found[1]), plain)
    plain = _COUNTED.sub(lambda found: _to_digits(found[1]), plain)
    return _BRANCH.sub(lambda found: _to_digits(found[1]) + ("," if found[2] else ""), plain)


def spell(name: str) -> str:
    """Write the digits in the name of a road or a village as numerals: 中山南2路 is 中山南二路."""
    return _NAME_DIGIT.sub(lambda found: _to_numeral(int(found[1])), name)


def _without_noise(text: str) -> str:
    """Leave out the signs and the count that a list puts before an address."""
    while text:
        signs = sum(1 for _ in takewhile(lambda c: unicodedata.category(c) in _SIGNS, text))
        rest = _NOISE.sub("", text[signs:])
        if rest == text:
            break
        text = rest
    return text


def _to_numeral(number: int) -> str:
    tens, ones = divmod(number, 10)
    ten = "" if tens == 0 else "十" if tens == 1 else f"{_ONES[tens]}十"
    return ten + (_ONES[ones] if ones or not tens else "")


def _to_digits(numeral: str) -> str:
    """Read 十二, 廿一 and 一百二十 by value, 一二三 digit by digit."""
    numeral = numeral.replace("廿", "二十")
    if not any(c in _TENS for c in numeral):
        return "".join(str(_DIGITS[c]) for c in numeral)
    total, digit = 0, 0
    for c in numeral:
        if c in _TENS:
            total, digit = total + max(digit, 0 if total and c != "十" else 1) * _TENS[c], 0
        else:
            digit = _DIGITS[c]
    return str(total + digit)
