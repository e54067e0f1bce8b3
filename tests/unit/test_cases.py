"""Shared addresses in words: states, confidence, evidence, and nothing that tells who somebody is."""

from __future__ import annotations

import datetime as dt

import pytest

from dashboard import cases
from data.terms import ColocationVerdict, Kind, SiteStatus
from geo.colocated import Case, Decision, Licence
from geo.colocation import ColocationLevel, Evidence, Group
from tests.small_district import HOSTILE

AT = dt.datetime(2026, 9, 16, 23, 30, tzinfo=dt.UTC)


def make(
    *,
    finding: bool = True,
    confidence: float = 0.7,
    verdict: ColocationVerdict | None = None,
    changed: bool = False,
    lon: float | None = 121.2,
    key: str = "东大街5号/305室",
) -> Case:
    """Make a case of two institutions."""
    group = Group(
        ColocationLevel.ROOM, key, (1, 2), (Evidence.SAME_ROOM, Evidence.SAME_PHONE), confidence, finding
    )
    licences = tuple(
        Licence(n, name, Kind.CARE, SiteStatus.OPEN, "东大街5号305室", lon, lon and 40.3, None)
        for n, name in ((1, HOSTILE), (2, "乙托管"))
    )
    told = None if verdict is None else Decision(verdict, "看过", "lead", AT, changed)
    return Case(group, licences, told)


@pytest.mark.parametrize(
    ("case", "state"),
    [
        (make(), cases.OPEN),
        (make(finding=False), cases.ORDINARY),
        (make(verdict=ColocationVerdict.TRUE_CASE), cases.SETTLED),
        (make(verdict=ColocationVerdict.SAME_OPERATOR), cases.SETTLED),
        (make(verdict=ColocationVerdict.ORDINARY), cases.ORDINARY),
        (make(verdict=ColocationVerdict.UNCLEAR), cases.OPEN),
        (make(verdict=ColocationVerdict.ORDINARY, changed=True), cases.OPEN),
    ],
)
def test_every_case_has_one_state(case: Case, state: str) -> None:
    assert cases.state_of(case) == state
    shared = cases.Shared((case,), {})
    assert cases.select(shared, level="room", state=state) == [case]
    assert cases.select(shared, level="door", state=None) == []
    total = cases.count(shared)
    assert total.open + total.settled + total.ordinary == 1 and total.institutions == 2


@pytest.mark.parametrize(
    ("confidence", "zh", "en"),
    [
        (0.99, "很可能 0.99", "very likely 0.99"),
        (0.85, "较可能 0.85", "likely 0.85"),
        (0.4, "有可能 0.40", "possible 0.40"),
        (0.01, "可能性小 0.01", "unlikely 0.01"),
    ],
)
def test_a_confidence_is_a_word_with_its_number(confidence: float, zh: str, en: str) -> None:
    assert cases.confidence_words(confidence, "zh") == zh
    assert cases.confidence_words(confidence, "en") == en


def test_every_observation_has_words_in_both_languages() -> None:
    group = Group(ColocationLevel.DOOR, "k", (1, 2), tuple(Evidence), 0.5, True)
    for language in ("zh", "en"):
        told = cases.evidence_words(Case(group, (), None), language)  # type: ignore[arg-type]
        assert len(set(told)) == len(Evidence) and not any("colocation" in word for word in told)


def test_a_decision_tells_who_when_and_that_institutions_changed() -> None:
    shared = cases.Shared((), {"lead": "王组长"})
    case = make(verdict=ColocationVerdict.SAME_OPERATOR, changed=True)
    assert cases.decision_words(case, shared, "zh") == [
        "机构有变化，需重新核实",
        "同一举办者",
        "王组长 2026-09-17",
        "看过",
    ]
    assert cases.last_line(make(), shared, "zh") == "尚未认定"


def test_the_map_carries_numbers_as_listed_and_leaves_out_what_has_no_point() -> None:
    listed = [make(lon=None, key="甲"), make(key="乙")]
    _, body = cases.rows(listed, cases.Shared((), {}), "zh")
    layer = cases.layer(listed, language="zh")
    assert [row[0] for row in body] == ["1", "2"]
    (feature,) = layer["features"]
    assert feature["properties"]["label"] == "2" and feature["properties"]["id"] == cases.code_of(listed[1])
    assert feature["geometry"] == {"type": "Point", "coordinates": [121.2, 40.3]}
    assert "东大街" not in cases.code_of(make())
