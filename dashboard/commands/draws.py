"""Commands of draws and rounds: commit, reveal, check a draw; list a year's rounds and set their dates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dashboard.commands.door import ACTOR, Database, Json, demand_writable, open_door, write_file
from dashboard.commands.plans import answer_report, read_date

draws = typer.Typer(
    no_args_is_help=True, help="Draws (双随机): commit before the period, reveal after, check."
)
rounds = typer.Typer(help="Coverage rounds of a year (开学, 端午, 中秋, 国庆, 寒假, 暑假, 日常).")


@draws.command("commit")
def commit_command(
    first: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD.")],
    share: Annotated[
        float, typer.Option("--share", help="Part of the visits decided by lot, 0 to 0.5.")
    ] = 0.1,
    thinning: Annotated[
        float, typer.Option("--thinning", help="Part of each visit's slots that is hidden, 0 to 0.6.")
    ] = 0.2,
    coverage_round: Annotated[str | None, typer.Option("--round", help="Named coverage round.")] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Commit to a draw before its period and print the digest to publish."""
    with open_door(as_json=as_json, database=database) as door:
        from dataclasses import asdict

        from dashboard.lots import commit_fresh
        from planner.options import PlanOptions

        options = PlanOptions(
            first=read_date("--from", first),
            last=read_date("--to", last),
            control_share=share,
            thinning=thinning,
            round=coverage_round,
        )
        at = door.wiring.now()
        with door.store().begin(actor=ACTOR, now=at) as session:
            made = commit_fresh(session, options, actor=ACTOR, now=at, today=door.wiring.today())
        door.answer(
            asdict(made),
            f"{made.code}: 候选 {made.candidates} 家, 请立即公布 / publish now",
            f"  {made.digest}",
        )


@draws.command("reveal")
def reveal_command(
    code: str,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the text whose SHA-256 is the digest.")
    ] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Reveal seed, salt and candidates of a draw, once its period began or its plan is published."""
    with open_door(as_json=as_json, database=database) as door:
        from dataclasses import asdict

        from planner.lottery import reveal_draw

        demand_writable(output)
        at = door.wiring.now()
        with door.store().begin(actor=ACTOR, now=at) as session:
            told = reveal_draw(session, code, actor=ACTOR, now=at, today=door.wiring.today())
        if output is not None:
            write_file(output, told.text)
        result: dict[str, Any] = {
            **asdict(told.draw),
            "seed": told.seed,
            "salt": told.salt,
            "text": told.text,
        }
        door.answer(
            result,
            f"{code}: 种子 / seed {told.seed}, 盐 / salt {told.salt}",
            f"  SHA-256 {told.draw.digest}",
        )


@draws.command("check")
def check_draw_command(code: str, as_json: Json = False, database: Database = None) -> None:
    """Check a draw and the plans made with it; exit 1 and name what is broken."""
    with open_door(as_json=as_json, database=database) as door:
        from planner.lottery import check_draw

        with door.store().reading() as session:
            report = check_draw(session, code)
        answer_report(door, report)


@draws.command("list")
def list_command(as_json: Json = False, database: Database = None) -> None:
    """List all commitments, newest first."""
    with open_door(as_json=as_json, database=database) as door:
        from dataclasses import asdict

        from planner.lottery import list_draws

        with door.store().reading() as session:
            known = list_draws(session)
        lines = [f"{d.code} {d.period_from} – {d.period_to} {d.digest}" for d in known]
        door.answer({"draws": [asdict(item) for item in known]}, *lines)


@rounds.callback(invoke_without_command=True)
def list_rounds_command(
    context: typer.Context,
    year: Annotated[int | None, typer.Option("--year", min=2000, max=2100, help="This year without.")] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """List the rounds that begin in a year with their dates, owed and paid visits."""
    if context.invoked_subcommand is not None:
        return
    with open_door(as_json=as_json, database=database) as door:
        from planner.rounds import count_rounds
        from planner.slots import read_rules

        wanted = year or door.wiring.today().year
        with door.store().reading() as session:
            counts = count_rounds(session, wanted, rules=read_rules())
        listed = [
            {
                "name": item.round.name.value,
                "label": item.round.name.zh,
                "first": item.round.first.isoformat(),
                "last": item.round.last.isoformat(),
                "provisional": item.round.provisional,
                "source": item.round.source,
                "owed": item.owed,
                "paid": item.paid,
            }
            for item in counts
        ]
        lines = []
        for row in listed:
            note = "  暂定 / provisional" if row["provisional"] else ""
            dates = f"{row['first']} – {row['last']}"
            lines.append(
                f"{row['name']:13} {row['label']}  {dates}  已查 / paid {row['paid']}/{row['owed']}{note}"
            )
        door.answer({"year": wanted, "rounds": listed}, *lines)


@rounds.command("set")
def set_round_command(
    name: str,
    first: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD.")],
    source: Annotated[str, typer.Option("--source", help="The notice these dates come from.")],
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Set a round's own dates in the year of its first day; they override those from the calendar."""
    with open_door(as_json=as_json, database=database) as door:
        from planner.errors import PlannerError
        from planner.rounds import Round, name_round, set_round

        begin, end = read_date("--from", first), read_date("--to", last)
        names = name_round(name)
        if len(names) > 1:
            raise PlannerError(
                code="unknown_round", fields={"round": name, "known": [n.value for n in names]}
            )
        with door.store().begin(actor=ACTOR, now=door.wiring.now()) as session:
            set_round(session, Round(names[0], begin.year, begin, end, False, source))
        body = {"name": names[0].value, "first": begin.isoformat(), "last": end.isoformat(), "source": source}
        door.answer(body, f"{names[0].zh}: {begin} – {end}")
