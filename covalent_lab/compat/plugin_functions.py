"""Small functions that plugins take from Covalent."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from covalent_lab.config.access import get_config
from covalent_lab.workflow.task import Signature, Workflow, callable_name, source_of

__all__ = ["format_server_url", "get_named_params", "get_serialized_function_str", "get_timedelta"]


def get_serialized_function_str(function: Callable[..., Any]) -> str:
    """Source text of a function, an electron or a lattice, and two empty lines; a comment if it has none."""
    inner = getattr(function, "electron_object", function)
    if isinstance(inner, Workflow):
        inner = inner.plain_function()
    inner = getattr(inner, "function", inner)
    return (source_of(inner) or f"# {callable_name(inner)} was not inspectable") + "\n\n"


def get_named_params(
    func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arguments by the names of their parameters: the positional ones, and the others.

    Raises:
        ValueError: There are too many, or unknown ones.

    Example:
        >>> get_named_params(lambda a, *more, key=None: None, [1, 2], {"key": 3})
        ({'a': 1, 'arg[1]': 2}, {'key': 3})
    """
    signature, name = Signature.of(func), callable_name(func)
    names = signature.positional_names(len(args), name)
    signature.check_keywords(kwargs, len(args), name)
    return dict(zip(names, args, strict=True)), dict(kwargs)


def format_server_url(hostname: str | None = None, port: int | None = None) -> str:
    """URL of a dispatcher; what is left away is taken from `dispatcher.address` and `dispatcher.port`.

    Example:
        >>> format_server_url("lab.example.org", 8888), format_server_url("https://lab.example.org")
        ('http://lab.example.org:8888', 'https://lab.example.org')
    """
    if hostname is None:
        hostname = str(get_config("dispatcher.address"))
        port = port or int(get_config("dispatcher.port"))
    url = hostname if hostname.startswith(("http://", "https://")) else f"http://{hostname}"
    return url if port is None else f"{url}:{port}"


def get_timedelta(time_limit: str) -> timedelta:
    """A duration written `days-hours:minutes:seconds`.

    Raises:
        ValueError: It is written otherwise.

    Example:
        >>> get_timedelta("01-12:30:00")
        datetime.timedelta(days=1, seconds=45000)
    """
    try:
        days, _, clock = time_limit.partition("-")
        hours, minutes, seconds = map(int, clock.split(":"))
        return timedelta(days=int(days), hours=hours, minutes=minutes, seconds=seconds)
    except ValueError as error:
        raise ValueError(f"{time_limit!r} is no duration; write days-hours:minutes:seconds.") from error
