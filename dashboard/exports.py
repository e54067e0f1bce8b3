"""Plans that leave: as workbook, layer or calendar."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import pandas as pd
from icalendar import Calendar, Event
from openpyxl import Workbook

from dashboard.i18n import sentence_for
from dashboard.parts.workbook import fill, first_sheet
from dashboard.wording import help_lines
from data.register.celltext import printable
from planner.itinerary import PlanView, ShiftView

OFFICE_ZONE = ZoneInfo("Asia/Shanghai")


def clock(seconds: int) -> str:
    """Return seconds of a day as HH:MM."""
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"


def plan_workbook(view: PlanView) -> bytes:
    """Return the plan as xlsx: roster, stops and what was left out."""
    book = Workbook()
    roster = first_sheet(book, "排班表")
    fill(
        roster,
        ("日期", "时段", "时间", "小组", "组长", "成员", "带队领导", "应查家数", "路程(分钟)"),
        (
            (
                shift.date.isoformat(),
                shift.slot_kind.zh,
                f"{clock(shift.start_s)}–{clock(shift.end_s)}",
                shift.team,
                "、".join(m.name for m in shift.members if m.leads),
                "、".join(m.name for m in shift.members if not m.official),
                "、".join(m.name for m in shift.members if m.official),
                len(shift.stops),
                shift.travel_s // 60,
            )
            for shift in view.shifts
        ),
    )
    stops = book.create_sheet("路线")
    fill(
        stops,
        (
            "日期",
            "时段",
            "小组",
            "顺序",
            "到达",
            "机构",
            "类别",
            "地址",
            "经度",
            "纬度",
            "必查",
            "事由",
            "形式",
            "入选概率",
        ),
        (
            (
                shift.date.isoformat(),
                shift.slot_kind.zh,
                shift.team,
                stop.sequence,
                clock(stop.arrive_s),
                stop.name,
                stop.kind.zh,
                stop.address,
                round(stop.lon, 6),
                round(stop.lat, 6),
                "是" if stop.mandatory else "",
                stop.reason.zh,
                stop.form.zh,
                round(stop.p_select, 6),
            )
            for shift in view.shifts
            for stop in shift.stops
        ),
    )
    left = book.create_sheet("未排入")
    fill(
        left,
        ("机构", "类别", "地址", "必查", "事由", "代码", "原因", "怎样才能排入"),
        (
            (
                item.name,
                item.kind.zh,
                item.address,
                "是" if item.mandatory else "",
                item.reason.zh,
                item.code,
                sentence_for(f"unserved.{item.code}", item.detail, "zh"),
                "；".join(help_lines(item.detail.get("helps", ()), "zh")),
            )
            for item in view.unserved
        ),
    )
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def plan_features(view: PlanView, shifts: Sequence[ShiftView] | None = None) -> dict[str, Any]:
    """Return routes as GeoJSON (WGS-84): one line a shift, on the roads where known, one point a stop."""
    features: list[dict[str, Any]] = []
    for shift in view.shifts if shifts is None else shifts:
        common = {
            "plan": view.head.code,
            "shift": shift.code,
            "team": shift.team,
            "date": shift.date.isoformat(),
            "slot": shift.slot_kind.value,
        }
        line = [[round(s.lon, 6), round(s.lat, 6)] for s in shift.stops]
        if shift.track is not None:
            line = [[round(x, 6), round(y, 6)] for x, y in shift.track.coords]
        if len(line) > 1:
            shape: dict[str, Any] = {"type": "LineString", "coordinates": line}
            features.append({"type": "Feature", "properties": {**common, "what": "route"}, "geometry": shape})
        for stop in shift.stops:
            point = {"type": "Point", "coordinates": [round(stop.lon, 6), round(stop.lat, 6)]}
            properties = {
                **common,
                "what": "stop",
                "sequence": stop.sequence,
                "call": stop.call,
                "institution": stop.institution_id,
                "name": stop.name,
                "kind": stop.kind.value,
                "address": stop.address,
                "arrive": clock(stop.arrive_s),
                "mandatory": stop.mandatory,
                "reason": stop.reason.value,
                "p_select": stop.p_select,
                "form": stop.form.value,
            }
            features.append({"type": "Feature", "properties": properties, "geometry": point})
    return {"type": "FeatureCollection", "name": view.head.code, "features": features}


def plan_calendar(view: PlanView) -> bytes:
    """Return the shifts as iCalendar entries with times of the office's zone."""
    calendar = Calendar()
    calendar.add("prodid", "-//gridpatrol//CN")
    calendar.add("version", "2.0")
    for shift in view.shifts:
        midnight = dt.datetime.combine(shift.date, dt.time(), tzinfo=OFFICE_ZONE)
        event = Event()
        event.add("uid", printable(f"{view.head.code}-{shift.code}@gridpatrol"))
        event.add("dtstamp", view.head.created_at)
        event.add("dtstart", midnight + dt.timedelta(seconds=shift.start_s))
        event.add("dtend", midnight + dt.timedelta(seconds=shift.end_s))
        event.add("summary", printable(f"巡查 {shift.team} {shift.slot_kind.zh} {len(shift.stops)}家"))
        # No addresses: a calendar file travels further than the route may.
        calendar.add_component(event)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def _plan_geojson(view: PlanView) -> bytes:
    return json.dumps(plan_features(view), ensure_ascii=False).encode("utf-8", "replace")


def stops_frame(view: PlanView) -> gpd.GeoDataFrame:
    """Return a plan's stops as points: route (shift and team), sequence, name, desc, kind, arrive."""
    rows = [
        {
            "route": f"{shift.code} {shift.team}",
            "sequence": stop.sequence,
            "name": stop.name,
            "desc": f"{clock(stop.arrive_s)} {stop.kind.zh} {stop.address}",
            "kind": stop.kind.value,
            "arrive": clock(stop.arrive_s),
            "mandatory": stop.mandatory,
            "lon": stop.lon,
            "lat": stop.lat,
        }
        for shift in view.shifts
        for stop in shift.stops
    ]
    names = ("route", "sequence", "name", "desc", "kind", "arrive", "mandatory", "lon", "lat")
    table = pd.DataFrame(rows, columns=list(names))
    points = gpd.points_from_xy(table["lon"], table["lat"])
    return gpd.GeoDataFrame(table.drop(columns=["lon", "lat"]), geometry=points, crs=4326)


def routes_frame(view: PlanView) -> gpd.GeoDataFrame:
    """Return a plan's routes as lines with shift, team, date and slot; shifts with one stop have none."""
    features = [f for f in plan_features(view)["features"] if f["properties"]["what"] == "route"]
    if not features:
        return gpd.GeoDataFrame({"name": []}, geometry=[], crs=4326)
    frame = gpd.GeoDataFrame.from_features(features, crs=4326)
    frame.insert(0, "name", frame["shift"] + " " + frame["team"])
    return frame.drop(columns=["what"])


PLAN_FORMATS: dict[str, Callable[[PlanView], bytes]] = {
    "xlsx": plan_workbook,
    "geojson": _plan_geojson,
    "ics": plan_calendar,
}


def plan_bytes(view: PlanView, form: str) -> bytes:
    """Return a plan in one of `PLAN_FORMATS`."""
    return PLAN_FORMATS[form](view)
