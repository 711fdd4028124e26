"""Bring a database to the schema of this version, through Alembic, only where it is not there already."""

from pathlib import Path

import sqlalchemy as sa  # noqa: TID253 - the store is where SQLAlchemy lives
from sqlalchemy.engine import URL  # noqa: TID253

from covalent_lab.errors import StoreError
from covalent_lab.store import schema

__all__ = ["current_revision", "upgrade"]

_MIGRATIONS = Path(__file__).parent / "migrations"


def current_revision(connection: sa.Connection) -> str | None:
    """Revision recorded in a database, None if it is empty."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("select version_num from alembic_version")).scalar_one_or_none()


def upgrade(url: URL) -> None:
    """Run the migrations that are missing.

    Raises:
        StoreError: The database is of a newer version of this package, or not of this package at all.
    """
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            revision = current_revision(connection)
            foreign = revision is None and sa.inspect(connection).get_table_names()
        if revision == schema.HEAD:
            return
        if foreign:
            raise StoreError(f"{url.database} holds tables of another program. Set COVALENT_DATABASE to another file.")
        _run_migrations(engine, url)
    finally:
        engine.dispose()


def _run_migrations(engine: sa.Engine, url: URL) -> None:
    # Alembic takes 0.1 s to import, which is wasted when nothing has to be migrated.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # Two processes may start at once: the second one waits here, then finds nothing left to do.
            connection.exec_driver_sql("PRAGMA busy_timeout=30000")
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        revision = current_revision(connection)
        if revision == schema.HEAD:
            return
        if revision is not None and revision not in known:
            raise StoreError(
                f"{url.database} was written by a newer version of covalent-lab (schema {revision}). "
                "Upgrade the package."
            )
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(f"{url.database} cannot be migrated: {error}.") from error
        connection.commit()
