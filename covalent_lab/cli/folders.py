"""`config`, `logs`, `purge`: the files of this package."""

from typing import Any

import click

from covalent_lab.cli.output import json_option, print_json, say, show_fields, show_table

__all__ = ["config", "logs", "purge"]


@click.command()
@json_option
def config(*, as_json: bool) -> None:
    """Show what is configured; passwords and the like are hidden."""
    from covalent_lab.client.files import shown_config

    sections = shown_config()
    if as_json:
        print_json(sections)
        return
    for section, values in sections.items():
        show_fields(section, dict(_lines("", values)) if isinstance(values, dict) else {section: values})


def _lines(above: str, values: dict[str, Any]) -> list[tuple[str, Any]]:
    lines = []
    for name, value in values.items():
        lines += _lines(f"{above}{name}.", value) if isinstance(value, dict) else [(f"{above}{name}", value)]
    return lines


@click.command()
def logs() -> None:
    """Print the log of the server."""
    from covalent_lab.client.files import log_text
    from covalent_lab.config.serverfiles import ServerFiles

    click.echo(log_text(ServerFiles.load().log), nl=False)


@click.command()
@click.option("-H", "--hard", is_flag=True, help="Also the database and all results.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--hell-yeah", is_flag=True, hidden=True)
def purge(*, hard: bool, yes: bool, hell_yeah: bool) -> None:
    """Stop the server and delete logs, caches and configuration, with --hard the records as well.

    Nothing outside of this package's own folders is deleted.
    """
    from covalent_lab.client import files, launch

    purge_plan = files.plan_purge(is_hard=hard)
    if not purge_plan.delete:
        say("There is nothing to delete.")
    else:
        show_table(("To delete",), [(path,) for path in purge_plan.delete])
    for path in purge_plan.leave:
        say(f"{path} is not in a folder of covalent_lab and is left as it is.")
    if not purge_plan.delete or not (yes or hell_yeah or click.confirm("Delete all of this?", default=False, err=True)):
        return
    launch.stop()
    files.delete(purge_plan)
    say("Deleted.")
