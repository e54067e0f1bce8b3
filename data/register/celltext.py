"""Text on its way into a table file: never a formula, never a sign that no file can hold; and back again."""

from __future__ import annotations

import re

# What XML 1.0, a database or UTF-8 cannot hold, however it is escaped.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Spreadsheets skip blanks and, in Chinese ones, take full-width signs for the same.
_FORMULA = re.compile(r"'*(?:[\s\ufeff\u200b\x7f]*[=+\-@＝＋－＠]|[\t\r\n])")
_NUMBER = re.compile(r"[+\-]?\d[\d.,]*%?")


def printable(text: str) -> str:
    """Return `text` without control characters, half surrogates and what else no file can hold."""
    return _UNPRINTABLE.sub("", text)


def guard(text: str) -> str:
    """Return `text` with a leading apostrophe where a spreadsheet would run it as a formula.

    A lone sign stays as it is; what `guard` changed, `unguard` gives back.
    """
    return f"'{text}" if _is_dangerous(text) else text


def unguard(text: str) -> str:
    """Return `text` as it was before `guard`."""
    return text[1:] if text.startswith("'") and _is_dangerous(text[1:]) else text


def _is_dangerous(text: str) -> bool:
    return len(text) > 1 and _FORMULA.match(text) is not None


def is_number(text: str) -> bool:
    """Return whether `text` is a signed number or share, which no spreadsheet runs as more than that."""
    return _NUMBER.fullmatch(text) is not None
