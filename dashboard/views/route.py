"""My route: today's stops in order, why each is on the list, and how to get there."""

from __future__ import annotations

import html

import streamlit as st

from dashboard import maps, panels, reads, tables
from dashboard.exports import clock
from dashboard.panels import Visitor
from dashboard.phone.today import amap_link, date_title, reason_lines
from data.terms import Role
from planner.itinerary import ShiftView, StopView


def draw(visitor: Visitor) -> None:
    """Draw the page."""
    t, wiring, identity = visitor.t, visitor.wiring, visitor.identity
    title = st.container()
    if identity.role is Role.GRID_WORKER:
        with title:
            panels.open_page(t("我的路线"), t("网格员在公共区域观察，不入户检查"))
        panels.draw_empty(t("请用手机版查看"), t("本网格待观察场所见“手机版”。"))
        return
    day = panels.choose_date(t("日期"), "day", default=wiring.today())
    kind = reads.days(wiring, first=day, last=day)[0]
    with title:
        panels.open_page(t("我的路线"), date_title(day, kind.type, visitor.language))
    if identity.officer_id is None:
        panels.draw_empty(t("您的账号未关联执法人员"), t("请系统管理员把账号与人员名册关联。"))
        return
    shifts = reads.shifts(wiring, day=day, officer_id=identity.officer_id)
    if not shifts:
        following = reads.next_shift(wiring, after=day, officer_id=identity.officer_id)
        words = t("尚无已发布的后续班次，请联系组长。")
        if following is not None:
            words = t("下一次班次：{date}", date=following.isoformat())
        panels.draw_empty(t("这一天没有您的班次"), words)
        return
    left, right = st.columns([5, 4], gap="medium")
    with left:
        chart = panels.district_map(visitor)
        maps.add_layer(chart, "routes", f"/api/my/routes.geojson?day={day.isoformat()}", t=t, fit=True)
        teams = list(dict.fromkeys(shift.team for shift in shifts))
        maps.add_legend(
            chart, t("小组路线"), maps.team_rows(teams, t), t=t, notes=[panels.way_note(shifts, t)]
        )
        panels.draw_map(chart, key="route", height=620)
    with right, st.container(height=620, border=False):
        for shift in shifts:
            _draw_shift(shift, visitor)


def _draw_shift(shift: ShiftView, visitor: Visitor) -> None:
    names = visitor.t("、").join(member.name for member in shift.members)
    head = f"{tables.slot_name(shift, visitor.language)} · {tables.team_name(shift.team, visitor.language)}"
    st.html(f"<p><strong>{html.escape(head)}</strong><br>{html.escape(names)}</p>")
    for stop in shift.stops:
        st.html(stop_card(stop, visitor))


def stop_card(stop: StopView, visitor: Visitor) -> str:
    """Return one stop as markup; every text of the register is escaped."""
    t, language = visitor.t, visitor.language
    why = t("上榜原因：{reasons}", reasons=t("；").join(reason_lines(stop.reasons, language)))
    must = f' <span class="must">{t("必查")}</span>' if stop.mandatory else ""
    unsure = ""
    if stop.error_radius_m and stop.error_radius_m > 100:
        words = t("位置为估计，误差约 {metres} 米，以地址为准", metres=round(stop.error_radius_m))
        unsure = f'<p class="gp-note">{words}</p>'
    link = html.escape(amap_link(stop.lon, stop.lat, stop.name), quote=True)
    return (
        f'<div class="gp-stop"><h3>{stop.call}. {html.escape(stop.name)}{must}</h3>'
        f"<p>{clock(stop.arrive_s)} · {stop.kind.label(language)} · {stop.reason.label(language)}</p>"
        f"<p><strong>{html.escape(stop.address)}</strong></p>"
        f'<p class="gp-note">{html.escape(why)}</p>{unsure}'
        f'<a href="{link}" target="_blank" rel="noreferrer">{t("高德地图")}</a></div>'
    )
