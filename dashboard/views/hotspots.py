"""Hotspots: are problems found more often near schools than the kinds there would lead one to expect?"""

from __future__ import annotations

import datetime as dt

import streamlit as st

from dashboard import auth, distances, maps, panels, reads, tables, theme
from dashboard.panels import Figure, Visitor
from data.errors import AccountError

RADII_M = (200, 500, 1000)
DEFAULT_DAYS = 365


def draw(visitor: Visitor) -> None:
    """Draw the page."""
    if not auth.sees_whole_district(visitor.identity):
        raise AccountError("forbidden")
    t, wiring = visitor.t, visitor.wiring
    panels.open_page(t("学校周边"), t("学校周边发现问题的比率是否高于基准"))
    figures = st.container()
    filters = st.columns([2, 2, 2, 2])
    with filters[0]:
        radius = panels.choose(
            t("距离圈"), "radius", list(RADII_M), default=500, show=lambda metres: t("{n} 米", n=metres)
        )
    with filters[1]:
        last = panels.choose_date(t("截至"), "to", default=wiring.today())
    with filters[2]:
        first = panels.choose_date(t("自"), "from", default=last - dt.timedelta(days=DEFAULT_DAYS))
    if first > last:
        panels.draw_empty(t("起始日期晚于截至日期"), t("请调整日期。"))
        return
    rates, schools = reads.hotspots(wiring, first=first, last=last)
    if not len(schools) or rates.empty:
        panels.draw_empty(t("没有学校或已定位的机构"), t("请内勤导入学校名单，并做地址定位。"))
        return
    total = tables.hotspot_sum(rates, radius)
    with figures:
        panels.draw_figures(
            [
                Figure(t("学校（所）"), f"{total.schools:,}", t("小学和中学")),
                Figure(
                    t("高于基准（所）"),
                    f"{total.hot:,}" if total.tested else "—",
                    t("经多重比较校正，误判率不超过 5%"),
                ),
                Figure(t("基准（每百家次）"), total.base, t("同类机构在全区的发现率，按周边机构类别折算")),
            ]
        )
    if not total.tested:
        st.warning(t("发现问题不足 {n} 家次，样本太少，不作判断。", n=tables.ENOUGH_FINDINGS))
    period = f"from={first.isoformat()}&to={last.isoformat()}"
    left, right = st.columns([5, 4], gap="medium")
    with left:
        chart = panels.district_map(visitor)
        maps.add_layer(chart, "rings", f"/api/hotspots.geojson?{period}&radius={radius}", t=t)
        maps.add_legend(
            chart,
            t("周边 {radius} 米", radius=radius),
            _legend(visitor),
            t=t,
            notes=[t("每百家次检查中发现问题的家次")],
        )
        panels.draw_map(chart, key="hotspots", height=510)
    with right:
        panels.draw_table(tables.hotspot_rows(rates, radius, visitor.language), key="schools", height=510)
    _draw_distances(visitor)


def _draw_distances(visitor: Visitor) -> None:
    """Draw how far institutions are from schools by both measures."""
    t, language = visitor.t, visitor.language
    listed = reads.school_distances(visitor.wiring)
    panels.draw_heading(t("机构到最近学校的距离"))
    panels.draw_note(
        t("误差半径跨越两个圈层的记为存疑；步行距离按路网计算，3 公里以内。")
        if listed["walk_m"].notna().any()
        else t("误差半径跨越两个圈层的记为存疑；未导入路网，暂无步行距离。")
    )
    left, right = st.columns([3, 5], gap="medium")
    with left:
        panels.draw_table(distances.ring_rows(listed, language), key="rings", height=180)
    with right:
        panels.draw_table(distances.place_rows(listed, language), key="distances", height=300)


def _legend(visitor: Visitor) -> list[dict[str, object]]:
    t = visitor.t
    return [
        {
            "shape": "circle",
            "fill": f"{theme.HOT}66",
            "stroke": theme.HOT,
            "weight": 2,
            "label": t("高于基准"),
        },
        {"shape": "circle", "stroke": theme.MUTED, "label": t("未见偏高")},
        {"shape": "circle", "fill": "hatch", "stroke": theme.MUTED, "label": t("样本不足或无检查")},
        maps.school_row(t),
    ]
