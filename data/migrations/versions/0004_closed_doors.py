"""Owners of jobs, the order of publications, one row of a kind, and a log that only grows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_GROWS = "audit_head may only grow: append-only"


def upgrade() -> None:
    """Apply."""
    _own_jobs()
    _order_publications()
    _keep_one_of_a_kind()
    if op.get_bind().dialect.name == "sqlite":
        _close_sqlite()
    else:
        _close_postgresql()


def downgrade() -> None:
    """Undo; what was marked apart stays apart."""
    if op.get_bind().dialect.name == "sqlite":
        for name in ("audit_event_no_replace", *(f"audit_head_no_{verb}" for verb in _HEAD)):
            op.execute(f"DROP TRIGGER {name}")
    else:
        for table in ("audit_event", "audit_head"):
            op.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
        op.execute("DROP TRIGGER audit_head_grows ON audit_head")
        op.execute("DROP FUNCTION audit_head_refuse()")
    for name, table in (
        ("uq_institution_codeless", "institution"),
        ("uq_grid_area_current", "grid_area"),
        ("uq_plan_revision_in_force", "plan_revision"),
        ("uq_plan_revision_publication", "plan_revision"),
        ("uq_job_open_scope", "job"),
    ):
        op.drop_index(name, table_name=table)
    for column in ("seen_publication", "publication"):
        op.drop_column("plan_revision", column)
    for column in ("beat_at", "beats", "owner", "scope"):
        op.drop_column("job", column)


def _own_jobs() -> None:
    op.add_column("job", sa.Column("scope", sa.String(length=200), nullable=False, server_default=""))
    op.add_column("job", sa.Column("owner", sa.String(length=80), nullable=True))
    op.add_column("job", sa.Column("beats", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("job", sa.Column("beat_at", sa.DateTime(timezone=True), nullable=True))
    # The server that ran them is down: the schema is never changed under one.
    op.execute(
        "UPDATE job SET status = 'failed', error_code = 'interrupted', error_fields = '{}' "
        "WHERE status = 'running'"
    )
    op.execute("UPDATE job SET scope = kind || ' ' || CAST(id AS VARCHAR(20))")
    where = sa.text("status IN ('queued', 'running')")
    op.create_index(
        "uq_job_open_scope", "job", ["scope"], unique=True, sqlite_where=where, postgresql_where=where
    )


def _order_publications() -> None:
    op.add_column("plan_revision", sa.Column("publication", sa.Integer(), nullable=True))
    op.add_column(
        "plan_revision", sa.Column("seen_publication", sa.Integer(), nullable=False, server_default="0")
    )
    plans = sa.table(
        "plan_revision",
        *(sa.column(name) for name in ("id", "status", "period_from", "period_to", "published_at")),
        *(sa.column(name) for name in ("publication", "seen_publication")),
    )
    bind = op.get_bind()
    published = sa.select(plans).where(plans.c.status.in_(("published", "superseded")))
    in_force: dict[tuple[object, object], int] = {}
    rows = bind.execute(published.order_by(plans.c.published_at, plans.c.id)).mappings().all()
    for number, row in enumerate(rows, start=1):
        bind.execute(plans.update().where(plans.c.id == row["id"]).values(publication=number))
        if row["status"] == "published":
            # Of two plans of the same days the later one has ruled: the earlier one is told as replaced.
            former = in_force.get((row["period_from"], row["period_to"]))
            bind.execute(plans.update().where(plans.c.id == former).values(status="superseded"))
            in_force[row["period_from"], row["period_to"]] = row["id"]
    bind.execute(plans.update().values(seen_publication=len(rows)))
    where = sa.text("status = 'published'")
    op.create_index(
        "uq_plan_revision_in_force",
        "plan_revision",
        ["period_from", "period_to"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )
    op.create_index("uq_plan_revision_publication", "plan_revision", ["publication"], unique=True)


def _keep_one_of_a_kind() -> None:
    """Mark doubles of before apart: nothing is deleted, the younger one gets another key or an end."""
    op.execute(
        "UPDATE institution SET identity_key = substr(identity_key, 1, 280) || '#' || CAST(id AS VARCHAR(18))"
        " WHERE uscc IS NULL AND EXISTS (SELECT 1 FROM institution AS older WHERE older.uscc IS NULL"
        " AND older.identity_key = institution.identity_key AND older.id < institution.id)"
    )
    op.execute(
        "UPDATE grid_area SET valid_to = COALESCE(valid_from, CURRENT_DATE)"
        " WHERE valid_to IS NULL AND EXISTS (SELECT 1 FROM grid_area AS newer WHERE newer.valid_to IS NULL"
        " AND newer.code = grid_area.code AND newer.id > grid_area.id)"
    )
    for name, table, column, rule in (
        ("uq_institution_codeless", "institution", "identity_key", "uscc IS NULL"),
        ("uq_grid_area_current", "grid_area", "code", "valid_to IS NULL"),
    ):
        where = sa.text(rule)
        op.create_index(name, table, [column], unique=True, sqlite_where=where, postgresql_where=where)


# REPLACE deletes without a word to a DELETE trigger: a row that is there already is refused before.
_HEAD = {
    "delete": ("DELETE", "1"),
    "shrink": ("UPDATE", "NEW.id <> OLD.id OR NEW.sequence <= OLD.sequence"),
    "replace": ("INSERT", "EXISTS (SELECT 1 FROM audit_head)"),
}


def _close_sqlite() -> None:
    op.execute(
        "CREATE TRIGGER audit_event_no_replace BEFORE INSERT ON audit_event "
        "WHEN NEW.sequence <= (SELECT MAX(sequence) FROM audit_event) "
        "BEGIN SELECT RAISE(ABORT, 'audit_event is append-only'); END"
    )
    for name, (verb, rule) in _HEAD.items():
        op.execute(
            f"CREATE TRIGGER audit_head_no_{name} BEFORE {verb} ON audit_head WHEN {rule} "
            f"BEGIN SELECT RAISE(ABORT, '{_GROWS}'); END"
        )


def _close_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION audit_head_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP = 'UPDATE' AND NEW.id = OLD.id AND NEW.sequence > OLD.sequence THEN RETURN NEW; END IF; "
        f"RAISE EXCEPTION '{_GROWS}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_head_grows BEFORE INSERT OR UPDATE OR DELETE ON audit_head "
        "FOR EACH ROW EXECUTE FUNCTION audit_head_refuse()"
    )
    for table, function in (("audit_event", "audit_event_refuse"), ("audit_head", "audit_head_refuse")):
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )
