"""Commands of the road data: what is in force, a route server instead, places the roads do not reach."""

from __future__ import annotations

from typing import Annotated

import typer

from dashboard.commands.door import ACTOR, Database, Json, open_door

roads = typer.Typer(
    help="Road data for travel times: show, check, a route server, none.", no_args_is_help=True
)

_PROFILES = "walk, ebike or car"


@roads.command("show")
def show_roads(as_json: Json = False, database: Database = None) -> None:
    """Say which road data travel times come from."""
    with open_door(as_json=as_json, database=database) as door:
        from geo.network.layer import current_roads
        from geo.travel import CIRCUITY

        with door.store().reading() as session:
            record = current_roads(session)
            figures = {
                "kind": "straight_line" if record is None else record.kind,
                "name": None if record is None else record.name,
                "sha256": None if record is None else record.sha256,
                "pieces": 0 if record is None else record.pieces,
                "length_km": 0.0 if record is None else record.length_km,
                "attribution": "" if record is None else record.attribution,
                "circuity": CIRCUITY,
            }
        line = (
            f"直线距离 x {CIRCUITY:g} / straight line x {CIRCUITY:g}"
            if figures["name"] is None
            else f"{figures['name']} ({figures['kind']}): {figures['pieces']} 段 / pieces, "
            f"{figures['length_km']} km"
        )
        door.answer(figures, line)


@roads.command("check")
def check_roads(
    travel: Annotated[str, typer.Option("--travel", help=_PROFILES)] = "ebike",
    as_json: Json = False,
    database: Database = None,
) -> None:
    """List institutions that the roads do not reach: too far from one, or cut off from the others."""
    with open_door(as_json=as_json, database=database) as door:
        from data import frames
        from geo.errors import RoadError
        from geo.network.layer import current_roads, load_roads
        from geo.network.travel import Access, Roadbed, RoadTravel

        with door.store().reading() as session:
            network = load_roads(session, travel)
            record = current_roads(session)
            places = frames.institutions_frame(session)
        if network is None:
            raise RoadError("no_road_file" if record is None else "server_in_force")
        placed = places[places.geometry.notna()]
        survey = RoadTravel(Roadbed(network)).survey(
            placed.geometry.x.to_numpy(), placed.geometry.y.to_numpy()
        )
        rows = [
            {
                "institution_id": int(placed.index[item.place]),
                "name": str(placed["name"].iloc[item.place]),
                "access": item.access.value,
                "off_m": round(item.off_m, 1),
            }
            for item in survey
            if item.access is not Access.ROAD
        ]
        door.answer(
            {"places": len(placed), "apart": rows},
            f"{len(placed)} 家中 {len(rows)} 家不在路网可达范围 / {len(rows)} of {len(placed)} off the roads",
            *(f"  {row['name']}  {row['access']}  {row['off_m']:.0f} m" for row in rows),
        )


@roads.command("server")
def use_server(
    kind: Annotated[str, typer.Argument(help="osrm or valhalla.")],
    url: Annotated[
        str, typer.Argument(help="Its address in the office network, such as http://10.0.0.5:5000.")
    ],
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Ask a self-hosted route server of the office network for travel times from now on."""
    with open_door(as_json=as_json, database=database) as door:
        from geo.network.layer import name_server

        with door.store().begin(actor=ACTOR, now=door.wiring.now()) as session:
            record = name_server(session, kind=kind, url=url, now=door.wiring.now())
            figures = {"kind": record.kind, "url": record.url}
        door.answer(figures, f"{kind}: {url}")


@roads.command("drop")
def drop_road_data(as_json: Json = False, database: Database = None) -> None:
    """Use no road data from now on: travel times by straight line."""
    with open_door(as_json=as_json, database=database) as door:
        from geo.network.layer import drop_roads
        from geo.travel import CIRCUITY

        with door.store().begin(actor=ACTOR, now=door.wiring.now()) as session:
            drop_roads(session)
        door.answer(
            {"kind": "straight_line", "circuity": CIRCUITY},
            f"直线距离 x {CIRCUITY:g} / straight line x {CIRCUITY:g}",
        )
