"""Commands of the register: locate institutions, export places and plans."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.door import (
    Database,
    Json,
    demand_writable,
    open_door,
    settle_format,
    write_file,
)

exporting = typer.Typer(help="Export plans, institutions, schools and grids.", no_args_is_help=True)


def locate_command(
    again: Annotated[bool, typer.Option("--again", help="Also place what was placed before.")] = False,
    online: Annotated[
        bool,
        typer.Option(
            "--online",
            help="Ask the online service of the settings; doubtful addresses leave the office.",
        ),
    ] = False,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Place institutions on the map by their addresses and put each into its grid area."""
    with open_door(as_json=as_json, database=database) as door:
        from dataclasses import asdict

        from dashboard.i18n import sentence_for
        from dashboard.wiring import online_geocoder
        from geo.locate import list_uncertain, locate, place_answers

        service = online_geocoder(door.wiring.settings) if online else None
        result = door.write_aside(lambda session: locate(session, again=again))
        asked = 0
        if service is not None:
            with door.store().reading() as session:
                uncertain = list_uncertain(session)
            asked = len(uncertain)
            # Asked between two transactions: nobody waits for a far service with the register locked.
            found = service.locate(list(uncertain.values()))
            answers = dict(zip(uncertain, found, strict=True))
            result = door.write_aside(lambda session: place_answers(session, answers))
        door.answer(
            {**asdict(result), "asked_online": asked},
            f"已定位 {result.placed} 家(存疑 {result.doubtful}), 未定位 {result.unplaced}, "
            f"不在网格内 {result.outside} / placed, doubtful, unplaced, outside",
            f"  {result.by_level}",
            *(
                f"  待核对 {r.name}  {r.address}  {sentence_for(f'review.{r.code}', {}, 'zh')}"
                for r in result.review
            ),
        )


Output = Annotated[Path, typer.Option("-o", "--output", help="File to write.")]


Datum = Annotated[
    str, typer.Option("--datum", help="wgs84, or gcj02 for maps of the Mars datum; the file then says so.")
]


def _export_places(
    what: str, form: str | None, output: Path, datum: str, as_json: bool, database: str | None
) -> None:
    with open_door(as_json=as_json, database=database) as door:
        from dashboard.mapstyles import PLACE_STYLES
        from dashboard.register.exports import places_frame
        from geo.formats.write import write_layer

        usual = "geojson" if what == "grids" else "csv"
        _, target = settle_format(output, form, known=_PLACE_FORMATS, usual=usual)
        demand_writable(target)
        with door.store().reading() as session:
            frame = places_frame(session, what)
        # Noted first: what cannot be noted does not leave the register.
        door.note_export(what, target.name)
        write_layer(frame, target, datum=datum, style=PLACE_STYLES[what])
        door.answer({"file": str(target), "rows": len(frame)}, f"{target}: {len(frame)}")


_PLACE_FORMATS = ("csv", "geojson", "gpkg", "kml", "gpx")
Form = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="csv, geojson, gpkg (with a QGIS style), kml or gpx; as the file is named by default.",
    ),
]


@exporting.command("institutions")
def export_institutions(
    output: Output,
    form: Form = None,
    datum: Datum = "wgs84",
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Export institutions with their points (WGS-84), match level and grid area."""
    _export_places("institutions", form, output, datum, as_json, database)


@exporting.command("schools")
def export_schools(
    output: Output,
    form: Form = None,
    datum: Datum = "wgs84",
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Export schools."""
    _export_places("schools", form, output, datum, as_json, database)


@exporting.command("grids")
def export_grids(
    output: Output,
    form: Form = None,
    datum: Datum = "wgs84",
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Export the grid areas in force."""
    _export_places("grids", form, output, datum, as_json, database)


@exporting.command("plan")
def export_plan(
    plan: str,
    output: Output,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="xlsx, ics, geojson, gpkg (with QGIS styles), kml or gpx; as the file is named by default.",
        ),
    ] = None,
    datum: Datum = "wgs84",
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Export a plan as a workbook, a map layer or calendar entries."""
    with open_door(as_json=as_json, database=database) as door:
        from dashboard.exports import PLAN_FORMATS, plan_bytes
        from dashboard.mapstyles import PLAN_LAYERS, write_plan_layers
        from geo.errors import FormatError
        from planner.itinerary import read_plan

        chosen, target = settle_format(output, form, known=("xlsx", "ics", *PLAN_LAYERS), usual="xlsx")
        if chosen not in PLAN_LAYERS and datum != "wgs84":
            raise FormatError("wrong_datum", datum=datum, accepted=["wgs84"])
        demand_writable(target)
        with door.store().reading() as session:
            view = read_plan(session, plan)
        door.note_export("plan_revision", plan)
        if chosen in PLAN_LAYERS and (chosen not in PLAN_FORMATS or datum != "wgs84"):
            write_plan_layers(view, chosen, target, datum=datum)
        else:
            write_file(target, plan_bytes(view, chosen))
        door.answer({"file": str(target), "shifts": len(view.shifts)}, f"{target}")
