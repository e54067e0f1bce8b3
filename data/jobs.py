"""Queue rows for long work: enqueue, claim, report, finish."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.errors import JobError
from data.schema import Job
from data.terms import JobStatus


def enqueue(
    session: Session, *, kind: str, parameters: dict[str, Any], created_by: str, now: dt.datetime
) -> int:
    """Add a job and return its id.

    Raises
    ------
    JobError
        `already_queued` when a job of this kind is waiting or running.
    """
    waiting = (JobStatus.QUEUED, JobStatus.RUNNING)
    open_job = session.scalar(select(Job.id).where(Job.kind == kind, Job.status.in_(waiting)))
    if open_job is not None:
        raise JobError("already_queued", job=open_job)
    job = Job(
        kind=kind,
        parameters=parameters,
        status=JobStatus.QUEUED,
        progress=0.0,
        stage="queued",
        created_by=created_by,
        created_at=now,
    )
    session.add(job)
    session.flush()
    return job.id


def claim(session: Session, *, now: dt.datetime) -> Job | None:
    """Take the oldest waiting job, or return None; two workers never take the same one."""
    job = session.scalar(
        select(Job)
        .where(Job.status == JobStatus.QUEUED)
        .order_by(Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if job is not None:
        job.status, job.started_at, job.stage = JobStatus.RUNNING, now, "started"
        session.flush()
    return job


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
    """Mark a waiting or running job as cancelled; the worker stops at its next report.

    Raises
    ------
    JobError
        `not_running` when it has ended already.
    """
    job = get(session, job_id)
    if job.status not in (JobStatus.QUEUED, JobStatus.RUNNING):
        raise JobError("not_running", job=job_id)
    job.status = JobStatus.CANCELLED


def is_cancelled(session: Session, job_id: int) -> bool:
    """Return whether a job was cancelled."""
    return get(session, job_id).status is JobStatus.CANCELLED


def finish(session: Session, job_id: int, *, result: dict[str, Any], now: dt.datetime) -> None:
    """Store a job's result."""
    job = get(session, job_id)
    job.status, job.progress, job.stage = JobStatus.DONE, 1.0, "done"
    job.result, job.finished_at = result, now


def fail(
    session: Session,
    job_id: int,
    *,
    code: str,
    fields: dict[str, Any],
    trace: str | None,
    now: dt.datetime,
) -> None:
    """Store why a job failed; the trace is for the engineer, never for the page."""
    job = get(session, job_id)
    job.status, job.finished_at = JobStatus.FAILED, now
    job.error_code, job.error_fields, job.error_trace = code, fields, trace


def fail_interrupted(session: Session, *, now: dt.datetime) -> int:
    """Mark jobs left running by a process that is gone as failed; return how many."""
    left = session.scalars(select(Job).where(Job.status == JobStatus.RUNNING)).all()
    for job in left:
        fail(session, job.id, code="interrupted", fields={}, trace=None, now=now)
    return len(left)
