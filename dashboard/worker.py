"""The job door: one light process that takes queued jobs and lets a child of its own carry out each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import Event, Thread
from typing import Any

from dashboard.logs import configure, get_logger
from dashboard.settings import Settings
from dashboard.steps import ACTOR, run_job, tell
from dashboard.wiring import Wiring, assemble
from data import jobs
from data.errors import DataError, StoreError
from data.store import Store

POLL_S = 0.5
BEAT_S = 2.0
# A job whose worker was silent for so long is given up on.
LEASE_S = 20.0
# How long a cancelled child may take to end by itself.
GRACE_S = 2.0
# This process must notice its server's end within seconds: it waits for nobody longer.
WAIT_S = 2.0
LONGEST_PAUSE_S = 15.0
OWNER = "here"
_LOG = get_logger("worker")


class Silence:
    """How long each running job has shown no sign of life, by this process's own clock.

    Neither another machine's clock nor one set back makes a job look dead: what counts is that its heartbeats
    stay the same while this process sees time pass.
    """

    def __init__(self, *, lease_s: float = LEASE_S) -> None:
        self._lease_s = lease_s
        self._known: dict[int, tuple[int, float, float]] = {}

    def hear(self, running: Mapping[int, tuple[str | None, int]], now_s: float) -> dict[int, int]:
        """Take note of the running jobs and return the heartbeats of those silent for the whole lease."""
        known: dict[int, tuple[int, float, float]] = {}
        for job_id, (_, beats) in running.items():
            before, silent_s, last_s = self._known.get(job_id, (beats, 0.0, now_s))
            # A gap in our own listening (a database that was busy or away) held up the others too.
            passed_s = min(now_s - last_s, 2 * BEAT_S)
            known[job_id] = (beats, silent_s + passed_s if before == beats else 0.0, now_s)
        self._known = known
        return {job: beats for job, (beats, silent_s, _) in known.items() if silent_s >= self._lease_s}


def run(
    wiring: Wiring,
    stopping: Event,
    *,
    owner: str,
    lease_s: float = LEASE_S,
    beat: Callable[[], None] = lambda: None,
) -> None:
    """Take jobs until asked to stop; a database that is away, locked or not yet made is waited for.

    Parameters
    ----------
    owner
        Name of this worker among all.
    lease_s
        Seconds without a heartbeat after which another's job is given up on.
    beat
        Called every turn, to show whoever started this worker that it lives.
    """
    silence, pause_s, swept_s = Silence(lease_s=lease_s), POLL_S, float("-inf")

    def sweep() -> None:
        nonlocal swept_s
        beat()
        if time.monotonic() - swept_s >= BEAT_S:
            swept_s = time.monotonic()
            give_up_silent(wiring, silence)

    while not stopping.wait(pause_s):
        try:
            sweep()
            job_id = _claim(wiring, owner)
            if job_id is not None:
                _attend(wiring, job_id, owner, stopping, sweep)
            pause_s = POLL_S
        except DataError as error:
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            _LOG.warning("database", error=error.code, again_in_s=pause_s)


def give_up_silent(wiring: Wiring, silence: Silence) -> None:
    """Mark jobs as interrupted whose worker has been silent for the whole lease."""
    with wiring.store.reading() as session:
        if not jobs.list_running(session):
            silence.hear({}, time.monotonic())
            return
    # Listened to with the right to write: while that is not to be had, no worker can show life either.
    with wiring.store.begin(actor=ACTOR, now=wiring.now()) as session:
        for job_id, beats in silence.hear(jobs.list_running(session), time.monotonic()).items():
            if jobs.fail_silent(session, job_id, beats=beats, now=wiring.now()):
                _LOG.warning("given_up", job=job_id)


def run_next(wiring: Wiring, *, stopping: Callable[[], bool] = lambda: False) -> bool:
    """Take one job and carry it out in this process; return whether there was one."""
    with wiring.store.begin(actor=ACTOR, now=wiring.now(), serial=False) as session:
        job = jobs.claim(session, owner=OWNER, now=wiring.now())
    if job is None:
        return False
    run_job(wiring, job, stopping=stopping)
    return True


def _claim(wiring: Wiring, owner: str) -> int | None:
    with wiring.store.reading() as session:
        if not jobs.is_waiting(session):
            return None
    with wiring.store.begin(actor=ACTOR, now=wiring.now(), serial=False) as session:
        job = jobs.claim(session, owner=owner, now=wiring.now())
        return None if job is None else job.id


def _attend(wiring: Wiring, job_id: int, owner: str, stopping: Event, sweep: Callable[[], None]) -> None:
    """Let a child carry out a job; end it when the job is cancelled or this process must stop."""
    # A program of its own: OR-Tools holds the interpreter lock for a whole solve, only a kill ends it.
    command = [sys.executable, "-m", "dashboard.child", str(job_id), owner, str(os.getpid())]
    child = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - own code
    try:
        _watch(wiring, child, job_id, owner, stopping, sweep)
    finally:
        child.kill()
        ended = child.wait()
        if child.stdin is not None:
            child.stdin.close()
    code, fields = ("interrupted", {}) if stopping.is_set() else ("child_died", {"exit": ended})

    def write(session: Any, at: Any) -> None:
        running = jobs.list_running(session)
        if running.get(job_id, ("", 0))[0] == owner:
            jobs.fail(session, job_id, code=code, fields=fields, trace=None, now=at)

    tell(wiring, write, patience_s=WAIT_S if stopping.is_set() else LEASE_S)


def _watch(
    wiring: Wiring,
    child: subprocess.Popen[bytes],
    job_id: int,
    owner: str,
    stopping: Event,
    sweep: Callable[[], None],
) -> None:
    """Return when the child has ended or has to."""
    beaten_s, lost_s = time.monotonic(), None
    while child.poll() is None and not stopping.wait(POLL_S):
        now_s = time.monotonic()
        if lost_s is not None and now_s - lost_s >= GRACE_S:
            return
        if now_s - beaten_s < BEAT_S / 2:
            continue
        beaten_s = now_s
        try:
            with wiring.store.begin(actor=ACTOR, now=wiring.now(), serial=False) as session:
                alive = jobs.beat(session, job_id, owner=owner, now=wiring.now())
            lost_s = None if alive else lost_s or now_s
            sweep()
        except StoreError as error:
            _LOG.warning("no_beat", error=error.code)


def main() -> None:
    """Run the worker program until standard input closes, which it does when the server is gone."""
    # Ctrl-C in a terminal reaches both processes; the server decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings = Settings.from_environment()
    configure(settings.log_level)
    stopping = Event()

    def watch() -> None:
        while os.read(0, 1024):
            pass
        stopping.set()

    def show_life() -> None:
        # Nobody may read it: then this process is about to end as well.
        if not stopping.is_set():
            os.write(1, b".")

    Thread(target=watch, daemon=True).start()
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    parts = assemble(settings)
    wiring = replace(parts, store=Store(settings.database, wait_s=WAIT_S))
    try:
        run(wiring, stopping, owner=sys.argv[1], beat=show_life)
    finally:
        wiring.close()
        parts.close()


if __name__ == "__main__":
    main()
