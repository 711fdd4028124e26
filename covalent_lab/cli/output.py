"""How commands show what they found: tables for people, JSON for programs, one line for errors."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from covalent_lab.errors import LabError

__all__ = ["LabGroup", "json_option", "moment", "print_json", "say", "show_fields", "show_table"]

_WIDTH = 160
_COLOURS = {
    "COMPLETED": "green",
    "FAILED": "red",
    "POSTPROCESSING_FAILED": "red",
    "CANCELLED": "yellow",
    "RUNNING": "cyan",
    "running": "green",
    "stopped": "red",
}

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class LabGroup(click.Group):
    """Commands whose errors become one line on standard error and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # whoever read this has had enough; click ends quietly
        except (LabError, OSError) as error:
            raise click.ClickException(" ".join(str(error).split())) from error


def say(text: str) -> None:
    """Tell the user something that is no data."""
    click.echo(text, err=True)


def print_json(value: Any) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def show_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str = "") -> None:
    """Print a table; statuses are coloured on a terminal.

    Args:
        columns: Headings.
        rows: Cells; None shows as a dash.
        title: Shown above it.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left")
    for number, name in enumerate(columns):
        table.add_column(name, no_wrap=number == 0, overflow="fold")
    for row in rows:
        cells = ["–" if cell is None or cell == "" else str(cell) for cell in row]
        table.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in cells))
    _console().print(table)


def show_fields(title: str, fields: Mapping[str, Any]) -> None:
    """Print names and values in a panel."""
    from rich.panel import Panel
    from rich.text import Text

    width = max((len(name) for name in fields), default=0)
    lines = [f"{name:{width}}  {'–' if value is None or value == '' else value}" for name, value in fields.items()]
    _console().print(Panel(Text("\n".join(lines)), title=title, title_align="left", expand=False))


def moment(seconds: float | None) -> str | None:
    """A time as the reader's clock shows it; None where there is none."""
    return None if seconds is None else datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _console() -> Any:
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _WIDTH, highlight=False)
