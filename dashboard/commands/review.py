"""Commands of the review queue: list, candidates, set a point, accept in bulk, undo."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dashboard.commands.door import ACTOR, Database, Json, open_door

review = typer.Typer(
    help="Places whose point is doubtful, missing or outside: look, correct, undo.", no_args_is_help=True
)
Crs = Annotated[str, typer.Option("--crs", help="Datum of the point: wgs84, gcj02 or bd09.")]


@review.command("list")
def list_command(as_json: Json = False, database: Database = None) -> None:
    """List the places a person should look at, worst first."""
    with open_door(as_json=as_json, database=database) as door:
        from dataclasses import asdict

        from dashboard.reviewwords import row_line
        from geo.review.queue import list_queue

        with door.store().reading() as session:
            rows = list_queue(session)
        door.answer(
            {"count": len(rows), "rows": [asdict(row) for row in rows]},
            f"{len(rows)} 家待核对 / to check",
            *(f"{row.institution_id:>6}  {row.name}  {row.address}  {row_line(row, 'zh')}" for row in rows),
        )


@review.command("candidates")
def candidates_command(
    institution: int,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most candidates.")] = 5,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """List the places that an institution's address may mean, best first."""
    with open_door(as_json=as_json, database=database) as door:
        from dataclasses import asdict

        from dashboard.reviewwords import candidate_line
        from geo.review.queue import find_candidates

        with door.store().reading() as session:
            found = find_candidates(session, institution, limit=limit)
        door.answer(
            {"institution_id": institution, "candidates": [asdict(match) for match in found]},
            f"{len(found)} 个候选 / candidates",
            *(f"  {match.lon:.6f},{match.lat:.6f}  {candidate_line(match, 'zh')}" for match in found),
        )


@review.command("set")
def set_command(
    institution: int,
    lon: Annotated[float, typer.Option("--lon", help="Longitude in degrees.")],
    lat: Annotated[float, typer.Option("--lat", help="Latitude in degrees.")],
    crs: Crs,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Confirm where an institution is; its address becomes a known one."""
    with open_door(as_json=as_json, database=database) as door:
        from geo.crs import SourceCrs, to_wgs84
        from geo.errors import CrsError
        from geo.review.queue import set_point

        if crs not in list(SourceCrs):
            raise CrsError("unknown_crs", crs=crs, known=[item.value for item in SourceCrs])
        x, y = to_wgs84([lon], [lat], crs)
        now = door.wiring.now()
        with door.store().begin(actor=ACTOR, now=now) as session:
            made = set_point(session, institution, float(x[0]), float(y[0]), actor=ACTOR, now=now)
            answer = _told(made)
        door.answer(
            answer,
            f"{answer['decision']}: {answer['lon']:.6f},{answer['lat']:.6f} {answer['grid_code'] or '-'}",
        )


@review.command("accept")
def accept_command(
    above: Annotated[float, typer.Option("--above", help="Least score of a candidate, 0 to 1.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be accepted.")] = False,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Accept the best candidate of every doubtful place from a score up, as one batch."""
    with open_door(as_json=as_json, database=database) as door:
        from dashboard.reviewwords import candidate_line
        from geo.locate import build_geocoder
        from geo.review.queue import accept_above, list_acceptable

        with door.store().reading() as session:
            geocoder = build_geocoder(session)
            pairs = list_acceptable(session, above, geocoder=geocoder)
        answer: dict[str, Any] = {
            "count": len(pairs),
            "institutions": [row.institution_id for row, _ in pairs],
            "batch": None,
        }
        if not dry_run and pairs:
            now = door.wiring.now()
            with door.store().begin(actor=ACTOR, now=now) as session:
                made = accept_above(session, above, actor=ACTOR, now=now, geocoder=geocoder)
                institutions = [item.institution_id for item in made]
                answer = {
                    "count": len(made),
                    "institutions": institutions,
                    "batch": made[0].batch if made else None,
                }
        door.answer(
            answer,
            f"{answer['count']} 家 / places  {answer['batch'] or ''}",
            *(f"  {row.name}  {candidate_line(match, 'zh')}" for row, match in pairs),
        )


@review.command("undo")
def undo_command(
    decision: Annotated[str, typer.Argument(help="Number of a decision, or code of a batch.")],
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Take back a decision or a batch: institution, known address and learned road name are as before."""
    with open_door(as_json=as_json, database=database) as door:
        from geo.review.queue import undo

        what: int | str = int(decision) if decision.isdecimal() else decision
        now = door.wiring.now()
        with door.store().begin(actor=ACTOR, now=now) as session:
            undone = [item.id for item in undo(session, what, actor=ACTOR, now=now)]
        door.answer({"undone": undone}, f"已撤销 {len(undone)} 项 / undone")


def _told(made: Any) -> dict[str, Any]:
    after = made.after
    location = after["location"]
    return {
        "decision": made.id,
        "institution_id": made.institution_id,
        **{name: location[name] for name in ("lon", "lat", "grid_code", "error_radius_m")},
        "entry": None if after["entry"] is None else after["entry"]["address"],
        "alias": None if after["alias"] is None else [after["alias"]["written"], after["alias"]["meant"]],
    }
