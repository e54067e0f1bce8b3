"""Rows people read: shifts, stops, unserved visits, grids and schools with labelled columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import pandas as pd

from dashboard.exports import clock
from dashboard.i18n import Translate, translator
from dashboard.layers import hotspot_word, per_hundred
from dashboard.maps import team_number
from dashboard.phone.today import reason_lines
from data.terms import Kind, Language
from planner.itinerary import PlanHead, ShiftView
from planner.workshare import WorkShare

ENOUGH_FINDINGS = 15


def team_name(team: str, language: Language) -> str:
    """Return a team's name."""
    return translator(language)("第 {n} 组", n=team_number(team))


def slot_name(shift: ShiftView, language: Language) -> str:
    """Return a shift's slot with its times."""
    return f"{shift.slot_kind.label(language)} {clock(shift.start_s)}–{clock(shift.end_s)}"


def plan_name(head: PlanHead, language: Language) -> str:
    """Return a plan's code, period and state on one line."""
    note = translator(language)("（暂列日历）") if head.provisional else ""
    return (
        f"{head.code} · {head.period_from:%m-%d}–{head.period_to:%m-%d} · {head.status.label(language)}{note}"
    )


def shift_rows(shifts: Sequence[ShiftView], language: Language, *, with_slot: bool = True) -> pd.DataFrame:
    """Return one row a shift of one date, with its slot unless all are of the same."""
    t = translator(language)
    accompanied = any(member.official for shift in shifts for member in shift.members)
    rows = [
        {
            **({t("时段"): slot_name(shift, language)} if with_slot else {}),
            t("小组"): team_number(shift.team),
            t("站数"): shift.stops[-1].call if shift.stops else 0,
            t("家数"): len(shift.stops),
            t("组长"): t("、").join(m.name for m in shift.members if m.leads),
            t("组员"): t("、").join(m.name for m in shift.members if not m.leads and not m.official),
            **({t("带队领导"): officials(shift, language)} if accompanied else {}),
            t("路程（分钟）"): round(shift.travel_s / 60),
            t("单位"): t("、").join(dict.fromkeys(m.department for m in shift.members if not m.official)),
        }
        for shift in shifts
    ]
    return pd.DataFrame(rows)


def officials(shift: ShiftView, language: Language) -> str:
    """Return the officials who accompany a shift."""
    return translator(language)("、").join(member.name for member in shift.members if member.official)


def share_rows(shares: Sequence[WorkShare], language: Language) -> pd.DataFrame:
    """Return one row an officer: shifts of the plan, of the half-year by kind, and share of the expected."""
    t = translator(language)
    rows = [
        {
            t("人员"): item.name,
            t("占应值"): "—" if item.share is None else f"{item.share:.0%}",
            t("本期"): sum(item.period.values()),
            t("半年"): sum(item.half_year.values()),
            **{
                f"{label} {span}": counts.get(kind, 0)
                for kind, label in _kinds(t)
                for span, counts in ((t("本期"), item.period), (t("半年"), item.half_year))
            },
            t("单位"): item.department,
        }
        for item in shares
        if not item.official
    ]
    return pd.DataFrame(rows)


def share_span(shares: Sequence[WorkShare]) -> str:
    """Return the least and the largest share of the expected, a dash where nobody worked."""
    known = [item.share for item in shares if item.share is not None and not item.official]
    return f"{min(known):.0%}–{max(known):.0%}" if known else "—"


def _kinds(t: Translate) -> tuple[tuple[str, str], ...]:
    return ("evening", t("晚间")), ("weekend", t("周末")), ("holiday", t("节假日")), ("day", t("日间"))


def stop_rows(shifts: Sequence[ShiftView], language: Language) -> pd.DataFrame:
    """Return one row a stop, with the reasons behind it."""
    t = translator(language)
    rows = [
        {
            t("小组"): team_number(shift.team),
            t("序"): stop.call,
            t("到达"): clock(stop.arrive_s),
            t("机构"): stop.name,
            t("类别"): stop.kind.label(language),
            t("必查"): t("是") if stop.mandatory else "",
            t("事由"): stop.reason.label(language),
            t("上榜原因"): t("；").join(reason_lines(stop.reasons, language)),
            t("地址"): stop.address,
        }
        for shift in shifts
        for stop in shift.stops
    ]
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class CoverageSum:
    """Totals of a coverage frame; visits are 家次, grids 个."""

    owed: int
    paid: int
    grids: int
    grids_untouched: int

    @property
    def share(self) -> str:
        """The share paid, a dash where nothing is owed."""
        return f"{self.paid / self.owed:.1%}" if self.owed else "—"


def coverage_sum(areas: gpd.GeoDataFrame) -> CoverageSum:
    """Return the totals of a coverage frame."""
    untouched = int((areas["state"] == "none").sum())
    return CoverageSum(int(areas["owed"].sum()), int(areas["paid"].sum()), len(areas), untouched)


def coverage_rows(areas: gpd.GeoDataFrame, language: Language) -> pd.DataFrame:
    """Return one row a grid area, least covered first."""
    t = translator(language)
    with_debt = areas[areas["owed"] > 0].sort_values(["share", "owed"], ascending=[True, False])
    return pd.DataFrame(
        {
            t("网格"): with_debt["name"].where(with_debt["name"] != "", with_debt["grid_code"]),
            t("街道"): with_debt["subdistrict"],
            t("覆盖率"): [f"{share:.0%}" for share in with_debt["share"]],
            t("应查（家次）"): with_debt["owed"],
            t("已查（家次）"): with_debt["paid"],
            t("机构（家）"): with_debt["institutions"],
        }
    )


@dataclass(frozen=True)
class HotspotSum:
    """Totals round all schools at one radius."""

    schools: int
    hot: int
    tested: bool
    base: str


def hotspot_sum(rates: pd.DataFrame, radius_m: int) -> HotspotSum:
    """Return how many schools stand out at `radius_m`, and whether there is enough to tell."""
    if rates.empty:
        return HotspotSum(0, 0, False, "—")
    chosen = rates[rates["radius_m"] == radius_m]
    hot = chosen["label"].isin(["hot", "candidate"])
    tested = not chosen["label"].isin(["too_few", "no_data"]).all()
    visits = float(chosen["visits"].sum())
    expected = float((chosen["base_rate"].fillna(0.0) * chosen["visits"]).sum())
    base = math.nan if not visits else expected / visits
    return HotspotSum(len(chosen), int(hot.sum()), tested, per_hundred(base))


def hotspot_rows(rates: pd.DataFrame, radius_m: int, language: Language) -> pd.DataFrame:
    """Return one row a school at `radius_m`, largest excess first."""
    t = translator(language)
    if rates.empty:
        return pd.DataFrame()
    chosen = rates[rates["radius_m"] == radius_m].sort_values("excess", ascending=False, na_position="last")
    return pd.DataFrame(
        {
            t("学校"): chosen["school_name"],
            t("判断"): [hotspot_word(label, language) for label in chosen["label"]],
            t("每百家次"): [per_hundred(rate) for rate in chosen["rate"]],
            t("基准"): [per_hundred(rate) for rate in chosen["base_rate"]],
            t("检查（家次）"): chosen["visits"],
            t("发现问题（家次）"): chosen["findings"],
            t("机构（家）"): chosen["institutions"],
        }
    )


def kind_rows(by_kind: dict[Kind, int], language: Language) -> pd.DataFrame:
    """Return how many institutions there are of each kind, most first."""
    t = translator(language)
    ordered = sorted(by_kind.items(), key=lambda item: -item[1])
    return pd.DataFrame(
        {t("类别"): [kind.label(language) for kind, _ in ordered], t("机构（家）"): [n for _, n in ordered]}
    )
