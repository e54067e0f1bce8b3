"""Faults as answers: a busy or damaged register, a full disk or a defect is a sentence, never a traceback."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.access.limits import BusyError, GoneError
from dashboard.headers import language_of
from dashboard.i18n import sentence_for, translator
from dashboard.logs import get_logger
from dashboard.markup import page
from data.errors import StoreError
from data.terms import Language

_LOG = get_logger("faults")
_CLOSED = 1011


def refusal(scope: Scope, code: str, fields: dict[str, object], status: int) -> Response:
    """Return a refusal as the asker reads it: a page to a browser that navigates, else JSON."""
    language = language_of(scope)
    headers = {"Cache-Control": "no-store", **({"Retry-After": "5"} if status in (429, 503) else {})}
    if "text/html" in Headers(scope=scope).get("accept", ""):
        told = sentence_for(code, fields, language)
        t = translator(language)
        title = t("没有这个页面") if status == 404 else t("未能完成")
        answer: Response = page(
            "notice.html", language=language, status=status, title=title, message=told, back="/"
        )
        answer.headers.update(headers)
        return answer
    return refuse(code, fields, language, status, headers=headers)


def refuse(
    code: str,
    fields: dict[str, object],
    language: Language,
    status: int,
    *,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """Return a refusal as JSON: the code and its sentence."""
    body = {"error": {"code": code, "message": sentence_for(code, fields, language)}}
    return JSONResponse(body, status_code=status, headers={"Cache-Control": "no-store", **(headers or {})})


class Faults:
    """ASGI middleware that answers for whatever went wrong further in."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, sent)
        except HTTPException:
            raise
        except GoneError:
            # Nobody reads it; the server still wants an answer.
            await Response(status_code=499)(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - the last line before the client
            code, fields, status = _told(error)
            if status == 500:
                _LOG.error("fault", error=type(error).__name__, exc_info=error)
            else:
                _LOG.warning("refused", code=code)
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": _CLOSED})
            elif not begun:
                await refusal(scope, code, fields, status)(scope, receive, send)


def _told(error: Exception) -> tuple[str, dict[str, object], int]:
    """Return code, fields and status of an error."""
    if isinstance(error, BusyError):
        return error.code, {}, 503
    if isinstance(error, StoreError):
        return error.code, error.fields, 503
    return "unexpected", {}, 500
