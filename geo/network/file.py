"""Road files in: OSM PBF, GraphML and line layers become pieces of road, or are refused with a code."""

from __future__ import annotations

from array import array
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import geopandas as gpd
import networkx as nx
import numpy as np
import osmium
import pandas as pd
import pyproj
import shapely

from geo.crs import WGS84_EPSG, Floats, SourceCrs, to_wgs84
from geo.errors import CrsError, RoadError
from geo.formats.read import read_layer
from geo.network.pieces import Lines, check_lines, cut_lines, from_layer, list_classes
from geo.network.profiles import CLASSES, TAGS, road_class
from geo.sources import is_same_crs

MAX_BYTES = 500 * 1024 * 1024
_LAYERS = (".gpkg", ".shp", ".zip", ".geojson", ".json")


def read_roads(
    path: Path | str,
    *,
    source_crs: SourceCrs | str | int,
    encoding: str | None = None,
    layer: str | None = None,
    max_bytes: int = MAX_BYTES,
) -> gpd.GeoDataFrame:
    """Read a road file into pieces of road between junctions.

    Parameters
    ----------
    path : Path or str
        A .pbf of OpenStreetMap, a .graphml (such as osmnx writes), or lines in .gpkg, .shp (also
        zipped) or .geojson.
    source_crs : SourceCrs, str or int
        Datum of coordinates in degrees, as in `geo.formats.read.read_layer`.
    encoding : str, optional
        Text encoding of a shapefile; else what it declares, as `geo.formats.read.read_layer`.
    layer : str, optional
        Layer of a file with several.
    max_bytes : int
        Largest file accepted.

    Returns
    -------
    GeoDataFrame
        WGS-84 lines, RangeIndex; ``u`` and ``v`` (int64 nodes at the first and last vertex), ``directed``
        (bool, True where the other direction is a row of its own) and the text columns `profiles.TAGS`.
        ``attrs["unknown"]`` counts what is of no known class, by the class written: pieces, ways of a .pbf.

    Raises
    ------
    RoadError
        ``not_found``, ``wrong_type``, ``file_too_large``, ``empty``, ``unreadable``, ``not_lines``,
        ``no_road_class``, ``no_roads``, ``nodes_disagree``, ``no_coordinates``, ``crs_conflict``,
        ``swapped_lon_lat`` or ``out_of_range``.
    FormatError, CrsError
        As `geo.formats.read.read_layer`.

    Notes
    -----
    Nodes are those of OpenStreetMap, or the columns u and v where they agree with the lines' ends; else lines
    meet where they share a vertex. A bridge drawn without a shared vertex stays apart from the road below.
    """
    file = Path(path)
    kind = file.suffix.lower()
    accepted = (".pbf", ".graphml", *_LAYERS)
    if kind not in accepted:
        raise RoadError("wrong_type", suffix=kind, accepted=sorted(accepted))
    if not file.is_file():
        raise RoadError("not_found", name=file.name)
    size = file.stat().st_size
    if size == 0 or size > max_bytes:
        code = "empty" if size == 0 else "file_too_large"
        raise RoadError(code, name=file.name, size=size, limit=max_bytes)
    if kind == ".pbf":
        lines, unknown = _read_pbf(file, source_crs)
        pieces = cut_lines(lines, file.name)
        pieces.attrs["unknown"] = unknown
        return pieces
    if kind == ".graphml":
        return _read_graphml(file, source_crs)
    frame = read_layer(file, source_crs=source_crs, layer=layer, encoding=encoding, max_bytes=max_bytes)
    return from_layer(frame, file.name)


def _read_pbf(file: Path, source_crs: SourceCrs | str | int) -> tuple[Lines, dict[str, int]]:
    """Read ways of a known class, and count the others by class."""
    node, x, y, start = array("q"), array("d"), array("d"), array("q", [0])
    tags: list[tuple[str | None, ...]] = []
    unknown: Counter[str] = Counter()
    try:
        ways = osmium.FileProcessor(osmium.io.File(str(file), "pbf")).with_locations()
        for way in ways.with_filter(osmium.filter.KeyFilter("highway")):
            if not isinstance(way, osmium.osm.Way):
                continue
            if road_class(way.tags["highway"]) not in CLASSES:
                unknown[way.tags["highway"]] += 1
                continue
            # A vertex outside a cut extract has no place; the way goes on with those that have one.
            known = [(n.ref, n.location) for n in way.nodes if n.location.valid()]
            if len(known) < 2:
                continue
            for ref, location in known:
                node.append(ref)
                x.append(location.lon)
                y.append(location.lat)
            start.append(len(node))
            tags.append(tuple(way.tags.get(key) for key in TAGS))
    except (RuntimeError, ValueError) as error:
        raise RoadError("unreadable", name=file.name, reason=type(error).__name__) from error
    if not tags:
        raise RoadError("no_roads", name=file.name, found=list_classes(unknown))
    lonlat = _placed(np.column_stack([np.asarray(x), np.asarray(y)]), source_crs, file.name)
    table = pd.DataFrame(tags, columns=list(TAGS), dtype=object)
    lines = Lines(np.asarray(node, dtype=np.int64), lonlat, np.asarray(start, dtype=np.int64), table)
    return lines, dict(unknown.most_common())


def _read_graphml(file: Path, source_crs: SourceCrs | str | int) -> gpd.GeoDataFrame:
    with file.open("rb") as stream:
        head = stream.read(4096)
    if b"<graphml" not in head or b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise RoadError("unreadable", name=file.name, reason="content")
    try:
        graph = nx.read_graphml(file)
        rows = [(str(u), str(v), data) for u, v, data in graph.edges(data=True)]
        places = {str(n): (data.get("x", data.get("lon")), data.get("y", data.get("lat")))
                  for n, data in graph.nodes(data=True)}  # fmt: skip
        if not places or any(None in pair for pair in places.values()):
            raise RoadError("no_coordinates", name=file.name)
        where = {n: (float(x), float(y)) for n, (x, y) in places.items()}
        shapes = np.array(
            [
                shapely.from_wkt(data["geometry"])
                if "geometry" in data
                else shapely.LineString([where[u], where[v]])
                for u, v, data in rows
            ],
            dtype=object,
        )
    except (ParseError, nx.NetworkXError, KeyError, ValueError, shapely.errors.GEOSException) as error:
        raise RoadError("unreadable", name=file.name, reason=type(error).__name__) from error
    table = pd.DataFrame([{**data, "u": u, "v": v} for u, v, data in rows], dtype=object)
    table = table.drop(columns="geometry", errors="ignore")
    if len(table) == 0:
        raise RoadError("empty", name=file.name)
    check_lines(shapes, file.name)
    source = _graph_crs(graph.graph.get("crs"), source_crs, file.name)
    shapes = shapely.transform(shapely.force_2d(shapes), lambda xy: _placed(xy, source, file.name))
    frame = gpd.GeoDataFrame(table, geometry=shapes, crs=WGS84_EPSG)
    return from_layer(frame, file.name, directed=graph.is_directed())


def _graph_crs(declared: Any, stated: SourceCrs | str | int, name: str) -> SourceCrs | str | int:
    """Return the projected CRS a graph declares, else the datum that was stated."""
    if not declared:
        return stated
    try:
        crs = pyproj.CRS.from_user_input(declared)
    except pyproj.exceptions.CRSError as error:
        raise CrsError("unknown_crs", crs=str(declared)) from error
    if not crs.is_projected:
        return stated
    if str(stated).lower() != SourceCrs.WGS84 and not is_same_crs(crs, stated):
        raise RoadError("crs_conflict", name=name, declared=crs.name, stated=str(stated))
    return crs.to_wkt()


def _placed(xy: Floats, source: SourceCrs | str | int, name: str) -> Floats:
    """Convert coordinates to WGS-84 degrees, refusing what is swapped or impossible."""
    if len(xy) and 15 <= np.median(xy[:, 0]) <= 55 and 73 <= np.median(xy[:, 1]) <= 136:
        raise RoadError("swapped_lon_lat", name=name)
    try:
        lonlat = np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], source))
    except CrsError as error:
        if error.code == "unknown_crs":
            raise
        raise RoadError("out_of_range", name=name) from error
    if not np.isfinite(lonlat).all():
        raise RoadError("out_of_range", name=name)
    return lonlat
