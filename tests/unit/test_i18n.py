"""Both languages are complete: every string has its twin, every error code its sentence."""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard import i18n
from data.errors import AccountError, DataError
from planner.errors import Fault, OptionsError

ROOT = Path(__file__).resolve().parents[2]
FIELD = string.Formatter()


def _calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            yield (function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")), node


def _sources() -> set[str]:
    found = set()
    for path in (ROOT / "dashboard").rglob("*.py"):
        for name, call in _calls(ast.parse(path.read_text(encoding="utf-8"))):
            first = call.args[0] if call.args else None
            if name in ("t", "_") and isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.add(first.value)
    for folder in ("dashboard/templates", "dashboard/phone/templates"):
        for path in (ROOT / folder).glob("*.html"):
            found |= set(re.findall(r'\b(?:t|_)\("([^"]+)"', path.read_text(encoding="utf-8")))
    return found


def _raised_codes() -> set[str]:
    codes = set()
    for floor in ("data", "geo", "planner", "dashboard"):
        for path in (ROOT / floor).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for name, call in _calls(tree):
                if not name.endswith("Error") or name in {
                    "ValueError",
                    "AssertionError",
                    "RuntimeError",
                    "TypeError",
                }:
                    continue
                given = [k.value for k in call.keywords if k.arg == "code"] + call.args[:1]
                codes |= {v.value for v in given if isinstance(v, ast.Constant) and isinstance(v.value, str)}
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and node.name.endswith("Error"):
                    codes |= {
                        item.value.value
                        for item in node.body
                        if isinstance(item, ast.Assign) and isinstance(item.value, ast.Constant)
                    }
    return codes


def _rejected_codes() -> set[str]:
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "data" / "register").glob("*.py"))
    told = re.findall(r'refuse\("\w+", "(\w+)"(?: if [^\n]+ else "(\w+)")?', text)
    told += re.findall(r'refuse\("(\w+)"(?: if [^\n]+ else "(\w+)")?\)', text)
    told += re.findall(r'reject\(row, [\w."]+, "(\w+)"()', text)
    by_name = {"no_name", "no_address", "uscc_length", "cell_error", "cell_formula", "cell_inexact"}
    return {code for pair in told for code in pair if code} | by_name | {"too_many_cells", "too_few_cells"}


def _note_codes() -> set[str]:
    text = (ROOT / "data" / "register" / "sheets.py").read_text(encoding="utf-8")
    return set(re.findall(r'Note\("(\w+)"', text)) | {"sheet_no_table"}


def _unserved_codes() -> set[str]:
    text = "".join(
        (ROOT / "planner" / name).read_text(encoding="utf-8") for name in ("explain.py", "demand.py")
    )
    return set(re.findall(r"^``(\w+)``", text, flags=re.M)) | set(
        re.findall(r'(?:False|True|\)), "(\w+)", ', text)
    )


def test_every_source_string_has_an_english_twin_and_no_twin_is_left_over() -> None:
    assert _sources() == set(i18n.catalogue())


def test_both_twins_name_the_same_fields() -> None:
    for chinese, english in i18n.catalogue().items():
        assert {f for _, f, _, _ in FIELD.parse(chinese) if f} == {
            f for _, f, _, _ in FIELD.parse(english) if f
        }


def test_every_code_raised_below_has_a_sentence() -> None:
    codes = _raised_codes()
    assert len(codes) > 60
    assert codes - set(i18n.sentences()["errors"]) == set()


def test_every_reject_and_unserved_code_has_a_sentence() -> None:
    assert len(_rejected_codes()) > 25
    assert _rejected_codes() - set(i18n.sentences()["rejects"]) - set(i18n.sentences()["errors"]) == set()
    assert _note_codes() == set(i18n.sentences()["notes"])
    assert {"no_window", "no_slot", "not_placed", "gap"} <= _unserved_codes()
    assert _unserved_codes() - set(i18n.sentences()["unserved"]) == set()


@pytest.mark.parametrize(
    "section", ["errors", "rejects", "notes", "fault", "unserved", "reason", "factor", "stage", "help"]
)
def test_sentences_name_the_same_fields_in_both_languages(section: str) -> None:
    for code, (chinese, english) in i18n.sentences()[section].items():
        assert re.search(r"[一-鿿]", chinese), code
        assert not re.search(r"[一-鿿]", english), code
        assert {f for _, f, _, _ in FIELD.parse(chinese) if f} == {
            f for _, f, _, _ in FIELD.parse(english) if f
        }


def test_a_sentence_takes_the_fields_of_its_error() -> None:
    assert i18n.sentence(AccountError("password_too_short", minimum=10), "zh") == "密码至少 10 位。"


def test_collected_faults_are_all_told() -> None:
    error = OptionsError([Fault("last", "period_reversed"), Fault("teams", "too_small", {"least": 1})])
    assert i18n.sentence(error, "zh") == "方案参数有误：last: 结束日期早于开始日期；teams: 取值过小，至少 1。"


def test_an_unknown_code_shows_itself_and_missing_fields_a_dash() -> None:
    assert "never_heard" in i18n.sentence(DataError("never_heard"), "zh")
    assert "—" in i18n.sentence_for("unknown_plan", {}, "zh")


def test_a_string_without_twin_is_a_fault_in_english() -> None:
    with pytest.raises(KeyError):
        i18n.translator("en")("没有译文")
