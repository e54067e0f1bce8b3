"""What every command shares: database, JSON or words, one clear line and exit code 2 for bad input."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from dashboard.settings import Settings
    from dashboard.wiring import Wiring
    from data.store import Store

Result = TypeVar("Result")
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of words.")]
Database = Annotated[
    str | None,
    typer.Option("--database", help="Database URL; GRIDPATROL_DATABASE or var/gridpatrol.db by default."),
]

BAD_INPUT = 2


def _name_person() -> str:
    """Return who runs the command, as the change log names them."""
    try:
        person = getpass.getuser()
    except (KeyError, OSError, ImportError):
        # An account without a name, as in a container.
        person = str(getattr(os, "getuid", lambda: "")())
    return f"command-line:{person}"[:60]


ACTOR = _name_person()


@dataclass
class Door:
    """One command's parts and way of answering."""

    settings: Settings
    as_json: bool

    @cached_property
    def wiring(self) -> Wiring:
        """Store and clock, put together when first asked for: commands on files alone need neither."""
        from dashboard.wiring import assemble

        return assemble(self.settings)

    def store(self, *, create: bool = False) -> Store:
        """Return the store, checked to be at the newest migration (or brought there)."""
        store = self.wiring.store
        if create:
            store.upgrade()
        else:
            store.require_current()
        return store

    def note_export(self, what: str, key: str) -> None:
        """Write into the change log that a table leaves the register."""
        from data import audit

        with self.wiring.store.begin(actor=ACTOR, now=self.wiring.now()) as session:
            audit.append(session, action="export", entity=what, entity_key=key[:200])

    def write_aside(self, step: Callable[[Session], Result], *, create: bool = False) -> Result:
        """Run a long step that writes so that others wait for its result only, see `data.aside`."""
        from data.aside import write_aside

        return write_aside(self.store(create=create), step, actor=ACTOR, now=self.wiring.now())

    def answer(self, result: dict[str, Any], *lines: str) -> None:
        """Print the result as JSON, or the given lines."""
        if self.as_json:
            typer.echo(json.dumps(result, ensure_ascii=False, default=str))
        else:
            for line in lines:
                typer.echo(line)


@contextmanager
def open_door(*, as_json: bool, database: str | None) -> Iterator[Door]:
    """Open the command door; every named error becomes one line in two languages and exit code 2."""
    from dataclasses import replace

    from dashboard.settings import Settings, SettingsError
    from data.errors import DataError
    from geo.errors import GeoError
    from planner.errors import PlannerError

    try:
        settings = Settings.from_environment()
        if database is not None:
            settings = replace(settings, database=database)
        yield Door(settings, as_json)
    except (DataError, GeoError, PlannerError, SettingsError) as error:
        refuse(error, as_json=as_json)


def refuse(error: Exception, *, as_json: bool) -> None:
    """Print why a command is refused and leave with exit code 2."""
    from dashboard.i18n import sentence

    zh, en = sentence(error, "zh"), sentence(error, "en")
    if as_json:
        body = {
            "code": getattr(error, "code", "error"),
            "fields": getattr(error, "fields", {}),
            "zh": zh,
            "en": en,
        }
        typer.echo(json.dumps({"error": body}, ensure_ascii=False, default=str))
    else:
        typer.echo(f"{zh}  /  {en}", err=True)
    raise typer.Exit(BAD_INPUT)


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file asked for by -o.

    Raises
    ------
    PlannerError
        `output_failed`.
    """
    from planner.errors import PlannerError

    try:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        fields: dict[str, object] = {"file": str(path), "reason": error.strerror}
        raise PlannerError(code="output_failed", fields=fields) from error


def settle_format(output: Path, asked: str | None, *, known: Sequence[str], usual: str) -> tuple[str, Path]:
    """Return the format of an export and its file: as asked for, else as the file is named, else the usual.

    A file without a suffix is given that of its format.

    Raises
    ------
    SheetError
        `unknown_format`, or `format_conflict` when what was asked for and the suffix disagree.
    """
    from data.errors import SheetError

    suffix = output.suffix.lower()
    chosen = asked or suffix.removeprefix(".") or usual
    if chosen not in known:
        raise SheetError("unknown_format", format=chosen, wanted=", ".join(known))
    if suffix and suffix != f".{chosen}":
        raise SheetError("format_conflict", format=chosen, suffix=output.suffix, file=output.name)
    return chosen, output if suffix else output.with_suffix(f".{chosen}")


def demand_writable(path: Path | None) -> None:
    """Refuse an output that cannot be written before any work is done for it.

    Raises
    ------
    PlannerError
        `output_failed`.
    """
    from planner.errors import PlannerError

    if path is None:
        return
    reason = None
    if path.is_dir():
        reason = "is a directory"
    elif not path.parent.is_dir():
        reason = "no such directory"
    elif not os.access(path if path.exists() else path.parent, os.W_OK):
        reason = "not writable"
    if reason is not None:
        raise PlannerError(code="output_failed", fields={"file": str(path), "reason": reason})


@contextmanager
def progress_bar(*, shown: bool) -> Iterator[Any]:
    """Yield a callable (share, stage) that draws a bar on standard error."""
    if not shown or not sys.stderr.isatty():
        yield lambda share, stage: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=1.0)
        yield lambda share, stage: bars.update(task, completed=share, description=stage)
