"""Calls before and after a task."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from covalent_lab.workflow.deps.deps import Deps

__all__ = ["DepsCall"]

_RESERVED = ("files",)


class DepsCall(Deps):
    """A function that is called in the process of the task, before or after it.

    With `retval_keyword`, what a function before the task returns is passed to the task under that name; several
    functions with the same name deliver a list. The task's parameter needs a default value.
    """

    def __init__(
        self,
        func: Callable[..., Any] | None = None,
        args: Sequence[Any] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        *,
        retval_keyword: str = "",
        override_reserved_retval_keys: bool = False,
    ) -> None:
        """Hold a call.

        Args:
            func: The function.
            args: Its positional arguments.
            kwargs: Its keyword arguments.
            retval_keyword: Name under which the task gets what the function returns.
            override_reserved_retval_keys: Allow the names that are kept for file transfers.

        Raises:
            RuntimeError: The keyword is reserved.
            SerializationError: Function or arguments cannot be pickled.
        """
        if retval_keyword in _RESERVED and not override_reserved_retval_keys:
            raise RuntimeError(
                f"The retval_keyword {retval_keyword!r} is kept for file transfers. Choose another name, "
                "or set override_reserved_retval_keys."
            )
        super().__init__(func, args or [], kwargs or {}, retval_keyword=retval_keyword)

    @property
    def func(self) -> Callable[..., Any] | None:
        """A copy of the function, as it will be called."""
        return cast("Callable[..., Any] | None", self.apply_fn.get_deserialized())

    @property
    def args(self) -> list[Any]:
        """Copies of its positional arguments."""
        return list(self.apply_args.get_deserialized())

    @property
    def kwargs(self) -> dict[str, Any]:
        """Copies of its keyword arguments."""
        return dict(self.apply_kwargs.get_deserialized())
