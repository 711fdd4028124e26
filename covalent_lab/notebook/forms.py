"""What forms in JupyterLab ask a kernel: the arguments of a recorded dispatch, and whether texts are values.

Only the kernel may load what a user stored, so the form is filled here; it answers with JSON, as a user expression of
the message protocol. `arguments_of` is what the cell calls that the form writes.
"""

import ast
import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from covalent_lab.client.api import get_result
from covalent_lab.errors import MissingNodeError

__all__ = ["FormAnswer", "arguments_of", "check", "form_of"]

_TEXT_LIMIT = 2_000
_SUMMARY_LIMIT = 80


@dataclass(frozen=True, slots=True)
class FormAnswer:
    """JSON for the front end, which asks for the representation of an expression's value."""

    body: Mapping[str, Any]

    def _repr_json_(self) -> dict[str, Any]:
        return dict(self.body)


def arguments_of(dispatch_id: str) -> inspect.BoundArguments:
    """The arguments a dispatch was made with, by the names of the workflow function's parameters.

    Args:
        dispatch_id: The dispatch.

    Returns:
        Arguments to change in `arguments`, and to pass on as `*args, **kwargs`.

    Raises:
        MissingLatticeRecordError: The id is unknown.
        MissingNodeError: It was recorded without its inputs.
        SerializationError: They, or the workflow, need something that is not installed here.

    Example:
        >>> call = arguments_of(dispatch_id)                              # doctest: +SKIP
        >>> call.arguments.update(steps=100)                              # doctest: +SKIP
        >>> ct.redispatch(dispatch_id)(*call.args, **call.kwargs)         # doctest: +SKIP
    """
    result = get_result(dispatch_id)
    if result.inputs is None:
        raise MissingNodeError(f"Dispatch {dispatch_id} was recorded without its inputs.")
    inputs = result.inputs.get_deserialized()
    function = result.lattice.workflow_function.get_deserialized()
    bound = inspect.signature(function).bind(*inputs["args"], **inputs["kwargs"])
    bound.apply_defaults()
    return bound


def form_of(dispatch_id: str) -> FormAnswer:
    """The arguments of a dispatch as fields: name, text of the value if it is a literal, and a short text of it."""
    fields = []
    for name, value in arguments_of(dispatch_id).arguments.items():
        text = repr(value)
        is_literal = len(text) <= _TEXT_LIMIT and _is_literal(text)
        fields.append(
            {
                "name": name,
                "text": text if is_literal else "",
                "summary": text if len(text) <= _SUMMARY_LIMIT else f"{text[:_SUMMARY_LIMIT]}…",
            }
        )
    return FormAnswer({"fields": fields})


def check(texts: str) -> FormAnswer:
    """Turn texts into expressions of Python: literals stay, JSON becomes Python, other expressions must have a grammar.

    Args:
        texts: JSON of an object: the text of each field by its name.

    Returns:
        `values`, the expressions by name, and `errors`, what is wrong with the others.
    """
    values: dict[str, str] = {}
    errors: dict[str, str] = {}
    for name, text in json.loads(texts).items():
        try:
            values[name] = _expression(text.strip())
        except (SyntaxError, ValueError) as error:
            errors[name] = f"This is no value: {getattr(error, 'msg', None) or error}."
    return FormAnswer({"values": values, "errors": errors})


def _expression(text: str) -> str:
    if _is_literal(text):
        return text
    try:
        return repr(json.loads(text))
    except ValueError:
        compile(text, "<form>", "eval")
        return text


def _is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True
