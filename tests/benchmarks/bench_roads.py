"""Measure road travel times: matrices of 2,000 places on synthetic cities, and the cache.

Run: ``python -m tests.benchmarks.bench_roads`` from the project folder. Every case runs in a process of its
own, so that peak memory is its own; CPU seconds are the process's, on one thread.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

PLACES = 2_000
STEP = 0.0018  # degrees between junctions, about 200 m
CASES: dict[str, dict[str, float | int | None]] = {
    "30,000 edges, junctions only": {"side": 92, "keep": 1.0, "parts": 1, "limit_s": None},
    "30,000 edges with bends": {"side": 54, "keep": 1.0, "parts": 3, "limit_s": None},
    "650,000 edges, 30 min limit": {"side": 450, "keep": 0.9, "parts": 1, "limit_s": 1800},
}


def city(*, side: int, keep: float, parts: int, seed: int) -> gpd.GeoDataFrame:
    """Make a jittered grid of streets, one in ten of them one-way, each drawn in `parts` pieces."""
    from geo.network.profiles import TAGS

    random = np.random.default_rng(seed)
    place = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2) * STEP
    place = place + random.normal(0, STEP / 8, place.shape) + [121.0, 31.0]
    number = np.arange(side * side).reshape(side, side)
    pairs = np.concatenate(
        [
            np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()]),
            np.column_stack([number[:-1].ravel(), number[1:].ravel()]),
        ]
    )
    pairs = pairs[random.random(len(pairs)) < keep]
    count = len(pairs)
    bends = side * side + np.arange(count * (parts - 1)).reshape(count, parts - 1)
    nodes = np.column_stack([pairs[:, :1], bends, pairs[:, 1:]])
    share = np.linspace(0, 1, parts + 1)[None, :, None]
    line = place[pairs[:, 0]][:, None, :] * (1 - share) + place[pairs[:, 1]][:, None, :] * share
    line[:, 1:-1] += random.normal(0, STEP / 20, line[:, 1:-1].shape)
    ends = np.stack([line[:, :-1], line[:, 1:]], axis=2).reshape(-1, 2, 2)
    oneway = np.repeat(np.where(random.random(count) < 0.1, "yes", None), parts)
    table = dict.fromkeys(TAGS) | {"highway": "residential", "oneway": oneway}
    u, v = nodes[:, :-1].ravel(), nodes[:, 1:].ravel()
    frame = gpd.GeoDataFrame(
        {"u": u, "v": v, "directed": False} | table, geometry=shapely.linestrings(ends), crs=4326
    )
    return frame.astype(dict.fromkeys(TAGS, object))


def spent(began: float) -> float:
    """Return CPU seconds of this process since then."""
    return time.process_time() - began


def memory_mb() -> float:
    """Return the peak memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(name: str) -> dict[str, float | int]:
    """Measure one case in this process."""
    from geo.network.graph import build_network
    from geo.network.pack import pack_network, unpack_network
    from geo.network.travel import Roadbed, RoadTravel

    case = CASES[name]
    began = time.process_time()
    small = Roadbed(build_network(city(side=4, keep=1.0, parts=2, seed=1), "ebike", name="small"))
    RoadTravel(small).matrix_s([121.0, 121.001], [31.0, 31.001])
    warm_s, base_mb = spent(began), memory_mb()
    began = time.process_time()
    built = build_network(
        city(
            side=int(case["side"] or 0), keep=float(case["keep"] or 0), parts=int(case["parts"] or 0), seed=7
        ),
        "ebike",
        name="city",
    )
    build_s = spent(began)
    arcs, low, high = built.arcs, *_extent(int(case["side"] or 0))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "city.npz"
        path.write_bytes(pack_network(built))
        del built
        began = time.process_time()
        network = unpack_network(path.read_bytes())
        cache_s, cache_mb = spent(began), path.stat().st_size / 2**20
    assert network is not None
    began = time.process_time()
    bed = Roadbed(network)
    bed_s = spent(began)
    random = np.random.default_rng(3)
    lon, lat = random.uniform(*low, PLACES), random.uniform(*high, PLACES)
    limit = case["limit_s"]
    began = time.process_time()
    model = RoadTravel(bed, limit_s=None if limit is None else int(limit))
    matrix = model.matrix_s(lon, lat)
    matrix_s = spent(began)
    assert matrix.shape == (PLACES, PLACES)
    return {
        "arcs": arcs,
        "nodes": network.nodes,
        "kept": len(bed.arcs.folded.indptr) - 1,
        "warm_s": warm_s,
        "build_s": build_s,
        "cache_s": cache_s,
        "cache_mb": cache_mb,
        "bed_s": bed_s,
        "matrix_s": matrix_s,
        "base_mb": base_mb,
        "peak_mb": memory_mb(),
    }


def _extent(side: int) -> tuple[tuple[float, float], tuple[float, float]]:
    return (121.0, 121.0 + STEP * (side - 1)), (31.0, 31.0 + STEP * (side - 1))


def main() -> None:
    """Print one row a case."""
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
        return
    one_thread = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
    head = [
        "arcs",
        "nodes",
        "kept",
        "warm_s",
        "build_s",
        "cache_s",
        "cache_mb",
        "bed_s",
        "matrix_s",
        "base_mb",
        "peak_mb",
    ]
    print(f"{'case':30s}" + "".join(f"{name:>10s}" for name in head))
    for name in CASES:
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.bench_roads", name],
            env=os.environ | one_thread, check=True, capture_output=True, text=True,
        )  # fmt: skip
        row = json.loads(done.stdout)
        shown = (f"{row[key]:10d}" if isinstance(row[key], int) else f"{row[key]:10.2f}" for key in head)
        print(f"{name:30s}" + "".join(shown))


if __name__ == "__main__":
    main()
