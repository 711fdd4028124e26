"""Running a recorded dispatch again: with other arguments, with other tasks, or from where it failed.

Without any change the server makes a copy and nothing travels. With one, the workflow function that was stored is
loaded here, in the user's process, and the graph is built anew.
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from covalent_lab import payload
from covalent_lab.client.api import AwaitableId
from covalent_lab.client.connection import Connection, connect, with_connection
from covalent_lab.client.serving import serve_for
from covalent_lab.errors import MissingNodeError
from covalent_lab.workflow.bundle import write_bundle
from covalent_lab.workflow.lattice import Lattice
from covalent_lab.workflow.options import LatticeOptions

__all__ = ["redispatch", "register_redispatch"]


def redispatch(
    dispatch_id: str,
    dispatcher_addr: str | None = None,
    replace_electrons: Mapping[str, Callable[..., Any]] | None = None,
    reuse_previous_results: bool = False,
) -> Callable[..., AwaitableId]:
    """Prepare to run a recorded dispatch again; call what is returned with new arguments, or with none.

    Any new arguments replace all of the old ones. The dispatch may have ended or not; the new one has an id of its own
    and does not depend on the old one.

    Args:
        dispatch_id: The dispatch to repeat.
        dispatcher_addr: As for `dispatch`.
        replace_electrons: New electrons or functions by the name of the electrons they stand in for, with executors
            and dependencies of their own; names that the workflow does not call are ignored.
        reuse_previous_results: Take over what completed and is not affected by the changes, instead of running it
            again. After a failure this runs what failed, and what never ran.

    Returns:
        A function that starts the new dispatch and returns its id, which can be awaited like that of `dispatch`.

    Raises:
        MissingLatticeRecordError: The id is unknown.
        SerializationError: The workflow needs something that is not installed here.
        GraphBuildError: The new arguments or electrons do not fit.

    Example:
        >>> import covalent_lab as ct
        >>> again = ct.redispatch(dispatch_id, reuse_previous_results=True)()    # doctest: +SKIP
        >>> larger = ct.redispatch(dispatch_id)(21, steps=100)                   # doctest: +SKIP
    """
    return _prepared(dispatch_id, dispatcher_addr, replace_electrons, reuse_previous_results, start=True)


def register_redispatch(
    dispatch_id: str,
    dispatcher_addr: str | None = None,
    replace_electrons: Mapping[str, Callable[..., Any]] | None = None,
    reuse_previous_results: bool = False,
) -> Callable[..., AwaitableId]:
    """Like `redispatch`, but the new dispatch is only recorded."""
    return _prepared(dispatch_id, dispatcher_addr, replace_electrons, reuse_previous_results, start=False)


def _prepared(
    dispatch_id: str,
    address: str | None,
    replacements: Mapping[str, Callable[..., Any]] | None,
    reuse: bool,
    *,
    start: bool,
) -> Callable[..., AwaitableId]:
    def submit(*new_args: Any, **new_kwargs: Any) -> AwaitableId:
        new_id = str(uuid.uuid4())
        if not (new_args or new_kwargs or replacements):
            with_connection(
                address,
                lambda connection: connection.redispatch(
                    dispatch_id, new_id, reuse_previous_results=reuse, start=start
                ),
            )
            return AwaitableId(new_id, address)
        lattice = _rebuilt(connect(address), dispatch_id, replacements or {}, new_args, new_kwargs)
        replaced = [node for node, name in lattice.replaced_nodes.items() if name in (replacements or {})]
        repeated = {"from": dispatch_id, "reuse": reuse, "replaced": replaced}
        bundle = write_bundle(lattice, new_id, redispatch=repeated)
        serve_for(lattice.graph, address)
        with_connection(address, lambda connection: connection.submit(bundle, start=start))
        return AwaitableId(new_id, address)

    return submit


def _rebuilt(
    connection: Connection,
    dispatch_id: str,
    replacements: Mapping[str, Callable[..., Any]],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> Lattice[..., Any]:
    """The stored workflow, built with these arguments, or with its own if there are none."""
    detail = connection.detail(dispatch_id)
    lattice = Lattice(
        _load(connection, dispatch_id, _digest(dispatch_id, detail["lattice"])),
        options=LatticeOptions(
            executor=detail["executor"] or None,
            executor_data=detail["executor_data"],
            workflow_executor=detail["workflow_executor"] or None,
            workflow_executor_data=detail["workflow_executor_data"],
            hooks=detail["hooks"] or None,
        ),
    )
    earlier = {name: _load(connection, dispatch_id, digest) for name, digest in detail["replacements"].items()}
    lattice.replace_electrons = {**earlier, **replacements}
    if not (args or kwargs):
        inputs = _load(connection, dispatch_id, _digest(dispatch_id, detail["inputs"]))
        args, kwargs = inputs["args"], inputs["kwargs"]
    lattice.build_graph(*args, **kwargs)
    return lattice


def _digest(dispatch_id: str, view: Mapping[str, Any] | None) -> str:
    if view is None:
        raise MissingNodeError(f"Dispatch {dispatch_id} was recorded without its workflow function or inputs.")
    return str(view["digest"])


def _load(connection: Connection, dispatch_id: str, digest: str) -> Any:
    # A copy that may be written: arrays in it then pickle to the same bytes as the first time.
    return payload.decode(bytearray(connection.payload(dispatch_id, digest)))
