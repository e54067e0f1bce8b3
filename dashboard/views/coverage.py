"""Coverage: which grid areas have been seen this round, and which are still owed."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from dashboard import maps, panels, reads, tables
from dashboard.panels import Figure, Visitor
from data.terms import Kind

ALL = "all"
DEFAULT_DAYS = 90


def draw(visitor: Visitor) -> None:
    """Draw the page."""
    t, wiring = visitor.t, visitor.wiring
    panels.open_page(t("网格覆盖"), t("本轮应查的家次，各网格已查了多少"))
    figures = st.container()
    filters = st.columns([2, 2, 2, 2])
    with filters[0]:
        last = panels.choose_date(t("截至"), "to", default=wiring.today())
    with filters[1]:
        head = reads.newest_published(wiring)
        start = last - dt.timedelta(days=DEFAULT_DAYS)
        if head is not None and head.round_from <= last:
            start = min(start, head.round_from)
        first = panels.choose_date(t("轮次起始"), "from", default=start)
    with filters[2]:
        options = [ALL, *(kind.value for kind in Kind)]
        names = {ALL: t("全部类别"), **{kind.value: kind.label(visitor.language) for kind in Kind}}
        kind = panels.choose(t("机构类别"), "kind", options, default=ALL, show=names.__getitem__)
    with filters[3]:
        shown = panels.choose(
            t("机构点位"),
            "points",
            ["on", "off"],
            default="on",
            show={"on": t("显示"), "off": t("隐藏")}.__getitem__,
        )
    if first > last:
        panels.draw_empty(t("起始日期晚于截至日期"), t("请调整日期。"))
        return
    chosen = None if kind == ALL else kind
    areas = reads.coverage(wiring, visitor.identity, first=first, last=last, kind=chosen)
    if areas.empty:
        panels.draw_empty(t("没有可见的网格"), t("请内勤导入网格图层，或请系统管理员核对您的网格范围。"))
        return
    total = tables.coverage_sum(areas)
    with figures:
        panels.draw_figures(
            [
                Figure(t("覆盖率"), total.share, t("已查家次占应查家次；未开门不算已查")),
                Figure(t("应查（家次）"), f"{total.owed:,}", t("机构 × 关键时间点；已注销机构另计")),
                Figure(t("已查（家次）"), f"{total.paid:,}", t("开门已查或应关已关")),
                Figure(t("未查网格（个）"), f"{total.grids_untouched:,}", t("有应查机构但一家次未查")),
                Figure(t("网格（个）"), f"{total.grids:,}", t("您可见的有效网格")),
            ]
        )
    _draw_round(visitor, last)
    query = f"from={first.isoformat()}&to={last.isoformat()}" + ("" if chosen is None else f"&kind={chosen}")
    left, right = st.columns([3, 2], gap="medium")
    with left:
        chart = panels.district_map(visitor)
        maps.add_layer(chart, "choropleth", f"/api/coverage.geojson?{query}", t=t)
        if shown == "on":
            maps.add_layer(chart, "points", f"/api/institutions.geojson?{query}", t=t)
        maps.add_legend(
            chart,
            t("已查占应查（家次）"),
            maps.coverage_rows(t),
            t=t,
            notes=[t("轮次 {first} 至 {last}", first=first.isoformat(), last=last.isoformat())],
        )
        panels.draw_map(chart, key="coverage", height=510)
    with right:
        panels.draw_table(tables.coverage_rows(areas, visitor.language), key="grids", height=510)


def _draw_round(visitor: Visitor, day: dt.date) -> None:
    running = reads.round_of(visitor.wiring, day=day)
    if running is not None:
        dates = {"first": running.first.isoformat(), "last": running.last.isoformat()}
        name = running.name.label(visitor.language)
        note = visitor.t(
            "{day} 属于轮次：{name}（{first} 至 {last}）", day=day.isoformat(), name=name, **dates
        )
        st.html(f'<p class="gp-note">{note}</p>')
