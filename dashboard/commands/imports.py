"""Commands that import the bureau's own tables and layers; a doubtful datum stops them with a question."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dashboard.commands.door import Database, Door, Json, open_door
from dashboard.commands.options import Crs, CrsConfirmed, Encoding, Layer, RejectFile, Sheet

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from data.register.rejects import ImportResult
    from geo.grid.layer import GridImport
    from geo.network.layer import RoadImport

_MOST_SHOWN = 30
importing = typer.Typer(help="Import the bureau's own tables and layers.", no_args_is_help=True)


@importing.command("register")
def import_register(
    file: Path,
    crs: Crs = None,
    crs_confirmed: CrsConfirmed = False,
    sheet: Sheet = None,
    reject_file: RejectFile = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Import an institution register (xlsx, xls, csv); good rows go in, bad rows come back with reasons."""
    with open_door(as_json=as_json, database=database) as door:
        from data.register.institutions import import_register as run
        from data.register.wording import WORDS, read_words
        from geo.locate import district_extent

        def step(session: Session) -> ImportResult:
            with _guarded(session, crs, confirmed=crs_confirmed):
                return run(
                    session,
                    file,
                    now=door.wiring.now(),
                    sheet=sheet,
                    source_crs=crs,
                    to_wgs84=_converter(crs),
                    extent=district_extent(session),
                    words=words,
                )

        words = read_words(door.settings.words) if door.settings.words.is_file() else WORDS
        result = door.write_aside(step, create=True)
        _answer_import(door, file, result, reject_file)


@importing.command("schools")
def import_schools(
    file: Path,
    crs: Crs = None,
    crs_confirmed: CrsConfirmed = False,
    sheet: Sheet = None,
    reject_file: RejectFile = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Import schools with coordinates (xlsx, csv)."""
    _import_surroundings("schools", file, crs, sheet, reject_file, as_json, database, crs_confirmed)


@importing.command("gazetteer")
def import_gazetteer(
    file: Path,
    crs: Crs = None,
    crs_confirmed: CrsConfirmed = False,
    sheet: Sheet = None,
    reject_file: RejectFile = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Import known addresses with coordinates (xlsx, csv): the offline geocoder's memory."""
    _import_surroundings("gazetteer", file, crs, sheet, reject_file, as_json, database, crs_confirmed)


def _import_surroundings(
    what: str,
    file: Path,
    crs: str | None,
    sheet: str | None,
    reject_file: Path | None,
    as_json: bool,
    database: str | None,
    crs_confirmed: bool,
) -> None:
    with open_door(as_json=as_json, database=database) as door:
        from data.register import surroundings
        from geo.locate import district_extent

        convert = _require_converter(crs, file)
        run = surroundings.import_schools if what == "schools" else surroundings.import_gazetteer

        def step(session: Session) -> ImportResult:
            with _guarded(session, crs, confirmed=crs_confirmed):
                extent = district_extent(session)
                return run(session, file, source_crs=str(crs), to_wgs84=convert, extent=extent, sheet=sheet)

        result = door.write_aside(step, create=True)
        _answer_import(door, file, result, reject_file)


@importing.command("officers")
def import_officers(
    file: Path,
    sheet: Sheet = None,
    clear: Annotated[bool, typer.Option("--clear", help="Blank cells may take much away.")] = False,
    reject_file: RejectFile = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Import officers with certificates and leave (xlsx, csv)."""
    with open_door(as_json=as_json, database=database) as door:
        from data.register.officers import import_officers as run

        result = door.write_aside(
            lambda session: run(session, file, sheet=sheet, today=door.wiring.today(), clear=clear),
            create=True,
        )
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
        from data.register.recusals import import_recusals as run

        result = door.write_aside(lambda session: run(session, file, sheet=sheet), create=True)
        _answer_import(door, file, result, reject_file)


@importing.command("grids")
def import_grids(
    file: Path,
    crs: Crs = None,
    crs_confirmed: CrsConfirmed = False,
    scheme: Annotated[
        str | None, typer.Option("--scheme", help="What the codes follow, such as GB/T 2260 or CJ/T 349.")
    ] = None,
    encoding: Encoding = None,
    layer: Layer = None,
    retire: Annotated[
        bool,
        typer.Option("--retire", help="End the areas that the file does not have, though they are many."),
    ] = False,
    part: Annotated[
        bool, typer.Option("--part", help="The file is one office's part of the district: nothing ends.")
    ] = False,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Import the official grid areas (GeoJSON, GeoPackage, Shapefile, KML, KMZ); versions are kept."""
    with open_door(as_json=as_json, database=database) as door:
        from geo.grid.layer import import_grids as run

        _require_converter(crs, file)

        def step(session: Session) -> GridImport:
            with _guarded(session, crs, confirmed=crs_confirmed):
                return run(
                    session,
                    file,
                    source_crs=str(crs),
                    today=door.wiring.today(),
                    scheme=scheme,
                    encoding=encoding,
                    layer=layer,
                    retire=retire,
                    part=part,
                )

        result = door.write_aside(step, create=True)
        figures = {**vars(result), "rejected": []}
        door.answer(
            figures,
            f"{file.name}: 新增 {result.added}, 更新 {result.updated}, 未变 {result.unchanged}, "
            f"停用 {result.retired} / added, updated, unchanged, retired",
            *_told(result),
        )


def _told(result: GridImport) -> list[str]:
    """Return what somebody should know about a grid file that went in."""
    from dashboard.i18n import sentence_for

    lines = []
    if result.encoding is not None:
        name, by = result.encoding
        zh, en = sentence_for(f"encoding.{by}", {}, "zh"), sentence_for(f"encoding.{by}", {}, "en")
        lines.append(f"  文字编码 {name}（{zh}） / text encoding {name} ({en})")
    if result.cut:
        places = ", ".join(f"{row}:{column}" for row, column in result.cut[:20])
        lines.append(f"  {len(result.cut)} 处文字末尾被截断 / texts cut inside a character: {places}")
    if result.flattened:
        lines.append("  高程已略去 / heights were left out")
    if result.unusual_codes:
        lines.append(f"  {result.unusual_codes} 个编码不足 12 位 / codes shorter than 12 characters")
    return lines


@importing.command("roads")
def import_roads(
    file: Path,
    crs: Crs = None,
    crs_confirmed: CrsConfirmed = False,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the road data; the file's by default.")
    ] = None,
    attribution: Annotated[str, typer.Option("--attribution", help="Whom to credit on maps.")] = "",
    encoding: Encoding = None,
    layer: Layer = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Import roads for travel times (OSM PBF, GeoPackage, GraphML, Shapefile); plans use them from now on."""
    with open_door(as_json=as_json, database=database) as door:
        from dataclasses import asdict

        from geo.network.layer import import_roads as run

        _require_converter(crs, file)

        def step(session: Session) -> RoadImport:
            return run(
                session,
                file,
                source_crs=str(crs),
                now=door.wiring.now(),
                name=name,
                attribution=attribution,
                encoding=encoding,
                layer=layer,
                confirmed=crs_confirmed,
            )

        result = door.write_aside(step, create=True)
        cut_off = {profile: f"{share:.1%}" for profile, share in result.detached.items()}
        door.answer(
            asdict(result),
            f"{result.name}: {result.pieces} 段, {result.length_km} 公里 / pieces, km",
            f"  有向边 / arcs {dict(result.arcs)}; 不连通 / cut off {cut_off}",
            *(
                f"  不认得的道路类别，不参与路程 / unknown class, not used: {word} × {n}"
                for word, n in (result.unknown or {}).items()
            ),
        )


@contextlib.contextmanager
def _guarded(session: Session, crs: str | None, *, confirmed: bool) -> Iterator[None]:
    """Check, before the transaction ends, that what came in lies where its stated datum says."""
    if crs is None or confirmed:
        yield
        return
    from geo.guard import DatumGuard

    guard = DatumGuard.before(session)
    yield
    session.flush()
    guard.check(session, source_crs=crs)


def _converter(crs: str | None) -> Any:
    if crs is None:
        return None
    from geo.sources import row_to_wgs84

    return functools.partial(row_to_wgs84, source_crs=crs)


def _require_converter(crs: str | None, file: Path) -> Any:
    if crs is None:
        from data.errors import SheetError

        raise SheetError("crs_required", file=file.name)
    return _converter(crs)


def _answer_import(door: Door, file: Path, result: ImportResult, reject_file: Path | None) -> None:
    from dashboard.i18n import sentence_for
    from dashboard.register.exports import write_rejects

    if reject_file is not None:
        write_rejects(result, reject_file)
    rejected = [
        {"sheet": r.sheet, "row": r.row, "column": r.column, "value": r.value, "code": r.code}
        | {"message": sentence_for(r.code, r.fields, "zh")}
        for r in result.rejected
    ]
    notes = [
        {"code": note.code, **note.fields, "message": sentence_for(f"notes.{note.code}", note.fields, "zh")}
        for note in result.notes
    ]
    counted = {name: getattr(result, name) for name in ("added", "updated", "unchanged", "unconfirmed")}
    figures = {**counted, "rejected": rejected, "rejected_rows": result.rejected_rows, "notes": notes}
    lines = [
        f"{file.name}: 新增 {result.added}, 更新 {result.updated}, 未变 {result.unchanged}, "
        f"退回 {result.rejected_rows} / added, updated, unchanged, rejected"
    ]
    for note in result.notes:
        shown = {name: _first_few(value) for name, value in note.fields.items()}
        code = f"notes.{note.code}"
        lines.append(f"  {sentence_for(code, shown, 'zh')} / {sentence_for(code, shown, 'en')}")
    if result.unconfirmed:
        lines.append(
            f"  {result.unconfirmed} 家地址已变，原核定位置作废 / addresses changed, no longer confirmed"
        )
    for told in rejected:
        where = f"{told['sheet']} 第{told['row']}行".strip()
        lines.append(f"  {where} [{told['column']}] {told['value']}  {told['message']}")
    door.answer(figures, *lines)


def _first_few(value: object) -> object:
    """Return a list as a line of a terminal has room for; the answer as JSON holds it whole."""
    return [*value[:_MOST_SHOWN], "…"] if isinstance(value, list) and len(value) > _MOST_SHOWN else value
