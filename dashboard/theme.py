"""The look in one place: tokens read by the pages, the phone, the maps and Streamlit's theme options."""

from __future__ import annotations

import json

INK, MUTED, LINE, PAPER, PANEL = "#1B2733", "#55636F", "#D5DCE3", "#FFFFFF", "#F4F6F8"
PRIMARY, GOOD, ATTENTION, BAD = "#0B4EA2", "#1F7A4D", "#9A5B00", "#B3261E"
FONT = '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", sans-serif'

MAP = {
    "land": "#F7F5F0",
    "block": "#EEEBE4",
    "water": "#CFE2EE",
    "minor": "#FFFFFF",
    "casing": "#DEDAD1",
    "main": "#F3D9A4",
    "grid": "#8592A0",
    "district": "#33404D",
}
# Okabe and Ito's order without its yellow and black, which vanish on paper and against labels.
TEAMS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A4B9A")
# ColorBrewer Blues, five classes; edges are shares of visits paid.
COVERAGE = ("#EFF3FF", "#BDD7E7", "#6BAED6", "#3182BD", "#08519C")
COVERAGE_EDGES = (0.2, 0.4, 0.6, 0.8)
HOT = "#D9480F"
KIND_SHAPES = {
    "subject": "circle",
    "non_subject": "square",
    "care": "triangle",
    "self_study": "diamond",
    "edu_consult": "diamond",
    "kindergarten": "cross",
    "unlicensed": "star",
}
STATE_FILLS = {"paid": "#08519C", "owed": "#FFFFFF", "doubtful": "#E69F00"}


def team_colour(number: int) -> tuple[str, bool]:
    """Return a team's colour and whether its lines are dashed, which an eighth team's and later ones' are."""
    index = max(0, number - 1)
    return TEAMS[index % len(TEAMS)], index >= len(TEAMS)


def streamlit_options() -> dict[str, object]:
    """Return Streamlit's theme options."""
    return {
        "theme.base": "light",
        "theme.primaryColor": PRIMARY,
        "theme.backgroundColor": PAPER,
        "theme.secondaryBackgroundColor": PANEL,
        "theme.textColor": INK,
        "theme.linkColor": PRIMARY,
        "theme.borderColor": LINE,
        "theme.font": FONT,
        "theme.baseRadius": "6px",
        "theme.baseFontSize": 16,
        "theme.showWidgetBorder": True,
    }


def css_tokens() -> str:
    """Return the tokens as CSS custom properties."""
    values = {
        "ink": INK,
        "muted": MUTED,
        "line": LINE,
        "paper": PAPER,
        "panel": PANEL,
        "primary": PRIMARY,
        "good": GOOD,
        "attention": ATTENTION,
        "bad": BAD,
        "font": FONT,
    }
    return ":root{" + "".join(f"--{name}:{value};" for name, value in values.items()) + "}"


def map_tokens() -> str:
    """Return the map's colours as a script that the map library reads."""
    tokens = {
        "map": MAP,
        "ink": INK,
        "muted": MUTED,
        "paper": PAPER,
        "bad": BAD,
        "hot": HOT,
        "coverage": COVERAGE,
        "edges": COVERAGE_EDGES,
        "shapes": KIND_SHAPES,
        "fills": STATE_FILLS,
        "font": FONT,
    }
    return f"window.gridpatrolTokens = {json.dumps(tokens)};\n"
