"""Pieces of road between junctions: lines are cut where they meet, rows with nodes are taken as they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.crs import WGS84_EPSG, Floats
from geo.errors import RoadError
from geo.formats.shapefiles import cut_name
from geo.network.profiles import CLASSES, TAGS, is_oneway, road_class

_CLASS_COLUMNS = ("highway", "fclass", "road_class", "道路类型", "道路等级", "道路类别", "等级", "类型")
_DEGREE = 10_000_000  # nodes without ids are coordinates in whole 1e-7 degrees, 1 cm
_OTHER_TAG = re.compile(r'"((?:[^"\\]|\\.)*)"=>"((?:[^"\\]|\\.)*)"')
_LISTED, _MOST_CLASSES = 20, 5

Ids = NDArray[np.int64]


class Lines(NamedTuple):
    """Lines of a road file with an id at every vertex, before they are cut."""

    node: Ids  # (vertices,) id of each vertex
    lonlat: Floats  # (vertices, 2)
    start: Ids  # (lines + 1,) first vertex of each line
    tags: pd.DataFrame  # (lines,) TAGS as text


def from_layer(frame: gpd.GeoDataFrame, name: str, *, directed: bool = True) -> gpd.GeoDataFrame:
    """Make pieces of a layer of lines.

    Parameters
    ----------
    frame : GeoDataFrame
        WGS-84 lines with their tags, and perhaps nodes ``u`` and ``v``.
    name : str
        File's name, for errors.
    directed : bool
        False where rows with nodes are known to go both ways.

    Returns
    -------
    GeoDataFrame
        As `geo.network.file.read_roads`.

    Raises
    ------
    RoadError
        ``not_lines``, ``no_road_class``, ``no_roads`` or ``nodes_disagree``.
    """
    shapes = frame.geometry.to_numpy()
    check_lines(shapes, name)
    tags = _tag_columns(frame, name)
    if {"u", "v"} <= set(frame.columns) and (shapely.get_num_geometries(shapes) == 1).all():
        parts = shapely.get_parts(shapes)
        nodes = _agreeing_nodes(frame["u"], frame["v"], parts, name)
        if nodes is not None:
            u, v = nodes
            both = directed and _rows_are_directed(u, v, tags["oneway"])
            return _frame(parts, u, v, tags, directed=both)
    parts, row = shapely.get_parts(shapes, return_index=True)
    xy, line = shapely.get_coordinates(parts, return_index=True)
    keys = np.round(xy * _DEGREE).astype(np.int64)
    _, node = np.unique(keys[:, 0] * (1 << 32) + keys[:, 1], return_inverse=True)
    start = np.searchsorted(line, np.arange(len(parts) + 1))
    return cut_lines(Lines(node.astype(np.int64), xy, start, tags.iloc[row]), name)


def cut_lines(lines: Lines, name: str) -> gpd.GeoDataFrame:
    """Cut lines where they share a vertex with another line or with themselves.

    Returns
    -------
    GeoDataFrame
        As `geo.network.file.read_roads`, never directed.

    Raises
    ------
    RoadError
        ``no_roads`` where nothing with a length is left.
    """
    if len(lines.tags) == 0:
        raise RoadError("no_roads", name=name, found=())
    line = np.repeat(np.arange(len(lines.tags)), np.diff(lines.start))
    keep = np.ones(len(line), dtype=bool)  # a vertex written twice in a row is no junction
    keep[1:] = (lines.node[1:] != lines.node[:-1]) | (line[1:] != line[:-1])
    node, line, xy = lines.node[keep], line[keep], lines.lonlat[keep]
    _, dense, uses = np.unique(node, return_inverse=True, return_counts=True)
    edge = line[1:] != line[:-1]
    cut = (uses[dense] > 1) | np.concatenate([[True], edge]) | np.concatenate([edge, [True]])
    at = np.flatnonzero(cut)
    inside = line[at[1:]] == line[at[:-1]]
    first, last = at[:-1][inside], at[1:][inside]
    if len(first) == 0:
        raise RoadError("no_roads", name=name, found=list_classes(Counter(lines.tags["highway"])))
    count = last - first + 1
    vertex = np.repeat(first - np.concatenate([[0], np.cumsum(count)[:-1]]), count) + np.arange(count.sum())
    shapes = shapely.linestrings(xy[vertex], indices=np.repeat(np.arange(len(first)), count))
    return _frame(shapes, node[first], node[last], lines.tags.iloc[line[first]], directed=False)


def list_classes(met: Mapping[Any, int]) -> list[str]:
    """List the classes met most, five at most, each with how many pieces have it."""
    return [f"{value or '—'} ({n})" for value, n in Counter(met).most_common(_MOST_CLASSES)]


def check_lines(shapes: NDArray[np.object_], name: str) -> None:
    """Refuse shapes that are empty or no lines (``not_lines``)."""
    kinds = shapely.get_type_id(shapes)
    wrong = np.flatnonzero(~np.isin(kinds, (1, 5)) | shapely.is_empty(shapes))
    if len(wrong):
        raise RoadError("not_lines", name=name, count=len(wrong), rows=wrong[:_LISTED].tolist())


def _tag_columns(frame: gpd.GeoDataFrame, name: str) -> pd.DataFrame:
    """Find the tags among a layer's columns, whatever their case; shapefiles cut names to ten letters."""
    columns = {str(c).strip().lower(): c for c in frame.columns if c != frame.geometry.name}
    spellings = (*_CLASS_COLUMNS, *map(cut_name, _CLASS_COLUMNS))
    kind = next((columns[c] for c in spellings if c in columns), None)
    if kind is None:
        found = [str(c) for c in frame.columns if c != frame.geometry.name]
        raise RoadError("no_road_class", name=name, wanted=list(_CLASS_COLUMNS), found=found)
    table = {"highway": [_text(value) for value in frame[kind]]}
    for tag in TAGS[1:]:
        written = next((w for w in (tag, tag[:10], tag.replace(":", "_")[:10]) if w in columns), None)
        table[tag] = [None] * len(frame) if written is None else [_text(v) for v in frame[columns[written]]]
    if "other_tags" in columns:  # GDAL packs what it has no column for into one text
        for row, packed in enumerate(frame[columns["other_tags"]]):
            for key, value in _OTHER_TAG.findall(packed) if isinstance(packed, str) else ():
                if key in table and table[key][row] is None:
                    table[key][row] = value
    tags = pd.DataFrame(table, dtype=object)
    met = Counter(tags["highway"])
    if not any(road_class(value) in CLASSES for value in met):
        raise RoadError("no_roads", name=name, found=list_classes(met))
    return tags


def _text(value: Any) -> str | None:
    if value is None or (isinstance(value, float) and np.isnan(value)) or value is pd.NA:
        return None
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip() or None


def _agreeing_nodes(
    first: pd.Series[Any], last: pd.Series[Any], parts: NDArray[np.object_], name: str
) -> tuple[Ids, Ids] | None:
    """Return node ids of both ends; None where the columns are no nodes of these lines."""
    both = pd.concat([first, last], ignore_index=True)
    if both.isna().any():
        return None
    codes, names = pd.factorize(both.map(_text))
    try:
        node = np.array([int(name) for name in names], dtype=np.int64)[codes]
    except (ValueError, OverflowError):
        node = codes.astype(np.int64)
    ends = np.concatenate([shapely.get_coordinates(shapely.get_point(parts, at)) for at in (0, -1)])
    seen = pd.DataFrame(np.round(ends * _DEGREE), columns=["x", "y"]).assign(node=node)
    place = seen.groupby("node")[["x", "y"]].median().loc[node].to_numpy()
    agrees = (np.abs(seen[["x", "y"]].to_numpy() - place).max(axis=1) <= 1).reshape(2, -1).all(axis=0)
    if agrees.mean() <= 0.5:
        return None
    wrong = np.flatnonzero(~agrees)
    if len(wrong):
        raise RoadError("nodes_disagree", name=name, count=len(wrong), rows=wrong[:_LISTED].tolist())
    u, v = np.split(node, 2)
    return u, v


def _rows_are_directed(u: Ids, v: Ids, oneway: pd.Series[Any]) -> bool:
    """Tell whether most two-way rows have a row back; without oneway values a directed file is believed."""
    if oneway.isna().all():
        return True
    two = ~oneway.map(is_oneway).to_numpy(dtype=bool)
    pairs = set(zip(u.tolist(), v.tolist(), strict=True))
    back = [(b, a) in pairs for a, b in zip(u[two].tolist(), v[two].tolist(), strict=True) if a != b]
    return not back or float(np.mean(back)) > 0.5


def _frame(
    shapes: NDArray[np.object_], u: Ids, v: Ids, tags: pd.DataFrame, *, directed: bool
) -> gpd.GeoDataFrame:
    table = tags.reset_index(drop=True).assign(u=u, v=v, directed=directed)
    frame = gpd.GeoDataFrame(table[["u", "v", "directed", *TAGS]], geometry=shapes, crs=WGS84_EPSG)
    met = Counter(table["highway"])
    frame.attrs["unknown"] = {str(v or "—"): n for v, n in met.most_common() if road_class(v) not in CLASSES}
    return frame
