"""Distance remarks of an address: 交叉口东南50米, 向西约150米."""

from __future__ import annotations

import re

_HEADINGS = {"东": (1.0, 0.0), "西": (-1.0, 0.0), "南": (0.0, -1.0), "北": (0.0, 1.0)}
_EIGHT = r"(?:[东西][南北]|[南北][东西]|[东西南北])"
_OFFSET = re.compile(
    rf"(?:[向往以朝])?({_EIGHT})(?:侧|面|边|方向|方|行|走|去)?(?:大?约)?(\d{{1,5}})(?:余|多)?米(?![高宽长深店])"
)
_FARTHEST_M = 5000.0  # what is further is a slip of the pen


def find_offset(text: str) -> str | None:
    """Find the one distance remark of a normalised address.

    Parameters
    ----------
    text : str
        Normalised address.

    Returns
    -------
    str or None
        The remark as written; None when there is none, or more than one (先向东100米再向北50米).
    """
    found = [remark[0] for remark in _OFFSET.finditer(text)]
    return found[0] if len(found) == 1 else None


def read_offset(written: str) -> tuple[float, float]:
    """Read a distance remark.

    Parameters
    ----------
    written : str
        Result of `find_offset`.

    Returns
    -------
    tuple of float
        Metres to the east and to the north; nothing where the distance is beyond 5 km.
    """
    remark = _OFFSET.fullmatch(written)
    if remark is None or not 0.0 < (metres := float(remark[2])) <= _FARTHEST_M:
        return 0.0, 0.0
    east = sum(_HEADINGS[c][0] for c in remark[1])
    north = sum(_HEADINGS[c][1] for c in remark[1])
    length = (east**2 + north**2) ** 0.5
    return metres * east / length, metres * north / length
