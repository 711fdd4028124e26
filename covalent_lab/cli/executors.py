"""`executors list`, `executors check` and `executors test`."""

from collections.abc import Mapping
from typing import Any

import click

from covalent_lab.cli.dispatches import address_option, connection_to
from covalent_lab.cli.output import json_option, print_json, show_fields, show_table

__all__ = ["executors"]

_WAIT_S = 300.0


@click.group(invoke_without_command=True)
@click.pass_context
def executors(context: click.Context) -> None:
    """See where tasks can run; without a sub-command, list the executors."""
    if context.invoked_subcommand is None:
        context.invoke(_list, address=None, as_json=False)


@executors.command("list")
@address_option
@json_option
def _list(*, address: str | None, as_json: bool) -> None:
    """List executors, and how many tasks they have."""
    from covalent_lab.client.executors import EXECUTOR_COLUMNS, executor_rows

    items = connection_to(address).executors()
    if as_json:
        print_json(items)
    else:
        show_table(EXECUTOR_COLUMNS, executor_rows(items))


@executors.command("check")
@click.argument("name")
@address_option
@json_option
def _check(*, name: str, address: str | None, as_json: bool) -> None:
    """Ask an executor how it is: connect, and tell what is at the other end. Exit code 1 if it cannot be used."""
    from covalent_lab.client.executors import health_facts

    health = connection_to(address).executor_health(name)
    _tell(name, health, health_facts(health), is_good=health["is_usable"], as_json=as_json)


@executors.command("test")
@click.argument("name")
@click.option("--wait", "wait_s", default=60.0, show_default=True, type=click.FloatRange(0, _WAIT_S), help="Seconds.")
@address_option
@json_option
def _test(*, name: str, wait_s: float, address: str | None, as_json: bool) -> None:
    """Run a small task on an executor, and tell where it ran. Exit code 1 if it did not run."""
    from covalent_lab.client.executors import test_facts

    test = connection_to(address).test_executor(name, wait_s)
    _tell(name, test, test_facts(test), is_good=test["is_passed"], as_json=as_json)


def _tell(name: str, answer: Mapping[str, Any], facts: Mapping[str, str], *, is_good: bool, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        show_fields(name, facts)
    if not is_good:
        raise click.exceptions.Exit(1)
