"""The form that asks for a new plan: period and teams, and under "more" rounds, draws and shares."""

from __future__ import annotations

import datetime as dt
from typing import Any

import streamlit as st

from dashboard import asks, panels, reads, revisions
from dashboard.panels import Visitor
from dashboard.views import roster_job
from dashboard.wiring import LOCAL_ZONE
from data.errors import DataError
from data.terms import JobStatus
from planner.errors import PlannerError
from planner.lottery import Committed
from planner.options import DEFAULT_ITERATIONS, MOST_CONTROL, MOST_HIDDEN, PlanOptions
from planner.rounds import Round

DEFAULT_TEAMS = 6
MOST_ROUNDS = 100
STEP = 5
DRAW, COMMITTED = "form.draw", "form.committed"


def draw_form(visitor: Visitor) -> None:
    """Draw the form, or how far the plan asked for last is."""
    t, wiring = visitor.t, visitor.wiring
    job = reads.latest_job(wiring, kind=asks.PLAN)
    if job is not None and job.under_way:
        dates = f"{job.parameters.get('from', '')} – {job.parameters.get('to', '')}"
        roster_job.draw_progress(visitor, asks.PLAN, doing=f"{t('正在生成方案')} {dates}")
        return
    failed = job is not None and job.status is JobStatus.FAILED
    if job is not None:
        roster_job.draw_failure(visitor, job)

    @panels.fragment(visitor)
    def form() -> None:
        _draw_fields(visitor)

    with st.expander(t("生成新方案"), expanded=failed or not reads.plans(wiring)):
        form()


def _draw_fields(visitor: Visitor) -> None:
    t, today = visitor.t, visitor.wiring.today()
    columns = st.columns([2, 2, 1, 1, 2], vertical_alignment="bottom")
    first = columns[0].date_input(t("开始日期"), today, min_value=today, format="YYYY-MM-DD")
    last = columns[1].date_input(
        t("结束日期"), today + dt.timedelta(days=6), min_value=today, format="YYYY-MM-DD"
    )
    teams = columns[2].number_input(t("每时段组数"), 1, 60, DEFAULT_TEAMS, help=t("同一时段最多派出的小组数"))
    # Drawn above what decides it: a draw has its own seed.
    seed_place = columns[3]
    asked = columns[4].button(t("生成方案"), type="primary", width="stretch")
    assert isinstance(first, dt.date) and isinstance(last, dt.date)
    if first > last:
        panels.draw_note(t("结束日期早于开始日期，请调整。"))
    else:
        panels.draw_provisional(visitor, first=first, last=last)
    with st.expander(t("更多选项：轮次、抽签、联合检查")):
        more = _draw_more(visitor, first=first, last=last)
    seed = seed_place.number_input(
        t("抽签种子"),
        0,
        2**31 - 1,
        1,
        disabled="draw" in more,
        help=t("双随机：同一台账和种子得到同一方案，可复核；选用事先承诺的抽签时，种子由抽签决定"),
    )
    if asked and first <= last:
        period = {"from": first.isoformat(), "to": last.isoformat(), "teams": int(teams), "seed": int(seed)}
        _ask(visitor, {**period, "iterations": DEFAULT_ITERATIONS, **more})


def _ask(visitor: Visitor, parameters: dict[str, Any]) -> None:
    try:
        asks.queue(visitor.wiring, visitor.identity, asks.PLAN, parameters)
    except DataError as error:
        panels.draw_refusal(error, visitor)
        return
    st.rerun()


def _draw_more(visitor: Visitor, *, first: dt.date, last: dt.date) -> dict[str, Any]:
    """Draw the further options and return those of a plan job."""
    t = visitor.t
    fitting = {
        draw.code: draw
        for draw in revisions.draws(visitor.wiring)
        if (draw.period_from, draw.period_to) == (first, last) and draw.revealed_at is None
    }
    # A widget's value can only be set before it is drawn: the commitment just made is chosen here.
    if (made := st.session_state.pop(COMMITTED, None)) in fitting:
        st.session_state[DRAW] = made
    if st.session_state.get(DRAW) not in (None, *fitting):
        del st.session_state[DRAW]
    left, right = st.columns(2, gap="medium")
    with left:
        code = st.selectbox(
            t("事先承诺的抽签"),
            list(fitting),
            index=None,
            key=DRAW,
            placeholder=t("不用，按上面的种子"),
            help=t("期间开始前先公布摘要，期间开始后公开种子，任何人可复核"),
            format_func=lambda item: _draw_name(fitting[item], visitor),
        )
        chosen = None if code is None else fitting[code]
        terms = _draw_terms(visitor, chosen, first=first, last=last)
        if chosen is not None:
            panels.draw_note(t("承诺摘要 {digest}，须在期间开始前公布。", digest=chosen.digest))
        elif st.button(t("承诺一次新的抽签"), help=t("按本期日期、轮次和比例封存一个新种子")):
            _commit(visitor, first=first, last=last, terms=terms)
    with right:
        crews = _draw_crews(visitor)
    return {**crews, **({"draw": chosen.code} if chosen is not None else terms)}


def _draw_name(draw: Committed, visitor: Visitor) -> str:
    return f"{draw.code} · {draw.committed_at.astimezone(LOCAL_ZONE):%m-%d %H:%M} · {draw.committed_by}"


def _draw_terms(
    visitor: Visitor, chosen: Committed | None, *, first: dt.date, last: dt.date
) -> dict[str, Any]:
    """Draw round and shares; those of a draw are fixed by its commitment."""
    t, fixed = visitor.t, chosen is not None
    rounds = {
        item.name.value: item for item in revisions.rounds_holding(visitor.wiring, first=first, last=last)
    }
    control, hidden = PlanOptions.control_share, PlanOptions.thinning
    if chosen is not None:
        control, hidden = chosen.control_share, chosen.thinning
    mark = "" if chosen is None else chosen.code
    name = st.selectbox(
        t("轮次"),
        list(rounds),
        index=list(rounds).index(chosen.round) if chosen is not None and chosen.round in rounds else None,
        key=f"form.round.{mark}.{first}.{last}",
        placeholder=t("不指定，从开始日期起算"),
        help=t("轮次内已查过的不再重复应查"),
        format_func=lambda item: _round_name(rounds[item], visitor),
        disabled=fixed,
    )
    share = st.slider(
        t("随机抽查比例（%）"),
        0,
        round(100 * MOST_CONTROL),
        round(100 * control),
        STEP,
        key=f"form.share.{mark}",
        help=t("这部分家次由抽签决定，不看风险，用来检验评分卡"),
        disabled=fixed,
    )
    thinning = st.slider(
        t("隐去时段比例（%）"),
        0,
        round(100 * MOST_HIDDEN),
        round(100 * hidden),
        STEP,
        key=f"form.hidden.{mark}",
        help=t("每家次随机隐去一部分可用时段，使到访时间不易被猜中；比例越高路程越长"),
        disabled=fixed,
    )
    shares = {"control_share": share / 100, "thinning": thinning / 100}
    return {**shares, **({} if name is None else {"round": name})}


def _round_name(item: Round, visitor: Visitor) -> str:
    note = visitor.t("（暂定）") if item.provisional else ""
    return f"{item.name.label(visitor.language)} {item.first:%m-%d}–{item.last:%m-%d}{note}"


def _draw_crews(visitor: Visitor) -> dict[str, Any]:
    """Draw joint and accompanied rounds."""
    t = visitor.t
    joint = st.multiselect(
        t("联合检查的单位"),
        revisions.departments(visitor.wiring),
        placeholder=t("不指定"),
        help=t("联合时段内每组都有这些单位的人员"),
    )
    slots = st.number_input(t("每周联合时段（个）"), 0, MOST_ROUNDS, 0)
    rounds = st.number_input(t("领导带队（次）"), 0, MOST_ROUNDS, 0, help=t("本期由带队领导陪同出动的班次数"))
    return {
        "joint_departments": list(joint) if slots else [],
        "joint_slots_a_week": int(slots),
        "accompanied": int(rounds),
    }


def _commit(visitor: Visitor, *, first: dt.date, last: dt.date, terms: dict[str, Any]) -> None:
    try:
        made = asks.commit_draw(
            visitor.wiring,
            visitor.identity,
            first=first,
            last=last,
            round_name=terms.get("round"),
            control_share=terms["control_share"],
            thinning=terms["thinning"],
        )
    except (DataError, PlannerError) as error:
        panels.draw_refusal(error, visitor)
        return
    st.session_state[COMMITTED] = made.code
    st.toast(visitor.t("已承诺抽签 {code}，请立即公布摘要", code=made.code))
    st.rerun()
