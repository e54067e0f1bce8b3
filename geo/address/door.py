"""The door of a Chinese address: lane, number, range and branch, or a cut of digits whose 号 is missing."""

from __future__ import annotations

import re
from typing import Any

from geo.address.inside import FLOOR_WORD

_HAN = "一-龥"
# A digit run of a road (一号路, 102国道), of a village (3村, 12组) or a distance is none of a house.
# Nor is one of a plot of land (C-15地块, 3号地块) or of a section of the road (2段).
HOUSE_RUN = re.compile(
    r"(?<![A-Za-z\d])(?<![A-Za-z]-)[甲乙丙丁附]?\d+"
    r"(?!\d|号?[路街](?!口)|号?线|国道|省道|县道|[米年组村段]|公里|世纪|(?:-\d+)*号?地块)"
)
_LANE = re.compile(r"(\d+)(?:弄|巷|胡同|里(?!程))")
_DOOR = re.compile(
    r"(?P<before>[甲乙丙丁附])?(?P<number>\d+)(?P<after>[甲乙丙丁A-Za-z](?:\d{1,2}(?=号))?)?"
    r"(?:[-~、,之](?P<sub>\d+(?:[-、,]\d+)*)(?P<subunit>号)?)?"
)
_ESTATE = re.compile(
    rf"(?:交汇处|交叉口|路口|^|\|)((?:(?!交汇处|交叉口|路口)[{_HAN}]){{1,12}}(?<!农)\d{{0,2}}村)$"
)  # between a road and a number that is its own
_TOWER = re.compile(r"[A-Za-z]\d+(?:座|幢|栋|号楼)|[A-Za-z][座幢栋]")  # A3座 and A座1204 are no house numbers
_EXTRA = re.compile(r"(?:-(\d{1,2})(?:号|(?![\d-])(?=$|[|,]))|之(\d{1,2})(?![\d-])号?|附(\d+(?:-\d+)*)号?)")
_LAST_NUMBER = re.compile(r"[-、,至到](\d+)号(?!楼|房|[路街线])")
_BRANCH_LANE = re.compile(r"(\d+支弄)(?=\d)")  # every branch of a lane has its own doors
_CUT = re.compile(rf"(\d{{2,}})({FLOOR_WORD}|室)")


def is_lane(rest: str) -> bool:
    """Tell whether a text begins with a lane number (2777弄)."""
    return _LANE.match(rest) is not None


def take_door(rest: str, parts: dict[str, Any]) -> str:
    """Take lane, number and branch off the front of what follows the road or the estate.

    Parameters
    ----------
    rest : str
        Normalised text after the road.
    parts : dict
        Holds ``road`` or ``place``; receives ``lane``, ``number``, ``number_to``, ``sub_number``, ``cut`` and
        what stood before the number as ``lead``. An estate or a village before the number takes it over:
        四平路鞍山五村48号 is door 48 of 鞍山五村.

    Returns
    -------
    str
        What follows.
    """
    if _TOWER.match(rest):
        return rest
    lead_text = re.match(r"(?:[^\d甲乙丙丁附]|\d{1,2}(?=村))*", rest)
    before = lead_text[0] if lead_text else ""
    if not HOUSE_RUN.match(rest[len(before) :]):
        return rest
    rest = rest[len(before) :]
    if pieces := [piece for piece in before.split("|") if piece]:
        estate = _ESTATE.search(pieces[-1]) if "road" in parts and before[-1] != "|" else None
        if estate is not None:
            pieces = [parts.pop("road"), *pieces[:-1]]
            parts["place"] = estate[1]
        parts["lead"] = (*parts.get("lead", ()), *pieces)
    lane = _LANE.match(rest)
    if lane is not None:
        parts["lane"], rest = lane[1], rest[lane.end() :]
        branch = _BRANCH_LANE.match(rest)
        if branch is not None:
            parts["building"], rest = branch[1], rest[branch.end() :]
    cut = _CUT.match(rest)
    if cut is not None and lane is None:
        return _take_cut(rest, cut, parts)
    door = _DOOR.match(rest)
    if door is None:
        return rest
    after = rest[door.end() :]
    sign = r"[号#](?!楼(?![上下])|房)" if "road" in parts else r"号(?!楼(?![上下])|房)"
    if re.match(sign, after) or door["subunit"]:
        _set_door(door, parts)
        rest = after.removeprefix("号").removeprefix("#")
        last = _LAST_NUMBER.match(rest) if "sub_number" not in parts and "number_to" not in parts else None
        if last is not None and int(last[1]) > int(door["number"]):
            parts["number_to"], rest = last[1], rest[last.end() :]
        extra = _EXTRA.match(rest) if "sub_number" not in parts and "number_to" not in parts else None
        if extra is not None:
            parts["sub_number"], rest = extra[1] or extra[2] or extra[3], rest[extra.end() :]
        letter = re.match(r"[甲乙丙丁](?![" + _HAN + "])", rest)
        if letter is not None and "sub_number" not in parts:
            parts["sub_number"], rest = letter[0], rest[1:]
        return rest
    if lane is not None or re.match(rf"号楼(?![上下])|号房|[幢栋座#]|单元|{FLOOR_WORD}|室|门(?!市)", after):
        return rest
    _set_door(door, parts)
    return after


def _take_cut(rest: str, cut: re.Match[str], parts: dict[str, Any]) -> str:
    """Cut 618201室 into number and room; short runs (12楼, 201室) are the floor or the room alone."""
    part = "room" if cut[2] == "室" else "floor"
    found = cut_door(cut[1], part)
    if not found:
        return rest
    parts["number"], parts[part] = found[0]
    parts["cut"] = cut[1]
    return rest[cut.end() :]


def cut_door(run: str, part: str) -> list[tuple[str, str]]:
    """Give plausible (number, floor or room) cuts of a digit run, most plausible first.

    Parameters
    ----------
    run : str
        Digits.
    part : str
        ``floor`` or ``room``: what the run ends in.

    Returns
    -------
    list of tuple of str
        Empty when the run is too short to hold both.
    """
    sizes, shortest = ((1, 2), 3) if part == "floor" else ((3, 4), 5)
    if len(run) < shortest:
        return []
    return [
        (run[:-size], run[-size:])
        for size in sizes
        if len(run) > size and run[-size] != "0" and run[0] != "0" and len(run) - size <= 4
    ]


def _set_door(door: re.Match[str], parts: dict[str, Any]) -> None:
    parts["number"] = door["number"].lstrip("0") or "0"
    sub = door["sub"]
    letter = door["before"] or door["after"]
    if sub and sub.isdigit() and int(sub) > int(door["number"]):
        parts["number_to"] = sub
    elif sub and door["after"]:
        parts["sub_number"] = f"{door['after']}-{sub}"  # 12甲-3号 is not 12-3号
    elif sub:
        parts["sub_number"] = sub
    if letter and "sub_number" not in parts:
        parts["sub_number"] = letter
