"""The demo district as a whole: a fictional place, its register and half a year of its history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from data.calendar import Break, shipped_calendar
from data.demo.addresses import write_addresses
from data.demo.areas import Area, cut_areas, draw_blocks, frame_areas, merge_areas
from data.demo.history import History, tell_history
from data.demo.people import DemoOfficer, hire_officers
from data.demo.presets import DISTRICT_CODE, DISTRICT_NAME, HISTORY_DAYS, Preset, find_preset
from data.demo.register import DemoInstitution, write_register
from data.demo.roads import cut_roads
from data.demo.schools import DemoSchool, name_schools, site_schools
from data.demo.seats import Seat, take_seats
from data.demo.streets import (
    RIVER_HALF_M,
    Door,
    Street,
    draw_rail,
    draw_river,
    draw_streets,
    make_lattice,
    number_doors,
    shapes_to_degrees,
    to_degrees,
)
from data.demo.words import SHOPS
from data.terms import Kind

_KNOWN_SHARE = 0.6
_SHOP_SHARE = 0.1
_NOISE_M = 11.0


@dataclass(frozen=True)
class KnownDoor:
    """A row of the gazetteer: a name or none, the address, and its measured place in degrees."""

    name: str
    address: str
    lon: float
    lat: float


@dataclass(frozen=True)
class DemoDistrict:
    """A fictional district; frames are WGS-84, points longitude and latitude in degrees.

    Parameters
    ----------
    preset : Preset
        Its sizes.
    seed, today
        What it was made from.
    boundary, grids, subdistricts, communities : GeoDataFrame
        One polygon; grid areas with grid_code, name, subdistrict, community; their unions with name.
    blocks, water, roads, rail : GeoDataFrame
        The base map: `class` of blocks and roads (main, minor), `name` of roads.
    network : GeoDataFrame
        Pieces of road between crossings, with `highway`, `oneway` and `name`.
    depot : tuple
        Name, longitude and latitude of the place teams start from.
    schools, doors, register, officers, breaks, history
        Rows as a bureau would hand them over, and what happened.
    """

    preset: Preset
    seed: int
    today: dt.date
    code: str
    name: str
    depot: tuple[str, float, float]
    boundary: gpd.GeoDataFrame
    grids: gpd.GeoDataFrame
    subdistricts: gpd.GeoDataFrame
    communities: gpd.GeoDataFrame
    blocks: gpd.GeoDataFrame
    water: gpd.GeoDataFrame
    roads: gpd.GeoDataFrame
    rail: gpd.GeoDataFrame
    network: gpd.GeoDataFrame
    schools: tuple[DemoSchool, ...]
    doors: tuple[KnownDoor, ...]
    register: tuple[DemoInstitution, ...]
    officers: tuple[DemoOfficer, ...]
    breaks: tuple[Break, ...]
    history: History


def make_demo(preset: str, *, seed: int, today: dt.date) -> DemoDistrict:
    """Make a fictional district; the same preset, seed and date give the same district.

    Parameters
    ----------
    preset : str
        ``small`` (76 institutions, 64 grid areas) or ``district`` (422 institutions, 400 grid areas).
    seed : int
        Seed of every choice.
    today : date
        The date on which the half year of history ends (exclusive).

    Raises
    ------
    RegisterError
        `unknown_preset`.
    """
    sizes = find_preset(preset)
    # One stream for each part, so that a change of one part leaves the others as they are.
    ground, people, past = np.random.default_rng(seed).spawn(3)
    lattice = make_lattice(sizes, chance=ground)
    river, rail = draw_river(lattice, sizes), draw_rail(lattice, sizes)
    streets = draw_streets(lattice, sizes, river, chance=ground)
    doors = number_doors(streets, chance=ground)
    areas = cut_areas(lattice, sizes, chance=ground)
    grids = frame_areas(areas)
    boundary = shapely.union_all([area.shape for area in areas])
    sites = site_schools(doors, streets, boundary, river, sizes, chance=ground)
    campuses = np.array([xy for _, xy, _ in sites])
    schools = name_schools(sites, to_degrees(campuses), doors, sizes, chance=ground)
    seats = take_seats(doors, schools, boundary, sizes, chance=ground)
    register = _write_register(seats, doors, areas, schools, sizes, ground)
    breaks = school_breaks(today)
    calendar = shipped_calendar(breaks=breaks)
    return DemoDistrict(
        preset=sizes,
        seed=seed,
        today=today,
        code=DISTRICT_CODE,
        name=DISTRICT_NAME,
        depot=_depot(doors, boundary),
        boundary=_frame([boundary], name=[DISTRICT_NAME]),
        grids=grids,
        subdistricts=merge_areas(grids, ["subdistrict"]),
        communities=merge_areas(grids, ["subdistrict", "community"]),
        blocks=draw_blocks(boundary, streets, river, rail, campuses, chance=ground),
        water=_frame([river.buffer(RIVER_HALF_M)], name=["云河"]),
        roads=_frame_roads(streets),
        rail=_frame([rail], name=["云河铁路"]),
        network=cut_roads(streets),
        schools=schools,
        doors=_know_doors(doors, {door for door, _, _ in sites}, ground),
        register=register,
        officers=hire_officers(sizes, today=today, chance=people),
        breaks=breaks,
        history=tell_history(register, sizes, calendar, today=today, chance=past),
    )


def school_breaks(today: dt.date) -> tuple[Break, ...]:
    """Return the school breaks of the years that the history and a term of planning touch."""
    first, last = today - dt.timedelta(days=HISTORY_DAYS), today + dt.timedelta(days=HISTORY_DAYS)
    breaks = []
    for year in range(first.year, last.year + 1):
        breaks.append(Break("寒假", dt.date(year, 1, 22), dt.date(year, 2, 24)))
        breaks.append(Break("暑假", dt.date(year, 7, 11), dt.date(year, 8, 31)))
    return tuple(breaks)


def _write_register(
    seats: Sequence[tuple[Seat, Kind]],
    doors: Sequence[Door],
    areas: Sequence[Area],
    schools: Sequence[DemoSchool],
    preset: Preset,
    chance: np.random.Generator,
) -> tuple[DemoInstitution, ...]:
    points = np.array([(doors[seat.door].x, doors[seat.door].y) for seat, _ in seats])
    campuses = np.array([school.xy for school in schools])
    nearest = np.hypot(*(points[:, None] - campuses[None]).transpose(2, 0, 1)).argmin(axis=1)
    subdistricts = [""] * len(seats)
    tree = shapely.STRtree([area.shape for area in areas])
    for at, area in zip(*tree.query(shapely.points(points), predicate="intersects"), strict=True):
        subdistricts[at] = areas[area].subdistrict
    landmarks = [schools[at].name for at in nearest]
    addresses = write_addresses([seat for seat, _ in seats], doors, subdistricts, landmarks, chance=chance)
    true_points = points + chance.normal(0, 4.0, size=points.shape)
    return write_register(seats, addresses, to_degrees(true_points), preset, chance=chance)


def _know_doors(
    doors: Sequence[Door], always: set[int], chance: np.random.Generator
) -> tuple[KnownDoor, ...]:
    """Return the gazetteer: 60 % of the doors, with a little noise; some have several named shops."""
    known: list[tuple[str, Door]] = []
    for at, door in enumerate(doors):
        if chance.random() < _KNOWN_SHARE and at not in always:
            shops = int(chance.integers(2, 4)) if chance.random() < _SHOP_SHARE else 0
            known += [
                (f"{door.street}{door.number}{SHOPS[(at + n) % len(SHOPS)]}", door) for n in range(shops)
            ]
            if not shops:
                known.append(("", door))
    xy = np.array([(door.x, door.y) for _, door in known])
    degrees = to_degrees(xy + chance.normal(0, _NOISE_M, size=xy.shape))
    return tuple(
        KnownDoor(name, f"{DISTRICT_NAME}{door.address}", round(float(lon), 7), round(float(lat), 7))
        for (name, door), (lon, lat) in zip(known, degrees, strict=True)
    )


def _depot(doors: Sequence[Door], boundary: Any) -> tuple[str, float, float]:
    """Return the bureau's house: the door nearest to the middle of the district."""
    points = np.array([(door.x, door.y) for door in doors])
    middle = np.array(boundary.centroid.coords[0])
    at = int(np.argmin(np.hypot(*(points - middle).T)))
    lon, lat = to_degrees(points[at : at + 1])[0]
    return f"{DISTRICT_NAME}教育局", round(float(lon), 7), round(float(lat), 7)


def _frame_roads(streets: Sequence[Street]) -> gpd.GeoDataFrame:
    order = sorted(streets, key=lambda street: street.road_class != "minor")
    frame = _frame([street.line for street in order], name=[street.name for street in order])
    frame["class"] = [street.road_class for street in order]
    return frame


def _frame(shapes: Sequence[Any], **columns: list[str]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=shapes_to_degrees(shapes), crs=4326)
