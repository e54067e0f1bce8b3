"""Shapefiles: the files that belong together, and the text encoding of their attributes."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd

from geo.errors import FormatError

_NEEDED = (".dbf", ".shx")
# Language driver ids of dBASE tables that name a Chinese or Unicode code page.
_DRIVERS = {0x4D: "gb18030", 0x78: "big5", 0x4F: "big5", 0x7A: "gb18030"}
_NAME_BYTES = 10
BYTES = "ISO-8859-1"  # every byte is a character of it: texts pass through unread; GDAL minds the case
_MOST_NAMED = 20
_MOST_CUT = 0.5  # of the characters that are several bytes long
_MOST_SAMPLED = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Encoding:
    """The text encoding of an attribute table.

    Parameters
    ----------
    name : str
        Python's name of it.
    told_by : str
        ``stated`` (by the person who imports), ``cpg``, ``driver_id`` or ``detected`` (UTF-8 where the texts
        are, else GB18030; also where a file declares one of them and is plainly in the other).
    """

    name: str
    told_by: str


def check_companions(path: Path) -> None:
    """Refuse a .shp without the files that hold its attributes and its index.

    Raises
    ------
    FormatError
        ``missing_companions`` with the endings that are not there.
    """
    missing = [suffix for suffix in _NEEDED if companion(path, suffix) is None]
    if missing:
        raise FormatError("missing_companions", name=path.name, missing=missing)


def companion(path: Path, suffix: str) -> Path | None:
    """Return the file beside a shapefile with another ending, in either case; None without one."""
    for ending in (suffix, suffix.upper()):
        beside = path.with_suffix(ending)
        if beside.is_file():
            return beside
    return None


def find_encoding(path: Path, stated: str | None) -> Encoding:
    """Tell the encoding of a shapefile's attributes.

    Parameters
    ----------
    path : Path
        The .shp file.
    stated : str or None
        What the person who imports says; it wins.

    Returns
    -------
    Encoding
        Name and who told it.

    Raises
    ------
    FormatError
        ``unknown_encoding``.
    """
    if stated is not None:
        return Encoding(_known(stated, path), "stated")
    page = companion(path, ".cpg")
    if page is not None:
        written = page.read_text(encoding="ascii", errors="replace").strip().lower()
        number = written.removeprefix("cp").removeprefix("ansi ").strip()
        name = {"936": "gb18030", "950": "big5", "65001": "utf-8"}.get(number, written)
        return _unless_plainly_other(_known(name, path), "cpg", _body(path)[1])
    raw, body = _body(path)
    if len(raw) > 29 and raw[29] in _DRIVERS:
        return _unless_plainly_other(_DRIVERS[raw[29]], "driver_id", body)
    return Encoding("utf-8" if _is_utf8(body) else "gb18030", "detected")


def _body(path: Path) -> tuple[bytes, bytes]:
    """Return the first megabytes of the attribute table, and of them the records."""
    table = companion(path, ".dbf")
    raw = b"" if table is None else _read_start(table)
    return raw, raw[int.from_bytes(raw[8:10], "little") :] if len(raw) > 10 else b""


def _unless_plainly_other(name: str, told_by: str, body: bytes) -> Encoding:
    """Return the encoding a file declares, unless its texts are plainly in the other usual one.

    Text in GBK is hardly ever valid UTF-8 by chance, and text in UTF-8 has no place in a table of GBK.
    """
    if body.isascii() or name not in ("utf-8", "gb18030", "gbk", "gb2312"):
        return Encoding(name, told_by)
    if _is_utf8(body) != (name == "utf-8"):
        return Encoding("gb18030" if name == "utf-8" else "utf-8", "detected")
    return Encoding("utf-8" if name == "utf-8" else "gb18030", told_by)


def _is_utf8(body: bytes) -> bool:
    """Return whether texts are UTF-8, but for the characters that were cut at the end of a field."""
    whole = body.decode("utf-8", errors="replace")
    broken = whole.count("\ufffd")
    several = sum(1 for sign in whole if ord(sign) > 0x7F) - broken
    return broken <= _MOST_CUT * several


def cut_name(name: str) -> str:
    """Give a column's name as a UTF-8 shapefile keeps it: ten bytes, without a character cut in half."""
    return name.encode()[:_NAME_BYTES].decode(errors="ignore")


def read_texts(path: Path, encoding: str) -> gpd.GeoDataFrame:
    """Read a shapefile, its texts and names decoded here: GDAL would turn a text cut in half into another.

    Parameters
    ----------
    path : Path
        The .shp file.
    encoding : str
        Of its texts.

    Returns
    -------
    GeoDataFrame
        As GDAL reads it; texts and names cut inside a character lose that one, and ``attrs["cut"]`` names the
        texts by row, from 1, and column.

    Raises
    ------
    FormatError
        ``wrong_encoding`` with the rows and columns that are in another encoding.
    """
    raw = gpd.read_file(path, encoding=BYTES, engine="pyogrio")
    names = {c: str(c).encode(BYTES).decode(encoding, errors="ignore") for c in raw.columns}
    cut: list[tuple[int, str]] = []
    wrong: list[tuple[int, str]] = []
    texts: dict[str, list[object]] = {}
    for column in raw.columns:
        if column == raw.geometry.name or not any(isinstance(value, str) for value in raw[column]):
            continue
        texts[column] = [
            _decoded(value, encoding, (row, names[column]), cut, wrong) if isinstance(value, str) else value
            for row, value in enumerate(raw[column], start=1)
        ]
    if wrong:
        rows, columns = [row for row, _ in wrong[:_MOST_NAMED]], sorted({name for _, name in wrong})
        raise FormatError(
            "wrong_encoding", name=path.name, encoding=encoding, count=len(wrong), rows=rows, columns=columns
        )
    result = raw.assign(**texts).rename(columns=names)
    result.attrs["cut"] = cut
    return result


def _decoded(
    value: str,
    encoding: str,
    place: tuple[int, str],
    cut: list[tuple[int, str]],
    wrong: list[tuple[int, str]],
) -> str:
    body = value.encode(BYTES)
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        # A field is so many bytes wide, and the last character may not fit.
        (cut if error.start >= len(body) - 3 else wrong).append(place)
        return body[: error.start].decode(encoding)


def _read_start(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_MOST_SAMPLED)


def _known(name: str, path: Path) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise FormatError("unknown_encoding", name=path.name, encoding=name) from error
