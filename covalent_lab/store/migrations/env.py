"""Alembic's entry point; the connection is handed over by `upgrade.py`."""

from alembic import context  # noqa: TID253 - only Alembic loads this file

from covalent_lab.store import schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.metadata,
    transactional_ddl=False,
)
context.run_migrations()
