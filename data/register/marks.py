"""What an xlsx file says of its cells beside their values: merged, hidden, errors, formulas not worked out.

The readers of values leave these out: an error or a formula without a result looks blank to them, and a name
written once over three merged rows is missing in two. Read with patterns, as a tree of a sheet with a million
cells would take gigabytes.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, field
from html import unescape
from xml.etree import ElementTree

ERROR, FORMULA = "error", "formula"
_ATTRIBUTE = r"""(?:\s[\w:]+\s*=\s*(?:"[^"]*"|'[^']*'))*"""
_PIECE = re.compile(
    rf"<(?:\w+:)?row(?P<row>{_ATTRIBUTE})\s*/?>"
    rf"|<(?:\w+:)?c(?P<cell>{_ATTRIBUTE})\s*(?:/>|>(?P<inside>.*?)</(?:\w+:)?c>)".encode(),
    re.DOTALL,
)
_MERGE = re.compile(rf"<(?:\w+:)?mergeCell({_ATTRIBUTE})\s*/?>".encode())
_FORMULA = re.compile(rb"<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>([^<]*)</(?:\w+:)?f>)")
_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>([^<]+)</(?:\w+:)?v>")
_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Z]{1,3}\d{1,7})["']""")
_PLACE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


@dataclass
class Marks:
    """The marks of one sheet, places from 0: merged ranges (first and last row and column), hidden rows.

    `odd` tells the kind of a cell that has no usable value, `shown` what stands in it instead.
    """

    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)
    odd: dict[tuple[int, int], str] = field(default_factory=dict)
    shown: dict[tuple[int, int], str] = field(default_factory=dict)


def read_marks(content: bytes) -> dict[str, Marks]:
    """Return the marks of each sheet of an xlsx file by its name; none for other files."""
    packed = io.BytesIO(content)
    if not zipfile.is_zipfile(packed):
        return {}
    with zipfile.ZipFile(packed) as archive:
        names = set(archive.namelist())
        return {name: _read_sheet(archive.read(part)) for name, part in _parts(archive) if part in names}


def _parts(archive: zipfile.ZipFile) -> list[tuple[str, str]]:
    """Return name and part of each sheet."""
    try:
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314
        relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    except (KeyError, ElementTree.ParseError):
        return []
    targets = {item.get("Id"): item.get("Target", "") for item in relations}
    found = []
    for item in book.iter():
        if item.tag.rpartition("}")[2] == "sheet":
            target = targets.get(item.get(_RELATION), "")
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            found.append((item.get("name", ""), part))
    return found


def _read_sheet(xml: bytes) -> Marks:
    marks = Marks()
    for merge in _MERGE.finditer(xml):
        first, _, last = _attributes(merge[1]).get("ref", "").partition(":")
        one, other = _place(first), _place(last)
        if one and other:
            marks.merged.append((*one, *other))
    row = column = -1
    for piece in _PIECE.finditer(xml):
        if piece["row"] is not None:
            told = _attributes(piece["row"])
            # Rows and cells may leave out where they are: each then follows the one before it.
            row, column = int(told["r"]) - 1 if told.get("r", "").isdecimal() else row + 1, -1
            if told.get("hidden") in ("1", "true"):
                marks.hidden.add(row)
            continue
        stated = _REFERENCE.search(piece["cell"])
        place = _place(stated[1].decode()) if stated is not None else None
        row, column = place if place is not None else (row, column + 1)
        inside = piece["inside"]
        if inside is not None and (
            b'"e"' in piece["cell"] or b"'e'" in piece["cell"] or _FORMULA.search(inside)
        ):
            _look(marks, (row, column), _attributes(piece["cell"]), inside)
    return marks


def _look(marks: Marks, place: tuple[int, int], told: dict[str, str], inside: bytes) -> None:
    value, formula = _VALUE.search(inside), _FORMULA.search(inside)
    if told.get("t") == "e":
        marks.odd[place] = ERROR
        marks.shown[place] = _text(value[1]) if value else "#N/A"
    elif formula is not None and value is None and told.get("t") != "str":
        marks.odd[place] = FORMULA
        marks.shown[place] = "=" + _text(formula[1] or b"")


def _attributes(text: bytes) -> dict[str, str]:
    found = re.findall(r"""([\w:]+)\s*=\s*["']([^"']*)["']""", text.decode("utf-8", "replace"))
    return {name.rpartition(":")[2]: value for name, value in found}


def _text(xml: bytes) -> str:
    return unescape(xml.decode("utf-8", "replace")).strip()


def _place(reference: str) -> tuple[int, int] | None:
    """Return row and column, from 0, of a reference such as B12."""
    found = _PLACE.fullmatch(reference)
    if found is None:
        return None
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(found[2]) - 1, column - 1
