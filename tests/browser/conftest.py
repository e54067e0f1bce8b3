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

import pytest

from tests import small_district as small

ROOT = Path(__file__).resolve().parents[2]
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--force-color-profile=srgb"]
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

    def log_in(self, username: str = "lead", password: str = small.PASSWORD) -> None:
        """Log in by the form."""
        self.page.goto(f"{self.url}/login")
        self.page.fill("#username", username)
        self.page.fill("#password", password)
        self.page.click("button[type=submit]")
        self.page.wait_for_url(lambda url: "/login" not in url)

    def open(self, path: str) -> None:
        """Open a Streamlit page and wait until it has drawn."""
        self.page.goto(self.url + path)
        self.page.wait_for_selector(".gp-title")
        self.settle()

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
    """Return a fresh context and its page; every request to elsewhere is aborted and kept."""
    context = browser.new_context(locale="zh-CN", **options)
    context.set_default_timeout(QUIET_MS)
    watched = Watched(context.new_page(), url)

    def pass_or_abort(route: Any) -> None:
        address = route.request.url
        if address.startswith((url, "data:", "blob:")):
            route.continue_()
        else:
            watched.foreign.append(address)
            route.abort()

    def note(message: Any) -> None:
        if "Content Security Policy" in message.text:
            watched.reports.append(message.text)

    context.route("**/*", pass_or_abort)

    def look(response: Any) -> None:
        if response.status == 404:
            watched.missing.append(response.url)

    watched.page.on("response", look)
    watched.page.on("console", note)
    watched.page.on("pageerror", lambda error: watched.errors.append(str(error)))
    return context, watched


@pytest.fixture
def watched(browser: Any, server: Server) -> Iterator[Watched]:
    """A desk-sized page; any foreign request, policy report, script error or missing file fails the test."""
    context, made = watch(browser, server.url, viewport={"width": 1440, "height": 900})
    yield made
    context.close()
    assert (made.foreign, made.reports, made.errors, made.missing) == ([], [], [], [])


@pytest.fixture
def phone(browser: Any, server: Server) -> Iterator[Watched]:
    """A phone-sized page under the same watch."""
    context, made = watch(
        browser,
        server.url,
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        device_scale_factor=2,
    )
    yield made
    context.close()
    assert (made.foreign, made.reports, made.errors, made.missing) == ([], [], [], [])
