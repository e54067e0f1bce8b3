"""The ASGI door: Streamlit, routes and static files behind one gate, in one process."""

from __future__ import annotations

import asyncio
import ctypes
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
import uvicorn
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope
from streamlit import config

from dashboard import anchors, api, auth, logs, maps, supervisor, theme
from dashboard import wiring as wired
from dashboard.access import login, password
from dashboard.access.faults import Faults, refusal
from dashboard.access.hosts import CookieRule, own_hosts
from dashboard.access.lanes import Lanes
from dashboard.access.limits import BodyLimit
from dashboard.access.patience import PatientProtocol, allow_connections
from dashboard.access.published import demand_private
from dashboard.access.sockets import Sockets
from dashboard.access.watch import end_watch, keep_watch
from dashboard.headers import PageShell, SecurityHeaders
from dashboard.phone import today as phone
from dashboard.settings import Settings

HERE = Path(__file__).parent
STATIC = maps.ASSETS / "static"
M_ARENA_MAX = -8  # of malloc.h
MOST_FORM_BYTES = 64 * 1024
_LOG = logs.get_logger("server")


def streamlit_options() -> dict[str, object]:
    """Return the options Streamlit runs with: no telemetry, no magic, no agent door, our theme."""
    return {
        "browser.gatherUsageStats": False,
        "client.showErrorDetails": "none",
        "client.toolbarMode": "viewer",
        "client.showSidebarNavigation": True,
        "global.developmentMode": False,
        "logger.enableRich": False,
        "logger.level": "warning",
        "runner.magicEnabled": False,
        "runner.fastReruns": True,
        "server.enableAgentApi": False,
        "server.enableStaticServing": False,
        "server.enableXsrfProtection": True,
        "server.fileWatcherType": "none",
        "server.headless": True,
        "server.maxUploadSize": 1,
        **theme.streamlit_options(),
    }


def _asset_routes() -> list[BaseRoute]:
    async def tokens_css(request: Request) -> Response:
        return Response(theme.css_tokens(), media_type="text/css", headers={"Cache-Control": "max-age=3600"})

    async def tokens_js(request: Request) -> Response:
        return Response(
            theme.map_tokens(), media_type="text/javascript", headers={"Cache-Control": "max-age=3600"}
        )

    async def favicon(request: Request) -> Response:
        return FileResponse(STATIC / "icon-192.png", headers={"Cache-Control": "max-age=86400"})

    async def front(request: Request) -> Response:
        return RedirectResponse("/", status_code=303)

    return [
        Route("/overview", front),
        Route("/favicon.png", favicon),
        Route("/favicon.ico", favicon),
        Route("/assets/tokens.css", tokens_css),
        Route("/assets/tokens.js", tokens_js),
        Mount("/assets", StaticFiles(directory=STATIC)),
        Mount("/vendor", StaticFiles(directory=maps.VENDOR)),
    ]


def create_app(settings: Settings) -> ASGIApp:
    """Return the ASGI application for `settings`.

    Raises
    ------
    StoreError
        `bad_url`, or `not_initialised` and `out_of_date` when the database is not ready.
    AccountError
        `demo_accounts` when accounts with the published password would be served beyond this machine.
    """
    logs.configure(settings.log_level)
    parts = wired.assemble(settings)
    parts.store.require_current()
    demand_private(parts.store, host=settings.host)
    wired.install(parts)
    maps.use_local_assets()
    for name, value in streamlit_options().items():
        config.set_option(name, value)

    sockets, cookies = Sockets(), CookieRule(settings.secure_cookies)

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[dict[str, Any]]:
        helper = supervisor.start(settings) if settings.worker else None
        anchor = anchors.start(parts)
        watch = asyncio.create_task(keep_watch(parts, sockets))
        _LOG.info("started", port=settings.port)
        try:
            yield {}
        finally:
            watch.cancel()
            await end_watch(parts)
            anchor.stop()
            if helper is not None:
                helper.stop()
                supervisor.forget()
            parts.close()

    return st.App(
        HERE / "app.py",
        lifespan=lifespan,
        routes=[
            *login.routes(),
            *password.routes(),
            *api.routes(),
            *_asset_routes(),
            Mount("/m", routes=phone.routes(parts)),
        ],
        middleware=[
            Middleware(SecurityHeaders, cookies=cookies, pictures_from=settings.tiles.hosts),
            Middleware(Faults),
            Middleware(BodyLimit, most_bytes=MOST_FORM_BYTES, refuse=_too_large),
            Middleware(
                auth.Gate,
                hosts=own_hosts(settings.host, settings.hosts),
                cookies=cookies,
                sockets=sockets,
                lanes=Lanes(),
            ),
            Middleware(PageShell),
        ],
    )


def _too_large(scope: Scope) -> ASGIApp:
    return refusal(scope, "form_too_large", {"most_kb": MOST_FORM_BYTES // 1024}, 413)


def _bound_memory() -> None:
    """Keep glibc from opening a heap for every thread: with sixty people 528 MB instead of 626."""
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(M_ARENA_MAX, 2)


def serve(settings: Settings, app: ASGIApp | None = None) -> None:
    """Serve `app`, or one made for the settings, until interrupted.

    Raises
    ------
    StoreError
        As `create_app`.
    """
    _bound_memory()
    allow_connections()
    uvicorn.run(
        app or create_app(settings),
        host=settings.host,
        port=settings.port,
        http=PatientProtocol,
        log_level="warning",
        log_config=None,
        proxy_headers=True,
        forwarded_allow_ips=settings.proxies,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        server_header=False,
        ws_max_size=16 * 2**20,
        timeout_graceful_shutdown=3,
    )
