"""Takes the documentation's pictures of the demo district: `python -m tests.browser.screenshots`.

A program, not a test: pixels differ from machine to machine.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import select

from data.schema import User
from data.store import Store
from planner.inforce import next_shift_date
from tests.browser.conftest import FLAGS, ROOT, Watched, chromium, serve, watch

START = dt.date(2026, 9, 16)
LEAD, PASSWORD = "zuzhang", "yunhe-demo-2026"
SHOTS = ROOT / "docs" / "screenshots"


def shoot(page: Any, name: str) -> None:
    """Keep a picture once the map's tiles have come to rest."""
    page.mouse.move(0, 0)
    page.wait_for_timeout(2500)
    page.screenshot(path=SHOTS / f"{name}.png")
    print(name, (SHOTS / f"{name}.png").stat().st_size)


def build_demo(folder: Path, preset: str) -> None:
    """Build the demo district in `folder`."""
    command = "from dashboard.cli import main; main()"
    arguments = [
        "demo",
        "--preset",
        preset,
        "--today",
        START.isoformat(),
        "--no-serve",
    ]
    environment = {**os.environ, "GRIDPATROL_VAR": str(folder), "PYTHONPATH": str(ROOT)}
    environment.pop("GRIDPATROL_DATABASE", None)
    subprocess.run([sys.executable, "-c", command, *arguments], env=environment, cwd=folder, check=True)


def working_day(folder: Path) -> dt.date:
    """Return the lead's first day with a shift, so that every page has something to show."""
    store = Store(f"sqlite:///{folder / 'gridpatrol.db'}")
    with store.reading() as session:
        officer = session.scalars(select(User.officer_id).where(User.username == LEAD)).one()
        day = next_shift_date(session, after=START - dt.timedelta(days=1), officer_id=officer)
    store.close()
    if day is None:
        raise SystemExit(f"{LEAD} has no shift in the demo plan")
    return day


def walk(watched: Watched) -> None:
    """Take the pictures of a team lead's walk."""
    page = watched.page
    page.goto(f"{watched.url}/login")
    shoot(page, "login")
    watched.log_in(LEAD, PASSWORD)
    for path, name in (
        ("/", "overview"),
        ("/coverage", "coverage"),
        ("/hotspots", "hotspots"),
        ("/route", "route"),
        ("/roster", "roster"),
        ("/locations", "locations"),
        ("/colocation", "colocation"),
        ("/grids", "grids"),
        ("/coverage?lang=en", "coverage-en"),
    ):
        watched.open(path)
        watched.map_frame()
        shoot(page, name)
    watched.open("/roster?lang=zh")
    page.get_by_text("生成新方案").click()
    page.get_by_role("button", name="生成方案").click()
    page.get_by_text("正在生成方案").wait_for()
    page.screenshot(path=SHOTS / "roster-generating.png")


def main(preset: str = "district") -> None:
    """Build, serve, walk."""
    from playwright.sync_api import sync_playwright

    SHOTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as driver:
        folder = Path(name)
        build_demo(folder, preset)
        server = serve(folder, today=working_day(folder))
        browser = driver.chromium.launch(executable_path=chromium(), args=FLAGS)
        try:
            context, watched = watch(browser, server.url, viewport={"width": 1440, "height": 900})
            walk(watched)
            context.close()
            context, phone = watch(
                browser, server.url, viewport={"width": 390, "height": 844}, is_mobile=True
            )
            phone.log_in(LEAD, PASSWORD)
            phone.page.goto(f"{server.url}/m/today")
            shoot(phone.page, "phone-today")
            context.close()
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
