"""`db migrate`, `db alembic`, `migrate` and `migrate-pickled-result-object`."""

from pathlib import Path

import click

from covalent_lab.cli.output import LabGroup, say

__all__ = ["db", "migrate", "migrate_pickled_result_object"]


@click.group(cls=LabGroup)
def db() -> None:
    """Look after the database of records."""


@click.command()
def migrate() -> None:
    """Bring the database to the schema of this version."""
    from covalent_lab.settings import Settings
    from covalent_lab.store.upgrade import migrate as run

    before, after = run(Settings.load().database)
    say(f"The database is up to date ({after})." if before == after else f"The database went from {before} to {after}.")


@click.command(
    "alembic",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def _alembic(arguments: tuple[str, ...]) -> None:
    """Run Alembic on the database: covalent-lab db alembic history."""
    from covalent_lab.settings import Settings
    from covalent_lab.store.upgrade import run_alembic

    run_alembic(Settings.load().database, arguments)


@click.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def migrate_pickled_result_object(path: Path) -> None:
    """Take a result that Covalent pickled into the records, and print its dispatch id.

    Pickles are programs: name only files that you trust.
    """
    from covalent_lab.client.oldresults import import_result

    click.echo(import_result(path))


db.add_command(migrate)
db.add_command(_alembic)
