"""The keeper of the worker: starts it beside the server, again when it dies or falls silent."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from threading import Event, Thread

from dashboard.logs import get_logger
from dashboard.settings import Settings
from dashboard.steps import ACTOR
from dashboard.wiring import Wiring, assemble
from data import jobs
from data.errors import DataError

POLL_S = 0.2
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
# One that lived for so long was no failed start.
STEADY_S = 5.0
# How long the worker may be away before the server calls itself failing.
GRACE_S = 15.0
# A worker waits for nobody longer than seconds: one silent for a minute hangs.
SILENT_S = 60.0
_LOG = get_logger("supervisor")


class Supervisor:
    """Keeps one worker process alive until stopped.

    Parameters
    ----------
    settings
        What the worker runs with.
    command
        The worker's program without its name as owner; ours by default.
    first_pause_s
        Pause before the first new start; each failed one doubles it, up to a minute.
    """

    def __init__(
        self, settings: Settings, *, command: Sequence[str] = (), first_pause_s: float = FIRST_PAUSE_S
    ) -> None:
        self._settings = settings
        # A program of its own: multiprocessing would import the server's main module, Streamlit's.
        self._command = list(command) or [sys.executable, "-m", "dashboard.worker"]
        self._first_pause_s = first_pause_s
        self._stopping = Event()
        self._down_since: float | None = time.monotonic()
        self._heard_s = time.monotonic()
        self.process: subprocess.Popen[bytes] | None = None
        self._thread = Thread(target=self._keep, name="supervisor", daemon=True)
        self._thread.start()

    @property
    def is_down(self) -> bool:
        """Whether the worker has been away for longer than its grace."""
        since = self._down_since
        return since is not None and time.monotonic() - since > GRACE_S

    def stop(self, timeout_s: float = 5.0) -> None:
        """Ask the worker to end; end it when it does not."""
        self._stopping.set()
        self._thread.join(3 * timeout_s)

    def _keep(self) -> None:
        pause_s = self._first_pause_s
        while not self._stopping.is_set():
            owner = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(6)}"
            begun_s = time.monotonic()
            try:
                self._run(owner)
            except OSError as error:
                _LOG.error("worker_not_started", error=type(error).__name__)
            if self._down_since is None:
                self._down_since = time.monotonic()
            self._settle(owner)
            steady = time.monotonic() - begun_s >= STEADY_S
            pause_s = self._first_pause_s if steady else min(2 * pause_s, LONGEST_PAUSE_S)
            self._stopping.wait(pause_s)

    def _run(self, owner: str) -> None:
        """Start a worker and return when it has ended."""
        environment = {**os.environ, **self._settings.as_environment()}
        process = subprocess.Popen(  # noqa: S603 - own code
            [*self._command, owner], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        begun_s = self._heard_s = time.monotonic()
        self.process = process
        listener = Thread(target=self._listen, args=(process,), daemon=True)
        listener.start()
        while process.poll() is None and not self._stopping.wait(POLL_S):
            if time.monotonic() - begun_s >= STEADY_S:
                self._down_since = None
            if time.monotonic() - self._heard_s > SILENT_S:
                _LOG.error("worker_silent")
                process.kill()
        self._end(process)
        listener.join(POLL_S)
        if not self._stopping.is_set():
            _LOG.error("worker_died", exit=process.returncode)

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        """Note every sign of life."""
        assert process.stdout is not None
        with process.stdout:
            while os.read(process.stdout.fileno(), 1024):
                self._heard_s = time.monotonic()

    @staticmethod
    def _end(process: subprocess.Popen[bytes], timeout_s: float = 5.0) -> None:
        if process.stdin is not None:
            process.stdin.close()
        for end in (process.terminate, process.kill):
            try:
                process.wait(timeout_s)
                return
            except subprocess.TimeoutExpired:
                end()
        process.wait()

    def _settle(self, owner: str) -> None:
        """Tell the jobs of a worker that is gone; what cannot be told now, its lease will."""
        wiring: Wiring = assemble(self._settings)
        try:
            with wiring.store.begin(actor=ACTOR, now=wiring.now()) as session:
                jobs.fail_owned(session, owner, now=wiring.now())
        except DataError as error:
            _LOG.warning("jobs_not_told", error=error.code)
        finally:
            wiring.close()


# The health route asks for it: Streamlit's script threads and routes share the server's process.
_installed: list[Supervisor] = []


def start(settings: Settings) -> Supervisor:
    """Start the worker beside the server and keep it."""
    keeper = Supervisor(settings)
    _installed[:] = [keeper]
    return keeper


def is_worker_down() -> bool:
    """Return whether the worker of this server has been away for longer than its grace."""
    return any(keeper.is_down for keeper in _installed)


def forget() -> None:
    """Forget the worker of a server that ends."""
    _installed.clear()
