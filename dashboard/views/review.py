"""Locations: which places does the map not know well enough, and where are they really?"""

from __future__ import annotations

import html

import streamlit as st

from dashboard import corrections, maps, panels, reviewwords, theme
from dashboard.panels import Figure, Visitor
from dashboard.parts.cache import counter
from data.accounts import Permission, require
from data.errors import DataError
from geo.errors import GeoError
from geo.geocode import Match
from geo.review.decisions import Decided
from geo.review.queue import QueueRow, Source, Why

ALL = "all"
MOST_LISTED = 100
LAST_DECISIONS, PAGE = 5, 10
DEFAULT_SCORE = 0.7
LIST_HEIGHT, HEIGHT = 468, 430
ROW, NEXT, TURN, WHOLE = "review.row", "review.next", "review.turn", "review.whole"


def draw(visitor: Visitor) -> None:
    """Draw the page."""
    require(visitor.identity, Permission.CORRECT_LOCATION)
    t, wiring = visitor.t, visitor.wiring
    panels.open_page(t("坐标核对"), t("哪些机构的位置还说不准，它们究竟在哪里"))
    total = corrections.tally(wiring, visitor.identity)
    panels.draw_figures(
        [
            Figure(
                t("位置存疑（家）"),
                f"{total.doubtful:,}",
                t("已定位，但误差较大、只定位到道路，或登记的坐标与地址不符"),
            ),
            Figure(t("无法定位（家）"), f"{total.unplaced:,}", t("门牌库里找不到地址，不能排入路线")),
            Figure(t("网格外（家）"), f"{total.outside:,}", t("位置不在任何有效网格内")),
            Figure(t("今日已核（家）"), f"{total.decided_today:,}", t("今天人工核定的机构，已撤销的不计")),
        ]
    )
    queue = corrections.queue(wiring, visitor.identity)
    if not queue:
        panels.draw_empty(t("全部机构均已核对"), t("导入新名册并定位后，位置说不准的机构会列在这里。"))
    else:
        _draw_desk(visitor, queue)
    left, right = st.columns(2, gap="medium")
    with left:
        if total.doubtful:
            _draw_bulk(visitor)
    with right:
        _draw_last(visitor)


def _draw_desk(visitor: Visitor, queue: list[QueueRow]) -> None:
    """Draw the list beside the map; choosing a row or a point runs this part alone."""
    t = visitor.t
    words = {
        ALL: t("全部"),
        Why.UNPLACED.value: t("无法定位"),
        Why.OUTSIDE.value: t("网格外"),
        Why.DOUBTFUL.value: t("位置存疑"),
    }

    @panels.fragment(visitor)
    def desk() -> None:
        left, right = st.columns([2, 3], gap="medium")
        with left:
            why = panels.choose(t("原因"), "why", list(words), default=ALL, show=words.__getitem__)
            rows = [row for row in queue if why in (ALL, row.why.value)][:MOST_LISTED]
            row = _choose_row(visitor, rows) if rows else None
            if len(queue) > MOST_LISTED:
                panels.draw_note(t("最多列出 {n} 家，先列最需要核对的。", n=MOST_LISTED))
        with right:
            if row is None:
                panels.draw_empty(t("没有这一类机构"), t("请改选原因。"))
            else:
                _draw_place(visitor, row, following=corrections.following(rows, row))

    desk()


def _choose_row(visitor: Visitor, rows: list[QueueRow]) -> QueueRow:
    by_id = {row.institution_id: row for row in rows}
    # A widget's value can only be set before it is drawn.
    wanted = st.session_state.pop(NEXT, None)
    if wanted in by_id:
        st.session_state[ROW] = wanted
    elif st.session_state.get(ROW) not in by_id:
        st.session_state[ROW] = rows[0].institution_id
    with st.container(height=LIST_HEIGHT, key="review-list"):
        chosen = st.radio(
            visitor.t("机构"),
            list(by_id),
            key=ROW,
            format_func=lambda key: panels.plain(by_id[key].name),
            captions=[panels.plain(reviewwords.row_line(row, visitor.language)) for row in rows],
            label_visibility="collapsed",
            width="stretch",
        )
    return by_id[chosen]


def _draw_place(visitor: Visitor, row: QueueRow, *, following: int) -> None:
    t, language = visitor.t, visitor.language
    st.html(
        f'<h2 class="gp-heading">{html.escape(row.name)}</h2><p class="gp-note">'
        f"{html.escape(row.address)} · {html.escape(row.kind.label(language))}</p>"
    )
    # Filled once the map has told of a click, drawn above it so that it is seen.
    actions = st.container()
    with st.spinner(t("正在读取门牌库")):
        matches = corrections.candidates(visitor.wiring, visitor.identity, row.institution_id)
    chart = panels.district_map(visitor)
    maps.add_layer(chart, "borders", "/api/grids.geojson", t=t)
    maps.add_layer(chart, "schools", "/api/schools.geojson", t=t)
    maps.add_review(chart, reviewwords.present_point(row), reviewwords.numbered(matches, language), t=t)
    maps.add_legend(chart, t("点击地图或拖动图钉定点"), _legend(visitor), t=t)
    turn = st.session_state.get(TURN, 0)
    point = panels.ask_map(chart, key=f"review.{row.institution_id}.{turn}", height=HEIGHT)
    with actions:
        _draw_actions(visitor, row, point, following=following)
    _draw_candidates(visitor, row, matches, following=following)


def _legend(visitor: Visitor) -> list[dict[str, object]]:
    t = visitor.t
    return [
        {"shape": "circle", "fill": theme.INK, "stroke": theme.PAPER, "label": t("现位置")},
        {"shape": "circle", "stroke": theme.MUTED, "label": t("误差范围")},
        {"shape": "circle", "fill": theme.PRIMARY, "stroke": theme.PAPER, "label": t("候选")},
        {"shape": "circle", "fill": theme.BAD, "stroke": theme.PAPER, "label": t("拟定位置，可拖动")},
        {"line": True, "stroke": theme.MAP["grid"], "label": t("网格边界")},
        maps.school_row(t),
    ]


def _draw_actions(
    visitor: Visitor, row: QueueRow, point: tuple[float, float] | None, *, following: int
) -> None:
    """Draw what the proposed point means, and the buttons to save or skip."""
    t = visitor.t
    telling, saving, skipping = st.columns([6, 2, 2], vertical_alignment="center")
    usable = False
    with telling:
        if point is None:
            panels.draw_note(t("尚未定点：请点击地图、拖动图钉，或采用下面的候选。"))
        else:
            usable = _draw_preview(visitor, row, point)
    if (
        saving.button(t("保存此点"), type="primary", disabled=not usable, width="stretch")
        and point is not None
    ):
        _save(visitor, row, point, Source.POINT, following=following)
    skipping.button(t("跳过"), width="stretch", on_click=_turn_to, args=(following,))


def _turn_to(institution_id: int) -> None:
    st.session_state[NEXT] = institution_id


def _draw_preview(visitor: Visitor, row: QueueRow, point: tuple[float, float]) -> bool:
    """Draw where a point lies; return whether it may be saved."""
    try:
        found = corrections.preview(visitor.wiring, visitor.identity, row.institution_id, *point)
    except (DataError, GeoError) as error:
        panels.draw_refusal(error, visitor)
        return False
    panels.draw_note(reviewwords.preview_line(found, visitor.language))
    return True


def _draw_candidates(visitor: Visitor, row: QueueRow, matches: tuple[Match, ...], *, following: int) -> None:
    t, language = visitor.t, visitor.language
    if not matches:
        panels.draw_note(t("门牌库没有给出候选，请在地图上定点。"))
    for number, match in enumerate(matches, start=1):
        with st.container(border=True):
            words, button = st.columns([6, 2], vertical_alignment="center")
            with words:
                st.html(
                    f'<p class="gp-candidate"><b>{number}</b> '
                    f"{html.escape(reviewwords.candidate_line(match, language))}</p>"
                )
                if notes := reviewwords.candidate_notes(match, language):
                    panels.draw_note(notes)
            chosen = button.button(
                t("采用此候选"), key=f"adopt.{row.institution_id}.{number}", width="stretch"
            )
            if chosen and match.lon is not None and match.lat is not None:
                _save(visitor, row, (match.lon, match.lat), Source.CANDIDATE, following=following)


def _save(
    visitor: Visitor, row: QueueRow, point: tuple[float, float], source: Source, *, following: int
) -> None:
    try:
        corrections.save(visitor.wiring, visitor.identity, row.institution_id, *point, source=source)
    except (DataError, GeoError) as error:
        panels.draw_refusal(error, visitor)
        return
    st.session_state[NEXT] = following
    _turn(visitor, visitor.t("已核定 {name}", name=panels.plain(row.name)))


def _turn(visitor: Visitor, said: str) -> None:
    """Say what was done and draw the page anew, with a map that remembers no click."""
    st.session_state[TURN] = counter(visitor.wiring)
    st.toast(said)
    st.rerun()


def _draw_bulk(visitor: Visitor) -> None:
    t = visitor.t

    @panels.fragment(visitor)
    def bulk() -> None:
        score = st.number_input(t("接受分数不低于"), 0.0, 1.0, DEFAULT_SCORE, 0.05, format="%.2f")
        pairs = corrections.acceptable(visitor.wiring, visitor.identity, float(score))
        if not pairs:
            panels.draw_note(t("没有存疑机构的最佳候选达到这个分数。"))
            return
        panels.draw_rows(
            reviewwords.acceptable_rows(pairs[:MOST_LISTED], visitor.language),
            describe=t("将接受的候选"),
            height=240,
        )
        agreed = st.checkbox(t("确认接受以上 {n} 家", n=len(pairs)), key=f"agree.{score}.{len(pairs)}")
        if st.button(t("接受这 {n} 家", n=len(pairs)), disabled=not agreed):
            try:
                count = corrections.accept(visitor.wiring, visitor.identity, float(score))
            except (DataError, GeoError) as error:
                panels.draw_refusal(error, visitor)
                return
            _turn(visitor, t("已接受 {n} 家，可撤销", n=count))

    with st.expander(t("批量接受候选")):
        bulk()


def _draw_last(visitor: Visitor) -> None:
    t = visitor.t
    panels.draw_heading(t("最近核定"))

    @panels.fragment(visitor)
    def listed() -> None:
        whole = bool(st.session_state.get(WHOLE))
        size, page = (PAGE, panels.current_page(WHOLE)) if whole else (LAST_DECISIONS, 0)
        made = corrections.last_decisions(visitor.wiring, visitor.identity, limit=size + 1, skip=page * size)
        if not made and not page:
            panels.draw_note(t("还没有人工核定。"))
        for item in made[:size]:
            _draw_decision(visitor, item)
        more = len(made) > size
        if whole:
            panels.draw_pager(visitor, WHOLE, first=page * size, shown=len(made[:size]), more=more)
        if whole or more:
            st.checkbox(t("显示全部核定"), key=WHOLE)

    listed()


def _draw_decision(visitor: Visitor, item: Decided) -> None:
    """Draw a decision that stands, with the button that takes it back."""
    t, wiring = visitor.t, visitor.wiring
    words, button = st.columns([6, 2], vertical_alignment="center")
    with words:
        panels.draw_note(reviewwords.decision_line(item, visitor.language, today=wiring.today()))
    if not button.button(t("撤销"), key=f"undo.{item.id}", width="stretch"):
        return
    try:
        count = corrections.undo(wiring, visitor.identity, item.batch or item.id)
    except (DataError, GeoError) as error:
        panels.draw_refusal(error, visitor)
        return
    _turn(visitor, t("已撤销，{n} 家恢复原状", n=count))
