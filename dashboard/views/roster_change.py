"""Changes of a plan (临时调整): who is absent, what is urgent or unwanted, what stays; asked as a job."""

from __future__ import annotations

import datetime as dt
from typing import Any

import streamlit as st

from dashboard import asks, panels, reads, revisions
from dashboard.exports import clock
from dashboard.panels import Visitor
from dashboard.revisions import Parts
from dashboard.views import roster_job
from dashboard.wiring import LOCAL_ZONE
from dashboard.wording import code_words, date_words, name_words
from data.accounts import Permission
from data.errors import DataError
from data.terms import PlanStatus
from planner.itinerary import PlanHead


def draw_change(visitor: Visitor, head: PlanHead) -> None:
    """Draw the form for a draft or published plan whose period is not over, or how far the change is."""
    t = visitor.t
    over = head.period_to < visitor.wiring.today()
    if not visitor.may(Permission.WRITE_ROSTER) or head.status is PlanStatus.SUPERSEDED or over:
        return
    job = reads.latest_job(visitor.wiring, kind=asks.REPAIR)
    if job is not None and job.under_way:
        doing = t("正在调整方案 {code}", code=job.parameters.get("plan", ""))
        roster_job.draw_progress(visitor, asks.REPAIR, doing=doing)
        return
    concerns = job is not None and job.parameters.get("plan") == head.code
    if job is not None and concerns:
        roster_job.draw_failure(visitor, job)

    @panels.fragment(visitor)
    def form() -> None:
        _draw_fields(visitor, head)

    with st.expander(t("临时调整：缺勤、加急、取消、固定")):
        form()


def _draw_fields(visitor: Visitor, head: PlanHead) -> None:
    t, code = visitor.t, head.code
    parts, names = revisions.parts(visitor.wiring, code), revisions.names(visitor.wiring)
    panels.draw_note(t("只改必须改的，其余各组的路线不动；结果是一份新草案，原方案不变，核对后再发布。"))
    left, right = st.columns(2, gap="medium")
    with left:
        asked = _draw_absence(visitor, parts, code)
        asked |= _draw_time(visitor, head)
    with right:
        add = st.multiselect(
            t("加急检查的机构"),
            revisions.places(visitor.wiring),
            key=f"change.add.{code}",
            placeholder=t("不加急"),
            help=t("有未排入的家次先排它，否则再加一次必查"),
            format_func=lambda item: name_words(item, visitor.language, names),
        )
        drop = st.multiselect(
            t("取消的家次"),
            [item.visit for item in parts.served],
            key=f"change.drop.{code}",
            placeholder=t("不取消"),
            format_func=_visit_namer(visitor, parts),
        )
    asked |= {"add": list(add), "drop": list(drop)}
    with st.expander(t("固定不动的家次、班次、时段或小组")):
        asked |= _draw_kept(visitor, parts, code)
    named = any(asked.get(name) for name in ("absent", "add", "drop", "pins", "locks"))
    if st.button(t("计算调整"), type="primary", disabled=not named, key=f"change.ask.{code}"):
        _ask(visitor, {"plan": code, **asked})


def _draw_absence(visitor: Visitor, parts: Parts, code: str) -> dict[str, Any]:
    t, names, today = visitor.t, revisions.names(visitor.wiring), visitor.wiring.today()
    columns = st.columns(2)
    who = columns[0].selectbox(
        t("谁不能出勤"),
        [*parts.officers, *parts.teams],
        index=None,
        key=f"change.who.{code}",
        placeholder=t("无人缺勤"),
        help=t("选人：先找替班，找不到才停班；选组：整组停班"),
        format_func=lambda item: name_words(item, visitor.language, names),
    )
    days = [] if who is None else [day for day in parts.dates[who] if day >= today]
    date = columns[1].selectbox(
        t("哪一天"),
        days,
        index=0 if days else None,
        key=f"change.date.{code}.{who}",
        placeholder=t("今天以后没有班次") if who is not None else t("先选人或组"),
        format_func=lambda day: date_words(day, visitor.language),
        disabled=not days,
    )
    return {} if who is None or date is None else {"absent": who, "date": date.isoformat()}


def _draw_time(visitor: Visitor, head: PlanHead) -> dict[str, Any]:
    """Draw the moment from which on the plan may change; by default now, once the period has begun."""
    t, now = visitor.t, visitor.wiring.now().astimezone(LOCAL_ZONE)
    today = visitor.wiring.today()
    begun = head.status is PlanStatus.PUBLISHED and head.period_from <= today
    columns = st.columns([9, 8, 6], vertical_alignment="bottom")
    fixed = columns[0].checkbox(
        t("此前已开始的不变"),
        begun,
        key=f"change.from.{head.code}",
        help=t("已完成和正在检查的家次保持原样，只重排以后的"),
    )
    day = columns[1].date_input(
        t("日期"),
        min(max(today, head.period_from), head.period_to),
        min_value=head.period_from,
        max_value=head.period_to,
        format="YYYY-MM-DD",
        key=f"change.day.{head.code}",
        disabled=not fixed,
    )
    default = now.time().replace(minute=now.minute // 5 * 5, second=0, microsecond=0)
    time = columns[2].time_input(
        t("时刻"), default if begun else dt.time(8), key=f"change.time.{head.code}", disabled=not fixed
    )
    if not fixed or not isinstance(day, dt.date) or time is None:
        return {}
    return {"at": [day.isoformat(), time.hour * 3600 + time.minute * 60]}


def _draw_kept(visitor: Visitor, parts: Parts, code: str) -> dict[str, Any]:
    t = visitor.t
    pins = st.multiselect(
        t("留在原班次的家次"),
        [item.visit for item in parts.served],
        key=f"change.pins.{code}",
        placeholder=t("不限"),
        format_func=_visit_namer(visitor, parts),
    )
    whole = {
        **{slot: t("{slot}（各组）", slot=code_words(slot, visitor.language)) for slot in parts.slots},
        **{team: t("{team}（整个期间）", team=code_words(team, visitor.language)) for team in parts.teams},
    }
    locks = st.multiselect(
        t("完全不动的时段、小组或班次"),
        [*parts.slots, *parts.teams, *parts.shifts],
        key=f"change.locks.{code}",
        placeholder=t("不限"),
        format_func=lambda item: whole.get(item) or code_words(item, visitor.language),
    )
    return {"pins": list(pins), "locks": list(locks)}


def _visit_namer(visitor: Visitor, parts: Parts) -> Any:
    """Return the function that names a served visit with its shift and time."""
    names, served = revisions.names(visitor.wiring), {item.visit: item for item in parts.served}

    def name(visit: str) -> str:
        placed = served[visit]
        where = f"{code_words(placed.shift, visitor.language)} {clock(placed.start_s)}"
        return f"{name_words(visit, visitor.language, names)} · {where}"

    return name


def _ask(visitor: Visitor, parameters: dict[str, Any]) -> None:
    try:
        asks.queue(visitor.wiring, visitor.identity, asks.REPAIR, parameters)
    except DataError as error:
        panels.draw_refusal(error, visitor)
        return
    st.rerun()
