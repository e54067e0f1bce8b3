"""Grids and areas: is the official grid layer sound, and how are the teams' patrol areas cut?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import auth, gridareas, maps, panels, theme
from dashboard.panels import Figure, Visitor
from data.errors import AccountError
from geo.grid.survey import GridSurvey
from planner.patrolareas import Division

GRIDS, PATROL = "grids", "areas"
ALL = "all"
NONE = -1


def draw(visitor: Visitor) -> None:
    """Draw the page."""
    if not auth.sees_whole_district(visitor.identity):
        raise AccountError("forbidden")
    t = visitor.t
    panels.open_page(t("网格与片区"), t("官方网格图层是否可靠，各组的巡查片区怎样划分"))
    found = gridareas.survey(visitor.wiring)
    if found.grids.empty:
        panels.draw_empty(
            t("台账中还没有网格"), t("请内勤导入网格图层：gridpatrol import grids 文件 --crs wgs84")
        )
        return
    division, _ = gridareas.patrol_areas(visitor.wiring)
    _draw_figures(visitor, found, division)
    filters = st.columns([2, 2, 2, 2])
    with filters[0]:
        shown = panels.choose(
            t("查看"),
            "show",
            [GRIDS, PATROL],
            default=GRIDS,
            show={GRIDS: t("官方网格"), PATROL: t("巡查片区")}.__getitem__,
        )
    if shown == GRIDS:
        _draw_grids(visitor, found, filters[1:])
    else:
        _draw_areas(visitor, division)


def _draw_figures(visitor: Visitor, found: GridSurvey, division: Division) -> None:
    t = visitor.t
    uneven = t("最多的比平均多 {share}", share=f"{division.imbalance:.1%}")
    panels.draw_figures(
        [
            Figure(t("网格（个）"), f"{len(found.grids):,}", t("现行有效的官方网格")),
            Figure(
                t("拓扑问题（处）"),
                f"{len(found.issues):,}",
                t("缝隙、重叠、碎片应由网格主管部门修正；飞地等形态只需核对"),
                change=gridareas.counts_line(found, visitor.language) or None,
                is_change=False,
            ),
            Figure(
                t("超过有效期（个）"),
                f"{len(found.lapsed):,}",
                t("图层载明的终止日期已过，仍在使用；请索取新图层"),
            ),
            Figure(t("网格外机构（家）"), f"{len(found.outside):,}", t("已定位，但不在任何现行网格内")),
            Figure(
                t("巡查片区（个）"),
                f"{len(division.areas):,}",
                t("由网格拼成，只供排班，不是官方网格"),
                change=uneven if division.areas else None,
                is_change=False,
            ),
        ]
    )


def _draw_grids(
    visitor: Visitor, found: GridSurvey, filters: list[st.delta_generator.DeltaGenerator]
) -> None:
    t, language = visitor.t, visitor.language
    with filters[0]:
        kind = panels.choose(
            t("问题类别"),
            "kind",
            [ALL, *gridareas.issue_counts(found)],
            default=ALL,
            show=lambda item: t("全部") if item == ALL else gridareas.issue_word(item, language),
        )
    issues = gridareas.select_issues(found, None if kind == ALL else kind)
    with filters[1]:
        place = panels.choose(
            t("定位到"),
            "issue",
            [NONE, *(int(number) for number in issues.index)],
            default=NONE,
            show=lambda number: (
                t("全区") if number == NONE else gridareas.issue_name(issues, number, language)
            ),
        )
    left, right = st.columns([3, 2], gap="medium")
    with left:
        chart = panels.district_map(visitor)
        query = "" if kind == ALL else f"?kind={kind}"
        focus = None if place == NONE else str(place)
        maps.add_shapes(chart, f"/api/topology.geojson{query}", t=t, focus=focus)
        maps.add_legend(chart, t("官方网格"), _issue_legend(visitor), t=t)
        panels.draw_map(chart, key="topology", height=510)
    with right:
        if issues.empty:
            panels.draw_empty(t("没有拓扑问题"), t("网格之间没有缝隙、重叠、碎片、飞地或被包围的情况。"))
        else:
            panels.draw_table(gridareas.issue_rows(issues, language), key="issues", height=200)
        _draw_versions(visitor, found)
        _draw_lists(visitor, found)


def _issue_legend(visitor: Visitor) -> list[dict[str, object]]:
    t = visitor.t
    return [
        {"stroke": theme.MAP["grid"], "label": t("网格边线")},
        {"fill": f"{theme.BAD}73", "stroke": theme.BAD, "weight": 2, "label": t("缝隙、重叠、碎片：应修正")},
        {
            "fill": f"{theme.PRIMARY}73",
            "stroke": theme.PRIMARY,
            "weight": 2,
            "label": t("飞地、多部件、被包围：核对"),
        },
    ]


def _draw_versions(visitor: Visitor, found: GridSurvey) -> None:
    t = visitor.t
    code = panels.choose(t("网格版本"), "code", list(found.codes), default=found.codes[0], show=str)
    known = gridareas.versions(visitor.wiring, code)
    panels.draw_table(gridareas.version_rows(known, visitor.language), key="versions", height=108)


def _draw_lists(visitor: Visitor, found: GridSurvey) -> None:
    t = visitor.t
    lists: tuple[tuple[str, pd.DataFrame], ...] = (
        (t("超过有效期的网格"), gridareas.lapsed_rows(found, visitor.language)),
        (t("网格外机构"), gridareas.outside_rows(found, visitor.language)),
    )
    for title, rows in lists:
        if len(rows):
            with st.expander(f"{title} · {len(rows)}"):
                panels.draw_table(rows, key=title, height=220)


def _draw_areas(visitor: Visitor, division: Division) -> None:
    t, language = visitor.t, visitor.language
    panels.draw_note(
        t(
            "巡查片区由官方网格拼成，只供排班参考，不是官方网格，也不改变网格；方格、六边形等分析网格同样不是官方网格。"
        )
    )
    if not division.areas:
        panels.draw_empty(t("还没有巡查片区"), t("请内勤划分：gridpatrol areas make --count 组数"))
        return
    left, right = st.columns([3, 2], gap="medium")
    with left:
        chart = panels.district_map(visitor)
        maps.add_shapes(chart, "/api/patrol-areas.geojson", t=t)
        maps.add_legend(chart, t("巡查片区（非官方网格）"), gridareas.patrol_legend(division, language), t=t)
        panels.draw_map(chart, key="patrol", height=470)
    with right:
        panels.draw_table(gridareas.patrol_rows(division, language), key="areas", height=300)
        panels.draw_note(gridareas.made_line(division, language))
        for line in gridareas.stale_lines(division, language):
            st.warning(panels.plain(line))
