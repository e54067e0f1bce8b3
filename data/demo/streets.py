"""Streets of the demo district on a warped lattice: roads, river, railway and doors (metres, EPSG:32651)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString

from data.demo.presets import CELL_M, CENTRE_LAT, CENTRE_LON, WORK_EPSG, Preset
from data.demo.words import PEDESTRIAN_STREET, STREET_STEMS

Floats = NDArray[np.float64]

RIVER_HALF_M = 48.0
BANK_M = 68.0
HALF_WIDTH_M = {"main": 15.0, "minor": 8.0}
_DOOR_SETBACK_M = 9.0
_DOOR_SPACING_M = (60.0, 120.0)
_MALL_SPACING_M = (22.0, 34.0)
_NUMBER_STEP_M = 10.0
_TILT_RAD = 0.1
_RAIL_GAP = 0.06


@dataclass(frozen=True)
class Street:
    """A named street: its course starts where its house numbers do."""

    name: str
    road_class: str
    line: LineString


@dataclass(frozen=True)
class Door:
    """A house number and where it is (metres); every second number is on the other side."""

    street: str
    number: int
    x: float
    y: float

    @property
    def address(self) -> str:
        """The door as written: 锦川北路128号."""
        return f"{self.street}{self.number}号"


@dataclass(frozen=True)
class Lattice:
    """Crossings of the street lattice, shape (rows + 1, columns + 1, 2), metres."""

    nodes: Floats

    def at(self, row: float, column: float) -> tuple[float, float]:
        """Return the point of fractional lattice coordinates."""
        j = min(int(row), self.nodes.shape[0] - 2)
        i = min(int(column), self.nodes.shape[1] - 2)
        v, u = row - j, column - i
        low = self.nodes[j, i] * (1 - u) + self.nodes[j, i + 1] * u
        high = self.nodes[j + 1, i] * (1 - u) + self.nodes[j + 1, i + 1] * u
        x, y = low * (1 - v) + high * v
        return float(x), float(y)


def make_lattice(preset: Preset, *, chance: np.random.Generator) -> Lattice:
    """Return a lattice of cells of about 274 m, bent by slow waves so that no street is quite straight."""
    rows, columns = preset.rows, preset.columns
    y, x = np.mgrid[0 : rows + 1, 0 : columns + 1].astype(np.float64) * CELL_M
    long_x, long_y = columns * CELL_M, rows * CELL_M
    phase = chance.uniform(0, 2 * np.pi, size=4)
    east = x + 90 * np.sin(2.6 * np.pi * y / long_y + phase[0]) + 38 * np.sin(x / 400 + phase[1])
    north = y + 120 * np.sin(3.2 * np.pi * x / long_x + phase[2]) + 34 * np.sin(y / 340 + phase[3])
    jitter = chance.uniform(-12, 12, size=(2, rows + 1, columns + 1))
    jitter[:, preset.river_row, :] = 0.0  # a river has no corners
    east, north = east - long_x / 2 + jitter[0], north - long_y / 2 + jitter[1]
    cos, sin = np.cos(_TILT_RAD), np.sin(_TILT_RAD)
    centre = to_metres([CENTRE_LON], [CENTRE_LAT])[0]
    nodes = np.stack([centre[0] + cos * east - sin * north, centre[1] + sin * east + cos * north], axis=-1)
    return Lattice(nodes)


def to_metres(lon: Sequence[float], lat: Sequence[float]) -> Floats:
    """Project WGS-84 degrees to metres, shape (n, 2)."""
    x, y = _transformer().transform(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
    return np.column_stack([x, y])


def to_degrees(xy: Floats) -> Floats:
    """Return WGS-84 longitude and latitude of metres, shape (n, 2); the same metres give the same degrees."""
    lon, lat = _transformer().transform(xy[:, 0], xy[:, 1], direction="INVERSE")
    return np.column_stack([lon, lat])


def shapes_to_degrees(shapes: Sequence[Any] | NDArray[np.object_]) -> Any:
    """Return shapes in metres as an array of shapes in degrees."""
    return shapely.transform(np.array(shapes, dtype=object), to_degrees)


def _transformer() -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(4326, WORK_EPSG, always_xy=True)


def draw_river(lattice: Lattice, preset: Preset) -> LineString:
    """Return the river's middle, running on beyond the district at both ends."""
    points = lattice.nodes[preset.river_row]
    before = points[0] + (points[0] - points[1]) * 3
    after = points[-1] + (points[-1] - points[-2]) * 3
    return LineString([before, *points, after])


def draw_rail(lattice: Lattice, preset: Preset) -> LineString:
    """Return the railway through the middle of a column of cells."""
    column = preset.rail_column + 0.5
    return LineString([lattice.at(row, column) for row in range(preset.rows + 1)])


def draw_streets(
    lattice: Lattice, preset: Preset, river: LineString, *, chance: np.random.Generator
) -> tuple[Street, ...]:
    """Return all streets; few cross the river, and only main ones the railway."""
    stems = list(chance.permutation(np.array(STREET_STEMS)))
    bank = river.buffer(BANK_M)
    streets = []
    for column in range(preset.columns + 1):
        stem = str(stems.pop())
        road_class = "main" if column in preset.main_columns else "minor"
        line = LineString(lattice.nodes[:, column])
        if column in preset.bridges:
            streets.append(Street(f"{stem}大道", road_class, line))
            continue
        pieces = shapely.get_parts(shapely.difference(line, bank))
        south, north = sorted(pieces, key=lambda piece: float(piece.centroid.y))
        # Numbers begin at the river on both sides.
        streets.append(Street(f"{stem}南路", road_class, south.reverse()))
        streets.append(Street(f"{stem}北路", road_class, north))
    for row in range(preset.rows + 1):
        if row == preset.river_row:
            continue
        stem, points = str(stems.pop()), lattice.nodes[row]
        if row in preset.main_rows:
            streets.append(Street(f"{stem}大街", "main", LineString(points)))
            continue
        cut = preset.rail_column
        west = [*points[: cut + 1], lattice.at(row, cut + 0.5 - _RAIL_GAP)]
        east = [lattice.at(row, cut + 0.5 + _RAIL_GAP), *points[cut + 1 :]]
        streets.append(Street(f"{stem}西街", "minor", LineString(west[::-1])))
        streets.append(Street(f"{stem}东街", "minor", LineString(east)))
    inside = LineString(lattice.nodes[preset.river_row])
    for name, offset_m in (("滨河北路", BANK_M), ("滨河南路", -BANK_M)):
        streets.append(Street(name, "minor", LineString(inside.offset_curve(offset_m).coords)))
    first, last = preset.mall_columns
    mall = [lattice.at(preset.river_row + 1.5, column) for column in np.arange(first, last + 0.25, 0.5)]
    streets.append(Street(PEDESTRIAN_STREET, "minor", LineString(mall)))
    return tuple(streets)


def number_doors(streets: Sequence[Street], *, chance: np.random.Generator) -> tuple[Door, ...]:
    """Return the doors of all streets: odd numbers left, even right, two numbers every ten metres."""
    doors = []
    for street in streets:
        spacing = _MALL_SPACING_M if street.name == PEDESTRIAN_STREET else _DOOR_SPACING_M
        for side in (1, -1):
            along = _spread(street.line.length, spacing, chance)
            xy = _beside(street, along, side)
            numbers = 2 * (along // _NUMBER_STEP_M).astype(int) + (1 if side > 0 else 2)
            doors += [
                Door(street.name, int(number), float(x), float(y))
                for number, (x, y) in zip(numbers, xy, strict=True)
            ]
    return tuple(doors)


def _spread(length_m: float, spacing_m: tuple[float, float], chance: np.random.Generator) -> Floats:
    steps = chance.uniform(*spacing_m, size=int(length_m / spacing_m[0]) + 1)
    along = np.cumsum(steps) - spacing_m[0] / 2
    return np.asarray(along[along < length_m - 20.0])


def _beside(street: Street, along: Floats, side: int) -> Floats:
    points = shapely.get_coordinates(shapely.line_interpolate_point(street.line, along))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(street.line, along + 2.0))
    course = ahead - points
    course /= np.hypot(*course.T)[:, None]
    offset = side * (HALF_WIDTH_M[street.road_class] + _DOOR_SETBACK_M)
    return np.asarray(points + offset * np.column_stack([-course[:, 1], course[:, 0]]))
