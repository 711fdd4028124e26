"""The cache of results, for users: list and purge."""

from collections.abc import Sequence
from typing import Any

from covalent_lab.client.connection import connect

__all__ = ["get_cached_results", "purge_cached_results"]

_PAGE = 500


def get_cached_results(search: str = "", dispatcher_addr: str | None = None) -> list[dict[str, Any]]:
    """Results of `cache=True` tasks that equal calls take over, last used first.

    Args:
        search: Part of a task's name; empty for all.
        dispatcher_addr: As for `dispatch`.

    Returns:
        For each result `key`, `name` of the task, `dispatch_id` and `node_id` that computed it, `size` in bytes,
        `created_at` and `used_at` (POSIX seconds), and `hits`, how often it was taken over.
    """
    connection = connect(dispatcher_addr)
    found: list[dict[str, Any]] = []
    while True:
        page = connection.cached_results(search, len(found), _PAGE)
        found += page["items"]
        if not page["items"] or len(found) >= page["total"]:
            return found


def purge_cached_results(
    keys: Sequence[str] | None = None, unused_s: float | None = None, dispatcher_addr: str | None = None
) -> int:
    """Forget cached results; dispatches that computed or took them over keep theirs.

    Args:
        keys: Which, as `get_cached_results` tells them; None for all.
        unused_s: Only those not used for so many seconds.
        dispatcher_addr: As for `dispatch`.

    Returns:
        How many were forgotten.

    Example:
        >>> import covalent_lab as ct
        >>> ct.purge_cached_results(unused_s=30 * 86_400)  # doctest: +SKIP
        12
    """
    return connect(dispatcher_addr).purge_cached_results(keys, unused_s)
