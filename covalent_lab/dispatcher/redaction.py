"""What of executors' options may leave the dispatcher: everything but secrets, and instances that travel pickled."""

import json
from collections.abc import Mapping
from typing import Any

from covalent_lab.errors import LabError
from covalent_lab.executor import registry
from covalent_lab.executor.classic_base import PICKLED
from covalent_lab.executor.secrets import redacted

__all__ = ["redacted_graph", "shown_executor"]


def shown_executor(name: str, form: Mapping[str, Any]) -> dict[str, Any]:
    """An executor's form, as `to_dict()` writes it, for eyes."""
    attributes = form.get("attributes")
    if not attributes:
        return dict(form)
    try:
        kind: type = registry.load(name)
    except LabError:
        kind = object  # a class that is not here: references are all that can be recognised
    kept = {key: value for key, value in attributes.items() if key != PICKLED}
    return {**form, "attributes": redacted(kind, kept)}


def redacted_graph(text: bytes) -> bytes:
    """A graph's JSON for eyes; parses it only if there is an executor's form in it."""
    if b'"attributes"' not in text:
        return text
    graph = json.loads(text)
    for options in graph["options"]:
        options["executor_data"] = shown_executor(options["executor"], options["executor_data"])
    return json.dumps(graph, separators=(",", ":")).encode()
