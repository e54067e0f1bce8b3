"""Text layers (GeoJSON, KML, GPX) made readable for GDAL: in UTF-8, with field names it does not spoil."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from data.register.encodings import decode
from geo.errors import FormatError

SUFFIXES = {".geojson", ".json", ".kml", ".gpx"}
_CHUNK = 1 << 20
_DECLARED = re.compile(r"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([\w-]+)["'][^>]*\?>""")
# GDAL writes every character but ASCII ones of these names as a low line, so two Chinese names become one.
_FIELD = re.compile(
    r"""(<(?:\w+:)?(?:Data|SimpleData|SimpleField)\s(?:[^>]*?\s)?name\s*=\s*)(["'])([^"']*)\2"""
)


def make_readable(file: Path, folder: Path) -> tuple[Path, dict[str, str]]:
    """Return the file, or a copy of it in UTF-8 with plain field names, and what those names stand for.

    Parameters
    ----------
    file : Path
        A .geojson, .json, .kml or .gpx file.
    folder : Path
        Where a copy may be written.

    Raises
    ------
    FormatError
        ``unreadable`` when it is text in no known encoding.
    """
    is_xml = file.suffix.lower() in (".kml", ".gpx")
    if _is_utf8(file) and not is_xml:
        return file, {}
    raw = file.read_bytes()
    try:
        text = _decode_xml(raw) if is_xml else decode(raw)
    except (ValueError, LookupError) as error:
        raise FormatError("unreadable", name=file.name, reason=type(error).__name__) from error
    names: dict[str, str] = {}

    def plain(found: re.Match[str]) -> str:
        if found[3].isascii():
            return found[0]
        short = next((key for key, name in names.items() if name == found[3]), f"field{len(names) + 1}")
        names[short] = found[3]
        return f"{found[1]}{found[2]}{short}{found[2]}"

    if file.suffix.lower() == ".kml":
        text = _FIELD.sub(plain, text)
    copy = folder / f"readable{file.suffix.lower()}"
    copy.write_text(text, encoding="utf-8")
    return copy, names


def _decode_xml(raw: bytes) -> str:
    """Return the text of an XML file, whatever its first line says of an encoding it is not in."""
    text = decode(raw)
    declared = _DECLARED.match(text)
    if declared is not None:
        known = codecs.lookup(declared[1]).name
        if known not in ("utf-8", "gbk", "gb2312", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "ascii"):
            text = raw.decode(known)
        text = _DECLARED.sub('<?xml version="1.0" encoding="UTF-8"?>', text, count=1)
    return text


def _is_utf8(file: Path) -> bool:
    """Return whether a file is UTF-8 without a mark, a part in memory at a time."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with file.open("rb") as stream:
        if stream.read(3) == codecs.BOM_UTF8:
            return False
        stream.seek(0)
        try:
            while chunk := stream.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
