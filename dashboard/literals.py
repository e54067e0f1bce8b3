"""Values written into a map's script: the one encoder that no template, script or page can read as code."""

from __future__ import annotations

import json
import re
from typing import Any

# Everything else leaves as \uXXXX: template marks, quotes, the end of a script element, line separators, and
# the underscores that the map component takes for its own names.
_PLAIN = re.compile(r"[A-Za-z0-9 .,:/-]+")


def javascript(value: Any) -> str:
    """Return a JavaScript expression for a JSON value, of letters, digits and ``JSON.parse("...")`` alone.

    Rendered maps are compiled as templates once more (branca turns every rendered script into a template), so
    nothing in the text may mean anything to a template engine, an HTML parser or a JavaScript parser.

    Parameters
    ----------
    value
        What `json.dumps` takes; NaN and infinity are no JSON.

    Raises
    ------
    ValueError
        When the value holds NaN or infinity.
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return f'JSON.parse("{"".join(map(_escape, _split(text)))}")'


def _split(text: str) -> list[str]:
    """Return runs of plain characters and the single characters between them."""
    pieces, at = [], 0
    for run in _PLAIN.finditer(text):
        pieces += [*text[at : run.start()], run.group()]
        at = run.end()
    return [*pieces, *text[at:]]


def _escape(piece: str) -> str:
    return piece if _PLAIN.fullmatch(piece) else f"\\u{ord(piece):04x}"
