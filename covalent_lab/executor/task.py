"""The callable that executors written by users get: a task with its hooks that loads nothing before it is called.

`wrapper_fn` is what runs in the job, which therefore needs this package. Called where the dispatcher runs, a
`TaskShell` starts a process for the task instead: values of users are loaded in jobs, never in a server.
"""

import contextlib
import functools
import io
import os
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from covalent_lab import worker
from covalent_lab.executor.base import PayloadSource
from covalent_lab.workflow.transportable import TransportableObject

__all__ = ["TaskShell", "enter_task", "io_wrapper", "transportable", "wrapper_fn"]

Elsewhere = Callable[["TaskShell", Sequence[Any], Mapping[str, Any]], TransportableObject]
"""Runs a shell with arguments in another process."""


def wrapper_fn(
    function: TransportableObject,
    call_before: Sequence[Mapping[str, Any]],
    call_after: Sequence[Mapping[str, Any]],
    *args: Any,
    **kwargs: Any,
) -> TransportableObject:
    """Run a task: what is to happen before it, the function, what is to happen after it.

    Args:
        function: The task's function.
        call_before: Dependencies and calls before the task, as `to_dict()` writes them.
        call_after: Calls after it.
        args: Positional arguments; those that are `TransportableObject`s are loaded.
        kwargs: Keyword arguments, likewise.

    Returns:
        The value, pickled together with its previews.

    Raises:
        SerializationError: Function, argument or value cannot be loaded or pickled here.
        Exception: Whatever the function or a hook raises.
    """
    delivered = worker.apply_before(call_before)
    call = function.get_deserialized()
    loaded = {name: _load(value) for name, value in kwargs.items()}
    value = call(*map(_load, args), **{**loaded, **delivered})
    for form in call_after:
        worker.apply_hook(form)
    return TransportableObject(value)


def io_wrapper(
    fn: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], workdir: str = ""
) -> tuple[Any, str, str, str]:
    """Call a function in a folder, and keep what it prints through `sys.stdout` and `sys.stderr`.

    Args:
        fn: What to call.
        args: Its positional arguments.
        kwargs: Its keyword arguments.
        workdir: Working directory, made if necessary; empty for the present one.

    Returns:
        Value, standard output, standard error, and the formatted traceback if it raised (the value is then None).
    """
    out, err = io.StringIO(), io.StringIO()
    value, trace = None, ""
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), contextlib.ExitStack() as stack:
        try:
            if workdir:
                os.makedirs(workdir, exist_ok=True)
                stack.enter_context(contextlib.chdir(workdir))
            value = fn(*args, **kwargs)
        except (Exception, SystemExit):  # noqa: BLE001 - user code
            trace = traceback.format_exc()
            err.write(trace)
    return value, out.getvalue(), err.getvalue(), trace


class TaskShell(functools.partial[TransportableObject]):
    """`wrapper_fn` with everything but the arguments; `args[0]` is the pickled function.

    Copies that were pickled are ordinary partials, which run where they are called.
    """

    _home: int
    _elsewhere: Elsewhere

    @classmethod
    def of(
        cls,
        function: TransportableObject,
        hooks: Mapping[str, Any],
        task_metadata: Mapping[str, Any],
        elsewhere: Elsewhere,
    ) -> Self:
        """The shell of a task.

        Args:
            function: The task's function.
            hooks: As in `JobSpec.hooks`.
            task_metadata: `dispatch_id` and `node_id`, which `get_context()` tells in the job.
            elsewhere: Runs the shell if it is called in this process.
        """
        before = [_context_hook(task_metadata), *worker.hooks_before(hooks)]
        made = cls(wrapper_fn, function, before, list(hooks.get("call_after") or ()))
        made._home = os.getpid()
        made._elsewhere = elsewhere
        return made

    def __call__(self, /, *args: Any, **kwargs: Any) -> TransportableObject:
        """Run the task: in a process of its own, if this is the dispatcher's process."""
        if os.getpid() == self._home:
            return self._elsewhere(self, args, kwargs)
        return super().__call__(*args, **kwargs)

    def __reduce__(self) -> Any:
        return functools.partial, (self.func, *self.args)


def enter_task(dispatch_id: str, node_id: int) -> None:
    """Let `get_context()` tell the task in this process."""
    os.environ["COVALENT_DISPATCH_ID"] = dispatch_id
    os.environ["COVALENT_TASK_ID"] = str(node_id)


def _context_hook(task_metadata: Mapping[str, Any]) -> dict[str, Any]:
    args = [str(task_metadata["dispatch_id"]), int(task_metadata["node_id"])]
    fields = {"apply_fn": TransportableObject(enter_task).to_dict(), "apply_args": TransportableObject(args).to_dict()}
    return {"type": "DepsCall", "attributes": fields}


def transportable(source: PayloadSource) -> TransportableObject:
    """A payload as executors get it; the pickle in it is not touched.

    Raises:
        OSError: Its file cannot be read.
        ValueError: It is no archive.
    """
    data = source.data if source.data is not None else Path(source.path or "").read_bytes()
    found: TransportableObject = TransportableObject.deserialize(data)
    return found


def _load(value: Any) -> Any:
    return value.get_deserialized() if isinstance(value, TransportableObject) else value
