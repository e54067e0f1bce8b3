"""Known doors: the rows of one number, told apart by building, unit and room."""

from __future__ import annotations

from geo.address.parser import Address, room_part, unit_key
from geo.gazetteer.calibration import Calibration
from geo.gazetteer.index import Gazetteer
from geo.gazetteer.matches import Level
from geo.gazetteer.roads import Ints
from geo.gazetteer.spots import SCORE, Spot
from geo.gazetteer.trials import middle


def at_door(gazetteer: Gazetteer, calibration: Calibration, address: Address, rows: Ints) -> Spot:
    """Place an address by the known rows of its number.

    Parameters
    ----------
    gazetteer : Gazetteer
        Known addresses.
    calibration : Calibration
        Their error radii.
    address : Address
        Address whose number is known.
    rows : ndarray of int64
        Gazetteer rows of that number, at least one.

    Returns
    -------
    Spot
        The room, else the door (confirmed rows first), else another unit at the same number.
    """
    known, wanted, room = gazetteer.addresses, unit_key(address), room_part(address)
    same = [int(row) for row in rows if unit_key(known[row]) == wanted]
    same = [row for row in same if gazetteer.confirmed[row]] or same
    rooms = [row for row in same if room is not None and room_part(known[row]) == room]
    level = Level.ROOM if rooms else Level.DOOR if same else Level.OTHER_UNIT
    used = rooms or same or [int(row) for row in rows]
    radius = calibration.door_m if same else calibration.other_unit_m
    return Spot(middle(gazetteer.xy[used]), level, SCORE[level], radius, min(known[row].text for row in used))
