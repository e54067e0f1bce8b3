"""Shifts of one slot as a drawing: one line a team, one bar a stop, time from left to right."""

from __future__ import annotations

import html
from collections.abc import Sequence

from dashboard.exports import clock
from dashboard.maps import team_number
from dashboard.theme import FONT, INK, LINE, MUTED, PANEL, team_colour
from planner.itinerary import ShiftView

WIDTH, LEFT, RIGHT, ROW, TOP = 1000, 64, 24, 34, 22
STEP_S = 1800


def draw_timeline(shifts: Sequence[ShiftView], *, names: Sequence[str], describe: str) -> str:
    """Return the SVG of the shifts of one slot.

    Parameters
    ----------
    shifts
        Shifts of one date and slot.
    names
        Label of each line.
    describe
        What the drawing shows, for people who cannot see it.
    """
    if not shifts:
        return ""
    first, last = min(s.start_s for s in shifts), max(s.end_s for s in shifts)
    height = TOP + ROW * len(shifts) + 8

    def place(second: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (second - first) / max(1, last - first)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="100%" role="img" '
        f'aria-label="{html.escape(describe, quote=True)}" font-family="{html.escape(FONT, quote=True)}">'
    ]
    for second in range(-(-first // STEP_S) * STEP_S, last + 1, STEP_S):
        x = place(second)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 4}" y2="{height}" stroke="{LINE}"/>')
        parts.append(
            f'<text x="{x:.1f}" y="12" font-size="12" fill="{MUTED}" text-anchor="middle">'
            f"{clock(second)}</text>"
        )
    for number, (shift, name) in enumerate(zip(shifts, names, strict=True)):
        y = TOP + ROW * number
        colour, _ = team_colour(team_number(shift.team))
        parts.append(f'<text x="0" y="{y + 20}" font-size="14" fill="{INK}">{html.escape(name)}</text>')
        width = place(shift.end_s) - place(shift.start_s)
        parts.append(
            f'<rect x="{place(shift.start_s):.1f}" y="{y + 4}" width="{width:.1f}" height="24" '
            f'fill="{PANEL}"/>'
        )
        for stop in shift.stops:
            x, size = place(stop.start_s), max(4.0, place(stop.leave_s) - place(stop.start_s))
            title = html.escape(f"{stop.call} {stop.name} {clock(stop.start_s)}–{clock(stop.leave_s)}")
            parts.append(
                f'<g><title>{title}</title><rect x="{x:.1f}" y="{y + 4}" width="{size:.1f}" height="24" '
                f'rx="3" fill="{colour}"/><text x="{x + size / 2:.1f}" y="{y + 21}" font-size="12" '
                f'fill="#FFFFFF" font-weight="700" text-anchor="middle" stroke="{INK}" stroke-width="2" '
                f'paint-order="stroke">'
                f"{stop.call}</text></g>"
            )
    parts.append("</svg>")
    return "".join(parts)
