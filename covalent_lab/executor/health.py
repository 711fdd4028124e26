"""What an executor answers when it is asked whether it can run tasks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Health"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The answer to `Executor.check`.

    Attributes:
        is_usable: Whether a task that came now would be run, at once or when its turn comes.
        summary: One line for people: what was found, or what is wrong and what to do.
        facts: What else is known, by name, in the order in which it is shown; as `{"Python": "3.12.3"}`.
        links: Pages that show more, as `{"Dashboard": "http://…"}`.
        trial: Option values for a test task, where the configured ones name no place to run it.
    """

    is_usable: bool
    summary: str
    facts: Mapping[str, str | int | float] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    trial: Mapping[str, Any] = field(default_factory=dict)
