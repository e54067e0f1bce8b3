"""Grid codes: text of up to 20 characters, dates beside them, and joins with tables that pad them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geo.errors import GridError

# Beyond this a number of a file no longer tells neighbouring codes apart.
MOST_EXACT = 2**53
# Run together, only eight digits tell the month from the day.
_DATE = re.compile(r"(\d{4})(?:(\d{2})(\d{2})(?!\d)|\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?!\d))")
_LEVELS = (6, 9, 12)  # district, subdistrict, community in the statistical codes (GB/T 2260, GB/T 10114)


@dataclass(frozen=True, slots=True)
class CodeJoin:
    """Rows of a table met with grid areas by code.

    Parameters
    ----------
    pairs : mapping of str to str
        Key of the table's row by grid code.
    unmatched : tuple of str
        Grid codes without a row.
    unused : tuple of str
        Keys of the table that met no grid area.
    ambiguous : tuple of str
        Keys of the table that two rows write the same way.
    """

    pairs: Mapping[str, str]
    unmatched: tuple[str, ...]
    unused: tuple[str, ...]
    ambiguous: tuple[str, ...]


def read_text(value: Any) -> str:
    """Return a cell as text; a code that a file keeps as a number must not gain a decimal point.

    Raises
    ------
    GridError
        ``inexact_codes`` when the number is too long to be exact.
    """
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        if abs(value) > MOST_EXACT:
            raise GridError("inexact_codes", value=f"{value:.0f}")
        return str(int(value))
    return str(value).strip()


def read_date(value: Any) -> dt.date | str | None:
    """Return a cell as a date, None where it is empty, or the text itself where it is no date."""
    if value is None or value != value:
        return None
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    text = read_text(value)
    found = _DATE.match(text)
    if not text:
        return None
    if found is None:
        return text
    try:
        return dt.date(*(int(part) for part in found.groups() if part is not None))
    except ValueError:
        return text


def canonical_code(code: str) -> str:
    """Give the shortest writing of a statistical code: 110101001000 and 110101001 name one subdistrict.

    Parameters
    ----------
    code : str
        A code as written; blanks are left out.

    Returns
    -------
    str
        The code without the zeros that only fill it up to 12 digits; any other code as it is.
    """
    bare = re.sub(r"\s", "", code)
    if len(bare) != _LEVELS[-1] or not bare.isdecimal():
        return bare
    for length in _LEVELS[:-1]:
        if bare[length:] == "0" * (_LEVELS[-1] - length):
            return bare[:length]
    return bare


def join_by_code(grid_codes: Sequence[str], keys: Sequence[str]) -> CodeJoin:
    """Match grid areas with the rows of a table by code, however many filling zeros either side writes.

    Parameters
    ----------
    grid_codes : sequence of str
        Codes of the polygons.
    keys : sequence of str
        Codes of the table's rows.

    Returns
    -------
    CodeJoin
        Nothing is matched by a part of a code.
    """
    by_code: dict[str, list[str]] = {}
    for key in keys:
        by_code.setdefault(canonical_code(key), []).append(key)
    ambiguous = sorted(key for same in by_code.values() if len(same) > 1 for key in same)
    pairs = {code: same[0] for code in grid_codes if len(same := by_code.get(canonical_code(code), [])) == 1}
    met = set(pairs.values())
    return CodeJoin(
        pairs,
        tuple(code for code in grid_codes if code not in pairs),
        tuple(key for key in keys if key not in met and key not in ambiguous),
        tuple(ambiguous),
    )
