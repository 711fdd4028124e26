"""Bring a database to the schema of this version, through Alembic, only where it is not there already."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa  # noqa: TID253 - the store is where SQLAlchemy lives
from sqlalchemy.engine import URL, make_url  # noqa: TID253

from covalent_lab.errors import StoreError
from covalent_lab.store import schema

__all__ = ["current_revision", "is_outdated", "migrate", "revision_of", "run_alembic", "shown", "upgrade"]

_LOCKED_S = 30
_MIGRATIONS = Path(__file__).parent / "migrations"


def current_revision(connection: sa.Connection) -> str | None:
    """Revision recorded in a database, None if it is empty."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("select version_num from alembic_version")).scalar_one_or_none()


def revision_of(database: str) -> str | None:
    """Revision of a database, None if it does not exist yet or is empty; makes nothing.

    Args:
        database: SQLAlchemy URL.

    Raises:
        StoreError: It cannot be read.
    """
    url = _parsed(database)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return None
    with _connection(url) as connection:
        return current_revision(connection)


def is_outdated(database: str) -> bool:
    """Whether a database has tables of an older version of this package.

    Raises:
        StoreError: It cannot be read, or is of a newer version.
    """
    revision = revision_of(database)
    if revision in (None, schema.HEAD):
        return False
    _check_known(str(revision), shown(database))
    return True


def migrate(database: str) -> tuple[str | None, str]:
    """Bring a database to this version's schema, making it if it does not exist; its revisions before and after.

    Args:
        database: SQLAlchemy URL.

    Raises:
        StoreError: It cannot be used, is of a newer version, or not of this package at all.
    """
    before, url = revision_of(database), _parsed(database)
    _make_folder(url)
    upgrade(url)
    return before, schema.HEAD


def shown(database: str) -> str:
    """The address of a database without its password.

    Raises:
        StoreError: It is none.
    """
    return _parsed(database).render_as_string(hide_password=True)


def run_alembic(database: str, arguments: Sequence[str]) -> None:
    """Run Alembic's own command line on a database.

    Args:
        database: SQLAlchemy URL.
        arguments: As on Alembic's command line, e.g. `["history"]`.

    Raises:
        StoreError: The database cannot be used, or Alembic refuses.
        SystemExit: Alembic does not understand the arguments.
    """
    from alembic.config import CommandLine
    from alembic.util import CommandError

    line = CommandLine(prog="covalent-lab db alembic")
    options = line.parser.parse_args(list(arguments))
    if not hasattr(options, "cmd"):
        line.parser.error("too few arguments")
    options.raiseerr = True
    url = _parsed(database)
    _make_folder(url)
    with _connection(url) as connection:
        config = _config(options)
        config.attributes["connection"] = connection
        try:
            line.run_cmd(config, options)
        except CommandError as error:
            raise StoreError(f"Alembic: {error}") from error
        connection.commit()


def upgrade(url: URL) -> None:
    """Run the migrations that are missing.

    Raises:
        StoreError: The database is of a newer version of this package, or not of this package at all.
    """
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            revision = _own_revision(connection, url)
        if revision != schema.HEAD:
            _run_migrations(engine, url)
    finally:
        engine.dispose()


def _run_migrations(engine: sa.Engine, url: URL) -> None:
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # Two processes may start at once: the second one waits here, then finds nothing left to do.
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_LOCKED_S * 1000}")
            _use_wal(connection)
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        revision = _own_revision(connection, url)
        if revision == schema.HEAD:
            return
        if revision is None:
            _make_tables(connection)
            return
        _check_known(revision, str(url.database))
        # Alembic takes 0.1 s to import, which only old databases are worth.
        from alembic import command
        from alembic.util import CommandError

        config = _config()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(f"{url.database} cannot be migrated: {error}.") from error
        connection.commit()


def _make_tables(connection: sa.Connection) -> None:
    """Make this version's tables at once, as all migrations together would (a test compares them)."""
    schema.metadata.create_all(connection)
    connection.execute(schema.sequence.insert().values(name="transition", value=0))
    connection.exec_driver_sql("create table alembic_version (version_num varchar(32) not null primary key)")
    connection.execute(sa.text("insert into alembic_version values (:head)"), {"head": schema.HEAD})
    connection.commit()


def _own_revision(connection: sa.Connection, url: URL) -> str | None:
    """Like `current_revision`, but one look at the tables: another process may be making them."""
    tables = sa.inspect(connection).get_table_names()
    if tables and "alembic_version" not in tables:
        raise StoreError(f"{url.database} holds tables of another program. Set COVALENT_DATABASE to another file.")
    return current_revision(connection) if tables else None


def _use_wal(connection: sa.Connection) -> None:
    """Switch to a write-ahead log; SQLite refuses that while others read, so it is tried until they are done."""
    until = time.monotonic() + _LOCKED_S
    while True:
        try:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        except sa.exc.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def _check_known(revision: str, place: str) -> None:
    from alembic.script import ScriptDirectory

    if revision not in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}:
        raise StoreError(
            f"{place} was written by a newer version of covalent-lab (schema {revision}). Upgrade the package."
        )


def _config(options: Any = None) -> Any:
    from alembic.config import Config

    config = Config(cmd_opts=options)
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def _make_folder(url: URL) -> None:
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)


def _parsed(database: str) -> URL:
    try:
        return make_url(database)
    except sa.exc.ArgumentError as error:
        raise StoreError(f"{database!r} is no address of a database; correct COVALENT_DATABASE_URL.") from error


@contextlib.contextmanager
def _connection(url: URL) -> Iterator[sa.Connection]:
    name = url.render_as_string(hide_password=True)
    try:
        engine = sa.create_engine(url)
    except ModuleNotFoundError as error:
        raise StoreError(f"{name} needs the Python package {error.name}. Install it.") from error
    try:
        with engine.connect() as connection:
            yield connection
    except sa.exc.SQLAlchemyError as error:
        raise StoreError(f"{name} cannot be used: {getattr(error, 'orig', None) or error}.") from error
    finally:
        engine.dispose()
