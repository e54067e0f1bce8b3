"""Roads, learned road names, points set by hand, decisions about shared addresses, patrol areas."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("grid_area", sa.Column("expires_on", sa.Date(), nullable=True))
    op.add_column("grid_area", sa.Column("worker", sa.String(length=60), nullable=False, server_default=""))
    for table in ("gazetteer_entry", "institution"):
        op.add_column(table, sa.Column("confirmed_by", sa.String(length=60), nullable=True))
        op.add_column(table, sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("institution", sa.Column("location_source", sa.String(length=32), nullable=True))
    rows = sa.table(
        "institution", sa.column("location_source"), sa.column("match_level"), sa.column("lon", sa.Float())
    )
    placed = rows.update().where(rows.c.lon.is_not(None))
    op.execute(placed.values(location_source="gazetteer"))
    op.execute(placed.where(rows.c.match_level == "declared").values(location_source="declared"))
    op.add_column("plan_shift", sa.Column("track", sa.LargeBinary(), nullable=True))
    _add_roads()
    _add_decisions()


def downgrade() -> None:
    """Undo."""
    for table in (
        "patrol_area",
        "colocation_decision",
        "location_decision",
        "road_alias",
        "road_graph",
        "road_layer",
    ):
        op.drop_table(table)
    op.drop_column("plan_shift", "track")
    op.drop_column("institution", "location_source")
    for table in ("institution", "gazetteer_entry"):
        op.drop_column(table, "confirmed_at")
        op.drop_column(table, "confirmed_by")
    op.drop_column("grid_area", "worker")
    op.drop_column("grid_area", "expires_on")


def _add_roads() -> None:
    op.create_table(
        "road_layer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("url", sa.String(length=200), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("source_crs", sa.String(length=20), nullable=False),
        sa.Column("attribution", sa.String(length=200), nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.Column("length_km", sa.Float(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_road_layer")),
    )
    op.create_index(op.f("ix_road_layer_sha256"), "road_layer", ["sha256"])
    op.create_index(op.f("ix_road_layer_current"), "road_layer", ["current"])
    op.create_table(
        "road_graph",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("layer_id", sa.Integer(), nullable=False),
        sa.Column("profile", sa.String(length=20), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["layer_id"],
            ["road_layer.id"],
            name=op.f("fk_road_graph_layer_id_road_layer"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_road_graph")),
        sa.UniqueConstraint("layer_id", "profile", name=op.f("uq_road_graph_layer_id_profile")),
    )
    op.create_index(op.f("ix_road_graph_layer_id"), "road_graph", ["layer_id"])
    op.create_table(
        "road_alias",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("written", sa.String(length=100), nullable=False),
        sa.Column("meant", sa.String(length=100), nullable=False),
        sa.Column("learned_by", sa.String(length=60), nullable=False),
        sa.Column("learned_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_road_alias")),
        sa.UniqueConstraint("written", name=op.f("uq_road_alias_written")),
    )


def _add_decisions() -> None:
    op.create_table(
        "location_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("institution_id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("batch", sa.String(length=40), nullable=True),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=True),
        sa.Column("alias_id", sa.Integer(), nullable=True),
        sa.Column("decided_by", sa.String(length=60), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_by", sa.String(length=60), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["institution.id"],
            name=op.f("fk_location_decision_institution_id_institution"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_location_decision")),
    )
    for column in ("institution_id", "batch", "decided_at"):
        op.create_index(op.f(f"ix_location_decision_{column}"), "location_decision", [column])
    op.create_table(
        "colocation_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("group_key", sa.String(length=300), nullable=False),
        sa.Column("members", sa.JSON(), nullable=False),
        sa.Column("verdict", sa.String(length=32), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("decided_by", sa.String(length=60), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_colocation_decision")),
    )
    op.create_index(op.f("ix_colocation_decision_group_key"), "colocation_decision", ["group_key"])
    op.create_table(
        "patrol_area",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("grid_codes", sa.JSON(), nullable=False),
        sa.Column("workload_min", sa.Float(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patrol_area")),
        sa.UniqueConstraint("number", name=op.f("uq_patrol_area_number")),
    )
