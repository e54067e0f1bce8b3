"""Commands of the official grid layer: its topology, its versions, tables joined by code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dashboard.commands.door import Database, Door, Json, open_door
from dashboard.commands.options import Crs, Encoding, Layer

if TYPE_CHECKING:
    import geopandas as gpd

grids = typer.Typer(help="The official grid areas: check, versions, join.", no_args_is_help=True)


@grids.command("check")
def check_grid_layer(
    file: Annotated[
        Path | None, typer.Argument(help="A layer file; the register's own grids if none.")
    ] = None,
    crs: Crs = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the places here (geojson, gpkg).")
    ] = None,
    encoding: Encoding = None,
    layer: Layer = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """List gaps, overlaps, slivers, exclaves, parts and enclosed areas, with the place of each."""
    with open_door(as_json=as_json, database=database) as door:
        from dashboard.i18n import sentence_for
        from geo.formats.write import write_layer
        from geo.grid.topology import find_issues

        issues = find_issues(_read(door, file, crs, encoding, layer))
        if output is not None:
            write_layer(issues, output)
        counts = {str(kind): int(count) for kind, count in issues["kind"].value_counts().sort_index().items()}
        rows = issues.drop(columns="geometry").to_dict("records")
        words = {kind: sentence_for(f"topology.{kind}", {}, "zh") for kind in counts}
        lines = [f"  {words[row['kind']]}  {row['grids']}  {row['area_m2']:.0f} m²" for row in rows]
        door.answer(
            {"issues": len(rows), "counts": counts, "rows": rows},
            f"拓扑问题 {len(rows)} 处 / topology issues {counts}",
            *lines,
        )


@grids.command("versions")
def list_grid_versions(
    code: Annotated[str | None, typer.Argument(help="A grid code; all if none.")] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """List the versions of grid areas: from when to when each border was in force."""
    with open_door(as_json=as_json, database=database) as door:
        from dataclasses import asdict

        from geo.grid.versions import list_versions

        with door.store().reading() as session:
            versions = list_versions(session, code=code)
        door.answer(
            {"versions": [asdict(version) for version in versions]},
            *(
                f"{v.code}  {v.name}  {v.valid_from or ''} – {v.valid_to or '至今 / now'}  "
                f"{v.area_m2 / 1e4:.1f} ha"
                for v in versions
            ),
        )


@grids.command("join")
def join_table(
    file: Path,
    column: Annotated[str, typer.Option("--column", help="Column of the table that holds the grid code.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Layer to write (geojson, gpkg).")],
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Join a table (xlsx, csv) to the grid areas by code and write the layer; filling zeros do not matter."""
    with open_door(as_json=as_json, database=database) as door:
        import pandas as pd

        from data import frames
        from data.register.sheets import cell_value, read_table
        from geo.formats.write import write_layer
        from geo.grid.codes import join_by_code

        read = read_table(file, {"code": (column,)}, required=("code",))
        titles = {sheet: [cell_value(cell) for cell in rows[-1]] for sheet, rows in read.headings.items()}
        body = [
            (
                row.get("code"),
                dict(zip(titles[row.sheet], map(cell_value, row.written), strict=False)),
            )
            for row in read.rows
            if row.get("code")
        ]
        by_key = dict(body)
        named = list(dict.fromkeys(title for names in titles.values() for title in names if title))
        with door.store().reading() as session:
            areas = frames.grids_frame(session)
        # Two rows that write one code are told, not chosen from.
        joined = join_by_code(list(areas["grid_code"]), [code for code, _ in body])
        found = [by_key.get(joined.pairs.get(code, ""), {}) for code in areas["grid_code"]]
        table = pd.DataFrame(found, columns=named, index=areas.index)
        codes = [titles[row.sheet][row.header.columns["code"]] for row in read.rows[:1]]
        write_layer(areas.join(table.drop(columns=codes), rsuffix="_table"), output)
        door.note_export("grid_area", output.name)
        door.answer(
            {
                "file": str(output),
                "joined": len(joined.pairs),
                "unmatched": list(joined.unmatched),
                "unused": list(joined.unused),
                "ambiguous": list(joined.ambiguous),
            },
            f"{output}: 匹配 {len(joined.pairs)}, 无对应行 {len(joined.unmatched)}, "
            f"多余 {len(joined.unused)}, 重复 {len(joined.ambiguous)} / joined, without row, unused, twice",
        )


def _read(
    door: Door, file: Path | None, crs: str | None, encoding: str | None, layer: str | None
) -> gpd.GeoDataFrame:
    from data import frames
    from geo.grid.layer import read_grids

    if file is None:
        with door.store().reading() as session:
            return frames.grids_frame(session)
    from data.errors import SheetError

    if crs is None:
        raise SheetError("crs_required", file=file.name)
    return read_grids(file, source_crs=crs, encoding=encoding, layer=layer)
