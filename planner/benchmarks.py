"""Text files of public routing benchmarks: TOPTW, Solomon and Gehring-Homberger VRPTW."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from planner.errors import Fault, ProblemError
from planner.points import TIME_LIMIT_S

MOST_LOCATIONS = 6_000
"""A benchmark is held as a matrix of distances; a larger file is refused."""

SOLOMON_DECIMALS = 4
"""Distances rounded up here keep every found plan feasible in double precision."""


@dataclass(frozen=True)
class Customer:
    """One customer in the problem's units; `worth` is its score or prize as published."""

    id: str
    service: int
    open: int
    close: int
    demand: int
    worth: float
    mandatory: bool


@dataclass(frozen=True, eq=False)
class Table:
    """What a benchmark file says, in the problem's units.

    `travel` and `distance` have the depot first, then the customers in order; `unit` is published units of
    time in one unit of `travel`; `weight` turns a published score or prize into the problem's, or is the
    prize of a customer that must be served.
    """

    kind: str
    teams: int
    capacity: int | None
    open: int
    close: int
    unit: float
    weight: int
    travel: NDArray[np.int64]
    distance: NDArray[np.float64]
    customers: tuple[Customer, ...]


@dataclass
class Lines:
    """The lines of a text that hold words, and the faults found in them."""

    rows: list[tuple[int, list[str]]]
    faults: list[Fault] = field(default_factory=list)

    @classmethod
    def split(cls, text: str) -> Lines:
        """Return the lines of `text` that are not blank, with their numbers from 1."""
        numbered = ((number, line.split()) for number, line in enumerate(text.splitlines(), 1))
        return cls([(number, words) for number, words in numbered if words])

    def refuse(self, line: int, code: str, **fields: object) -> None:
        """Add one fault of a line."""
        self.faults.append(Fault(f"line {line}", code, {"line": line, **fields}))

    def number(self, line: int, word: str, *, least: float = 0.0, most: float = TIME_LIMIT_S) -> float:
        """Return a finite number of a line, `least` or 0 with a fault when it is none or out of range."""
        try:
            value = float(word)
        except ValueError:
            self.refuse(line, "bad_number", value=word)
            return 0.0
        if not least <= value <= most:  # False for nan as well.
            self.refuse(line, "number_out_of_range", value=word, least=least, most=most)
            return 0.0
        return value

    def whole(self, line: int, word: str, *, least: int = 0, most: int = TIME_LIMIT_S) -> int:
        """Return a whole number of a line, 0 with a fault when it is none or out of range."""
        value = self.number(line, word, least=least, most=most)
        if value != int(value):
            self.refuse(line, "not_whole", value=word)
        return int(value)

    def stop(self) -> None:
        """Raise what was found, if anything.

        Raises
        ------
        ProblemError
            With every fault so far.
        """
        if self.faults:
            raise ProblemError(self.faults)


def measure_distances(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Euclidean distances between points of shape (n, 2)."""
    return np.asarray(np.hypot(xy[:, None, 0] - xy[None, :, 0], xy[:, None, 1] - xy[None, :, 1]))


def parse_toptw(text: str, name: str) -> Table:
    """Return a team orienteering file with time windows.

    Distances are cut to one decimal, for Cordeau's files (``pr*``) to two, the rule of the published figures
    (Vansteenwegen et al. 2009, doi:10.1016/j.cor.2009.03.008). The capacity and the service lists of the
    files play no part.

    Raises
    ------
    ProblemError
        With every fault and its line.
    """
    lines = Lines.split(text)
    scale = 100 if name.lower().startswith("pr") else 10
    if len(lines.rows) < 3:
        raise ProblemError([Fault("", "no_header", {"expected": "4 TEAMS CUSTOMERS 1"})])
    (at, head), body = lines.rows[0], lines.rows[2:]
    if len(head) < 3:
        lines.refuse(at, "wrong_columns", expected=4, found=len(head))
        lines.stop()
    teams = lines.whole(at, head[1], least=1, most=MOST_LOCATIONS)
    count = lines.whole(at, head[2], most=MOST_LOCATIONS - 1)
    if not lines.faults and len(body) != count + 1:
        lines.refuse(at, "wrong_count", expected=count + 1, found=len(body))
    rows = [_read_toptw_row(lines, line, words) for line, words in body]
    _check_order(lines, [(line, words[0]) for line, words in body])
    lines.stop()
    xy = np.array([row[:2] for row in rows])
    # The tiny addition undoes the binary error of distances such as 0.7.
    travel = np.floor(measure_distances(xy) * scale + 1e-9).astype(np.int64)
    _check_windows(lines, [line for line, _ in body], [row[4:] for row in rows])
    return Table(
        kind="toptw",
        teams=teams,
        capacity=None,
        open=math.ceil(rows[0][4] * scale),
        close=math.floor(rows[0][5] * scale),
        unit=1 / scale,
        weight=weigh(travel, [row[3] for row in rows[1:]]),
        travel=travel,
        distance=travel / scale,
        customers=tuple(
            Customer(str(number), *_scale_times(row[2], row[4], row[5], scale), 0, row[3], False)
            for number, row in enumerate(rows[1:], 1)
        ),
    )


def _read_toptw_row(lines: Lines, line: int, words: list[str]) -> tuple[float, ...]:
    """Return x, y, service, score, open and close of ``i x y service score f a list open close``."""
    lists = 0
    if len(words) > 6:
        lists = lines.whole(line, words[6], most=1000)
    if len(words) != 9 + lists:
        lines.refuse(line, "wrong_columns", expected=9 + lists, found=len(words))
        return (0.0,) * 6
    x, y = (lines.number(line, word, least=-1e6, most=1e6) for word in words[1:3])
    return (x, y, *(lines.number(line, word, most=1e6) for word in (*words[3:5], *words[-2:])))


def parse_solomon(text: str, name: str) -> Table:
    """Return a VRPTW file of Solomon or of Gehring and Homberger, convention double.

    The least distance wins, every customer must be served, the file's vehicles are a maximum. Times are
    scaled by 10^4 and distances rounded up, so that a plan also holds in double precision.

    Raises
    ------
    ProblemError
        With every fault and its line.
    """
    lines = Lines.split(text)
    scale = 10**SOLOMON_DECIMALS
    starts = {
        words[0].upper().rstrip("."): at for at, (_, words) in reversed(list(enumerate(lines.rows))) if words
    }
    for section in ("NUMBER", "CUST"):
        if section not in starts or starts[section] + 1 >= len(lines.rows):
            lines.faults.append(Fault("", "missing_section", {"section": section}))
    lines.stop()
    at, fleet = lines.rows[starts["NUMBER"] + 1]
    if len(fleet) != 2:
        lines.refuse(at, "wrong_columns", expected=2, found=len(fleet))
        fleet = ["1", "1"]
    teams = lines.whole(at, fleet[0], least=1, most=MOST_LOCATIONS)
    capacity = lines.whole(at, fleet[1])
    body = lines.rows[starts["CUST"] + 1 :]
    if len(body) > MOST_LOCATIONS:
        raise ProblemError([Fault("", "too_many_locations", {"found": len(body), "most": MOST_LOCATIONS})])
    rows = [_read_solomon_row(lines, line, words) for line, words in body]
    _check_order(lines, [(line, words[0]) for line, words in body])
    lines.stop()
    distance = measure_distances(np.array([row[:2] for row in rows]))
    travel = np.ceil(distance * scale).astype(np.int64)
    _check_windows(lines, [line for line, _ in body], [row[3:5] for row in rows])
    return Table(
        kind="vrptw",
        teams=teams,
        capacity=capacity,
        open=math.ceil(rows[0][3] * scale),
        close=math.floor(rows[0][4] * scale),
        unit=1 / scale,
        weight=outweigh(travel),
        travel=travel,
        distance=distance,
        customers=tuple(
            Customer(str(number), *_scale_times(row[5], row[3], row[4], scale), math.ceil(row[2]), 0.0, True)
            for number, row in enumerate(rows[1:], 1)
        ),
    )


def _read_solomon_row(lines: Lines, line: int, words: list[str]) -> tuple[float, ...]:
    """Return x, y, demand, ready time, due date and service time."""
    if len(words) != 7:
        lines.refuse(line, "wrong_columns", expected=7, found=len(words))
        return (0.0,) * 6
    x, y = (lines.number(line, word, least=-1e4, most=1e4) for word in words[1:3])
    return (x, y, *(lines.number(line, word, most=1e5) for word in words[3:]))


def _scale_times(service: float, opens: float, closes: float, scale: int) -> tuple[int, int, int]:
    """Return service, open and close in the problem's units, never looser than the file's."""
    return (
        math.ceil(service * scale - 1e-6),
        math.ceil(opens * scale - 1e-6),
        math.floor(closes * scale + 1e-6),
    )


def outweigh(travel: NDArray[np.int64]) -> int:
    """Return a prize no detour outweighs: four times the longest leg."""
    return max(1, 4 * int(travel.max(initial=0)))


def weigh(travel: NDArray[np.int64], scores: Sequence[float]) -> int:
    """Return the prize of a point of score: a mean customer is worth ten mean legs.

    More would freeze the annealing, which thinks in legs; less would leave cheap customers out.
    """
    mean = sum(scores) / len(scores) if scores else 0.0
    return max(1, round(10 * float(travel.mean()) / mean)) if mean > 0 else 1


def _check_order(lines: Lines, firsts: Sequence[tuple[int, str]]) -> None:
    """Note every row whose number is not its position from 0."""
    for position, (line, word) in enumerate(firsts):
        if word != str(position):
            lines.refuse(line, "bad_order", expected=position, found=word)


def _check_windows(lines: Lines, numbers: Sequence[int], windows: Sequence[Sequence[float]]) -> None:
    """Raise every window that ends before it starts, and a depot that is never open."""
    for line, (opens, closes) in zip(numbers, windows, strict=True):
        if closes < opens or (line == numbers[0] and closes <= opens):
            lines.refuse(line, "window_reversed", open=opens, close=closes)
    lines.stop()
