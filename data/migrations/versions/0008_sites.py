"""Further sites of a holder, texts as they were written, and error radii kept with their gazetteer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("institution", sa.Column("holder_uscc", sa.String(length=18), nullable=True))
    op.add_column("institution", sa.Column("written", sa.JSON(), nullable=True))
    op.create_index(op.f("ix_institution_holder_uscc"), "institution", ["holder_uscc"])
    op.create_table(
        "kept_calibration",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_kept_calibration")),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("kept_calibration")
    op.drop_index(op.f("ix_institution_holder_uscc"), table_name="institution")
    op.drop_column("institution", "written")
    op.drop_column("institution", "holder_uscc")
