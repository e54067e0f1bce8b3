"""The job door: one background process that takes queued jobs, so that a solve never blocks a page."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from dashboard.logs import configure, get_logger
from dashboard.settings import Settings
from dashboard.wiring import Wiring, assemble
from data import jobs
from data.errors import DataError
from data.schema import Job
from geo.errors import GeoError
from planner.errors import Fault, PlannerError

if TYPE_CHECKING:
    from planner.options import PlanOptions

Report = Callable[[float, str], None]
POLL_S = 0.5
PROGRESS_STEP = 0.02
ACTOR = "worker"


@dataclass
class Worker:
    """A running worker process; it also ends when the process that started it is gone."""

    process: subprocess.Popen[bytes]

    def stop(self, timeout_s: float = 5.0) -> None:
        """Ask the worker to end; end it when it does not."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            self.process.wait(timeout_s)


def start(settings: Settings) -> Worker:
    """Start the worker beside the server."""
    # A program of its own: multiprocessing would import the server's main module, which Streamlit replaces.
    command = [sys.executable, "-m", "dashboard.worker"]
    environment = {**os.environ, **settings.as_environment()}
    return Worker(subprocess.Popen(command, stdin=subprocess.PIPE, env=environment))  # noqa: S603 - own code


def run(wiring: Wiring, stopping: Event) -> None:
    """Take jobs until asked to stop."""
    with wiring.store.begin(actor=ACTOR, now=wiring.now()) as session:
        jobs.fail_interrupted(session, now=wiring.now())
    while not stopping.wait(POLL_S):
        try:
            run_next(wiring, stopping=stopping.is_set)
        except SQLAlchemyError as error:
            # A database that is away for a moment must not end the worker for good.
            get_logger("worker").warning("database", error=type(error).__name__)


def run_next(wiring: Wiring, *, stopping: Callable[[], bool] = lambda: False) -> bool:
    """Take one job and carry it out; return whether there was one."""
    with wiring.store.begin(actor=ACTOR, now=wiring.now()) as session:
        job = jobs.claim(session, now=wiring.now())
    if job is None:
        return False
    try:
        result = _carry_out(wiring, job, stopping)
    except (DataError, GeoError, PlannerError) as error:
        _fail(wiring, job.id, code=error.code, fields=_fields_of(error), trace=None)
    except Exception:  # noqa: BLE001 - the door's last line: the job must not stay "running" for ever
        _fail(wiring, job.id, code="unexpected", fields={}, trace=traceback.format_exc())
    else:
        with wiring.store.begin(actor=ACTOR, now=wiring.now()) as session:
            jobs.finish(session, job.id, result=result, now=wiring.now())
    return True


def _fail(wiring: Wiring, job_id: int, *, code: str, fields: dict[str, Any], trace: str | None) -> None:
    plain = {name: value if isinstance(value, list) else _plain(value) for name, value in fields.items()}
    at = wiring.now()
    with wiring.store.begin(actor=ACTOR, now=at) as session:
        if not jobs.is_cancelled(session, job_id):
            jobs.fail(session, job_id, code=code, fields=plain, trace=trace, now=at)


def _plain(value: object) -> object:
    return value if isinstance(value, (int, float)) else str(value)


def _fields_of(error: DataError | GeoError | PlannerError) -> dict[str, Any]:
    """Return an error's fields; collected faults keep their codes, so that the page can tell each."""
    faults = getattr(error, "faults", ())
    if not all(isinstance(fault, Fault) for fault in faults):
        return dict(error.fields)
    told = [
        {"code": fault.code, "fields": {key: _plain(value) for key, value in fault.fields.items()}}
        for fault in faults
    ]
    return {**error.fields, "faults": told} if told else dict(error.fields)


def _carry_out(wiring: Wiring, job: Job, stopping: Callable[[], bool]) -> dict[str, Any]:
    steps = {"plan": _plan, "repair": _repair}
    if job.kind not in steps:
        raise DataError("unknown_job_kind", kind=job.kind)
    last = 0.0

    def report(share: float, stage: str) -> None:
        nonlocal last
        if share - last >= PROGRESS_STEP or share >= 1.0 or share < last:
            last = share
            with wiring.store.begin(actor=ACTOR, now=wiring.now()) as session:
                if not jobs.is_cancelled(session, job.id):
                    jobs.report(session, job.id, progress=share, stage=stage)

    def cancelled() -> bool:
        if stopping():
            return True
        with wiring.store.reading() as session:
            return jobs.is_cancelled(session, job.id)

    return steps[job.kind](wiring, job, report, cancelled)


def _plan(wiring: Wiring, job: Job, report: Report, cancelled: Callable[[], bool]) -> dict[str, Any]:
    from planner.draft import make_plan

    result = make_plan(
        wiring.store,
        options=_read_options(job.parameters),
        actor=job.created_by,
        now=wiring.now(),
        today=wiring.today(),
        progress=report,
        cancel=cancelled,
    )
    return {"plan": result.code}


def _read_options(parameters: Mapping[str, Any]) -> PlanOptions:
    from planner.options import DEFAULT_ITERATIONS, PlanOptions

    round_from = parameters.get("round_from")
    limit_s = parameters.get("limit_s")
    iterations = parameters.get("iterations")
    return PlanOptions(
        first=dt.date.fromisoformat(parameters["from"]),
        last=dt.date.fromisoformat(parameters["to"]),
        round_from=None if round_from is None else dt.date.fromisoformat(round_from),
        teams=int(parameters.get("teams", 6)),
        seed=int(parameters.get("seed", 1)),
        iterations=DEFAULT_ITERATIONS if iterations is None and limit_s is None else iterations,
        limit_s=limit_s,
        joint_departments=tuple(parameters.get("joint_departments", ())),
        joint_slots_a_week=int(parameters.get("joint_slots_a_week", 0)),
        accompanied=int(parameters.get("accompanied", 0)),
        round=parameters.get("round"),
        draw=parameters.get("draw"),
        inspection=bool(parameters.get("inspection", False)),
        campaign=parameters.get("campaign"),
        control_share=float(parameters.get("control_share", PlanOptions.control_share)),
        thinning=float(parameters.get("thinning", PlanOptions.thinning)),
    )


def _repair(wiring: Wiring, job: Job, report: Report, cancelled: Callable[[], bool]) -> dict[str, Any]:
    from planner.improve import warm_up
    from planner.revise import Event, revise

    parameters = job.parameters
    date, at = parameters.get("date"), parameters.get("at")
    event = Event(
        absent=parameters.get("absent"),
        date=None if date is None else dt.date.fromisoformat(date),
        add=tuple(parameters.get("add", ())),
        drop=tuple(parameters.get("drop", ())),
        at=None if at is None else (dt.date.fromisoformat(at[0]), int(at[1])),
        pins=tuple(parameters.get("pins", ())),
        locks=tuple(parameters.get("locks", ())),
    )
    report(0.05, "reading")
    warm_up()
    report(0.3, "repairing")
    revised = revise(
        wiring.store, parameters["plan"], event, actor=job.created_by, now=wiring.now(), cancel=cancelled
    )
    return {"plan": revised.code, "parent": parameters["plan"]}


def main() -> None:
    """Run the worker program until standard input closes, which it does when the server is gone."""
    # Ctrl-C in a terminal reaches both processes; the server decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings = Settings.from_environment()
    configure(settings.log_level)
    stopping = Event()

    def watch() -> None:
        sys.stdin.buffer.read()
        stopping.set()

    Thread(target=watch, daemon=True).start()
    wiring = assemble(settings)
    try:
        run(wiring, stopping)
    finally:
        wiring.close()


if __name__ == "__main__":
    main()
