"""Parts of a Chinese address inside its door: building, unit, floor and room."""

from __future__ import annotations

import re
from typing import Any

FLOOR_WORD = r"(?:楼|层|[Ff](?![A-Za-z]))"
_INSIDE = (
    ("building", re.compile(r"(\d+[A-Za-z]?|[A-Za-z]\d*)(?:号楼(?![上下])|幢|栋|座|#楼?|号房)")),
    ("unit", re.compile(r"(\d+|[A-Za-z])(?:单元|门(?![市店诊面卫口]))")),
    ("floor", re.compile(rf"((?:地下|负|[Bb]|-)?\d+(?:[-、~/]\d+)?){FLOOR_WORD}")),
    (
        "room",
        re.compile(r"([A-Za-z]?\d+(?:[-、]\d+)*[A-Za-z]?)(?:室|房(?!产)|号?(?:商铺|门市|铺|商业|店铺))"),
    ),
    ("room", re.compile(r"(?:底商|门市|商铺)-?(\d+)号?(?![-\d])")),
)
_LAST_ROOM = re.compile(r"(?:-(?=\d{1,4}$))?(\d{3,4}|(?<=-)\d{1,4})$")
# Behind a house number 1-12-3 is one room, whatever its digits count.
_DASHES = re.compile(r"(\d+(?:-\d+)+)(?:室|号)?")
_DASH_ROOM = re.compile(r"(\d+)-(\d+)-(\d{2,4})(?:室|号)?$")


def is_dashed_room(rest: str) -> bool:
    """Tell whether a text is building-unit-room written with dashes (10-2-108)."""
    return _DASH_ROOM.match(rest) is not None


def take_inside(rest: str, parts: dict[str, Any]) -> tuple[str, ...]:
    """Take building, unit, floor and room out of what follows the door.

    Parameters
    ----------
    rest : str
        Normalised text after the door number.
    parts : dict
        Receives ``building``, ``unit``, ``floor`` and ``room``.

    Returns
    -------
    tuple of str
        What was written besides.
    """
    dashed = _DASH_ROOM.match(rest)
    if dashed is not None and "road" not in parts:
        parts["building"], parts["unit"], parts["room"] = dashed.groups()
        return ()
    dashes = _DASHES.fullmatch(rest)
    if dashes is not None and "road" in parts and "number" in parts and "room" not in parts:
        parts["room"] = dashes[1]
        return ()
    tail: list[str] = []
    at = begun = 0
    while at < len(rest):
        name, found = _inside_at(rest, at, parts)
        if found is None:
            # A run of digits or letters is one token: never start in its middle.
            step = re.match(r"[A-Za-z]*\d+|[A-Za-z]+|.", rest[at:])
            at += step.end() if step else 1
            continue
        tail.append(rest[begun:at])
        parts[name] = found[1]
        at = begun = at + found.end()
    tail.append(rest[begun:])
    last = _LAST_ROOM.search(tail[-1]) if "room" not in parts else None
    if last is not None and last.start() == 0 and ({"building", "unit", "floor"} & parts.keys()):
        parts["room"] = last[1]
        tail.pop()
    pieces = (piece.strip("-、,") for text in tail for piece in text.split("|"))
    return tuple(piece for piece in pieces if piece)


def _inside_at(rest: str, at: int, parts: dict[str, Any]) -> tuple[str, re.Match[str] | None]:
    for name, pattern in _INSIDE:
        found = pattern.match(rest[at:])
        if found is not None and name not in parts:
            return name, found
    return "", None
