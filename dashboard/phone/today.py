"""Today's route on a phone: stops in order, why each is on the list, how to get there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from dashboard import reads, theme
from dashboard.exports import clock
from dashboard.i18n import sentence_for, translator
from dashboard.parts.cache import cached, kept
from dashboard.phone.sketch import draw_sketch
from dashboard.wiring import LOCAL_ZONE, Wiring
from data.accounts import Identity, Permission, may
from data.terms import DayType, Kind, Language, Role, SlotClass
from data.topics import Topic
from geo.crs import wgs84_to_gcj02
from planner.inforce import governing_plans
from planner.itinerary import ShiftView, list_plans

HERE = Path(__file__).parent
MOST_WATCHED = 20
_SHOWN = (Topic.PLACES, Topic.PEOPLE, Topic.PLANS, Topic.VISITS, Topic.CALENDAR)
WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, undefined=jinja2.StrictUndefined
)


@dataclass(frozen=True)
class PhoneStop:
    """One line of the page."""

    sequence: int
    name: str
    kind: str
    address: str
    time: str
    reasons: tuple[str, ...]
    mandatory: bool
    uncertain_m: int | None
    map_url: str
    same_place: bool = False


@dataclass(frozen=True)
class PhoneShift:
    """One shift of the page."""

    title: str
    team: str
    members: str
    stops: tuple[PhoneStop, ...]
    sketch: str
    on_roads: bool


def amap_link(lon: float, lat: float, name: str) -> str:
    """Return a link that opens the place in AMap (GCJ-02); it needs the phone's own network."""
    lons, lats = wgs84_to_gcj02([lon], [lat])
    position = f"{float(lons[0]):.6f},{float(lats[0]):.6f}"
    return f"https://uri.amap.com/marker?position={position}&name={quote(name)}&coordinate=gaode&callnative=1"


def reason_lines(reasons: Sequence[dict[str, Any]], language: Language) -> tuple[str, ...]:
    """Return why a stop is on the list, duties first, as sentences."""
    lines = []
    for item in reasons:
        fields = dict(item)
        if item.get("slot_class"):
            fields["slot_class"] = SlotClass(item["slot_class"]).label(language)  # type: ignore[call-arg]
        code = f"reason.{item['reason']}" if "reason" in item else f"factor.{item['factor']}"
        if item.get("reason") == "due" and not item.get("last_seen"):
            code = "reason.due_never"
        lines.append(sentence_for(code, fields, language))
    return tuple(lines)


def date_title(day: dt.date, day_type: DayType, language: Language) -> str:
    """Return a date as people say it: 9月20日 周日（调休上班）."""
    if language == "en":
        return f"{day:%a %d %b %Y} ({day_type.en})"
    note = "（调休上班）" if day_type is DayType.SHIFTED_WORKDAY else ""
    return f"{day.month}月{day.day}日 {WEEKDAYS[day.weekday()]}{note}"


def phone_shift(
    shift: ShiftView, language: Language, grids: Any, *, depot: tuple[str, float, float] | None
) -> PhoneShift:
    """Return a shift as the page shows it; `depot` has a name, longitude and latitude."""
    stops = tuple(
        PhoneStop(
            stop.call,
            stop.name,
            stop.kind.label(language),
            stop.address,
            clock(stop.arrive_s),
            reason_lines(stop.reasons, language),
            stop.mandatory,
            round(stop.error_radius_m) if stop.error_radius_m and stop.error_radius_m > 100 else None,
            amap_link(stop.lon, stop.lat, stop.name),
            before is not None and before.call == stop.call,
        )
        for stop, before in zip(shift.stops, (None, *shift.stops), strict=False)
    )
    number = int(shift.team.lstrip("T") or 1)
    return PhoneShift(
        f"{shift.slot_kind.label(language)} {clock(shift.start_s)}–{clock(shift.end_s)}",
        f"第{number}组" if language == "zh" else f"Team {number}",
        translator(language)("、").join(member.name for member in shift.members),
        stops,
        draw_sketch(
            [(s.lon, s.lat) for s, line in zip(shift.stops, stops, strict=True) if not line.same_place],
            team=number,
            grids=grids,
            track=None if shift.track is None else [(x, y) for x, y, *_ in shift.track.coords],
            depot=None if depot is None else depot[1:],
            depot_word=translator(language)("起"),
        ),
        shift.track is not None,
    )


def read_today(wiring: Wiring, identity: Identity, language: Language) -> dict[str, Any]:
    """Return what the page shows to `identity` today."""
    day, depot = wiring.today(), reads.depot(wiring)
    shifts: tuple[PhoneShift, ...] = ()
    watched: list[PhoneStop] = []
    following = None
    if identity.role is Role.GRID_WORKER:
        watched = _watched(wiring, identity, day, language)
    elif may(identity, Permission.READ_OWN_ROUTE):
        everything = may(identity, Permission.READ_ROSTER) and identity.officer_id is None
        officer_id = None if everything else identity.officer_id
        if everything or officer_id is not None:
            shifts = _shifts(wiring, day, officer_id, language, depot)
            following = reads.next_shift(wiring, after=day, officer_id=officer_id)
    return {
        "date": date_title(day, reads.days(wiring, first=day, last=day)[0].type, language),
        "shifts": shifts,
        "watched": watched,
        "is_grid_worker": identity.role is Role.GRID_WORKER,
        "following": None if following is None else following.isoformat(),
        "made_at": wiring.now().astimezone(LOCAL_ZONE).strftime("%H:%M"),
        "name": identity.display_name,
    }


def _shifts(
    wiring: Wiring,
    day: dt.date,
    officer_id: int | None,
    language: Language,
    depot: tuple[str, float, float] | None,
) -> tuple[PhoneShift, ...]:
    """Return the shifts as the page shows them, sketches included; a team asks for the same all evening."""

    def make() -> tuple[PhoneShift, ...]:
        found = reads.shifts(wiring, day=day, officer_id=officer_id)
        grids = reads.grids(wiring) if found else None
        return tuple(phone_shift(shift, language, grids, depot=depot) for shift in found)

    return kept(wiring, "phone_shifts", (day, officer_id, language), make, topics=_SHOWN)


def _watched(wiring: Wiring, identity: Identity, day: dt.date, language: Language) -> list[PhoneStop]:
    """Return places of the own grid still owed in the round: looked at from public space, not entered."""

    def make() -> list[PhoneStop]:
        first, last = _round_so_far(wiring, day)
        debts = reads.debts(wiring, first=first, last=last)
        open_debts = debts[debts["owed"] > debts["paid"]]
        places = reads.institutions(wiring, identity)
        places = places[places.index.isin(open_debts["institution_id"]) & places.geometry.notna()]
        return [
            PhoneStop(
                number,
                str(row.name_),
                Kind(row.kind).label(language),  # type: ignore[call-arg]
                str(row.address),
                "",
                (),
                False,
                None,
                amap_link(row.geometry.x, row.geometry.y, str(row.name_)),
            )
            for number, row in enumerate(
                places.rename(columns={"name": "name_"}).head(MOST_WATCHED).itertuples(), start=1
            )
        ]

    scope = (identity.role, identity.scope_subdistrict, identity.scope_grid_code)
    return kept(wiring, "phone_watched", (day, language, *scope), make, topics=_SHOWN)


def _round_so_far(wiring: Wiring, day: dt.date) -> tuple[dt.date, dt.date]:
    """Return the round of the plan in force and the end of its period, the day alone without one."""

    def read(session: Session) -> tuple[dt.date, dt.date]:
        plan_id = governing_plans(session, day, day).get(day)
        head = next((plan for plan in list_plans(session) if plan.id == plan_id), None)
        return (day, day) if head is None else (head.round_from, head.period_to)

    return cached(wiring, "round_so_far", (day,), read, topics=(Topic.PLANS,))


def render_today(content: dict[str, Any], language: Language) -> str:
    """Return the page."""
    return _TEMPLATES.get_template("today.html").render(
        **content, lang="zh-CN" if language == "zh" else "en", _=translator(language), theme=theme
    )


def routes(wiring: Wiring) -> list[Route]:
    """Return the phone routes, to be mounted under /m behind the gate."""

    async def today_page(request: Request) -> Response:
        language: Language = request.state.language
        identity: Identity = request.state.identity

        def draw() -> str:
            return render_today(read_today(wiring, identity, language), language)

        text = await request.state.lanes.phone.run(identity.user_id, draw, request=request)
        return HTMLResponse(text, headers={"Cache-Control": "no-store"})

    def service_worker(request: Request) -> Response:
        return FileResponse(HERE / "static" / "sw.js", media_type="text/javascript")

    def manifest(request: Request) -> Response:
        return FileResponse(HERE / "static" / "manifest.webmanifest", media_type="application/manifest+json")

    return [
        Route("/today", today_page),
        Route("/sw.js", service_worker),
        Route("/manifest.webmanifest", manifest),
    ]
