"""A problem with broken invariants is refused, with every fault at once."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from planner.errors import PlannerError, ProblemError
from planner.problem import Depot, Problem, Shift, Visit, Window
from tests.rules.cases import make_problem


def test_lookups() -> None:
    problem = make_problem(mandatory=True)
    assert problem.depot_by_id["D"].location == 0
    assert [visit.id for visit in problem.visits_by_site["A"]] == ["V1", "V2"]
    assert [shift.id for shift in problem.shifts_by_slot["e2"]] == ["S2"]
    assert problem.visit_by_id["V1"].penalty == 1_005_000 and problem.visit_by_id["V2"].penalty == 5000


def test_the_matrix_is_a_read_only_copy() -> None:
    mine = np.zeros((4, 4), dtype=np.int64)
    problem = dataclasses.replace(make_problem(), travel_s=mine)
    mine[0, 1] = 5
    assert problem.travel_s[0, 1] == 0 and problem.travel_s.dtype == np.int32
    with pytest.raises(ValueError, match="read-only"):
        problem.travel_s[0, 1] = 1


def test_an_empty_problem_is_a_problem() -> None:
    assert Problem(np.zeros((0, 0), dtype=np.int32), (), (), (), ()).visits == ()


def test_all_faults_are_collected() -> None:
    with pytest.raises(ProblemError) as refused:
        Problem(
            travel_s=np.array([[0, 1], [2, 0]]),
            depots=(Depot("D", 0), Depot("D", 7)),
            shifts=(Shift("S", "T", "", -1, 0, 10, "X", capacity=-1),),
            sites=(),
            visits=(Visit("", "I", 1, -1, windows=(Window("a", 5, 4),)),),
        )
    assert {str(fault).partition(" {")[0] for fault in refused.value.faults} == {
        "depots[1].id: duplicate_id",
        "depots[1].location: unknown_location",
        "shifts[0].slot: missing_id",
        "shifts[0].day: negative",
        "shifts[0].depot: unknown_depot",
        "shifts[0].capacity: negative",
        "visits[0].id: missing_id",
        "visits[0].prize: negative",
        "visits[0].site: unknown_site",
        "visits[0].windows[0].close_s: before_open",
    }
    assert isinstance(refused.value, PlannerError) and refused.value.code == "problem"


@pytest.mark.parametrize("matrix", [np.zeros((2, 3), dtype=int), np.zeros(4, dtype=int), np.zeros((4, 4))])
def test_bad_matrices(matrix: np.ndarray) -> None:
    with pytest.raises(ProblemError, match=r"not_square|wrong_type"):
        dataclasses.replace(make_problem(), travel_s=matrix)


def test_many_bad_cells_are_summed_up() -> None:
    with pytest.raises(ProblemError) as refused:
        dataclasses.replace(make_problem(), travel_s=np.full((30, 30), -1))
    assert len([fault for fault in refused.value.faults if fault.code == "negative"]) == 21
