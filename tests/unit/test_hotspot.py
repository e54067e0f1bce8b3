"""Near-school rates: planted clusters are found, empty maps stay quiet, small counts stay silent."""

import numpy as np
import pytest

from geo.errors import StatisticsError
from geo.hotspot import HotspotOptions, eb_rate, near_school_rates

QUICK = HotspotOptions(radii_m=(200.0, 500.0), permutations=199)


def district(random, *, findings, odds=1.0):
    """300 institutions round 15 schools on a line 1.5 km apart; school 0 has raised odds."""
    schools = np.column_stack([np.arange(15) * 1500.0, np.zeros(15)])
    near = np.repeat(np.arange(15), 20)
    xy = schools[near] + random.uniform(-140, 140, (300, 2))
    visits = random.integers(2, 8, 300)
    weight = visits * np.where(near == 0, odds, 1.0)
    found = np.minimum(random.multinomial(findings, weight / weight.sum()), visits)
    return xy, visits, found, schools


def test_a_planted_cluster_is_hot():
    table = near_school_rates(
        *district(np.random.default_rng(1), findings=90, odds=8.0), seed=1, options=QUICK
    )
    hot = table[table["label"] == "hot"]
    assert set(hot["school"]) == {0}
    assert (hot["shrunken_rate"] < hot["rate"]).all()
    assert (hot["base_rate"] < hot["shrunken_rate"]).all()


def test_between_fifteen_and_sixty_findings_there_are_candidates_only():
    table = near_school_rates(
        *district(np.random.default_rng(2), findings=45, odds=15.0), seed=1, options=QUICK
    )
    assert set(table["label"]) == {"candidate", "ordinary"}
    assert set(table.loc[table["label"] == "candidate", "school"]) == {0}


def test_below_fifteen_findings_nothing_is_tested():
    table = near_school_rates(
        *district(np.random.default_rng(3), findings=14, odds=30.0), seed=1, options=QUICK
    )
    assert set(table["label"]) == {"too_few"}
    assert table["p_value"].isna().all()
    assert table["findings"].sum() > 0


def test_maps_without_effect_stay_quiet():
    false = 0
    for run in range(60):
        random = np.random.default_rng(1000 + run)
        table = near_school_rates(*district(random, findings=70), seed=run, options=QUICK)
        false += "hot" in set(table["label"])
    assert false <= 8  # 5 % of 60 are 3; 8 or fewer in 99 % of cases


def test_unvisited_is_no_data_and_never_low():
    xy, visits, found, schools = district(np.random.default_rng(4), findings=80)
    visits[:20], found[:20] = 0, 0
    table = near_school_rates(xy, visits, found, np.vstack([schools, [[9e6, 9e6]]]), seed=1, options=QUICK)
    silent = table[table["school"].isin([0, 15])]
    assert set(silent["label"]) == {"no_data"}
    assert silent[["rate", "shrunken_rate", "p_value"]].isna().all(axis=None)
    assert silent["institutions"].tolist() == [20, 20, 0, 0]


def test_a_kind_with_a_high_rate_is_no_hotspot_by_itself():
    xy, visits, _, schools = district(np.random.default_rng(5), findings=0)
    kinds = np.where(np.arange(300) < 20, "care", "other")
    found = np.where(kinds == "care", visits, 0)
    found[20:80] = 1
    plain = near_school_rates(xy, visits, found, schools, seed=1, options=QUICK)
    by_kind = near_school_rates(xy, visits, found, schools, seed=1, categories=list(kinds), options=QUICK)
    assert "hot" in set(plain.loc[plain["school"] == 0, "label"])
    assert "hot" not in set(by_kind.loc[by_kind["school"] == 0, "label"])


def test_same_seed_same_table():
    data = district(np.random.default_rng(6), findings=70, odds=3.0)
    assert near_school_rates(*data, seed=3, options=QUICK).equals(
        near_school_rates(*data, seed=3, options=QUICK)
    )


def test_shrunken_rate_formula():
    assert eb_rate([0, 5, 0], [0, 20, 80], prior_rate=0.05)[1:] == pytest.approx([6 / 40, 1 / 100])
    assert np.isnan(eb_rate([0], [0], prior_rate=0.05))[0]


def test_impossible_inputs_are_named():
    with pytest.raises(StatisticsError, match="bad_counts"):
        near_school_rates([[0, 0]], [1], [2], [[0, 0]], seed=1)
    with pytest.raises(StatisticsError, match="length_mismatch"):
        near_school_rates([[0, 0]], [1, 2], [1, 1], [[0, 0]], seed=1)
    with pytest.raises(StatisticsError, match="length_mismatch"):
        near_school_rates([[0, 0]], [1], [1], [[0, 0]], seed=1, categories=["a", "b"])
    with pytest.raises(StatisticsError) as caught:
        HotspotOptions(radii_m=(), alpha=2.0)
    assert set(caught.value.fields) == {"radii_m", "alpha"}


def test_no_schools_give_an_empty_table():
    assert len(near_school_rates([[0, 0]], [1], [1], np.zeros((0, 2)), seed=1)) == 0
