"""How Alembic meets the database: one transaction, under an advisory lock.

The metadata to compare with is handed in by whoever compares (`attributes["metadata"]`), since the
database room knows none of the rooms above it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

# Two processes that migrate at once wait for each other instead of failing half-way.
_MIGRATION_LOCK = 4_271_906


def run() -> None:
    """Run the migrations online; there is no offline mode."""
    engine = sa.create_engine(context.config.attributes["url"], poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        context.configure(
            connection=connection,
            target_metadata=context.config.attributes.get("metadata"),
            compare_type=True,
        )
        context.run_migrations()
    engine.dispose()


run()
