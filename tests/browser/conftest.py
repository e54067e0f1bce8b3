"""A real server on a free port, a real Chromium, and no way out of the machine."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests import small_district as small

ROOT = Path(__file__).resolve().parents[2]
# No name but our own is known: what asks for elsewhere fails in Chromium itself. Playwright's routing would
# switch the cache off, and every page would fetch and compile Streamlit's scripts anew.
NOWHERE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--force-color-profile=srgb", NOWHERE]
DESK = {"width": 1440, "height": 900}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
START_S, QUIET_MS = 60, 20_000
SHOTS = Path(os.environ.get("GRIDPATROL_SCREENSHOTS") or ROOT / "var" / "screenshots")


def chromium() -> str:
    """Return Chromium's path; skip without one, but never where everything must be checked."""
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))),
        None,
    )
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI has no Chromium: run `make browser`")
        pytest.skip("no Chromium on this machine: run `make browser`")
    return found


@dataclass
class Server:
    """A running server."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """End the server."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(folder: Path) -> Server:
    """Build the small register in `folder` and serve it."""
    small.build(folder / "gridpatrol.db")
    build_basemap(folder / "basemap.pmtiles")
    return serve(folder, today=small.TODAY)


def serve(folder: Path, *, today: dt.date) -> Server:
    """Serve the register in `folder` as of `today` on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "GRIDPATROL_VAR": str(folder),
        "GRIDPATROL_TODAY": today.isoformat(),
        "GRIDPATROL_PORT": str(port),
        "PYTHONPATH": str(ROOT),
    }
    environment.pop("GRIDPATROL_DATABASE", None)
    code = "from dashboard import server, settings; server.serve(settings.Settings.from_environment())"
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", code], env=environment, cwd=folder, stdout=log, stderr=log
        )
    made = Server(f"http://127.0.0.1:{port}", folder, process)
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"{made.url}/healthz", timeout=2).close()
            return made
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    made.stop()
    pytest.fail("the server did not start:\n" + (folder / "server.log").read_text(errors="replace")[-2000:])


def build_basemap(path: Path) -> None:
    """Write a base map of the small district."""
    import geopandas as gpd
    from shapely.geometry import LineString, box

    from geo.basemap.build import build_basemap as build

    west, south, cell = small.WEST, small.SOUTH, small.CELL
    district = box(west, south, west + 3 * cell, south + 2 * cell)
    lines = [LineString([(west + cell * i, south), (west + cell * i, south + 2 * cell)]) for i in range(4)]
    lines += [LineString([(west, south + cell * j), (west + 3 * cell, south + cell * j)]) for j in range(3)]
    roads = {"class": ["main" if i % 2 else "minor" for i in range(len(lines))]}
    build(
        {
            "blocks": gpd.GeoDataFrame({"name": [""]}, geometry=[district], crs=4326),
            "roads": gpd.GeoDataFrame(roads, geometry=lines, crs=4326),
            "district": gpd.GeoDataFrame({"name": [""]}, geometry=[district], crs=4326),
        },
        path,
        min_zoom=11,
        max_zoom=14,
    )


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server all tests of this session share."""
    chromium()
    made = start(tmp_path_factory.mktemp("server"))
    yield made
    made.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    path = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield made
        made.close()


@dataclass
class Watched:
    """A page whose foreign requests, policy reports, script errors and missing files are kept."""

    page: Any
    url: str
    foreign: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def log_in(self, username: str = "lead", password: str = small.PASSWORD, *, then: str = "/") -> None:
        """Log in by the form, on the way to a page."""
        self.page.goto(f"{self.url}/login?next={quote(then, safe='')}")
        self.page.fill("#username", username)
        self.page.fill("#password", password)
        self.page.click("button[type=submit]")
        self.page.wait_for_url(lambda url: "/login" not in url)

    def open(self, path: str) -> None:
        """Open a Streamlit page and wait until it has drawn."""
        self.page.goto(self.url + path)
        self.drawn()

    def drawn(self) -> None:
        """Wait until a Streamlit page has drawn."""
        self.page.wait_for_selector(".gp-title")
        self.settle()

    def widen(self, width: int) -> None:
        """Give the open page another width and wait until it is laid out anew."""
        self.page.set_viewport_size({"width": width, "height": 844})
        self.page.wait_for_function("width => innerWidth === width", arg=width)
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.settle()

    def excess(self) -> int:
        """Return how far the page could be scrolled sideways, in pixels."""
        found: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return found

    def faults(self) -> tuple[list[str], ...]:
        """Return all that was kept; nothing of it may be."""
        return self.foreign, self.reports, self.errors, self.missing

    def begin(self) -> None:
        """Leave what an earlier test looked at and forget what was kept of it."""
        self.page.goto("about:blank")
        self.page.set_viewport_size(DESK)
        for kept in self.faults():
            kept.clear()

    def settle(self) -> None:
        """Wait until Streamlit's script has come to rest."""
        self.page.wait_for_function(
            "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
        )

    def keep(self, name: str) -> None:
        """Keep a picture of the page for people to look at."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")

    def map_frame(self) -> Any:
        """Return the map's frame once its layers are drawn."""
        self.page.wait_for_selector("iframe[title*=folium]")
        frame = self.page.frame_locator("iframe[title*=folium]")
        frame.locator(".gm-legend").wait_for()
        handle = self.page.query_selector("iframe[title*=folium]").content_frame()
        handle.wait_for_function("() => window.gridmap && gridmap.state.loaded + gridmap.state.failed > 0")
        return handle


def serious_faults(*places: Any) -> list[str]:
    """Return the serious accessibility faults of pages or frames, each with the first element it meets."""
    from axe_playwright_python.sync_playwright import Axe

    return [
        f"{fault['id']} {fault['nodes'][0]['html'][:200]}"
        for place in places
        for fault in Axe().run(place).response["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


def watch(browser: Any, url: str, **options: Any) -> tuple[Any, Watched]:
    """Return a fresh context and its page; every request to elsewhere is kept, and `FLAGS` let it fail."""
    context = browser.new_context(locale="zh-CN", **options)
    context.set_default_timeout(QUIET_MS)
    watched = Watched(context.new_page(), url)

    def look_where(request: Any) -> None:
        if not request.url.startswith((f"{url}/", "data:", "blob:", "about:")):
            watched.foreign.append(request.url)

    def note(message: Any) -> None:
        if "Content Security Policy" in message.text:
            watched.reports.append(message.text)

    def look(response: Any) -> None:
        if response.status == 404:
            watched.missing.append(response.url)

    context.on("request", look_where)
    watched.page.on("response", look)
    watched.page.on("console", note)
    watched.page.on("pageerror", lambda error: watched.errors.append(str(error)))
    return context, watched


def reading(browser: Any, made: Server) -> Iterator[Watched]:
    """Yield a desk-sized page of the team lead, logged in once, for all tests that only read."""
    context, watched = watch(browser, made.url, viewport=DESK)
    watched.log_in(then="/m/today")
    yield watched
    context.close()


def checked(watched: Watched) -> Iterator[Watched]:
    """Yield a page; whatever it kept during the test fails it."""
    watched.begin()
    yield watched
    assert watched.faults() == ([], [], [], [])


@pytest.fixture(scope="session")
def lead(browser: Any, server: Server) -> Iterator[Watched]:
    """The page of the team lead that the tests of this session share."""
    yield from reading(browser, server)


@pytest.fixture
def watched(lead: Watched) -> Iterator[Watched]:
    """A logged-in desk page; any foreign request, policy report, script error or missing file fails."""
    yield from checked(lead)


@pytest.fixture
def stranger(browser: Any, server: Server) -> Iterator[Watched]:
    """A fresh desk-sized page of nobody under the same watch, for what a log-in or a cookie changes."""
    context, made = watch(browser, server.url, viewport=DESK)
    yield made
    context.close()
    assert made.faults() == ([], [], [], [])


@pytest.fixture
def phone(browser: Any, server: Server) -> Iterator[Watched]:
    """A fresh phone-sized page of nobody under the same watch."""
    context, made = watch(browser, server.url, **PHONE)
    yield made
    context.close()
    assert made.faults() == ([], [], [], [])
