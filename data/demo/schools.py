"""Schools of the demo district: spread over it, two of them with a planted cluster round them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from scipy.spatial import cKDTree

from data.demo.presets import DISTRICT_NAME, Preset
from data.demo.streets import Door, Floats
from data.demo.words import PEDESTRIAN_STREET, SCHOOL_STEMS

_APART_M = 480.0
_CLUSTERS_APART_M = 1_500.0
_CAMPUS_DEPTH_M = 45.0
_INSIDE_M = 150.0


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
    doors: Sequence[Door], boundary: Any, preset: Preset, *, chance: np.random.Generator
) -> list[tuple[int, tuple[float, float], str | None]]:
    """Choose the doors of schools; return (door, campus point in metres, cluster) of each.

    The two cluster schools come first; they lie far from each other and from the pedestrian street.
    """
    points = np.array([(door.x, door.y) for door in doors])
    lonely_m = _CLUSTERS_APART_M * preset.columns / 40
    well_inside = shapely.contains_xy(boundary.buffer(-_INSIDE_M), points[:, 0], points[:, 1])
    mall = points[[door.street == PEDESTRIAN_STREET for door in doors]].mean(axis=0)
    order = [int(at) for at in chance.permutation(len(doors)) if well_inside[at]]
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
    campus = _campus_points(points, chosen)
    clusters = ["school_a", "school_b", *([None] * (wanted - 2))]
    return [
        (at, (float(x), float(y)), cluster)
        for at, (x, y), cluster in zip(chosen, campus, clusters, strict=True)
    ]


def _campus_points(points: Floats, chosen: Sequence[int]) -> Floats:
    """Return points behind the doors: away from the nearest doors, which line the street."""
    neighbour = cKDTree(points).query(points[chosen], k=7)[1]
    middle = points[neighbour[:, 1:]].mean(axis=1)
    away = points[chosen] - middle
    length = np.hypot(*away.T)
    unit = np.where(length[:, None] > 1.0, away / np.maximum(length, 1.0)[:, None], [1.0, 0.0])
    return np.asarray(points[chosen] + _CAMPUS_DEPTH_M * unit)


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
