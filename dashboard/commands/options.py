"""Options that several commands share: datum, sheet, layer, encoding, file of rejected rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def _one_spelling(crs: str | None) -> str | None:
    if crs is None:
        return None
    from geo.sources import name_source

    return name_source(crs)


Crs = Annotated[
    str | None,
    typer.Option(
        "--crs",
        callback=_one_spelling,
        help="Datum of the coordinates: wgs84 (CGCS2000), gcj02, bd09 or an EPSG code. Never guessed.",
    ),
]
CrsConfirmed = Annotated[
    bool,
    typer.Option(
        "--crs-confirmed",
        help="Import though the layer seems to lie elsewhere: somebody checked the datum.",
    ),
]
Sheet = Annotated[
    str | None, typer.Option("--sheet", help="Sheet of a workbook; every visible one by default.")
]
Encoding = Annotated[
    str | None, typer.Option("--encoding", help="Text encoding of a shapefile without one, such as gbk.")
]
Layer = Annotated[str | None, typer.Option("--layer", help="Layer of a file with several.")]
RejectFile = Annotated[
    Path | None, typer.Option("--reject-file", help="Write rejected rows with their reasons here (xlsx).")
]
