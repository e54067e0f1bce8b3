"""The grid layer and the patrol areas as people read them: words, rows and map layers."""

from __future__ import annotations

from collections import Counter

import geopandas as gpd
import pandas as pd
from sqlalchemy.orm import Session

from dashboard.features import collect, feature
from dashboard.i18n import sentence_for, translator
from dashboard.layers import Layer
from dashboard.parts.cache import cached
from dashboard.theme import BAD, MAP, PRIMARY, TEAMS, team_colour
from dashboard.wiring import LOCAL_ZONE, Wiring
from data.terms import Language
from geo.grid.survey import GridSurvey, survey_grids
from geo.grid.versions import GridVersion, list_versions
from planner.patrolareas import Division, areas_frame, list_areas

# To be mended by whoever keeps the layer; the other kinds exist in real districts and only need a look.
FAULTS = ("gap", "overlap", "sliver")
MOST_LABELLED = 200


def survey(wiring: Wiring) -> GridSurvey:
    """Return the state of the grid layer today."""
    today = wiring.today()
    return cached(wiring, "grid_survey", (today,), lambda session: survey_grids(session, today=today))


def versions(wiring: Wiring, code: str) -> list[GridVersion]:
    """Return the versions of one grid code."""
    return cached(wiring, "grid_versions", (code,), lambda session: list_versions(session, code=code))


def patrol_areas(wiring: Wiring) -> tuple[Division, gpd.GeoDataFrame]:
    """Return the patrol areas with their shapes."""

    def make(session: Session) -> tuple[Division, gpd.GeoDataFrame]:
        division = list_areas(session)
        return division, areas_frame(session, division)

    return cached(wiring, "patrol_areas", (), make)


def issue_word(kind: str, language: Language) -> str:
    """Return the word of a kind of topology issue."""
    return sentence_for(f"topology.{kind}", {}, language)


def issue_counts(found: GridSurvey) -> dict[str, int]:
    """Return how many issues there are of each kind, most first."""
    return dict(Counter(found.issues["kind"]).most_common()) if len(found.issues) else {}


def counts_line(found: GridSurvey, language: Language) -> str:
    """Return the kinds of issue with their counts on one line, empty without any."""
    return " · ".join(f"{issue_word(kind, language)} {n}" for kind, n in issue_counts(found).items())


def issue_name(issues: gpd.GeoDataFrame, number: int, language: Language) -> str:
    """Return an issue's number as on the map, and its kind."""
    return f"{number + 1}. {issue_word(str(issues.at[number, 'kind']), language)}"


def select_issues(found: GridSurvey, kind: str | None) -> gpd.GeoDataFrame:
    """Return the issues of one kind, all without one, on their numbers from 0."""
    if kind is None or found.issues.empty:
        return found.issues
    return found.issues[found.issues["kind"] == kind]


def issue_rows(issues: gpd.GeoDataFrame, language: Language) -> pd.DataFrame:
    """Return one row an issue, numbered as on the map."""
    t = translator(language)
    return pd.DataFrame(
        {
            t("序"): issues.index + 1,
            t("类别"): [issue_word(kind, language) for kind in issues["kind"]],
            t("面积（平方米）"): issues["area_m2"],
            t("平均宽（米）"): issues["width_m"],
            t("网格编码"): issues["grids"],
        }
    )


def issue_layer(found: GridSurvey, *, kind: str | None, language: Language) -> Layer:
    """Return the grid borders and, numbered, each issue with a mark that is seen from afar."""
    t = translator(language)
    borders = [
        feature(
            row.geometry,
            colour=MAP["grid"],
            weight=0.8,
            title=row.label or row.grid_code,
            lines=[row.grid_code],
        )
        for row in found.grids.rename(columns={"name": "label"}).itertuples()
    ]
    shapes: list[Layer] = []
    marks: list[Layer] = []
    for row in select_issues(found, kind).itertuples():
        look = {
            "id": str(row.Index),
            "colour": BAD if row.kind in FAULTS else PRIMARY,
            "dashed": row.kind not in FAULTS,
            "title": f"{row.Index + 1} · {issue_word(row.kind, language)}",
            "lines": [
                row.grids,
                t("{area} 平方米，平均宽 {width} 米", area=f"{row.area_m2:,.0f}", width=f"{row.width_m:g}"),
            ],
        }
        shapes.append(feature(row.geometry, fill=0.45, weight=2, **look))
        if len(marks) < MOST_LABELLED:
            marks.append(feature(row.geometry.representative_point(), label=str(row.Index + 1), **look))
    return collect([*borders, *shapes, *marks])


def patrol_name(number: int, language: Language) -> str:
    """Return the name of a patrol area."""
    t = translator(language)
    return t("第 {n} 片区", n=number)


def hours(minutes: float) -> str:
    """Return minutes as hours with one decimal."""
    return f"{minutes / 60:,.1f}"


def patrol_rows(division: Division, language: Language) -> pd.DataFrame:
    """Return one row a patrol area."""
    t, areas = translator(language), division.areas
    return pd.DataFrame(
        {
            t("片区"): [area.number for area in areas],
            t("机构（家）"): [area.institutions for area in areas],
            t("网格（个）"): [len(area.grid_codes) for area in areas],
            t("工作量（小时）"): [round(area.workload_min / 60, 1) for area in areas],
            t("占平均"): [f"{area.share:.0%}" for area in areas],
        }
    )


def patrol_layer(division: Division, shapes: gpd.GeoDataFrame, *, language: Language) -> Layer:
    """Return the patrol areas in their teams' colours, each with its number."""
    t = translator(language)
    drawn: list[Layer] = []
    marks: list[Layer] = []
    by_number = {area.number: area for area in division.areas}
    for number, shape in zip(shapes.index, shapes.geometry, strict=True):
        area = by_number[int(number)]
        colour, dashed = team_colour(area.number)
        look = {
            "id": str(area.number),
            "colour": colour,
            "dashed": dashed,
            "title": patrol_name(area.number, language),
            "lines": [
                t("机构 {n} 家", n=area.institutions),
                t("网格 {n} 个", n=len(area.grid_codes)),
                t(
                    "工作量 {hours} 小时，为平均的 {share}",
                    hours=hours(area.workload_min),
                    share=f"{area.share:.0%}",
                ),
                t("非官方网格"),
            ],
        }
        drawn.append(feature(shape, fill=0.3, weight=2, **look))
        marks.append(feature(shape.representative_point(), label=str(area.number), **look))
    return collect([*drawn, *marks])


def patrol_legend(division: Division, language: Language) -> list[dict[str, object]]:
    """Return the legend of the patrol areas, the first seven colours."""
    rows = []
    for area in division.areas[: len(TEAMS)]:
        colour, _ = team_colour(area.number)
        rows.append(
            {
                "fill": f"{colour}4D",
                "stroke": colour,
                "weight": 2,
                "label": patrol_name(area.number, language),
            }
        )
    return rows


def made_line(division: Division, language: Language) -> str:
    """Return when the areas were made and what their workload counts."""
    t = translator(language)
    day = "—" if division.made_at is None else division.made_at.astimezone(LOCAL_ZONE).date().isoformat()
    return t("{date} 划分；工作量为一轮应查家次的检查用时加每次到访的路程。", date=day)


def stale_lines(division: Division, language: Language) -> list[str]:
    """Return what no longer fits the grid layer in force."""
    t, lines = translator(language), []
    if division.missing:
        lines.append(t("有 {n} 个现行网格不属于任何片区，请重新划分。", n=len(division.missing)))
    if division.gone:
        lines.append(t("片区中有 {n} 个网格已停用，请重新划分。", n=len(division.gone)))
    return lines


def version_rows(known: list[GridVersion], language: Language) -> pd.DataFrame:
    """Return one row a version of a grid area, oldest first."""
    t = translator(language)
    return pd.DataFrame(
        {
            t("启用日期"): ["" if one.valid_from is None else one.valid_from.isoformat() for one in known],
            t("停用日期"): [t("现行") if one.valid_to is None else one.valid_to.isoformat() for one in known],
            t("面积（公顷）"): [f"{one.area_m2 / 1e4:,.1f}" for one in known],
            t("名称"): [one.name for one in known],
        }
    )


def lapsed_rows(found: GridSurvey, language: Language) -> pd.DataFrame:
    """Return one row a grid area past its stated end."""
    t = translator(language)
    return pd.DataFrame(
        {
            t("网格编码"): [one.code for one in found.lapsed],
            t("名称"): [one.name for one in found.lapsed],
            t("终止日期"): [one.expires_on.isoformat() for one in found.lapsed],
        }
    )


def outside_rows(found: GridSurvey, language: Language) -> pd.DataFrame:
    """Return one row an institution outside every grid area."""
    t = translator(language)
    return pd.DataFrame(
        {
            t("机构"): [one.name for one in found.outside],
            t("地址"): [one.address for one in found.outside],
            t("位置存疑"): [t("是") if one.doubtful else "" for one in found.outside],
        }
    )
