"""Coverage by grid area: of the visits owed, how many were paid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from geo.errors import FrameError

OUTSIDE = "outside"  # row of the institutions that lie in no grid; they must not vanish from the sum


def coverage(
    institutions: pd.DataFrame,
    *,
    by: str = "grid_code",
    owed: str = "owed",
    paid: str = "paid",
    groups: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Count institutions, owed and paid visits of each grid.

    Parameters
    ----------
    institutions : DataFrame
        One row per active institution with a grid code (None outside every grid), the visits owed in the
        window, and those of them that were paid (counts, or booleans for one visit each).
    by, owed, paid : str
        Column names.
    groups : sequence of str, optional
        Every grid code of the district, so that grids without institutions are listed too.

    Returns
    -------
    DataFrame
        Index grid code, ascending, ``outside`` last when it occurs; columns ``institutions``, ``owed``,
        ``paid``, ``share`` (paid / owed, NaN when nothing is owed) and ``state`` (``no_data`` without
        institutions, ``nothing_owed``, ``none``, ``partial`` or ``full``).

    Raises
    ------
    FrameError
        ``missing_columns``, ``bad_counts`` (missing, negative or more paid than owed, with row labels) or
        ``unknown_groups``.
    """
    missing = [name for name in (by, owed, paid) if name not in institutions.columns]
    if missing:
        raise FrameError("missing_columns", columns=missing)
    table = pd.DataFrame(
        {
            "grid": [
                OUTSIDE if v is None or v != v or not str(v).strip() else str(v) for v in institutions[by]
            ],
            "owed": pd.to_numeric(institutions[owed], errors="coerce").to_numpy(dtype=np.float64),
            "paid": pd.to_numeric(institutions[paid], errors="coerce").to_numpy(dtype=np.float64),
        }
    )
    good = (table["paid"] >= 0) & (table["paid"] <= table["owed"])
    if not good.all():
        raise FrameError("bad_counts", rows=list(institutions.index[~good.to_numpy()][:20]))
    result = table.groupby("grid").agg(
        institutions=("grid", "size"), owed=("owed", "sum"), paid=("paid", "sum")
    )
    return _finish(result, groups)


def _finish(result: pd.DataFrame, groups: Sequence[str] | None) -> pd.DataFrame:
    found = set(result.index)
    if groups is not None and (unknown := sorted(found - set(groups) - {OUTSIDE})):
        raise FrameError("unknown_groups", groups=unknown[:20])
    order = sorted((found | set(groups or ())) - {OUTSIDE}) + ([OUTSIDE] if OUTSIDE in found else [])
    result = result.reindex(order, fill_value=0).astype(np.int64)
    result.index.name = "grid"
    result["share"] = (result["paid"] / result["owed"].where(result["owed"] > 0)).astype(np.float64)
    states = [
        result["institutions"] == 0,
        result["owed"] == 0,
        result["paid"] == 0,
        result["paid"] < result["owed"],
    ]
    names = ["no_data", "nothing_owed", "none", "partial"]
    result["state"] = np.select([state.to_numpy() for state in states], names, default="full")
    return result
