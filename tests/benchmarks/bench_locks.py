"""How long imports hold the write lock: `python -m tests.benchmarks.bench_locks [known] [places] [rows]`.

The register is a fresh SQLite file; the lock is timed from BEGIN IMMEDIATE to the end of COMMIT. `rows` are
those of the grid layer, of 50 areas each.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from data import rehearsal
from data.aside import write_aside
from data.register.institutions import import_register
from data.register.surroundings import import_gazetteer, import_schools
from data.store import Store
from geo.grid.layer import import_grids
from geo.locate import locate
from geo.sources import row_to_wgs84
from planner.patrolareas import make_areas
from tests.benchmarks import bench_geo

NOW = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
held: list[float] = []
_locked = rehearsal._locked


@contextlib.contextmanager
def _timed(connection: Any) -> Iterator[None]:
    began = time.perf_counter()
    with _locked(connection):
        yield
    held.append(time.perf_counter() - began)


def main() -> None:
    """Print one line an import."""
    defaults = ["150000", "20000", "40"]
    entries, places, rows = (int(text) for text in (sys.argv[1:] + defaults[len(sys.argv) - 1 :])[:3])
    rehearsal._locked = _timed  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = Store(f"sqlite:///{folder / 'register.db'}")
        store.upgrade()
        convert = functools.partial(row_to_wgs84, source_crs="wgs84")
        known = {"source_crs": "wgs84", "to_wgs84": convert}
        bench_geo._district(50, rows).to_file(folder / "grids.gpkg")
        _write(folder / "gazetteer.csv", "名称,地址,经度,纬度", entries, "院{n},{road}路{n}号,{x},{y}")
        _write(folder / "moved.csv", "名称,地址,经度,纬度", entries, "院{n},{road}路{n}号,{x},{y}", seed=2)
        _write(folder / "schools.csv", "名称,学段,经度,纬度", 500, "学校{n},小学,{x},{y}")
        _write(folder / "register.csv", "名称,类别,地址", places, "机构{n},托管,{road}路{n}号")
        steps: dict[str, Callable[..., object]] = {
            f"{50 * rows:,} grid areas": lambda s: import_grids(
                s, folder / "grids.gpkg", source_crs="wgs84", today=NOW.date()
            ),
            "500 schools": lambda s: import_schools(s, folder / "schools.csv", **known),
            f"{entries:,} known addresses": lambda s: import_gazetteer(s, folder / "gazetteer.csv", **known),
            f"{entries:,} of them moved": lambda s: import_gazetteer(s, folder / "moved.csv", **known),
            f"{places:,} institutions": lambda s: import_register(s, folder / "register.csv", now=NOW),
            f"locate {places:,}": lambda s: locate(s),
            f"patrol areas of {50 * rows:,}": lambda s: make_areas(
                s, count=6, seed=1, today=NOW.date(), now=NOW
            ),
        }
        print(f"{'step':32} {'all s':>8} {'lock s':>8} {'peak MB':>8}")
        for title, step in steps.items():
            began = time.perf_counter()
            write_aside(store, step, actor="bench", now=NOW)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{title:32} {time.perf_counter() - began:8.1f} {max(held):8.2f} {peak:8.0f}", flush=True)
            held.clear()
        store.close()


def _write(path: Path, head: str, count: int, line: str, *, seed: int = 1) -> None:
    random = np.random.default_rng(seed)
    x, y = random.uniform(121.0, 121.2, count).round(6), random.uniform(31.0, 31.16, count).round(6)
    rows = (line.format(n=n, road=f"第{n % 700}", x=x[n], y=y[n]) for n in range(count))
    path.write_text("\n".join([head, *rows]), encoding="utf-8")


if __name__ == "__main__":
    main()
