"""Server-rendered pages: jinja2 with escaping on and both languages at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from dashboard.i18n import translator
from data.terms import Language

_FOLDER = Path(__file__).parent / "templates"
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(name: str, *, language: Language, status: int = 200, **values: Any) -> HTMLResponse:
    """Return the page made from template `name` in `language`."""
    text = _ENVIRONMENT.get_template(name).render(t=translator(language), language=language, **values)
    return HTMLResponse(text, status_code=status)
