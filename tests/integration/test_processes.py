"""The processes of a job: whoever is killed, nothing runs on for nobody, and the job is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from dashboard import worker
from dashboard.settings import Settings
from dashboard.supervisor import Supervisor
from dashboard.wiring import Wiring
from data import jobs
from data.schema import Job
from data.store import Store
from data.terms import JobStatus
from geo.travel import straight_line
from planner.itinerary import list_plans
from tests.conftest import NOW, TODAY
from tests.register import add_district

LONG = {"from": "2026-11-23", "to": "2026-11-25", "teams": 2, "limit_s": 120.0}
SHORT = {"from": "2026-11-23", "to": "2026-11-23", "teams": 2, "iterations": 20}


def settings_of(store: Store, folder: Path) -> Settings:
    """Return the settings of a server on this register."""
    database = store.url.render_as_string(hide_password=False)
    return Settings(database=database, var=folder, today=TODAY)


def ask(store: Store, parameters: dict[str, Any]) -> int:
    """Queue a plan."""
    with store.begin(actor="lead", now=NOW) as session:
        return jobs.enqueue(session, kind="plan", parameters=parameters, created_by="lead", now=NOW)


def read(store: Store, key: int) -> Job:
    """Read a job."""
    with store.reading() as session:
        return jobs.get(session, key)


def wait(holds: Callable[[], bool], limit_s: float = 40.0) -> bool:
    """Wait until something holds; return whether it did."""
    until = time.monotonic() + limit_s
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def runs(pid: int) -> bool:
    """Tell whether a process is alive; one that ended but was not waited for is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children(pid: int) -> list[int]:
    """Return the processes started by one."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            found += [int(entry.name)] if parent == pid else []
    return found


def solving(store: Store, key: int) -> bool:
    """Tell whether the solver is at work on a job."""
    return read(store, key).status is JobStatus.RUNNING and read(store, key).stage == "solving"


@pytest.fixture
def filled(store: Store) -> Store:
    """Return a register with twelve institutions and six officers."""
    with store.begin(actor="t", now=NOW) as session:
        add_district(session, 12)
    return store


@pytest.fixture
def keeper(filled: Store, tmp_path: Path) -> Iterator[Supervisor]:
    """Yield a kept worker on the register."""
    running = Supervisor(settings_of(filled, tmp_path), first_pause_s=0.1)
    yield running
    running.stop()
    assert running.process is None or running.process.poll() is not None


def test_a_killed_worker_takes_its_solver_along_and_is_started_again(
    filled: Store, keeper: Supervisor
) -> None:
    """The solver ends, the job is told at once, a new worker takes the next one; cancel ends it."""
    key = ask(filled, LONG)
    assert wait(lambda: keeper.process is not None and children(keeper.process.pid) != [])
    assert keeper.process is not None
    first = keeper.process
    solver = children(first.pid)
    first.kill()
    assert wait(lambda: not runs(solver[0]), 5.0)
    assert wait(lambda: read(filled, key).status is JobStatus.FAILED, 5.0)
    assert read(filled, key).error_code == "interrupted"
    again = ask(filled, LONG)
    assert wait(lambda: keeper.process is not first and children(keeper.process.pid) != [])  # type: ignore[union-attr]
    with filled.begin(actor="lead", now=NOW) as session:
        jobs.request_cancel(session, again)
    assert wait(lambda: children(keeper.process.pid) == [], 10.0)  # type: ignore[union-attr]
    assert read(filled, again).status is JobStatus.CANCELLED
    done = ask(filled, SHORT)
    assert wait(lambda: read(filled, done).status is JobStatus.DONE)
    with filled.reading() as session:
        assert len(list_plans(session)) == 1


def test_a_killed_server_leaves_nobody_behind(filled: Store, tmp_path: Path) -> None:
    """Worker and solver end within seconds, and the job is told that it was interrupted, not cancelled."""
    key = ask(filled, LONG)
    program = (
        "import time\n"
        "from dashboard.settings import Settings\n"
        "from dashboard.supervisor import start\n"
        "start(Settings.from_environment())\n"
        "time.sleep(600)\n"
    )
    environment = {**os.environ, **settings_of(filled, tmp_path).as_environment()}
    server = subprocess.Popen([sys.executable, "-c", program], env=environment)
    try:
        assert wait(lambda: solving(filled, key))
        workers = children(server.pid)
        solvers = [pid for worker in workers for pid in children(worker)]
        assert len(workers) == len(solvers) == 1
    finally:
        server.kill()
        server.wait()
    assert wait(lambda: not any(map(runs, workers + solvers)), 5.0)
    assert (read(filled, key).status, read(filled, key).error_code) == (JobStatus.FAILED, "interrupted")


def test_a_solver_that_holds_the_interpreter_ends_with_its_parent() -> None:
    """A thread that watches the parent would be silent; the kernel is not."""
    child = (
        "import ctypes, sys\n"
        "from dashboard.child import tie_to_parent\n"
        "tie_to_parent(int(sys.argv[1]))\n"
        "print('tied', flush=True)\n"
        "ctypes.PyDLL(None).sleep(60)\n"
    )
    program = (
        "import os, subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}, str(os.getpid())],"
        " stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert runs(pid)
        parent.send_signal(signal.SIGKILL)
    assert wait(lambda: not runs(pid), 5.0)


def test_a_worker_that_cannot_live_is_down_and_tried_more_and_more_rarely(
    filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The health route is told after the grace."""
    monkeypatch.setattr("dashboard.supervisor.GRACE_S", 0.5)
    starts = tmp_path / "starts"
    program = f"open({str(starts)!r}, 'a').write('x')"
    dying = Supervisor(
        settings_of(filled, tmp_path), command=[sys.executable, "-c", program], first_pause_s=0.2
    )
    try:
        assert wait(lambda: dying.is_down, 10.0)
        assert wait(lambda: starts.exists() and len(starts.read_text()) >= 2, 10.0)
    finally:
        dying.stop()


def test_another_servers_job_is_left_alone_while_it_beats(both_worker: Store) -> None:
    """Given up on after the lease and not before, by this process's own clock."""
    store = both_worker
    with store.begin(actor="lead", now=NOW) as session:
        keys = [
            jobs.enqueue(session, kind="tea", parameters={"plan": name}, created_by="lead", now=NOW)
            for name in ("lives", "dead")
        ]
        for _ in keys:
            jobs.claim(session, owner="other", now=NOW)
    silence = worker.Silence(lease_s=4.0)
    wiring = Wiring(settings=Settings(database="sqlite://"), store=store, travel=straight_line("ebike"))
    for second in range(12):
        with store.begin(actor="other", now=NOW) as session:
            jobs.beat(session, keys[0], owner="other", now=NOW)
        with store.reading() as session:
            silent = silence.hear(jobs.list_running(session), float(second))
        assert (keys[1] in silent) == (second >= 4) and keys[0] not in silent
    # A gap in our own listening is nobody's silence.
    gap = worker.Silence(lease_s=6.0)
    assert gap.hear({1: ("other", 1)}, 0.0) == {} == gap.hear({1: ("other", 1)}, 900.0)
    impatient = worker.Silence(lease_s=0.0)
    worker.give_up_silent(wiring, impatient)
    assert [read(store, key).error_code for key in keys] == ["interrupted", "interrupted"]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def both_worker(request: pytest.FixtureRequest) -> Store:
    """Return an empty register, once on each database."""
    chosen: Store = request.getfixturevalue("store" if request.param == "sqlite" else "postgres_store")
    return chosen


def test_a_worker_outlives_a_register_that_is_locked_or_not_yet_made(tmp_path: Path) -> None:
    """It waits for the file, then for the lock, and then takes the job."""
    path = tmp_path / "late.db"
    early = Store(f"sqlite:///{path}", wait_s=0.1)
    wiring = Wiring(settings=Settings(database="sqlite://"), store=early, travel=straight_line("ebike"))
    stopping, turns = Event(), []
    running = Thread(
        target=worker.run, args=(wiring, stopping), kwargs={"owner": "w", "beat": lambda: turns.append(1)}
    )
    running.start()
    try:
        assert wait(lambda: len(turns) >= 2)
        late = Store(f"sqlite:///{path}")
        late.upgrade()
        with late.begin(actor="lead", now=NOW) as session:
            jobs.enqueue(session, kind="plan", parameters=SHORT, created_by="lead", now=NOW)
            session.flush()
            seen = len(turns)
            assert wait(lambda: len(turns) >= seen + 2)
        assert running.is_alive()
        assert wait(lambda: late_status(late) is not JobStatus.QUEUED)
    finally:
        stopping.set()
        running.join()
        early.close()
        late.close()


def late_status(store: Store) -> JobStatus:
    """Return the state of the first job."""
    return read(store, 1).status
