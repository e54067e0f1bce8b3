"""Two languages: Chinese source strings with an English catalogue, and the sentence of every error code."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from data.terms import Language

LOCALE = Path(__file__).parent / "locale"
Translate = Callable[..., str]

MOST_FAULTS = 50
"""Faults told of one input; a broken file can have thousands."""


class _Fields(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "—"


@cache
def catalogue() -> Mapping[str, str]:
    """Return the English twin of each Chinese source string."""
    with (LOCALE / "en.toml").open("rb") as file:
        return dict(tomllib.load(file))


@cache
def sentences() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    """Return the (Chinese, English) sentences by section and code."""
    with (LOCALE / "sentences.toml").open("rb") as file:
        table = tomllib.load(file)
    return {name: {code: (pair[0], pair[1]) for code, pair in part.items()} for name, part in table.items()}


def as_language(text: str | None) -> Language:
    """Return the language named by `text`; Chinese unless it is `en`."""
    return "en" if text == "en" else "zh"


def translator(language: Language) -> Translate:
    """Return the function that gives a Chinese source string in `language`, its {fields} filled in.

    Raises
    ------
    KeyError
        When the string has no English twin.
    """

    def translate(text: str, /, **fields: object) -> str:
        chosen = text if language == "zh" else catalogue()[text]
        return chosen.format(**fields) if fields else chosen

    return translate


def sentence_for(code: str, fields: Mapping[str, object], language: Language) -> str:
    """Return the sentence of a code (`code`, or `section.code`); an unknown code shows itself."""
    section, _, name = code.rpartition(".")
    table = sentences()
    pair = table[section].get(name) if section in table else None
    if pair is None:
        pair = table["errors"].get(code) or table["rejects"].get(code)
    if pair is None:
        pair = (f"未能完成（{code}）。", f"This did not complete ({code}).")
    template = pair[0] if language == "zh" else pair[1]
    return template.format_map(_Fields({name: _shown(value, language) for name, value in fields.items()}))


def sentence(error: BaseException, language: Language) -> str:
    """Return what a user reads for `error`: the sentence of its code, with each collected fault."""
    code = getattr(error, "code", "unexpected")
    fields: dict[str, object] = dict(getattr(error, "fields", {}))
    faults: Iterable[Any] = getattr(error, "faults", ())
    if not isinstance(faults, Mapping) and (all_faults := list(faults)):
        listed = [_fault(fault, language) for fault in all_faults[:MOST_FAULTS]]
        if (more := len(all_faults) - MOST_FAULTS) > 0:
            listed.append(f"另有 {more} 处" if language == "zh" else f"and {more} more")
        fields["faults"] = ("；" if language == "zh" else "; ").join(listed)
    return sentence_for(str(code), fields, language)


def _fault(fault: Any, language: Language) -> str:
    pair = sentences()["fault"].get(fault.code)
    if pair is None:
        return str(fault)
    told = sentence_for(f"fault.{fault.code}", fault.fields, language)
    return f"{fault.where}: {told}" if fault.where else told


def _shown(value: object, language: Language) -> str:
    if isinstance(value, (list, tuple)) and value and all(_is_fault(item) for item in value):
        told = [sentence_for(f"fault.{item['code']}", item.get("fields", {}), language) for item in value]
        return ("；" if language == "zh" else "; ").join(told)
    if isinstance(value, (list, tuple, set, frozenset)):
        return ("、" if language == "zh" else ", ").join(str(item) for item in value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def _is_fault(item: object) -> bool:
    """Return whether an item is a stored fault, as a failed job keeps it."""
    return isinstance(item, Mapping) and item.get("code") in sentences()["fault"]
