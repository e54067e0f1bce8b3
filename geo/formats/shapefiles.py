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
_MOST_SAMPLED = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Encoding:
    """The text encoding of an attribute table.

    Parameters
    ----------
    name : str
        Python's name of it.
    told_by : str
        ``stated`` (by the person who imports), ``cpg``, ``driver_id`` or ``detected`` (UTF-8 where every byte
        fits, else GB18030).
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
        return Encoding(_known(name, path), "cpg")
    table = companion(path, ".dbf")
    raw = b"" if table is None else _read_start(table)
    if len(raw) > 29 and raw[29] in _DRIVERS:
        return Encoding(_DRIVERS[raw[29]], "driver_id")
    body = raw[int.from_bytes(raw[8:10], "little") :] if len(raw) > 10 else b""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(body)
    except UnicodeDecodeError:
        return Encoding("gb18030", "detected")
    return Encoding("utf-8", "detected")


def cut_name(name: str) -> str:
    """Give a column's name as a UTF-8 shapefile keeps it: ten bytes, without a character cut in half."""
    return name.encode()[:_NAME_BYTES].decode(errors="ignore")


def read_texts(path: Path, encoding: str) -> gpd.GeoDataFrame:
    """Read a shapefile of which a column's name was cut in the middle of a character.

    Parameters
    ----------
    path : Path
        The .shp file.
    encoding : str
        Of its texts.

    Returns
    -------
    GeoDataFrame
        As GDAL reads it; cut names lose the broken character.

    Raises
    ------
    UnicodeDecodeError
        When a text, not only a name, is in another encoding.
    """
    raw = gpd.read_file(path, encoding=BYTES, engine="pyogrio")
    names = {c: str(c).encode(BYTES).decode(encoding, errors="ignore") for c in raw.columns}
    texts = {
        c: raw[c].map(lambda value: value.encode(BYTES).decode(encoding) if isinstance(value, str) else value)
        for c in raw.columns
        if c != raw.geometry.name
    }
    return raw.assign(**texts).rename(columns=names)


def _read_start(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_MOST_SAMPLED)


def _known(name: str, path: Path) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise FormatError("unknown_encoding", name=path.name, encoding=name) from error
