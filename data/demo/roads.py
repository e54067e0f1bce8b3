"""Roads of the demo district for travel times: street pieces between crossings, with one-way streets."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import shapely

from data.demo.streets import Street, shapes_to_degrees
from data.demo.words import PEDESTRIAN_STREET

_ONE_WAY_EVERY = 7
_JOIN_M = 1.0  # a street that ends this close to another meets it
_HIGHWAY = {"main": "secondary", "minor": "residential"}


def cut_roads(streets: Sequence[Street]) -> gpd.GeoDataFrame:
    """Cut streets where they cross, as a road file would hold them.

    Parameters
    ----------
    streets : sequence of Street
        Whole streets in metres; all cross at grade, bridges lie over water only.

    Returns
    -------
    GeoDataFrame
        WGS-84 lines with ``highway``, ``name`` and ``oneway`` (every seventh side street, in the direction of
        its house numbers); the pedestrian street is ``pedestrian``, and streets end dead at the railway.
    """
    # The grid makes ends that lie on another street meet it exactly.
    pieces = shapely.get_parts(shapely.node(shapely.union_all(_joined(streets), grid_size=0.01)))
    tree = shapely.STRtree([street.line for street in streets])
    owner = tree.nearest(shapely.line_interpolate_point(pieces, 0.5, normalized=True))
    minor = [at for at, street in enumerate(streets) if street.road_class == "minor"]
    one_way = {minor[n] for n in range(3, len(minor), _ONE_WAY_EVERY)}
    one_way -= {at for at, street in enumerate(streets) if street.name == PEDESTRIAN_STREET}
    rows = []
    for piece, at in zip(pieces, owner, strict=True):
        street = streets[at]
        ends = shapely.line_locate_point(street.line, shapely.points(shapely.get_coordinates(piece)[[0, -1]]))
        walked = street.name == PEDESTRIAN_STREET
        rows.append(
            {
                "name": street.name,
                "highway": "pedestrian" if walked else _HIGHWAY[street.road_class],
                "oneway": "yes" if at in one_way else "no",
                "geometry": piece if ends[0] <= ends[1] else piece.reverse(),
            }
        )
    frame = gpd.GeoDataFrame(rows, geometry="geometry")
    return frame.set_geometry(shapes_to_degrees(frame.geometry.to_numpy())).set_crs(4326)


def _joined(streets: Sequence[Street]) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    """Draw the ends of streets out to the street they nearly touch."""
    lines = [street.line for street in streets]
    tree = shapely.STRtree(lines)
    joined = []
    for at, line in enumerate(lines):
        points = shapely.get_coordinates(line)
        for end in (0, -1):
            spot = shapely.Point(points[end])
            near = [other for other in tree.query(spot, predicate="dwithin", distance=_JOIN_M) if other != at]
            if near:
                target = lines[near[0]]
                points[end] = shapely.get_coordinates(target.interpolate(target.project(spot)))[0]
        joined.append(shapely.LineString(points))
    return np.array(joined, dtype=object)
