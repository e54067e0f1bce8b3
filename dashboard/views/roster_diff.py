"""What a plan does otherwise than another one of the same period: visits, people and cost."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import changes, panels, revisions, tables
from dashboard.panels import Visitor
from planner.itinerary import PlanHead

HEIGHT = 380


def draw_difference(visitor: Visitor, head: PlanHead, heads: Sequence[PlanHead]) -> None:
    """Draw the comparison: open and against its parent for a revision, else folded and on demand."""
    period = (head.period_from, head.period_to)
    others = {
        item.code: item
        for item in heads
        if (item.period_from, item.period_to) == period and item.code != head.code
    }
    if not others:
        return
    t, parts = visitor.t, revisions.parts(visitor.wiring, head.code)
    parent = parts.parent if parts.parent in others else None
    title = t("与同期方案比较") if parent is None else t("本次调整改了什么（原方案 {code}）", code=parent)

    @panels.fragment(visitor)
    def comparison() -> None:
        _draw_comparison(visitor, head.code, others, parent)

    with st.expander(title, expanded=parent is not None):
        if parent is not None:
            panels.draw_note(
                changes.change_line(parts.change, revisions.names(visitor.wiring), visitor.language)
            )
        comparison()


def _draw_comparison(visitor: Visitor, code: str, others: dict[str, PlanHead], parent: str | None) -> None:
    t, language = visitor.t, visitor.language
    other = st.selectbox(
        t("与哪个方案比较"),
        list(others),
        index=None if parent is None else list(others).index(parent),
        key=f"diff.{code}",
        placeholder=t("选择同期的另一方案"),
        format_func=lambda item: tables.plan_name(others[item], language),
    )
    if other is None:
        return
    found, names = revisions.difference(visitor.wiring, other, code), revisions.names(visitor.wiring)
    moves = found.comparison
    panels.draw_note(changes.count_line(found, language))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        rows = changes.move_rows(found, names, language)
        if rows[1]:
            panels.draw_rows(rows, describe=t("家次的改动"), height=HEIGHT)
        else:
            panels.draw_empty(t("家次没有改动"), t("两个方案的班次、次序和时间都相同。"))
    with right:
        if found.crews:
            panels.draw_rows(
                changes.crew_rows(found.crews, names, language), describe=t("人员变化"), height=HEIGHT // 2
            )
        panels.draw_note(t("代价（折合路程小时）"))
        panels.draw_rows(
            changes.cost_rows(moves.before, moves.after, language), describe=t("代价"), height=HEIGHT
        )
