"""Evidence: would the scorecard have found problems earlier, could a watcher guess, who bears the visits?"""

from __future__ import annotations

import datetime as dt

import streamlit as st

from dashboard import auth, panels, reads
from dashboard import evidence as rows
from dashboard.panels import Figure, Visitor
from data.errors import AccountError
from planner.burden import ENOUGH_VISITS
from planner.errors import EvidenceError
from planner.replay import Evidence

# Two windows of sixty days, both ends included.
DEFAULT_DAYS = 119
UNSURE = ("too_few", "unclear")
TABLE_HEIGHT = 430


def draw(visitor: Visitor) -> None:
    """Draw the page."""
    if not auth.sees_whole_district(visitor.identity):
        raise AccountError("forbidden")
    t, wiring = visitor.t, visitor.wiring
    panels.open_page(t("成效与公平"), t("按评分卡的顺序能否更早发现问题，检查由谁承担"))
    figures = st.container()
    filters = st.columns([2, 2, 4])
    with filters[0]:
        last = panels.choose_date(t("截至"), "to", default=wiring.today() - dt.timedelta(days=1))
    with filters[1]:
        first = panels.choose_date(t("自"), "from", default=last - dt.timedelta(days=DEFAULT_DAYS))
    if first > last:
        panels.draw_empty(t("起始日期晚于截至日期"), t("请调整日期。"))
        return
    try:
        evidence = reads.evidence(wiring, first=first, last=last)
    except EvidenceError:
        panels.draw_empty(t("这一期间没有可评估的检查"), t("请调整日期，或请执法人员先录入检查情况。"))
        _draw_card(visitor)
        return
    with figures:
        panels.draw_figures(_figures(evidence, visitor))
    line = rows.verdict_line(evidence.card, visitor.language)
    if evidence.card.verdict in UNSURE:
        st.warning(line)
    else:
        st.info(line)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _draw_burden(evidence, visitor)
    with right:
        _draw_card(visitor)
    with st.expander(t("依据：{n} 家次检查的回放", n=evidence.visits)):
        _draw_grounds(evidence, visitor)


def _figures(evidence: Evidence, visitor: Visitor) -> list[Figure]:
    t, card = visitor.t, evidence.card
    ratio, adversary = rows.best_guess(evidence.guesses, visitor.language)
    return [
        Figure(
            t("比实际提前（天）"),
            rows.days(card, card.days_earlier),
            t("同一批检查、各组日程不变，按评分从高到低重排后，问题平均早几天发现；方括号为 95% 区间"),
            change=rows.interval(card, card.interval),
            is_change=False,
        ),
        Figure(
            t("比随机提前（天）"),
            rows.days(card, card.vs_random),
            t("与各组日程内随机排序的平均相比"),
            change=rows.interval(card, card.vs_random_interval),
            is_change=False,
        ),
        Figure(
            t("前半期发现"),
            rows.share(card.share_first_half),
            t("重排后在期间前半发现的问题所占比例"),
            change=t("实际 {share}", share=rows.share(card.share_first_half_actual)),
            is_change=False,
        ),
        Figure(
            t("最易被猜中"),
            ratio,
            t("旁观者按最简单的办法猜下次检查，猜中次数与随机猜之比；宜不超过 1.3 倍"),
            change=adversary,
            is_change=False,
        ),
        Figure(
            t("时段分散度"),
            rows.lowest_entropy(evidence),
            t("各类机构受检的星期与时段有多均匀，取最低的一类；1 为完全均匀，宜不低于 0.85"),
        ),
    ]


def _draw_burden(evidence: Evidence, visitor: Visitor) -> None:
    t = visitor.t
    by = panels.choose(
        t("检查负担"),
        "by",
        ["area", "kind"],
        default="area",
        show={"area": t("按街道"), "kind": t("按机构类别")}.__getitem__,
    )
    table = evidence.by_area if by == "area" else evidence.by_kind
    panels.draw_table(rows.burden_rows(table, by, visitor.language), key="burden", height=TABLE_HEIGHT)
    st.caption(t("应查按风险的平方根摊分；方括号为 95% 区间；不足 {n} 家次的只列数量。", n=ENOUGH_VISITS))


def _draw_card(visitor: Visitor) -> None:
    cards = reads.scorecards(visitor.wiring, as_of=visitor.wiring.today())
    panels.draw_heading(visitor.t("评分卡"))
    st.caption(panels.plain(rows.card_line(cards.current, visitor.language)))
    table = rows.card_rows(cards.current, cards.before, visitor.language)
    panels.draw_table(table, key="scorecard", height=TABLE_HEIGHT)
    for card in cards.waiting:
        st.caption(panels.plain(rows.card_line(card, visitor.language)))


def _draw_grounds(evidence: Evidence, visitor: Visitor) -> None:
    t = visitor.t
    left, right = st.columns(2, gap="medium")
    with left:
        st.caption(t("旁观者猜下次检查：以最近 8 周为准，凭此前的检查去猜"))
        panels.draw_table(rows.guess_rows(evidence.guesses, visitor.language), key="guesses", height=150)
        st.caption(panels.plain(rows.reason_shares(evidence.reasons, visitor.language)))
    with right:
        st.caption(t("按评分分为五档，各档的实际发现率"))
        panels.draw_table(rows.fifth_rows(evidence.fifths, visitor.language), key="fifths", height=220)
    st.caption(
        t(
            "只用当时已知的情况；复查和举报核实 {fixed} 家次不重排；{undated} 家次无录入时间，按检查当日计。",
            fixed=evidence.fixed,
            undated=evidence.undated,
        )
    )
