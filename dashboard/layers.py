"""Frames and shifts -> the GeoJSON that the map library draws; each feature carries its own card of text."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Sequence
from typing import Any

import geopandas as gpd
import pandas as pd

from dashboard.exports import clock
from dashboard.i18n import translator
from dashboard.maps import team_number
from dashboard.phone.today import reason_lines
from dashboard.theme import INK, team_colour
from data.terms import Kind, Language, SiteStatus, Stage
from planner.itinerary import ShiftView

Layer = dict[str, Any]
DIGITS = 6  # about 0.1 m


def _collection(features: list[Layer]) -> Layer:
    return {"type": "FeatureCollection", "features": features}


def _point(lon: float, lat: float, properties: Layer) -> Layer:
    geometry = {"type": "Point", "coordinates": [round(lon, DIGITS), round(lat, DIGITS)]}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def institutions(
    places: gpd.GeoDataFrame, debts: pd.DataFrame, *, language: Language, kinds: Collection[str] = ()
) -> Layer:
    """Return located institutions as points: shape by kind, fill by what they owe.

    Parameters
    ----------
    places
        Frame of data.frames.institutions_frame.
    debts
        Ledger of the round: institution_id, owed, paid.
    kinds
        Only these kinds; empty for all.
    """
    t = translator(language)
    sums = debts.groupby("institution_id")[["owed", "paid"]].sum()
    owing = dict(zip(sums.index, zip(sums["owed"], sums["paid"], strict=True), strict=True))
    located = places[places.geometry.notna()]
    if kinds:
        located = located[located["kind"].isin(list(kinds))]
    kind_words = {kind.value: kind.label(language) for kind in Kind}
    status_words = {status.value: status.label(language) for status in SiteStatus}
    features = []
    columns = (located.index, located.geometry.x, located.geometry.y, located["name"], located["kind"])
    rest = (located["status"], located["address"], located["doubtful"])
    for key, lon, lat, name, kind, status, address, doubtful in zip(*columns, *rest, strict=True):
        owed, paid = owing.get(key, (0, 0))
        lines = [f"{kind_words[kind]} · {status_words[status]}", str(address)]
        lines.append(t("本轮应查 {owed} 家次，已查 {paid}", owed=int(owed), paid=int(paid)))
        if doubtful:
            lines.append(t("位置存疑，以地址为准"))
        fill = "doubtful" if doubtful else "paid" if owed and paid >= owed else "owed"
        features.append(
            _point(lon, lat, {"id": int(key), "kind": kind, "fill": fill, "title": str(name), "lines": lines})
        )
    return _collection(features)


def grids(areas: gpd.GeoDataFrame) -> Layer:
    """Return grid areas with code, name and subdistrict."""
    shown = areas[["grid_code", "name", "subdistrict", "geometry"]]
    layer: Layer = json.loads(shown.to_json(to_wgs84=True))
    return layer


def schools(places: gpd.GeoDataFrame, *, language: Language) -> Layer:
    """Return schools as points with name and stage."""
    words = {stage.value: stage.label(language) for stage in Stage}
    columns = (places.geometry.x, places.geometry.y, places["name"], places["stage"])
    return _collection(
        [
            _point(lon, lat, {"title": str(name), "lines": [words[stage]]})
            for lon, lat, name, stage in zip(*columns, strict=True)
        ]
    )


def coverage(areas: gpd.GeoDataFrame, *, language: Language) -> Layer:
    """Return grid areas with the share of visits paid; no number where nothing is owed."""
    t = translator(language)
    shapes = json.loads(areas.geometry.to_json())["features"]
    features = []
    for shape, row in zip(shapes, areas.itertuples(), strict=True):
        share = None if row.share is None or math.isnan(row.share) else round(float(row.share), 4)
        lines = [str(row.subdistrict), t("机构 {n} 家", n=int(row.institutions))]
        lines.append(t("应查 {owed} 家次，已查 {paid} 家次", owed=int(row.owed), paid=int(row.paid)))
        lines.append(t("无应查机构") if share is None else t("覆盖率 {share}", share=f"{share:.0%}"))
        properties = {
            "state": row.state,
            "share": share,
            "title": f"{row.name or row.grid_code}",
            "lines": lines,
        }
        features.append({"type": "Feature", "geometry": shape["geometry"], "properties": properties})
    return _collection(features)


def hotspots(rates: pd.DataFrame, schools: gpd.GeoDataFrame, *, radius_m: int, language: Language) -> Layer:
    """Return a ring of `radius_m` round each school with its rate against the expected one."""
    t = translator(language)
    features = []
    chosen = rates[rates["radius_m"] == radius_m] if len(rates) else rates
    for row in chosen.to_dict("records"):
        place = schools.geometry.loc[row["school_id"]]
        lines = [t("周边 {radius} 米", radius=radius_m), t("机构 {n} 家", n=int(row["institutions"]))]
        lines.append(
            t(
                "检查 {visits} 家次，发现问题 {findings} 家次",
                visits=int(row["visits"]),
                findings=int(row["findings"]),
            )
        )
        if row["visits"]:
            lines.append(
                t(
                    "每百家次 {rate}，基准 {base}",
                    rate=per_hundred(row["rate"]),
                    base=per_hundred(row["base_rate"]),
                )
            )
        lines.append(hotspot_word(str(row["label"]), language))
        properties = {
            "state": row["label"],
            "radius_m": radius_m,
            "title": str(row["school_name"]),
            "lines": lines,
        }
        features.append(_point(place.x, place.y, properties))
    return _collection(features)


def per_hundred(rate: float) -> str:
    """Return a rate as findings per hundred visits, a dash where it is not known."""
    return "—" if rate is None or math.isnan(rate) else f"{100 * rate:.1f}"


def hotspot_word(label: str, language: Language) -> str:
    """Return what a hotspot label means."""
    t = translator(language)
    words = {
        "hot": t("高于基准"),
        "candidate": t("疑似偏高，样本有限"),
        "ordinary": t("未见偏高"),
        "too_few": t("样本不足，不作判断"),
        "no_data": t("无检查记录"),
    }
    return words[label]


def routes(
    shifts: Sequence[ShiftView], *, depot: tuple[str, float, float] | None, language: Language
) -> Layer:
    """Return routes from the depot and back, on the roads where known, with numbered stops, by team."""
    t = translator(language)
    features: list[Layer] = []
    home = [] if depot is None else [[round(depot[1], DIGITS), round(depot[2], DIGITS)]]
    for shift in shifts:
        colour, dashed = team_colour(team_number(shift.team))
        team = t("第 {n} 组", n=team_number(shift.team))
        path = [*home, *([round(s.lon, DIGITS), round(s.lat, DIGITS)] for s in shift.stops), *home]
        if shift.track is not None:
            path = [[round(x, DIGITS), round(y, DIGITS)] for x, y in shift.track.coords]
        properties = {
            "title": team,
            "lines": [t("{n} 站", n=shift.stops[-1].call if shift.stops else 0)],
            "colour": colour,
            "dashed": dashed,
        }
        if len(path) > 1:
            line = {"type": "LineString", "coordinates": path}
            features.append({"type": "Feature", "geometry": line, "properties": properties})
        for stop in shift.stops:
            lines = [f"{team} · {clock(stop.arrive_s)}", stop.kind.label(language), stop.address]
            lines += reason_lines(stop.reasons, language)[:3]
            label = {"label": str(stop.call), "colour": colour, "title": stop.name, "lines": lines}
            features.append(_point(stop.lon, stop.lat, label))
    if depot is not None and features:
        title = t("出发点") if not depot[0] else depot[0]
        card = {
            "label": t("起"),
            "depot": True,
            "colour": INK,
            "title": title,
            "lines": [t("各组出发和返回")],
        }
        features.append(_point(depot[1], depot[2], card))
    return _collection(features)
