"""`export` and `compare`: a dispatch as a file, and two of them side by side."""

from pathlib import Path
from typing import Any

import click

from covalent_lab.cli.dispatches import address_option, reachable
from covalent_lab.cli.output import json_option, print_json, say, show_table

__all__ = ["compare", "export"]


@click.command()
@click.argument("dispatch_id")
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path),
    help="The file; its suffix chooses the format: .svg, .png, .mmd, .dot, .py or .html.",
)  # fmt: skip
@address_option
def export(*, dispatch_id: str, output: Path, address: str | None) -> None:
    """Write a dispatch into a file: a picture, a diagram, a script, or a page with all there is to tell."""
    from covalent_lab.client.exporting import export as write

    reachable(address)
    say(f"Wrote {write(dispatch_id, output, dispatcher_addr=address)}.")


@click.command()
@click.argument("left")
@click.argument("right")
@click.option("-a", "--all", "shows_all", is_flag=True, help="List tasks without differences, too.")
@address_option
@json_option
def compare(*, left: str, right: str, shows_all: bool, address: str | None, as_json: bool) -> None:
    """Compare two dispatches task by task."""
    from covalent_lab.client.exporting import compare as ask
    from covalent_lab.exports.comparison import comparison_lines

    reachable(address)
    found: dict[str, Any] = ask(left, right, dispatcher_addr=address)
    if as_json:
        print_json(found)
        return
    heading, rows = comparison_lines(found, shows_all=shows_all)
    click.echo("\n".join(heading))
    if rows:
        show_table(("Task", left[:8], right[:8], "Time", "Time", "Differs in"), rows)
