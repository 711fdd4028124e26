"""`start`, `stop`, `restart`, `status`."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

import click

from covalent_lab.cli.output import json_option, print_json, say, show_table

__all__ = ["restart", "start", "status", "stop"]

_F = TypeVar("_F", bound=Callable[..., Any])


def _shared(command: _F) -> _F:
    """Options of `start` and `restart`."""
    for option in (
        click.option("--with-cluster", is_flag=True, help="Start the Dask cluster (as does sdk.no_cluster = false)."),
        click.option("--no-cluster", is_flag=True, help="Start no Dask cluster."),
        click.option("-p", "--port", type=click.IntRange(0, 65535), help="Port; the next free one if it is taken."),
        click.option("-d", "--develop", is_flag=True, help="Log everything."),
    ):
        command = option(command)
    return command


@click.command()
@_shared
@click.option("-m", "--mem-per-worker", metavar="TEXT", help="Memory of a Dask worker, as 2GiB, or auto.")
@click.option("-n", "--workers", type=click.IntRange(0), help="Number of Dask workers.")
@click.option("-t", "--threads-per-worker", type=click.IntRange(1), help="Threads of each.")
@click.option(
    "--ignore-migrations", is_flag=True, help="Upgrade a database of an older version instead of refusing it."
)
@click.option("--no-triggers", is_flag=True, help="Start no triggers.")
@click.option("--triggers-only", is_flag=True, help="Start nothing but triggers.")
@click.option("--with-triggers", is_flag=True, help="Start triggers as well (after a start without them).")
@click.option("--no-header", is_flag=True, hidden=True)
@click.option("--no-footer", is_flag=True, hidden=True)
def start(
    *,
    develop: bool,
    port: int | None,
    no_cluster: bool,
    with_cluster: bool,
    mem_per_worker: str | None,
    workers: int | None,
    threads_per_worker: int | None,
    ignore_migrations: bool,
    no_triggers: bool,
    triggers_only: bool,
    with_triggers: bool,
    no_header: bool,
    no_footer: bool,
) -> None:
    """Start the server in the background, and print its address.

    What is chosen here (except --develop and --ignore-migrations) is written to the configuration and holds for later
    starts.
    """
    from covalent_lab.client.control import triggers_mode
    from covalent_lab.client.launch import Choices

    if no_triggers + triggers_only + with_triggers > 1:
        raise click.UsageError("--no-triggers, --triggers-only and --with-triggers exclude each other.")
    _start(
        Choices(
            develop=develop,
            port=port,
            mem_per_worker=mem_per_worker,
            workers=workers,
            threads_per_worker=threads_per_worker,
            ignore_migrations=ignore_migrations,
            has_cluster=_cluster_choice(no_cluster, with_cluster),
            triggers=triggers_mode(is_off=no_triggers, is_only=triggers_only, is_on=with_triggers),
        )
    )


@click.command()
def stop() -> None:
    """Stop the server and its Dask cluster; unfinished dispatches go on with the next start."""
    from covalent_lab.client import launch

    say("covalent_lab has stopped." if launch.stop() else "covalent_lab was not running.")


@click.command()
@_shared
def restart(*, develop: bool, port: int | None, no_cluster: bool, with_cluster: bool) -> None:
    """Stop the server and start it again, as it was unless told otherwise."""
    from covalent_lab.client import launch

    choices = launch.Choices(develop=develop, port=port, has_cluster=_cluster_choice(no_cluster, with_cluster))
    launch.stop()
    _start(choices)


@click.command()
@json_option
def status(*, as_json: bool) -> None:
    """Show what runs, where, and how the database is."""
    from covalent_lab.client.survey import survey

    parts = survey()
    if as_json:
        print_json([asdict(part) for part in parts])
    else:
        show_table(("Component", "State", "Address", "PID"), [(p.name, p.state, p.address, p.pid) for p in parts])


def _cluster_choice(no_cluster: bool, with_cluster: bool) -> bool | None:
    if no_cluster and with_cluster:
        raise click.UsageError("--no-cluster and --with-cluster exclude each other.")
    return with_cluster if no_cluster or with_cluster else None


def _start(choices: Any) -> None:
    from covalent_lab.client import launch

    started = launch.start(choices)
    word = "is running already at" if started.was_running else "has started at"
    click.echo(f"covalent_lab {word} {started.url}")
