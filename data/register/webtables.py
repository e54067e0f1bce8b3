"""Tables of web pages and of XML spreadsheets, which many systems write into files named .xls."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

from data.register.encodings import decode
from data.register.marks import Marks

Found = tuple[str, list[list[str]], Marks]
# As browsers read them.
_MOST_DOWN, _MOST_ACROSS = 65_534, 1_000


def read_markup(content: bytes) -> list[Found]:
    """Return name, cells and merged ranges of each table of an HTML or SpreadsheetML file.

    Raises
    ------
    ValueError
        When the bytes are no text.
    """
    text = decode(content)
    if "urn:schemas-microsoft-com:office:spreadsheet" in text[:4096]:
        # A parser of XML wants the bytes or a text that declares no encoding of its own.
        return _read_spreadsheet(re.sub(r"^\s*<\?xml[^>]*\?>", "", text))
    page = _Page()
    page.feed(text)
    page.close()
    return [("", rows, marks) for rows, marks in page.tables if any(any(row) for row in rows)]


class _Page(HTMLParser):
    """Collects the cells of tables; a table inside a cell is one of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[tuple[list[list[str]], Marks]] = []
        self._open: list[_Table] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a table, a row, a cell or a line."""
        if tag == "table":
            self._open.append(_Table())
            return
        if not self._open:
            return
        table = self._open[-1]
        if tag == "tr":
            table.begin_row()
        elif tag in ("td", "th"):
            told = dict(attrs)
            down, across = _span(told.get("rowspan"), _MOST_DOWN), _span(told.get("colspan"), _MOST_ACROSS)
            table.begin_cell(down, across)
        elif tag == "br":
            table.add("\n")

    def handle_endtag(self, tag: str) -> None:
        """End a table or a cell."""
        if tag == "table" and self._open:
            table = self._open.pop()
            table.end_cell()
            self.tables.append((table.rows, table.marks))
        elif tag in ("td", "th") and self._open:
            self._open[-1].end_cell()

    def handle_data(self, data: str) -> None:
        """Add text to the open cell."""
        if self._open:
            self._open[-1].add(data)

    def close(self) -> None:
        """End what the page left open."""
        super().close()
        while self._open:
            self.handle_endtag("table")


class _Table:
    """The cells of one table, spans put in their places."""

    def __init__(self) -> None:
        self.rows: list[list[str]] = []
        self.marks = Marks()
        self._text: list[str] | None = None
        self._spans = (1, 1)
        # The last row that a cell above reaches down to, by column.
        self._taken: dict[int, int] = {}

    def begin_row(self) -> None:
        self.end_cell()
        self.rows.append([])

    def begin_cell(self, down: int, across: int) -> None:
        self.end_cell()
        if not self.rows:
            self.rows.append([])
        self._text, self._spans = [], (down, across)

    def add(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text if text == "\n" else re.sub(r"\s+", " ", text))

    def end_cell(self) -> None:
        if self._text is None:
            return
        text, self._text = "".join(self._text).strip(), None
        row, cells = len(self.rows) - 1, self.rows[-1]
        while self._taken.get(len(cells), -1) >= row:
            cells.append("")
        first = len(cells)
        down, across = self._spans
        cells.extend([text, *[""] * (across - 1)])
        if down * across > 1:
            self.marks.merged.append((row, first, row + down - 1, first + across - 1))
        for column in range(first, first + across if down > 1 else first):
            self._taken[column] = row + down - 1


def _span(text: str | None, most: int) -> int:
    return max(1, min(int(text), most)) if text and text.isdecimal() else 1


def _read_spreadsheet(text: str) -> list[Found]:
    """Read the XML that Excel 2003 wrote; places are counted, or told by `Index`."""
    found = []
    for sheet in (e for e in ElementTree.fromstring(text).iter() if _tag(e) == "Worksheet"):  # noqa: S314
        rows: list[list[str]] = []
        marks = Marks()
        for row in (e for e in sheet.iter() if _tag(e) == "Row"):
            told = _told(row)
            if told.get("Index", "").isdecimal():
                rows.extend([] for _ in range(min(int(told["Index"]) - 1, 1_048_576) - len(rows)))
            if told.get("Hidden") == "1":
                marks.hidden.add(len(rows))
            rows.append(_read_cells([e for e in row if _tag(e) == "Cell"], len(rows), marks))
        found.append((_told(sheet).get("Name", ""), rows, marks))
    return found


def _read_cells(cells: list[ElementTree.Element], row: int, marks: Marks) -> list[str]:
    texts: list[str] = []
    for cell in cells:
        told = _told(cell)
        if told.get("Index", "").isdecimal():
            texts.extend([""] * (min(int(told["Index"]) - 1, 16_384) - len(texts)))
        # More cells beside and below, so 0 where nothing is said.
        across = _span(told["MergeAcross"], 16_383) if "MergeAcross" in told else 0
        down = _span(told["MergeDown"], 1_048_575) if "MergeDown" in told else 0
        if across or down:
            marks.merged.append((row, len(texts), row + down, len(texts) + across))
        text = "".join("".join(data.itertext()) for data in cell if _tag(data) == "Data")
        texts.extend([text, *[""] * across])
    return texts


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _told(element: ElementTree.Element) -> dict[str, str]:
    return {name.rpartition("}")[2]: value for name, value in element.attrib.items()}
