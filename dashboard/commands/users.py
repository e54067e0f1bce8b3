"""Commands of accounts: add, list, passwd."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from dashboard.commands.door import ACTOR, Database, Json, open_door

accounts = typer.Typer(help="People who can log in.", no_args_is_help=True)

PasswordStdin = Annotated[
    bool,
    typer.Option("--password-stdin", help="Read the password from standard input instead of making one."),
]


def _read_password(from_stdin: bool) -> tuple[str, bool]:
    """Return the password and whether it was made here (then it must be changed and is shown once)."""
    if from_stdin:
        return typer.get_text_stream("stdin").readline().rstrip("\r\n"), False
    return f"{secrets.token_urlsafe(9)}-7a", True


@accounts.command("add")
def add_user(
    username: str,
    role: Annotated[
        str, typer.Option("--role", help="team_lead, officer, grid_worker, leader, clerk, administrator.")
    ],
    name: Annotated[str, typer.Option("--name", help="Name shown on pages.")] = "",
    officer: Annotated[str | None, typer.Option("--officer", help="Officer code (工号).")] = None,
    subdistrict: Annotated[str | None, typer.Option("--subdistrict", help="Narrow to a subdistrict.")] = None,
    grid: Annotated[str | None, typer.Option("--grid", help="Narrow to a grid area's code.")] = None,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Add a user; prints a first password that must be changed at the first log-in."""
    with open_door(as_json=as_json, database=database) as door:
        from data.accounts import create_user
        from data.errors import AccountError
        from data.staff import list_officers
        from data.terms import Role

        known = {item.value: item for item in Role}
        if role not in known:
            raise AccountError("unknown_role", role=role, known=", ".join(known))
        password, made = _read_password(password_stdin)
        with door.store(create=True).begin(actor=ACTOR, now=door.wiring.now()) as session:
            officers = {person.code: person.id for person in list_officers(session)}
            if officer is not None and officer not in officers:
                raise AccountError("unknown_officer", officer=officer)
            create_user(
                session,
                username=username,
                display_name=name or username,
                role=known[role],
                password=password,
                officer_id=None if officer is None else officers[officer],
                scope_subdistrict=subdistrict,
                scope_grid_code=grid,
                must_change_password=made,
            )
        figures = {"username": username, "role": role, "password": password if made else None}
        door.answer(figures, f"{username} ({known[role].zh})" + (f"  {password}" if made else ""))


@accounts.command("list")
def list_users_command(as_json: Json = False, database: Database = None) -> None:
    """List users without secrets."""
    with open_door(as_json=as_json, database=database) as door:
        from data.accounts import list_users

        with door.store().reading() as session:
            users = [
                {"username": u.username, "name": u.display_name, "role": u.role.value, "active": u.active}
                for u in list_users(session)
            ]
        door.answer({"users": users}, *(f"{u['username']:20} {u['role']:14} {u['name']}" for u in users))


@accounts.command("passwd")
def set_password_command(
    username: str, password_stdin: PasswordStdin = False, as_json: Json = False, database: Database = None
) -> None:
    """Give a user a new password, unlock them and end their sessions."""
    with open_door(as_json=as_json, database=database) as door:
        from data.accounts import set_password

        password, made = _read_password(password_stdin)
        with door.store().begin(actor=ACTOR, now=door.wiring.now()) as session:
            set_password(session, username=username, password=password, must_change=made)
        figures = {"username": username, "password": password if made else None}
        door.answer(figures, f"{username}" + (f"  {password}" if made else ""))
