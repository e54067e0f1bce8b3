"""Text files of Chinese offices decoded: UTF-8, GB 18030 (GBK) and UTF-16, with and without their marks."""

from __future__ import annotations

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (b"\x84\x31\x95\x33", "gb18030"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LOOKED_AT = 4096
_MANY_ZEROS = 0.1


def decode(content: bytes) -> str:
    """Return the text of a file.

    Raises
    ------
    ValueError
        When it is no text in any of the encodings.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding)
    if b"\x00" in content[:_LOOKED_AT]:
        return content.decode(_wide(content[:_LOOKED_AT]))
    for encoding in ("utf-8", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError("no text")


def _wide(head: bytes) -> str:
    """Return which UTF-16 a text without a mark is: its commas, digits and line ends have a zero byte."""
    first, second = head[0::2].count(0), head[1::2].count(0)
    if max(first, second) < _MANY_ZEROS * len(head) / 2 or min(first, second) > 0.1 * max(first, second):
        raise ValueError("no text")
    return "utf-16-be" if first > second else "utf-16-le"
