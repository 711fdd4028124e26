"""The command `covalent-lab`: its parts, and what belongs to none of them."""

import click

from covalent_lab._version import __version__
from covalent_lab.cli.cached import cache
from covalent_lab.cli.cluster import cluster
from covalent_lab.cli.database import db, migrate, migrate_pickled_result_object
from covalent_lab.cli.dispatches import cancel, list_dispatches, redispatch, result, show
from covalent_lab.cli.executors import executors
from covalent_lab.cli.exporting import compare, export
from covalent_lab.cli.folders import config, logs, purge
from covalent_lab.cli.notebooks import run
from covalent_lab.cli.output import LabGroup
from covalent_lab.cli.server import restart, start, status, stop

__all__ = ["main"]

_PROGRAM = "covalent-lab"
_VARIABLE = "_COVALENT_LAB_COMPLETE"


@click.group(cls=LabGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-v", "--version", prog_name=_PROGRAM)
def _commands() -> None:
    """Run workflows without JupyterLab, and look at what ran."""


@_commands.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def _completion(shell: str) -> None:
    """Print what makes a shell complete this command: eval "$(covalent-lab completion bash)"."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(_commands, {}, _PROGRAM, _VARIABLE).source())


for _command in (
    start, stop, restart, status, cluster, executors, run,
    list_dispatches, show, result, cancel, redispatch, export, compare, cache,
    config, logs, purge, db, migrate, migrate_pickled_result_object,
):  # fmt: skip
    _commands.add_command(_command)


def main() -> None:
    """Run the command line of this process."""
    _commands(prog_name=_PROGRAM, complete_var=_VARIABLE)
