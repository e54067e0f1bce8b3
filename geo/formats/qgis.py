"""QGIS styles inside a GeoPackage: the layer opens in the colours and words of our own maps."""

from __future__ import annotations

import re
import sqlite3
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

_KINDS = {"Point": "marker", "LineString": "line", "Polygon": "fill"}
_LAYERS = {"marker": "SimpleMarker", "line": "SimpleLine", "fill": "SimpleFill"}
_TABLE = """CREATE TABLE IF NOT EXISTS layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT, f_table_catalog TEXT(256), f_table_schema TEXT(256),
    f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
    useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
    update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))"""


@dataclass(frozen=True, slots=True)
class Style:
    """How a layer is drawn.

    Parameters
    ----------
    color : str
        Colour of what no category names, ``#rrggbb``.
    column : str or None
        Column whose values choose the colour.
    categories : sequence of tuple
        (value, words for the legend, ``#rrggbb``).
    label : str or None
        Column written beside each shape.
    """

    color: str = "#4a5568"
    column: str | None = None
    categories: Sequence[tuple[str, str, str]] = ()
    label: str | None = None


def make_qml(style: Style, geometry: str) -> str:
    """Write a style as a QGIS layer definition (QML).

    Parameters
    ----------
    style : Style
        Colours and labels.
    geometry : str
        ``Point``, ``LineString`` or ``Polygon``; ``Multi`` kinds are drawn alike.

    Returns
    -------
    str
        XML text, QGIS 3.16 and later.
    """
    kind = _KINDS[geometry.removeprefix("Multi")]
    root = ET.Element("qgis", version="3.22.0", styleCategories="Symbology|Labeling")
    single = style.column is None
    renderer = ET.SubElement(
        root, "renderer-v2", type="singleSymbol" if single else "categorizedSymbol", enableorderby="0"
    )
    symbols: list[str] = []
    if style.column is not None:
        renderer.set("attr", style.column)
        listed = ET.SubElement(renderer, "categories")
        for number, (value, words, color) in enumerate((*style.categories, ("", "其他", style.color))):
            ET.SubElement(
                listed, "category", value=value, label=words, symbol=str(number), render="true", type="string"
            )
            symbols.append(color)
    else:
        symbols.append(style.color)
    drawn = ET.SubElement(renderer, "symbols")
    for number, color in enumerate(symbols):
        _add_symbol(drawn, str(number), kind, color)
    if style.label is not None:
        _add_labels(root, style.label)
    return ET.tostring(root, encoding="unicode")


def store_style(path: Path, layer: str, style: Style, *, geometry: str, name: str) -> None:
    """Keep a style in a GeoPackage as the default of one of its layers.

    Parameters
    ----------
    path : Path
        The GeoPackage.
    layer : str
        Layer (table) name.
    style : Style
        Colours and labels.
    geometry : str
        As in `make_qml`.
    name : str
        Name of the style, at most 30 characters are kept.
    """
    with closing(sqlite3.connect(path)) as store, store:
        found = store.execute(
            "SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?", (layer,)
        ).fetchone()
        store.execute(_TABLE)
        store.execute(
            "INSERT OR IGNORE INTO gpkg_contents (table_name, data_type, identifier) "
            "VALUES ('layer_styles', 'attributes', 'layer_styles')"
        )
        store.execute(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, "
            "styleName, styleQML, styleSLD, useAsDefault, description, owner) "
            "VALUES ('', '', ?, ?, ?, ?, '', 1, '', '')",
            (layer, found[0], name[:30], make_qml(style, geometry)),
        )


def _add_symbol(parent: ET.Element, name: str, kind: str, color: str) -> None:
    symbol = ET.SubElement(parent, "symbol", name=name, type=kind, alpha="1", clip_to_extent="1")
    layer = ET.SubElement(
        symbol, "layer", {"class": _LAYERS[kind], "enabled": "1", "locked": "0", "pass": "0"}
    )
    solid, soft = _rgba(color, 255), _rgba(color, 70)
    options = {
        "marker": {"color": solid, "outline_color": "255,255,255,255", "name": "circle", "size": "3"},
        "line": {"line_color": solid, "line_width": "0.8", "line_style": "solid"},
        "fill": {"color": soft, "outline_color": solid, "outline_width": "0.4", "style": "solid"},
    }[kind]
    box = ET.SubElement(layer, "Option", type="Map")
    for key, value in options.items():
        ET.SubElement(box, "Option", name=key, value=value, type="QString")
        ET.SubElement(layer, "prop", k=key, v=value)  # read by versions before 3.26


def _add_labels(root: ET.Element, column: str) -> None:
    labeling = ET.SubElement(root, "labeling", type="simple")
    settings = ET.SubElement(labeling, "settings", calloutType="simple")
    ET.SubElement(settings, "text-style", fieldName=column, fontSize="8", textColor="40,40,40,255")


def _rgba(color: str, alpha: int) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", color):
        raise ValueError(f"not a #rrggbb colour: {color}")
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"{red},{green},{blue},{alpha}"
