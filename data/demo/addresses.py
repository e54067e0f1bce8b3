"""Addresses as registers write them: four of five plainly, the others with the usual slips."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data.demo.presets import DISTRICT_NAME
from data.demo.seats import Seat
from data.demo.streets import Door
from data.demo.words import UNKNOWN_PLACES

HARD_SHARE = 0.2
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
# How often each slip of `_write_hard` is made.
_SLIPS = (0.16, 0.16, 0.16, 0.12, 0.12, 0.11, 0.12, 0.05)
_DIGITS = "零一二三四五六七八九"


def write_addresses(
    seats: Sequence[Seat],
    doors: Sequence[Door],
    subdistricts: Sequence[str],
    landmarks: Sequence[str],
    *,
    chance: np.random.Generator,
) -> list[str]:
    """Return the address of each seat.

    Parameters
    ----------
    subdistricts
        Subdistrict of each seat, empty outside the district.
    landmarks
        Names of the nearest school of each seat, for remarks in brackets.
    """
    whole = iter(UNKNOWN_PLACES)
    hard = chance.random(len(seats)) < HARD_SHARE
    written = []
    for seat, subdistrict, landmark, is_hard in zip(seats, subdistricts, landmarks, hard, strict=True):
        door = doors[seat.door]
        if seat.lost:
            written.append(DISTRICT_NAME + next(whole))
        elif is_hard:
            written.append(_write_hard(seat, door, subdistrict, landmark, chance))
        else:
            office = subdistrict if chance.random() < 0.4 else ""
            written.append(f"{DISTRICT_NAME}{office}{door.address}{_inside(seat, chance)}")
    return written


def _inside(seat: Seat, chance: np.random.Generator) -> str:
    """Return what stands behind the door number; licences of one room all write the same."""
    if seat.one_room:
        return "3楼302室"
    if seat.size >= 3:
        return f"{seat.position + 2}楼{seat.position + 2}0{1 + seat.group % 8}室"
    if seat.size == 2:
        return (("底商", "2楼"), ("101室", "102室"), ("1楼", "3楼301室"))[seat.group % 3][seat.position]
    floor = int(chance.integers(1, 7))
    return ("", "", f"{floor}楼", f"{floor}楼{floor}0{int(chance.integers(1, 9))}室", "底商")[
        int(chance.integers(5))
    ]


def _write_hard(seat: Seat, door: Door, subdistrict: str, landmark: str, chance: np.random.Generator) -> str:
    inside = _inside(seat, chance)
    plain = f"{DISTRICT_NAME}{door.address}{inside}"
    slip = int(chance.choice(8, p=_SLIPS))
    if slip == 7 and (seat.size > 1 or seat.cluster is not None):
        slip = 2
    match slip:
        case 0:  # 号 is missing; before a floor the digits would run together, so a blank as people put it
            return f"{DISTRICT_NAME}{door.street}{door.number}" + ("" if inside[:1].isdigit() else inside)
        case 1:
            return f"{DISTRICT_NAME}{door.address}（{landmark}对面）{inside}"
        case 2:
            return f"{door.address}{inside or '底商'}"
        case 3:
            return plain.translate(_FULL_WIDTH)
        case 4:
            return f"辽海省{DISTRICT_NAME}{subdistrict} {door.address} {inside}"
        case 5:
            return f"{DISTRICT_NAME}{door.street}{_in_words(door.number)}号{inside}"
        case 6:
            office = f"{subdistrict}办事处" if subdistrict else ""
            return f"{DISTRICT_NAME}{office}{door.street}{door.number}号院{inside}"
        case _:  # only the road is known: a row for the review list
            return f"{DISTRICT_NAME}{door.street}中段"


def _in_words(number: int) -> str:
    return "".join(_DIGITS[int(digit)] for digit in str(number))
