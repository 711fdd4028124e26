"""Decorators that make leptons: `@covalent_lab.leptons.bash`."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, overload

from covalent_lab.workflow.build_error import build_error
from covalent_lab.workflow.lepton import Lepton
from covalent_lab.workflow.tracing import active_trace, holds_output

__all__ = ["bash"]

P = ParamSpec("P")


@overload
def bash(
    _func: Callable[P, str | Sequence[str]],
    *,
    display_name: str = "",
    executor: Any = None,
    files: Sequence[Any] = (),
    deps_bash: Any = None,
    deps_pip: Any = None,
    call_before: Any = None,
    call_after: Any = None,
) -> Callable[P, Any]: ...


@overload
def bash(
    _func: None = None,
    *,
    display_name: str = "",
    executor: Any = None,
    files: Sequence[Any] = (),
    deps_bash: Any = None,
    deps_pip: Any = None,
    call_before: Any = None,
    call_after: Any = None,
) -> Callable[[Callable[P, str | Sequence[str]]], Callable[P, Any]]: ...


def bash(
    _func: Callable[..., Any] | None = None,
    *,
    display_name: str = "",
    executor: Any = None,
    files: Sequence[Any] = (),
    deps_bash: Any = None,
    deps_pip: Any = None,
    call_before: Any = None,
    call_after: Any = None,
) -> Any:
    """Make a function that returns a shell command a task that runs the command.

    The function itself runs while the workflow is built, so its arguments must be known then. It writes the command's
    text, so it must quote what it puts there (`shlex.quote`).

    Args:
        display_name: Name of the nodes; default: the command.
        executor: Where it runs: a short name, an executor instance, or None to take the lattice's.
        files: File transfers before and after.
        deps_bash: Shell commands before the task.
        deps_pip: Packages to install before the task.
        call_before: Calls before the task.
        call_after: Calls after the task.

    Returns:
        A function that adds a node inside a lattice, and runs the command elsewhere. The task returns None.

    Raises:
        TypeError: It does not decorate a function, or that returns something else than text or a list of texts.
        GraphBuildError: It is called with the result of another task.
    """

    def decorate(function: Any) -> Callable[..., Any]:
        if not callable(function):
            raise TypeError(f"bash() takes a function, not a {type(function).__name__}.")

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if active_trace() is not None and holds_output((args, kwargs)):
                raise build_error(
                    f"{function.__name__}() writes its command while the workflow is built, when the results of other "
                    "tasks are not known.",
                    'Use ct.Lepton("bash", command=…), and pass the result as an argument ($1) or a keyword ($name).',
                )
            command = function(*args, **kwargs)
            lepton = Lepton(
                "bash",
                command=command,
                display_name=display_name,
                executor=executor,
                files=files,
                deps_bash=deps_bash,
                deps_pip=deps_pip,
                call_before=call_before,
                call_after=call_after,
            )
            return lepton()

        return call

    return decorate if _func is None else decorate(_func)
