"""Numerals and characters of Chinese addresses in one normal form."""

from __future__ import annotations

import re
import unicodedata

_DIGITS = {**{c: i for i, c in enumerate("零一二三四五六七八九")}, "〇": 0, "两": 2}
_TENS = {"十": 10, "百": 100, "千": 1000}
_NUMERAL = "零〇一二三四五六七八九十百千两廿"
# A Chinese numeral becomes digits only before a word that counts houses; 中山东二路 and 三经街 stay names.
_COUNTED = re.compile(
    rf"(?<![东西南北中])([{_NUMERAL}]+)"
    r"(?=号(?!线|[路街桥])|弄(?!堂)|号?楼(?![上下])|层|室|单元|幢|栋|座(?!谈)|(?<=村.)组|(?<=村..)组)"
)
# 761号之二2楼 is door 之2, floor 2: a comma keeps the two digits apart.
_BRANCH = re.compile(rf"(?<=[\d号]之)([{_NUMERAL}]+)(?=(\d)?)")
_UNSEEN = ("Cc", "Cf", "Cs")  # control and format characters that come with pasted text


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
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
    plain = "".join(c for c in plain if unicodedata.category(c) not in _UNSEEN)
    plain = unicodedata.normalize("NFKC", plain)  # a blank may have stood between a letter and its accent
    plain = re.sub(r"(?<=\d)[‐-―−─至~～](?=\d)", "-", plain)
    plain = plain.translate(str.maketrans("【】[]，；;", "()(),,,"))
    plain = _COUNTED.sub(lambda found: _to_digits(found[1]), plain)
    return _BRANCH.sub(lambda found: _to_digits(found[1]) + ("," if found[2] else ""), plain)


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
