"""Security headers of every answer, and Streamlit's page shell put into the visitor's language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.access.hosts import CookieRule, is_tls
from dashboard.i18n import as_language
from data.terms import Language

LANGUAGE_COOKIE = "gridpatrol_lang"
# Our pages and the framework's run files and nothing else. Only the map's frame holds scripts written into it
# (streamlit-folium does), made of constant templates and encoded values (dashboard.literals).
PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; connect-src 'self'; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-src 'self'; frame-ancestors 'self'"
)
FRAME_POLICY = PAGE_POLICY.replace("script-src 'self'", "script-src 'self' 'unsafe-inline'")
OWN_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_OWN_PAGES = ("/login", "/logout", "/password", "/m/", "/api/")
_IMMUTABLE = ("/vendor/", "/static/")
_FRAME = "/component/"
_HSTS = "max-age=31536000"


def language_of(scope: Scope) -> Language:
    """Return the language a request asks for: `?lang=`, then the cookie, then Chinese."""
    asked = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("lang")
    kept = cookies_of(scope)
    return as_language(
        asked[0] if asked else kept.get(f"__Host-{LANGUAGE_COOKIE}", kept.get(LANGUAGE_COOKIE))
    )


def cookies_of(scope: Scope) -> dict[str, str]:
    """Return the cookies of a request or websocket."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(Headers(scope=scope).get("cookie", ""))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}


def wants_page(scope: Scope) -> bool:
    """Return whether a request navigates a window, not a frame inside a page, to an HTML page."""
    headers = Headers(scope=scope)
    if scope["type"] != "http" or scope["method"] != "GET" or "text/html" not in headers.get("accept", ""):
        return False
    return headers.get("sec-fetch-dest", "document") == "document"


class SecurityHeaders:
    """ASGI middleware: policy headers on every answer, language cookie on request."""

    def __init__(self, app: ASGIApp, *, cookies: CookieRule, pictures_from: Sequence[str] = ()) -> None:
        self.app = app
        self.cookies = cookies
        # A tile service of the office network is the one thing a page may fetch from elsewhere.
        pictures = " ".join(["img-src 'self' data: blob:", *pictures_from])
        self.page_policy, self.frame_policy = (
            policy.replace("img-src 'self' data: blob:", pictures) for policy in (PAGE_POLICY, FRAME_POLICY)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = b"lang=" in scope.get("query_string", b"")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                self._add(headers, scope)
                if asked:
                    self._remember(headers, scope)
                if self.cookies.is_secure(scope):
                    _secure_cookies(headers)
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _add(self, headers: MutableHeaders, scope: Scope) -> None:
        path: str = scope["path"]
        own = path.startswith(_OWN_PAGES)
        framework = self.frame_policy if path.startswith(_FRAME) else self.page_policy
        headers["Content-Security-Policy"] = OWN_POLICY if own else framework
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        headers["X-Frame-Options"] = "DENY" if own else "SAMEORIGIN"
        headers["Permissions-Policy"] = "camera=(self), geolocation=(self), microphone=()"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if is_tls(scope):
            headers["Strict-Transport-Security"] = _HSTS
        if path.startswith(_IMMUTABLE):
            headers["Cache-Control"] = "public, max-age=31536000, immutable"
        elif own and "cache-control" not in headers:
            headers["Cache-Control"] = "no-store"

    def _remember(self, headers: MutableHeaders, scope: Scope) -> None:
        name, language = self.cookies.name(scope, LANGUAGE_COOKIE), language_of(scope)
        headers.append("Set-Cookie", f"{name}={language}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly")


def _secure_cookies(headers: MutableHeaders) -> None:
    """Mark every cookie of an answer, the framework's own too, for TLS alone."""
    cookies = headers.getlist("set-cookie")
    del headers["set-cookie"]
    for cookie in cookies:
        secure = any(part.strip().lower() == "secure" for part in cookie.split(";")[1:])
        headers.append("set-cookie", cookie if secure else f"{cookie}; Secure")


class PageShell:
    """ASGI middleware: Streamlit's index page says English; give it the visitor's language and our title."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or not wants_page(scope) or scope["path"].startswith(_OWN_PAGES):
            await self.app(scope, receive, send)
            return
        language = language_of(scope)
        # Without these the shell might come compressed, or not at all in a changed language.
        dropped = (b"accept-encoding", b"if-none-match", b"if-modified-since")
        plain = {**scope, "headers": [(k, v) for k, v in scope["headers"] if k not in dropped]}
        start: list[Message] = []
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.append(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body", False):
                return
            whole = _translated(bytes(body), language)
            headers = MutableHeaders(scope=start[0])
            if "content-length" in headers:
                headers["content-length"] = str(len(whole))
            await send(start[0])
            await send({"type": "http.response.body", "body": whole, "more_body": False})

        await self.app(plain, receive, collect)


# The framework's shell holds one inline script, which says nothing to anybody, and names doors that are shut.
_INLINE = re.compile(rb"<script>\s*window\.prerenderReady = false\s*</script>")
_POINTER = re.compile(rb'<link rel="service-desc"[^>]*>')
_NOSCRIPT = re.compile(rb"<noscript>.*?</noscript>", re.DOTALL)
_OURS = b'<script src="/assets/shell.js"></script>'


def _translated(body: bytes, language: Language) -> bytes:
    code, title = ("en", "GridPatrol") if language == "en" else ("zh-CN", "网格巡查")
    body = body.replace(b'<html lang="en"', f'<html lang="{code}"'.encode(), 1)
    body = _NOSCRIPT.sub(b"", _POINTER.sub(b"", _INLINE.sub(_OURS, body, count=1)))
    return body.replace(b"<title>Streamlit</title>", f"<title>{title}</title>".encode(), 1)
