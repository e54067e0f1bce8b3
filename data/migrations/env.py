"""Alembic environment: runs on the connection that Store.upgrade hands over."""

from __future__ import annotations

from alembic import context

from data.schema import Base


def run() -> None:
    """Run the migrations on the given connection."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        user_module_prefix="schema.",
    )
    with context.begin_transaction():
        context.run_migrations()


run()
