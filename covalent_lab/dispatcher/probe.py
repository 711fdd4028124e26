"""A workflow of one small task, by which an executor shows that it runs tasks.

It is built in the dispatcher's process and taken in like any other; the function is sent by value, so that it runs
where this package is not installed. What it finds is read from the stored preview: nothing is unpickled.
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from covalent_lab.executor import registry
from covalent_lab.worker import Buffer
from covalent_lab.workflow.bundle import write_bundle
from covalent_lab.workflow.electron import electron
from covalent_lab.workflow.lattice import lattice

__all__ = ["TASK", "not_begun", "report", "where_am_i", "write_probe"]

TASK = 0
"""Number of the node in the graph."""


def where_am_i() -> str:
    """Tell which machine and which Python run this."""
    import json
    import os
    import platform
    import sys

    return json.dumps(
        {"host": platform.node(), "python": platform.python_version(), "program": sys.executable, "pid": os.getpid()}
    )


where_am_i.__module__ = "__main__"  # pickled by value


def write_probe(executor: str, trial: Mapping[str, Any]) -> Sequence[Buffer]:
    """The bundle of a test.

    Args:
        executor: Short name.
        trial: Option values that the test needs; see `Health.trial`.
    """
    chosen = registry.default().instance(executor, trial) if trial else executor
    task = electron(where_am_i, executor=chosen)

    def test() -> Any:
        return task()

    test.__module__ = "__main__"
    test.__name__ = test.__qualname__ = f"test of {executor}"
    workflow = lattice(test, executor=chosen, workflow_executor=chosen)
    workflow.build_graph()
    return write_bundle(workflow, str(uuid.uuid4()))


def not_begun(executor: str, reason: str) -> dict[str, Any]:
    """The report of a test that was not begun, as the executor is not usable."""
    return _report(executor, summary=reason)


def report(executor: str, detail: Mapping[str, Any], node: Mapping[str, Any]) -> dict[str, Any]:
    """What came of a test: from the dispatch and its one node, as the REST interface tells them."""
    began, ended = node["started_at"], node["ended_at"]
    times = {
        "waited_s": None if began is None else max(0.0, began - detail["created_at"]),
        "ran_s": None if began is None or ended is None else ended - began,
    }
    status = detail["status"]
    if status == "COMPLETED":
        said = _found((node["output"] or {}).get("text", ""))
        host, python = str(said.get("host", "")), str(said.get("python", ""))
        summary = f"A task ran on {host or 'a machine that did not tell its name'}, with Python {python or '?'}."
        return _report(
            executor, detail, is_passed=True, host=host, python=python, program=str(said.get("program", "")),
            summary=summary, **times,
        )  # fmt: skip
    if status in ("FAILED", "CANCELLED"):
        summary = node["error"] or detail["error"] or f"The task has ended {status}."
    else:
        summary = "The task waits, or runs, still. Its dispatch shows how it goes on."
    return _report(executor, detail, summary=summary, **times)


def _report(executor: str, detail: Mapping[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    empty = {"is_passed": False, "host": "", "python": "", "program": "", "waited_s": None, "ran_s": None}
    named = (
        {"dispatch_id": None, "status": None} if detail is None else {k: detail[k] for k in ("dispatch_id", "status")}
    )
    return {"name": executor, **named, **empty, **values}


def _found(text: str) -> dict[str, Any]:
    """What the task found, from the preview of its value; empty if that says nothing."""
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
