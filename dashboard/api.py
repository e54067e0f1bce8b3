"""HTTP routes beside the pages: layers for the maps, the base map and health."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from dashboard import cases, gridareas, layers, reads
from dashboard import wiring as wired
from dashboard.access.faults import refuse
from dashboard.access.limits import Lane, Shared
from dashboard.access.presence import acting
from dashboard.anchors import broken_link
from dashboard.auth import permitted, sees_whole_district
from dashboard.exports import plan_bytes
from dashboard.headers import language_of
from dashboard.logs import get_logger
from dashboard.parts.cache import Shelf, counter
from dashboard.periods import FIRST_DAY, QueryError, bounded
from dashboard.supervisor import is_worker_down
from dashboard.wiring import Wiring
from data import audit
from data.accounts import Identity, Permission
from data.errors import AccountError, DataError, StoreError
from data.terms import Language
from geo.errors import GeoError
from planner.errors import PlannerError

MOST_RADIUS_M = 5000
# Layers as they are sent: sixty people who look at the same map are answered from one.
_BODIES = Shelf(most=48)
_HEALTH = Shared()
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LOG = get_logger("api")
Layer = dict[str, Any]
Draw = Callable[[Wiring, Identity, Language, Mapping[str, str]], Layer]


def period(query: Mapping[str, str], *, today: dt.date, days: int = 90) -> tuple[dt.date, dt.date]:
    """Return the `from` and `to` dates of a query, by default the last `days` days.

    Raises
    ------
    QueryError
        `bad_date` when either is no ISO date or they are reversed, and as `periods.bounded`.
    """
    last = _day(query["to"]) if "to" in query else today
    first = _day(query["from"]) if "from" in query else max(last, FIRST_DAY) - dt.timedelta(days=days)
    return bounded(first, last, today=today)


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise QueryError("bad_date") from error


def _institutions(wiring: Wiring, identity: Identity, language: Language, query: Mapping[str, str]) -> Layer:
    first, last = period(query, today=wiring.today())
    kinds = {kind for kind in query.get("kind", "").split(",") if kind}
    owed = reads.debts(wiring, first=first, last=last)
    return layers.institutions(reads.institutions(wiring, identity), owed, language=language, kinds=kinds)


def _grids(wiring: Wiring, identity: Identity, language: Language, query: Mapping[str, str]) -> Layer:
    return layers.grids(reads.grids(wiring))


def _schools(wiring: Wiring, identity: Identity, language: Language, query: Mapping[str, str]) -> Layer:
    return layers.schools(reads.schools(wiring), language=language)


def _coverage(wiring: Wiring, identity: Identity, language: Language, query: Mapping[str, str]) -> Layer:
    first, last = period(query, today=wiring.today())
    kind = query.get("kind") or None
    areas = reads.coverage(wiring, identity, first=first, last=last, kind=kind)
    return layers.coverage(areas, language=language)


def _hotspots(wiring: Wiring, identity: Identity, language: Language, query: Mapping[str, str]) -> Layer:
    _require_whole(identity)
    first, last = period(query, today=wiring.today(), days=365)
    radius = min(int(query["radius"]), MOST_RADIUS_M) if _is_number(query.get("radius", "")) else 500
    rates, schools = reads.hotspots(wiring, first=first, last=last)
    return layers.hotspots(rates, schools, radius_m=radius, language=language)


def _is_number(text: str) -> bool:
    return 0 < len(text) <= 5 and text.isascii() and text.isdecimal()


def _plan_routes(wiring: Wiring, identity: Identity, language: Language, query: Mapping[str, str]) -> Layer:
    view = reads.plan(wiring, query["code"])
    wanted = query.get("slot", "")
    shifts = [s for s in view.shifts if not wanted or f"{s.date.isoformat()}_{s.slot_kind.value}" == wanted]
    return layers.routes(shifts, depot=reads.depot(wiring), language=language)


def _own_routes(wiring: Wiring, identity: Identity, language: Language, query: Mapping[str, str]) -> Layer:
    day = _day(query.get("day", str(wiring.today())))
    own = () if identity.officer_id is None else reads.shifts(wiring, day=day, officer_id=identity.officer_id)
    return layers.routes(own, depot=reads.depot(wiring), language=language)


def _colocation(wiring: Wiring, identity: Identity, language: Language, query: Mapping[str, str]) -> Layer:
    _require_whole(identity)
    chosen = cases.select(cases.read(wiring), level=query.get("level"), state=query.get("state"))
    return cases.layer(chosen, language=language)


def _topology(wiring: Wiring, identity: Identity, language: Language, query: Mapping[str, str]) -> Layer:
    _require_whole(identity)
    return gridareas.issue_layer(gridareas.survey(wiring), kind=query.get("kind"), language=language)


def _patrol_areas(wiring: Wiring, identity: Identity, language: Language, query: Mapping[str, str]) -> Layer:
    _require_whole(identity)
    return gridareas.patrol_layer(*gridareas.patrol_areas(wiring), language=language)


def _require_whole(identity: Identity) -> None:
    if not sees_whole_district(identity):
        raise AccountError("forbidden")


def _layer(permission: Permission, draw: Draw) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        language = language_of(request.scope)
        try:
            identity = permitted(request, permission)
            lane: Lane = request.state.lanes.layers
            return await lane.run(
                identity.user_id, lambda: _draw(request, identity, language, draw), request=request
            )
        except AccountError as error:
            return refuse(error.code, error.fields, language, 403)
        except StoreError:
            raise
        except (DataError, GeoError, PlannerError) as error:
            status = 404 if error.code.startswith("unknown_") else 400
            return refuse(error.code, error.fields, language, status)

    return answer


def _draw(request: Request, identity: Identity, language: Language, draw: Draw) -> Response:
    wiring = wired.current()
    query = {**request.query_params, **request.path_params}
    facts: list[object] = [
        counter(wiring),
        str(wiring.today()),
        language,
        identity.role.value,
        identity.officer_id,
    ]
    facts += [identity.scope_subdistrict, identity.scope_grid_code, request.url.path, sorted(query.items())]
    mark = hashlib.sha256(json.dumps([str(wiring.store.url), *facts]).encode()).hexdigest()[:24]
    headers = {"ETag": f'"{mark}"', "Cache-Control": "private, no-cache", "Vary": "Cookie"}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)

    def make() -> bytes:
        layer = draw(wiring, identity, language, query)
        return json.dumps(layer, ensure_ascii=False, separators=(",", ":")).encode()

    return Response(_BODIES.get((mark,), make), media_type="application/geo+json", headers=headers)


async def plan_workbook(request: Request) -> Response:
    """Send a plan as a workbook; who took it is in the audit log."""
    language, wiring, code = language_of(request.scope), wired.current(), request.path_params["code"]
    try:
        identity = permitted(request, Permission.READ_ROSTER)
        body = await request.state.lanes.layers.run(
            identity.user_id, lambda: _workbook(wiring, identity, code), request=request
        )
    except AccountError as error:
        return refuse(error.code, error.fields, language, 403)
    except PlannerError as error:
        return refuse(error.code, error.fields, language, 404)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(code)}.xlsx"}
    return Response(body, media_type=WORKBOOK, headers=headers)


def _workbook(wiring: Wiring, identity: Identity, code: str) -> bytes:
    body = plan_bytes(reads.plan(wiring, code), "xlsx")
    with acting(wiring, identity, Permission.READ_ROSTER) as writing:
        audit.append(
            writing.session,
            action="export",
            entity="plan_revision",
            entity_key=code,
            after={"format": "xlsx"},
        )
    return body


async def basemap(request: Request) -> Response:
    """Serve the base map file; the browser asks for ranges of it."""
    file = wired.current().settings.basemap
    if not file.is_file():
        return refuse("no_basemap", {}, language_of(request.scope), 404)
    headers = {"Cache-Control": "private, max-age=3600"}
    return FileResponse(file, media_type="application/vnd.pmtiles", headers=headers)


async def health(request: Request) -> Response:
    """Say whether the server, its database and its worker answer; in trouble, which does not."""
    trouble = await _HEALTH.run(lambda: _trouble(wired.current()))
    body: dict[str, object] = {"status": "failing", **trouble} if trouble else {"status": "ok"}
    if (broken := broken_link()) is not None:
        # A broken log is for the administrator to look into; the office works on.
        body["audit_broken_at"] = broken
    return JSONResponse(body, status_code=503 if trouble else 200)


def _trouble(wiring: Wiring) -> dict[str, str]:
    found = {"worker": "down"} if is_worker_down() else {}
    try:
        with wiring.store.reading() as session:
            session.execute(text("SELECT 1"))
        wiring.store.require_current()
        wiring.store.demand_writable(now=wiring.now())
    except DataError as error:
        _LOG.error("unhealthy", error=error.code)
        found["database"] = error.code
    return found


def routes() -> list[Route]:
    """Return the routes with the permission each asks for."""
    p = Permission
    return [
        Route("/api/institutions.geojson", _layer(p.READ_REGISTER, _institutions)),
        Route("/api/grids.geojson", _layer(p.READ_REGISTER, _grids)),
        Route("/api/schools.geojson", _layer(p.READ_REGISTER, _schools)),
        Route("/api/coverage.geojson", _layer(p.READ_COVERAGE, _coverage)),
        Route("/api/hotspots.geojson", _layer(p.READ_COVERAGE, _hotspots)),
        Route("/api/colocation.geojson", _layer(p.READ_REGISTER, _colocation)),
        Route("/api/topology.geojson", _layer(p.READ_REGISTER, _topology)),
        Route("/api/patrol-areas.geojson", _layer(p.READ_REGISTER, _patrol_areas)),
        Route("/api/plan/{code}/routes.geojson", _layer(p.READ_ROSTER, _plan_routes)),
        Route("/api/plan/{code}.xlsx", plan_workbook),
        Route("/api/my/routes.geojson", _layer(p.READ_OWN_ROUTE, _own_routes)),
        Route("/basemap.pmtiles", basemap),
        Route("/healthz", health),
    ]
