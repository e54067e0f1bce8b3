"""Rows and lines people read on what is left out, where it would fit, what changed, and what it costs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.exports import clock
from dashboard.i18n import Translate, sentence_for, translator
from dashboard.panels import Rows
from dashboard.revisions import CrewChange, Difference, Waiting
from dashboard.wording import code_words, date_words, help_lines, name_words, spoken
from data.terms import Language
from planner.compare import Cost, Move
from planner.itinerary import PlanHead, UnservedView
from planner.lottery import Committed
from planner.recommend import Recommendation

Names = Mapping[str, str]


def left_rows(unserved: Sequence[UnservedView], names: Names, language: Language) -> Rows:
    """Return one row a visit left out: its verified reason and what would bring it in, cheapest first."""
    t = translator(language)
    titles = (t("机构"), t("时间点"), t("未排入原因"), t("怎样才能排入"))
    return titles, [
        (
            (item.name, t("必查") if item.mandatory else item.reason.label(language)),
            (
                item.kind.label(language),
                "" if item.slot_class is None else item.slot_class.label(language),
            ),
            sentence_for(f"unserved.{item.code}", spoken(item.detail, language, names), language),
            _helps(item, names, language),
        )
        for item in unserved
    ]


def _helps(item: UnservedView, names: Names, language: Language) -> Sequence[str]:
    """Return what would bring a visit in; one that was never tried, has none."""
    if "helps" not in item.detail:
        return ("—",)
    t = translator(language)
    return help_lines(item.detail["helps"], language, names) or (t("只放宽一条规则也排不进"),)


def reason_counts(unserved: Sequence[UnservedView]) -> dict[str, int]:
    """Return how many visits each reason keeps out, the most frequent first."""
    counts: dict[str, int] = {}
    for item in unserved:
        counts[item.code] = counts.get(item.code, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: -pair[1]))


def waiting_name(item: Waiting, names: Names, language: Language) -> str:
    """Return a visit left out by its institution and time point."""
    t = translator(language)
    classes = "/".join(slot_class.label(language) for slot_class in item.slot_classes)
    return " · ".join(
        part
        for part in (
            name_words(item.visit, language, names),
            classes,
            t("必查") if item.mandatory else "",
        )
        if part
    )


def offer_rows(offers: Sequence[Recommendation], language: Language) -> Rows:
    """Return one row a shift that has room for a visit, cheapest first."""
    t = translator(language)
    titles = (t("可安排的班次"), t("开始检查"), t("站序"), t("多走（分钟）"), t("是否合算"))
    return titles, [
        (
            code_words(offer.shift, language),
            clock(offer.start_s),
            t("第 {n} 站", n=offer.position + 1),
            f"{offer.cost_s / 60:.0f}",
            t("合算") if offer.saves > 0 else t("路程代价高于收益"),
        )
        for offer in offers
    ]


def cost_line(cost: Cost, language: Language) -> str:
    """Return what a plan costs by rule on one line, in hours of travel."""
    t = translator(language)
    return t(
        "代价（折合路程小时）：必查未排 {mandatory}，机构未到 {first}，其余未排 {prizes}，路程 {travel}，"
        "合计 {total}",
        mandatory=_hours(cost.mandatory),
        first=_hours(cost.first_visits),
        prizes=_hours(cost.prizes),
        travel=_hours(cost.travel_s),
        total=_hours(cost.total),
    )


def draw_line(head: PlanHead, draws: Sequence[Committed], language: Language) -> str:
    """Return how a plan's seed came about; one whose draw is not revealed is not told."""
    t = translator(language)
    if head.draw is None:
        return t("抽签种子 {seed}，未事先承诺", seed=head.seed)
    draw = next((item for item in draws if item.code == head.draw), None)
    if draw is None or draw.revealed_at is None:
        return t("抽签 {code}：已事先承诺，种子未公开", code=head.draw)
    return t("抽签 {code}：种子 {seed} 已公开", code=head.draw, seed=head.seed)


def cost_rows(before: Cost, after: Cost, language: Language) -> Rows:
    """Return what two plans cost, one row a rule, in hours of travel."""
    t = translator(language)
    pairs = (
        (t("必查未排"), before.mandatory, after.mandatory),
        (t("机构未到"), before.first_visits, after.first_visits),
        (t("其余未排"), before.prizes, after.prizes),
        (t("路程"), before.travel_s, after.travel_s),
        (t("合计"), before.total, after.total),
    )
    titles = (t("代价"), t("之前"), t("之后"), t("增减"))
    return titles, [
        (rule, _hours(old), _hours(new), f"{(new - old) / 3600:+,.1f}") for rule, old, new in pairs
    ]


def _hours(seconds: int) -> str:
    return f"{seconds / 3600:,.1f}"


def count_line(found: Difference, language: Language) -> str:
    """Return how many visits changed and how."""
    t, moves = translator(language), found.comparison
    return t(
        "换班次 {moved} 家次，改时间 {retimed} 家次，新增 {added} 家次，减少 {dropped} 家次",
        moved=len(moves.moved),
        retimed=len(moves.retimed),
        added=len(moves.added),
        dropped=len(moves.dropped),
    )


def move_rows(found: Difference, names: Names, language: Language) -> Rows:
    """Return one row a visit that changed: those dropped first, those that only moved in time last."""
    t, moves = translator(language), found.comparison
    groups = (
        (t("减少"), moves.dropped),
        (t("新增"), moves.added),
        (t("换班次"), moves.moved),
        (t("改时间"), moves.retimed),
    )
    titles = (t("改动"), t("机构"), t("之前"), t("之后"))
    return titles, [
        (
            word,
            _visited(move, found, names, language),
            _told(move.from_shift, move.from_start_s, language),
            _told(move.to_shift, move.to_start_s, language),
        )
        for word, listed in groups
        for move in listed
    ]


def _visited(move: Move, found: Difference, names: Names, language: Language) -> tuple[str, ...]:
    t, name = translator(language), name_words(move.visit, language, names)
    return (name, t("必查")) if move.visit in found.duties else (name,)


def _told(shift: str | None, start_s: int | None, language: Language) -> str:
    t = translator(language)
    if shift is None or start_s is None:
        return t("未排入")
    return f"{code_words(shift, language)} {clock(start_s)}"


def crew_rows(crews: Sequence[CrewChange], names: Names, language: Language) -> Rows:
    """Return one row a shift whose people changed, or that only one plan uses."""
    t = translator(language)
    return (t("班次"), t("人员变化")), [(code_words(c.shift, language), _crew(c, names, t)) for c in crews]


def _crew(change: CrewChange, names: Names, t: Translate) -> str:
    def people(codes: Sequence[str]) -> str:
        return t("、").join(names.get(code, code) for code in codes)

    if change.state == "closed":
        return t("本班不再出动")
    if change.state == "opened":
        return t("新增一班：{people}", people=people(change.joined))
    if not change.left:
        return t("{people} 加入", people=people(change.joined))
    if not change.joined:
        return t("{people} 缺勤，其余人员照常", people=people(change.left))
    return t("{left} 由 {joined} 替班", left=people(change.left), joined=people(change.joined))


def change_line(change: Mapping[str, Any], names: Names, language: Language) -> str:
    """Return what people reported that led to a revision."""
    t = translator(language)

    def tell(codes: Sequence[str]) -> str:
        return t("、").join(name_words(code, language, names) for code in codes)

    told = []
    if "absent" in change:
        date = change.get("date")
        when = t("整个期间") if date is None else date_words(dt.date.fromisoformat(date), language)
        told.append(t("{who} {when}不能出勤", who=tell([change["absent"]]), when=when))
    if "add" in change:
        told.append(t("加急 {names}", names=tell(change["add"])))
    if "drop" in change:
        told.append(t("取消 {names}", names=tell(change["drop"])))
    if "at" in change:
        day, second = change["at"]
        when = f"{date_words(dt.date.fromisoformat(day), language)} {clock(int(second))}"
        told.append(t("{when} 前已开始的不变", when=when))
    kept = [*change.get("pins", ()), *change.get("locks", ())]
    if kept:
        told.append(t("固定 {names}", names=tell(kept)))
    return t("；").join(told)
