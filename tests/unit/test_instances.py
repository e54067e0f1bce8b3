"""Public benchmark files become problems; their published objectives are counted; broken ones are refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from planner.errors import ProblemError
from planner.instances import Instance, find_best_known, measure, measure_gap, read_instance
from planner.options import SolveOptions
from planner.plan import Plan, build_plan
from planner.solve import solve

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "benchmarks"

TOPTW = """4 2 3 1
0 100
 0 0.00 0.00 0.00 0.00 0 0 0 100
 1 3.00 4.00 2.50 10.00 1 1 1 0 50
 2 1.00 1.00 1.00 5.00 1 1 1 0 50
 3 -6.00 8.00 1.00 20.00 4 2 1 2 20 90
"""

SOLOMON = """T101

VEHICLE
NUMBER     CAPACITY
  3         20

CUSTOMER
CUST NO.  XCOORD.   YCOORD.    DEMAND   READY TIME  DUE DATE   SERVICE   TIME

    0      0          0          0          0        100          0
    1      3          4         10          0         50         10
    2      1          1         10          0         50         10
    3     -6          8         10         20         90         10
"""

PCVRPTW = """NAME : tiny
TYPE : PCVRPTW
DIMENSION : 4
VEHICLES : 2
CAPACITY : 20
SERVICE_TIME : 1
EDGE_WEIGHT_TYPE : EUC_2D
NODE_COORD_SECTION
1 0 0
2 3 4
3 1 1
4 -6 8
DEMAND_SECTION
1 0
2 10
3 10
4 10
TIME_WINDOW_SECTION
1 0 100
2 0 50
3 0 50
4 20 90
PRIZE_SECTION
1 0
2 7
3 0
4 30
DEPOT_SECTION
1
-1
EOF
"""

CVRP = """NAME : small
TYPE : CVRP
DIMENSION : 3
CAPACITY : 10
EDGE_WEIGHT_TYPE : EXPLICIT
EDGE_WEIGHT_FORMAT : LOWER_ROW
EDGE_WEIGHT_SECTION
5
9 4
DEMAND_SECTION
1 0
2 6
3 6
DEPOT_SECTION
1
-1
EOF
"""

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


def plan_of(instance: Instance, *routes: list[str]) -> Plan:
    shifts = [shift.id for shift in instance.problem.shifts]
    return build_plan(instance.problem, dict(zip(shifts, routes, strict=False)), reasons={})


def list_faults(path: Path, form: str) -> set[tuple[str, str]]:
    with pytest.raises(ProblemError) as refused:
        read_instance(path, form=form)
    return {(fault.where, fault.code) for fault in refused.value.faults}


def test_toptw_counts_tenths_and_collects_scores(write: Write) -> None:
    instance = read_instance(write("t.txt", TOPTW), form="toptw")
    problem = instance.problem
    assert (instance.kind, instance.teams, len(problem.shifts)) == ("toptw", 2, 2)
    assert int(problem.travel_s[0, 2]) == 14, "the square root of two is cut to 1.4"
    assert problem.visit_by_id["V1"].service_s == 25
    assert (problem.shifts[0].start_s, problem.shifts[0].end_s) == (0, 1000)
    window = problem.visit_by_id["V3"].windows[0]
    assert (window.open_s, window.close_s) == (200, 900), "the list of service days stands before the window"
    measured = measure(instance, plan_of(instance, ["V2", "V1"]))
    assert (measured.objective, measured.missing, measured.routes) == (15.0, 0, 1)
    assert measured.distance == pytest.approx(1.4 + 3.6 + 5.0)
    assert measure_gap(instance, 15.0, 30.0) == 50.0


def test_cordeau_files_count_hundredths(write: Write) -> None:
    instance = read_instance(write("pr99.txt", TOPTW), form="toptw")
    assert int(instance.problem.travel_s[0, 2]) == 141


def test_solomon_recounts_the_distance_in_double(write: Write) -> None:
    instance = read_instance(write("T101.txt", SOLOMON), form="solomon")
    problem = instance.problem
    assert int(problem.travel_s[0, 2]) == 14143, "rounded up, so that a plan holds in double precision"
    assert all(visit.mandatory for visit in problem.visits)
    assert problem.shifts[0].capacity == 20
    measured = measure(instance, plan_of(instance, ["V2", "V1"], ["V3"]))
    assert measured.objective == pytest.approx(math.sqrt(2) + math.sqrt(13) + 5 + 20, abs=1e-12)
    assert measured.missing == 0
    assert measure(instance, plan_of(instance, ["V2"])).missing == 2
    assert measure_gap(instance, 102.0, 100.0) == pytest.approx(2.0)


def test_prizes_of_a_vrplib_file_count_in_tenths(write: Write) -> None:
    instance = read_instance(write("tiny.vrp", PCVRPTW), form="vrplib")
    visits = {visit.id: visit for visit in instance.problem.visits}
    assert instance.kind == "pcvrptw"
    assert (visits["V1"].prize, visits["V1"].service_s, visits["V1"].mandatory) == (70, 10, False)
    assert visits["V2"].mandatory, "a prize of 0 marks a customer that must be served"
    measured = measure(instance, plan_of(instance, ["V2", "V1"]))
    assert measured.objective == 14 + 36 + 50 + 300
    assert measure(instance, plan_of(instance, ["V1"])).missing == 1


def test_a_cvrp_file_takes_weights_as_they_are(write: Write) -> None:
    instance = read_instance(write("small.vrp", CVRP), form="vrplib")
    assert instance.problem.travel_s.tolist() == [[0, 5, 9], [5, 0, 4], [9, 4, 0]]  # type: ignore[union-attr]
    assert instance.teams == 2 + 1 + 2, "a quarter and two more than the demand needs"
    plan = solve(instance.problem, options=SolveOptions(engine="improve", iterations=50, bound=False))
    assert measure(instance, plan).objective == 28


def test_euclidean_cvrp_rounds_to_the_nearest(write: Write) -> None:
    text = CVRP.replace("EXPLICIT", "EUC_2D").replace("EDGE_WEIGHT_FORMAT : LOWER_ROW\n", "")
    text = text.replace("EDGE_WEIGHT_SECTION\n5\n9 4\n", "NODE_COORD_SECTION\n1 0 0\n2 1 1\n3 2 2.0\n")
    instance = read_instance(write("round.vrp", text), form="vrplib")
    assert [int(instance.problem.travel_s[0, at]) for at in range(3)] == [0, 1, 3]


def test_the_depot_may_be_any_node(write: Write) -> None:
    instance = read_instance(
        write("small.vrp", CVRP.replace("\n1\n-1", "\n3\n-1").replace("3 6", "3 0")), form="vrplib"
    )
    assert [visit.id for visit in instance.problem.visits] == ["V0", "V1"]
    assert int(instance.problem.travel_s[0, 1]) == 9


def test_the_best_known_value_is_found_beside_the_file_or_above(write: Write, tmp_path: Path) -> None:
    path = write("tiny.vrp", PCVRPTW)
    instance = read_instance(path, form="vrplib")
    assert find_best_known(path, instance) is None
    write("best_known.csv", "class,instance,best_known\nTOPTW,tiny,1\nPCVRPTW,TINY,380\n")
    assert find_best_known(path, instance) == (380.0, "best_known.csv")
    folder = tmp_path / "inner"
    folder.mkdir()
    inner = folder / "tiny.vrp"
    assert find_best_known(inner, instance) == (380.0, "best_known.csv")
    write("tiny.sol", "Route #1: 2 1\nCost: 375\n")
    assert find_best_known(path, instance) == (375.0, "tiny.sol")
    more = read_instance(path, form="vrplib", teams=5)
    assert len(more.problem.shifts) == 5
    assert find_best_known(path, more) is None, "nothing is known of another number of vehicles"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {("", "no_header")}),
        ("4\n0 100\n0 0 0 0 0 0 0 0 9\n", {("line 1", "wrong_columns")}),
        (TOPTW.replace("4 2 3 1", "4 2 4 1"), {("line 1", "wrong_count")}),
        (
            TOPTW.replace("3.00 4.00", "x 4.00").replace(" 2 1.00", " 7 1.00").replace("90\n", "90 1\n"),
            {("line 4", "bad_number"), ("line 5", "bad_order"), ("line 6", "wrong_columns")},
        ),
        (TOPTW.replace("20 90", "90 20"), {("line 6", "window_reversed")}),
        (TOPTW.replace("3.00 4.00", "nan inf"), {("line 4", "number_out_of_range")}),
        (TOPTW.replace("4 2 3 1", "4 0 3 1"), {("line 1", "number_out_of_range")}),
    ],
)
def test_broken_toptw_files_tell_every_fault(write: Write, text: str, expected: set[tuple[str, str]]) -> None:
    assert list_faults(write("t.txt", text), "toptw") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {("", "missing_section")}),
        (SOLOMON.replace("CUSTOMER\nCUST", "KUNDEN\nKUND"), {("", "missing_section")}),
        (SOLOMON.replace("  3         20", "  3"), {("line 5", "wrong_columns")}),
        (
            SOLOMON.replace("  3         20", "  2.5 -1").replace(" 50 ", " fifty "),
            {
                ("line 5", "not_whole"),
                ("line 5", "number_out_of_range"),
                ("line 11", "bad_number"),
                ("line 12", "bad_number"),
            },
        ),
        (SOLOMON.replace("    2      1", "    1      1"), {("line 12", "bad_order")}),
        (SOLOMON.replace("20         90", "95         90"), {("line 13", "window_reversed")}),
    ],
)
def test_broken_solomon_files_tell_every_fault(
    write: Write, text: str, expected: set[tuple[str, str]]
) -> None:
    assert list_faults(write("t.txt", text), "solomon") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nonsense", {("", "not_vrplib")}),
        (
            PCVRPTW.replace("2 3 4", "2 3 vier").replace("3 10", "3 1.5"),
            {("line 10", "bad_number"), ("line 16", "not_whole")},
        ),
        (PCVRPTW.replace("3 1 1\n", ""), {("line 11", "bad_order")}),
        (PCVRPTW.replace("4 20 90", "4 90 20"), {("line 22", "window_reversed")}),
        (PCVRPTW.replace("2 10\n", "2\n"), {("line 15", "wrong_columns")}),
        (
            PCVRPTW.replace("DIMENSION : 4", "DIMENSION : 5"),
            {(part, "wrong_rows") for part in ("NODE_COORD", "DEMAND", "TIME_WINDOW", "PRIZE")},
        ),
        (
            PCVRPTW.replace("PCVRPTW", "HVRP").replace("EUC_2D", "GEO").replace("CAPACITY : 20\n", ""),
            {
                ("TYPE", "unsupported_entry"),
                ("EDGE_WEIGHT_TYPE", "unsupported_entry"),
                ("CAPACITY", "not_between"),
            },
        ),
        (PCVRPTW.replace("SERVICE_TIME : 1", "SERVICE_TIME : long"), {("SERVICE_TIME", "not_between")}),
        (PCVRPTW.replace("\n1\n-1", "\n1\n2\n-1"), {("DEPOT", "not_between")}),
        (
            PCVRPTW.replace("VEHICLES : 2", "VEHICLES : 2\nDISTANCE : 7"),
            {("DISTANCE", "unsupported_section")},
        ),
        (CVRP.replace("9 4", "9 4.5"), {("EDGE_WEIGHT", "fractions")}),
        (CVRP.replace("DEMAND_SECTION\n1 0\n2 6\n3 6\n", ""), {("DEMAND", "missing_section")}),
        (CVRP.replace("9 4\n", "9\n"), {("", "not_vrplib")}),
    ],
)
def test_broken_vrplib_files_tell_every_fault(
    write: Write, text: str, expected: set[tuple[str, str]]
) -> None:
    assert list_faults(write("t.vrp", text), "vrplib") == expected


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    assert list_faults(tmp_path / "none.txt", "toptw") == {("", "unreadable")}
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00")
    assert list_faults(tmp_path / "bytes.txt", "solomon") == {("", "not_utf8")}
    assert list_faults(tmp_path / "bytes.txt", "tsplib") == {("format", "unknown_file_format")}


@pytest.mark.parametrize(
    ("form", "text"), [("toptw", TOPTW), ("solomon", SOLOMON), ("vrplib", PCVRPTW), ("vrplib", CVRP)]
)
def test_a_cut_or_garbled_file_is_read_or_refused_by_name(write: Write, form: str, text: str) -> None:
    words = text.split()
    garbled = [text[:length] for length in range(0, len(text), 7)]
    garbled += [text.replace(word, other) for word in set(words) for other in ("x", "-1", "1e400", "")]
    refused = 0
    for variant in garbled:
        try:
            read_instance(write("g.txt", variant), form=form)
        except ProblemError as error:
            assert error.faults
            refused += 1
    assert refused > len(garbled) / 2


@pytest.mark.reference
@pytest.mark.parametrize(
    ("path", "form", "kind", "customers", "best"),
    [
        ("toptw/c101.txt", "toptw", "toptw", 100, 1810.0),
        ("toptw/pr03.txt", "toptw", "toptw", 144, 1788.0),
        ("solomon/R101.txt", "solomon", "vrptw", 100, 1642.88),
        ("homberger_200/r1_2_4.txt", "solomon", "vrptw", 200, 3057.81),
        ("pcvrptw/C1_10_1.vrp", "vrplib", "pcvrptw", 1000, 245391.0),
    ],
)
def test_reference_files_are_read(path: str, form: str, kind: str, customers: int, best: float) -> None:
    if not REFERENCE.is_dir():
        pytest.skip("../shared/reference/benchmarks is not there")
    instance = read_instance(REFERENCE / path, form=form)
    known = find_best_known(REFERENCE / path, instance)
    assert (instance.kind, len(instance.problem.visits)) == (kind, customers)
    assert known is not None and known[0] == best


@pytest.mark.reference
@pytest.mark.parametrize("name", ["C1_10_1", "R1_10_3", "RC2_10_5"])
def test_published_solutions_cost_what_they_say(name: str) -> None:
    """The convention is right when the published routes cost the published value and keep every rule."""
    from planner.verify import verify

    if not REFERENCE.is_dir():
        pytest.skip("../shared/reference/benchmarks is not there")
    path = REFERENCE / "pcvrptw" / f"{name}.vrp"
    instance = read_instance(path, form="vrplib")
    lines = path.with_suffix(".sol").read_text(encoding="utf-8").splitlines()
    routes = [
        [f"V{node}" for node in line.split(":")[1].split()] for line in lines if line.startswith("Route")
    ]
    plan = plan_of(instance, *routes)
    known = find_best_known(path, instance)
    assert known is not None
    assert measure(instance, plan).objective == known[0]
    assert verify(instance.problem, plan).holds
