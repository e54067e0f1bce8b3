"""The parts every view is made of: visitor, title, figures, filters kept in the URL, maps and refusals."""

from __future__ import annotations

import base64
import datetime as dt
import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd
import streamlit as st

from dashboard import maps, reads
from dashboard.access.presence import still
from dashboard.i18n import Translate, sentence, translator
from dashboard.periods import AHEAD_DAYS, FIRST_DAY
from dashboard.wiring import Wiring
from data.accounts import Identity, Permission, may
from data.register.celltext import guard, is_number
from data.terms import Language
from planner.itinerary import ShiftView

T = TypeVar("T")
Cell = str | Sequence[str]
Rows = tuple[Sequence[str], Sequence[Sequence[Cell]]]
MAP_HEIGHT = 520
ROW_HEIGHT, BORDER = 35, 1  # Streamlit's own, in pixels
_ADDRESSES = re.compile(r"(:(?=//)|www(?=\.)|@)", re.IGNORECASE)
_MARKS = re.compile(r"([!-/:-@\[-`{-~])")


@dataclass(frozen=True)
class Visitor:
    """Who looks at a page, in which language, with which parts at hand."""

    wiring: Wiring
    identity: Identity
    language: Language

    @property
    def t(self) -> Translate:
        """The translator of the visitor's language."""
        return translator(self.language)

    def may(self, permission: Permission) -> bool:
        """Return whether the visitor holds `permission`."""
        return may(self.identity, permission)


@dataclass(frozen=True)
class Figure:
    """A headline number: label with unit, value, change since the last period, what it counts.

    Without `is_change` the words below the value are no change, such as an interval, and get no arrow.
    """

    label: str
    value: str
    note: str
    change: str | None = None
    lower_is_better: bool = False
    is_change: bool = True


def fragment(
    visitor: Visitor, *, run_every: float | None = None
) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Return a decorator for a part of a page that runs alone, for as long as its visitor still may.

    A fragment keeps what it was drawn with: each run asks whether the session, role and scope still hold, and
    has the whole page drawn anew where they do not.
    """

    def wrap(draw: Callable[[], None]) -> Callable[[], None]:
        @st.fragment(run_every=run_every)
        def checked() -> None:
            if not still(visitor.wiring, visitor.identity):
                st.rerun()
            draw()

        return checked

    return wrap


def open_page(title: str, question: str) -> None:
    """Draw the title and the question the page answers."""
    st.html(
        f'<h1 class="gp-title">{html.escape(title)}</h1><p class="gp-question">{html.escape(question)}</p>'
    )


def draw_heading(text: str) -> None:
    """Draw the heading of a part of a page."""
    st.html(f'<h2 class="gp-heading">{html.escape(text)}</h2>')


def draw_figures(figures: Sequence[Figure]) -> None:
    """Draw at most five headline numbers in one row."""
    for column, figure in zip(st.columns(len(figures)), figures, strict=True):
        column.metric(
            figure.label,
            figure.value,
            figure.change,
            delta_color="inverse" if figure.lower_is_better else "off",
            delta_arrow="auto" if figure.is_change else "off",
            help=figure.note,
            border=True,
            height="stretch",
        )


def draw_empty(title: str, next_step: str) -> None:
    """Draw a page part that has nothing to show, with the next step in words."""
    st.html(
        f'<div class="gp-empty"><strong>{html.escape(title)}</strong><p>{html.escape(next_step)}</p></div>'
    )


def draw_refusal(error: BaseException, visitor: Visitor) -> None:
    """Draw why something was refused and the way out."""
    st.error(plain(sentence(error, visitor.language)), icon=None)


def choose(
    label: str,
    name: str,
    options: Sequence[T],
    *,
    default: T,
    show: Callable[[T], str],
    write: Callable[[T], str] = str,
) -> T:
    """Draw a choice whose value lives in the URL under `name`, so that a view is a link."""
    key = f"choice.{name}"
    by_text = {write(option): option for option in options}
    if key not in st.session_state or st.session_state[key] not in options:
        st.session_state[key] = by_text.get(st.query_params.get(name, ""), default)
    value: T = st.selectbox(label, options, key=key, format_func=show)
    _mirror(name, write(value), write(default))
    return value


def draw_picture(svg: str, *, describe: str) -> None:
    """Draw an SVG as a picture: Streamlit's cleaner removes SVG elements from HTML."""
    data = base64.b64encode(svg.encode()).decode()
    alt = html.escape(describe, quote=True)
    picture = f'<img class="gp-picture" src="data:image/svg+xml;base64,{data}" alt="{alt}">'
    st.html(f'<div class="gp-scroll">{picture}</div>')


def choose_date(label: str, name: str, *, default: dt.date) -> dt.date:
    """Draw a date whose value lives in the URL under `name`."""
    key = f"date.{name}"
    latest = default + dt.timedelta(days=AHEAD_DAYS)
    linked = _linked_date(name)
    if key not in st.session_state:
        st.session_state[key] = linked if linked is not None and FIRST_DAY <= linked <= latest else default
    value = st.date_input(label, key=key, min_value=FIRST_DAY, max_value=latest, format="YYYY-MM-DD")
    chosen = value if isinstance(value, dt.date) else default
    _mirror(name, chosen.isoformat(), default.isoformat())
    return chosen


def _linked_date(name: str) -> dt.date | None:
    """Return the date of the link, None when it names none or is mistyped; the page then shows its own."""
    try:
        return dt.date.fromisoformat(st.query_params.get(name, ""))
    except ValueError:
        return None


def _mirror(name: str, text: str, default: str) -> None:
    if text == default:
        if name in st.query_params:
            del st.query_params[name]
    elif st.query_params.get(name) != text:
        st.query_params[name] = text


def district_map(visitor: Visitor) -> maps.Map:
    """Return a map of the district, or of the visitor's own part of it."""
    return maps.new_map(
        reads.bounds(visitor.wiring, visitor.identity),
        t=visitor.t,
        language=visitor.language,
        basemap=reads.basemap_credit(visitor.wiring, visitor.t("底图：本区数据")),
        tiles=visitor.wiring.settings.tiles,
        labels=reads.subdistrict_labels(visitor.wiring),
    )


def draw_map(chart: maps.Map, *, key: str, height: int = MAP_HEIGHT) -> None:
    """Draw a map; panning it never runs the page again."""
    # Imported late: imported before the server runs, its files answer 404 for the life of the process.
    from streamlit_folium import st_folium

    maps.require_local(chart)
    st_folium(chart, key=key, height=height, use_container_width=True, returned_objects=[])


def ask_map(chart: maps.Map, *, key: str, height: int = MAP_HEIGHT) -> tuple[float, float] | None:
    """Draw a map and return longitude and latitude of the last click on it, None before any."""
    from streamlit_folium import st_folium

    maps.require_local(chart)
    told = st_folium(
        chart, key=key, height=height, use_container_width=True, returned_objects=["last_clicked"]
    )
    at = (told or {}).get("last_clicked")
    return None if at is None else (float(at["lng"]), float(at["lat"]))


def draw_table(rows: Any, *, key: str, height: int = MAP_HEIGHT) -> None:
    """Draw a table without its index, no higher than its rows.

    Its tool bar saves the cells as csv just as they are shown, so what would be a formula is guarded here.
    """
    rows = guard_cells(rows)
    fitted = ROW_HEIGHT * (len(rows) + 1) + 2 * BORDER
    st.dataframe(rows, hide_index=True, height=min(height, fitted), key=key, width="stretch")


def guard_cells(rows: Any) -> Any:
    """Return a frame, or lines of cells by title, whose texts and titles are no formulas in a spreadsheet."""
    if isinstance(rows, pd.DataFrame):
        frame = rows.map(_guard_cell)
        return frame.rename(columns=_guard_cell)
    return [{_guard_cell(title): _guard_cell(cell) for title, cell in row.items()} for row in rows]


def _guard_cell(cell: Any) -> Any:
    return guard(cell) if isinstance(cell, str) and not is_number(cell) else cell


def current_page(name: str) -> int:
    """Return the page a list is turned to, from 0."""
    return int(st.session_state.get(f"page.{name}", 0))


def draw_pager(visitor: Visitor, name: str, *, first: int, shown: int, more: bool) -> None:
    """Draw which entries a list shows, `first` from 0, and the buttons that turn its pages."""
    t, page = visitor.t, current_page(name)
    if not page and not more:
        return
    words, back, on = st.columns([4, 2, 2], vertical_alignment="center")
    with words:
        draw_note(t("第 {first}–{last} 项", first=first + 1, last=first + shown) if shown else t("没有更多"))
    turned = ((back, t("上一页"), page - 1, page > 0), (on, t("下一页"), page + 1, more))
    for column, label, goal, possible in turned:
        column.button(
            label,
            key=f"{name}.{label}",
            disabled=not possible,
            width="stretch",
            on_click=_turn_page,
            args=(name, goal),
        )


def _turn_page(name: str, page: int) -> None:
    st.session_state[f"page.{name}"] = page


def draw_rows(rows: Rows, *, describe: str, height: int = MAP_HEIGHT) -> None:
    """Draw titles and rows of words that wrap, a cell of one or more lines; on a phone each row is a card."""
    titles, body = rows
    head = "".join(f"<th>{html.escape(title)}</th>" for title in titles)
    lines = "".join(
        "<tr>"
        + "".join(
            f'<td data-label="{html.escape(title, quote=True)}">{_cell(cell)}</td>'
            for title, cell in zip(titles, row, strict=True)
        )
        + "</tr>"
        for row in body
    )
    st.html(
        f'<div class="gp-rows" style="max-height:{height}px" tabindex="0" role="region" '
        f'aria-label="{html.escape(describe, quote=True)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return html.escape(cell)
    return "".join(f"<div>{html.escape(line)}</div>" for line in cell if line)


def way_note(shifts: Sequence[ShiftView], t: Translate) -> str:
    """Return how the lines of routes on a map are meant."""
    if any(shift.track is not None for shift in shifts):
        return t("沿路网行走，数字为到访顺序，同一楼宇的机构同号")
    return t("直线示意，数字为到访顺序，同一楼宇的机构同号")


def draw_link(label: str, path: str) -> None:
    """Draw a link to a file of ours as a button."""
    href, words = html.escape(path, quote=True), html.escape(label)
    st.html(f'<a class="gp-button" href="{href}" target="_self" download>{words}</a>')


def draw_note(text: str) -> None:
    """Draw a small line of words."""
    st.html(f'<p class="gp-note">{html.escape(text)}</p>')


def plain(text: str) -> str:
    """Return `text` fit for a label that Streamlit reads as Markdown: no link, picture or icon in it."""
    # Addresses become links even where every sign is escaped; a joiner nobody sees parts them.
    parted = _ADDRESSES.sub("\\1\u2060", " ".join(text.split()))
    return _MARKS.sub(r"\\\1", parted)


def draw_provisional(visitor: Visitor, *, first: dt.date, last: dt.date) -> None:
    """Warn when a period reaches into a year whose holidays are not announced."""
    days = reads.days(visitor.wiring, first=first, last=last)
    years = sorted({day.date.year for day in days if day.provisional})
    if years:
        listed = visitor.t("、").join(str(year) for year in years)
        st.warning(visitor.t("{years} 年放假安排尚未公布，日历按法定假日暂列，发布时须确认。", years=listed))
