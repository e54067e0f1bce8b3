"""VRPLIB files: capacitated routes, with time windows, with prizes."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import vrplib.parse  # type: ignore[import-untyped]  # The library ships no types.
from numpy.typing import NDArray

from planner.benchmarks import MOST_LOCATIONS, Customer, Lines, Table, measure_distances, outweigh
from planner.errors import Fault, ProblemError
from planner.points import TIME_LIMIT_S

KINDS = ("CVRP", "VRPTW", "PCVRPTW")
WEIGHTS = ("EUC_2D", "EXPLICIT")
UNSUPPORTED = (
    "distance",
    "max_distance",
    "max_duration",
    "backhaul",
    "linehaul",
    "release_time",
    "reload_depot",
)
MOST_VALUE, MOST_COORDINATE = 10**7, 10**6
DIMACS = 10
"""Files with time windows count ten to the unit and cut the rest (the DIMACS challenge of 2021-22)."""

_WIDTHS = {"node_coord": 3, "demand": 2, "time_window": 3, "prize": 2, "service_time": 2}
_NEEDED = {
    "CVRP": ("demand", "depot"),
    "VRPTW": ("demand", "depot", "time_window"),
    "PCVRPTW": ("demand", "depot", "time_window", "prize"),
}


def parse_vrplib(text: str, name: str) -> Table:
    """Return a CVRP, VRPTW or PCVRPTW file.

    EUC_2D distances are rounded to the nearest integer for CVRP (TSPLIB's rule) and cut to tenths, counted as
    integers, for files with time windows, whose times and prizes are then counted in tenths too. EXPLICIT
    distances are taken as they are. A prize of 0 marks a customer that must be served. Without VEHICLES the
    fleet is a quarter and two more than the demand needs.

    Raises
    ------
    ProblemError
        With every fault and, where there is one, its line.
    """
    lines = _check_text(text)
    lines.stop()
    try:
        # Edge weights of coordinates are reckoned below, by the rule of the kind.
        found: dict[str, Any] = vrplib.parse.parse_vrplib(text, compute_edge_weights=False)
    except (ValueError, RuntimeError, TypeError, IndexError, KeyError) as error:
        raise ProblemError([Fault("", "not_vrplib", {"reason": str(error)})]) from error
    _check_content(lines, found)
    kind = str(found["type"])
    explicit = found["edge_weight_type"] == "EXPLICIT"
    scale = 1 if explicit or kind == "CVRP" else DIMACS
    travel = _read_travel(found, scale=scale, cut=kind != "CVRP")
    count = len(travel)
    depot = int(found["depot"][0])
    order = [depot, *(node for node in range(count) if node != depot)]
    travel = travel[np.ix_(order, order)]
    demand, prize = found["demand"], found.get("prize", np.zeros(count))
    service = np.broadcast_to(np.asarray(found.get("service_time", 0)), (count,))
    close = min(TIME_LIMIT_S, int(travel.max(initial=0)) * 2 * count + 1)
    windows = found.get("time_window", np.array([[0, close / scale]] * count))
    customers = tuple(
        Customer(
            id=str(node),
            service=math.ceil(service[node] * scale),
            open=math.ceil(windows[node][0] * scale),
            close=math.floor(windows[node][1] * scale),
            demand=int(demand[node]),
            worth=float(prize[node]) * scale,
            mandatory=float(prize[node]) == 0.0,
        )
        for node in order[1:]
    )
    least = math.ceil(sum(customer.demand for customer in customers) / int(found["capacity"]))
    return Table(
        kind=kind.lower(),
        teams=int(found.get("vehicles", least + math.ceil(least / 4) + 2)),
        capacity=int(found["capacity"]),
        open=math.ceil(windows[depot][0] * scale),
        close=math.floor(windows[depot][1] * scale),
        unit=1 / scale,
        weight=outweigh(travel) if kind != "PCVRPTW" else 1,
        travel=travel,
        distance=travel.astype(float),
        customers=customers,
    )


def _read_travel(found: dict[str, Any], *, scale: int, cut: bool) -> NDArray[np.int64]:
    if found["edge_weight_type"] == "EXPLICIT":
        given = np.asarray(found["edge_weight"]).astype(np.int64)
        np.fill_diagonal(given, 0)
        return given
    distance = measure_distances(np.asarray(found["node_coord"], dtype=float)) * scale
    # The tiny addition undoes the binary error of distances such as 0.7.
    rounded = np.floor(distance + 1e-9) if cut else np.floor(distance + 0.5)
    return np.asarray(rounded, dtype=np.int64)


def _check_text(text: str) -> Lines:
    """Return the lines, after noting every row of a section that is no row of numbers in order."""
    lines = Lines.split(text)
    section, expected = "", 0
    for line, words in lines.rows:
        if words[0].upper().startswith("EOF"):
            break
        if found := re.fullmatch(r"(\w+)_SECTION\W*", words[0], flags=re.IGNORECASE):
            section, expected = found[1].lower(), 0
        elif section:
            least = -MOST_COORDINATE if section in ("node_coord", "depot") else 0
            known = len(lines.faults)
            values = [lines.number(line, word, least=least, most=MOST_VALUE) for word in words]
            expected += 1
            if section not in _WIDTHS or len(lines.faults) > known:
                continue
            if len(words) != _WIDTHS[section]:
                lines.refuse(line, "wrong_columns", expected=_WIDTHS[section], found=len(words))
            elif words[0] != str(expected):
                lines.refuse(line, "bad_order", expected=expected, found=words[0])
            elif section == "time_window" and values[2] < values[1]:
                lines.refuse(line, "window_reversed", open=values[1], close=values[2])
            elif section == "demand":
                lines.whole(line, words[1])
    return lines


def _check_content(lines: Lines, found: dict[str, Any]) -> None:
    """Raise every entry that is missing, unsupported, of the wrong length or out of range."""
    faults = lines.faults
    kind, weights = str(found.get("type", "")), str(found.get("edge_weight_type", ""))
    for entry, value, known in (("TYPE", kind, KINDS), ("EDGE_WEIGHT_TYPE", weights, WEIGHTS)):
        if value not in known:
            faults.append(
                Fault(entry, "unsupported_entry", {"entry": entry, "value": value, "known": list(known)})
            )
    for entry in UNSUPPORTED:
        if entry in found:
            faults.append(Fault(entry.upper(), "unsupported_section", {"section": entry.upper()}))
    geometry = "edge_weight" if weights == "EXPLICIT" else "node_coord"
    for entry in (*_NEEDED.get(kind, ("demand", "depot")), geometry):
        if entry not in found:
            faults.append(Fault(entry.upper(), "missing_section", {"section": entry.upper()}))
    for entry, most in (
        ("dimension", MOST_LOCATIONS),
        ("capacity", TIME_LIMIT_S),
        ("vehicles", MOST_LOCATIONS),
    ):
        number = found.get(entry, 1 if entry == "vehicles" else None)
        if not isinstance(number, int) or not 1 <= number <= most:
            about = {"entry": entry.upper(), "value": number, "least": 1, "most": most}
            faults.append(Fault(entry.upper(), "not_between", about))
    lines.stop()
    _check_sections(faults, found)
    lines.stop()


def _check_sections(faults: list[Fault], found: dict[str, Any]) -> None:
    """Note every section of the wrong length, wrong weights, a wrong service time or depot."""
    count = int(found["dimension"])
    for entry in ("node_coord", "demand", "time_window", "prize", "service_time", "edge_weight"):
        if entry not in found or (entry == "service_time" and np.ndim(found[entry]) == 0):
            continue
        rows = found[entry]
        even = entry != "edge_weight" or all(len(row) == count for row in rows)
        if len(rows) != count or not even:
            about = {"section": entry.upper(), "expected": count, "found": len(rows)}
            faults.append(Fault(entry.upper(), "wrong_rows", about))
    service: object = found.get("service_time", 0)
    if np.ndim(found.get("service_time", 0)) == 0 and not (
        isinstance(service, (int, float)) and 0 <= service <= MOST_VALUE
    ):
        about = {"entry": "SERVICE_TIME", "value": service, "least": 0, "most": MOST_VALUE}
        faults.append(Fault("SERVICE_TIME", "not_between", about))
    depots = [int(depot) + 1 for depot in np.ravel(found["depot"])]
    if len(depots) != 1 or not 1 <= depots[0] <= count:
        faults.append(
            Fault("DEPOT", "not_between", {"entry": "DEPOT", "value": depots, "least": 1, "most": count})
        )
    if found["edge_weight_type"] == "EXPLICIT" and not faults:
        weights = np.asarray(found["edge_weight"], dtype=float)
        if bool((weights != np.floor(weights)).any()):
            faults.append(Fault("EDGE_WEIGHT", "fractions", {"section": "EDGE_WEIGHT"}))
