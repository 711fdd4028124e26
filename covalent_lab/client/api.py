"""What the package exports for running workflows."""

import copy
import operator
import uuid
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, Literal, ParamSpec, Self, TypedDict, Unpack, overload

from covalent_lab.client.connection import connect, with_connection
from covalent_lab.client.result import Result, Selection
from covalent_lab.client.serving import serve_for
from covalent_lab.client.status import Status
from covalent_lab.client.waiting import Waiting, beside, wait_beside, wait_here
from covalent_lab.worker import Buffer
from covalent_lab.workflow.bundle import write_bundle
from covalent_lab.workflow.lattice import Lattice

__all__ = [
    "AwaitableId",
    "ResultOptions",
    "cancel",
    "dispatch",
    "dispatch_sync",
    "get_result",
    "get_result_async",
    "sync",
]

P = ParamSpec("P")

_PAGE = 500


class AwaitableId(str):
    """The id of a dispatch: text like any other, and `await` waits for the end and gives the `Result`.

    As the last value of a notebook's cell it shows as a card that stays live.

    Copies and pickles of it are plain text.

    Args:
        text: The id.
        dispatcher_addr: As for `dispatch`.
    """

    __slots__ = ("_address",)

    _address: str | None

    def __new__(cls, text: str, dispatcher_addr: str | None = None) -> Self:
        made = super().__new__(cls, text)
        made._address = dispatcher_addr
        return made

    def __await__(self) -> Generator[Any, Any, Result]:
        return get_result_async(self, dispatcher_addr=self._address).__await__()

    def _repr_mimebundle_(self, **_: Any) -> Any:
        from covalent_lab.notebook.cards import id_forms  # only a notebook asks for this form

        return id_forms(str(self)) if self._address is None else {}

    def __reduce__(self) -> tuple[Any, ...]:
        return (str, (str(self),))


class ResultOptions(TypedDict, total=False):
    """The arguments of `get_result` that `get_result_async` takes as well."""

    dispatcher_addr: str | None
    timeout: float | None
    progress: bool | None
    results_dir: str | None
    workflow_output: bool
    intermediate_outputs: bool
    sublattice_results: bool


def dispatch(
    orig_lattice: Lattice[P, Any], dispatcher_addr: str | None = None, *, disable_run: bool = False
) -> Callable[P, AwaitableId]:
    """Prepare to run a workflow; call what is returned with the workflow's arguments.

    Args:
        orig_lattice: The workflow; it is left as it is.
        dispatcher_addr: `host:port` or URL of a Jupyter server; None to find the one that belongs here.
        disable_run: Only register the dispatch.

    Returns:
        A function that builds the graph, submits it and returns the dispatch id, without waiting for tasks. In a
        notebook, `await` it to wait for the `Result`.

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
    build = _builder(orig_lattice, dispatcher_addr)

    def submit(*args: P.args, **kwargs: P.kwargs) -> AwaitableId:
        dispatch_id, bundle = build(*args, **kwargs)
        # The id is in the bundle, so submitting it again is safe.
        with_connection(dispatcher_addr, lambda connection: connection.submit(bundle, start=not disable_run))
        return AwaitableId(dispatch_id, dispatcher_addr)

    return submit


def dispatch_sync(lattice: Lattice[P, Any], dispatcher_addr: str | None = None) -> Callable[P, Result]:
    """Like `dispatch`, but the returned function waits for the end and returns the `Result`.

    A short workflow is submitted and answered in one request.
    """
    build = _builder(lattice, dispatcher_addr)

    def run(*args: P.args, **kwargs: P.kwargs) -> Result:
        dispatch_id, bundle = build(*args, **kwargs)
        waiting = Waiting(dispatch_id, dispatcher_addr, bundle=bundle)
        wait_here(waiting, None)
        return _result(waiting, ResultOptions(dispatcher_addr=dispatcher_addr))

    return run


def _builder(orig_lattice: Lattice[P, Any], dispatcher_addr: str | None) -> Callable[P, tuple[str, Sequence[Buffer]]]:
    """What makes an id and a bundle of a call, and serves its tasks for kernels; the lattice is left as it is."""
    if not isinstance(orig_lattice, Lattice):
        raise TypeError(f"dispatch() takes a lattice, not {type(orig_lattice).__name__}. Decorate it with @ct.lattice.")

    def build(*args: P.args, **kwargs: P.kwargs) -> tuple[str, Sequence[Buffer]]:
        lattice = copy.deepcopy(orig_lattice)
        lattice.build_graph(*args, **kwargs)
        serve_for(lattice.graph, dispatcher_addr)
        dispatch_id = str(uuid.uuid4())
        return dispatch_id, write_bundle(lattice, dispatch_id)

    return build


@overload
def get_result(
    dispatch_id: str,
    wait: bool = False,
    dispatcher_addr: str | None = None,
    status_only: Literal[False] = False,
    *,
    timeout: float | None = None,
    progress: bool | None = None,
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
    progress: bool | None = None,
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
    progress: bool | None = None,
    results_dir: str | None = None,
    workflow_output: bool = True,
    intermediate_outputs: bool = True,
    sublattice_results: bool = True,
) -> Result | dict[str, Any]:
    """What came of a dispatch.

    Args:
        dispatch_id: Its id.
        wait: Block until it has ended; a restart of the server meanwhile is waited for. An interrupt ends the waiting,
            and not the dispatch.
        dispatcher_addr: `host:port` or URL of a Jupyter server; None to find the one that belongs here.
        status_only: Return `{"id", "status"}` instead of a `Result`.
        timeout: With `wait`: longest time to wait in seconds; None for no limit.
        progress: With `wait`: show a bar once waiting has taken a second; None to do so in notebooks and terminals,
            unless `sdk.progress` is false.
        results_dir: Folder for files of this dispatch.
        workflow_output: False leaves the workflow's value out.
        intermediate_outputs: False leaves nodes' values and streams out.
        sublattice_results: False leaves results of sub-dispatches out.

    Raises:
        MissingLatticeRecordError: The id is unknown.
        ResultTimeoutError: It did not end in time; it goes on.
        ServerUnreachableError: No dispatcher answers.
    """
    waiting = Waiting(dispatch_id, dispatcher_addr, timeout)
    if wait:
        wait_here(waiting, progress)
    else:
        waiting.ask()
    if status_only:
        return {"id": waiting.dispatch_id, "status": Status(waiting.detail["status"])}
    options = ResultOptions(
        dispatcher_addr=dispatcher_addr,
        results_dir=results_dir,
        workflow_output=workflow_output,
        intermediate_outputs=intermediate_outputs,
        sublattice_results=sublattice_results,
    )
    return _result(waiting, options)


async def get_result_async(dispatch_id: str, wait: bool = True, **options: Unpack[ResultOptions]) -> Result:
    """Like `get_result`, for notebooks and programs with an event loop: the loop goes on while this waits.

    `await ct.dispatch(workflow)(…)` is a short form of it.

    Args:
        dispatch_id: Its id.
        wait: Wait until it has ended.
        options: As for `get_result`.

    Raises:
        CancelledError: The task that waits was cancelled, e.g. by interrupting the cell; the dispatch goes on.
        Exception: As `get_result` does.

    Example:
        >>> import covalent_lab as ct
        >>> result = await ct.get_result_async(dispatch_id, timeout=60)      # doctest: +SKIP
        >>> one, two = await asyncio.gather(ct.dispatch(f)(1), ct.dispatch(f)(2))  # doctest: +SKIP
    """
    waiting = Waiting(dispatch_id, options.get("dispatcher_addr"), options.get("timeout"))
    if wait:
        await wait_beside(waiting, options.get("progress"))
    else:
        await beside(waiting.ask)
    return _result(waiting, options)


def _result(waiting: Waiting, options: ResultOptions) -> Result:
    return Result(
        dispatch_id=waiting.dispatch_id,
        connection=waiting.connection,
        detail=waiting.detail,
        selection=Selection(
            workflow_output=options.get("workflow_output", True),
            intermediate_outputs=options.get("intermediate_outputs", True),
            sublattice_results=options.get("sublattice_results", True),
        ),
        results_dir=options.get("results_dir"),
        dispatcher_addr=options.get("dispatcher_addr"),
    )


def cancel(dispatch_id: str, task_ids: int | Iterable[int] | None = None, dispatcher_addr: str | None = None) -> str:
    """Ask a dispatch, or some of its tasks, to stop; returns once the request is recorded.

    Args:
        dispatch_id: Its id.
        task_ids: Node id of a task, or several; None, or none of them, for the whole dispatch.
        dispatcher_addr: As for `dispatch`.

    Returns:
        A sentence that says what was asked for.

    Raises:
        MissingLatticeRecordError: The id is unknown.
        MissingNodeError: The dispatch has no such task.
        TypeError: An id of a task is not a whole number.
    """
    wanted = () if task_ids is None else task_ids if isinstance(task_ids, Iterable) else (task_ids,)
    ids = [operator.index(task_id) for task_id in wanted]
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
