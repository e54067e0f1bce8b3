"""The job door: a job ends in exactly one state, and a failed or cancelled one stores no plan."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard import steps, worker
from dashboard.i18n import sentence_for
from dashboard.settings import Settings
from dashboard.wiring import Wiring
from data import jobs
from data.schema import Job
from data.store import Store
from data.terms import JobStatus
from geo.travel import straight_line
from planner.errors import PlannerError
from planner.itinerary import list_plans, read_plan
from tests.conftest import NOW, TODAY
from tests.register import add_district

WEEK = {"from": "2026-11-23", "to": "2026-11-25", "teams": 2, "iterations": 100}


def wire(store: Store) -> Wiring:
    """Return the parts of a door at the fixed date."""
    return Wiring(
        settings=Settings(database="sqlite://", today=TODAY), store=store, travel=straight_line("ebike")
    )


def enqueue(store: Store, *, kind: str = "plan", **parameters: Any) -> int:
    """Queue a job of the lead."""
    with store.begin(actor="lead", now=NOW) as session:
        return jobs.enqueue(session, kind=kind, parameters={**WEEK, **parameters}, created_by="lead", now=NOW)


def job(store: Store, job_id: int) -> Job:
    """Read a job."""
    with store.reading() as session:
        return jobs.get(session, job_id)


def plans(store: Store) -> int:
    """Count stored plans."""
    with store.reading() as session:
        return len(list_plans(session))


@pytest.fixture
def filled(store: Store) -> Store:
    """Return a register with twelve institutions and six officers."""
    with store.begin(actor="t", now=NOW) as session:
        add_district(session, 12)
    return store


def test_a_job_becomes_a_draft_of_whoever_asked(filled: Store) -> None:
    """Done, with the plan's code; nothing is left to do; the next job may be queued."""
    key = enqueue(filled)
    assert worker.run_next(wire(filled))
    done = job(filled, key)
    assert (done.status, done.progress, done.stage) == (JobStatus.DONE, 1.0, "done")
    assert done.result is not None
    with filled.reading() as session:
        head = read_plan(session, done.result["plan"]).head
    assert head.created_by == "lead"
    reached, ceiling = head.summary["reached"], head.summary["ceiling"]
    assert all(0 < reached[name] <= ceiling[name] <= 100 for name in ("prize", "sites"))
    assert reached["sites"] == round(100 * head.summary["coverage"], 1)
    assert not worker.run_next(wire(filled))
    enqueue(filled)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"from": "2026-11-22"}, "period_in_past"),
        ({"to": "2026-11-22"}, "options"),
        ({"teams": 0}, "options"),
        ({"iterations": -1}, "options"),
        ({"round_from": "2026-12-24"}, "options"),
        ({"from": "yesterday"}, "unexpected"),
        ({"teams": None}, "unexpected"),
        ({"thinning": 0.7}, "options"),
        ({"draw": "D1"}, "unknown_draw"),
        ({"kind": "tea"}, "unknown_job_kind"),
    ],
)
def test_a_refused_job_fails_with_its_code(filled: Store, parameters: dict[str, Any], code: str) -> None:
    """The page reads the code; only what nobody expected keeps a trace; no plan is stored."""
    key = enqueue(filled, **parameters)
    assert worker.run_next(wire(filled))
    failed = job(filled, key)
    assert (failed.status, failed.error_code) == (JobStatus.FAILED, code)
    assert (failed.error_trace is not None) == (code == "unexpected")
    assert failed.finished_at is not None
    assert plans(filled) == 0


def planned(store: Store) -> str:
    """Plan the week by a job and return the plan's code."""
    key = enqueue(store)
    assert worker.run_next(wire(store))
    result = job(store, key).result
    assert result is not None
    return str(result["plan"])


def test_a_repair_job_becomes_a_revision_of_its_plan(filled: Store) -> None:
    """The absent team's shift is lost, what was done by then stays, the parent stays as it was."""
    code = planned(filled)
    with filled.reading() as session:
        before = read_plan(session, code)
    lost = before.shifts[-1]
    kept = before.shifts[0]
    key = enqueue(
        filled,
        kind="repair",
        plan=code,
        absent=lost.team,
        date=lost.date.isoformat(),
        at=[kept.date.isoformat(), kept.end_s],
    )
    assert worker.run_next(wire(filled))
    done = job(filled, key)
    assert (done.status, done.error_code) == (JobStatus.DONE, None)
    assert done.result is not None and done.result["parent"] == code
    with filled.reading() as session:
        after = read_plan(session, done.result["plan"])
        assert read_plan(session, code) == before
    assert after.head.created_by == "lead" and after.head.summary["parent"] == code
    assert all((s.team, s.date) != (lost.team, lost.date) for s in after.shifts)
    assert [s.stops for s in after.shifts if s.code == kept.code] == [kept.stops]


@pytest.mark.parametrize(
    ("parameters", "code", "faults"),
    [
        ({}, "no_change", None),
        ({"absent": "nobody"}, "absent_unknown", None),
        ({"add": ["I999"]}, "site_not_in_plan", None),
        ({"plan": "P1", "absent": "T1"}, "unknown_plan", None),
        ({"pins": ["I999-noon"], "locks": ["T9"]}, "repair", ["unknown_shift", "unknown_visit"]),
    ],
)
def test_a_repair_that_does_not_fit_is_refused_fault_by_fault(
    filled: Store, parameters: dict[str, Any], code: str, faults: list[str] | None
) -> None:
    """Each fault is kept with its code, so that the page can tell it in either language."""
    plan = planned(filled)
    key = enqueue(filled, kind="repair", **{"plan": plan, **parameters})
    assert worker.run_next(wire(filled))
    failed = job(filled, key)
    assert (failed.status, failed.error_code) == (JobStatus.FAILED, code)
    fields = failed.error_fields or {}
    if faults is not None:
        assert [item["code"] for item in fields["faults"]] == faults
        told = sentence_for(code, fields, "zh"), sentence_for(code, fields, "en")
        assert "没有班次 T9；没有家次 I999-noon" in told[0] and "unknown shift T9" in told[1]
    assert plans(filled) == 1


def test_a_repair_cancelled_while_it_waits_or_runs_stores_nothing(filled: Store) -> None:
    """The word may come after the job was taken: the revision is rolled back."""
    code = planned(filled)
    key = enqueue(filled, kind="repair", plan=code, absent="T1")
    with filled.begin(actor="worker", now=NOW) as session:
        taken = jobs.claim(session, owner="one", now=NOW)
    assert taken is not None
    with filled.begin(actor="lead", now=NOW) as session:
        jobs.request_cancel(session, key)
    with pytest.raises(PlannerError, match="cancelled"):
        steps.carry_out(wire(filled), taken, lambda: False)
    assert job(filled, key).status is JobStatus.CANCELLED
    assert plans(filled) == 1


def test_an_empty_register_fails_with_the_reason(store: Store) -> None:
    """The desk's refusal reaches the job."""
    key = enqueue(store)
    worker.run_next(wire(store))
    assert job(store, key).error_code == "no_institutions"


def test_a_job_cancelled_while_it_waits_is_not_taken(filled: Store) -> None:
    """It stays cancelled."""
    key = enqueue(filled)
    with filled.begin(actor="lead", now=NOW) as session:
        jobs.request_cancel(session, key)
    assert not worker.run_next(wire(filled))
    assert job(filled, key).status is JobStatus.CANCELLED


def test_a_job_cancelled_while_it_runs_stores_nothing(filled: Store) -> None:
    """The word comes while the solver asks: no plan, and the job stays cancelled, not failed."""
    key = enqueue(filled, iterations=2_000)

    def cancel_now() -> bool:
        with filled.begin(actor="lead", now=NOW) as session:
            if not jobs.is_cancelled(session, key):
                jobs.request_cancel(session, key)
        return False

    assert worker.run_next(wire(filled), stopping=cancel_now)
    assert job(filled, key).status is JobStatus.CANCELLED
    assert plans(filled) == 0


def test_a_worker_that_must_stop_gives_the_job_back_as_failed(filled: Store) -> None:
    """Nothing is stored and the job does not run for ever."""
    key = enqueue(filled)
    assert worker.run_next(wire(filled), stopping=lambda: True)
    assert (job(filled, key).status, job(filled, key).error_code) == (JobStatus.FAILED, "interrupted")
    assert plans(filled) == 0
