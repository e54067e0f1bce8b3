"""Generated districts: the same seed gives the same bytes, and the mix is the one documented."""

from __future__ import annotations

import json
from typing import Any

import pytest

from planner.errors import OptionsError
from planner.exchange import parse_problem
from planner.generator import format_document, generate_document, make_district


def test_the_same_seed_gives_the_same_bytes() -> None:
    one, two = (format_document(generate_document(40, seed=7)) for _ in range(2))
    assert one == two
    assert one != format_document(generate_document(40, seed=8))


def test_the_document_is_a_problem_file() -> None:
    document: Any = generate_document(60, seed=3)
    text = format_document(document)
    assert json.loads(text) == document
    problem, made = parse_problem(text), make_district(60, seed=3)
    assert (problem.visits, problem.shifts, problem.sites) == (made.visits, made.shifts, made.sites)
    assert "euclidean" in document["travel_s"], "points are smaller than a matrix"
    assert len(problem.travel_s) == 61


def test_the_mix_is_the_documented_one() -> None:
    problem = make_district(2000, seed=5)
    slots = {window.slot for visit in problem.visits for window in visit.windows}
    assert len(slots) == 37
    sorts: dict[str, set[str]] = {}
    for visit in problem.visits:
        sorts.setdefault(visit.site, set()).update(window.slot[-1] for window in visit.windows)
    evening = sum(kinds == {"e"} for kinds in sorts.values()) / 2000
    weekend = sum(kinds == {"m", "a"} for kinds in sorts.values()) / 2000
    assert evening == pytest.approx(0.25, abs=0.03)
    assert weekend == pytest.approx(0.20, abs=0.03)
    counts = [len(visits) for visits in problem.visits_by_site.values()]
    assert set(counts) == {1, 2, 3, 4}
    rechecks = [visit for visit in problem.visits if visit.mandatory]
    assert len(rechecks) / 2000 == pytest.approx(0.06, abs=0.02)
    days = {shift.slot: shift.day for shift in problem.shifts}
    assert max(days.get(window.slot, 0) for visit in rechecks for window in visit.windows) <= 20
    assert {site.min_gap_days for site in problem.sites} == {5, 7, 10}


def test_a_team_has_five_shifts_a_week() -> None:
    problem = make_district(300, seed=1)
    assert {shift.team for shift in problem.shifts} == {"T1", "T2"}
    for team in ("T1", "T2"):
        weeks = [shift.day // 7 for shift in problem.shifts if shift.team == team]
        assert [weeks.count(week) for week in range(4)] == [5, 5, 5, 5]
    assert len({shift.team for shift in make_district(300, seed=1, teams=4).shifts}) == 4
    assert len({shift.team for shift in make_district(1000, seed=1).shifts}) == 8


def test_every_number_out_of_range_is_named() -> None:
    with pytest.raises(OptionsError) as refused:
        generate_document(0, seed=-1, teams=0, days=3)
    assert {fault.where for fault in refused.value.faults} == {"institutions", "seed", "teams", "days"}
