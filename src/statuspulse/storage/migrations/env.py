"""Runs the migrations on the connection and in the transaction of the caller; alembic loads this file."""

from __future__ import annotations

from alembic import context

from statuspulse.storage.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
