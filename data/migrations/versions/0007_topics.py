"""A counter for each part of the register, so that caches keep what did not change; calls of routes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None

TOPICS = ("places", "people", "plans", "visits", "calendar", "cards", "accounts")


def upgrade() -> None:
    """Apply."""
    made = op.create_table(
        "topic_counter",
        sa.Column("topic", sa.String(length=20), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_topic_counter")),
    )
    op.add_column("plan_stop", sa.Column("call", sa.Integer(), nullable=True))
    op.bulk_insert(made, [{"topic": topic, "value": 0} for topic in TOPICS])


def downgrade() -> None:
    """Undo."""
    op.drop_table("topic_counter")
    op.drop_column("plan_stop", "call")
