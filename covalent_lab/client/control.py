"""`covalent_start` and `covalent_stop`: the command line's `start` and `stop` for programs and notebooks."""

from covalent_lab.client.connection import disconnect, is_covalent_running
from covalent_lab.errors import UsageError

__all__ = ["covalent_start", "covalent_stop", "triggers_mode"]


def covalent_start(
    develop: bool = False,
    port: int | None = None,
    mem_per_worker: str | None = None,
    workers: int | None = None,
    threads_per_worker: int | None = None,
    ignore_migrations: bool = False,
    no_cluster: bool = False,
    no_triggers: bool = False,
    triggers_only: bool = False,
    *,
    quiet: bool = False,
) -> None:
    """Start a server that outlives this process, and wait until it answers; nothing happens if a dispatcher answers.

    Inside JupyterLab there is one already: the Jupyter server's own. Choices are written to the configuration, except
    `develop` and `ignore_migrations`, so the next start repeats them.

    Args:
        develop: Log everything.
        port: Port of the server; the next free one is taken if it is in use. Default: `user_interface.port`.
        mem_per_worker: Memory of a worker of the Dask cluster, as `"2GiB"` or `"auto"`.
        workers: Number of its workers.
        threads_per_worker: Threads of each.
        ignore_migrations: Start on a database of an older version, which is then upgraded.
        no_cluster: Start no Dask cluster.
        no_triggers: Start no triggers.
        triggers_only: Start nothing but triggers.
        quiet: Print nothing.

    Raises:
        UsageError: `no_triggers` and `triggers_only` exclude each other, or no port is free.
        StoreError: The database is of an older version.
        BackendError: The server ended, or did not answer in time. Names its log file.

    Example:
        >>> import covalent_lab as ct
        >>> ct.covalent_start(port=48100, no_cluster=True)  # doctest: +SKIP
        covalent_lab has started at http://localhost:48100/.
    """
    from covalent_lab.client import launch  # urllib3, subprocesses: only who starts a server needs them

    triggers = triggers_mode(is_off=no_triggers, is_only=triggers_only)
    if is_covalent_running():
        _say("covalent_lab is running already.", quiet)
        return
    started = launch.start(
        launch.Choices(
            develop=develop,
            port=port,
            mem_per_worker=mem_per_worker,
            workers=workers,
            threads_per_worker=threads_per_worker,
            ignore_migrations=ignore_migrations,
            has_cluster=False if no_cluster else None,
            triggers=triggers,
        )
    )
    _say(f"covalent_lab has started at {started.url}.", quiet)


def covalent_stop(*, quiet: bool = False) -> None:
    """Stop the server that `covalent_start` or `covalent-lab start` started, and the dispatcher of this process.

    Unfinished dispatches go on with the next start. A dispatcher inside a Jupyter server ends with that server only.

    Args:
        quiet: Print nothing.

    Raises:
        ConfigError: The configuration cannot be used.
    """
    from covalent_lab.client import launch  # as above

    was_running = is_covalent_running()
    disconnect()
    if launch.stop():
        _say("covalent_lab has stopped.", quiet)
    elif is_covalent_running():
        _say("The dispatcher belongs to a Jupyter server and ends with it.", quiet)
    else:
        _say("covalent_lab has stopped." if was_running else "covalent_lab was not running.", quiet)


def triggers_mode(*, is_off: bool, is_only: bool, is_on: bool = False) -> str | None:
    """Value of `dispatcher.triggers` for what was asked; None if nothing was.

    Raises:
        UsageError: More than one was asked for.
    """
    asked = [word for word, is_asked in (("off", is_off), ("only", is_only), ("on", is_on)) if is_asked]
    if len(asked) > 1:
        raise UsageError("no_triggers and triggers_only exclude each other; give one of them.")
    return asked[0] if asked else None


def _say(text: str, quiet: bool) -> None:
    if not quiet:
        print(text)  # noqa: T201 - what the documented function does
