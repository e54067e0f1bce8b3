"""Officials who accompany rounds, first days in service, recusals, and versions of the scorecard."""

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


def downgrade() -> None:
    """Undo."""
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
