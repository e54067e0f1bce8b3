"""Measure the map: datums, points into grid areas, patrol areas, shared addresses.

Run: ``python -m tests.benchmarks.bench_geo`` from the project folder; CPU seconds of one thread.
"""

import resource
import time
from collections.abc import Callable
from typing import TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry import Polygon

from geo.colocation import find_groups
from geo.crs import bd09_to_gcj02, gcj02_to_bd09, gcj02_to_wgs84, wgs84_to_gcj02
from geo.grid.assign import assign_grids
from geo.grid.patrolareas import divide
from geo.grid.topology import find_issues

Result = TypeVar("Result")
POINTS = 1_000_000
COLUMNS, ROWS = 50, 40


def main() -> None:
    """Print one line a figure."""
    random = np.random.default_rng(1)
    lon, lat = random.uniform(119, 125.5, POINTS), random.uniform(38.8, 43.4, POINTS)
    gcj = _timed(f"WGS-84 to GCJ-02, {POINTS:,} points", lambda: wgs84_to_gcj02(lon, lat))
    back = _timed(f"GCJ-02 to WGS-84, {POINTS:,} points", lambda: gcj02_to_wgs84(*gcj))
    _tell("largest error there and back", f"{_metres(back, (lon, lat)):.1e} m")
    bd = _timed(f"GCJ-02 to BD-09, {POINTS:,} points", lambda: gcj02_to_bd09(*gcj))
    back = _timed(f"BD-09 to GCJ-02, {POINTS:,} points", lambda: bd09_to_gcj02(*bd))
    _tell("largest error there and back", f"{_metres(back, gcj):.1e} m")
    grids = _district()
    points = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(random.uniform(121, 121.2, POINTS), random.uniform(31, 31.16, POINTS)),
        crs=4326,
    )
    codes = _timed(
        f"{POINTS:,} points into {len(grids):,} grid areas of {_vertices(grids)} vertices",
        lambda: assign_grids(points, grids),
    )
    _tell("points outside every grid area", f"{int(codes.isna().sum()):,}")
    _timed(f"topology of {len(grids):,} grid areas", lambda: find_issues(grids))
    some = grids.iloc[:400]
    work = pd.Series(random.gamma(0.8, 60.0, len(some)), index=some.index)
    areas = _timed(f"patrol areas of {len(some)} grid areas for 6 teams", lambda: divide(some, work, count=6))
    _tell("largest workload over the mean", f"{1 + areas.imbalance:.3f}")
    count = 2_000
    places = gpd.GeoDataFrame(
        {
            "address": [
                f"{chr(0x4E00 + n % 90)}{chr(0x4E50 + n % 70)}路{n % 400}号{n % 5 + 1}0{n % 9}室"
                for n in range(count)
            ],
            "contact_phone": [""] * count,
            "contact_name": [""] * count,
        },
        geometry=points.geometry.iloc[:count].to_numpy(),
        crs=4326,
    )
    _timed(f"licences at shared addresses among {count:,}", lambda: find_groups(places))
    _tell(
        "peak memory of the whole run", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
    )


def _timed(name: str, run: Callable[[], Result]) -> Result:
    began = time.process_time()
    result = run()
    _tell(name, f"{time.process_time() - began:.2f} s")
    return result


def _tell(name: str, figure: str) -> None:
    print(f"{name:72s} {figure}")


def _metres(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> float:
    east = (one[0] - other[0]) * np.cos(np.radians(other[1])) * 111_320
    return float(np.hypot(east, (one[1] - other[1]) * 110_574).max())


def _vertices(grids: gpd.GeoDataFrame) -> int:
    return len(grids.geometry[0].exterior.coords)


def _district(columns: int = COLUMNS, rows: int = ROWS) -> gpd.GeoDataFrame:
    """Make grid areas whose shared borders wander, about 70 vertices each."""
    random = np.random.default_rng(2)
    bends = {}
    for i in range(columns + 1):
        for j in range(rows + 1):
            for turn in (0, 1):
                away = np.cumsum(random.normal(0, 0.02, 16))
                bends[i, j, turn] = away - np.linspace(0, away[-1], 16)
    shapes = []
    for i in range(columns):
        for j in range(rows):
            south, east = _edge(i, j, 0, bends), _edge(i + 1, j, 1, bends)
            north, west = _edge(i, j + 1, 0, bends), _edge(i, j, 1, bends)
            ring = np.vstack([south, east, north[::-1], west[::-1]])
            shapes.append(Polygon(np.array([121.0, 31.0]) + 0.004 * ring))
    codes = [f"{number:015d}" for number in range(len(shapes))]
    return gpd.GeoDataFrame({"grid_code": codes}, geometry=shapes, crs=4326)


def _edge(i: int, j: int, turn: int, bends: dict[tuple[int, int, int], np.ndarray]) -> np.ndarray:
    along = np.linspace(0, 1, 18)
    away = np.r_[0.0, bends[i, j, turn], 0.0]
    x, y = (along, away) if turn == 0 else (away, along)
    return np.column_stack([i + x, j + y])


if __name__ == "__main__":
    main()
