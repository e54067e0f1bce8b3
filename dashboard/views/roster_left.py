"""What a plan leaves out: true reasons, what would bring each visit in, and the best places for one."""

from __future__ import annotations

import streamlit as st

from dashboard import changes, panels, revisions
from dashboard.i18n import sentence_for
from dashboard.panels import Visitor
from dashboard.wording import help_lines
from planner.itinerary import PlanView

MOST_SHOWN = 100
ALL = "all"


def draw_left(visitor: Visitor, view: PlanView) -> None:
    """Draw the visits left out, folded."""
    if not view.unserved:
        return

    @panels.fragment(visitor)
    def listed() -> None:
        _draw_offers(visitor, view.head.code)
        _draw_reasons(visitor, view)

    with st.expander(visitor.t("未排入 {n} 家次，查看原因和办法", n=len(view.unserved))):
        listed()


def _draw_offers(visitor: Visitor, code: str) -> None:
    """Draw where one visit would fit, when asked."""
    t, language = visitor.t, visitor.language
    names, parts = revisions.names(visitor.wiring), revisions.parts(visitor.wiring, code)
    waiting = {item.visit: item for item in parts.waiting}
    if not waiting:
        return
    visit = st.selectbox(
        t("为一家次找可安排的班次"),
        list(waiting),
        index=None,
        key=f"left.visit.{code}",
        placeholder=t("选择一家次"),
        help=t("其余家次的班次和次序不变，列出最省路程的三个班次"),
        format_func=lambda item: changes.waiting_name(waiting[item], names, language),
    )
    if visit is None:
        return
    found = revisions.offers(visitor.wiring, code, visit)
    if found:
        panels.draw_rows(changes.offer_rows(found, language), describe=t("可安排的班次"))
        return
    helps = help_lines(waiting[visit].helps, language, names)
    panels.draw_note(
        t("守住全部规则已没有班次可安排。放宽其中一条即可：{helps}。", helps=t("；").join(helps))
        if helps
        else t("守住全部规则已没有班次可安排，只放宽一条也排不进。")
    )


def _draw_reasons(visitor: Visitor, view: PlanView) -> None:
    t, language = visitor.t, visitor.language
    counts = {ALL: len(view.unserved), **changes.reason_counts(view.unserved)}
    words = {code: sentence_for(f"unserved.{code}", {}, language) for code in counts if code != ALL}
    reason = st.selectbox(
        t("原因"),
        list(counts),
        key=f"left.reason.{view.head.code}",
        format_func=lambda code: f"{words.get(code, t('全部'))} · {counts[code]}",
    )
    chosen = [item for item in view.unserved if reason in (ALL, item.code)]
    panels.draw_rows(
        changes.left_rows(chosen[:MOST_SHOWN], revisions.names(visitor.wiring), language),
        describe=t("未排入的家次"),
        height=430,
    )
    if len(chosen) > MOST_SHOWN:
        panels.draw_note(t("仅列前 {n} 家次，全部见导出的排班表。", n=MOST_SHOWN))
