"""Rows of how far institutions are from schools, straight and on foot, as people read them."""

from __future__ import annotations

import pandas as pd

from dashboard.i18n import translator
from data.terms import Kind, Language
from geo.proximity import RADII_M, ring_labels


def ring_rows(distances: pd.DataFrame, language: Language) -> pd.DataFrame:
    """Return one row a ring: institutions by straight line, how many of them are unsure, and by walking."""
    t = translator(language)
    labels = ring_labels(RADII_M)
    edges = [0.0, *RADII_M, float("inf")]
    on_foot = pd.cut(distances["walk_m"], edges, labels=list(labels), include_lowest=True)
    straight = distances["ring"]
    unsure = distances[~distances["ring_sure"].astype(bool)]["ring"]
    rows = [
        {
            t("距离圈（米）"): label,
            t("直线（家）"): int((straight == label).sum()),
            t("其中位置存疑"): int((unsure == label).sum()),
            t("步行（家）"): int((on_foot == label).sum()),
        }
        for label in labels
    ]
    return pd.DataFrame(rows)


def place_rows(distances: pd.DataFrame, language: Language) -> pd.DataFrame:
    """Return one row an institution, the nearest to a school first."""
    t = translator(language)
    ordered = distances.sort_values("school_m", na_position="last")
    kinds = {kind.value: kind.label(language) for kind in Kind}
    return pd.DataFrame(
        {
            t("机构"): ordered["name"],
            t("类别"): ordered["kind"].map(kinds),
            t("最近学校"): ordered["school_name"],
            t("直线（米）"): ordered["school_m"].round(),
            t("步行（米）"): ordered["walk_m"].round(),
            t("步行最近学校"): ordered["walk_school_name"],
            t("位置误差（米）"): ordered["error_radius_m"].astype(float).round(),
        }
    )
