"""The datum guard of imports: a question instead of a shifted map, and nothing changed by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import box
from sqlalchemy import func, select

from data.register.surroundings import import_gazetteer, import_schools
from data.schema import GazetteerEntry, GridArea, School
from data.store import Store
from geo.crs import from_wgs84, to_wgs84
from geo.errors import DatumError
from geo.grid.layer import import_grids
from geo.grid.versions import list_versions
from geo.guard import DatumGuard
from tests.conftest import NOW, TODAY

CELL = 0.01
WEST, SOUTH = 121.16, 40.26


def write_grids(folder: Path, crs: str) -> Path:
    """Write 8 x 8 grid areas whose numbers are in `crs` although the file does not say so."""
    cells = [
        box(WEST + i * CELL, SOUTH + j * CELL, WEST + (i + 1) * CELL, SOUTH + (j + 1) * CELL)
        for i in range(8)
        for j in range(8)
    ]
    frame = gpd.GeoDataFrame({"网格编码": [f"990102001001{n:03d}" for n in range(64)]}, geometry=cells)
    shifted = frame.geometry.transform(lambda xy: np.column_stack(from_wgs84(xy[:, 0], xy[:, 1], crs)))
    path = folder / f"grids-{crs}.geojson"
    frame.set_geometry(shifted).set_crs(4326).to_file(path, driver="GeoJSON")
    return path


def write_places(folder: Path, crs: str, *, prefix: str = "学校") -> Path:
    """Write 60 places all over the district, their numbers in `crs`."""
    random = np.random.default_rng(5)
    lon = WEST + random.uniform(0.0, 8 * CELL, 60)
    lat = SOUTH + random.uniform(0.0, 8 * CELL, 60)
    rows = zip(range(60), *from_wgs84(lon, lat, crs), strict=True)
    lines = [f"{prefix}{n:02d}小学,小学,一路{n}号,{x:.7f},{y:.7f}" for n, x, y in rows]
    path = folder / f"{prefix}-{crs}.csv"
    path.write_text("\n".join(["名称,学段,地址,经度,纬度", *lines]), encoding="utf-8")
    return path


def load_grids(store: Store, path: Path, crs: str) -> None:
    with store.begin(actor="clerk", now=NOW) as session:
        guard = DatumGuard.before(session)
        import_grids(session, path, source_crs=crs, today=TODAY)
        guard.check(session, source_crs=crs)


def load_places(store: Store, path: Path, crs: str, run: Callable[..., object] = import_schools) -> None:
    def convert(lon: Sequence[float], lat: Sequence[float]) -> object:
        return to_wgs84(lon, lat, crs)

    with store.begin(actor="clerk", now=NOW) as session:
        guard = DatumGuard.before(session)
        run(session, path, source_crs=crs, to_wgs84=convert)
        session.flush()
        guard.check(session, source_crs=crs)


def count(store: Store, record: type[School] | type[GridArea] | type[GazetteerEntry]) -> int:
    with store.reading() as session:
        return session.scalar(select(func.count()).select_from(record)) or 0


@pytest.mark.parametrize("true_crs", ["gcj02", "bd09"])
def test_a_layer_in_another_datum_stops_with_a_question(store: Store, tmp_path: Path, true_crs: str) -> None:
    load_grids(store, write_grids(tmp_path, "wgs84"), "wgs84")
    path = write_places(tmp_path, true_crs)
    with pytest.raises(DatumError) as caught:
        load_places(store, path, "wgs84")
    assert caught.value.code == "datum_slip"
    assert caught.value.fields["truth"] == true_crs and caught.value.fields["evidence"] == "inside"
    assert count(store, School) == 0
    load_places(store, path, true_crs)
    assert count(store, School) == 60


def test_names_and_addresses_already_known_are_the_stronger_evidence(store: Store, tmp_path: Path) -> None:
    load_places(store, write_places(tmp_path, "wgs84"), "wgs84")
    with pytest.raises(DatumError) as caught:
        load_places(store, write_places(tmp_path, "gcj02"), "wgs84", import_gazetteer)
    assert (caught.value.fields["evidence"], caught.value.fields["count"]) == ("pairs", 60)


def write_doors(folder: Path, numbers: Sequence[int], crs: str, *, scatter_m: float = 60.0) -> Path:
    """Write doors of two crossing streets, 4 m a number, scattered as published points are; no names."""
    random = np.random.default_rng(len(numbers))
    lines = []
    for number in numbers:
        off_m = random.normal(0.0, scatter_m, 2)
        for street, (east, north) in (("东街", (4.0 * number, 0.0)), ("北街", (0.0, 4.0 * number))):
            lon = WEST + 0.04 + (east + off_m[0]) / 85_000.0
            lat = SOUTH + 0.04 + (north + off_m[1]) / 111_000.0
            x, y = (float(v) for v in from_wgs84(lon, lat, crs))
            lines.append(f"{street}{number}号店,小学,{street}{number}号,{x:.7f},{y:.7f}")
    path = folder / f"doors-{numbers[0]}-{crs}.csv"
    path.write_text("\n".join(["名称,学段,地址,经度,纬度", *lines]), encoding="utf-8")
    return path


@pytest.mark.parametrize("true_crs", ["gcj02", "bd09"])
def test_addresses_tell_the_datum_of_a_dozen_new_places(store: Store, tmp_path: Path, true_crs: str) -> None:
    """No name and no address is known, but the doors beside them are."""
    load_places(store, write_doors(tmp_path, range(2, 300, 12), "wgs84"), "wgs84", import_gazetteer)
    few = range(41, 280, 40)
    with pytest.raises(DatumError) as caught:
        load_places(store, write_doors(tmp_path, few, true_crs), "wgs84")
    assert caught.value.fields["truth"] == true_crs and caught.value.fields["evidence"] == "addresses"
    assert count(store, School) == 0
    load_places(store, write_doors(tmp_path, few, true_crs), true_crs)
    load_places(store, write_doors(tmp_path, range(47, 290, 40), "wgs84"), "wgs84")
    assert count(store, School) == 26


def test_grid_areas_are_judged_by_what_lies_in_them_and_by_their_last_version(
    store: Store, tmp_path: Path
) -> None:
    load_places(store, write_places(tmp_path, "wgs84"), "wgs84")
    with pytest.raises(DatumError) as caught:
        load_grids(store, write_grids(tmp_path, "gcj02"), "wgs84")
    assert caught.value.fields["truth"] == "gcj02" and count(store, GridArea) == 0
    load_grids(store, write_grids(tmp_path, "wgs84"), "wgs84")
    with pytest.raises(DatumError) as caught:
        load_grids(store, write_grids(tmp_path, "bd09"), "wgs84")
    assert (caught.value.fields["evidence"], caught.value.fields["truth"]) == ("pairs", "bd09")
    with store.reading() as session:
        assert all(version.valid_to is None for version in list_versions(session))


def test_the_same_file_twice_is_no_question(store: Store, tmp_path: Path) -> None:
    for _ in range(2):
        load_grids(store, write_grids(tmp_path, "wgs84"), "wgs84")
        load_places(store, write_places(tmp_path, "bd09"), "bd09")
    assert count(store, School) == 60


def test_redrawn_borders_of_a_few_grid_areas_are_no_question(store: Store, tmp_path: Path) -> None:
    path = write_grids(tmp_path, "wgs84")
    load_grids(store, path, "wgs84")
    frame = gpd.read_file(path)
    halves = []
    for at in range(8, 13):
        west, south, east, north = frame.geometry[at].bounds
        frame.loc[at, "geometry"] = box(west, south, west + CELL / 2, north)
        halves.append(
            {"网格编码": f"99010200100290{at}", "geometry": box(west + CELL / 2, south, east, north)}
        )
    west, south, east, north = frame.geometry[63].bounds
    frame.loc[63, "geometry"] = box(west, south, east + 8 * CELL, north)
    redrawn = gpd.GeoDataFrame([*frame.to_dict("records"), *halves], crs=4326)
    redrawn.to_file(tmp_path / "redrawn.geojson", driver="GeoJSON")
    load_grids(store, tmp_path / "redrawn.geojson", "wgs84")
    assert count(store, GridArea) == 64 + 6 + 5


def test_a_name_that_many_places_share_is_no_evidence(store: Store, tmp_path: Path) -> None:
    load_grids(store, write_grids(tmp_path, "wgs84"), "wgs84")
    random = np.random.default_rng(1)
    for street, rows in (("甲", 40), ("乙", 9), ("丙", 6)):
        lon = WEST + random.uniform(0, 8 * CELL, rows)
        lat = SOUTH + random.uniform(0, 8 * CELL, rows)
        lines = [
            f"中国农业银行,{street}路{n}号,{x:.7f},{y:.7f}"
            for n, (x, y) in enumerate(zip(lon, lat, strict=True))
        ]
        path = tmp_path / f"{street}.csv"
        path.write_text("\n".join(["名称,地址,经度,纬度", *lines]), encoding="utf-8")
        load_places(store, path, "wgs84", import_gazetteer)
    assert count(store, GazetteerEntry) == 40 + 9 + 6


@pytest.mark.parametrize("aside", [0.05, 0.07, -0.05])
def test_places_on_both_sides_of_the_border_are_no_question(
    store: Store, tmp_path: Path, aside: float
) -> None:
    load_grids(store, write_grids(tmp_path, "wgs84"), "wgs84")
    random = np.random.default_rng(8)
    lon, lat = WEST + aside + random.uniform(0, 8 * CELL, 60), SOUTH + random.uniform(0, 8 * CELL, 60)
    lines = [
        f"邻区{n:02d}小学,小学,邻区路{n}号,{x:.7f},{y:.7f}"
        for n, (x, y) in enumerate(zip(lon, lat, strict=True))
    ]
    path = tmp_path / "both.csv"
    path.write_text("\n".join(["名称,学段,地址,经度,纬度", *lines]), encoding="utf-8")
    load_places(store, path, "wgs84")
    assert count(store, School) == 60
    assert count(store, School) == 60
