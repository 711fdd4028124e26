"""`run`: a notebook as a workflow."""

import ast
import json
from pathlib import Path
from typing import Any

import click

from covalent_lab.cli.output import json_option, print_json, say
from covalent_lab.errors import ServerUnreachableError, TaskError

__all__ = ["run"]


@click.command()
@click.argument("notebook", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "-p", "--parameter", "parameters", metavar="NAME=VALUE", multiple=True, help="Assign this value; may be repeated."
)
@click.option("-e", "--executor", default="", help="Where cells run that do not say it themselves.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the executed copy goes; default: NOTEBOOK.executed.ipynb.",
)
@json_option
def run(*, notebook: Path, parameters: tuple[str, ...], executor: str, output: Path | None, as_json: bool) -> None:
    """Run a notebook as a workflow, and save a copy with what came of it below its cells.

    Cells that begin with %%covalent task become the tasks; if there are none, all cells that compute do. A value of a
    parameter is read as JSON or as a Python literal, else as text. Prints the id of the dispatch. Starts the server if
    none runs.
    """
    from covalent_lab.notebook.headless import run_notebook

    values = dict(_parameter(text) for text in parameters)
    _ensure_server()
    done = run_notebook(notebook, parameters=values, executor=executor, output=output)
    if as_json:
        print_json({"dispatch_ids": done.dispatch_ids, "output": str(done.output), "error": done.error})
    else:
        for dispatch_id in done.dispatch_ids:
            click.echo(dispatch_id)
    say(f"Executed copy: {done.output}")
    if done.error:
        raise TaskError(f"{notebook} failed: {done.error}")


def _ensure_server() -> None:
    from covalent_lab.client import launch
    from covalent_lab.client.discovery import discover
    from covalent_lab.settings import Settings

    try:
        discover(Settings.load(), None, may_start=False).close()
    except ServerUnreachableError:
        if Settings.load().address:
            raise  # it was chosen
        say(f"Started the server at {launch.start(launch.Choices()).url}; covalent-lab stop ends it.")


def _parameter(text: str) -> tuple[str, Any]:
    name, is_assigned, value = text.partition("=")
    if not is_assigned or not name.isidentifier():
        raise click.BadParameter(f"{text!r} is not of the form NAME=VALUE.", param_hint="--parameter")
    for read in (json.loads, ast.literal_eval):
        try:
            return name, read(value)
        except (ValueError, SyntaxError):
            continue
    return name, value
