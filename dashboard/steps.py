"""What a job does: its step in the planner, its progress, and how its end is told."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from dashboard.logs import get_logger, trace_of
from dashboard.wiring import Wiring
from data import jobs
from data.errors import DataError, JobError, StoreError
from data.schema import Job
from data.store import Store
from geo.errors import GeoError
from planner.errors import Fault, PlannerError

if TYPE_CHECKING:
    from planner.options import PlanOptions

Report = Callable[[float, str], None]
PROGRESS_STEP = 0.02
ACTOR = "worker"
# An hour's work waits longer for its turn to be stored than a page does.
PATIENCE_S = 600.0
RETRY_S = 1.0
_LOG = get_logger("job")


class JobStore(Store):
    """The register as a job sees it: it stores nothing once the job was cancelled or given up on."""

    def __init__(self, url: str, *, job_id: int, owner: str, seal: Callable[[], bytes]) -> None:
        super().__init__(url, wait_s=PATIENCE_S, seal=seal)
        self._job_id, self._owner = job_id, owner

    @contextmanager
    def begin(self, *, actor: str, now: dt.datetime, serial: bool = True) -> Iterator[Session]:
        """Open a write transaction as `Store.begin`.

        Raises
        ------
        JobError
            `lost_job`.
        """
        with super().begin(actor=actor, now=now, serial=serial) as session:
            jobs.demand_owned(session, self._job_id, owner=self._owner)
            yield session


def run_job(wiring: Wiring, job: Job, *, stopping: Callable[[], bool] = lambda: False) -> None:
    """Carry out a job that was claimed and tell how it ended."""
    failure: tuple[str, dict[str, Any], str | None] | None = None
    result: dict[str, Any] = {}
    try:
        result = carry_out(wiring, job, stopping)
    except (DataError, GeoError, PlannerError) as error:
        interrupted = error.code == "cancelled" and stopping()
        failure = ("interrupted", {}, None) if interrupted else (error.code, _fields_of(error), None)
    except Exception as error:  # noqa: BLE001 - the door's last line: the job must not stay "running" for ever
        # Where it went wrong, without what it said: a message may quote a name or a telephone.
        failure = ("unexpected", {}, trace_of(error))

    def write(session: Session, at: dt.datetime) -> None:
        if failure is None:
            jobs.finish(session, job.id, result=result, now=at)
            return
        code, fields, trace = failure
        plain = {name: value if isinstance(value, list) else _plain(value) for name, value in fields.items()}
        jobs.fail(session, job.id, code=code, fields=plain, trace=trace, now=at)

    tell(wiring, write, patience_s=PATIENCE_S)


def tell(wiring: Wiring, write: Callable[[Session, dt.datetime], None], *, patience_s: float) -> None:
    """Write how a job ended, again and again while the database is busy or away.

    Raises
    ------
    StoreError
        As `Store.begin`, after `patience_s`.
    """
    until = time.monotonic() + patience_s
    while True:
        at = wiring.now()
        try:
            with wiring.store.begin(actor=ACTOR, now=at) as session:
                write(session, at)
            return
        except StoreError as error:
            if time.monotonic() >= until:
                raise
            _LOG.warning("end_not_told", error=error.code)
        time.sleep(RETRY_S)


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


def carry_out(wiring: Wiring, job: Job, stopping: Callable[[], bool]) -> dict[str, Any]:
    """Carry out a job and return its result.

    Raises
    ------
    DataError
        `unknown_job_kind`, `lost_job`, or the step's refusal.
    PlannerError
        The step's refusal, `cancelled` among them.
    """
    steps = {"plan": _plan, "repair": _repair}
    if job.kind not in steps:
        raise DataError("unknown_job_kind", kind=job.kind)
    if job.owner is None:
        raise JobError("lost_job", job=job.id)
    last = 0.0

    def report(share: float, stage: str) -> None:
        nonlocal last
        if share - last >= PROGRESS_STEP or share >= 1.0 or share < last:
            last = share
            try:
                with wiring.store.begin(actor=ACTOR, now=wiring.now(), serial=False) as session:
                    if not jobs.is_cancelled(session, job.id):
                        jobs.report(session, job.id, progress=share, stage=stage)
            except StoreError as error:
                # A bar that stands still for a while is no reason to lose the work.
                _LOG.warning("progress_not_told", error=error.code)

    def cancelled() -> bool:
        if stopping():
            return True
        try:
            with wiring.store.reading() as session:
                return jobs.is_cancelled(session, job.id)
        except StoreError as error:
            # Asked again soon; what is stored in the end is checked anyway.
            _LOG.warning("cancel_not_asked", error=error.code)
            return False

    url = wiring.store.url.render_as_string(hide_password=False)
    store = JobStore(url, job_id=job.id, owner=job.owner, seal=wiring.store.seal)
    try:
        return steps[job.kind](wiring, store, job, report, cancelled)
    finally:
        store.close()


def _plan(
    wiring: Wiring, store: Store, job: Job, report: Report, cancelled: Callable[[], bool]
) -> dict[str, Any]:
    from planner.draft import make_plan

    result = make_plan(
        store,
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


def _repair(
    wiring: Wiring, store: Store, job: Job, report: Report, cancelled: Callable[[], bool]
) -> dict[str, Any]:
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
        store, parameters["plan"], event, actor=job.created_by, now=wiring.now(), cancel=cancelled
    )
    return {"plan": revised.code, "parent": parameters["plan"]}
