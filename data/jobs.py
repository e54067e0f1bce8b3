"""Queue rows for long work: enqueue, claim, beat, report, finish."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from data import audit
from data.errors import JobError
from data.schema import Job
from data.terms import JobStatus

OPEN = (JobStatus.QUEUED, JobStatus.RUNNING)
_LONGEST_SCOPE = 200


def scope_of(kind: str, parameters: Mapping[str, Any]) -> str:
    """Return what a job works on: a period, or a plan; only one open job may work on it."""
    parts = [kind, *(str(parameters[name]) for name in ("plan", "from", "to") if name in parameters)]
    # A repair names its plan; the period it also carries says nothing more.
    return ":".join(parts[:2] if "plan" in parameters else parts)[:_LONGEST_SCOPE]


def enqueue(
    session: Session, *, kind: str, parameters: dict[str, Any], created_by: str, now: dt.datetime
) -> int:
    """Add a job and return its id.

    Raises
    ------
    JobError
        `already_queued` when a job on the same period or plan is waiting or running.
    """
    audit.hold(session)
    scope = scope_of(kind, parameters)
    open_job = session.scalar(select(Job.id).where(Job.scope == scope, Job.status.in_(OPEN)))
    if open_job is not None:
        raise JobError("already_queued", job=open_job)
    job = Job(
        kind=kind,
        scope=scope,
        parameters=parameters,
        status=JobStatus.QUEUED,
        progress=0.0,
        stage="queued",
        beats=0,
        created_by=created_by,
        created_at=now,
    )
    session.add(job)
    session.flush()
    _log(session, "queue", job, {"kind": kind, "scope": scope, "parameters": parameters})
    return job.id


def claim(session: Session, *, owner: str, now: dt.datetime) -> Job | None:
    """Take the oldest waiting job for `owner`, or return None; two workers never take the same one."""
    job = session.scalar(
        select(Job)
        .where(Job.status == JobStatus.QUEUED)
        .order_by(Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if job is not None:
        job.status, job.started_at, job.stage = JobStatus.RUNNING, now, "started"
        job.owner, job.beats, job.beat_at = owner, job.beats + 1, now
        session.flush()
    return job


def is_waiting(session: Session) -> bool:
    """Return whether any job waits to be taken."""
    return session.scalar(select(Job.id).where(Job.status == JobStatus.QUEUED).limit(1)) is not None


def beat(session: Session, job_id: int, *, owner: str, now: dt.datetime) -> bool:
    """Show that the owner of a job is alive; return whether the job is still running and its own."""
    job = session.scalar(select(Job).where(Job.id == job_id).with_for_update())
    if job is None or job.status is not JobStatus.RUNNING or job.owner != owner:
        return False
    job.beats, job.beat_at = job.beats + 1, now
    return True


def list_running(session: Session) -> dict[int, tuple[str | None, int]]:
    """Return owner and heartbeats of every running job, by id."""
    rows = select(Job.id, Job.owner, Job.beats).where(Job.status == JobStatus.RUNNING).order_by(Job.id)
    return {job_id: (owner, beats) for job_id, owner, beats in session.execute(rows).tuples()}


def get(session: Session, job_id: int) -> Job:
    """Return a job.

    Raises
    ------
    JobError
        `unknown_job`.
    """
    job = session.get(Job, job_id)
    if job is None:
        raise JobError("unknown_job", job=job_id)
    return job


def latest(session: Session, *, kind: str) -> Job | None:
    """Return the newest job of a kind."""
    return session.scalar(select(Job).where(Job.kind == kind).order_by(Job.id.desc()).limit(1))


def report(session: Session, job_id: int, *, progress: float, stage: str) -> None:
    """Store how far a running job is, 0 to 1."""
    job = get(session, job_id)
    job.progress, job.stage = min(1.0, max(0.0, progress)), stage


def request_cancel(session: Session, job_id: int) -> None:
    """Mark a waiting or running job as cancelled; its worker ends it within seconds.

    Raises
    ------
    JobError
        `not_running` when it has ended already.
    """
    job = _locked(session, job_id)
    if job.status not in OPEN:
        raise JobError("not_running", job=job_id)
    job.status = JobStatus.CANCELLED
    _log(session, "cancel", job, {})


def is_cancelled(session: Session, job_id: int) -> bool:
    """Return whether a job was cancelled."""
    return get(session, job_id).status is JobStatus.CANCELLED


def demand_owned(session: Session, job_id: int, *, owner: str) -> None:
    """Refuse to go on with a job that was cancelled or given up on, so that it stores nothing any more.

    Raises
    ------
    JobError
        `lost_job`.
    """
    job = _locked(session, job_id)
    if job.status is not JobStatus.RUNNING or job.owner != owner:
        raise JobError("lost_job", job=job_id)


def finish(session: Session, job_id: int, *, result: dict[str, Any], now: dt.datetime) -> None:
    """Store a job's result; one cancelled or given up on meanwhile stays as it is."""
    job = _locked(session, job_id)
    if job.status not in OPEN:
        return
    job.status, job.progress, job.stage = JobStatus.DONE, 1.0, "done"
    job.result, job.finished_at = result, now
    _log(session, "finish", job, {"result": result})


def fail(
    session: Session,
    job_id: int,
    *,
    code: str,
    fields: dict[str, Any],
    trace: str | None,
    now: dt.datetime,
) -> None:
    """Store why a job failed; the trace is for the engineer, never for the page.

    One that has ended meanwhile stays as it is.
    """
    job = _locked(session, job_id)
    if job.status not in OPEN:
        return
    job.status, job.finished_at = JobStatus.FAILED, now
    job.error_code, job.error_fields, job.error_trace = code, fields, trace
    _log(session, "fail", job, {"error_code": code})


def fail_owned(session: Session, owner: str, *, now: dt.datetime) -> int:
    """Mark the running jobs of a worker that is gone as interrupted; return how many."""
    mine = [job_id for job_id, (who, _) in list_running(session).items() if who == owner]
    for job_id in mine:
        fail(session, job_id, code="interrupted", fields={}, trace=None, now=now)
    return len(mine)


def fail_silent(session: Session, job_id: int, *, beats: int, now: dt.datetime) -> bool:
    """Mark a job as interrupted unless its owner has shown life since `beats`; return whether it was."""
    job = _locked(session, job_id)
    if job.status is not JobStatus.RUNNING or job.beats != beats:
        return False
    fail(session, job_id, code="interrupted", fields={}, trace=None, now=now)
    return True


def _locked(session: Session, job_id: int) -> Job:
    """Return a job as it is now, which nobody else changes until the transaction ends."""
    # The chain's head first, as everywhere: two writers who take two locks in two orders wait for ever.
    audit.hold(session)
    job = session.get(Job, job_id, with_for_update=True, populate_existing=True)
    if job is None:
        raise JobError("unknown_job", job=job_id)
    return job


def _log(session: Session, action: str, job: Job, after: dict[str, Any]) -> None:
    audit.append(session, action=action, entity="job", entity_key=str(job.id), after=after)
