"""The Streamlit script: set-up, who is looking, navigation by permission."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboard import auth, headers, reads, theme
from dashboard import wiring as wired
from dashboard.access import presence
from dashboard.access.doors import PAGES
from dashboard.access.hosts import CookieRule
from dashboard.i18n import as_language, sentence
from dashboard.logs import get_logger
from dashboard.maps import ASSETS
from dashboard.panels import Visitor, draw_refusal, plain
from dashboard.views import (
    accounts,
    colocation,
    coverage,
    evidence,
    grids,
    hotspots,
    overview,
    review,
    roster,
    route,
)
from data.accounts import Permission
from data.errors import AccountError, DataError, StoreError
from geo.errors import GeoError
from planner.errors import PlannerError

STYLE = f"<style>{theme.css_tokens()}{(ASSETS / 'static' / 'app.css').read_text(encoding='utf-8')}</style>"
_LOG = get_logger("app")


def current_visitor() -> Visitor | None:
    """Return who looks at this page, by the session cookie; None when the session has ended."""
    wiring = wired.current()
    rule = CookieRule(wiring.settings.secure_cookies)
    scope = _handshake()
    cookies = st.context.cookies
    identity = presence.identify(wiring, cookies.get(rule.name(scope, auth.SESSION_COOKIE)))
    if identity is None or identity.must_change_password:
        return None
    asked = st.query_params.get("lang") or cookies.get(rule.name(scope, headers.LANGUAGE_COOKIE))
    return Visitor(wiring, identity, as_language(asked))


def _handshake() -> dict[str, Any]:
    """Return what of the websocket's request tells which cookies are ours."""
    host = st.context.headers.get("host", "")
    return {"type": "websocket", "headers": [(b"host", host.encode("latin-1", "replace"))]}


def _page(view: Callable[[Visitor], None], visitor: Visitor) -> Callable[[], None]:
    def draw() -> None:
        name, fictional = reads.district(visitor.wiring)
        if fictional:
            words = visitor.t("演示数据：{name}的机构、人员和数字均为虚构。", name=name)
            st.html(f'<div class="gp-fiction">{html.escape(words)}</div>')
        try:
            view(visitor)
        except (DataError, GeoError, PlannerError) as error:
            _LOG.warning("refused", code=error.code)
            draw_refusal(error, visitor)

    return draw


def pages_for(visitor: Visitor) -> list[st.Page]:
    """Return all pages, the first that the visitor may open at the front door.

    Those that the visitor may not open are hidden and say so in words: an address may have been passed on.
    """
    t, p = visitor.t, Permission
    whole = auth.sees_whole_district(visitor.identity)
    offered = [
        (overview.draw, t("概览"), "overview", visitor.may(p.READ_REGISTER)),
        (roster.draw, t("排班与路线"), "roster", visitor.may(p.READ_ROSTER)),
        (route.draw, t("我的路线"), "route", visitor.may(p.READ_OWN_ROUTE)),
        (coverage.draw, t("网格覆盖"), "coverage", visitor.may(p.READ_COVERAGE)),
        (review.draw, t("坐标核对"), "locations", visitor.may(p.CORRECT_LOCATION)),
        (hotspots.draw, t("学校周边"), "hotspots", visitor.may(p.READ_COVERAGE) and whole),
        (colocation.draw, t("同址机构"), "colocation", visitor.may(p.READ_REGISTER) and whole),
        (grids.draw, t("网格与片区"), "grids", visitor.may(p.READ_REGISTER) and whole),
        (evidence.draw, t("成效与公平"), "evidence", visitor.may(p.READ_COVERAGE) and whole),
        (accounts.draw, t("账号"), "accounts", visitor.may(p.MANAGE_USERS)),
    ]
    assert {path for _, _, path, _ in offered} == {"overview", *PAGES}
    first = next((path for *_, path, holds in offered if holds), None)
    return [
        st.Page(
            _page(view if holds else _refuse, visitor),
            title=title,
            url_path=path,
            default=path == first,
            visibility="visible" if holds else "hidden",
        )
        for view, title, path, holds in offered
    ]


def _refuse(visitor: Visitor) -> None:
    """Refuse a page whatever the visitor's role is called."""
    raise AccountError("forbidden")


def _draw_sidebar(visitor: Visitor) -> None:
    t = visitor.t
    other = "?lang=en" if visitor.language == "zh" else "?lang=zh"
    who = html.escape(auth.greeting(visitor.identity, visitor.language))
    phone = f'<a href="/m/today" target="_self">{html.escape(t("手机版"))}</a>'
    with st.sidebar:
        st.html(
            f'<p class="gp-who">{who}</p><div class="gp-door">'
            f'<a href="{other}" target="_self">{"English" if visitor.language == "zh" else "中文"}</a>'
            f"{phone if visitor.may(Permission.READ_OWN_ROUTE) else ''}"
            f'<a href="/password" target="_self">{html.escape(t("修改密码"))}</a>'
            '<form method="post" action="/logout" target="_self"><button type="submit">'
            f"{html.escape(t('退出登录'))}</button></form></div>"
        )


def main() -> None:
    """Draw the page that was asked for."""
    st.set_page_config(
        layout="wide",
        initial_sidebar_state=230,
    )
    st.html(STYLE)
    try:
        visitor = current_visitor()
    except StoreError as error:
        _LOG.error("register", code=error.code)
        st.error("  \n".join(plain(sentence(error, language)) for language in ("zh", "en")), icon=None)
        st.stop()
    if visitor is None:
        st.html(
            '<p>登录已失效，请<a href="/login" target="_self">重新登录</a>。Session ended: '
            '<a href="/login?lang=en" target="_self">log in again</a>.</p>'
        )
        st.stop()
    page = st.navigation(pages_for(visitor))
    _draw_sidebar(visitor)
    page.run()


main()
