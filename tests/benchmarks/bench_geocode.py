"""Measure geocoding: quality on the reference register and seconds for 20,000 addresses.

Run: ``python -m tests.benchmarks.bench_geocode`` from the project folder.
"""

import time
from pathlib import Path

import numpy as np
import pandas as pd
from python_calamine import CalamineWorkbook

from geo.crs import project_xy
from geo.formats import read_layer
from geo.gazetteer import build_gazetteer
from geo.geocode import GazetteerGeocoder

HUANGPU = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "huangpu"
ROWS = 20_000


def main() -> None:
    """Print one table of quality by level and one line of speed."""
    truth = pd.read_csv(HUANGPU / "truth.csv")
    sheet = CalamineWorkbook.from_path(str(HUANGPU / "register.xlsx")).get_sheet_by_index(0)
    rows = sheet.to_python(skip_empty_area=False)
    addresses = [str(rows[row - 1][rows[2].index("地址")]) for row in truth["行"]]
    gazetteer = build_gazetteer(read_layer(HUANGPU / "gazetteer.csv", source_crs="wgs84"))
    began = time.perf_counter()
    geocoder = GazetteerGeocoder(gazetteer)
    print(f"calibration on {geocoder.calibration.rows} left-out rows: {time.perf_counter() - began:.2f} s")
    matches = geocoder.locate(addresses)
    placed = [at for at, match in enumerate(matches) if match.lon is not None]
    found = project_xy([matches[i].lon for i in placed], [matches[i].lat for i in placed], gazetteer.crs)
    true = project_xy(truth["经度"].to_numpy()[placed], truth["纬度"].to_numpy()[placed], gazetteer.crs)
    table = pd.DataFrame(
        {
            "level": [str(matches[i].level) for i in placed],
            "error_m": np.hypot(*(found - true).T),
            "radius_m": [matches[i].error_radius_m for i in placed],
        }
    )
    written = sum(bool(address.strip()) for address in addresses)
    print(f"placed {len(placed)} of {written} rows with an address ({len(placed) / written:.1%})")
    for name, part in [("all", table), *table.groupby("level")]:
        error, radius = part["error_m"], part["radius_m"]
        print(
            f"{name:13s} n={len(part):4d}  median {error.median():4.0f} m  p90 {error.quantile(0.9):4.0f} m  "
            f"radius median {radius.median():4.0f} m holds {(error <= radius).mean():.1%}"
        )
    roads, random = sorted(gazetteer.roads), np.random.default_rng(1)
    many = [f"黄浦区{roads[random.integers(len(roads))]}{random.integers(1, 900)}号2楼" for _ in range(ROWS)]
    began = time.perf_counter()
    geocoder.locate(many)
    print(f"{ROWS} addresses, {len(set(many))} distinct: {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
