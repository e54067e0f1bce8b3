"""Estates and villages: door numbers of their own, by name and not along a road (彭浦新村267号)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from geo.address.numerals import spell
from geo.address.parser import Address
from geo.crs import Floats
from geo.gazetteer.roads import Road, gather_road

_HAN = "一-龥"
_ESTATE = re.compile(rf"[{_HAN}]{{1,12}}(?:村|小区|花园|家园|公寓|苑|新城|花苑|公馆|雅苑)(?:[{_HAN}\d]组)?")
_HAMLET = re.compile(rf"[{_HAN}]{{1,10}}村[{_HAN}]{{2,3}}")  # 前岗村西埭821号: a village and its part
_COUNTED = re.compile(rf"([{_HAN}]+?)(?:新|[一二三四五六七八九十]+)村")
_ADMIN = re.compile(r"^(?:[一-龥]{2}市)?(?:[一-龥]{2,3}区)?")


def estate_name(word: str) -> str | None:
    """Write a word as estates are looked up by (田林11村 is 田林十一村), None when it names none."""
    name = spell(word)
    return name if _ESTATE.fullmatch(name) else None


def estate_of(address: Address) -> str | None:
    """Give the estate whose door an address names, else None."""
    if not address.place or address.road is not None:
        return None
    hamlet = address.number is not None and _HAMLET.fullmatch(address.place) is not None
    return address.place if hamlet else estate_name(address.place)


def estate_number(address: Address) -> int | None:
    """Give the number of a door in its estate: its 号, its lane's or its 号楼."""
    written = address.number or address.lane or address.building
    digits = re.sub(r"\D", "", written or "")
    return int(digits) if 0 < len(digits) <= 6 else None


def stem_of(name: str) -> str | None:
    """Give what an estate shares with its siblings (田林 of 田林十一村), None for other names."""
    found = _COUNTED.fullmatch(name)
    return found[1] if found is not None and len(found[1]) >= 2 else None


def index_estates(addresses: Sequence[Address], names: Sequence[str], xy: Floats) -> dict[str, Road]:
    """Gather the rows of each estate: its doors, and rows that bear its name or stand in it.

    Parameters
    ----------
    addresses : sequence of Address
        Parsed address of each row.
    names : sequence of str
        Normalised name of each row.
    xy : ndarray, shape (n, 2)
        Points in metres.

    Returns
    -------
    dict of str to Road
        Estates by `estate_name`, as a series of numbers with the rows of each.
    """
    doors: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    every: dict[str, list[int]] = defaultdict(list)
    for row, (address, name) in enumerate(zip(addresses, names, strict=True)):
        own, number = estate_of(address), estate_number(address)
        words = (*address.lead, *address.tail, _ADMIN.sub("", name))
        named = {found for word in words if (found := estate_name(word)) is not None}
        for estate in sorted(named if own is None else {*named, own}):
            every[estate].append(row)
        if own is not None and number is not None:
            doors[own][number].append(row)
    return {name: gather_road(name, doors[name], rows, xy) for name, rows in every.items()}


def sibling_estates(name: str, estates: Iterable[str]) -> tuple[str, ...]:
    """List the known estates of the same stem (田林十二村 for 田林十一村)."""
    stem = stem_of(name)
    if stem is None:
        return ()
    return tuple(sorted(other for other in estates if other != name and stem_of(other) == stem))


def families(estates: Mapping[str, Road]) -> dict[str, list[str]]:
    """Group the estates by their stem."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in sorted(estates):
        if (stem := stem_of(name)) is not None:
            found[stem].append(name)
    return found
