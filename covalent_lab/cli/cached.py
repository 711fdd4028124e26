"""`cache list` and `cache purge`: results that equal calls take over."""

import click

from covalent_lab.cli.dispatches import address_option
from covalent_lab.cli.output import json_option, moment, print_json, say, show_table

__all__ = ["cache"]

_DAY_S = 86_400.0


@click.group()
def cache() -> None:
    """Results of tasks with cache=True, which equal calls take over."""


@cache.command("list")
@click.option("--search", default="", help="Part of a task's name.")
@address_option
@json_option
def _list(*, search: str, address: str | None, as_json: bool) -> None:
    """List them, last used first."""
    from covalent_lab.client.cached import get_cached_results

    found = get_cached_results(search, address)
    if as_json:
        print_json(found)
        return
    rows = [
        (item["key"][:12], item["name"], item["dispatch_id"], item["node_id"], item["size"], item["hits"],
         moment(item["used_at"]))
        for item in found
    ]  # fmt: skip
    show_table(("Key", "Task", "Computed by", "Node", "Bytes", "Taken over", "Last used"), rows)


@cache.command("purge")
@click.option("--search", default="", help="Only those of tasks with this in their name.")
@click.option("--unused-days", type=click.FloatRange(0), help="Only those not used for so many days.")
@address_option
def _purge(*, search: str, unused_days: float | None, address: str | None) -> None:
    """Forget them; dispatches keep what they computed or took over."""
    from covalent_lab.client.cached import get_cached_results, purge_cached_results

    keys = [item["key"] for item in get_cached_results(search, address)] if search else None
    number = purge_cached_results(keys, None if unused_days is None else unused_days * _DAY_S, address)
    say(f"{number} cached {'result' if number == 1 else 'results'} forgotten.")
