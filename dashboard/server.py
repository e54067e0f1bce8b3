"""The ASGI door: Streamlit, routes and static files behind one gate, in one process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
import uvicorn
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from streamlit import config

from dashboard import anchors, api, auth, logs, maps, supervisor, theme
from dashboard import wiring as wired
from dashboard.headers import PageShell, SecurityHeaders
from dashboard.phone import today as phone
from dashboard.settings import Settings

HERE = Path(__file__).parent
STATIC = maps.ASSETS / "static"
_LOG = logs.get_logger("server")


def streamlit_options() -> dict[str, object]:
    """Return the options Streamlit runs with: no telemetry, no magic, no agent door, our theme."""
    return {
        "browser.gatherUsageStats": False,
        "client.showErrorDetails": "none",
        "client.toolbarMode": "viewer",
        "client.showSidebarNavigation": True,
        "global.developmentMode": False,
        "logger.level": "warning",
        "runner.magicEnabled": False,
        "runner.fastReruns": True,
        "server.enableAgentApi": False,
        "server.enableStaticServing": False,
        "server.enableXsrfProtection": True,
        "server.fileWatcherType": "none",
        "server.headless": True,
        "server.maxUploadSize": 8,
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

    return [
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
    """
    logs.configure(settings.log_level)
    parts = wired.assemble(settings)
    parts.store.require_current()
    wired.install(parts)
    maps.use_local_assets()
    for name, value in streamlit_options().items():
        config.set_option(name, value)

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[dict[str, Any]]:
        helper = supervisor.start(settings) if settings.worker else None
        anchor = anchors.start(parts)
        _LOG.info("started", port=settings.port)
        try:
            yield {}
        finally:
            anchor.stop()
            if helper is not None:
                helper.stop()
                supervisor.forget()
            parts.close()

    return st.App(
        HERE / "app.py",
        lifespan=lifespan,
        routes=[*auth.routes(), *api.routes(), *_asset_routes(), Mount("/m", routes=phone.routes(parts))],
        middleware=[
            Middleware(
                SecurityHeaders,
                secure=settings.secure_cookies,
                pictures_from=settings.tiles.hosts,
            ),
            Middleware(auth.Gate),
            Middleware(PageShell),
        ],
    )


def serve(settings: Settings) -> None:
    """Serve until interrupted.

    Raises
    ------
    StoreError
        As `create_app`.
    """
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        server_header=False,
        ws_max_size=16 * 2**20,
        timeout_graceful_shutdown=3,
    )
