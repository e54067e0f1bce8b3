"""First schema of the register."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "audit_event",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("entity_key", sa.String(length=200), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_event")),
    )
    with op.batch_alter_table("audit_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_event_actor"), ["actor"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_event_entity"), ["entity"], unique=False)

    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "calendar_day",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("day_type", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("date", name=op.f("pk_calendar_day")),
    )
    op.create_table(
        "district",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("depot_name", sa.String(length=100), nullable=True),
        sa.Column("depot_lon", sa.Float(), nullable=True),
        sa.Column("depot_lat", sa.Float(), nullable=True),
        sa.Column("fictional", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_district")),
    )
    op.create_table(
        "gazetteer_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("source_crs", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gazetteer_entry")),
    )
    with op.batch_alter_table("gazetteer_entry", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_gazetteer_entry_name_gazetteer_entry_address"), ["name", "address"], unique=True
        )

    op.create_table(
        "grid_area",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("code_scheme", sa.String(length=40), nullable=True),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("subdistrict", sa.String(length=60), nullable=False),
        sa.Column("community", sa.String(length=60), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("source_crs", sa.String(length=20), nullable=False),
        sa.Column("geometry", sa.LargeBinary(), nullable=False),
        sa.Column("minx", sa.Float(), nullable=False),
        sa.Column("miny", sa.Float(), nullable=False),
        sa.Column("maxx", sa.Float(), nullable=False),
        sa.Column("maxy", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grid_area")),
    )
    with op.batch_alter_table("grid_area", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_grid_area_code"), ["code"], unique=False)
        batch_op.create_index(batch_op.f("ix_grid_area_minx_grid_area_maxx"), ["minx", "maxx"], unique=False)
        batch_op.create_index(batch_op.f("ix_grid_area_subdistrict"), ["subdistrict"], unique=False)
        batch_op.create_index(batch_op.f("ix_grid_area_valid_to"), ["valid_to"], unique=False)

    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("stage", sa.String(length=60), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("error_code", sa.String(length=60), nullable=True),
        sa.Column("error_fields", sa.JSON(), nullable=True),
        sa.Column("error_trace", sa.Text(), nullable=True),
        sa.Column("created_by", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_job_status"), ["status"], unique=False)

    op.create_table(
        "officer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("department", sa.String(length=60), nullable=False),
        sa.Column("certificate_no", sa.String(length=40), nullable=True),
        sa.Column("certificate_until", sa.Date(), nullable=True),
        sa.Column("leads", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_officer")),
        sa.UniqueConstraint("code", name=op.f("uq_officer_code")),
    )
    op.create_table(
        "plan_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("round_from", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("input_digest", sa.String(length=64), nullable=False),
        sa.Column("document_digest", sa.String(length=64), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=60), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.String(length=60), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_revision")),
        sa.UniqueConstraint("code", name=op.f("uq_plan_revision_code")),
    )
    with op.batch_alter_table("plan_revision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_revision_period_from"), ["period_from"], unique=False)
        batch_op.create_index(batch_op.f("ix_plan_revision_period_to"), ["period_to"], unique=False)
        batch_op.create_index(batch_op.f("ix_plan_revision_status"), ["status"], unique=False)

    op.create_table(
        "school",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("stage", sa.String(length=32), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("source_crs", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school")),
        sa.UniqueConstraint("name", name=op.f("uq_school_name")),
    )
    op.create_table(
        "school_break",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school_break")),
    )
    op.create_table(
        "institution",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=True),
        sa.Column("identity_key", sa.String(length=300), nullable=False),
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("care_type", sa.String(length=32), nullable=True),
        sa.Column("permit_no", sa.String(length=30), nullable=True),
        sa.Column("authority", sa.String(length=32), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("contact_name", sa.String(length=60), nullable=True),
        sa.Column("contact_phone", sa.String(length=40), nullable=True),
        sa.Column("declared_lon", sa.Float(), nullable=True),
        sa.Column("declared_lat", sa.Float(), nullable=True),
        sa.Column("source_crs", sa.String(length=20), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("match_level", sa.String(length=20), nullable=True),
        sa.Column("match_score", sa.Float(), nullable=True),
        sa.Column("match_code", sa.String(length=40), nullable=True),
        sa.Column("match_text", sa.Text(), nullable=True),
        sa.Column("error_radius_m", sa.Float(), nullable=True),
        sa.Column("doubtful", sa.Boolean(), nullable=False),
        sa.Column("grid_id", sa.Integer(), nullable=True),
        sa.Column("grid_code", sa.String(length=20), nullable=True),
        sa.Column("subdistrict", sa.String(length=60), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["grid_id"], ["grid_area.id"], name=op.f("fk_institution_grid_id_grid_area")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institution")),
        sa.UniqueConstraint("uscc", name=op.f("uq_institution_uscc")),
    )
    with op.batch_alter_table("institution", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_institution_grid_code"), ["grid_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_institution_grid_id"), ["grid_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_institution_identity_key"), ["identity_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_institution_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_institution_status"), ["status"], unique=False)
        batch_op.create_index(batch_op.f("ix_institution_subdistrict"), ["subdistrict"], unique=False)

    op.create_table(
        "officer_leave",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("officer_id", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["officer_id"],
            ["officer.id"],
            name=op.f("fk_officer_leave_officer_id_officer"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_officer_leave")),
        sa.UniqueConstraint("officer_id", "date", name=op.f("uq_officer_leave_officer_id_date")),
    )
    op.create_table(
        "plan_shift",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("team", sa.String(length=20), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("slot_kind", sa.String(length=32), nullable=False),
        sa.Column("start_s", sa.Integer(), nullable=False),
        sa.Column("end_s", sa.Integer(), nullable=False),
        sa.Column("travel_s", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"],
            ["plan_revision.id"],
            name=op.f("fk_plan_shift_plan_id_plan_revision"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_shift")),
        sa.UniqueConstraint("plan_id", "code", name=op.f("uq_plan_shift_plan_id_code")),
    )
    with op.batch_alter_table("plan_shift", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_shift_date"), ["date"], unique=False)
        batch_op.create_index(batch_op.f("ix_plan_shift_plan_id"), ["plan_id"], unique=False)

    op.create_table(
        "user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=60), nullable=False),
        sa.Column("display_name", sa.String(length=60), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("officer_id", sa.Integer(), nullable=True),
        sa.Column("scope_subdistrict", sa.String(length=60), nullable=True),
        sa.Column("scope_grid_code", sa.String(length=20), nullable=True),
        sa.Column("failed_logins", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_user_officer_id_officer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("username", name=op.f("uq_user_username")),
    )
    op.create_table(
        "login_session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_login_session_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_login_session")),
    )
    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_login_session_user_id"), ["user_id"], unique=False)

    op.create_table(
        "plan_shift_member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("shift_id", sa.Integer(), nullable=False),
        sa.Column("officer_id", sa.Integer(), nullable=False),
        sa.Column("leads", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["officer_id"], ["officer.id"], name=op.f("fk_plan_shift_member_officer_id_officer")
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"],
            ["plan_shift.id"],
            name=op.f("fk_plan_shift_member_shift_id_plan_shift"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_shift_member")),
        sa.UniqueConstraint("shift_id", "officer_id", name=op.f("uq_plan_shift_member_shift_id_officer_id")),
    )
    with op.batch_alter_table("plan_shift_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_shift_member_officer_id"), ["officer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_plan_shift_member_shift_id"), ["shift_id"], unique=False)

    op.create_table(
        "plan_stop",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("shift_id", sa.Integer(), nullable=False),
        sa.Column("institution_id", sa.Integer(), nullable=False),
        sa.Column("visit_code", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=150), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("error_radius_m", sa.Float(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("arrive_s", sa.Integer(), nullable=False),
        sa.Column("start_s", sa.Integer(), nullable=False),
        sa.Column("leave_s", sa.Integer(), nullable=False),
        sa.Column("slot_class", sa.String(length=32), nullable=False),
        sa.Column("mandatory", sa.Boolean(), nullable=False),
        sa.Column("points", sa.Float(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_plan_stop_institution_id_institution")
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"],
            ["plan_revision.id"],
            name=op.f("fk_plan_stop_plan_id_plan_revision"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["plan_shift.id"], name=op.f("fk_plan_stop_shift_id_plan_shift"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_stop")),
        sa.UniqueConstraint("shift_id", "sequence", name=op.f("uq_plan_stop_shift_id_sequence")),
    )
    with op.batch_alter_table("plan_stop", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_stop_institution_id"), ["institution_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_plan_stop_plan_id"), ["plan_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_plan_stop_shift_id"), ["shift_id"], unique=False)

    op.create_table(
        "plan_unserved",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("institution_id", sa.Integer(), nullable=False),
        sa.Column("visit_code", sa.String(length=60), nullable=False),
        sa.Column("slot_class", sa.String(length=32), nullable=True),
        sa.Column("mandatory", sa.Boolean(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_plan_unserved_institution_id_institution")
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"],
            ["plan_revision.id"],
            name=op.f("fk_plan_unserved_plan_id_plan_revision"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_unserved")),
    )
    with op.batch_alter_table("plan_unserved", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_unserved_institution_id"), ["institution_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_plan_unserved_plan_id"), ["plan_id"], unique=False)

    op.create_table(
        "tip",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("institution_id", sa.Integer(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("handled", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_tip_institution_id_institution")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tip")),
    )
    with op.batch_alter_table("tip", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tip_institution_id"), ["institution_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_tip_received_on"), ["received_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_tip_status"), ["status"], unique=False)

    op.create_table(
        "visit_record",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("institution_id", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("slot_kind", sa.String(length=32), nullable=False),
        sa.Column("slot_class", sa.String(length=32), nullable=False),
        sa.Column("mode", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("team", sa.String(length=20), nullable=False),
        sa.Column("plan_stop_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_visit_record_institution_id_institution")
        ),
        sa.ForeignKeyConstraint(
            ["plan_stop_id"], ["plan_stop.id"], name=op.f("fk_visit_record_plan_stop_id_plan_stop")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_record")),
    )
    with op.batch_alter_table("visit_record", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_visit_record_date"), ["date"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_visit_record_institution_id_visit_record_date"),
            ["institution_id", "date"],
            unique=False,
        )

    op.create_table(
        "finding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("institution_id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=True),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("found_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("recheck_due", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["institution_id"], ["institution.id"], name=op.f("fk_finding_institution_id_institution")
        ),
        sa.ForeignKeyConstraint(
            ["visit_id"], ["visit_record.id"], name=op.f("fk_finding_visit_id_visit_record")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
    )
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_finding_found_on"), ["found_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_finding_institution_id"), ["institution_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_finding_status"), ["status"], unique=False)
        batch_op.create_index(batch_op.f("ix_finding_visit_id"), ["visit_id"], unique=False)

    head = sa.table("audit_head", sa.column("id"), sa.column("sequence"), sa.column("hash"))
    op.bulk_insert(head, [{"id": 1, "sequence": 0, "hash": "0" * 64}])
    # The audit log is append-only for everybody, whatever program writes.
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_event_no_{verb.lower()} BEFORE {verb} ON audit_event "
                "BEGIN SELECT RAISE(ABORT, 'audit_event is append-only'); END"
            )
    else:
        op.execute(
            "CREATE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'audit_event is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE ON audit_event "
            "FOR EACH ROW EXECUTE FUNCTION audit_event_refuse()"
        )


def downgrade() -> None:
    """Undo."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER audit_event_append_only ON audit_event")
        op.execute("DROP FUNCTION audit_event_refuse()")
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_finding_visit_id"))
        batch_op.drop_index(batch_op.f("ix_finding_status"))
        batch_op.drop_index(batch_op.f("ix_finding_institution_id"))
        batch_op.drop_index(batch_op.f("ix_finding_found_on"))

    op.drop_table("finding")
    with op.batch_alter_table("visit_record", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_visit_record_institution_id_visit_record_date"))
        batch_op.drop_index(batch_op.f("ix_visit_record_date"))

    op.drop_table("visit_record")
    with op.batch_alter_table("tip", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tip_status"))
        batch_op.drop_index(batch_op.f("ix_tip_received_on"))
        batch_op.drop_index(batch_op.f("ix_tip_institution_id"))

    op.drop_table("tip")
    with op.batch_alter_table("plan_unserved", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_plan_unserved_plan_id"))
        batch_op.drop_index(batch_op.f("ix_plan_unserved_institution_id"))

    op.drop_table("plan_unserved")
    with op.batch_alter_table("plan_stop", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_plan_stop_shift_id"))
        batch_op.drop_index(batch_op.f("ix_plan_stop_plan_id"))
        batch_op.drop_index(batch_op.f("ix_plan_stop_institution_id"))

    op.drop_table("plan_stop")
    with op.batch_alter_table("plan_shift_member", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_plan_shift_member_shift_id"))
        batch_op.drop_index(batch_op.f("ix_plan_shift_member_officer_id"))

    op.drop_table("plan_shift_member")
    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_login_session_user_id"))

    op.drop_table("login_session")
    op.drop_table("user")
    with op.batch_alter_table("plan_shift", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_plan_shift_plan_id"))
        batch_op.drop_index(batch_op.f("ix_plan_shift_date"))

    op.drop_table("plan_shift")
    op.drop_table("officer_leave")
    with op.batch_alter_table("institution", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_institution_subdistrict"))
        batch_op.drop_index(batch_op.f("ix_institution_status"))
        batch_op.drop_index(batch_op.f("ix_institution_kind"))
        batch_op.drop_index(batch_op.f("ix_institution_identity_key"))
        batch_op.drop_index(batch_op.f("ix_institution_grid_id"))
        batch_op.drop_index(batch_op.f("ix_institution_grid_code"))

    op.drop_table("institution")
    op.drop_table("school_break")
    op.drop_table("school")
    with op.batch_alter_table("plan_revision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_plan_revision_status"))
        batch_op.drop_index(batch_op.f("ix_plan_revision_period_to"))
        batch_op.drop_index(batch_op.f("ix_plan_revision_period_from"))

    op.drop_table("plan_revision")
    op.drop_table("officer")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_status"))
        batch_op.drop_index(batch_op.f("ix_job_kind"))

    op.drop_table("job")
    with op.batch_alter_table("grid_area", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_grid_area_valid_to"))
        batch_op.drop_index(batch_op.f("ix_grid_area_subdistrict"))
        batch_op.drop_index(batch_op.f("ix_grid_area_minx_grid_area_maxx"))
        batch_op.drop_index(batch_op.f("ix_grid_area_code"))

    op.drop_table("grid_area")
    with op.batch_alter_table("gazetteer_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_gazetteer_entry_name_gazetteer_entry_address"))

    op.drop_table("gazetteer_entry")
    op.drop_table("district")
    op.drop_table("calendar_day")
    op.drop_table("audit_head")
    with op.batch_alter_table("audit_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_event_entity"))
        batch_op.drop_index(batch_op.f("ix_audit_event_actor"))

    op.drop_table("audit_event")
