"""Layers of a base map out of an OpenStreetMap extract or of road, water and block files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from geo.crs import frame_metric_crs
from geo.errors import BasemapError
from geo.formats.read import MAX_BYTES
from geo.network.profiles import CLASSES, road_class

_MAIN_CLASSES = ("motorway", "trunk", "primary", "secondary")
_MAIN = {"main", *_MAIN_CLASSES, *(f"{name}_link" for name in _MAIN_CLASSES)}
_WATER = {"river", "canal", "riverbank", "stream"}
_LAND = {"residential", "commercial", "retail", "industrial", "institutional", "education", "garages"}
_STREAM_HALF_M = 5.0  # a stream drawn as a line becomes a narrow water
_ORDER = ("blocks", "water", "rail", "roads", "grids", "district")
_SHAPES: Mapping[str, frozenset[str]] = {
    "roads": frozenset({"LineString"}),
    "rail": frozenset({"LineString"}),
    "water": frozenset({"Polygon", "LineString"}),
    "blocks": frozenset({"Polygon"}),
}


def style_layers(layers: Mapping[str, gpd.GeoDataFrame]) -> dict[str, gpd.GeoDataFrame]:
    """Give layers of files the columns the map draws them by, once their shapes can be what they are called.

    Parameters
    ----------
    layers : mapping of str to GeoDataFrame
        WGS-84 frames by name: ``roads`` and ``rail`` are lines, ``blocks`` areas, ``water`` areas, or lines,
        which become narrow areas.

    Returns
    -------
    dict of str to GeoDataFrame
        The same names; roads as `style_roads`.

    Raises
    ------
    BasemapError
        ``wrong_shapes`` with every layer that cannot be what it is called.
    """
    faults = []
    for name, frame in layers.items():
        kinds = frame.geometry.geom_type.str.removeprefix("Multi")
        wrong = kinds[~kinds.isin(_SHAPES[name])]
        if len(wrong):
            found = sorted(set(wrong))
            fields = {
                "wanted": sorted(_SHAPES[name]),
                "found": found,
                "count": len(wrong),
                "rows": len(frame),
            }
            faults.append({"code": f"not_{name}", "fields": fields})
    if faults:
        raise BasemapError("wrong_shapes", faults=faults)
    styled = {}
    for name, frame in layers.items():
        lines = frame.geometry.geom_type.str.endswith("LineString")
        if name == "roads":
            styled[name] = style_roads(frame)
        elif name == "water":
            styled[name] = _water(frame[~lines], frame[lines])
        else:
            styled[name] = _named(frame)
    return styled


def style_roads(roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give roads the class the map draws them in.

    Parameters
    ----------
    roads : GeoDataFrame
        WGS-84 lines with ``highway``, ``class`` or ``fclass``, and ``name`` where known.

    Returns
    -------
    GeoDataFrame
        ``class`` (``main`` or ``minor``) and ``name``, minor ones first so that main ones lie above.
    """
    column = next((name for name in ("highway", "class", "fclass") if name in roads.columns), "highway")
    table = {
        "class": ["main" if road_class(kind) in _MAIN else "minor" for kind in _column(roads, column)],
        "name": _column(roads, "name").to_list(),
    }
    frame = gpd.GeoDataFrame(table, geometry=roads.geometry.to_numpy(), crs=4326)
    return frame.sort_values("class", ascending=False, kind="stable").reset_index(drop=True)


def read_osm_layers(path: Path, *, max_bytes: int = MAX_BYTES) -> dict[str, gpd.GeoDataFrame]:
    """Take roads, water, blocks and railways out of an OpenStreetMap extract.

    Parameters
    ----------
    path : Path
        A .osm.pbf file.
    max_bytes : int
        Largest file accepted.

    Returns
    -------
    dict of str to GeoDataFrame
        ``blocks``, ``water``, ``roads`` and ``rail`` in WGS-84; an empty frame where the extract has none.

    Raises
    ------
    BasemapError
        ``not_found``, ``file_too_large``, ``unreadable``.
    """
    if not path.is_file():
        raise BasemapError("not_found", name=path.name)
    if path.stat().st_size > max_bytes:
        raise BasemapError("file_too_large", name=path.name, size=path.stat().st_size, limit=max_bytes)
    try:
        lines = gpd.read_file(path, layer="lines", engine="pyogrio", use_arrow=False)
        areas = gpd.read_file(path, layer="multipolygons", engine="pyogrio", use_arrow=False)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
        raise BasemapError("unreadable", name=path.name) from error
    built = _column(areas, "landuse").isin(_LAND) | (_column(areas, "building") != "")
    return {
        "blocks": _named(areas[built]),
        "water": _water(
            areas[_column(areas, "natural") == "water"], lines[_column(lines, "waterway").isin(_WATER)]
        ),
        "roads": style_roads(lines[_column(lines, "highway").isin(CLASSES)]),
        "rail": _named(lines[_column(lines, "railway").isin({"rail", "subway", "light_rail"})]),
    }


def join_layers(*sources: Mapping[str, gpd.GeoDataFrame]) -> dict[str, gpd.GeoDataFrame]:
    """Put layers of one name from several sources together, in the order in which a map draws them."""
    joined: dict[str, gpd.GeoDataFrame] = {}
    for name in _ORDER:
        parts = [source[name] for source in sources if name in source and len(source[name])]
        if parts:
            joined[name] = _stack(parts)
    return joined


def _water(areas: gpd.GeoDataFrame, lines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    if lines.empty:
        return _named(areas)
    ribbons = lines.to_crs(frame_metric_crs(lines)).buffer(_STREAM_HALF_M, resolution=2).to_crs(4326)
    narrow = gpd.GeoDataFrame(
        {"name": _column(lines, "name").to_list()}, geometry=ribbons.to_numpy(), crs=4326
    )
    return _stack([_named(areas), narrow])


def _stack(parts: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    shapes = [part.rename({part.geometry.name: "geometry"}, axis=1) for part in parts]
    return gpd.GeoDataFrame(pd.concat(shapes, ignore_index=True), geometry="geometry", crs=4326)


def _named(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    names = _column(frame, "name").to_list()
    return gpd.GeoDataFrame({"name": names}, geometry=frame.geometry.to_numpy(), crs=4326)


def _column(frame: gpd.GeoDataFrame, name: str) -> pd.Series[str]:
    """Give a column of texts, or the value of a key in GDAL's ``other_tags``; empty where there is none."""
    if name in frame.columns:
        texts: pd.Series[str] = frame[name].map(_text).astype(object)
    elif "other_tags" in frame.columns:
        found = frame["other_tags"].astype("string").str.extract(rf'"{name}"=>"([^"]*)"', expand=False)
        texts = found.fillna("").astype(object)
    else:
        texts = pd.Series("", index=frame.index, dtype=object)
    return texts


def _text(value: object) -> str:
    return "" if value is None or value != value else str(value)
