"""Several sites of one holder: in one cell of a table, or as rows that share a credit code."""

from __future__ import annotations

import re

from data.register.characters import normalise

_STRONG = re.compile(
    r"[;；|]|[①-⓿❶-➓⑴-⒇]|(?:(?:总|分|本)(?:校|部|园|店|馆)|[东南西北新老]?校区|教学点)[一二三四\d]?\s*[:：]"
)
_WEAK = re.compile(r"[\n\r、,，/]|(?<=号)(?:及|和|与)")
_DOOR = re.compile(r"\d+\s*(?:号|弄|室|幢|栋|座|楼|铺|单元)")
_ROAD_DOOR = re.compile(
    r"[一-鿿](?:路|街|道|巷|弄|里|胡同|大道|村|镇|新村|广场|大厦|花园|苑)[^\d;；]{0,6}\d+\s*(?:号|弄|幢|栋)"
)
_DECORATION = re.compile(
    r"[\s()（）\[\]【】]|(?:总校|分校|校区|本部|分部|总部|分店|教学点|分园|总园)[一二三四\d]?$"
)
_SHORTEST_STEM = 3


def sites_in(text: str) -> tuple[str, ...]:
    """Return the addresses that one cell holds, none unless there are several.

    Doors of one road (15号、17号) are one site. Parted by a semicolon, a circled number or the name of a
    campus each part is an address if it has a door; parted by a comma or a line's end only if it also has a
    road of its own.
    """
    parts = [part for part in _STRONG.split(text) if _DOOR.search(normalise(part))]
    found: list[str] = []
    for part in parts:
        pieces = [_tidy(piece) for piece in _WEAK.split(part)]
        roads = [piece for piece in pieces if _ROAD_DOOR.search(piece)]
        found.extend(roads if len(roads) > 1 else [_tidy(part)])
    return tuple(dict.fromkeys(found)) if len(set(found)) > 1 else ()


def is_campus(name: str, other: str) -> bool:
    """Return whether two names under one credit code are those of campuses: alike but for their ends."""
    one, two = (_DECORATION.sub("", normalise(text)) for text in (name, other))
    alike = 0
    for left, right in zip(one, two, strict=False):
        if left != right:
            break
        alike += 1
    shorter = min(len(one), len(two))
    return one == two or (alike >= _SHORTEST_STEM and 2 * alike >= shorter)


def _tidy(text: str) -> str:
    return re.sub(r"\s+", " ", normalise(text)).strip(" 、,，;；:：。")
