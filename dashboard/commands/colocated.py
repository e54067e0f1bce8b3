"""Commands of shared addresses (一址多照): list them, record what people found."""

from __future__ import annotations

from typing import Annotated

import typer

from dashboard.commands.door import ACTOR, Database, Json, open_door

colocated = typer.Typer(help="Several licences at one address: list, decide.", no_args_is_help=True)

_VERDICTS = "true_case, same_operator, ordinary or unclear"


@colocated.command("list")
def list_command(
    only_open: Annotated[bool, typer.Option("--open", help="Only those somebody should look at.")] = False,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """List shared addresses with evidence, confidence and the decision that holds; open ones first."""
    with open_door(as_json=as_json, database=database) as door:
        from dashboard.cases import confidence_words, evidence_words, level_word, state_of, state_word
        from geo.colocated import list_cases

        with door.store().reading() as session:
            found = [case for case in list_cases(session) if case.open or not only_open]
        rows = [
            {
                "level": case.group.level.value,
                "key": case.group.key,
                "state": state_of(case),
                "confidence": case.group.confidence,
                "evidence": [seen.value for seen in case.group.evidence],
                "institutions": [
                    {
                        "id": licence.id,
                        "name": licence.name,
                        "kind": licence.kind.value,
                        "status": licence.status.value,
                        "grid_code": licence.grid_code,
                    }
                    for licence in case.licences
                ],
                "decision": None
                if case.decision is None
                else {
                    "verdict": case.decision.verdict.value,
                    "note": case.decision.note,
                    "by": case.decision.decided_by,
                    "at": case.decision.decided_at.isoformat(),
                    "changed": case.decision.changed,
                },
            }
            for case in found
        ]
        opened = sum(case.open for case in found)
        door.answer(
            {"cases": len(rows), "open": opened, "rows": rows},
            f"同址 {len(rows)} 处, 待核实 {opened} / shared addresses, open",
            *(
                f"  {case.group.level.value} {case.group.key}  {level_word(case.group.level, 'zh')}  "
                f"{state_word(state_of(case), 'zh')}  {confidence_words(case.group.confidence, 'zh')}  "
                f"{'、'.join(evidence_words(case, 'zh'))}  {len(case.licences)} 家"
                for case in found
            ),
        )


@colocated.command("decide")
def decide_command(
    level: Annotated[str, typer.Argument(help="room, door or building.")],
    key: Annotated[str, typer.Argument(help="Key of the address, as listed.")],
    verdict: Annotated[str, typer.Option("--verdict", help=f"{_VERDICTS}.")],
    note: Annotated[str, typer.Option("--note", help="What was seen.")] = "",
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Record what somebody found at a shared address; earlier decisions stay on file."""
    with open_door(as_json=as_json, database=database) as door:
        from data.terms import ColocationVerdict
        from geo.colocated import decide
        from geo.errors import ColocationError

        known = {item.value: item for item in ColocationVerdict}
        if verdict not in known:
            raise ColocationError("unknown_verdict", verdict=verdict, known=list(known))
        at = door.wiring.now()
        with door.store().begin(actor=ACTOR, now=at) as session:
            record = decide(
                session, level=level, key=key, verdict=known[verdict], note=note, actor=ACTOR, now=at
            )
            members = list(record.members)
        door.answer(
            {"level": level, "key": key, "verdict": verdict, "institutions": members},
            f"{key}: {known[verdict].zh} / {known[verdict].en}",
        )
