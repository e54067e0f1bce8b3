"""Schools of the demo district: spread over it, two of them with a planted cluster round them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry import LineString

from data.demo.presets import DISTRICT_NAME, Preset
from data.demo.streets import Door, Floats, Street
from data.demo.words import PEDESTRIAN_STREET, SCHOOL_STEMS

_APART_M = 480.0
_CLUSTERS_APART_M = 1_500.0
_CAMPUS_DEPTH_M = 45.0
_INSIDE_M = 150.0
_BANK_M = 110.0
_ROAD_M = 25.0


@dataclass(frozen=True)
class DemoSchool:
    """A school: name, stage as tables write it, address, place in metres and degrees, cluster or None."""

    name: str
    stage: str
    address: str
    door: int
    xy: tuple[float, float]
    lon: float
    lat: float
    cluster: str | None = None


def site_schools(
    doors: Sequence[Door],
    streets: Sequence[Street],
    boundary: Any,
    river: LineString,
    preset: Preset,
    *,
    chance: np.random.Generator,
) -> list[tuple[int, tuple[float, float], str | None]]:
    """Choose the doors of schools; return (door, campus point in metres, cluster) of each.

    The two cluster schools come first; they lie far from each other and from the pedestrian street.
    """
    points = np.array([(door.x, door.y) for door in doors])
    lonely_m = _CLUSTERS_APART_M * preset.columns / 40
    campus = _campus_points(points, doors, streets)
    taken = [river.buffer(_BANK_M), *(street.line.buffer(_ROAD_M) for street in streets)]
    land = shapely.difference(boundary.buffer(-_INSIDE_M), shapely.union_all(taken))
    shapely.prepare(land)
    suited = shapely.contains_xy(land, campus[:, 0], campus[:, 1])
    mall = points[[door.street == PEDESTRIAN_STREET for door in doors]].mean(axis=0)
    order = [int(at) for at in chance.permutation(len(doors)) if suited[at]]
    far = [at for at in order if np.hypot(*(points[at] - mall)) >= lonely_m]
    first = far[0]
    apart = np.hypot(*(points[far] - points[first]).T)
    second = far[int(np.argmax(apart >= lonely_m))]
    chosen = [first, second]
    wanted = preset.primary + preset.secondary
    for apart_m in (_APART_M, _APART_M / 2, 0.0):
        for at in order:
            if len(chosen) == wanted:
                break
            # The clusters need room: their excess must not be shared with a neighbour school.
            gaps = np.hypot(*(points[chosen] - points[at]).T)
            lonely = gaps[:2].min() >= 1.5 * apart_m and np.hypot(*(points[at] - mall)) >= 300.0
            if gaps.min() >= max(apart_m, 1.0) and lonely and doors[at].street != PEDESTRIAN_STREET:
                chosen.append(at)
    clusters = ["school_a", "school_b", *([None] * (wanted - 2))]
    return [
        (at, (float(campus[at, 0]), float(campus[at, 1])), cluster)
        for at, cluster in zip(chosen, clusters, strict=True)
    ]


def _campus_points(points: Floats, doors: Sequence[Door], streets: Sequence[Street]) -> Floats:
    """Return the point behind each door, straight away from its street."""
    lines = {street.name: street.line for street in streets}
    courses = [lines[door.street] for door in doors]
    along = shapely.line_locate_point(courses, shapely.points(points))
    away = points - shapely.get_coordinates(shapely.line_interpolate_point(courses, along))
    return np.asarray(points + _CAMPUS_DEPTH_M * away / np.hypot(*away.T)[:, None])


def name_schools(
    sites: Sequence[tuple[int, tuple[float, float], str | None]],
    degrees: Floats,
    doors: Sequence[Door],
    preset: Preset,
    *,
    chance: np.random.Generator,
) -> tuple[DemoSchool, ...]:
    """Name the schools, primary and secondary in turn until the counts of the preset are met."""
    stems = [str(stem) for stem in chance.permutation(np.array(SCHOOL_STEMS))]
    stages = ["小学", "中学"]
    stages += ["小学"] * (preset.primary - 1) + ["中学"] * (preset.secondary - 1)
    return tuple(
        DemoSchool(
            name=f"{DISTRICT_NAME}{stem}{stage}",
            stage=stage,
            address=f"{DISTRICT_NAME}{doors[at].address}",
            door=at,
            xy=xy,
            lon=round(float(lon), 7),
            lat=round(float(lat), 7),
            cluster=cluster,
        )
        for (at, xy, cluster), (lon, lat), stem, stage in zip(
            sites, degrees, stems[: len(sites)], stages, strict=True
        )
    )
