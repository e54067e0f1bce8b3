"""Commands of the register: import tables and layers, locate, export places."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dashboard.commands.door import ACTOR, Database, Door, Json, open_door, write_file

if TYPE_CHECKING:
    from data.rejects import ImportResult

importing = typer.Typer(help="Import the bureau's own tables and layers.", no_args_is_help=True)
exporting = typer.Typer(help="Export plans, institutions, schools and grids.", no_args_is_help=True)

Crs = Annotated[
    str | None, typer.Option("--crs", help="Datum of the coordinates: wgs84, gcj02 or bd09. Never guessed.")
]
Sheet = Annotated[str | None, typer.Option("--sheet", help="Sheet of a workbook; the first by default.")]
RejectFile = Annotated[
    Path | None, typer.Option("--reject-file", help="Write rejected rows with their reasons here (xlsx).")
]


@importing.command("register")
def import_register(
    file: Path,
    crs: Crs = None,
    sheet: Sheet = None,
    reject_file: RejectFile = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Import an institution register (xlsx, xls, csv); good rows go in, bad rows come back with reasons."""
    with open_door(as_json=as_json, database=database) as door:
        from data.intake import import_register as run
        from geo.locate import district_extent

        with door.store(create=True).begin(actor=ACTOR, now=door.wiring.now()) as session:
            result = run(
                session,
                file,
                now=door.wiring.now(),
                sheet=sheet,
                source_crs=crs,
                to_wgs84=_converter(crs),
                extent=district_extent(session),
            )
        _answer_import(door, file, result, reject_file)


@importing.command("schools")
def import_schools(
    file: Path,
    crs: Crs = None,
    sheet: Sheet = None,
    reject_file: RejectFile = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Import schools with coordinates (xlsx, csv)."""
    _import_surroundings("schools", file, crs, sheet, reject_file, as_json, database)


@importing.command("gazetteer")
def import_gazetteer(
    file: Path,
    crs: Crs = None,
    sheet: Sheet = None,
    reject_file: RejectFile = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Import known addresses with coordinates (xlsx, csv): the offline geocoder's memory."""
    _import_surroundings("gazetteer", file, crs, sheet, reject_file, as_json, database)


def _import_surroundings(
    what: str,
    file: Path,
    crs: str | None,
    sheet: str | None,
    reject_file: Path | None,
    as_json: bool,
    database: str | None,
) -> None:
    with open_door(as_json=as_json, database=database) as door:
        from data import surroundings
        from geo.locate import district_extent

        convert = _require_converter(crs, file)
        run = surroundings.import_schools if what == "schools" else surroundings.import_gazetteer
        with door.store(create=True).begin(actor=ACTOR, now=door.wiring.now()) as session:
            extent = district_extent(session)
            result = run(session, file, source_crs=str(crs), to_wgs84=convert, extent=extent, sheet=sheet)
        _answer_import(door, file, result, reject_file)


@importing.command("officers")
def import_officers(
    file: Path,
    sheet: Sheet = None,
    reject_file: RejectFile = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Import officers with certificates and leave (xlsx, csv)."""
    with open_door(as_json=as_json, database=database) as door:
        from data.staff import import_officers as run

        with door.store(create=True).begin(actor=ACTOR, now=door.wiring.now()) as session:
            result = run(session, file, sheet=sheet)
        _answer_import(door, file, result, reject_file)


@importing.command("recusals")
def import_recusals(
    file: Path,
    sheet: Sheet = None,
    reject_file: RejectFile = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Import who must not inspect which institution (xlsx, csv)."""
    with open_door(as_json=as_json, database=database) as door:
        from data.recusals import import_recusals as run

        with door.store(create=True).begin(actor=ACTOR, now=door.wiring.now()) as session:
            result = run(session, file, sheet=sheet)
        _answer_import(door, file, result, reject_file)


@importing.command("grids")
def import_grids(file: Path, crs: Crs = None, as_json: Json = False, database: Database = None) -> None:
    """Import the official grid areas (GeoJSON, GeoPackage, Shapefile, KML)."""
    with open_door(as_json=as_json, database=database) as door:
        from geo.locate import import_grids as run

        _require_converter(crs, file)
        with door.store(create=True).begin(actor=ACTOR, now=door.wiring.now()) as session:
            result = run(session, file, source_crs=str(crs), today=door.wiring.today())
        figures = {**vars(result), "rejected": []}
        door.answer(
            figures,
            f"{file.name}: 新增 {result.added}, 更新 {result.updated}, 未变 {result.unchanged}, "
            f"停用 {result.retired} / added, updated, unchanged, retired",
        )


def _converter(crs: str | None) -> Any:
    if crs is None:
        return None
    from geo.crs import to_wgs84

    return functools.partial(to_wgs84, source_crs=crs)


def _require_converter(crs: str | None, file: Path) -> Any:
    if crs is None:
        from data.errors import SheetError

        raise SheetError("crs_required", file=file.name)
    return _converter(crs)


def _answer_import(door: Door, file: Path, result: ImportResult, reject_file: Path | None) -> None:
    from dashboard.exports import write_rejects
    from dashboard.i18n import sentence_for

    if reject_file is not None:
        write_rejects(result.rejected, reject_file)
    rejected = [
        {
            "row": r.row,
            "column": r.column,
            "value": r.value,
            "code": r.code,
            "message": sentence_for(r.code, r.fields, "zh"),
        }
        for r in result.rejected
    ]
    figures = {
        "added": result.added,
        "updated": result.updated,
        "unchanged": result.unchanged,
        "rejected": rejected,
    }
    lines = [
        f"{file.name}: 新增 {result.added}, 更新 {result.updated}, 未变 {result.unchanged}, "
        f"退回 {len(rejected)} / added, updated, unchanged, rejected"
    ]
    lines += [f"  第{r['row']}行 [{r['column']}] {r['value']}  {r['message']}" for r in rejected]
    door.answer(figures, *lines)


def locate_command(
    again: Annotated[bool, typer.Option("--again", help="Also place what was placed before.")] = False,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Place institutions on the map by their addresses and put each into its grid area."""
    with open_door(as_json=as_json, database=database) as door:
        from dataclasses import asdict

        from dashboard.i18n import sentence_for
        from geo.locate import locate

        with door.store().begin(actor=ACTOR, now=door.wiring.now()) as session:
            result = locate(session, again=again)
        door.answer(
            asdict(result),
            f"已定位 {result.placed} 家(存疑 {result.doubtful}), 未定位 {result.unplaced}, "
            f"不在网格内 {result.outside} / placed, doubtful, unplaced, outside",
            f"  {result.by_level}",
            *(
                f"  待核对 {r.name}  {r.address}  {sentence_for(f'review.{r.code}', {}, 'zh')}"
                for r in result.review
            ),
        )


Output = Annotated[Path, typer.Option("-o", "--output", help="File to write.")]


def _export_places(what: str, form: str, output: Path, as_json: bool, database: str | None) -> None:
    with open_door(as_json=as_json, database=database) as door:
        from dashboard.exports import places_frame
        from data.errors import SheetError
        from geo.formats import write_layer

        if form not in ("csv", "geojson", "gpkg"):
            raise SheetError("unknown_format", format=form, wanted="csv, geojson, gpkg")
        with door.store().reading() as session:
            frame = places_frame(session, what)
        target = output if output.suffix else output.with_suffix(f".{form}")
        write_layer(frame, target)
        door.answer({"file": str(target), "rows": len(frame)}, f"{target}: {len(frame)}")


Form = Annotated[str, typer.Option("--format", help="csv, geojson or gpkg.")]


@exporting.command("institutions")
def export_institutions(
    output: Output, form: Form = "csv", as_json: Json = False, database: Database = None
) -> None:
    """Export institutions with their points (WGS-84), match level and grid area."""
    _export_places("institutions", form, output, as_json, database)


@exporting.command("schools")
def export_schools(
    output: Output, form: Form = "csv", as_json: Json = False, database: Database = None
) -> None:
    """Export schools."""
    _export_places("schools", form, output, as_json, database)


@exporting.command("grids")
def export_grids(
    output: Output, form: Form = "geojson", as_json: Json = False, database: Database = None
) -> None:
    """Export the grid areas in force."""
    _export_places("grids", form, output, as_json, database)


@exporting.command("plan")
def export_plan(
    plan: str,
    output: Output,
    form: Annotated[str, typer.Option("--format", help="xlsx, geojson or ics.")] = "xlsx",
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Export a plan as a workbook, a map layer or calendar entries."""
    with open_door(as_json=as_json, database=database) as door:
        from dashboard.exports import PLAN_FORMATS, plan_bytes
        from data.errors import SheetError
        from planner.itinerary import read_plan

        if form not in PLAN_FORMATS:
            raise SheetError("unknown_format", format=form, wanted=", ".join(PLAN_FORMATS))
        with door.store().reading() as session:
            view = read_plan(session, plan)
        write_file(output, plan_bytes(view, form))
        door.answer({"file": str(output), "shifts": len(view.shifts)}, f"{output}")
