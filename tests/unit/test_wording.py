"""Plans are told in the words people use; a file's own codes stay as they are."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from dashboard import i18n, wording
from planner import explain
from planner.errors import Fault

NAMES = {"I12": "晨光托管", "P01": "张三"}


@pytest.mark.parametrize(
    ("code", "chinese", "english"),
    [
        ("2026-09-19-weekend_am-T1", "9月19日 周六 周末上午 第 1 组", "Sat 19 Sep, Weekend morning, Team 1"),
        ("2026-09-19-weekend_am", "9月19日 周六 周末上午", "Sat 19 Sep, Weekend morning"),
        ("T12", "第 12 组", "Team 12"),
        ("I12-evening", "晨光托管", "晨光托管"),
        ("I12-urgent-1", "晨光托管", "晨光托管"),
        ("P01", "张三", "张三"),
        ("P02", "P02", "P02"),
        ("S1", "S1", "S1"),
        ("2026-09-19-tea-T1", "2026-09-19-tea-T1", "2026-09-19-tea-T1"),
    ],
)
def test_codes_are_told_as_date_slot_team_or_name(code: str, chinese: str, english: str) -> None:
    assert wording.name_words(code, "zh", NAMES) == chinese
    assert wording.name_words(code, "en", NAMES) == english


def test_helps_are_sentences_the_cheapest_three_first() -> None:
    helps = [
        {"rule": "recusal", "cost_s": 90, "shift": "2026-09-19-weekend_am-T1", "members": ["P01"]},
        {"rule": "shift_end", "cost_s": 120, "shift": "2026-09-19-weekend_am-T2", "by_s": 61},
        {"rule": "team", "cost_s": 600, "slot": "2026-09-19-weekend_pm", "day": 3},
        {"rule": "cap", "cost_s": 900, "shift": "2026-09-19-weekend_am-T2", "by": 1},
    ]
    assert wording.help_lines(helps, "zh", NAMES) == [
        "9月19日 周六 周末上午 第 1 组 换下 张三，多 2 分钟",
        "9月19日 周六 周末上午 第 2 组 延长 2 分钟",
        "9月19日 周六 周末下午 增加一组，路程 10 分钟",
    ]
    assert (
        wording.help_lines(helps, "en", NAMES)[1] == "let Sat 19 Sep, Weekend morning, Team 2 end 2 min later"
    )


def test_every_rule_that_can_be_relaxed_has_a_sentence_in_both_languages() -> None:
    source = re.findall(r'"rule": "(\w+)"', Path(explain.__file__).read_text(encoding="utf-8"))
    told = i18n.sentences()["help"]
    assert {"gap", "met", "shift_end", "team"} <= set(source) <= set(told)
    for section in ("help", "bound"):
        for chinese, english in i18n.sentences()[section].values():
            fields = [
                {f for _, f, _, _ in string.Formatter().parse(text) if f} for text in (chinese, english)
            ]
            assert fields[0] == fields[1]


def test_collected_faults_of_a_job_are_told_one_by_one_with_names() -> None:
    faults = [
        Fault("pins", "not_served", {"visit": "I12-noon"}),
        Fault("locks", "unknown_shift", {"shift": "T9"}),
    ]
    fields = {"faults": [{"code": fault.code, "fields": fault.fields} for fault in faults]}
    spoken = wording.spoken(fields, "zh", NAMES)
    assert (
        i18n.sentence_for("repair", spoken, "zh")
        == "改动与方案不符：家次 晨光托管 未排入；没有班次 第 9 组。"
    )


def test_a_ceiling_is_told_only_where_it_was_computed() -> None:
    figures = {
        "bound": 7,
        "reached": {"prize": 92.7, "sites": 99.0},
        "ceiling": {"prize": 94.8, "sites": 100.0},
    }
    line = wording.reach_line(figures, "zh")
    assert line is not None and "92.7%，任何方案都不可能超过 94.8%" in line and "100%" in line
    assert "no plan can exceed 94.8%" in (wording.reach_line(figures, "en") or "")
    assert wording.reach_line({**figures, "bound": None}, "zh") is None
    assert wording.reach_line({"bound": 7}, "zh") is None
