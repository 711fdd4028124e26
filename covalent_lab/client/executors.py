"""What is told of executors in tables, on the command line and in notebooks."""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["EXECUTOR_COLUMNS", "executor_rows", "health_facts", "test_facts"]

EXECUTOR_COLUMNS = ("Executor", "Class", "State", "Waiting", "Running", "From")
"""Headings of `executor_rows`."""


def executor_rows(items: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """A row for each executor of `Connection.executors`."""
    return [
        (
            f"{item['name']} (default)" if item["is_default"] else item["name"],
            item["class_name"],
            item["trouble"] or ("started" if item["is_started"] else "not needed yet"),
            str(item["queued"]),
            str(item["running"]),
            item["origin"],
        )
        for item in items
    ]


def health_facts(health: Mapping[str, Any]) -> dict[str, str]:
    """Everything in the answer of `Connection.executor_health`, the verdict first."""
    return {
        "Usable": "yes" if health["is_usable"] else "no",
        "": health["summary"],
        **{fact["name"]: fact["value"] for fact in health["facts"]},
        **{link["name"]: link["url"] for link in health["links"]},
        "Answered after": f"{health['took_s']:.2f} s",
    }


def test_facts(test: Mapping[str, Any]) -> dict[str, str]:
    """Everything in the answer of `Connection.test_executor`, the verdict first."""
    facts = {"Passed": "yes" if test["is_passed"] else "no", "": test["summary"]}
    for key, heading in (("host", "Host"), ("python", "Python"), ("program", "Program"), ("dispatch_id", "Dispatch")):
        if test[key]:
            facts[heading] = test[key]
    for key, heading in (("waited_s", "Waited"), ("ran_s", "Ran")):
        if test[key] is not None:
            facts[heading] = f"{test[key]:.2f} s"
    return facts
