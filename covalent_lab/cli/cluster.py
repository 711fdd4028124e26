"""`cluster`: the Dask cluster that comes with the server."""

from typing import Any

import click

from covalent_lab.cli.output import json_option, print_json, say, show_table

__all__ = ["cluster"]


@click.command()
@click.option("--status", "question", flag_value="status", default="status", help="Which workers run (the default).")
@click.option("--info", "question", flag_value="info", help="Host, process, threads and memory of each worker.")
@click.option("--address", "question", flag_value="address", help="Addresses of scheduler and workers.")
@click.option("--size", "question", flag_value="size", help="Number of workers.")
@click.option("--restart", "question", flag_value="restart", help="Start all workers anew.")
@click.option("--logs", "question", flag_value="logs", help="What the cluster wrote.")
@click.option("--scale", type=click.IntRange(0), metavar="N", help="Have N workers.")
@json_option
def cluster(*, question: str, scale: int | None, as_json: bool) -> None:
    """Look after the Dask cluster of the server."""
    from covalent_lab.client import cluster as client
    from covalent_lab.client.files import log_text

    if question == "logs":
        click.echo(log_text(client.log_path()), nl=False)
        return
    answer = client.ask("scale", workers=scale) if scale is not None else client.ask(question)
    if as_json:
        print_json(answer)
    elif scale is not None or question == "restart":
        say(f"The cluster has {answer} workers.")
    elif question == "size":
        click.echo(answer)
    else:
        _show(answer, "state" if question == "status" else question)


def _show(answer: dict[str, Any], heading: str) -> None:
    above = [f"{name}: {value}" for name, value in answer.items() if name != "workers"]
    rows = [
        (name, *(worker.values() if isinstance(worker, dict) else [worker]))
        for name, worker in answer["workers"].items()
    ]
    first = next(iter(answer["workers"].values()), "")
    show_table(("worker", *(first if isinstance(first, dict) else [heading])), rows, title=", ".join(above))
