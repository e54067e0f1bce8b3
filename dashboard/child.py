"""The process of one job: it is tied to its worker's life before anything heavy is loaded."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from threading import Thread

_PR_SET_PDEATHSIG = 1


def tie_to_parent(parent: int) -> None:
    """End this process when its parent is gone, even while a solver holds the interpreter lock.

    Parameters
    ----------
    parent
        Process id of the parent, which may be gone already.
    """
    if sys.platform == "linux":
        # The kernel kills, so no thread of ours need be awake: prctl(2).
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # The parent may have gone before that word was given.
    if os.getppid() != parent:
        os._exit(1)
    Thread(target=_end_with_input, daemon=True).start()


def _end_with_input() -> None:
    """End when standard input closes, which it does when the parent is gone: the way of other systems."""
    # Not through sys.stdin, whose lock the interpreter wants back when it ends by itself.
    while os.read(0, 1024):
        pass
    os._exit(1)


def main() -> None:
    """Carry out the job of the command line: its id, the worker that took it, and that one's process id."""
    # Ctrl-C in a terminal reaches every process; the worker decides when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    job_id, owner, parent = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    tie_to_parent(parent)

    from dashboard.logs import configure
    from dashboard.settings import Settings
    from dashboard.steps import run_job
    from dashboard.wiring import assemble
    from data import jobs

    settings = Settings.from_environment()
    configure(settings.log_level)
    wiring = assemble(settings)
    try:
        with wiring.store.reading() as session:
            job = jobs.get(session, job_id)
        if job.owner == owner:
            run_job(wiring, job)
    finally:
        wiring.close()


if __name__ == "__main__":
    main()
