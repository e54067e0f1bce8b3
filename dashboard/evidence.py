"""Evidence as people read it: the verdict, figures with intervals, who bears the visits, the scorecard."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dashboard.i18n import Translate, sentence_for, translator
from data.terms import Kind, Language, VisitReason
from planner.backtest import Backtest
from planner.replay import Evidence
from planner.scorecard import CardView
from planner.unpredictability import Guessing
from planner.weights import WeightReport

NOTHING = "—"


def verdict_line(result: Backtest, language: Language) -> str:
    """Return what the backtest says, and when it says nothing, why."""
    low, high = result.interval
    fields = {
        "findings": result.findings,
        "half_width": _number(result.half_width_days, 1),
        "days": _number(abs(result.days_earlier), 1),
        "low": _signed(low),
        "high": _signed(high),
    }
    return sentence_for(f"verdict.{result.verdict}", fields, language)


def days_with_interval(value: float, interval: tuple[float, float]) -> str:
    """Return days with their interval: +3.2 (1.0…5.4)."""
    return NOTHING if math.isnan(value) else f"{_signed(value)} {_ends(*map(_signed, interval))}"


def days(result: Backtest, value: float) -> str:
    """Return days with their sign; nothing where there are too few findings to tell."""
    return NOTHING if result.verdict == "too_few" else _signed(value)


def interval(result: Backtest, ends: tuple[float, float]) -> str | None:
    """Return a 95 % interval; None where there are too few findings to tell."""
    return None if result.verdict == "too_few" else _ends(*map(_signed, ends))


def lowest_entropy(evidence: Evidence) -> str:
    """Return the spread over weekdays and slots of the kind that varies least."""
    lowest = evidence.entropy["entropy"].min()
    return NOTHING if math.isnan(lowest) else f"{lowest:.2f}"


def fifth_rows(table: pd.DataFrame, language: Language) -> pd.DataFrame:
    """Return one row a fifth of the score, highest first."""
    t = translator(language)
    rows = [
        {
            t("评分档"): f"{row['low']:.1%}–{row['high']:.1%}",
            t("检查（家次）"): row["visits"],
            t("发现问题（家次）"): row["findings"],
            t("发现率"): _range(row, "rate", "rate_low", "rate_high", ".1%"),
        }
        for row in reversed(table.to_dict("records"))
    ]
    return pd.DataFrame(rows)


def share(value: float) -> str:
    """Return a share in percent."""
    return NOTHING if math.isnan(value) else f"{value:.0%}"


def best_guess(guesses: Sequence[Guessing], language: Language) -> tuple[str, str | None]:
    """Return how well the best adversary guesses, in multiples of chance, and how it does."""
    told = [guess for guess in guesses if guess.enough]
    if not told:
        return NOTHING, None
    best = max(told, key=lambda guess: guess.ratio)
    return f"{best.ratio:.1f}×", adversary_word(best.adversary, translator(language))


def adversary_word(name: str, t: Translate) -> str:
    """Return how a watcher guesses, in words."""
    words = {"habit": t("按常去时段猜"), "gap": t("按上次间隔猜"), "follow": t("按网格先后猜")}
    return words[name]


def guess_rows(guesses: Sequence[Guessing], language: Language) -> pd.DataFrame:
    """Return one row an adversary."""
    t = translator(language)
    rows = [
        {
            t("猜法"): adversary_word(guess.adversary, t),
            t("猜测（次）"): guess.guesses,
            t("猜中"): guess.hits,
            t("随机应中"): round(guess.chance_hits, 1),
            t("倍数"): f"{guess.ratio:.1f}" if guess.enough else NOTHING,
        }
        for guess in guesses
    ]
    return pd.DataFrame(rows)


def burden_rows(table: pd.DataFrame, by: str, language: Language) -> pd.DataFrame:
    """Return one row a group; a group with too few visits shows its counts only."""
    t = translator(language)
    rows = []
    # What lies in no area comes last.
    for row in sorted(table.to_dict("records"), key=lambda row: not row[by]):
        enough = bool(row["enough"])
        rows.append(
            {
                t("分组"): group_name(str(row[by]), by, language),
                t("机构（家）"): row["institutions"],
                t("检查（家次）"): row["visits"],
                t("实查/应查"): _range(row, "ratio", "ratio_low", "ratio_high", ".2f") if enough else NOTHING,
                t("无问题检查负担"): _range(row, "clean_ratio", "clean_low", "clean_high", ".2f")
                if enough
                else NOTHING,
                t("发现率"): _range(row, "rate", "rate_low", "rate_high", ".1%") if enough else NOTHING,
            }
        )
    return pd.DataFrame(rows)


def group_name(value: str, by: str, language: Language) -> str:
    """Return a group's name: a kind's label, or a subdistrict."""
    if by == "kind":
        return Kind(value).label(language)  # type: ignore[call-arg]
    t = translator(language)
    return value or t("网格外")


def card_rows(card: CardView, older: CardView | None, language: Language) -> pd.DataFrame:
    """Return one row a factor with its points, beside those of the card before."""
    t = translator(language)
    rows = []
    for factor, points in sorted(card.weights.items(), key=lambda item: (-item[1], item[0])):
        # Points first: on a phone the long names run out of sight.
        row: dict[str, Any] = {t("分值"): f"{points:+g}"}
        if older is not None:
            before = older.weights.get(factor)
            row[t("上一版")] = NOTHING if before is None else f"{before:+g}"
        row[t("因素")] = sentence_for(f"factor.{factor}", {}, language)
        rows.append(row)
    return pd.DataFrame(rows)


def card_line(card: CardView, language: Language) -> str:
    """Return which card is in force, who approved it and since when."""
    if card.version == 0:
        return sentence_for("scorecard.shipped", {}, language)
    fields = {
        "version": card.version,
        "author": card.author,
        "approver": card.approver or NOTHING,
        "since": NOTHING if card.valid_from is None else card.valid_from.isoformat(),
    }
    return sentence_for("scorecard.in_force" if card.approver else "scorecard.waiting", fields, language)


def reason_shares(reasons: dict[str, int], language: Language) -> str:
    """Return the share of visits by reason on one line, most frequent first."""
    total = sum(reasons.values())
    parts = [
        f"{VisitReason(name).label(language)} {count / total:.0%}"  # type: ignore[call-arg]
        for name, count in sorted(reasons.items(), key=lambda item: -item[1])
    ]
    return " · ".join(parts)


def weight_lines(report: WeightReport, language: Language) -> list[str]:
    """Return old and new points side by side, largest change first."""
    table = report.table.assign(change=(report.table["new"] - report.table["old"]).abs())
    lines = []
    for row in table.sort_values(["change", "factor"], ascending=[False, True]).to_dict("records"):
        name = sentence_for(f"factor.{row['factor']}", {}, language)
        counts = f"{row['findings']}/{row['visits']}"
        lines.append(
            f"  {row['old']:+6.1f} -> {row['new']:+6.1f} ±{1.96 * row['se']:.1f}  {counts:>9}  {name}"
        )
    return lines


def evidence_body(evidence: Evidence) -> dict[str, Any]:
    """Return the evidence as one JSON object; what is not known is null."""
    return {
        "from": evidence.first.isoformat(),
        "to": evidence.last.isoformat(),
        "scorecard": evidence.version,
        "visits": evidence.visits,
        "findings": evidence.findings,
        "fixed": evidence.fixed,
        "undated": evidence.undated,
        "backtest": {"card": _backtest_body(evidence.card), "queue": _backtest_body(evidence.queue)},
        "first_half_by_area": _records(evidence.areas_first_half),
        "calibration": _records(evidence.fifths),
        "weighted_rate": _plain(evidence.weighted_rate),
        "guess_rate": [
            {
                "adversary": guess.adversary,
                "guesses": guess.guesses,
                "hits": guess.hits,
                "chance_hits": _plain(guess.chance_hits),
                "ratio": _plain(guess.ratio),
                "enough": guess.enough,
            }
            for guess in evidence.guesses
        ],
        "slot_entropy": _records(evidence.entropy),
        "gap_cv": _plain(evidence.gap_cv),
        "burden": {"area": _records(evidence.by_area), "kind": _records(evidence.by_kind)},
        "teams": _records(evidence.teams),
        "reasons": evidence.reasons,
    }


def _backtest_body(result: Backtest) -> dict[str, Any]:
    return {
        "verdict": result.verdict,
        "visits": result.visits,
        "findings": result.findings,
        "days_earlier": _plain(result.days_earlier),
        "interval": [_plain(end) for end in result.interval],
        "vs_random": _plain(result.vs_random),
        "vs_random_interval": [_plain(end) for end in result.vs_random_interval],
        "share_first_half": _plain(result.share_first_half),
        "share_first_half_actual": _plain(result.share_first_half_actual),
        "half_width_days": _plain(result.half_width_days),
        "windows": _records(result.windows),
        "teams": _records(result.groups),
    }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): _plain(v) for k, v in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value.isoformat() if hasattr(value, "isoformat") else value


def _range(row: Mapping[Any, Any], name: str, low: str, high: str, form: str) -> str:
    if math.isnan(row[name]):
        return NOTHING
    return f"{row[name]:{form}} {_ends(format(row[low], form), format(row[high], form))}"


def _ends(low: str, high: str) -> str:
    return f"[{low}, {high}]"


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else NOTHING


def _signed(value: float) -> str:
    return f"{value:+.1f}" if math.isfinite(value) else NOTHING
