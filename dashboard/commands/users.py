"""Commands of accounts: add, list, passwd, stop, allow, role."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from dashboard.commands.door import ACTOR, Database, Json, open_door

accounts = typer.Typer(help="People who can log in.", no_args_is_help=True)

PasswordStdin = Annotated[
    bool,
    typer.Option("--password-stdin", help="Read the password from standard input instead of making one."),
]


def _read_password(from_stdin: bool, names: Sequence[str]) -> tuple[str, str]:
    """Return a first password and its hash; whoever gets it must choose another at the first log-in.

    Raises
    ------
    AccountError
        The refusals of a password.
    """
    from data.access.passwords import check_new, hash_password

    password = f"{secrets.token_urlsafe(9)}-7a"
    if from_stdin:
        password = typer.get_text_stream("stdin").readline().rstrip("\r\n")
        check_new(password, names=names)
    return password, hash_password(password)


def _shown(password: str, from_stdin: bool) -> str | None:
    return None if from_stdin else password


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
        from data.register.officers import list_officers
        from data.terms import Role

        known = {item.value: item for item in Role}
        _known_role(role, known)
        password, password_hash = _read_password(password_stdin, (username, name))
        with door.store(create=True).begin(actor=ACTOR, now=door.wiring.now()) as session:
            officers = {person.code: person.id for person in list_officers(session)}
            if officer is not None and officer not in officers:
                raise AccountError("unknown_officer", officer=officer)
            create_user(
                session,
                username=username,
                display_name=name or username,
                role=known[role],
                password_hash=password_hash,
                officer_id=None if officer is None else officers[officer],
                scope_subdistrict=subdistrict,
                scope_grid_code=grid,
            )
        figures = {"username": username, "role": role, "password": _shown(password, password_stdin)}
        door.answer(figures, f"{username} ({known[role].zh})  {figures['password'] or ''}".rstrip())


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
    """Give a user a new password, to be changed at the next log-in, and end their sessions."""
    with open_door(as_json=as_json, database=database) as door:
        from data.access import credentials, passwords
        from data.errors import AccountError

        store = door.store()
        with store.reading() as session:
            known = credentials.find(session, username)
        if known is None:
            raise AccountError("unknown_user", username=username)
        password, password_hash = _read_password(password_stdin, known.names)
        if password_stdin and passwords.is_remembered(password, known.remembered):
            raise AccountError("password_used_before", most=passwords.REMEMBERED)
        with store.begin(actor=ACTOR, now=door.wiring.now()) as session:
            credentials.set_password(
                session, username=username, password_hash=password_hash, must_change=True
            )
        figures = {"username": username, "password": _shown(password, password_stdin)}
        door.answer(figures, f"{username}  {figures['password'] or ''}".rstrip())


@accounts.command("stop")
def stop_user(username: str, as_json: Json = False, database: Database = None) -> None:
    """Stop an account: its sessions end at once and nobody can log in with it."""
    _set_active(username, active=False, as_json=as_json, database=database)


@accounts.command("allow")
def allow_user(username: str, as_json: Json = False, database: Database = None) -> None:
    """Let a stopped account in again."""
    _set_active(username, active=True, as_json=as_json, database=database)


def _set_active(username: str, *, active: bool, as_json: bool, database: str | None) -> None:
    with open_door(as_json=as_json, database=database) as door:
        from data.access.credentials import set_active

        with door.store().begin(actor=ACTOR, now=door.wiring.now()) as session:
            set_active(session, username=username, active=active)
        state = "已启用 / allowed" if active else "已停用 / stopped"
        door.answer({"username": username, "active": active}, f"{username}  {state}")


@accounts.command("role")
def change_role_command(
    username: str,
    role: Annotated[
        str, typer.Argument(help="team_lead, officer, grid_worker, leader, clerk, administrator.")
    ],
    subdistrict: Annotated[str | None, typer.Option("--subdistrict", help="Narrow to a subdistrict.")] = None,
    grid: Annotated[str | None, typer.Option("--grid", help="Narrow to a grid area's code.")] = None,
    as_json: Json = False,
    database: Database = None,
) -> None:
    """Give an account another role and scope; open pages are closed and drawn anew."""
    with open_door(as_json=as_json, database=database) as door:
        from data.accounts import change_role
        from data.terms import Role

        with door.store().begin(actor=ACTOR, now=door.wiring.now()) as session:
            change_role(
                session,
                username=username,
                role=_known_role(role, {item.value: item for item in Role}),
                scope_subdistrict=subdistrict,
                scope_grid_code=grid,
            )
        door.answer({"username": username, "role": role}, f"{username}  {role}")


def _known_role(role: str, known: Mapping[str, Any]) -> Any:
    from data.errors import AccountError

    if role not in known:
        raise AccountError("unknown_role", role=role, known=", ".join(known))
    return known[role]
