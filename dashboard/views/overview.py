"""Overview: what the district looks like today, and who goes out."""

from __future__ import annotations

import streamlit as st

from dashboard import maps, panels, reads, tables
from dashboard.panels import Figure, Visitor
from dashboard.phone.today import date_title
from data.accounts import Permission
from data.statistics import Headline
from data.terms import Kind


def figures(numbers: Headline, visitor: Visitor) -> list[Figure]:
    """Return the five headline numbers."""
    t = visitor.t
    change = numbers.visits_30d - numbers.visits_previous_30d
    placed = t(
        "已定位 {placed} 家，未定位 {unplaced} 家，位置存疑 {doubtful} 家，不在任何网格 {outside} 家",
        placed=numbers.placed,
        unplaced=numbers.unplaced,
        doubtful=numbers.doubtful,
        outside=numbers.outside,
    )
    return [
        Figure(t("机构（家）"), f"{numbers.institutions:,}", placed),
        Figure(
            t("近 30 日检查（家次）"),
            f"{numbers.visits_30d:,}",
            t("含未开门等全部到访；与前 30 日 {n} 家次相比", n=numbers.visits_previous_30d),
            f"{change:+,}",
        ),
        Figure(
            t("未销号问题（个）"),
            f"{numbers.open_findings:,}",
            t("尚未销号的问题；近 30 日新发现 {n} 个", n=numbers.findings_30d),
        ),
        Figure(t("逾期复查（个）"), f"{numbers.overdue_rechecks:,}", t("复查期限已过、尚未销号的问题")),
        Figure(t("未办结举报（件）"), f"{numbers.open_tips:,}", t("已受理、尚未办结的举报线索")),
    ]


def draw(visitor: Visitor) -> None:
    """Draw the page."""
    t, wiring, identity = visitor.t, visitor.wiring, visitor.identity
    today = wiring.today()
    day = reads.days(wiring, first=today, last=today)[0]
    title = date_title(today, day.type, visitor.language)
    running = reads.round_of(wiring, day=today)
    if running is not None:
        title += f" · {t('轮次：{name}', name=running.name.label(visitor.language))}"
    panels.open_page(t("概览"), title)
    numbers = reads.headline(wiring, identity, today=today)
    if not numbers.institutions:
        panels.draw_empty(t("台账中还没有您可见的机构"), t("请内勤导入机构名单和网格图层，再做地址定位。"))
        return
    panels.draw_figures(figures(numbers, visitor))
    left, right = st.columns([1, 1], gap="medium")
    with left:
        chart = panels.district_map(visitor)
        maps.add_layer(chart, "points", f"/api/institutions.geojson?to={today.isoformat()}", t=t)
        kinds = [kind for kind in Kind if numbers.by_kind.get(kind)]
        maps.add_legend(
            chart,
            t("机构类别（形状）"),
            maps.kind_rows(visitor.language, kinds),
            t=t,
            notes=[t("实心：本轮已查清；空心：尚有应查；橙色：位置存疑")],
        )
        panels.draw_map(chart, key="overview")
    with right:
        if visitor.may(Permission.READ_ROSTER):
            _draw_today(visitor)
        panels.draw_heading(t("机构构成"))
        panels.draw_table(tables.kind_rows(numbers.by_kind, visitor.language), key="kinds", height=260)


def _draw_today(visitor: Visitor) -> None:
    t = visitor.t
    panels.draw_heading(t("今日班次"))
    shifts = reads.shifts(visitor.wiring, day=visitor.wiring.today())
    if shifts:
        panels.draw_table(tables.shift_rows(shifts, visitor.language), key="today", height=250)
        return
    following = reads.next_shift(visitor.wiring, after=visitor.wiring.today(), officer_id=None)
    if following is not None:
        panels.draw_empty(t("今天没有班次"), t("下一次班次：{date}", date=following.isoformat()))
    elif visitor.may(Permission.PUBLISH):
        panels.draw_empty(t("今天没有已发布的班次"), t("到“排班与路线”选择日期，生成方案并发布。"))
    else:
        panels.draw_empty(t("今天没有已发布的班次"), t("方案由组长发布后在此显示。"))
