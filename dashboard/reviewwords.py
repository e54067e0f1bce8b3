"""Words of the review queue: reasons, candidates and decisions as people read them, for page and commands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dashboard.i18n import sentence_for, translator
from dashboard.wiring import LOCAL_ZONE
from data.terms import Language
from geo.geocode import Match
from geo.review.decisions import Decided
from geo.review.placement import Preview
from geo.review.queue import QueueRow

if TYPE_CHECKING:
    # Commands use these words too, and need no page library.
    from dashboard.panels import Rows


def reason(row: QueueRow, language: Language) -> str:
    """Return why a place is in the queue."""
    return sentence_for(f"review.{row.code}", {}, language)


def level_word(level: str, language: Language) -> str:
    """Return how fine a place is known."""
    return sentence_for(f"level.{level}", {}, language)


def row_line(row: QueueRow, language: Language) -> str:
    """Return a place's reason, with score and error radius or its distance from its address, in one line."""
    t, parts = translator(language), [reason(row, language)]
    if row.is_contradicted:
        parts.append(t("相距约 {metres} 米", metres=f"{row.error_radius_m or 0.0:,.0f}"))
    elif row.lon is not None:
        parts += _trust(row.score, row.error_radius_m, language)
    return " · ".join(parts)


def candidate_line(match: Match, language: Language) -> str:
    """Return a candidate's level, what matched, score and error radius in one line."""
    named = [level_word(match.level.value, language), match.matched_text]
    return " · ".join([*filter(None, named), *_trust(match.score, match.error_radius_m, language)])


def candidate_notes(match: Match, language: Language) -> str:
    """Return what a reviewer should know about a candidate, empty when there is nothing."""
    codes = [*(["suggestion"] if match.code == "suggestion" else []), *match.notes]
    return translator(language)("；").join(sentence_for(f"note.{code}", {}, language) for code in codes)


def preview_line(found: Preview, language: Language) -> str:
    """Return where a proposed point lies: coordinates, grid area, distance from the present point."""
    t = translator(language)
    parts = [t("拟定位置 {lon}，{lat}", lon=f"{found.lon:.6f}", lat=f"{found.lat:.6f}")]
    if found.grid_code is None:
        parts.append(t("不在任何网格内"))
    else:
        parts.append(" ".join(filter(None, [found.subdistrict, found.grid_name or found.grid_code])))
    if found.moved_m is not None:
        parts.append(t("距原位置 {n} 米", n=f"{found.moved_m:,.0f}"))
    return " · ".join(parts)


def decision_line(item: Decided, language: Language, *, today: dt.date) -> str:
    """Return a decision: which institution, how, by whom and when."""
    t = translator(language)
    parts = [t("批量接受 {n} 家", n=item.count)]
    if item.batch is None:
        parts = [item.name, sentence_for(f"decision.{item.action}", {}, language)]
    at = item.decided_at.astimezone(LOCAL_ZONE)
    when = f"{at:%H:%M}" if at.date() == today else f"{at:%m-%d %H:%M}"
    return " · ".join([*parts, item.decided_by, when])


def acceptable_rows(pairs: Sequence[tuple[QueueRow, Match]], language: Language) -> Rows:
    """Return one row a place that accepting in bulk would confirm."""
    t = translator(language)
    titles = (t("机构"), t("地址"), t("候选"))
    return titles, [(row.name, row.address, candidate_line(match, language)) for row, match in pairs]


def present_point(row: QueueRow) -> dict[str, Any] | None:
    """Return a place's present point for the map, None without one."""
    if row.lon is None or row.lat is None:
        return None
    return {"lon": row.lon, "lat": row.lat, "radius_m": row.error_radius_m}


def numbered(matches: Sequence[Match], language: Language) -> list[dict[str, Any]]:
    """Return candidates for the map, numbered as in the list, each with its card of words."""
    t = translator(language)
    return [
        {
            "label": str(number),
            "lon": match.lon,
            "lat": match.lat,
            "title": t("候选 {n}", n=number),
            "lines": [*candidate_line(match, language).split(" · "), candidate_notes(match, language)],
        }
        for number, match in enumerate(matches, start=1)
    ]


def _trust(score: float, radius_m: float | None, language: Language) -> list[str]:
    t = translator(language)
    parts = [t("分数 {score}", score=f"{score:.2f}")]
    if radius_m is not None:
        parts.append(t("误差约 {n} 米", n=f"{radius_m:,.0f}"))
    return parts
