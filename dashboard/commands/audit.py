"""Commands of the change log: verify, head, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.door import Database, Json, demand_writable, open_door, write_file

auditing = typer.Typer(help="The change log: check it, keep its head, write it out.", no_args_is_help=True)
BROKEN = 1


@auditing.command("verify")
def verify_command(
    heads: Annotated[
        Path | None, typer.Option("--heads", help="File of kept heads, such as var/audit-heads.log.")
    ] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Check every link of the chain, and the kept heads when given; exit 1 and name the first broken one."""
    with open_door(as_json=as_json, database=database) as door:
        from dataclasses import asdict

        from dashboard.anchors import check_heads
        from dashboard.keys import read_key
        from data import audit, chain
        from data.errors import StoreError

        lines: list[str] = []
        if heads is not None:
            if not heads.is_file():
                raise StoreError("no_heads", file=str(heads))
            lines = heads.read_text(errors="replace").splitlines()
        with door.store().reading() as session:
            broken = chain.verify(session)
            count, _ = audit.read_head(session)
            fault = (
                None if heads is None else check_heads(session, lines, key=read_key(door.settings.audit_key))
            )
        holds = broken is None and fault is None
        said = [f"{count} 条变更记录完整 / {count} links hold"] if holds else []
        if broken is not None:
            said.append(
                f"第 {broken.sequence} 条断开（{broken.kind}，{broken.at}） / "
                f"link {broken.sequence} is broken ({broken.kind}, {broken.at})"
            )
        if fault is not None:
            said.append(
                f"存档第 {fault.line} 行（第 {fault.sequence} 条）不符：{fault.kind} / "
                f"kept head {fault.line} (link {fault.sequence}) does not hold: {fault.kind}"
            )
        door.answer(
            {
                "holds": holds,
                "links": count,
                "heads": len(lines),
                "broken": None if broken is None else asdict(broken),
                "head_fault": None if fault is None else asdict(fault),
            },
            *said,
        )
        if not holds:
            raise typer.Exit(BROKEN)


@auditing.command("head")
def head_command(
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Also write it here.")] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Keep the chain's head (sequence, hash, instant, seal) in the file of heads, and print it."""
    with open_door(as_json=as_json, database=database) as door:
        import json

        from dashboard.anchors import keep_head
        from dashboard.keys import read_key

        demand_writable(output)
        door.store()
        head = keep_head(door.wiring, key=read_key(door.settings.audit_key))
        if output is not None:
            write_file(output, json.dumps(head) + "\n")
        door.answer(head, f"{head['sequence']} {head['hash']} {head['at']}")


@auditing.command("export")
def export_command(output: Path, as_json: Json = False, database: Database = None) -> None:
    """Write the whole change log as JSON lines, one link each, oldest first."""
    with open_door(as_json=as_json, database=database) as door:
        import json

        from data import chain
        from data.errors import StoreError
        from planner.errors import PlannerError

        demand_writable(output)
        with door.store().reading() as session:
            broken = chain.verify(session)
        if broken is not None and broken.kind == "content":
            # Such a link may be one that cannot be read; who needs what is left takes the database itself.
            raise StoreError("audit_broken", sequence=broken.sequence)
        count = 0
        try:
            with door.store().reading() as session, output.open("w", encoding="utf-8") as file:
                for link in chain.stream(session):
                    file.write(json.dumps(link._asdict(), ensure_ascii=False, default=str) + "\n")
                    count += 1
        except OSError as error:
            fields: dict[str, object] = {"file": str(output), "reason": error.strerror}
            raise PlannerError(code="output_failed", fields=fields) from error
        door.note_export("audit_event", output.name)
        door.answer({"file": str(output), "links": count}, f"{output}: {count}")
