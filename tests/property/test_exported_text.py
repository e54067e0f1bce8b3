"""Any text through every export: the file is read back, the text is as it was or guarded as said."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from shapely.geometry import Point

from dashboard.panels import guard_cells
from dashboard.register.exports import write_rejects
from data.register.books import read_book
from data.register.celltext import guard, is_number, printable, unguard
from data.register.characters import normalise
from data.register.headings import Header
from data.register.rejects import ImportResult, Reject
from data.register.sheets import Row, Table, cell_value
from geo.formats.read import read_layer
from geo.formats.write import write_layer

# Half surrogates reach no frame: neither database nor pandas holds them.
ANY = st.characters(codec="utf-8")
TEXT = st.one_of(
    st.text(ANY, max_size=20),
    st.builds(
        str.__add__,
        st.sampled_from(["=", "+", "-", "@", "\t", "\r", "'", "'=", "＝", " =", "]]>"]),
        st.text(ANY, max_size=9),
    ),
)
STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


@settings(max_examples=400, deadline=None)
@given(TEXT)
@example("=HYPERLINK(1)")
@example("'=1+1")
@example("+86 138 0000 0000")
def test_what_is_guarded_is_no_formula_and_comes_back(text: str) -> None:
    """No cell begins like a formula, but for plain numbers; taking the guard away gives the text again."""
    guarded = guard(text)
    assert unguard(guarded) == text
    begins = guarded.lstrip()[:1] in STARTS or guarded[:1] in "\t\r\n"
    assert not begins or len(text) < 2
    shown = text if is_number(text) else guarded
    assert guard_cells([{text: text}]) == [{shown: shown}]
    frame = guard_cells(pd.DataFrame({text: [text, 1]}))
    assert (list(frame.columns), frame.iloc[0, 0], frame.iloc[1, 0]) == ([shown], shown, 1)


@pytest.mark.parametrize("kind", ["csv", "geojson", "gpkg", "kml", "gpx"])
@settings(max_examples=25, deadline=None)
@given(text=TEXT)
@example(text="]]><x>&\x00\x1b=1")
def test_any_text_through_every_layer_format(kind: str, text: str) -> None:
    """Layers come back with their text, but for signs that no file can hold."""
    points = [Point(121.1, 31.1), Point(121.2, 31.2)]
    frame = gpd.GeoDataFrame({"name": [text, "甲"], "别的": ["乙", text]}, geometry=points, crs=4326)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = write_layer(frame, Path(folder) / f"a.{kind}")
        back = read_layer(path, source_crs="wgs84")
        raw = path.read_bytes()
    assert len(back) == 2
    assert b"\x00" not in raw or kind == "gpkg"
    if kind in ("csv", "geojson", "gpkg") and printable(text).strip():
        assert list(back["name"]) == [printable(text), "甲"]
        assert list(back["别的"]) == ["乙", printable(text)]


@settings(max_examples=10, deadline=None)
@given(text=TEXT)
@example(text="=cmd|' /C calc'!A0")
@example(text="\x00\ud800＝1+1")
@example(text="'\u200b=1")
def test_any_text_through_a_workbook(text: str) -> None:
    """A rejected row's text is a text cell, and our own import reads it without its guard."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.xlsx"
        header = Header(1, {"name": 0}, {"name": "名称"}, width=1)
        row = Row(2, {}, header=header, written=(text,))
        result = ImportResult(
            rejected=[Reject(2, "名称", text, "no_name")], table=Table((row,), {"": (("名称",),)}, ())
        )
        write_rejects(result, path)
        cell = load_workbook(path).active["B2"]
        rows = read_book(path)[0].cells
    assert cell.data_type != "f"
    # XML writes every line end as one sign.
    written = normalise(printable(text).replace("\r\n", "\n").replace("\r", "\n"))
    assert cell_value(rows[1][1]) == written.removeprefix("'").strip() if len(written) > 1 else True
