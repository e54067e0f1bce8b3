"""Measure geocoding: quality and honesty of the radii on registers, seconds and memory for 20,000 addresses.

Run: ``python -m tests.benchmarks.bench_geocode`` from the project folder. Three registers are placed: the
reference register against its true points; the gazetteer's own addresses, a fifth left out at a time; and
invented districts of another scale, direction and scatter, which informed the calibration too.
"""

import resource
import time
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from python_calamine import CalamineWorkbook

from geo.address.parser import parse_address
from geo.crs import metric_crs, project_xy, unproject_xy
from geo.formats.read import read_layer
from geo.gazetteer.index import Gazetteer, build_gazetteer
from geo.gazetteer.roads import road_number
from geo.geocode import GazetteerGeocoder

HUANGPU = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "huangpu"
ROWS = 20_000
FOLDS = 5


def main() -> None:
    """Print quality on the three registers, then speed and memory."""
    frame = read_layer(HUANGPU / "gazetteer.csv", source_crs="wgs84")
    began = time.perf_counter()
    geocoder = GazetteerGeocoder(build_gazetteer(frame))
    print(f"gazetteer of {len(frame)} rows and its radii: {time.perf_counter() - began:.2f} s")
    addresses, lon, lat = register()
    written = [i for i, address in enumerate(addresses) if address.strip()]
    table = placed(geocoder, [addresses[i] for i in written], lon[written], lat[written])
    show("register", table)
    for name, part in table.groupby("level"):
        show(f"  {name}", part)
    show("gazetteer, a fifth left out at a time", folds(frame))
    for seed, options in enumerate(
        ({}, {"spacing_m": 9.0, "scatter_m": 90.0}, {"spacing_m": 1.0, "turn": 0.6})
    ):
        show(f"invented district {seed + 1} {options or ''}", folds(district(seed, **options)))
    speed(geocoder)


def register() -> tuple[list[str], np.ndarray, np.ndarray]:
    """Read the addresses of the reference register and their true points."""
    truth = pd.read_csv(HUANGPU / "truth.csv")
    sheet = CalamineWorkbook.from_path(str(HUANGPU / "register.xlsx")).get_sheet_by_index(0)
    rows = sheet.to_python(skip_empty_area=False)
    addresses = [str(rows[row - 1][rows[2].index("地址")]) for row in truth["行"]]
    return addresses, truth["经度"].to_numpy(), truth["纬度"].to_numpy()


def placed(
    geocoder: GazetteerGeocoder, addresses: Sequence[str], lon: np.ndarray, lat: np.ndarray
) -> pd.DataFrame:
    """Place addresses: their door, level, error and radius in metres (NaN where unplaced)."""
    matches = geocoder.locate(addresses)
    there = np.array([[np.nan, np.nan] if m.lon is None else [m.lon, m.lat] for m in matches])
    error = np.full(len(matches), np.nan)
    known = np.isfinite(there[:, 0])
    crs = geocoder.gazetteer.crs
    off = project_xy(*there[known].T, crs) - project_xy(lon[known], lat[known], crs)
    error[known] = np.hypot(*off.T)
    parsed = [parse_address(address) for address in addresses]
    return pd.DataFrame(
        {
            "door": [f"{a.road}{road_number(a)}" for a in parsed],
            "level": [str(m.level) for m in matches],
            "error_m": error,
            "radius_m": [m.error_radius_m for m in matches],
        }
    )


def show(name: str, table: pd.DataFrame) -> None:
    """Print one line: share placed, errors, and the share of true points (and of addresses) held."""
    found = table.dropna(subset=["error_m"])
    held = found["error_m"] <= found["radius_m"]
    doors = found.assign(held=held).groupby("door")
    print(
        f"{name:40s} n={len(table):4d} placed {len(found) / len(table):6.1%}  "
        f"median {found['error_m'].median():4.0f} m (by address {doors['error_m'].median().median():4.0f})  "
        f"p90 {found['error_m'].quantile(0.9):4.0f} m  radius {found['radius_m'].median():4.0f} m "
        f"holds {held.mean():.1%} (by address {doors['held'].mean().mean():.1%})"
    )


def folds(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """Place each fifth of a gazetteer's addresses by the other four; only the roads that remain are asked."""
    parsed = [parse_address(address) for address in frame["地址"]]
    doors = np.array([f"{a.road}{road_number(a)}" for a in parsed])
    order = sorted(set(doors))
    fold = dict(zip(order, np.random.default_rng(0).permutation(len(order)) % FOLDS, strict=True))
    part = np.array([fold[door] for door in doors])
    tables = []
    for at in range(FOLDS):
        out = frame[part == at]
        geocoder = GazetteerGeocoder(build_gazetteer(frame[part != at].reset_index(drop=True)))
        points = out.geometry
        tables.append(placed(geocoder, list(out["地址"]), points.x.to_numpy(), points.y.to_numpy()))
    return pd.concat(tables, ignore_index=True)


def district(
    seed: int, *, spacing_m: float = 3.0, scatter_m: float = 30.0, turn: float = 0.2
) -> gpd.GeoDataFrame:
    """Invent a district: 60 curved roads of two directions, numbers of two sides, 1 to 4 rows a door."""
    random = np.random.default_rng(seed)
    zone, rows = metric_crs(123.4), []
    stems = [a + b for a in "松柏梅竹兰菊桂榆" for b in "山河林湖原泉溪岭"]
    for place, stem in enumerate(stems[:60]):
        heading = turn + (place % 2) * np.pi / 2 + random.normal(0, 0.05)
        numbers = np.unique(random.integers(1, random.integers(40, 900), random.integers(2, 16)))
        along = numbers * spacing_m * random.uniform(0.8, 1.25)
        bend = random.normal(0, 0.15) * along**2 / 2000.0 + random.normal(0, 15.0, len(numbers))
        side = np.where(numbers % 2, 15.0, -15.0)
        start = np.array([540_000.0, 4_620_000.0]) + random.uniform(0, 4000, 2)
        ahead, left = (
            np.array([np.cos(heading), np.sin(heading)]),
            np.array([-np.sin(heading), np.cos(heading)]),
        )
        line = start + np.outer(along, ahead) + np.outer(bend + side, left)
        for number, point in zip(numbers, line, strict=True):
            shops = point + random.standard_t(4, (random.integers(1, 5), 2)) * scatter_m
            rows += [(f"松州区{stem}路{number}号", *shop) for shop in shops]
    table = pd.DataFrame(rows, columns=["地址", "x", "y"])
    lon, lat = unproject_xy(table[["x", "y"]].to_numpy(), zone)
    names = [f"店{n}" for n in range(len(table))]
    return gpd.GeoDataFrame(
        {"名称": names, "地址": table["地址"]}, geometry=gpd.points_from_xy(lon, lat), crs=4326
    )


def speed(geocoder: GazetteerGeocoder) -> None:
    """Time 20,000 addresses on one core, and trace the memory of a second run."""
    many = _addresses(geocoder.gazetteer)
    began = time.perf_counter()
    GazetteerGeocoder(geocoder.gazetteer, calibration=geocoder.calibration).locate(many)
    taken = time.perf_counter() - began
    whole = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    tracemalloc.start()
    GazetteerGeocoder(geocoder.gazetteer, calibration=geocoder.calibration).locate(many)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    print(
        f"{ROWS} addresses, {len(set(many))} distinct: {taken:.1f} s; "
        f"peak of the run {peak:.0f} MB, of the whole process {whole:.0f} MB"
    )


def _addresses(gazetteer: Gazetteer) -> list[str]:
    roads, random = sorted(gazetteer.roads), np.random.default_rng(1)
    return [f"黄浦区{roads[random.integers(len(roads))]}{random.integers(1, 900)}号2楼" for _ in range(ROWS)]


if __name__ == "__main__":
    main()
