"""Words of plans: shifts, slots, reasons and what would help, as people say them; for pages and commands."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any

from dashboard.i18n import sentence_for, translator
from data.terms import Language, SlotKind

WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
MOST_HELPS = 3
_CODE = re.compile(r"(\d{4}-\d{2}-\d{2})-([a-z_]+)(?:-T(\d+))?")
_TEAM = re.compile(r"T(\d+)")
_PLACE = re.compile(r"(I\d+)(?:-[a-z0-9_-]+)?")
_KINDS = {kind.value: kind for kind in SlotKind}


def date_words(day: dt.date, language: Language) -> str:
    """Return a date as people say it: 9月19日 周六."""
    if language == "en":
        return f"{day:%a} {day.day} {day:%b}"
    return f"{day.month}月{day.day}日 {WEEKDAYS[day.weekday()]}"


def travel_line(summary: Mapping[str, Any], language: Language) -> str:
    """Return how the travel of a plan was reckoned; a straight line states its detour factor."""
    t = translator(language)
    legs = summary.get("legs") or {"kind": "straight_line", "circuity": 1.5, "apart": 0, "name": None}
    factor = f"{legs['circuity']:g}"
    if legs["kind"] == "straight_line":
        return t("各班往返路程合计，无路网，按直线距离乘 {factor} 估算", factor=factor)
    if legs["kind"] == "server":
        words = t("各班往返路程合计，由内网路径服务计算")
        if n := legs.get("unanswered"):
            words += t("；路径服务未能给出新增 {n} 家的路程，按直线乘 {factor} 估算", n=n, factor=factor)
        return words
    words = t("各班往返路程合计，按路网“{name}”计算", name=legs["name"])
    if legs["apart"]:
        words += t("；{n} 家不在路网旁，按直线乘 {factor}", n=legs["apart"], factor=factor)
    return words


def code_words(code: str, language: Language) -> str:
    """Return a shift, slot or team by its date, kind of slot and number; a file's own code as it is."""
    team = _TEAM.fullmatch(code)
    if team is not None:
        return translator(language)("第 {n} 组", n=int(team[1]))
    found = _CODE.fullmatch(code)
    if found is None or found[2] not in _KINDS:
        return code
    date, kind, number = found.groups()
    parts = [date_words(dt.date.fromisoformat(date), language), _KINDS[kind].label(language)]
    if number is not None:
        parts.append(translator(language)("第 {n} 组", n=int(number)))
    return (" " if language == "zh" else ", ").join(parts)


def name_words(code: str, language: Language, names: Mapping[str, str]) -> str:
    """Return the name of an officer, an institution or its visit; else the code in words."""
    place = _PLACE.fullmatch(code)
    known = names.get(code) or (names.get(place[1]) if place is not None else None)
    return known or code_words(code, language)


def spoken(
    fields: Mapping[str, Any], language: Language, names: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the fields of a code with shifts, slots, officers and institutions in words."""
    known = names or {}

    def tell(value: Any) -> Any:
        if isinstance(value, str):
            return name_words(value, language, known)
        if isinstance(value, Mapping):
            return {
                key: item if key in ("code", "rule", "where") else tell(item) for key, item in value.items()
            }
        return [tell(item) for item in value] if isinstance(value, (list, tuple)) else value

    return {key: tell(value) for key, value in fields.items()}


def help_line(help_: Mapping[str, Any], language: Language, names: Mapping[str, str] | None = None) -> str:
    """Return what one relaxed rule would do, as a sentence."""
    fields = {**spoken(help_, language, names), "minutes": round(int(help_["cost_s"]) / 60)}
    fields["by_minutes"] = -(-int(help_.get("by_s", 0)) // 60)
    return sentence_for(f"help.{help_['rule']}", fields, language)


def help_lines(
    helps: Iterable[Mapping[str, Any]],
    language: Language,
    names: Mapping[str, str] | None = None,
    *,
    most: int = MOST_HELPS,
) -> list[str]:
    """Return what the cheapest relaxed rules would do, as sentences."""
    return [help_line(help_, language, names) for help_ in list(helps)[:most]]


def reach_line(summary: Mapping[str, Any], language: Language) -> str | None:
    """Return what a plan reaches and what no plan can exceed; None where no bound was computed."""
    reached, ceiling = summary.get("reached"), summary.get("ceiling")
    # A changed plan keeps its parent's other figures, but no bound: its problem is another one.
    if summary.get("bound") is None or reached is None or ceiling is None:
        return None
    fields = {**reached, **{f"most_{name}": value for name, value in ceiling.items()}}
    return sentence_for("bound.ceiling", fields, language)
