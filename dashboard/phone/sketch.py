"""A route as an inline SVG sketch: numbered stops, the way, grid borders, scale bar; no script."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

import geopandas as gpd
import shapely

from dashboard.theme import INK, MAP, MUTED, PAPER, team_colour

WIDTH, HEIGHT, MARGIN = 360, 240, 26
METRES_PER_DEGREE = 111_320.0
APART = 21.0  # between the middles of two marks
Spot = tuple[float, float]
SCALE_STEPS_M = (50, 100, 200, 500, 1000, 2000, 5000)


def draw_sketch(
    stops: Sequence[tuple[float, float]],
    *,
    team: int,
    grids: gpd.GeoDataFrame | None,
    track: Sequence[tuple[float, float]] | None = None,
    depot: tuple[float, float] | None = None,
    depot_word: str = "",
) -> str:
    """Return the SVG of a route.

    Parameters
    ----------
    stops
        WGS-84 longitude and latitude in visiting order.
    team
        Number that chooses the colour.
    grids
        Grid areas whose borders are drawn beneath, WGS-84; None for none.
    track
        The way on the roads, WGS-84; None for straight legs.
    depot, depot_word
        Where the route begins and ends, and the sign on its mark. Stops, way and depot all lie in the frame.
    """
    if not stops:
        return ""
    ends = [] if depot is None else [depot]
    way = [*ends, *stops, *ends] if track is None else [(lon, lat) for lon, lat, *_ in track]
    frame = _Frame([*stops, *way, *ends])
    colour, dashed = team_colour(team)
    parts = [
        f'<svg class="sketch" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true" xmlns="http://www.w3.org/2000/svg">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{MAP["land"]}"/>',
        *_borders(frame, grids),
    ]
    points = [frame.place(lon, lat) for lon, lat in stops]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (frame.place(*spot) for spot in way))
    dash = ' stroke-dasharray="6 4"' if dashed else ""
    parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2.5"{dash}/>')
    home = [] if depot is None else [frame.place(*depot)]
    parts += [_depot_mark(spot, depot_word) for spot in home]
    parts += _stop_marks(points, home, colour)
    parts.append(frame.scale_bar())
    parts.append("</svg>")
    return "".join(parts)


def _depot_mark(spot: Spot, word: str) -> str:
    x, y = spot
    return (
        f'<rect x="{x - 9:.1f}" y="{y - 9:.1f}" width="18" height="18" rx="3" fill="{INK}" stroke="{PAPER}"/>'
        f'<text x="{x:.1f}" y="{y + 4:.1f}" font-size="11" text-anchor="middle" fill="{PAPER}">'
        f"{html.escape(word)}</text>"
    )


def _stop_marks(points: Sequence[Spot], home: Sequence[Spot], colour: str) -> list[str]:
    """Return the numbered marks, each tied by a line to its point where it had to move aside."""
    leads, marks = [], []
    for number, (point, (x, y)) in enumerate(zip(points, _spread(points, home), strict=True), start=1):
        if point != (x, y):
            span = f'x1="{point[0]:.1f}" y1="{point[1]:.1f}" x2="{x:.1f}" y2="{y:.1f}"'
            leads.append(f'<line {span} stroke="{INK}" stroke-width="0.8"/>')
        marks.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="10" fill="{colour}" stroke="{PAPER}"/>'
            f'<text x="{x:.1f}" y="{y + 4:.1f}" font-size="12" text-anchor="middle" fill="{PAPER}">'
            f"{number}</text>"
        )
    return [*leads, *marks]


def _spread(points: Sequence[Spot], kept: Sequence[Spot]) -> list[Spot]:
    """Move marks that would hide another one to the nearest free place in the drawing."""
    placed: list[Spot] = []
    for x, y in points:
        tries = [(x, y)] + [
            (x + ring * APART * math.cos(turn * math.pi / 6), y + ring * APART * math.sin(turn * math.pi / 6))
            for ring in range(1, 7)
            for turn in range(12)
        ]
        taken = [*kept, *placed]
        free = (
            at
            for at in tries
            if all(math.dist(at, other) >= APART - 0.1 for other in taken)
            and 11 <= at[0] <= WIDTH - 11
            and 11 <= at[1] <= HEIGHT - 22
        )
        placed.append(next(free, (x, y)))
    return placed


class _Frame:
    """Places WGS-84 points in the drawing; equirectangular, which is exact enough for one route."""

    def __init__(self, stops: Sequence[tuple[float, float]]) -> None:
        lons, lats = [p[0] for p in stops], [p[1] for p in stops]
        self.middle = ((min(lons) + max(lons)) / 2, (min(lats) + max(lats)) / 2)
        self.east_m = METRES_PER_DEGREE * math.cos(math.radians(self.middle[1]))
        width_m = max((max(lons) - min(lons)) * self.east_m, 200.0)
        height_m = max((max(lats) - min(lats)) * METRES_PER_DEGREE, 150.0)
        self.px_per_m = min((WIDTH - 2 * MARGIN) / width_m, (HEIGHT - 2 * MARGIN) / height_m)

    def place(self, lon: float, lat: float) -> tuple[float, float]:
        x = WIDTH / 2 + (lon - self.middle[0]) * self.east_m * self.px_per_m
        y = HEIGHT / 2 - (lat - self.middle[1]) * METRES_PER_DEGREE * self.px_per_m
        return x, y

    def window(self) -> tuple[float, float, float, float]:
        half_lon = WIDTH / 2 / self.px_per_m / self.east_m
        half_lat = HEIGHT / 2 / self.px_per_m / METRES_PER_DEGREE
        lon, lat = self.middle
        return lon - half_lon, lat - half_lat, lon + half_lon, lat + half_lat

    def scale_bar(self) -> str:
        metres = max((m for m in SCALE_STEPS_M if m * self.px_per_m <= WIDTH / 3), default=SCALE_STEPS_M[0])
        length, y = metres * self.px_per_m, HEIGHT - 8
        label = f"{metres} m" if metres < 1000 else f"{metres // 1000} km"
        return (
            f'<path d="M8 {y - 4}V{y}H{8 + length:.1f}V{y - 4}" fill="none" stroke="{INK}"/>'
            f'<text x="{14 + length:.1f}" y="{y}" font-size="10" fill="{MUTED}">{html.escape(label)}</text>'
        )


def _borders(frame: _Frame, grids: gpd.GeoDataFrame | None) -> list[str]:
    if grids is None or grids.empty:
        return []
    window = shapely.box(*frame.window())
    lines = []
    for shape in grids.geometry[grids.intersects(window)]:
        for ring in shapely.get_parts(shapely.boundary(shape).intersection(window)):
            if ring.geom_type != "LineString":
                continue
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (frame.place(*p[:2]) for p in ring.coords))
            lines.append(f'<polyline points="{path}" fill="none" stroke="{MAP["grid"]}" stroke-width="0.6"/>')
    return lines
