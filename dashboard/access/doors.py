"""Every way into the server, and who may use it; what is not in this table does not exist."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from data.accounts import Permission


class Anybody(StrEnum):
    """Who may use a door that asks for no permission."""

    STRANGERS = "strangers"  # no log-in needed
    CHANGING = "changing"  # logged in, even who must choose a new password first
    PEOPLE = "people"  # logged in, whatever the role


@dataclass(frozen=True)
class Door:
    """One way in.

    Parameters
    ----------
    path
        A ``{x}`` stands for one part of a path, a ``*`` at the end for anything.
    methods
        HTTP methods, or ``WEBSOCKET``; HEAD goes where GET goes.
    who
        A permission, or one of `Anybody`.
    what
        What it is for, in the reference.
    """

    path: str
    methods: tuple[str, ...]
    who: Permission | Anybody
    what: str

    @property
    def pattern(self) -> re.Pattern[str]:
        """The path as an expression."""
        parts = re.split(r"(\{\w+\}|\*$)", self.path)
        return re.compile(
            "".join("[^/]+" if p.startswith("{") else ".*" if p == "*" else re.escape(p) for p in parts)
        )


_GET, _POST = ("GET",), ("POST",)
_P, _A = Permission, Anybody

# The pages of the framework: one shell, whose script draws or refuses by permission (dashboard.app).
PAGES = (
    "roster",
    "route",
    "coverage",
    "locations",
    "hotspots",
    "colocation",
    "grids",
    "evidence",
    "accounts",
)

DOORS: tuple[Door, ...] = (
    Door("/healthz", _GET, _A.STRANGERS, "whether server, database and worker answer"),
    Door("/login", ("GET", "POST"), _A.STRANGERS, "log in"),
    Door("/assets/*", _GET, _A.STRANGERS, "own styles and scripts"),
    Door("/vendor/*", _GET, _A.STRANGERS, "vendored front-end files"),
    Door("/favicon.png", _GET, _A.STRANGERS, "icon"),
    Door("/favicon.ico", _GET, _A.STRANGERS, "icon"),
    Door("/m/manifest.webmanifest", _GET, _A.STRANGERS, "the phone page as an app"),
    Door("/m/sw.js", _GET, _A.STRANGERS, "the phone page without signal"),
    Door("/logout", _POST, _A.CHANGING, "log out"),
    Door("/password", ("GET", "POST"), _A.CHANGING, "choose a new password"),
    Door("/", _GET, _A.PEOPLE, "the pages' shell"),
    Door("/overview", _GET, _A.PEOPLE, "leads to /, where the first page lies"),
    *(Door(f"/{page}", _GET, _A.PEOPLE, "the pages' shell") for page in PAGES),
    Door("/static/*", _GET, _A.PEOPLE, "the framework's files"),
    Door("/component/streamlit_folium.st_folium/*", _GET, _A.PEOPLE, "the map's frame"),
    Door("/_stcore/health", _GET, _A.PEOPLE, "the framework asks whether it may connect"),
    Door("/_stcore/host-config", _GET, _A.PEOPLE, "the framework's own settings"),
    Door("/_stcore/stream", ("WEBSOCKET",), _A.PEOPLE, "the pages' live connection"),
    Door("/m/today", _GET, _P.READ_OWN_ROUTE, "today's route on a phone"),
    Door("/basemap.pmtiles", _GET, _P.READ_REGISTER, "the base map"),
    Door("/api/institutions.geojson", _GET, _P.READ_REGISTER, "institutions within scope"),
    Door("/api/grids.geojson", _GET, _P.READ_REGISTER, "grid areas"),
    Door("/api/schools.geojson", _GET, _P.READ_REGISTER, "schools"),
    Door("/api/coverage.geojson", _GET, _P.READ_COVERAGE, "coverage by grid area within scope"),
    Door("/api/hotspots.geojson", _GET, _P.READ_COVERAGE, "rates near schools; whole district only"),
    Door("/api/colocation.geojson", _GET, _P.READ_REGISTER, "shared addresses; whole district only"),
    Door("/api/topology.geojson", _GET, _P.READ_REGISTER, "faults of the grid layer; whole district only"),
    Door("/api/patrol-areas.geojson", _GET, _P.READ_REGISTER, "patrol areas; whole district only"),
    Door("/api/plan/{code}/routes.geojson", _GET, _P.READ_ROSTER, "routes of a plan"),
    Door("/api/plan/{code}.xlsx", _GET, _P.READ_ROSTER, "a plan as a workbook; logged as an export"),
    Door("/api/my/routes.geojson", _GET, _P.READ_OWN_ROUTE, "the own routes of a day"),
)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Door], ...]:
    return tuple((door.pattern, door) for door in DOORS)


def find_door(path: str, method: str) -> Door | None:
    """Return the door a request comes to, None when there is none."""
    asked = "GET" if method == "HEAD" else method
    return next(
        (door for pattern, door in _patterns() if asked in door.methods and pattern.fullmatch(path)), None
    )
