"""Problem and plan files: read with every fault named, written canonically."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.decode import Reader, decode
from planner.errors import Fault, PlanError, ProblemError
from planner.plan import Objective, Plan, Route, Stop, Unserved
from planner.points import MATRIX_LIMIT, TIME_LIMIT_S, PointTravel
from planner.problem import Cap, Depot, Problem, Shift, Site, Visit, Window

PROBLEM_FORMAT = "gridpatrol-problem/1"
PLAN_FORMAT = "gridpatrol-plan/1"

MOST_CELLS = 20
"""Wrong cells told of one row of a travel matrix."""


def parse_problem(text: str) -> Problem:
    """Return the problem of a ``gridpatrol-problem/1`` JSON text.

    Raises
    ------
    ProblemError
        With every fault and its path, when the text is malformed or breaks an invariant.
    """
    reader, top = decode(text, PROBLEM_FORMAT)
    if not top:
        raise ProblemError(reader.faults)
    parts: dict[str, Any] = {
        "travel_s": _read_travel(reader, top),
        "depots": tuple(
            Depot(reader.take(item, "id", str, at), reader.take(item, "location", int, at))
            for at, item in reader.objects(top, "depots")
        ),
        "shifts": tuple(_read_shift(reader, item, at) for at, item in reader.objects(top, "shifts")),
        "sites": tuple(
            Site(
                reader.take(item, "id", str, at),
                reader.take(item, "location", int, at),
                reader.allow(item, "min_gap_days", int, 0, at),
                reader.words(item, "barred", at),
                reader.allow(item, "seen", bool, False, at),
            )
            for at, item in reader.objects(top, "sites")
        ),
        "visits": tuple(_read_visit(reader, item, at) for at, item in reader.objects(top, "visits")),
        "first_visit_prize": reader.allow(top, "first_visit_prize", int, 0),
        "caps": tuple(
            Cap(reader.take(item, "id", str, at), reader.take(item, "most", int, at))
            for at, item in (reader.objects(top, "caps") if "caps" in top else ())
        ),
        "rotate": reader.allow(top, "rotate", bool, False),
    }
    if reader.shifted:
        raise ProblemError(reader.faults)
    try:
        problem = Problem(**parts)
    except ProblemError as error:
        raise ProblemError(_merge_faults(reader.faults, error.faults)) from None
    if reader.faults:
        raise ProblemError(reader.faults)
    return problem


def _merge_faults(read: list[Fault], broken: tuple[Fault, ...]) -> list[Fault]:
    """Return both lists without invariants that only broke because a neutral value stood in."""
    bad = {fault.where for fault in read}
    hidden = {
        part for part in ("depots", "sites", "travel_s") if any(where.startswith(part) for where in bad)
    }
    echoes = {"unknown_depot": "depots", "unknown_site": "sites", "unknown_location": "travel_s"}
    return read + [
        fault for fault in broken if fault.where not in bad and echoes.get(fault.code) not in hidden
    ]


def _read_shift(reader: Reader, item: dict[str, Any], at: str) -> Shift:
    return Shift(
        id=reader.take(item, "id", str, at),
        team=reader.take(item, "team", str, at),
        slot=reader.take(item, "slot", str, at),
        day=reader.take(item, "day", int, at),
        start_s=reader.take(item, "start_s", int, at),
        end_s=reader.take(item, "end_s", int, at),
        depot=reader.take(item, "depot", str, at),
        capacity=reader.allow(item, "capacity", int, None, at),
        max_stops=reader.allow(item, "max_stops", int, None, at),
        skills=reader.words(item, "skills", at),
        members=reader.words(item, "members", at),
        fixed=reader.words(item, "fixed", at),
        closed=reader.allow(item, "closed", bool, False, at),
        ready_s=reader.allow(item, "ready_s", int, 0, at),
    )


def _read_visit(reader: Reader, item: dict[str, Any], at: str) -> Visit:
    return Visit(
        id=reader.take(item, "id", str, at),
        site=reader.take(item, "site", str, at),
        service_s=reader.take(item, "service_s", int, at),
        prize=reader.take(item, "prize", int, at),
        mandatory=reader.allow(item, "mandatory", bool, False, at),
        demand=reader.allow(item, "demand", int, 0, at),
        windows=tuple(
            Window(
                reader.take(window, "slot", str, place),
                reader.take(window, "open_s", int, place),
                reader.take(window, "close_s", int, place),
            )
            for place, window in reader.objects(item, "windows", at)
        ),
        skills=reader.words(item, "skills", at),
        cap=reader.allow(item, "cap", str, None, at),
        pin=reader.allow(item, "pin", str, None, at),
    )


def _read_travel(reader: Reader, top: dict[str, Any]) -> NDArray[Any] | PointTravel:
    """Return the travel matrix, given outright or as points; an empty one after a fault."""
    empty = np.zeros((0, 0), dtype=np.int64)
    raw = top.get("travel_s")
    if isinstance(raw, dict) and "euclidean" in raw:
        return _read_points(reader, reader.take(raw, "euclidean", dict, "travel_s"))
    if not isinstance(raw, list):
        reader.take(top, "travel_s", list)
        return empty
    known = len(reader.faults)
    for index, row in enumerate(raw):
        where = f"travel_s[{index}]"
        if not isinstance(row, list):
            reader.check(row, list, where)
        elif len(row) != len(raw):
            reader.refuse(where, "wrong_length", expected=len(raw), found=len(row))
        elif set(map(type, row)) - {int}:
            for column, value in enumerate(row):
                reader.check(value, int, f"{where}[{column}]")
        elif row and (max(row) > TIME_LIMIT_S or min(row) < -TIME_LIMIT_S):
            wrong = [(column, value) for column, value in enumerate(row) if not 0 <= value <= TIME_LIMIT_S]
            for column, value in wrong[:MOST_CELLS]:
                code = "negative" if value < 0 else "too_large"
                reader.refuse(f"{where}[{column}]", code, value=value)
    if len(reader.faults) > known:
        return empty
    return np.array(raw, dtype=np.int64).reshape(len(raw), len(raw))


def _read_points(reader: Reader, item: dict[str, Any]) -> NDArray[Any] | PointTravel:
    """Return the travel between points: a matrix, or reckoned leg by leg where there are many."""
    at = "travel_s.euclidean"
    known = len(reader.faults)
    speed_m_s = reader.take(item, "speed_m_s", float, at)
    circuity = reader.allow(item, "circuity", float, 1.0, at)
    fixed_s = reader.allow(item, "fixed_s", float, 0.0, at)
    if len(reader.faults) == known:
        for name, wrong in (
            ("speed_m_s", speed_m_s <= 0),
            ("circuity", circuity <= 0),
            ("fixed_s", fixed_s < 0),
        ):
            if wrong:
                reader.refuse(f"{at}.{name}", "out_of_range", value=item[name])
    points = []
    for index, point in enumerate(reader.take(item, "xy_m", list, at)):
        where = f"{at}.xy_m[{index}]"
        pair = reader.check(point, list, where)
        if isinstance(point, list) and len(pair) != 2:
            reader.refuse(where, "wrong_length", expected=2, found=len(pair))
        points.append([reader.check(value, float, f"{where}[{axis}]") for axis, value in enumerate(pair[:2])])
    if len(reader.faults) > known:
        return np.zeros((0, 0), dtype=np.int64)
    travel = PointTravel(np.array(points, dtype=float).reshape(-1, 2), speed_m_s, circuity, fixed_s)
    if len(travel) > MATRIX_LIMIT:
        return travel
    everywhere = np.arange(len(travel))
    return travel.block_s(everywhere, everywhere)


def parse_plan(text: str) -> Plan:
    """Return the plan of a ``gridpatrol-plan/1`` JSON text, unchecked against any problem.

    Raises
    ------
    PlanError
        With every fault and its path, when the text is malformed.
    """
    reader, top = decode(text, PLAN_FORMAT)
    if not top:
        raise PlanError(reader.faults)
    objective = reader.take(top, "objective", dict)
    read = Objective(
        reader.take(objective, "uncollected_prize", int, "objective"),
        reader.take(objective, "travel_s", int, "objective"),
    )
    if reader.take(objective, "total", int, "objective") != read.total and not reader.faults:
        reader.refuse("objective.total", "not_the_sum", expected=read.total, found=objective["total"])
    plan = Plan(
        routes=tuple(
            Route(reader.take(item, "shift", str, at), _read_stops(reader, item, at))
            for at, item in reader.objects(top, "routes")
        ),
        unserved=tuple(
            Unserved(
                reader.take(item, "visit", str, at),
                reader.take(item, "code", str, at),
                reader.allow(item, "detail", dict, {}, at),
            )
            for at, item in reader.objects(top, "unserved")
        ),
        objective=read,
        bound=reader.allow(top, "bound", int, None),
        engine=reader.allow(top, "engine", dict, {}),
        seed=reader.allow(top, "seed", int, 0),
        limit=reader.allow(top, "limit", dict, {}),
    )
    if reader.faults:
        raise PlanError(reader.faults)
    return plan


def _read_stops(reader: Reader, item: dict[str, Any], at: str) -> tuple[Stop, ...]:
    return tuple(
        Stop(
            reader.take(stop, "visit", str, place),
            reader.take(stop, "arrive_s", int, place),
            reader.take(stop, "start_s", int, place),
            reader.take(stop, "leave_s", int, place),
        )
        for place, stop in reader.objects(item, "stops", at)
    )


def format_problem(problem: Problem) -> str:
    """Return the canonical JSON text of a problem: the same problem gives the same bytes."""
    content: dict[str, object] = {
        "format": PROBLEM_FORMAT,
        "travel_s": _list_travel(problem.travel_s),
        "depots": [asdict(depot) for depot in problem.depots],
        "shifts": [
            _drop_unused(asdict(shift), ("skills", "members", "fixed", "closed", "ready_s"))
            for shift in problem.shifts
        ],
        "sites": [_drop_unused(asdict(site), ("barred", "seen")) for site in problem.sites],
        "visits": [_drop_unused(asdict(visit), ("skills", "cap", "pin")) for visit in problem.visits],
    }
    if problem.first_visit_prize:
        content["first_visit_prize"] = problem.first_visit_prize
    if problem.rotate:
        content["rotate"] = True
    if problem.caps:
        content["caps"] = [asdict(cap) for cap in problem.caps]
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n"


def _list_travel(travel_s: NDArray[np.integer[Any]] | PointTravel) -> object:
    if not isinstance(travel_s, PointTravel):
        return travel_s.tolist()
    return {
        "euclidean": {
            "xy_m": travel_s.xy_m.tolist(),
            "speed_m_s": travel_s.speed_m_s,
            "circuity": travel_s.circuity,
            "fixed_s": travel_s.fixed_s,
        }
    }


def _drop_unused(item: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return the item without those of `names` that say nothing."""
    return {name: value for name, value in item.items() if value or name not in names}


def format_plan(plan: Plan) -> str:
    """Return the canonical JSON text of a plan: the same plan gives the same bytes."""
    content = asdict(plan)
    content["format"] = PLAN_FORMAT
    content["objective"]["total"] = plan.objective.total
    return json.dumps(content, sort_keys=True, ensure_ascii=False, indent=1) + "\n"


def read_problem(path: Path) -> Problem:
    """Return the problem of a file.

    Raises
    ------
    ProblemError
        With every fault and its path.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProblemError([Fault("", "not_utf8", {"offset": error.start})]) from error
    except OSError as error:
        raise ProblemError([Fault(path.name, "unreadable", {"detail": error.strerror})]) from error
    return parse_problem(text)


def read_plan(path: Path) -> Plan:
    """Return the plan of a file.

    Raises
    ------
    PlanError
        With every fault and its path.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise PlanError([Fault("", "not_utf8", {"offset": error.start})]) from error
    except OSError as error:
        raise PlanError([Fault(path.name, "unreadable", {"detail": error.strerror})]) from error
    return parse_plan(text)


def write_problem(problem: Problem, path: Path) -> None:
    """Write the canonical problem file."""
    path.write_text(format_problem(problem), encoding="utf-8", newline="\n")


def write_plan(plan: Plan, path: Path) -> None:
    """Write the canonical plan file."""
    path.write_text(format_plan(plan), encoding="utf-8", newline="\n")
