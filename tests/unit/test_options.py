"""Options outside their range are refused, all at once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from planner.errors import OptionsError
from planner.options import PlanOptions, RosterOptions, SearchOptions, SolveOptions

PERIOD = {"first": dt.date(2026, 11, 23), "last": dt.date(2026, 11, 29)}


@pytest.mark.parametrize(
    ("kind", "given", "wrong"),
    [
        (SolveOptions, {}, {"iterations"}),
        (
            SolveOptions,
            {"iterations": -1, "workers": 0, "engine": "magic"},
            {"iterations", "workers", "engine"},
        ),
        (SolveOptions, {"limit_s": float("nan"), "seed": -1}, {"limit_s", "seed"}),
        (
            SearchOptions,
            {"mean_removed": 0, "blink": 1.0, "waiting_sample": -1},
            {"mean_removed", "blink", "waiting_sample"},
        ),
        (SearchOptions, {"start_temperature": 0.1, "end_temperature": 0.5}, {"end_temperature"}),
        (RosterOptions, {"crew_size": 1}, {"crew_size"}),
        (
            RosterOptions,
            {"max_week": 0, "min_rest_h": 24, "effort": 0, "seed": 2**31},
            {"max_week", "min_rest_h", "effort", "seed"},
        ),
        (RosterOptions, {"free_weekend_weeks": -1, "accompanied": -1}, {"free_weekend_weeks", "accompanied"}),
        (PlanOptions, {**PERIOD, "joint_slots_a_week": 1}, {"joint_departments"}),
        (
            PlanOptions,
            {**PERIOD, "joint_slots_a_week": -1, "accompanied": 101},
            {"joint_slots_a_week", "accompanied", "joint_departments"},
        ),
    ],
)
def test_ranges(kind: type, given: dict[str, Any], wrong: set[str]) -> None:
    with pytest.raises(OptionsError) as refused:
        kind(**given)
    assert {fault.where for fault in refused.value.faults} == wrong
