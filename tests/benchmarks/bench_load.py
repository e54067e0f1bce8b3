"""Sixty people at once, and sixty expensive requests given up: `python -m tests.benchmarks.bench_load`.

A real server of its own with the demo district; every person has a log-in and an address of their own (by the
trusted proxy's header). Printed: seconds p50 and p95 of each sort of request, requests a second, and the
server's memory before and after.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import httpx2

PEOPLE = 60
TODAY = dt.date(2026, 11, 23)
NOW = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
PASSWORD = "load-of-3-people-2026"
SLOW_S = 60


def build(folder: Path) -> str:
    """Build the demo district with sixty people of all roles and return the code of its plan."""
    from sqlalchemy import select

    from dashboard.district import build_demo
    from data import accounts
    from data.access.passwords import hash_password
    from data.schema import GridArea, Officer
    from data.store import Store
    from data.terms import Role

    store = Store(f"sqlite:///{folder / 'gridpatrol.db'}")
    made = build_demo(store, preset="district", seed=1, today=TODAY, now=NOW, var_dir=folder)
    hashed = hash_password(PASSWORD)
    with store.begin(actor="bench", now=NOW) as session:
        officers = list(session.scalars(select(Officer.id)))
        grids = list(session.scalars(select(GridArea.code)))
        roles = [Role.OFFICER] * 30 + [Role.GRID_WORKER] * 20 + [Role.TEAM_LEAD] * 6 + [Role.LEADER] * 4
        for number, role in enumerate(roles[:PEOPLE]):
            accounts.create_user(
                session,
                username=f"p{number}",
                display_name=f"{number}",
                role=role,
                password_hash=hashed,
                officer_id=officers[number % len(officers)] if role is Role.OFFICER else None,
                scope_grid_code=grids[number % len(grids)] if role is Role.GRID_WORKER else None,
                must_change_password=False,
            )
    store.close()
    return made.plan


def serve(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start the server and return its process and address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = "from dashboard import server, settings; server.serve(settings.Settings.from_environment())"
    told = {"VAR": str(folder), "TODAY": TODAY.isoformat(), "PORT": str(port)}
    environment = {**os.environ, **{f"GRIDPATROL_{name}": value for name, value in told.items()}}
    process = subprocess.Popen([sys.executable, "-c", code], env=environment)
    url = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{url}/healthz", timeout=2).close()
            return process, url
        except OSError:
            time.sleep(0.2)
    process.kill()
    raise RuntimeError("the server did not start")


def memory_mb(process: subprocess.Popen[bytes]) -> float:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


class Times:
    """Seconds by sort of request."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.statuses: dict[str, list[int]] = defaultdict(list)

    async def take(self, sort: str, ask: Callable[[], Awaitable[httpx2.Response]]) -> httpx2.Response:
        """Time one request."""
        begun = time.perf_counter()
        answer = await ask()
        self.seconds[sort].append(time.perf_counter() - begun)
        self.statuses[sort].append(answer.status_code)
        return answer

    def show(self, span_s: float) -> None:
        """Print the table."""
        for sort, listed in sorted(self.seconds.items()):
            ordered = sorted(listed)
            p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
            odd = sum(status >= 400 for status in self.statuses[sort])
            p50 = statistics.median(listed)
            print(f"{sort:20} n {len(listed):5}  p50 {p50:6.3f} s  p95 {p95:6.3f} s  odd {odd}")
        print(f"{sum(map(len, self.seconds.values())) / span_s:.1f} requests/s over {span_s:.0f} s")


async def log_in(url: str, number: int, times: Times) -> httpx2.AsyncClient:
    """Log a person in from an address of their own."""
    headers = {
        "origin": url,
        "accept": "text/html",
        "x-forwarded-for": f"10.1.{number // 250}.{number % 250}",
    }
    # The server drops an idle connection after 5 s: never send on one that is about to go.
    limits = httpx2.Limits(keepalive_expiry=2.0)
    client = httpx2.AsyncClient(base_url=url, headers=headers, timeout=SLOW_S, limits=limits)
    form = {"username": f"p{number}", "password": PASSWORD, "next": "/"}
    answer = await times.take("log-in", lambda: client.post("/login", data=form))
    assert answer.status_code == 303, answer.status_code
    return client


async def live(url: str, number: int, plan: str, until: float, times: Times) -> None:
    """Be one person for a while: log in, look, think, look again."""
    chance = random.Random(number)
    await asyncio.sleep(chance.uniform(0, 20))
    client = await log_in(url, number, times)
    paths = {"institutions layer": "/api/institutions.geojson"} if number >= 30 else {}
    paths |= (
        {"plan layer": f"/api/plan/{plan}/routes.geojson"} if number >= 50 else {"phone page": "/m/today"}
    )
    while time.perf_counter() < until:
        for sort, path in paths.items():
            await times.take(sort, partial(client.get, path))
        await asyncio.sleep(chance.uniform(2, 6))
        if chance.random() < 0.05:
            await client.post("/logout")
            await client.aclose()
            client = await log_in(url, number, times)
    await client.aclose()


async def give_up(url: str) -> None:
    """Send sixty different expensive requests of the least role and give each up; then ask for the rest."""
    times = Times()
    client = await log_in(url, 31, times)

    async def one(number: int) -> None:
        day = TODAY - dt.timedelta(days=number)
        path = f"/api/coverage.geojson?from={day - dt.timedelta(days=390)}&to={day}"
        try:
            await client.get(path, timeout=0.5)
        except httpx2.TimeoutException:
            return

    await asyncio.gather(*(one(number) for number in range(60)))
    other = await log_in(url, 0, times)
    for _ in range(10):
        await times.take("healthz, after", lambda: client.get("/healthz"))
        await times.take("phone, after", lambda: other.get("/m/today"))
    print("after sixty requests given up:")
    times.show(1.0)
    worst = max(max(listed) for listed in times.seconds.values())
    print(f"slowest {worst:.3f} s")


async def sixty(url: str, plan: str, seconds: float, process: subprocess.Popen[bytes]) -> None:
    """Let sixty people live for some time."""
    times, begun = Times(), time.perf_counter()
    before = memory_mb(process)
    people = [live(url, number, plan, begun + seconds, times) for number in range(PEOPLE)]
    await asyncio.gather(*people)
    print("sixty people:")
    times.show(time.perf_counter() - begun)
    print(f"memory {before:.0f} -> {memory_mb(process):.0f} MB")


def main() -> None:
    """Build, serve, load, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=66)
    parser.add_argument("--folder", type=Path, help="where the built district is kept between runs")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = asked.folder or Path(name)
        folder.mkdir(exist_ok=True)
        mark = folder / "plan.txt"
        if not mark.exists():
            mark.write_text(build(folder))
        process, url = serve(folder)
        try:
            asyncio.run(sixty(url, mark.read_text(), asked.seconds, process))
            first = memory_mb(process)
            asyncio.run(sixty(url, mark.read_text(), asked.seconds / 2, process))
            print(f"memory after the second round {memory_mb(process):.0f} MB (after the first {first:.0f})")
            asyncio.run(give_up(url))
        finally:
            process.terminate()
            process.wait(10)


if __name__ == "__main__":
    main()
