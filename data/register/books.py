"""A table file of any kind as sheets of texts: told by what is in it, whatever its name ends in."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data.errors import SheetError
from data.register.delimited import split_text
from data.register.encodings import decode
from data.register.workbooks import MAX_CELLS

MAX_BYTES = 50 * 1024 * 1024
MAX_UNPACKED_BYTES = 400 * 1024 * 1024
ACCEPTED = "xlsx, xlsm, xls, ods, et, csv, txt"
SUFFIXES = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".et", ".csv", ".txt", ".tsv"}
_READER_S = 600
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_NO_TABLE = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"Rar!", b"7z\xbc\xaf", b"MIME-Version:", b"{\\rtf")


@dataclass(frozen=True)
class Sheet:
    """One table of a file as it is written; rows and columns from 0.

    `merged` holds first and last row and column of merged cells, `hidden` the hidden rows, `odd` the kind of
    each cell without a usable value. `is_text` says that its columns are as many as its rows have signs.
    """

    name: str
    cells: list[list[str]]
    visible: bool = True
    is_table: bool = True
    merged: tuple[tuple[int, int, int, int], ...] = ()
    hidden: frozenset[int] = frozenset()
    odd: Mapping[tuple[int, int], str] = field(default_factory=dict)
    is_text: bool = False


def read_book(path: Path, *, sheet: str | None = None, max_bytes: int = MAX_BYTES) -> list[Sheet]:
    """Return the sheets of a table file, hidden ones without their cells.

    Parameters
    ----------
    sheet
        Name of the one to read, hidden or not; all when None.
    max_bytes
        Largest file that is read.

    Raises
    ------
    SheetError
        `not_found`, `file_too_large`, `wrong_type` with what it is and what is accepted, `unreadable`,
        `unknown_sheet`, `empty_sheet`, `encrypted_sheet`, `unclosed_quote`; `sheet_too_large` with rows and
        columns, `sheet_overflow` where not even those can be told.
    """
    if not path.is_file():
        raise SheetError("not_found", file=path.name)
    if path.suffix.lower() not in SUFFIXES:
        raise SheetError("wrong_type", file=path.name, wanted=ACCEPTED)
    content = _read_bytes(path, max_bytes)
    try:
        sheets = _read(content, sheet)
    except SheetError as error:
        raise SheetError(error.code, **{"file": path.name, **error.fields}) from error
    if not any(any(map(any, one.cells)) for one in sheets):
        raise SheetError("empty_sheet", file=path.name)
    return sheets


def _read_bytes(path: Path, max_bytes: int) -> bytes:
    """Read a file once, so that one that changes meanwhile is still one file."""
    try:
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            content = b"" if size > max_bytes else stream.read(max_bytes + 1)
    except OSError as error:
        raise SheetError("unreadable", file=path.name) from error
    size = max(size, len(content))
    if size > max_bytes:
        raise SheetError("file_too_large", file=path.name, size_mb=size // 2**20, max_mb=max_bytes // 2**20)
    return content


def _read(content: bytes, sheet: str | None) -> list[Sheet]:
    head = content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(_NO_TABLE):
        raise SheetError("wrong_type", wanted=ACCEPTED)
    if content.startswith(b"PK"):
        return _read_packed(content, sheet)
    if content.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise SheetError("encrypted_sheet")
        if "WordDocument".encode("utf-16-le") in content:
            raise SheetError("wrong_type", wanted=ACCEPTED)
        return _ask_reader(content, "dense", sheet)
    try:
        text = decode(content)
    except ValueError as error:
        raise SheetError("unreadable") from error
    if text.lstrip().startswith("<"):
        return _ask_reader(content, "markup", sheet)
    if sheet is not None:
        raise SheetError("unknown_sheet", sheet=sheet)
    return [Sheet("", split_text(text), is_text=True)]


def _read_packed(content: bytes, sheet: str | None) -> list[Sheet]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise SheetError("unreadable") from error
    if unpacked > MAX_UNPACKED_BYTES:
        size, most = unpacked // 2**20, MAX_UNPACKED_BYTES // 2**20
        raise SheetError("file_too_large", size_mb=size, max_mb=most)
    if any(name.startswith(("word/", "ppt/")) for name in names) or not any(
        name.startswith("xl/") or name == "content.xml" for name in names
    ):
        raise SheetError("wrong_type", wanted=ACCEPTED)
    try:
        return _ask_reader(content, "dense", sheet)
    except SheetError as error:
        if error.code not in {"sheet_too_large", "sheet_overflow"}:
            raise
        try:
            return _ask_reader(content, "sparse", sheet)
        except SheetError as sparse:
            raise (error if sparse.code == "unreadable" else sparse) from error


def _ask_reader(content: bytes, how: str, sheet: str | None) -> list[Sheet]:
    """Let `data.register.workbooks` read a workbook in a process of its own, which may die of it."""
    command = [sys.executable, "-P", "-m", "data.register.workbooks", how, *([sheet] if sheet else [])]
    root = str(Path(__file__).resolve().parents[2])
    environment = {**os.environ, "PYTHONPATH": root, "RUST_BACKTRACE": "0", "PYTHONIOENCODING": "utf-8"}
    try:
        done = subprocess.run(  # noqa: S603
            command, input=content, capture_output=True, env=environment, timeout=_READER_S, check=False
        )
        answer: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise SheetError("unreadable") from error
    if "sheets" in answer:
        return [_sheet(told) for told in answer["sheets"]]
    if "code" in answer:
        raise SheetError(answer["code"], **answer["fields"])
    # Out of memory the reader aborts or Python raises; anything else is a file it cannot make sense of.
    starved = b"memory allocation" in done.stderr or b"MemoryError" in done.stderr
    starved = starved or b"capacity overflow" in done.stderr
    raise SheetError("sheet_overflow" if starved else "unreadable", limit=MAX_CELLS)


def _sheet(told: Mapping[str, Any]) -> Sheet:
    return Sheet(
        name=told["name"],
        cells=told["cells"],
        visible=told["visible"],
        is_table=told["is_table"],
        merged=tuple((r0, c0, r1, c1) for r0, c0, r1, c1 in told["merged"]),
        hidden=frozenset(told["hidden"]),
        odd={(row, column): kind for row, column, kind in told["odd"]},
    )
