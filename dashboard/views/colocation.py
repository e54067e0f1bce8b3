"""Shared addresses: which licences at one address are one case, and what people found (一址多照)."""

from __future__ import annotations

import html

import streamlit as st

from dashboard import auth, cases, maps, panels
from dashboard.cases import Shared
from dashboard.panels import Figure, Visitor
from data.accounts import Permission
from data.errors import AccountError
from data.terms import ColocationVerdict
from geo.colocated import Case
from geo.colocation import ColocationLevel
from geo.errors import GeoError

ALL = "all"
_SAID, _RECORDS = "colocation.said", "colocation.records"
_PAGE = 10


def draw(visitor: Visitor) -> None:
    """Draw the page."""
    if not auth.sees_whole_district(visitor.identity):
        raise AccountError("forbidden")
    t, language = visitor.t, visitor.language
    panels.open_page(t("同址机构"), t("同一地址登记了多家机构，哪些需要核实"))
    shared = cases.read(visitor.wiring)
    if not shared.cases:
        panels.draw_empty(t("没有同址机构"), t("导入机构名单后，地址相同的机构会列在这里。"))
        return
    _draw_figures(visitor, shared)
    filters = st.columns([2, 2, 4])
    with filters[0]:
        state = panels.choose(
            t("状态"),
            "state",
            [*cases.STATES, ALL],
            default=cases.OPEN,
            show=lambda item: t("全部") if item == ALL else cases.state_word(item, language),
        )
    with filters[1]:
        level = panels.choose(
            t("级别"),
            "level",
            [ALL, *(level.value for level in ColocationLevel)],
            default=ALL,
            show=lambda item: t("全部") if item == ALL else cases.level_word(ColocationLevel(item), language),
        )
    asked = {"state": None if state == ALL else state, "level": None if level == ALL else level}
    chosen = cases.select(shared, level=asked["level"], state=asked["state"])
    by_code = {cases.code_of(case): case for case in chosen[: cases.MOST_LISTED]}
    with filters[2]:
        order = {code: number for number, code in enumerate(by_code, start=1)}
        code = panels.choose(
            t("查看一处"),
            "case",
            [ALL, *by_code],
            default=ALL,
            show=lambda item: (
                t("全部列出") if item == ALL else f"{order[item]}. {cases.place_words(by_code[item])}"
            ),
        )
    _say(visitor)
    left, right = st.columns([4, 5], gap="medium")
    with left:
        _draw_map(visitor, {name: word for name, word in asked.items() if word}, code)
    with right:
        if code == ALL:
            _draw_list(visitor, chosen, shared)
        else:
            _draw_case(visitor, by_code[code], shared)
    with st.expander(t("全部认定记录")):
        _draw_records(visitor, shared)


def _draw_figures(visitor: Visitor, shared: Shared) -> None:
    t, total = visitor.t, cases.count(shared)
    panels.draw_figures(
        [
            Figure(t("待核实（处）"), f"{total.open:,}", t("疑似一址多照，尚未认定、尚不清楚或机构有变化")),
            Figure(t("已认定（处）"), f"{total.settled:,}", t("确属一址多照，或属同一举办者")),
            Figure(
                t("普通楼宇（处）"),
                f"{total.ordinary:,}",
                t("商场、写字楼等各有房间的楼宇，不作为问题；含人工认定的"),
            ),
            Figure(t("涉及机构（家）"), f"{total.institutions:,}", t("与他人同址的机构，已注销的不计")),
        ]
    )


def _draw_map(visitor: Visitor, asked: dict[str, str], code: str) -> None:
    t = visitor.t
    chart = panels.district_map(visitor)
    query = "&".join(f"{name}={word}" for name, word in asked.items())
    maps.add_shapes(chart, f"/api/colocation.geojson?{query}", t=t, focus=None if code == ALL else code)
    maps.add_legend(
        chart,
        t("同址机构"),
        [
            {
                "shape": "circle",
                "fill": cases.COLOURS[state],
                "label": cases.state_word(state, visitor.language),
            }
            for state in cases.STATES
        ],
        t=t,
        notes=[t("数字为列表序号"), t("方案中同一楼宇只停一站")],
    )
    panels.draw_map(chart, key="colocation", height=510)


def _draw_list(visitor: Visitor, chosen: list[Case], shared: Shared) -> None:
    t = visitor.t
    if not chosen:
        panels.draw_empty(t("没有符合条件的同址机构"), t("请改选状态或级别。"))
        return
    panels.draw_rows(cases.rows(chosen, shared, visitor.language), describe=t("同址机构"), height=470)
    if len(chosen) > cases.MOST_LISTED:
        panels.draw_note(
            t("共 {n} 处，只列前 {most} 处；请用状态和级别缩小范围。", n=len(chosen), most=cases.MOST_LISTED)
        )
    panels.draw_note(t("把握由地址、电话和负责人是否相同推得，未经实测校准；电话和姓名不在此显示。"))


def _draw_case(visitor: Visitor, case: Case, shared: Shared) -> None:
    language = visitor.language
    panels.draw_heading(cases.place_words(case))
    panels.draw_note(cases.case_line(case, language))
    panels.draw_rows(cases.licence_rows(case, language), describe=visitor.t("同址机构"), height=240)
    panels.draw_note(cases.last_line(case, shared, language))
    if visitor.may(Permission.DECIDE_COLOCATION):
        _draw_form(visitor, case)
    else:
        panels.draw_note(visitor.t("由组长或内勤认定。"))


def _draw_form(visitor: Visitor, case: Case) -> None:
    t, language, code = visitor.t, visitor.language, cases.code_of(case)
    # The click of a person answers to what they were shown, not to what has become of it meanwhile.
    shown = st.session_state.get(f"shown.{code}", case)
    st.session_state[f"shown.{code}"] = case
    with st.form(f"decide.{code}", border=False):
        verdict = st.radio(
            t("核实结果"),
            list(ColocationVerdict),
            index=None,
            key=f"verdict.{code}",
            horizontal=True,
            format_func=lambda item: item.label(language),
        )
        note = st.text_area(
            t("情况说明"),
            key=f"note.{code}",
            height=68,
            max_chars=500,
            placeholder=t("现场看到什么，依据什么认定"),
        )
        sent = st.form_submit_button(t("保存认定"), type="primary")
    if not sent:
        return
    if verdict is None:
        st.warning(t("请先选择核实结果。"))
        return
    try:
        cases.record(visitor.wiring, visitor.identity, shown, verdict=verdict, note=note)
    except (AccountError, GeoError) as error:
        panels.draw_refusal(error, visitor)
        return
    st.session_state[_SAID] = verdict
    st.rerun()


def _draw_records(visitor: Visitor, shared: Shared) -> None:
    """Draw every decision on file, page by page; the one that holds for its address can be taken back."""
    t = visitor.t

    @panels.fragment(visitor)
    def listed() -> None:
        page = panels.current_page(_RECORDS)
        made = cases.records(visitor.wiring, limit=_PAGE + 1, skip=page * _PAGE)
        if not made and not page:
            panels.draw_note(t("还没有认定。"))
        for item in made[:_PAGE]:
            words, button = st.columns([6, 2], vertical_alignment="center")
            with words:
                panels.draw_note(cases.record_line(item, shared, visitor.language))
            if not item.holds:
                button.html(f'<p class="gp-note">{html.escape(t("已有新认定"))}</p>')
            elif visitor.may(Permission.DECIDE_COLOCATION) and button.button(
                t("撤销"), key=f"back.{item.id}", width="stretch"
            ):
                _take_back(visitor, item.id)
        shown = len(made[:_PAGE])
        panels.draw_pager(visitor, _RECORDS, first=page * _PAGE, shown=shown, more=len(made) > _PAGE)

    listed()


def _take_back(visitor: Visitor, decision: int) -> None:
    try:
        verdict = cases.take_back(visitor.wiring, visitor.identity, decision, note=visitor.t("撤销上次认定"))
    except (AccountError, GeoError) as error:
        panels.draw_refusal(error, visitor)
        return
    st.session_state[_SAID] = verdict
    st.rerun()


def _say(visitor: Visitor) -> None:
    """Say once that a decision was recorded."""
    verdict = st.session_state.pop(_SAID, None)
    if verdict is not None:
        st.success(visitor.t("已记录：{verdict}。", verdict=verdict.label(visitor.language)))
