"""Seconds and peak memory of the main jobs: `python -m tests.benchmarks.bench_spine`.

Each job runs in a process of its own, three times; the table shows the median time and the highest peak.
The reference register is measured when ../shared/reference is there.
"""

from __future__ import annotations

import datetime as dt
import functools
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "huangpu"
NOW = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 23)
RUNS = 3


def build_demo_district(folder: Path) -> dict[str, float]:
    """Build the demo district and return the seconds of its parts."""
    from dashboard.district import build_demo
    from data.store import Store

    store = Store(f"sqlite:///{folder / 'demo.db'}")
    store.upgrade()
    begun = time.perf_counter()
    build_demo(store, preset="district", seed=1, today=TODAY, now=NOW, var_dir=folder)
    return {"demo district, all": time.perf_counter() - begun, **plan_again(store)}


def plan_again(store: object) -> dict[str, float]:
    """Plan two more weeks of the demo and publish them."""
    from data.store import Store
    from planner.draft import make_plan
    from planner.options import PlanOptions
    from planner.publish import publish

    assert isinstance(store, Store)
    begun = time.perf_counter()
    first = TODAY + dt.timedelta(days=1)
    options = PlanOptions(first=first, last=first + dt.timedelta(days=13), teams=6)
    result = make_plan(store, options=options, actor="bench", now=NOW, today=TODAY)
    with store.begin(actor="bench", now=NOW) as session:
        publish(session, result.code, actor="bench", now=NOW, today=TODAY, confirm_provisional=True)
    return {"demo district, two weeks planned and published": time.perf_counter() - begun}


def import_huangpu(folder: Path) -> dict[str, float]:
    """Import and locate the reference register."""
    from data.register import institutions, surroundings
    from data.store import Store
    from geo import locate
    from geo.crs import to_wgs84
    from geo.grid import layer as gridlayer

    convert = functools.partial(to_wgs84, source_crs="wgs84")
    store = Store(f"sqlite:///{folder / 'huangpu.db'}")
    store.upgrade()
    begun = time.perf_counter()
    with store.begin(actor="bench", now=NOW) as session:
        gridlayer.import_grids(session, REFERENCE / "grids.geojson", source_crs="wgs84", today=TODAY)
        institutions.import_register(session, REFERENCE / "register.xlsx", now=NOW)
        surroundings.import_gazetteer(
            session, REFERENCE / "gazetteer.csv", source_crs="wgs84", to_wgs84=convert
        )
    imported = time.perf_counter() - begun
    with store.begin(actor="bench", now=NOW) as session:
        locate.locate(session)
    return {"huangpu, import": imported, "huangpu, locate": time.perf_counter() - begun - imported}


def _measure(job: Callable[[Path], dict[str, float]], sender: Connection) -> None:
    with tempfile.TemporaryDirectory() as folder:
        seconds = job(Path(folder))
    sender.send((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def main() -> None:
    """Print the table."""
    jobs: list[Callable[[Path], dict[str, float]]] = [build_demo_district]
    if REFERENCE.is_dir():
        jobs.append(import_huangpu)
    context = multiprocessing.get_context("spawn")
    print(f"{'job':50} {'seconds':>9} {'peak MB':>9}")
    for job in jobs:
        seconds: dict[str, list[float]] = {}
        peak = 0.0
        for _ in range(RUNS):
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=_measure, args=(job, sender))
            process.start()
            measured, memory = receiver.recv()
            process.join()
            peak = max(peak, memory)
            for name, value in measured.items():
                seconds.setdefault(name, []).append(value)
        for name, values in seconds.items():
            print(f"{name:50} {statistics.median(values):9.1f} {peak:9.0f}")


if __name__ == "__main__":
    main()
