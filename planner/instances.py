"""Public benchmark instances: a problem with the published way of counting its plans."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from planner.benchmarks import Customer, Table, parse_solomon, parse_toptw
from planner.errors import Fault, ProblemError
from planner.plan import Plan
from planner.problem import Depot, Problem, Shift, Site, Visit, Window
from planner.vrpfile import parse_vrplib

FORMATS = ("toptw", "solomon", "vrplib")
"""Team orienteering text, Solomon and Gehring-Homberger text, VRPLIB."""

SLOT = "all"


@dataclass(frozen=True, eq=False)
class Instance:
    """A benchmark file as a problem, with what its published objective needs.

    Parameters
    ----------
    name : str
        Name of the file without its ending.
    kind : str
        ``toptw`` (most score), ``vrptw`` or ``cvrp`` (least distance, every customer), ``pcvrptw``
        (least distance plus uncollected prizes).
    problem : Problem
        One shift a vehicle, one visit a customer; the travel is rounded so that plans keep the file's rules.
    unit : float
        Published units of time in one second of the problem.
    distance : ndarray of float, shape (n, n)
        Published distances between the problem's locations.
    worth : Mapping
        Published score or prize by visit id; 0 for a customer that must be served.
    teams : int
        Vehicles of the file, before any override.
    """

    name: str
    kind: str
    problem: Problem
    unit: float
    distance: NDArray[np.float64]
    worth: Mapping[str, float]
    teams: int

    @property
    def maximises(self) -> bool:
        """Whether a higher objective is better."""
        return self.kind == "toptw"


@dataclass(frozen=True)
class Measured:
    """A plan in published units.

    `objective` is the collected score or the distance plus uncollected prizes; it means nothing while
    `missing` customers that must be served are left out.
    """

    objective: float
    distance: float
    collected: float
    missing: int
    routes: int


def read_instance(path: Path, *, form: str, teams: int | None = None) -> Instance:
    """Return the instance of a public benchmark file.

    Parameters
    ----------
    path : Path
        The file; its name decides the decimals of TOPTW distances (two for ``pr*``, else one).
    form : str
        One of `FORMATS`.
    teams : int or None
        Vehicles to use instead of the file's.

    Raises
    ------
    ProblemError
        With every fault and its line.
    """
    parsers: dict[str, Callable[[str, str], Table]] = {
        "toptw": parse_toptw,
        "solomon": parse_solomon,
        "vrplib": parse_vrplib,
    }
    if form not in parsers:
        raise ProblemError([Fault("format", "unknown_file_format", {"known": list(FORMATS), "value": form})])
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProblemError([Fault("", "not_utf8", {"offset": error.start})]) from error
    except OSError as error:
        raise ProblemError([Fault("", "unreadable", {"reason": error.strerror})]) from error
    table = parsers[form](text, path.stem)
    if teams is not None and teams < 1:
        raise ProblemError([Fault("teams", "too_small", {"least": 1, "value": teams})])
    return build_instance(table, name=path.stem, teams=teams)


def build_instance(table: Table, *, name: str, teams: int | None = None) -> Instance:
    """Return the instance of a parsed file, optionally with another number of vehicles.

    Raises
    ------
    ProblemError
        When the parsed numbers break an invariant of the problem.
    """
    weight = table.weight
    shifts = tuple(
        Shift(f"S{number}", f"T{number}", SLOT, 0, table.open, table.close, "D", capacity=table.capacity)
        for number in range(1, (teams or table.teams) + 1)
    )
    problem = Problem(
        travel_s=table.travel.astype(np.int32),
        depots=(Depot("D", 0),),
        shifts=shifts,
        sites=tuple(Site(f"I{customer.id}", at) for at, customer in enumerate(table.customers, 1)),
        visits=tuple(_owe(customer, weight) for customer in table.customers),
    )
    return Instance(
        name=name,
        kind=table.kind,
        problem=problem,
        unit=table.unit,
        distance=table.distance,
        worth={f"V{customer.id}": customer.worth for customer in table.customers},
        teams=table.teams,
    )


def _owe(customer: Customer, weight: int) -> Visit:
    return Visit(
        id=f"V{customer.id}",
        site=f"I{customer.id}",
        service_s=customer.service,
        prize=weight if customer.mandatory else round(customer.worth * weight),
        mandatory=customer.mandatory,
        demand=customer.demand,
        windows=(Window(SLOT, customer.open, customer.close),),
    )


def measure(instance: Instance, plan: Plan) -> Measured:
    """Return the published figures of a plan, counted from its routes alone."""
    problem = instance.problem
    places = {visit.id: problem.site_by_id[visit.site].location for visit in problem.visits}
    distance = 0.0
    served: set[str] = set()
    for route in plan.routes:
        depot = problem.depot_by_id[problem.shift_by_id[route.shift].depot].location
        stops = [depot, *(places[stop.visit] for stop in route.stops), depot]
        distance += math.fsum(float(instance.distance[one, other]) for one, other in pairwise(stops))
        served.update(stop.visit for stop in route.stops)
    left = [visit for visit in problem.visits if visit.id not in served]
    collected = math.fsum(instance.worth[visit] for visit in served)
    uncollected = math.fsum(instance.worth[visit.id] for visit in left)
    return Measured(
        objective=collected if instance.maximises else distance + uncollected,
        distance=distance,
        collected=collected,
        missing=sum(visit.mandatory for visit in left),
        routes=sum(bool(route.stops) for route in plan.routes),
    )


def measure_gap(instance: Instance, objective: float, best_known: float) -> float:
    """Return how much worse `objective` is than `best_known`, per cent of the latter."""
    worse = best_known - objective if instance.maximises else objective - best_known
    return 100.0 * worse / best_known


def find_best_known(path: Path, instance: Instance) -> tuple[float, str] | None:
    """Return the best published objective of a file and the name of the file that says so.

    A ``.sol`` file beside it is asked first, then ``best_known.csv`` (columns class, instance, best_known)
    in its folder and the one above; the class must name the instance's kind. Nothing is known of another
    number of vehicles than the file's.
    """
    if len(instance.problem.shifts) != instance.teams:
        return None
    solution = path.with_suffix(".sol")
    if solution.is_file():
        for line in solution.read_text(encoding="utf-8-sig", errors="replace").splitlines():
            word, _, value = line.replace(":", " ").strip().partition(" ")
            if word.lower() == "cost" and (cost := _number(value)) is not None:
                return cost, solution.name
    for folder in (path.absolute().parent, path.absolute().parent.parent):
        listed = folder / "best_known.csv"
        if not listed.is_file():
            continue
        with listed.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            for row in csv.DictReader(file):
                about = (row.get("class") or "").lower(), (row.get("instance") or "").lower()
                best = _number(row.get("best_known") or "")
                if (
                    about[0].startswith(instance.kind)
                    and about[1] == instance.name.lower()
                    and best is not None
                ):
                    return best, listed.name
    return None


def _number(text: str) -> float | None:
    """Return a positive finite number, None for anything else."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value < math.inf else None
