"""Folium maps that need no network: vendored files, a local base map, and layers the browser fetches."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import folium
from folium.elements import JSCSSMixin
from folium.template import Template

from dashboard import theme
from dashboard.i18n import Translate
from dashboard.literals import javascript
from dashboard.tiles import Tiles
from data.terms import Kind, Language

ASSETS = Path(__file__).parent / "assets"
VENDOR = ASSETS / "vendor"
DEEPEST_ZOOM = 19
Bounds = tuple[float, float, float, float]

# Library name in folium's lists -> our file; whatever folium wants besides is left out because no layer
# of ours uses it (jQuery, Bootstrap, icon fonts).
_LOCAL_JS = {"leaflet": "/vendor/leaflet-1.9.3/leaflet.js"}
_LOCAL_CSS = {"leaflet_css": "/vendor/leaflet-1.9.3/leaflet.css"}
_UNUSED = {
    "jquery",
    "bootstrap",
    "bootstrap_css",
    "awesome_markers",
    "glyphicons_css",
    "awesome_markers_font_css",
    "awesome_markers_css",
    "awesome_rotate_css",
}
OWN_JS = [
    ("protomaps", "/vendor/protomaps-leaflet-5.1.0/protomaps-leaflet.js"),
    ("tokens", "/assets/tokens.js"),
    ("gridmap", "/assets/gridmap.js"),
]
OWN_CSS = [("gridmap_css", "/assets/gridmap.css")]
# What gridmap.js offers; no other word ever stands in a map's script.
CALLS = frozenset(
    {
        "prepare",
        "labels",
        "choropleth",
        "points",
        "routes",
        "shapes",
        "rings",
        "borders",
        "schools",
        "review",
        "legend",
    }
)
Map = folium.Map


class OnlineAssetError(Exception):
    """A folium class on the map would fetch a file from the internet."""

    code = "online_asset"

    def __init__(self, name: str, url: str) -> None:
        super().__init__(f"{name}: {url}")
        self.fields: dict[str, object] = {"name": name, "url": url}


def use_local_assets() -> None:
    """Point folium's class-level script and style lists to vendored files, once, before any map is made."""
    for element in _mixins(JSCSSMixin):
        element.default_js[:] = _localised(element.default_js, _LOCAL_JS)
        element.default_css[:] = _localised(element.default_css, _LOCAL_CSS)


def _mixins(root: type[Any]) -> Iterable[type[Any]]:
    yield root
    for child in root.__subclasses__():
        yield from _mixins(child)


def _localised(links: Sequence[tuple[str, str]], local: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, local.get(name, url)) for name, url in links if name not in _UNUSED]


def require_local(element: Any) -> None:
    """Check that nothing on a map would be fetched from outside.

    Raises
    ------
    OnlineAssetError
        For the first class without a local file.
    """
    for name, url in [*getattr(element, "default_js", []), *getattr(element, "default_css", [])]:
        if "//" in url:
            raise OnlineAssetError(name, url)
    for child in getattr(element, "_children", {}).values():
        require_local(child)


class Part(JSCSSMixin):
    """One call of the map library; whatever it is told passes through `literals.javascript`.

    Raises
    ------
    ValueError
        When `call` is none of the map library's calls.
    """

    default_js = OWN_JS
    default_css = OWN_CSS
    _template = Template(
        """{% macro script(this, kwargs) %}
gridmap.{{ this.call }}({{ this._parent.get_name() }}, {{ this.told }});
{% endmacro %}"""
    )

    def __init__(self, call: str, options: Any) -> None:
        if call not in CALLS:
            raise ValueError(f"no call of the map library: {call}")
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Part"
        self.call = call
        self.told = javascript(options)


def new_map(
    bounds: Bounds | None,
    *,
    t: Translate,
    language: Language,
    basemap: str | None,
    tiles: Tiles | None = None,
    labels: Sequence[Mapping[str, Any]] = (),
) -> folium.Map:
    """Return an offline map that shows `bounds` (west, south, east, north).

    Parameters
    ----------
    basemap
        Attribution of the base map file, None without a file to draw.
    tiles
        Tile service drawn instead; the whole map is then laid in its datum, never two on one map.
    labels
        Names with lon and lat, drawn over everything.
    """
    centre = [(bounds[1] + bounds[3]) / 2, (bounds[0] + bounds[2]) / 2] if bounds else [35.0, 105.0]
    raster = tiles if tiles is not None and tiles.urls else None
    chart = folium.Map(
        location=centre,
        zoom_start=13 if bounds else 4,
        tiles=None,
        crs="EPSG3857" if raster is None else raster.crs,
        maxZoom=DEEPEST_ZOOM,
        zoomSnap=0.25 if raster is None else 1,  # pictures between two zooms are blurred
    )
    corners = [[bounds[1], bounds[0]], [bounds[3], bounds[2]]] if bounds else None
    options = {
        "language": language,
        "name": t("地图"),
        "basemap": "/basemap.pmtiles" if basemap is not None and raster is None else None,
        "tiles": [] if raster is None else list(raster.urls),
        "bounds": corners,
        "attribution": t("底图：本区数据") if basemap is None or raster is not None else basemap,
    }
    if raster is not None:
        options["attribution"] = html.escape(raster.attribution)
    Part("prepare", options).add_to(chart)
    if labels:
        Part("labels", list(labels)).add_to(chart)
    return chart


def add_layer(chart: folium.Map, call: str, url: str, *, t: Translate, fit: bool = False) -> None:
    """Add a layer the browser fetches: `choropleth`, `points`, `routes`, `rings`, `borders` or `schools`."""
    words = {"failed": t("地图数据未能载入，请刷新页面"), "school": t("校")}
    Part(call, {"url": url, "fit": fit, "words": words}).add_to(chart)


def add_review(
    chart: folium.Map,
    present: Mapping[str, Any] | None,
    candidates: Sequence[Mapping[str, Any]],
    *,
    t: Translate,
) -> None:
    """Add a place to review; a click on the map, or the end of dragging its pin, proposes a point.

    Parameters
    ----------
    present
        lon, lat and radius_m of the point on file, None without one.
    candidates
        label, lon, lat, title and lines of each.
    """
    words = {"pin": t("拟定位置，可拖动")}
    options = {"present": present, "candidates": list(candidates), "words": words}
    Part("review", options).add_to(chart)


def add_legend(
    chart: folium.Map,
    title: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    t: Translate,
    notes: Sequence[str] = (),
) -> None:
    """Add the legend: title with unit, at most eight samples, notes and the datum of what is drawn."""
    shifted = chart.crs == "GCJ02"
    datum = t("坐标系 GCJ-02（按底图偏移显示）") if shifted else t("坐标系 WGS-84（CGCS2000）")
    Part("legend", {"title": title, "rows": list(rows), "notes": [*notes, datum]}).add_to(chart)


def add_shapes(chart: folium.Map, url: str, *, t: Translate, focus: str | None = None) -> None:
    """Add features drawn as their own properties say; the map goes to those whose id is `focus`."""
    words = {"failed": t("地图数据未能载入，请刷新页面")}
    Part("shapes", {"url": url, "focus": focus, "words": words}).add_to(chart)


def school_row(t: Translate) -> dict[str, Any]:
    """Return the legend of the schools' mark."""
    return {"badge": t("校"), "fill": theme.MAP["district"], "label": t("学校")}


def coverage_rows(t: Translate) -> list[dict[str, Any]]:
    """Return the legend of the coverage map."""
    edges = [0.0, *theme.COVERAGE_EDGES, 1.0]
    classes = [
        {"fill": colour, "stroke": theme.MAP["grid"], "label": f"{low:.0%}–{high:.0%}"}
        for colour, low, high in zip(theme.COVERAGE, edges[:-1], edges[1:], strict=True)
    ]
    return [
        *reversed(classes),
        {"fill": theme.PAPER, "stroke": theme.BAD, "weight": 2, "label": t("应查未查")},
        {"fill": "hatch", "stroke": theme.MAP["grid"], "label": t("无应查机构")},
    ]


def kind_rows(language: Language, kinds: Iterable[Kind]) -> list[dict[str, Any]]:
    """Return the legend of institution points, one shape a kind."""
    return [
        {"shape": theme.KIND_SHAPES[kind.value], "fill": theme.PAPER, "label": kind.label(language)}
        for kind in kinds
    ]


def team_rows(teams: Iterable[str], t: Translate) -> list[dict[str, Any]]:
    """Return the legend of routes, one colour a team."""
    rows = []
    for team in teams:
        colour, dashed = theme.team_colour(team_number(team))
        rows.append(
            {"line": True, "stroke": colour, "dashed": dashed, "label": t("第 {n} 组", n=team_number(team))}
        )
    return rows


def team_number(team: str) -> int:
    """Return the number in a team's code (`T3` is 3); 1 without one."""
    digits = "".join(c for c in team if c.isdigit())
    return int(digits) if digits else 1
