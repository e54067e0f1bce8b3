"""Whatever a text holds, a map's script says it and nothing else: no template, markup or script in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jinja2
import pytest
from branca.element import Element
from hypothesis import example, given, settings
from hypothesis import strategies as st
from streamlit_folium import generate_leaflet_string

from dashboard import maps
from dashboard.i18n import translator
from dashboard.literals import javascript
from dashboard.tiles import Tiles

T = translator("zh")
PAYLOAD = "{{{{ cycler.__init__.__globals__.os.mkdir({path!r}) }}}}"
SIGNS = [
    "{{ 7*7 }}",
    "{% for x in y %}",
    "{# ",
    "#}",
    "</script><script>",
    "\u2028",
    "`${1}`",
    "_abc",
    "map_div",
    "'\"",
]
TEXTS = st.text() | st.lists(st.sampled_from(SIGNS) | st.text(max_size=5), max_size=6).map("".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def said(script: str) -> Any:
    """Return the value a script expression stands for."""
    return json.loads(json.loads(script.removeprefix("JSON.parse(").removesuffix(")")))


@given(VALUES)
@example("{{ 7*7 }}")
@example("\ud800")
def test_a_value_comes_back_and_no_sign_of_it_means_anything(value: Any) -> None:
    """The expression holds plain characters only, and stands for the value."""
    script = javascript(value)
    assert said(script) == value
    assert re.fullmatch(r'JSON\.parse\("[A-Za-z0-9 .,:/\\-]*"\)', script)
    assert jinja2.Environment().from_string(script).render() == script


def test_numbers_that_are_none_are_refused() -> None:
    """NaN would be a syntax error in the browser."""
    with pytest.raises(ValueError, match="JSON"):
        javascript([float("nan")])


def chart(text: str, tiles: Tiles | None = None) -> maps.Map:
    """Return a map that shows `text` wherever a map can."""
    maps.use_local_assets()
    place = {"name": text, "lon": 121.0, "lat": 40.0}
    made = maps.new_map(
        (121.0, 40.0, 121.1, 40.1), t=T, language="zh", basemap=text, tiles=tiles, labels=[place]
    )
    maps.add_layer(made, "points", f"/api/institutions.geojson?kind={text}", t=T)
    found = {"label": "1", "lon": 121.0, "lat": 40.0, "title": text, "lines": [text]}
    maps.add_review(made, {"lon": 121.0, "lat": 40.0, "radius_m": 5.0}, [found], t=T)
    maps.add_shapes(made, "/api/topology.geojson", t=T, focus=text)
    maps.add_legend(made, text, [{"label": text, "badge": text, "fill": text}], t=T, notes=[text])
    return made


@settings(max_examples=20)
@given(TEXTS)
@example("{{ 7*7 }}")
@example("{% raw")
def test_a_map_draws_whatever_the_register_says(text: str) -> None:
    """Both ways a map is rendered hold the text as data, and render again to the same."""
    made = chart(text, Tiles(("/t/{z}/{x}/{y}.png",), "wgs84", text))
    page = made.get_root().render()
    script = generate_leaflet_string(made)
    for rendered in (page, script):
        values = [said(found) for found in re.findall(r'JSON\.parse\("[^"]*"\)', rendered)]
        assert [{"name": text, "lon": 121.0, "lat": 40.0}] in values
        assert [value["title"] for value in values if "rows" in value] == [text]


def test_no_text_of_a_map_runs_on_the_server(tmp_path: Path) -> None:
    """The payload that would make a folder makes none, in any place and by either rendering."""
    folder = tmp_path / "run"
    text = PAYLOAD.format(path=str(folder))
    assert Element(text).render() and folder.is_dir(), "the payload works where a text is a template"
    folder.rmdir()
    made = chart(text, Tiles(("/t/{z}/{x}/{y}.png",), "wgs84", text))
    page = made.get_root().render() + generate_leaflet_string(made)
    assert not folder.exists()
    assert "cycler.__init__" not in page
