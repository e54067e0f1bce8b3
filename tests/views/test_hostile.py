"""Whatever a text of the register holds, every page shows it as text: no markup, no Markdown, no template."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import String, update
from streamlit.testing.v1 import AppTest

from dashboard.wiring import Wiring
from data.schema import Base
from data.schema.base import TermType
from tests import neighbours
from tests.views.test_views import Open, built, open_page, parts

__all__ = ["built", "open_page", "parts"]

MARK = "zq"
HOSTILE = f"{MARK}![i](http://e.example/i)<b onclick=x>:red[y]{{{{7*7}}}}{{%x%}}`$a$"
# Codes and words of the program, which no import writes as they come.
KEPT = {
    "alembic_version", "audit_event", "audit_head", "job", "login_session", "login_try", "known_device",
    "earlier_password", "topic_counter", "scorecard",
}  # fmt: skip
CODES = {
    "code", "uscc", "identity_key", "grid_code", "scope_grid_code", "username", "visit_code", "plan_code",
    "team", "source_crs", "password_hash", "input_digest", "document_digest", "draw_code", "digest", "sha256",
    "kind", "certificate_no", "permit_no", "match_code", "key", "level", "batch", "seed", "salt",
}  # fmt: skip
PAGES = ("", "roster", "route", "coverage", "locations", "hotspots", "colocation", "grids", "evidence")


@pytest.fixture
def hostile(parts: Wiring) -> Iterator[Wiring]:
    """The small district with the payload in every text somebody could have written."""
    with parts.store.begin(actor="test", now=parts.now()) as session:
        neighbours.share_addresses(session)
        neighbours.break_grids(session)
        for table in Base.metadata.sorted_tables:
            if table.name in KEPT:
                continue
            texts = {
                column.name: (HOSTILE * 3)[: column.type.length or 200]
                for column in table.columns
                if isinstance(column.type, String)
                and not isinstance(column.type, TermType)
                and column.name not in CODES
                and not column.foreign_keys
                and not column.unique
                and (column.type.length or 200) >= 40
            }
            if texts:
                session.execute(update(table).values(**texts))
    yield parts


def shown(test: AppTest) -> Iterator[tuple[str, str]]:
    """Yield sort and text of all that a page hands to the browser as Markdown or HTML."""

    def walk(message: Any, path: str) -> Iterator[tuple[str, str]]:
        for field, value in message.ListFields():
            values = value if field.is_repeated else [value]
            for item in values:
                if field.type == field.TYPE_MESSAGE:
                    yield from walk(item, f"{path}.{field.name}")
                elif field.type == field.TYPE_STRING:
                    yield f"{path}.{field.name}", item

    for block in test.main, test.sidebar:
        yield from _blocks(block, walk)


def _blocks(node: Any, walk: Any) -> Iterator[tuple[str, str]]:
    proto = getattr(node, "proto", None)
    if proto is not None and hasattr(proto, "ListFields"):
        yield from walk(proto, type(proto).__name__)
    for child in getattr(node, "children", {}).values():
        yield from _blocks(child, walk)


def faults(test: AppTest) -> list[str]:
    """Return what of a page would be read as more than text."""
    found = []
    for where, text in shown(test):
        if MARK not in text or where.split(".")[-1] in ("form_id", "id", "default_id", "element_id"):
            continue
        if where.startswith("Html"):
            bad = "<b onclick" in text
        elif where in AS_TEXT:
            continue
        else:
            bad = re.search(r"(?<!\\)(!\[|:red|<b|`|\$)", text) is not None
        if bad:
            found.append(f"{where}: {html.escape(text[:160])}")
    return found


# Options of a closed list and cells of a table are drawn as they are; a component gets encoded values.
AS_TEXT = {
    "Selectbox.options", "MultiSelect.options", "Selectbox.raw_value", "Selectbox.default",
    "ComponentInstance.json_args", "Selectbox.set_value", "Arrow.data", "Selectbox.placeholder",
}  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_hostile_text_as_text(open_page: Open, hostile: Wiring, page: str) -> None:
    """Nothing executes, nothing breaks, nothing is formatted."""
    test = open_page("lead", page)
    assert not test.exception
    assert any(MARK in text for _, text in shown(test)) or page in ("evidence",)
    assert faults(test) == []
