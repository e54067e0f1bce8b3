"""Coverage by grid: no data, nothing owed and nothing paid are three different things."""

import numpy as np
import pandas as pd
import pytest

from geo.coverage import coverage
from geo.errors import FrameError


def test_states_of_a_grid():
    rows = pd.DataFrame(
        {
            "grid_code": ["a", "a", "b", "c", "d", None],
            "owed": [1, 2, 1, 0, 3, 1],
            "paid": [1, 0, 1, 0, 0, 1],
        }
    )
    found = coverage(rows, groups=["e", "d", "c", "b", "a"])
    assert found.index.tolist() == ["a", "b", "c", "d", "e", "outside"]
    assert found["institutions"].tolist() == [2, 1, 1, 1, 0, 1]
    assert found["state"].tolist() == ["partial", "full", "nothing_owed", "none", "no_data", "full"]
    assert found["share"].round(3).fillna(-1).tolist() == [0.333, 1.0, -1, 0.0, -1, 1.0]
    assert found[["owed", "paid"]].sum().tolist() == [8, 3]


def test_booleans_count_one_visit_each():
    rows = pd.DataFrame({"g": ["a", "a"], "o": [True, True], "p": [True, False]})
    assert coverage(rows, by="g", owed="o", paid="p")["share"].tolist() == [0.5]


def test_no_institutions_at_all():
    rows = pd.DataFrame({"grid_code": [], "owed": [], "paid": []})
    found = coverage(rows, groups=["a"])
    assert found["state"].tolist() == ["no_data"]
    assert np.isnan(found["share"].iloc[0])


def test_impossible_counts_name_their_rows():
    rows = pd.DataFrame(
        {"grid_code": ["a"] * 4, "owed": [1, 1, None, 1], "paid": [2, -1, 0, 1]}, index=list("wxyz")
    )
    with pytest.raises(FrameError) as caught:
        coverage(rows)
    assert (caught.value.code, caught.value.fields["rows"]) == ("bad_counts", ["w", "x", "y"])
    with pytest.raises(FrameError, match="missing_columns"):
        coverage(rows.drop(columns="owed"))
    with pytest.raises(FrameError, match="unknown_groups"):
        coverage(rows.loc[["z"]], groups=["b"])
