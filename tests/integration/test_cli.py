"""The command door: JSON shapes, exit codes, and refusals that change nothing, in both languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from openpyxl import load_workbook
from typer.testing import CliRunner

from dashboard.cli import app
from data import audit
from data.store import Store

RUNNER = CliRunner()


class Desk:
    """Runs commands on one database with a fixed date."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder / 'cli.db'}"
        self.environment = {
            "GRIDPATROL_DATABASE": self.url,
            "GRIDPATROL_TODAY": "2026-11-23",
            "GRIDPATROL_VAR": str(folder),
        }

    def run(self, *words: object, expect: int = 0, text: str | None = None) -> dict[str, Any]:
        """Run one command with --json and return its object."""
        result = RUNNER.invoke(app, [*map(str, words), "--json"], env=self.environment, input=text)
        assert result.exit_code == expect, result.output
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer

    def changes(self) -> int:
        """Return the register's change counter."""
        store = Store(self.url)
        with store.reading() as session:
            count = audit.change_counter(session)
        store.close()
        return count


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return a desk with an empty register."""
    desk = Desk(tmp_path)
    desk.run("init")
    return desk


@pytest.mark.reference
def test_the_whole_job_from_files_to_a_published_plan(desk: Desk, huangpu: Path, tmp_path: Path) -> None:
    """import → locate → plan --teams 5 → check → publish → show → export, by the commands people type."""
    desk.run("import", "grids", huangpu / "grids.geojson", "--crs", "wgs84")
    rejects = tmp_path / "rejects.xlsx"
    imported = desk.run("import", "register", huangpu / "register.xlsx", "--reject-file", rejects)
    assert imported["added"] == 307
    assert len(imported["rejected"]) == 14
    assert set(imported["rejected"][0]) == {"sheet", "row", "column", "value", "code", "message"}
    assert load_workbook(rejects).active.max_row == 15
    desk.run("import", "schools", huangpu / "schools.csv", "--crs", "wgs84")
    desk.run("import", "gazetteer", huangpu / "gazetteer.csv", "--crs", "wgs84")
    desk.run("import", "officers", huangpu / "officers.csv")
    located = desk.run("locate")
    assert located["placed"] / 307 >= 0.9
    assert sum(located["by_level"].values()) == 307
    listed = located["unplaced"] + located["doubtful"] + located["outside"]
    assert len(located["review"]) == listed
    codes = {"doubtful", "unknown_road", "unknown_place", "no_road"}
    assert {item["code"] for item in located["review"]} <= codes
    period = ("--from", "2026-11-30", "--to", "2026-12-13", "--teams", 5, "--iterations", 400)
    planned = desk.run("plan", *period)
    assert {"plan", "visits", "served", "mandatory", "coverage", "travel_s", "unserved", "bound"} <= set(
        planned
    )
    assert desk.run("check", planned["plan"])["holds"]
    assert desk.run("publish", planned["plan"])["status"] == "published"
    assert desk.run("publish", planned["plan"], expect=2)["error"]["code"] == "not_a_draft"
    shown = desk.run("show", planned["plan"])
    assert len(shown["shifts"]) == planned["shifts"]
    for form in ("xlsx", "geojson", "ics", "gpkg", "kml", "gpx"):
        target = tmp_path / f"plan.{form}"
        desk.run("export", "plan", planned["plan"], "--format", form, "-o", target)
        assert target.stat().st_size > 1000
    shifted = tmp_path / "shifted.geojson"
    desk.run("export", "plan", planned["plan"], "--format", "geojson", "--datum", "gcj02", "-o", shifted)
    assert '"datum": "GCJ-02"' in shifted.read_text(encoding="utf-8")
    named = tmp_path / "named.GPX"
    desk.run("export", "plan", planned["plan"], "-o", named)
    assert "<gpx" in named.read_text(encoding="utf-8")
    for words in (
        ("-o", tmp_path / "x.csv"),
        ("-o", tmp_path / "x.kml", "--format", "xlsx"),
        ("-o", tmp_path / "x.xlsx", "--datum", "gcj02"),
    ):
        desk.run("export", "plan", planned["plan"], *words, expect=2)
    places = tmp_path / "places.csv"
    desk.run("export", "institutions", "--format", "csv", "-o", places)
    columns = set(pd.read_csv(places).columns)
    assert {"id", "name", "kind", "address", "lon", "lat", "level", "error_radius_m", "grid_code"} <= columns
    grids = tmp_path / "grids.gpkg"
    desk.run("export", "grids", "--format", "gpkg", "-o", grids)
    assert len(gpd.read_file(grids)) == 94


def overlapping_grids(path: Path) -> Path:
    """Write two grid areas that overlap."""
    shapes = [shapely.box(121.0, 40.0, 121.02, 40.02), shapely.box(121.01, 40.0, 121.03, 40.02)]
    frame = gpd.GeoDataFrame({"网格编码": ["990101001001", "990101001002"]}, geometry=shapes, crs=4326)
    frame.to_file(path, driver="GeoJSON")
    return path


def crossed_grids(path: Path) -> Path:
    """Write a grid area whose ring crosses itself."""
    bow_tie = shapely.Polygon([(121.0, 40.0), (121.02, 40.02), (121.02, 40.0), (121.0, 40.02)])
    gpd.GeoDataFrame({"网格编码": ["990101001001"]}, geometry=[bow_tie], crs=4326).to_file(
        path, driver="GeoJSON"
    )
    return path


def test_every_bad_input_has_a_sentence_in_both_languages_and_changes_nothing(
    desk: Desk, tmp_path: Path
) -> None:
    """Wrong type, empty sheet, missing columns, 200 MB, overlap, far points, no datum, past, reversed."""
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "columns.csv").write_text("序号,机构名称\n1,甲\n", encoding="utf-8")
    with (tmp_path / "large.csv").open("wb") as file:
        file.truncate(200 * 2**20)
    (tmp_path / "schools.csv").write_text("学校名称,经度,纬度\n一小,121.1,40.1\n", encoding="utf-8")
    overlap = overlapping_grids(tmp_path / "overlap.geojson")
    before = desk.changes()
    cases: list[tuple[str, tuple[object, ...]]] = [
        ("wrong_type", ("import", "register", tmp_path / "a.pdf")),
        ("empty_sheet", ("import", "register", tmp_path / "empty.csv")),
        ("missing_columns", ("import", "register", tmp_path / "columns.csv")),
        ("file_too_large", ("import", "register", tmp_path / "large.csv")),
        ("not_found", ("import", "register", tmp_path / "none.csv")),
        ("broken_layer", ("import", "grids", overlap, "--crs", "wgs84")),
        ("broken_layer", ("import", "grids", crossed_grids(tmp_path / "x.geojson"), "--crs", "wgs84")),
        ("crs_required", ("import", "grids", overlap)),
        ("crs_required", ("import", "schools", tmp_path / "schools.csv")),
        ("unknown_crs", ("import", "schools", tmp_path / "schools.csv", "--crs", "mars")),
        ("period_in_past", ("plan", "--from", "2026-11-01", "--to", "2026-11-05")),
        ("options", ("plan", "--from", "2026-12-05", "--to", "2026-12-01")),
        ("bad_date", ("plan", "--from", "tomorrow", "--to", "2026-12-01")),
        ("bad_point", ("plan", "--from", "2026-12-01", "--to", "2026-12-02", "--depot", "x")),
        ("no_institutions", ("plan", "--from", "2026-12-01", "--to", "2026-12-02")),
        ("unknown_plan", ("show", "P0")),
        ("unknown_format", ("export", "institutions", "--format", "doc", "-o", tmp_path / "x.doc")),
        ("unknown_role", ("user", "add", "a", "--role", "king")),
        ("unknown_user", ("user", "passwd", "nobody")),
    ]
    for code, words in cases:
        error = desk.run(*words, expect=2)["error"]
        assert error["code"] == code, words
        assert any("\u4e00" <= c <= "\u9fff" for c in error["zh"]), words
        assert error["en"][0].isascii() and " " in error["en"], error["en"]
        assert f"({code})" not in error["en"], words
    assert desk.changes() == before


def test_points_outside_the_district_are_rejected_by_row(desk: Desk, tmp_path: Path) -> None:
    """A school 300 km away is rejected with its row; the near one goes in."""
    frame = gpd.GeoDataFrame(
        {"网格编码": ["990101001001"]}, geometry=[shapely.box(121.0, 40.0, 121.2, 40.2)], crs=4326
    )
    frame.to_file(tmp_path / "grids.geojson", driver="GeoJSON")
    desk.run("import", "grids", tmp_path / "grids.geojson", "--crs", "wgs84")
    schools = tmp_path / "schools.csv"
    schools.write_text(
        "学校名称,学段,经度,纬度\n近小,小学,121.1,40.1\n远小,小学,124.9,40.1\n反小,小学,40.1,121.1\n",
        encoding="utf-8",
    )
    answer = desk.run("import", "schools", schools, "--crs", "wgs84")
    assert answer["added"] == 1
    assert [(r["row"], r["code"]) for r in answer["rejected"]] == [
        (3, "outside_district"),
        (4, "swapped_coordinates"),
    ]


def test_users_are_added_listed_and_never_shown_with_secrets(desk: Desk) -> None:
    """A made password is printed once; the list holds none."""
    added = desk.run("user", "add", "zuzhang", "--role", "team_lead", "--name", "组长")
    assert len(added["password"]) >= 10
    listed = desk.run("user", "list")["users"]
    assert listed == [{"username": "zuzhang", "name": "组长", "role": "team_lead", "active": True}]
    assert desk.run("user", "passwd", "zuzhang")["password"] != added["password"]
    assert (
        desk.run("user", "add", "zuzhang", "--role", "clerk", expect=2)["error"]["code"] == "username_taken"
    )


def test_solve_and_check_the_exchange_format(desk: Desk, tmp_path: Path) -> None:
    """A problem file is solved repeatably; a tampered plan is named and exits 1; a broken file exits 2."""
    problem = {
        "format": "gridpatrol-problem/1",
        "travel_s": {"euclidean": {"xy_m": [[0, 0], [500, 0], [0, 700]], "speed_m_s": 4.0, "circuity": 1.3}},
        "depots": [{"id": "D", "location": 0}],
        "shifts": [
            {"id": "S", "team": "T", "slot": "e", "day": 0, "start_s": 0, "end_s": 7200, "depot": "D"}
        ],
        "sites": [
            {"id": "A", "location": 1, "min_gap_days": 0},
            {"id": "B", "location": 2, "min_gap_days": 0},
        ],
        "visits": [
            {
                "id": f"V{site}",
                "site": site,
                "service_s": 900,
                "prize": 5000,
                "windows": [{"slot": "e", "open_s": 0, "close_s": 6000}],
            }
            for site in ("A", "B")
        ],
    }
    source, target = tmp_path / "problem.json", tmp_path / "plan.json"
    source.write_text(json.dumps(problem), encoding="utf-8")
    desk.run("solve", source, "--iterations", 200, "-o", target)
    first = target.read_bytes()
    desk.run("solve", source, "--iterations", 200, "-o", target)
    assert target.read_bytes() == first
    assert desk.run("check", source, target)["measures"]["served"] == 2
    plan = json.loads(first)
    plan["routes"][0]["stops"][0]["start_s"] += 5
    target.write_text(json.dumps(plan), encoding="utf-8")
    assert desk.run("check", source, target, expect=1)["violations"]
    source.write_text('{"format": "gridpatrol-problem/1"}', encoding="utf-8")
    assert desk.run("solve", source, "--iterations", 1, expect=2)["error"]["code"] == "problem"


def test_words_are_printed_without_json(desk: Desk) -> None:
    """A refusal is one line in both languages on standard error, with exit code 2."""
    result = RUNNER.invoke(app, ["show", "P0"], env=desk.environment)
    assert result.exit_code == 2
    assert " / " in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_register_that_was_never_made_is_named(tmp_path: Path) -> None:
    """Reading commands do not create a database by accident."""
    desk = Desk(tmp_path)
    assert desk.run("locate", expect=2)["error"]["code"] == "not_initialised"


def test_tables_take_metres_of_a_stated_zone_and_datums_however_they_are_spelled(
    desk: Desk, tmp_path: Path
) -> None:
    table = tmp_path / "schools.csv"
    table.write_text(
        "学校名称,学段,地址,经度,纬度\n一小,小学,一路1号,601000,4461000\n二小,小学,一路2号,121.2,40.3\n"
    )
    answer = desk.run("import", "schools", table, "--crs", "4549")
    assert answer["added"] == 1 and [r["code"] for r in answer["rejected"]] == ["bad_coordinates"]
    table.write_text(
        "学校名称,学段,地址,经度,纬度\n三小,小学,一路3号,121.2,40.3\n四小,小学,一路4号,40.3,121.2\n"
    )
    answer = desk.run("import", "schools", table, "--crs", "GCJ-02")
    assert answer["added"] == 1 and [r["code"] for r in answer["rejected"]] == ["swapped_coordinates"]
    assert desk.run("import", "schools", table, "--crs", "gcj02")["unchanged"] == 1


@pytest.mark.parametrize("column", ["GRID_CODE", "网格编码 ", "Code", "网格编"])
def test_grid_columns_are_known_in_any_case_and_as_shapefiles_cut_them(
    desk: Desk, tmp_path: Path, column: str
) -> None:
    cells = [shapely.box(121.2 + n / 100, 40.3, 121.21 + n / 100, 40.31) for n in range(3)]
    frame = gpd.GeoDataFrame({column: [f"99010200100{n}" for n in range(3)]}, geometry=cells, crs=4326)
    frame.to_file(tmp_path / "g.gpkg")
    assert desk.run("import", "grids", tmp_path / "g.gpkg", "--crs", "wgs84")["added"] == 3


def test_grids_check_names_broken_rows_as_the_import_would(desk: Desk, tmp_path: Path) -> None:
    bow = shapely.Polygon([(121.2, 40.3), (121.21, 40.31), (121.21, 40.3), (121.2, 40.31)])
    shapes = [bow, shapely.box(121.3, 40.3, 121.31, 40.31), shapely.box(121.305, 40.3, 121.315, 40.31)]
    frame = gpd.GeoDataFrame({"code": ["990102001001", "", "990102001002"]}, geometry=shapes, crs=4326)
    frame.to_file(tmp_path / "g.gpkg")
    error = desk.run("grids", "check", tmp_path / "g.gpkg", "--crs", "wgs84", expect=2)["error"]
    assert {f["code"] for f in error["fields"]["faults"]} == {"grid_blank_code", "grid_invalid_geometry"}
    frame.iloc[1:].assign(code=["a", "b"]).to_file(tmp_path / "h.gpkg")
    assert desk.run("grids", "check", tmp_path / "h.gpkg", "--crs", "wgs84")["counts"] == {"overlap": 1}


def test_an_export_whose_format_and_suffix_disagree_is_refused(desk: Desk, tmp_path: Path) -> None:
    for what, form, name in (
        ("grids", "gpkg", "x.geojson"),
        ("institutions", "csv", "x.GPKG"),
        ("schools", "geojson", "x.txt"),
        ("plan", "xlsx", "x.ics"),
    ):
        words = ("P1",) if what == "plan" else ()
        error = desk.run("export", what, *words, "--format", form, "-o", tmp_path / name, expect=2)["error"]
        assert error["code"] == "format_conflict"
        assert error["fields"] == {"format": form, "suffix": Path(name).suffix, "file": name}
        assert form in error["zh"] and name in error["zh"]
    assert not list(tmp_path.glob("x.*"))
    assert desk.run("export", "grids", "-o", tmp_path / "a.gpkg")["file"].endswith("a.gpkg")
    assert desk.run("export", "grids", "-o", tmp_path / "b")["file"].endswith("b.geojson")
    assert desk.run("export", "schools", "-o", tmp_path / "c")["file"].endswith("c.csv")
    assert desk.run("export", "schools", "--format", "csv", "-o", tmp_path / "d.CSV")["rows"] == 0


def test_areas_are_no_roads_of_a_base_map(desk: Desk, tmp_path: Path) -> None:
    cells = gpd.GeoDataFrame({"class": ["main"]}, geometry=[shapely.box(121.2, 40.3, 121.3, 40.4)], crs=4326)
    cells.to_file(tmp_path / "areas.geojson")
    words = ("basemap", "build", "--crs", "wgs84", "-o", tmp_path / "m.pmtiles")
    error = desk.run(*words, "--roads", tmp_path / "areas.geojson", expect=2)["error"]
    assert error["code"] == "wrong_shapes" and "--roads 应为线" in error["zh"]
    assert not (tmp_path / "m.pmtiles").exists()
    assert desk.run(*words, "--blocks", tmp_path / "areas.geojson")["layers"] == {"blocks": 1}


def test_a_road_import_counts_the_classes_it_does_not_know(desk: Desk, tmp_path: Path) -> None:
    lines = [shapely.LineString([(121.2, 40.3 + n / 1e3), (121.21, 40.3 + n / 1e3)]) for n in range(3)]
    frame = gpd.GeoDataFrame({"道路等级": ["城市主干道", "河道", "河道"]}, geometry=lines, crs=4326)
    frame.to_file(tmp_path / "r.gpkg")
    words = ("import", "roads", tmp_path / "r.gpkg", "--crs", "wgs84")
    assert desk.run(*words)["unknown"] == {"河道": 2}
    said = RUNNER.invoke(app, [*map(str, words)], env=desk.environment)
    assert said.exit_code == 0 and desk.run(*words)["unknown"] is None  # built before, not read anew
    frame.assign(道路等级="河道").to_file(tmp_path / "w.gpkg")
    error = desk.run("import", "roads", tmp_path / "w.gpkg", "--crs", "wgs84", expect=2)["error"]
    assert error["code"] == "no_roads" and "河道 (3)" in error["zh"]


def test_roads_check_tells_a_route_server_from_no_roads(desk: Desk) -> None:
    assert desk.run("roads", "check", expect=2)["error"]["code"] == "no_road_file"
    desk.run("roads", "server", "osrm", "http://127.0.0.1:9")
    assert desk.run("roads", "check", expect=2)["error"]["code"] == "server_in_force"
