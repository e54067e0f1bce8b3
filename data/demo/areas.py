"""Grid areas, communities, subdistricts and blocks of the demo district."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry import LineString, Polygon

from data.demo.presets import DISTRICT_CODE, Preset
from data.demo.streets import HALF_WIDTH_M, RIVER_HALF_M, Floats, Lattice, Street, shapes_to_degrees
from data.demo.words import COMMUNITY_STEMS, SUBDISTRICTS

_RAIL_HALF_M = 9.0
_SMALLEST_BLOCK_M2 = 900.0
_PARK_SHARE = 0.06
# The district owns one area inside its neighbour (real districts do): the corner area, moved away.
_EXCLAVE_SHIFT_M = np.array([820.0, 310.0])


@dataclass(frozen=True)
class Area:
    """A grid area: its code of 15 digits, names, and its polygon in metres."""

    code: str
    name: str
    subdistrict: str
    community: str
    shape: Polygon


def cut_areas(lattice: Lattice, preset: Preset, *, chance: np.random.Generator) -> tuple[Area, ...]:
    """Return the grid areas: each two cells of the lattice, sharing every vertex with its neighbours."""
    stems = [str(stem) for stem in chance.permutation(np.array(COMMUNITY_STEMS))]
    areas: list[Area] = []
    half = preset.rows // 4
    numbers = iter(range(len(SUBDISTRICTS)))
    for bottom, widths in zip((0, half), preset.widths, strict=True):
        left = 0
        for width in widths:
            number = next(numbers)
            rings = _snake(bottom, half, left, width, chance)
            left += width
            for index, (row, column, rows, columns) in enumerate(rings):
                community, grid = divmod(index, preset.grids_per_community)
                if grid == 0:
                    name = f"{stems.pop()}社区"
                code = f"{DISTRICT_CODE}{number + 1:03d}{community + 1:03d}{grid + 1:03d}"
                shape = Polygon(_ring(lattice.nodes, row, column, rows, columns))
                areas.append(Area(code, f"{name}第{grid + 1}网格", SUBDISTRICTS[number], name, shape))
    return _with_exclave(areas, lattice)


def _snake(
    bottom: int, height: int, left: int, width: int, chance: np.random.Generator
) -> list[tuple[int, int, int, int]]:
    """List (row, column, rows, columns) of cells pair by pair; up one column of double cells, down the next.

    A community is a run of this list, so it is always in one piece.
    """
    pairs = []
    for column in range(left, left + width):
        up = (column - left) % 2 == 0
        order = range(bottom, bottom + height)
        for row in order if up else reversed(order):
            if chance.random() < 0.5:
                halves = [(2 * row, 2 * column, 1, 2), (2 * row + 1, 2 * column, 1, 2)]
                pairs += halves if up else halves[::-1]
            else:
                pairs += [(2 * row, 2 * column, 2, 1), (2 * row, 2 * column + 1, 2, 1)]
    return pairs


def _ring(nodes: Floats, row: int, column: int, rows: int, columns: int) -> list[Any]:
    top, right = row + rows, column + columns
    ring = [nodes[row, i] for i in range(column, right)]
    ring += [nodes[j, right] for j in range(row, top)]
    ring += [nodes[top, i] for i in range(right, column, -1)]
    return ring + [nodes[j, column] for j in range(top, row, -1)]


def _with_exclave(areas: list[Area], lattice: Lattice) -> tuple[Area, ...]:
    corner = shapely.Point(lattice.nodes[-1, -1])
    at = next(index for index, area in enumerate(areas) if area.shape.intersects(corner))
    area = areas[at]
    moved = shapely.transform(area.shape, lambda xy: xy + _EXCLAVE_SHIFT_M)
    areas[at] = Area(area.code, area.name, area.subdistrict, area.community, moved)
    return tuple(areas)


def frame_areas(areas: Sequence[Area]) -> gpd.GeoDataFrame:
    """Return the areas in WGS-84 with grid_code, name, subdistrict and community."""
    table = {
        "grid_code": [area.code for area in areas],
        "name": [area.name for area in areas],
        "subdistrict": [area.subdistrict for area in areas],
        "community": [area.community for area in areas],
    }
    shapes = shapes_to_degrees([area.shape for area in areas])
    return gpd.GeoDataFrame(table, geometry=shapes, crs=4326)


def merge_areas(grids: gpd.GeoDataFrame, columns: Sequence[str]) -> gpd.GeoDataFrame:
    """Return the unions of grid areas that agree in `columns`, the last of which becomes the name."""
    merged = grids.dissolve(by=list(columns), sort=False).reset_index()
    merged["name"] = merged[columns[-1]]
    return merged[["name", "geometry"]]


def draw_blocks(
    boundary: Any,
    streets: Sequence[Street],
    river: LineString,
    rail: LineString,
    campuses: Floats,
    *,
    chance: np.random.Generator,
) -> gpd.GeoDataFrame:
    """Return the land between the streets in WGS-84; `class` is campus, park or built."""
    cut = [street.line.buffer(HALF_WIDTH_M[street.road_class]) for street in streets]
    cut += [river.buffer(RIVER_HALF_M + 4.0), rail.buffer(_RAIL_HALF_M)]
    left = shapely.get_parts(shapely.difference(boundary, shapely.union_all(cut)))
    blocks = left[shapely.area(left) >= _SMALLEST_BLOCK_M2]
    classes = np.where(chance.random(len(blocks)) < _PARK_SHARE, "park", "built").astype(object)
    at, _ = shapely.STRtree(blocks).query(shapely.points(campuses), predicate="intersects")[::-1]
    classes[at] = "campus"
    return gpd.GeoDataFrame({"class": classes}, geometry=shapes_to_degrees(blocks), crs=4326)
