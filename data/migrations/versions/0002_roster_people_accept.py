"""Officials, recusals, versions of the scorecard, forms and reasons of visits, rounds and draws."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("officer", sa.Column("official", sa.Boolean(), nullable=True))
    op.add_column("officer", sa.Column("joined_on", sa.Date(), nullable=True))
    op.create_table(
        "recusal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("officer_id", sa.Integer(), nullable=False),
        sa.Column("institution_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["officer_id"], ["officer.id"], name=op.f("fk_recusal_officer_id_officer"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_recusal_institution_id_institution")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recusal")),
        sa.UniqueConstraint(
            "officer_id", "institution_id", name=op.f("uq_recusal_officer_id_institution_id")
        ),
    )
    with op.batch_alter_table("recusal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recusal_institution_id"), ["institution_id"], unique=False)
    _add_evidence()
    _add_reasons()
    _add_draws()


def downgrade() -> None:
    """Undo."""
    _drop_draws()
    _drop_reasons()
    _drop_evidence()
    op.drop_table("recusal")
    op.drop_column("officer", "joined_on")
    op.drop_column("officer", "official")


def _add_evidence() -> None:
    """Add versions of the scorecard, and when a fact entered the register."""
    op.create_table(
        "scorecard",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("weights", sa.JSON(), nullable=False),
        sa.Column("author", sa.String(length=60), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("approver", sa.String(length=60), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_scorecard")),
    )
    op.add_column("tip", sa.Column("decided_on", sa.Date(), nullable=True))
    for table in ("visit_record", "finding", "tip"):
        op.add_column(table, sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=True))


def _drop_evidence() -> None:
    for table in ("visit_record", "finding", "tip"):
        op.drop_column(table, "recorded_at")
    op.drop_column("tip", "decided_on")
    op.drop_table("scorecard")


def _add_reasons() -> None:
    """Add the form of a visit, why it is planned and with which chance, filled for the rows on file."""
    for table in ("visit_record", "plan_stop"):
        form = sa.Column("form", sa.String(length=32), nullable=False, server_default="patrol")
        op.add_column(table, form)
    for table in ("plan_stop", "plan_unserved"):
        op.add_column(table, sa.Column("reason", sa.String(length=32), nullable=False, server_default="due"))
        op.add_column(table, sa.Column("p_select", sa.Float(), nullable=False, server_default="1"))
    visits = sa.table("visit_record", sa.column("form"), sa.column("mode"), sa.column("reason"))
    # What showed its certificate counts as an inspection: too many is safe for a cap, too few is not.
    op.execute(visits.update().where(visits.c.mode == "open_visit").values(form="inspection"))
    op.execute(visits.update().where(visits.c.reason == "recheck").values(form="recheck"))
    stops = sa.table(
        "plan_stop", sa.column("id"), sa.column("form"), sa.column("reason"), sa.column("reasons", sa.JSON)
    )
    forms = {"recheck": "recheck", "tip": "inspection"}
    for row_id, reasons in op.get_bind().execute(sa.select(stops.c.id, stops.c.reasons)).all():
        duty = next((item["reason"] for item in reasons if item.get("reason") in forms), None)
        if duty is not None:
            row = stops.update().where(stops.c.id == row_id)
            op.execute(row.values(reason=duty, form=forms[duty]))


def _drop_reasons() -> None:
    for table in ("plan_stop", "plan_unserved"):
        op.drop_column(table, "p_select")
        op.drop_column(table, "reason")
    for table in ("visit_record", "plan_stop"):
        op.drop_column(table, "form")


def _add_draws() -> None:
    """Add the bureau's own dates of rounds, draws, and what a plan belongs to."""
    op.create_table(
        "coverage_round",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coverage_round")),
        sa.UniqueConstraint("year", "name", name=op.f("uq_coverage_round_year_name")),
    )
    op.create_table(
        "draw",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("round_name", sa.String(length=32), nullable=True),
        sa.Column("control_share", sa.Float(), nullable=False),
        sa.Column("thinning", sa.Float(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("candidates", sa.JSON(), nullable=False),
        sa.Column("candidates_digest", sa.String(length=64), nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("committed_by", sa.String(length=60), nullable=False),
        sa.Column("revealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revealed_by", sa.String(length=60), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draw")),
        sa.UniqueConstraint("code", name=op.f("uq_draw_code")),
    )
    op.add_column("plan_revision", sa.Column("round_name", sa.String(length=32), nullable=True))
    op.add_column("plan_revision", sa.Column("draw_code", sa.String(length=40), nullable=True))
    op.create_index(op.f("ix_plan_revision_draw_code"), "plan_revision", ["draw_code"], unique=False)


def _drop_draws() -> None:
    op.drop_index(op.f("ix_plan_revision_draw_code"), "plan_revision")
    op.drop_column("plan_revision", "draw_code")
    op.drop_column("plan_revision", "round_name")
    op.drop_table("draw")
    op.drop_table("coverage_round")
