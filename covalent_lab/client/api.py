"""What the package exports for running workflows."""

import copy
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Literal, ParamSpec, overload

from covalent_lab.client.bundle import write_bundle
from covalent_lab.client.connection import Connection, connect, reconnect
from covalent_lab.client.result import Result, Selection
from covalent_lab.client.status import Status
from covalent_lab.errors import ResultTimeoutError, ServerUnreachableError
from covalent_lab.workflow.lattice import Lattice

__all__ = ["cancel", "dispatch", "dispatch_sync", "get_result", "sync"]

P = ParamSpec("P")

_POLL_S = 20.0
_RECONNECT_S = 60.0
_PAGE = 500


def dispatch(
    orig_lattice: Lattice[P, Any], dispatcher_addr: str | None = None, *, disable_run: bool = False
) -> Callable[P, str]:
    """Prepare to run a workflow; call what is returned with the workflow's arguments.

    Args:
        orig_lattice: The workflow; it is left as it is.
        dispatcher_addr: `host:port` or URL of a Jupyter server; None to find the one that belongs here.
        disable_run: Only register the dispatch.

    Returns:
        A function that builds the graph, submits it and returns the dispatch id, without waiting for tasks.

    Raises:
        TypeError: It is not a lattice.

    Example:
        >>> import covalent_lab as ct
        >>> @ct.electron
        ... def double(x):
        ...     return 2 * x
        >>> @ct.lattice
        ... def workflow(x):
        ...     return double(x)
        >>> dispatch_id = ct.dispatch(workflow)(21)            # doctest: +SKIP
        >>> ct.get_result(dispatch_id, wait=True).result       # doctest: +SKIP
        42
    """
    if not isinstance(orig_lattice, Lattice):
        raise TypeError(f"dispatch() takes a lattice, not {type(orig_lattice).__name__}. Decorate it with @ct.lattice.")

    def submit(*args: P.args, **kwargs: P.kwargs) -> str:
        lattice = copy.deepcopy(orig_lattice)
        lattice.build_graph(*args, **kwargs)
        bundle = write_bundle(lattice, str(uuid.uuid4()))
        connection = connect(dispatcher_addr)
        try:
            return connection.submit(bundle, start=not disable_run)
        except ServerUnreachableError:
            # The id is in the bundle: submitting it again, e.g. to the server that took this one's place, is safe.
            return reconnect(connection, dispatcher_addr).submit(bundle, start=not disable_run)

    return submit


def dispatch_sync(lattice: Lattice[P, Any], dispatcher_addr: str | None = None) -> Callable[P, Result]:
    """Like `dispatch`, but the returned function waits for the end and returns the `Result`."""
    submit = dispatch(lattice, dispatcher_addr)

    def run(*args: P.args, **kwargs: P.kwargs) -> Result:
        return get_result(submit(*args, **kwargs), wait=True, dispatcher_addr=dispatcher_addr)

    return run


@overload
def get_result(
    dispatch_id: str,
    wait: bool = False,
    dispatcher_addr: str | None = None,
    status_only: Literal[False] = False,
    *,
    timeout: float | None = None,
    results_dir: str | None = None,
    workflow_output: bool = True,
    intermediate_outputs: bool = True,
    sublattice_results: bool = True,
) -> Result: ...


@overload
def get_result(
    dispatch_id: str,
    wait: bool = False,
    dispatcher_addr: str | None = None,
    *,
    status_only: Literal[True],
    timeout: float | None = None,
    results_dir: str | None = None,
    workflow_output: bool = True,
    intermediate_outputs: bool = True,
    sublattice_results: bool = True,
) -> dict[str, Any]: ...


def get_result(
    dispatch_id: str,
    wait: bool = False,
    dispatcher_addr: str | None = None,
    status_only: bool = False,
    *,
    timeout: float | None = None,
    results_dir: str | None = None,
    workflow_output: bool = True,
    intermediate_outputs: bool = True,
    sublattice_results: bool = True,
) -> Result | dict[str, Any]:
    """What came of a dispatch.

    Args:
        dispatch_id: Its id.
        wait: Block until it has ended; a restart of the server meanwhile is waited for.
        dispatcher_addr: `host:port` or URL of a Jupyter server; None to find the one that belongs here.
        status_only: Return `{"id", "status"}` instead of a `Result`.
        timeout: With `wait`: longest time to wait in seconds; None for no limit.
        results_dir: Folder for files of this dispatch.
        workflow_output: False leaves the workflow's value out.
        intermediate_outputs: False leaves nodes' values and streams out.
        sublattice_results: False leaves results of sub-dispatches out.

    Raises:
        MissingLatticeRecordError: The id is unknown.
        ResultTimeoutError: It did not end in time; it goes on.
        ServerUnreachableError: No dispatcher answers.
    """
    connection = connect(dispatcher_addr)
    if wait:
        connection, detail = _wait(connection, dispatch_id, dispatcher_addr, timeout)
    else:
        detail = connection.detail(dispatch_id)
    if status_only:
        return {"id": dispatch_id, "status": Status(detail["status"])}
    return Result(
        dispatch_id=dispatch_id,
        connection=connection,
        detail=detail,
        selection=Selection(
            workflow_output=workflow_output,
            intermediate_outputs=intermediate_outputs,
            sublattice_results=sublattice_results,
        ),
        results_dir=results_dir,
        dispatcher_addr=dispatcher_addr,
    )


def _wait(
    connection: Connection, dispatch_id: str, address: str | None, timeout: float | None
) -> tuple[Connection, dict[str, Any]]:
    until = None if timeout is None else time.monotonic() + timeout
    lost_at: float | None = None
    while True:
        left = _POLL_S if until is None else min(_POLL_S, until - time.monotonic())
        try:
            detail = connection.detail(dispatch_id, wait_s=max(0.0, left))
        except ServerUnreachableError:
            now = time.monotonic()
            lost_at = lost_at or now
            if now - lost_at > _RECONNECT_S or (until is not None and now > until):
                raise
            time.sleep(0.5)
            try:
                connection = reconnect(connection, address)
            except ServerUnreachableError:
                continue
        else:
            lost_at = None
            if Status.is_terminal(detail["status"]):
                return connection, detail
            if until is not None and time.monotonic() >= until:
                raise ResultTimeoutError(
                    f"Dispatch {dispatch_id} is {detail['status']} after {timeout:g} s; it goes on. "
                    "Ask again later, or allow more time."
                )


def cancel(dispatch_id: str, task_ids: int | Sequence[int] | None = None, dispatcher_addr: str | None = None) -> str:
    """Ask a dispatch, or some of its tasks, to stop; returns once the request is recorded.

    Args:
        dispatch_id: Its id.
        task_ids: Node ids of the tasks; None for the whole dispatch.
        dispatcher_addr: As for `dispatch`.

    Returns:
        A sentence that says what was asked for.

    Raises:
        MissingLatticeRecordError: The id is unknown.
    """
    ids = None if task_ids is None else [task_ids] if isinstance(task_ids, int) else list(task_ids)
    return connect(dispatcher_addr).cancel(dispatch_id, ids or None)


def sync(dispatch_id: str | Sequence[str] | None = None) -> None:
    """Wait until dispatches have ended, however they end.

    Args:
        dispatch_id: One id, or several; None for every dispatch of this store that is under way now. One that was only
            registered is not under way; named by its id, it is waited for until someone starts and ends it.

    Raises:
        MissingLatticeRecordError: An id is unknown.
        ServerUnreachableError: No dispatcher answers.
    """
    if dispatch_id is not None:
        for one in [dispatch_id] if isinstance(dispatch_id, str) else list(dispatch_id):
            get_result(one, wait=True, status_only=True)
        return
    newest = _under_way(direction="desc", count=1)
    if not newest:
        return
    # Always the first page: what has ended leaves the list, so that a second page would leave something out.
    while ids := [
        item["dispatch_id"]
        for item in _under_way(direction="asc", count=_PAGE)
        if item["created_at"] <= newest[0]["created_at"]
    ]:
        sync(ids)


def _under_way(**query: Any) -> list[dict[str, Any]]:
    page = connect().list_dispatches(status="STARTING,RUNNING", sort="created_at", **query)
    return list(page["items"])
