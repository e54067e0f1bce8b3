"""The command door: `gridpatrol`. Heavy imports stay inside the commands so that --help is quick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dashboard.commands.areas import areas, cells_command
from dashboard.commands.audit import auditing
from dashboard.commands.basemap import basemap
from dashboard.commands.bench import bench
from dashboard.commands.colocated import colocated
from dashboard.commands.door import Database, Json, open_door
from dashboard.commands.draws import draws, rounds
from dashboard.commands.evidence import backtest_command, scorecard
from dashboard.commands.grids import grids
from dashboard.commands.imports import importing
from dashboard.commands.plans import (
    check_command,
    plan_command,
    publish_command,
    read_date,
    show_command,
    solve_command,
)
from dashboard.commands.register import exporting, locate_command
from dashboard.commands.repairs import repair_command
from dashboard.commands.review import review
from dashboard.commands.revisions import diff_command, explain_command, recommend_command
from dashboard.commands.roads import roads
from dashboard.commands.users import accounts

if TYPE_CHECKING:
    from dashboard.settings import Settings

app = typer.Typer(
    name="gridpatrol",
    help="Patrol planning, coverage and hotspots for education bureaus under double reduction (双减).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(importing, name="import")
app.add_typer(exporting, name="export")
app.add_typer(grids, name="grids")
app.add_typer(roads, name="roads")
app.add_typer(review, name="review")
app.add_typer(areas, name="areas")
app.add_typer(colocated, name="colocated")
app.add_typer(auditing, name="audit")
app.command("cells")(cells_command)
app.add_typer(accounts, name="user")
app.add_typer(bench, name="bench")
app.add_typer(basemap, name="basemap")
app.add_typer(scorecard, name="scorecard")
app.add_typer(draws, name="draw")
app.add_typer(rounds, name="rounds")
app.command("locate")(locate_command)
app.command("plan")(plan_command)
app.command("check")(check_command)
app.command("publish")(publish_command)
app.command("show")(show_command)
app.command("solve")(solve_command)
app.command("explain")(explain_command)
app.command("diff")(diff_command)
app.command("recommend")(recommend_command)
app.command("repair")(repair_command)
app.command("backtest")(backtest_command)


@app.command("init")
def init_command(as_json: Json = False, database: Database = None) -> None:
    """Create the database, or bring it to the newest schema."""
    with open_door(as_json=as_json, database=database) as door:
        store = door.store(create=True)
        shown = store.url.render_as_string(hide_password=True)
        door.answer({"database": shown}, f"{shown} 已就绪 / ready")


@app.command("demo")
def demo_command(
    preset: Annotated[str, typer.Option("--preset", help="small or district.")] = "district",
    today: Annotated[str | None, typer.Option("--today", help="Pretend that today is YYYY-MM-DD.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the fictional district.")] = 1,
    no_serve: Annotated[
        bool, typer.Option("--no-serve", help="Build only, do not start the server.")
    ] = False,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Build the fictional demo district once, then serve it; every person, place and figure is invented."""
    with open_door(as_json=as_json, database=database) as door:
        from dataclasses import asdict, replace

        from dashboard.commands.door import progress_bar
        from dashboard.district import build_demo
        from dashboard.wiring import assemble

        settings = door.wiring.settings
        if today is not None:
            settings = replace(settings, today=read_date("--today", today))
        wiring = assemble(settings)
        with progress_bar(shown=not as_json) as report:
            summary = build_demo(
                # Not brought to the newest schema before it is known to be nobody's own.
                door.wiring.store,
                preset=preset,
                seed=seed,
                today=wiring.today(),
                now=wiring.now(),
                var_dir=settings.var,
                progress=report,
            )
        lines = [f"演示区已就绪 / demo district ready: {summary.plan}"]
        lines += [f"  {login.username:10} {login.password}  {login.role}" for login in summary.logins]
        door.answer(asdict(summary), *lines)
        if not no_serve:
            _serve(settings, as_json=as_json)


@app.command("serve")
def serve_command(
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port to listen on.")] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Serve pages, phone pages and API in one process."""
    with open_door(as_json=as_json, database=database) as door:
        from dataclasses import replace

        door.store().close()
        settings = door.wiring.settings
        if host is not None:
            settings = replace(settings, host=host)
        if port is not None:
            settings = replace(settings, port=port)
        _serve(settings, as_json=as_json)


def _serve(settings: Settings, *, as_json: bool) -> None:
    """Serve, once it is sure that the server will; its address is no promise otherwise."""
    from dashboard.server import create_app, serve

    app = create_app(settings)
    scheme = "http" if settings.tls_cert is None else "https"
    typer.echo(f"{scheme}://{settings.host}:{settings.port}", err=as_json)
    serve(settings, app)


def main() -> None:
    """Run the command line."""
    app()
