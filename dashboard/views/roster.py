"""Roster: choose a plan, look at routes, publish, change it; the parts are rooms of their own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from urllib.parse import quote

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import asks, changes, maps, panels, reads, revisions, tables, wording
from dashboard.i18n import sentence
from dashboard.panels import Figure, Visitor
from dashboard.phone.today import date_title
from dashboard.timeline import draw_timeline
from dashboard.views import roster_change, roster_diff, roster_form, roster_job, roster_left
from dashboard.wiring import LOCAL_ZONE
from data.accounts import Permission
from data.errors import DataError
from data.terms import PlanStatus
from planner.errors import PlannerError
from planner.itinerary import PlanHead, PlanView, ShiftView


def draw(visitor: Visitor) -> None:
    """Draw the page."""
    t = visitor.t
    panels.open_page(t("排班与路线"), t("谁在什么时段去哪里：生成、查看、发布"))
    if visitor.may(Permission.WRITE_ROSTER):
        roster_form.draw_form(visitor)
    heads = reads.plans(visitor.wiring)
    if not heads:
        words = (
            t("选择起止日期和组数，点“生成方案”。")
            if visitor.may(Permission.WRITE_ROSTER)
            else t("方案由组长生成。")
        )
        panels.draw_empty(t("还没有方案"), words)
        return
    by_code = {head.code: head for head in heads}
    if (made := roster_job.made_plan(visitor)) in by_code:
        st.session_state["choice.plan"] = made
    figures_row = st.container()
    chosen = st.columns(2)
    with chosen[0]:
        code = panels.choose(
            t("方案"),
            "plan",
            list(by_code),
            default=heads[0].code,
            show=lambda item: tables.plan_name(by_code[item], visitor.language),
        )
    view = reads.plan(visitor.wiring, code)
    with figures_row:
        panels.draw_figures(figures(view, visitor))
        _draw_worth(visitor, view)
    _draw_plan(visitor, view, heads, slot_place=chosen[1])


def _draw_plan(
    visitor: Visitor, view: PlanView, heads: Sequence[PlanHead], *, slot_place: DeltaGenerator
) -> None:
    _draw_publish(visitor, view)
    roster_change.draw_change(visitor, view.head)
    roster_diff.draw_difference(visitor, view.head, heads)
    if not view.shifts:
        panels.draw_empty(
            visitor.t("方案中没有班次"), visitor.t("查看下方未排入原因，调整日期或人员后重新生成。")
        )
    else:
        _draw_slot(visitor, view, slot_place=slot_place)
        _draw_shares(visitor, view)
    roster_left.draw_left(visitor, view)


def figures(view: PlanView, visitor: Visitor) -> list[Figure]:
    """Return the five numbers of a plan."""
    t, s = visitor.t, view.head.summary
    return [
        Figure(
            t("机构覆盖（家）"),
            f"{s['institutions_seen']:,} / {s['institutions']:,}",
            t("周期内至少排入一次的机构，占本轮应查机构 {share}", share=f"{s['coverage']:.1%}"),
        ),
        Figure(t("排入（家次）"), f"{s['served']:,} / {s['visits']:,}", t("一家机构在不同时间点各计一次")),
        Figure(
            t("必查（家次）"),
            f"{s['mandatory_served']:,} / {s['mandatory']:,}",
            t("整改复查和举报核查，须全部排入"),
        ),
        Figure(t("班次（个）"), f"{s['shifts']:,}", t("最多 {n} 组同时在外", n=s["teams"])),
        Figure(t("路程（小时）"), f"{s['travel_s'] / 3600:,.1f}", wording.travel_line(s, visitor.language)),
    ]


def _draw_worth(visitor: Visitor, view: PlanView) -> None:
    """Draw what no plan can exceed, what this one costs by rule, and the state of its draw."""
    t, language = visitor.t, visitor.language
    reach = wording.reach_line(view.head.summary, language)
    if reach:
        panels.draw_note(reach)
    cost = changes.cost_line(revisions.parts(visitor.wiring, view.head.code).cost, language)
    panels.draw_note(
        t("；").join([cost, changes.draw_line(view.head, revisions.draws(visitor.wiring), language)])
    )
    panels.draw_note(wording.travel_line(view.head.summary, language))


def _draw_publish(visitor: Visitor, view: PlanView) -> None:
    t, head = visitor.t, view.head
    left, right = st.columns([3, 1], vertical_alignment="center")
    with right:
        panels.draw_link(t("导出排班表"), f"/api/plan/{quote(head.code)}.xlsx")
    with left:
        if head.status is not PlanStatus.DRAFT:
            when = (
                ""
                if head.published_at is None
                else f"{head.published_at.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M}"
            )
            state = t(
                "{state}，不可修改；如需调整，用“临时调整”另出草案。",
                state=head.status.label(visitor.language),
            )
            st.html(f'<p class="gp-note">{state} {when}</p>')
            return
        if not visitor.may(Permission.PUBLISH):
            st.html(f'<p class="gp-note">{t("草案，待组长发布。")}</p>')
            return
        agreed = True
        if head.provisional:
            agreed = st.checkbox(
                t("本方案涉及放假安排未公布的年度，我已核对日历，确认发布"), key=f"agree.{head.code}"
            )
        objections = revisions.objections(visitor.wiring, head.code)
        for objection in objections:
            # The words are part of the key: what changes once more has to be read once more.
            words = sentence(objection, visitor.language)
            st.warning(words)
            agreed &= st.checkbox(t("我已核对以上变化，仍要发布"), key=f"agree.{head.code}.{words}")
        if st.button(t("发布"), type="primary", disabled=not agreed, key=f"publish.{head.code}"):
            told = {objection.code for objection in objections}
            _publish(visitor, head.code, confirmed=head.provisional and agreed, agreed=told)


def _publish(visitor: Visitor, code: str, *, confirmed: bool, agreed: Collection[str]) -> None:
    try:
        asks.publish_plan(visitor.wiring, visitor.identity, code, confirmed=confirmed, agreed=agreed)
    except (DataError, PlannerError) as error:
        panels.draw_refusal(error, visitor)
        return
    st.toast(visitor.t("方案 {code} 已发布", code=code))
    st.rerun()


def _slot_code(shift: ShiftView) -> str:
    return f"{shift.date.isoformat()}_{shift.slot_kind.value}"


def _draw_slot(visitor: Visitor, view: PlanView, *, slot_place: DeltaGenerator) -> None:
    t = visitor.t
    slots = {_slot_code(shift): shift for shift in view.shifts}
    days = {
        d.date: d for d in reads.days(visitor.wiring, first=view.head.period_from, last=view.head.period_to)
    }

    def name(code: str) -> str:
        shift = slots[code]
        date = date_title(shift.date, days[shift.date].type, visitor.language)
        return f"{date} {tables.slot_name(shift, visitor.language)}"

    with slot_place:
        slot = panels.choose(t("时段"), "slot", list(slots), default=next(iter(slots)), show=name)
    shifts = [shift for shift in view.shifts if _slot_code(shift) == slot]
    left, right = st.columns([5, 4], gap="medium")
    with left:
        chart = panels.district_map(visitor)
        maps.add_layer(
            chart, "routes", f"/api/plan/{view.head.code}/routes.geojson?slot={slot}", t=t, fit=True
        )
        teams = list(dict.fromkeys(shift.team for shift in shifts))
        maps.add_legend(
            chart, t("小组路线"), maps.team_rows(teams, t), t=t, notes=[panels.way_note(shifts, t)]
        )
        panels.draw_map(chart, key="roster")
    with right:
        panels.draw_table(
            tables.shift_rows(shifts, visitor.language, with_slot=False), key="shifts", height=180
        )
        panels.draw_table(tables.stop_rows(shifts, visitor.language), key="stops", height=330)
    panels.draw_heading(t("时间线"))
    names = [tables.team_name(shift.team, visitor.language) for shift in shifts]
    panels.draw_picture(
        draw_timeline(shifts, names=names, describe=t("各组在本时段的到访时间")),
        describe=t("各组在本时段的到访时间"),
    )


def _draw_shares(visitor: Visitor, view: PlanView) -> None:
    t, shares = visitor.t, reads.workshares(visitor.wiring, view.head.code)
    with st.expander(t("出勤均衡：各人占应值 {span}", span=tables.share_span(shares))):
        note = t("应值按在岗时间折算：请假和未到岗的日子不计；半年指方案之前 183 天，含本期。")
        st.html(f'<p class="gp-note">{note}</p>')
        panels.draw_table(tables.share_rows(shares, visitor.language), key="shares", height=420)
