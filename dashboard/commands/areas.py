"""Commands of patrol areas (巡查片区) and analysis cells: both for our own use, neither an official grid."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.door import Database, Json, demand_writable, open_door
from dashboard.commands.plans import read_date

areas = typer.Typer(
    help="Patrol areas of the teams, made of whole grid areas; not official.", no_args_is_help=True
)

Output = Annotated[Path, typer.Option("-o", "--output", help="Layer to write: geojson, gpkg or kml.")]


@areas.command("make")
def make_command(
    count: Annotated[int, typer.Option("--count", help="Number of areas, usually that of the teams.")],
    seed: Annotated[int, typer.Option("--seed", help="Seed of the search.")] = 1,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Divide the grid areas into patrol areas of equal work; those of before are replaced."""
    with open_door(as_json=as_json, database=database) as door:
        from dashboard.gridareas import hours
        from planner.patrolareas import make_areas

        now, today = door.wiring.now(), door.wiring.today()
        made = door.write_aside(
            lambda session: make_areas(session, count=count, seed=seed, today=today, now=now)
        )
        division = made.division
        loads = [area.workload_min for area in division.areas]
        door.answer(
            {
                "areas": len(division.areas),
                "imbalance": round(division.imbalance, 4),
                "workload_min": loads,
                "round": made.round.name.value,
                "round_from": made.round.first.isoformat(),
                "left_out": made.left_out,
                "official": False,
                "seed": seed,
            },
            f"巡查片区 {len(division.areas)} 个(非官方网格), 不均衡 {division.imbalance:.1%}, "
            f"轮次 {made.round.name.zh} / patrol areas, imbalance, round",
            f"  工作量 / hours: {', '.join(hours(load) for load in loads)}",
            *([f"  网格外 {made.left_out} 家未计入 / outside every grid"] if made.left_out else []),
        )


@areas.command("show")
def show_command(as_json: Json = False, database: Database = None) -> None:
    """Show the patrol areas on file with their work."""
    with open_door(as_json=as_json, database=database) as door:
        from dataclasses import asdict

        from dashboard.gridareas import hours, stale_lines
        from planner.patrolareas import list_areas

        with door.store().reading() as session:
            division = list_areas(session)
        door.answer(
            {**asdict(division), "official": False},
            f"巡查片区 {len(division.areas)} 个(非官方网格), 不均衡 {division.imbalance:.1%} / patrol areas",
            *(
                f"  {area.number}  {len(area.grid_codes)} 网格 / grids  {area.institutions} 家 / places  "
                f"{hours(area.workload_min)} h  {area.share:.0%}"
                for area in division.areas
            ),
            *(f"  {line}" for line in stale_lines(division, "zh")),
        )


@areas.command("export")
def export_command(output: Output, as_json: Json = False, database: Database = None) -> None:
    """Write the patrol areas as a layer; every row says that it is not official."""
    with open_door(as_json=as_json, database=database) as door:
        from dashboard.mapstyles import patrol_style
        from geo.errors import GridError
        from geo.formats.write import write_layer
        from planner.patrolareas import areas_frame, list_areas

        demand_writable(output)
        with door.store().reading() as session:
            division = list_areas(session)
            frame = areas_frame(session, division) if division.areas else None
        if frame is None:
            raise GridError("no_patrol_areas")
        frame.insert(0, "name", [f"巡查片区 {number}（非官方网格）" for number in frame.index])
        write_layer(frame.reset_index(), output, style=patrol_style(list(frame.index)))
        door.note_export("patrol_area", output.name)
        door.answer({"file": str(output), "rows": len(frame), "official": False}, f"{output}: {len(frame)}")


def cells_command(
    kind: Annotated[str, typer.Option("--kind", help="square or h3.")],
    size: Annotated[float, typer.Option("--size", help="Side in metres, or the H3 resolution (0 to 12).")],
    of: Annotated[str, typer.Option("--of", help="institutions, findings or visits.")],
    output: Output,
    first: Annotated[str | None, typer.Option("--from", help="First day of visits and findings.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day of visits and findings.")] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Count institutions, findings or visits in analysis cells (分析网格), which are not official grids."""
    with open_door(as_json=as_json, database=database) as door:
        from geo.formats.write import write_layer
        from geo.grid.cellcounts import count_cells

        demand_writable(output)
        days = [
            None if text is None else read_date(option, text)
            for option, text in (("--from", first), ("--to", last))
        ]
        with door.store().reading() as session:
            counted = count_cells(session, kind=kind, size=size, of=of, first=days[0], last=days[1])
        cells = counted.cells.reset_index()
        cells.insert(0, "name", [f"非官方分析网格 {cell}" for cell in cells["cell"]])
        write_layer(cells, output)
        door.note_export("cells", output.name)
        inside = int(cells["count"].sum())
        door.answer(
            {
                "file": str(output),
                "cells": len(cells),
                "counted": inside,
                "outside": counted.outside,
                "unplaced": counted.unplaced,
                "official": False,
            },
            f"{output}: 非官方分析网格 {len(cells)} 个 / analysis cells, not official",
            f"  计入 {inside}, 网格外 {counted.outside}, 未定位 {counted.unplaced} "
            "/ counted, outside, unplaced",
        )
