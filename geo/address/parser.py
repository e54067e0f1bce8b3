"""Chinese addresses: one line of text to named parts, without ever adding a character."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from geo.address.admin import take_admin
from geo.address.door import HOUSE_RUN, cut_door, is_lane, take_door
from geo.address.inside import is_dashed_room, take_inside
from geo.address.numerals import normalise, spell
from geo.address.offset import find_offset

_HAN = "一-龥"
_ROAD_WORD = (
    r"(?<!\d米)(?:大街|大道|公路|胡同|国道|省道|县道|(?<!交叉)路|街(?!坊|道)|道|巷|里弄"
    r"|浜(?![东西南北中]?路)|弄)"
)
# A direction right before the number is the road's own: 工业大道南821号 is not on 工业大道.
_SECTION = (
    r"(?:支路|[东西南北中]?(?:[一二三四五六七八九十]+|\d{1,2})段|[东西南北中]段|[一二三四五六七八九十]+[巷弄]"
    r"|[东西南北中](?=[甲乙丙丁附]?\d+(?:-\d+)?号|$|\|))?"
)
# A road may have a digit in its name (中山南2路), one block of a housing estate (3街坊) is none.
_SPLIT_ROAD = re.compile(
    rf"(?:\d+号?)?(?:[^\d()、,与|]|(?<=[{_HAN}])\d{{1,2}}(?=[路街](?![口区坊道])))+?{_ROAD_WORD}{_SECTION}"
)
# What joins two roads of a crossing; 和 is a joiner only where it does not begin 和平路.
_JOINER = re.compile(r"^(?:路口|交叉口|交汇处|口|与|和(?!平)|近|[、,])+")
_COMMUNITY = re.compile(r"(.{2,6}社区)(.{2,}[路街道巷弄])$")  # 光明社区幸福路
_MOST_CHARACTERS = 400  # a register has 200; what is longer is no address
_BELOW = re.compile(r"^(?:地下|负|-)")
_FLOORS = re.compile(r"(?<=\d)[、/~](?=\d)")  # 2、3楼 and 2-3层 are the same floors
_GROUP = re.compile(r"\d+组(?=\d|$)")
_COUNTED_VILLAGE = re.compile(r"\d{1,2}村")  # 田林11村
_NO_DOOR = re.compile(r".*(?:村|屯|组|社区|小区|花园|家园|街道|[镇乡])")  # without a number
_NOTHING = re.compile(r".|(?:[暂尚]?无|不详|未知|待定|同上|见)(?:地址|许可证|附件|.?照)?")
_NOTE = re.compile(r"\([^()]*\)")
# Brackets that hold a part itself: 中华路(68号) and (中华路)68号.
_DOOR_NOTE = re.compile(rf"(?<=[{_HAN}])({_ROAD_WORD}{_SECTION})\((\d+(?:-\d+)?[号弄](?:\d+号)?)\)")
_ROAD_NOTE = re.compile(
    rf"([^()路街弄巷]*)\(([{_HAN}]{{2,10}}(?:路|街|大道|公路)(?:[一二三四五六七八九十]段)?)\)(?=\d)"
)
_NEARBY = re.compile(r"(?:靠?近|临近|邻近|靠|在|原|对面)")


@dataclass(frozen=True, slots=True)
class Address:
    """Parts of one Chinese address; every text part occurs in `text`.

    Parameters
    ----------
    text : str
        Normalised text: half-width, no blanks, house numerals as digits.
    province, city, district, street : str or None
        Administrative parts as written, ``street`` being 街道, 镇 or 乡.
    lead : tuple of str
        Road names or words written before the road (a cross road, a landmark).
    road : str or None
        Road name with its section (士英街二段).
    place : str or None
        Estate or building name of an address without a road.
    lane, number : str or None
        Digits of the 弄 and of the 号.
    number_to : str or None
        Last number of a range (12-18号).
    sub_number : str or None
        Part of the door number after the dash, or 甲乙丙丁 and letters.
    building, unit, floor, room : str or None
        Parts inside the door.
    tail : tuple of str
        What was written besides: 底商, 门市, 东侧, remarks in brackets.
    offset : str or None
        Direction and distance from what is named, as written (东南50米, 向西约150米); also part of `tail`,
        and read by `geo.address.offset.read_offset`.
    cut : str or None
        Run of digits the number was cut out of because 号 was missing; see `recuts`.
    """

    text: str
    province: str | None = None
    city: str | None = None
    district: str | None = None
    street: str | None = None
    lead: tuple[str, ...] = ()
    road: str | None = None
    place: str | None = None
    lane: str | None = None
    number: str | None = None
    number_to: str | None = None
    sub_number: str | None = None
    building: str | None = None
    unit: str | None = None
    floor: str | None = None
    room: str | None = None
    tail: tuple[str, ...] = ()
    offset: str | None = None
    cut: str | None = None


def parse_address(text: str) -> Address:
    """Read the parts of one Chinese address.

    Parameters
    ----------
    text : str
        Address as entered, its first 400 characters; may be empty.

    Returns
    -------
    Address
        Parts found; a part that is not written is None.

    Notes
    -----
    Where 号 is missing before a floor or a room (618201室), the most plausible cut of the digits is taken and
    ``cut`` says so; a gazetteer decides between the cuts of `recuts`.
    """
    whole = normalise(text[:_MOST_CHARACTERS])
    body = _open_brackets(whole)
    notes = tuple(note[1:-1] for note in _NOTE.findall(body) if len(note) > 2)
    body = _NOTE.sub("|", body)  # a mark, so that digits on both sides of a remark never join
    parts: dict[str, Any] = {}
    body = take_admin(body, parts)
    anchor = _anchor(body)
    head, rest = (body, "") if anchor is None else (body[:anchor], body[anchor:])
    rest = _take_head(head, parts) + rest if anchor is not None else _take_head(head, parts)
    named = parts.get("road") or (parts.get("place") and not is_dashed_room(rest))
    if named or ("street" in parts and is_lane(rest)):
        rest = take_door(rest, parts)
    tail = take_inside(rest, parts)
    return Address(text=whole, tail=(*tail, *notes), offset=find_offset(whole), **parts)


def recuts(address: Address) -> tuple[Address, ...]:
    """List the ways to cut a run of digits whose 号 is missing, most plausible first.

    Parameters
    ----------
    address : Address
        Result of `parse_address`.

    Returns
    -------
    tuple of Address
        The address itself when nothing was cut.
    """
    if address.cut is None:
        return (address,)
    run = address.cut
    part = "room" if address.room is not None and run.endswith(address.room) else "floor"
    if part == "room":
        return tuple(replace(address, number=number, room=room) for number, room in cut_door(run, part))
    return tuple(replace(address, number=number, floor=floor) for number, floor in cut_door(run, part))


def door_key(address: Address) -> str | None:
    """Give the canonical key of the door (road, lane, number), or None when the door is not written."""
    # A lane of a village may stand right behind its town (重固镇2777弄).
    where = address.road or address.place or (address.street if address.lane else None)
    named = where if address.road is None and not _NO_DOOR.fullmatch(where or "") else None
    written = address.lane or address.number or address.building or named
    if where is None or written is None:
        return None
    door = [f"{address.lane}弄" if address.lane else "", f"{address.number}号" if address.number else ""]
    if address.number_to:
        door.append(f"至{address.number_to}号")
    if address.sub_number:
        door.append(f"之{address.sub_number.upper()}")
    if address.building:
        door.append(f"#{address.building.upper()}")
    return spell(where) + "".join(door)


def building_key(address: Address) -> str | None:
    """Give the canonical key of the building, or None when the door is not written.

    Notes
    -----
    The building is the door without what tells its doors apart: the number of a 门市 after a dash (12-3号)
    and everything inside. In a lane or an estate it is the 号 or 号楼; a 底商 or 门市 is one of its doors.
    """
    sub = "" if address.sub_number is None else address.sub_number.split("-")[0]
    return door_key(replace(address, sub_number=None if not sub or sub[0].isdigit() else sub))


def room_key(address: Address) -> str | None:
    """Give the canonical key of the room (door, unit, room, else floor), or None when no room is written."""
    door, room = door_key(address), room_part(address)
    return None if door is None or room is None else f"{door}/{room}"


def room_part(address: Address) -> str | None:
    """Give the part of `room_key` inside the door, or None when no room is written.

    Notes
    -----
    A room of three or more digits already contains its floor, so 3楼305室 and 305室 are the same room;
    地下一层, 负一楼 and B1 are the same floor.
    """
    if address.room is None and address.floor is None:
        return None
    unit = f"{address.unit.upper()}单元" if address.unit else ""
    storey = _BELOW.sub("B", (address.floor or "").upper())
    storey = _FLOORS.sub("-", storey)
    if address.room is None:
        return f"{unit}{storey}层"
    digits = sum(c.isdigit() for c in address.room)
    floor = f"{storey}层" if storey and digits < 3 else ""
    return f"{unit}{floor}{address.room.upper()}室"


def unit_key(address: Address) -> tuple[str | None, ...]:
    """Give what tells two doors of the same road number apart (lane, inner number, sub-number, building)."""
    return (address.lane, address.number, address.sub_number, address.building)


def _open_brackets(whole: str) -> str:
    """Take off the brackets that hold the road alone or the number alone."""
    body = _DOOR_NOTE.sub(r"\1\2", whole)
    road = _ROAD_NOTE.match(body)
    if road is not None and not _NEARBY.match(road[2]):
        body = f"{road[1]}|{road[2]}{body[road.end() :]}"
    return body


def _anchor(body: str) -> int | None:
    """Find where the door begins: the first house-number run after a road word, else None."""
    road = re.search(_ROAD_WORD + _SECTION, body)
    if road is None:
        return None
    number = next((run for run in HOUSE_RUN.finditer(body) if run.start() >= road.end()), None)
    return None if number is None else number.start()


def _take_head(head: str, parts: dict[str, Any]) -> str:
    """Split the text before the door into roads and landmarks; give back what belongs to the inside."""
    tokens = _road_tokens(head)
    roads = [token for token, is_road in tokens if is_road]
    if not roads:
        place = re.match(
            rf"(?:(?![甲乙丙丁附]\d)[{_HAN}·]|[A-Za-z](?![A-Za-z]*\d|[座幢栋]))+(?=[A-Za-z甲乙丙丁附]*\d|[A-Za-z][座幢栋]|$)",
            head,
        )
        if place is not None and not (
            _NOTHING.fullmatch(head) or re.match(r"(?:底商|门市|[A-Za-z]*$|[A-Za-z]+[座栋幢])", head)
        ):
            group = _GROUP.match(head, place.end()) if place[0].endswith(("村", "屯")) else None
            more = group or _COUNTED_VILLAGE.match(head, place.end())
            end = more.end() if more else place.end()
            parts["place"] = head[:end]
            return head[end:]
        return head
    last = max(i for i, (_, is_road) in enumerate(tokens) if is_road)
    parts["road"] = tokens[last][0]
    community = _COMMUNITY.match(parts["road"])
    if community is not None:
        parts["lead"], parts["road"] = (*parts.get("lead", ()), community[1]), community[2]
    if lead := tuple(piece for token, _ in tokens[:last] for piece in token.split("|") if piece):
        parts["lead"] = (*parts.get("lead", ()), *lead)
    return "".join(token for token, _ in tokens[last + 1 :])


def _road_tokens(head: str) -> list[tuple[str, bool]]:
    """Split text into (piece, is a road), in order and without the words that join two roads."""
    tokens: list[tuple[str, bool]] = []
    at = 0
    for found in _SPLIT_ROAD.finditer(head):
        tokens += [
            (_JOINER.sub("", head[at : found.start()]), False),
            (_JOINER.sub("", found[0]) if at else found[0], True),
        ]
        at = found.end()
    rest = head[at:]
    word = re.match(rf"{_ROAD_WORD}(?!口)", rest)
    if word is not None and tokens:
        tokens[-1] = (tokens[-1][0] + word[0], True)  # 马路街 is one name, not 马路 and 街
        rest = rest[word.end() :]
    pieces = [(token.strip("、,|"), is_road) for token, is_road in tokens]
    # The end of the rest keeps its mark, so that its digits never join those of the door.
    pieces.append((rest.lstrip("、,|"), False))
    return [(token, is_road) for token, is_road in pieces if token.strip("、,|")]
