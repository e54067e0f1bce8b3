"""Commands of evidence: backtest the register, and show, propose, approve or refit the scorecard."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from dashboard.commands.door import Database, Json, demand_writable, open_door, write_file
from dashboard.commands.plans import read_date

scorecard = typer.Typer(help="The scorecard's versions: points, author, approver.", no_args_is_help=True)

By = Annotated[str, typer.Option("--by", help="User name of the person who does this.")]
Last = Annotated[str | None, typer.Option("--to", help="Last day, YYYY-MM-DD; yesterday by default.")]


def backtest_command(
    first: Annotated[str | None, typer.Option("--from", help="First day, YYYY-MM-DD.")] = None,
    last: Last = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the intervals.")] = 1,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Replay past visits with the facts known then: days earlier, guess rate, spread, burden."""
    with open_door(as_json=as_json, database=database) as door:
        from dashboard.evidence import adversary_word, days_with_interval, evidence_body, share, verdict_line
        from dashboard.i18n import translator
        from planner.replay import replay_period

        with door.store().reading() as session:
            evidence = replay_period(
                session,
                first=None if first is None else read_date("--from", first),
                last=_last_day(last, door.wiring.today()),
                seed=seed,
            )
        card, t = evidence.card, translator("zh")
        lines = [
            f"{evidence.first} — {evidence.last}: {evidence.visits} 家次, 发现 {evidence.findings}, "
            f"评分卡第 {evidence.version} 版 / visits, findings, scorecard",
            f"  {verdict_line(card, 'zh')}",
            f"  {verdict_line(card, 'en')}",
            f"  比实际 / vs actual {days_with_interval(card.days_earlier, card.interval)}, "
            f"比随机 / vs random {days_with_interval(card.vs_random, card.vs_random_interval)}, "
            f"前半期 / first half {share(card.share_first_half)} ({share(card.share_first_half_actual)})",
            *(
                f"  {adversary_word(g.adversary, t)} / {g.adversary}: {g.hits}/{g.guesses}, {g.ratio:.2f}×"
                for g in evidence.guesses
                if g.enough
            ),
        ]
        door.answer(evidence_body(evidence), *lines)


@scorecard.command("show")
def show_card(
    version: Annotated[
        int | None, typer.Option("--version", help="Which version; the one in force by default.")
    ] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Show a version's points, and all versions with author and approver."""
    with open_door(as_json=as_json, database=database) as door:
        from dashboard.evidence import card_line
        from dashboard.i18n import sentence_for
        from planner.scorecard import find_card, list_cards, read_scorecard

        with door.store().reading() as session:
            chosen = version
            if chosen is None:
                chosen = read_scorecard(session, as_of=door.wiring.today()).version
            card, cards = find_card(session, chosen), list_cards(session)
        body = {
            "version": card.version,
            "weights": dict(card.weights),
            "versions": [
                {
                    "version": c.version,
                    "author": c.author,
                    "proposed_at": c.proposed_at,
                    "approver": c.approver,
                    "approved_at": c.approved_at,
                    "valid_from": c.valid_from,
                    "note": c.note,
                }
                for c in cards
            ],
        }
        points = sorted(card.weights.items(), key=lambda item: (-item[1], item[0]))
        lines = [card_line(card, "zh")]
        lines += [f"  {value:+5g}  {sentence_for(f'factor.{name}', {}, 'zh')}" for name, value in points]
        lines += [f"第 {c.version} 版: {card_line(c, 'zh')}" for c in cards if c.version != card.version]
        door.answer(body, *lines)


@scorecard.command("propose")
def propose_command(
    file: Annotated[Path, typer.Argument(help="JSON: points by factor, as `show --json` prints them.")],
    by: By,
    note: Annotated[str, typer.Option("--note", help="Why.")] = "",
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Store new points as the next version, to be approved by somebody else."""
    with open_door(as_json=as_json, database=database) as door:
        from data.accounts import identity_named
        from planner.scorecard import propose_card

        weights, now = _read_weights(file), door.wiring.now()
        with door.store().begin(actor=by, now=now) as session:
            identity = identity_named(session, by)
            version = propose_card(session, weights, identity=identity, now=now, note=note)
        door.answer({"version": version, "author": by}, f"第 {version} 版待批准 / version {version} proposed")


@scorecard.command("approve")
def approve_command(
    version: int,
    by: By,
    valid_from: Annotated[
        str | None, typer.Option("--from", help="First day in force, YYYY-MM-DD; today by default.")
    ] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Approve a proposed version; never one's own."""
    with open_door(as_json=as_json, database=database) as door:
        from dashboard.evidence import card_line
        from data.accounts import identity_named
        from planner.scorecard import approve_card

        now, today = door.wiring.now(), door.wiring.today()
        first = None if valid_from is None else read_date("--from", valid_from)
        with door.store().begin(actor=by, now=now) as session:
            card = approve_card(
                session,
                version,
                identity=identity_named(session, by),
                now=now,
                today=today,
                valid_from=first,
            )
        body = {"version": card.version, "approver": card.approver, "valid_from": card.valid_from}
        door.answer(body, card_line(card, "zh"))


@scorecard.command("shrink")
def shrink_command(
    last: Last = None,
    penalty: Annotated[float, typer.Option("--penalty", help="Hold of the present points.")] = 20.0,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the new points here, to be proposed.")
    ] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Fit points to own visits, held to the present ones; changes nothing by itself."""
    with open_door(as_json=as_json, database=database) as door:
        from dashboard.evidence import weight_lines
        from dashboard.i18n import sentence_for
        from planner.replay import shrink_on_register

        demand_writable(output)
        with door.store().reading() as session:
            weights, report = shrink_on_register(
                session, last=_last_day(last, door.wiring.today()), penalty=penalty
            )
        rounded = {name: round(value, 1) for name, value in weights.items()}
        if output is not None:
            write_file(output, json.dumps(rounded, ensure_ascii=False, indent=2) + "\n")
        rows = json.loads(report.table.round(3).to_json(orient="records"))
        body = {
            "weights": rounded,
            "visits": report.visits,
            "findings": report.findings,
            "free_fit": report.free_fit,
            "table": rows,
        }
        fields = {"visits": report.visits, "findings": report.findings}
        code = "scorecard.fitted" if report.free_fit else "scorecard.fitted_few"
        door.answer(body, sentence_for(code, fields, "zh"), *weight_lines(report, "zh"))


def _last_day(text: str | None, today: dt.date) -> dt.date:
    return today - dt.timedelta(days=1) if text is None else read_date("--to", text)


def _read_weights(file: Path) -> dict[str, Any]:
    """Return the points of a JSON file, either bare or under `weights`.

    Raises
    ------
    PlannerError
        `bad_weights_file`.
    """
    from planner.errors import PlannerError

    try:
        body = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PlannerError(code="bad_weights_file", fields={"file": file.name}) from error
    weights = body.get("weights", body) if isinstance(body, dict) else None
    if not isinstance(weights, dict):
        raise PlannerError(code="bad_weights_file", fields={"file": file.name})
    return weights
