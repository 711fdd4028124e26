"""What forms ask a kernel, and what the cell calls that they write."""

import json
from typing import Any

import numpy as np  # noqa: TID253 - arguments of users are arrays
import pytest

import covalent_lab as ct
from covalent_lab.errors import MissingLatticeRecordError
from covalent_lab.notebook.forms import arguments_of, check, form_of

pytestmark = pytest.mark.usefixtures("private")


@ct.electron
def total(x: Any) -> Any:
    """Adds up."""
    return sum(x)


@ct.lattice
def flow(data: Any, n: int = 2, *rest: int, name: str = "a b", **more: Any) -> Any:
    """Arguments of all kinds."""
    return total([n, *rest])


def test_arguments_become_fields_with_the_text_of_literals() -> None:
    """Defaults are fields, too; what is no literal has a summary only, and a long one is cut."""
    dispatch_id = ct.dispatch(flow)(np.arange(3), 1, 5, extra=list(range(100)))

    fields = {field.pop("name"): field for field in form_of(dispatch_id)._repr_json_()["fields"]}

    assert fields["data"] == {"text": "", "summary": "array([0, 1, 2])"}
    assert fields["n"] == {"text": "1", "summary": "1"}
    assert fields["rest"] == {"text": "(5,)", "summary": "(5,)"}
    assert fields["name"] == {"text": "'a b'", "summary": "'a b'"}
    assert fields["more"]["text"] == repr({"extra": list(range(100))})
    assert len(fields["more"]["summary"]) == 81


def test_changed_arguments_run_again_with_the_others_as_they_were() -> None:
    """This is what the cell does that the form writes."""
    dispatch_id = ct.dispatch(flow)(np.arange(3), 1, 5)

    call = arguments_of(dispatch_id)
    call.arguments.update(n=7)
    again = ct.redispatch(dispatch_id)(*call.args, **call.kwargs)

    assert ct.get_result(again, wait=True).result == 12


def test_an_unknown_dispatch_has_no_form() -> None:
    """The form shows the error's message."""
    with pytest.raises(MissingLatticeRecordError):
        form_of("nobody")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", "1"),
        (" 'x' ", "'x'"),
        ("{1, 2}", "{1, 2}"),
        ("true", "True"),
        ('{"a": null}', "{'a': None}"),
        ("frame.head(3)", "frame.head(3)"),
    ],
)
def test_python_and_json_are_values(text: str, value: str) -> None:
    """Expressions are not evaluated before the cell runs."""
    assert check(json.dumps({"x": text}))._repr_json_() == {"values": {"x": value}, "errors": {}}


@pytest.mark.parametrize("text", ["1 +", "import os", "x = 1", "a\0b", "("])
def test_what_is_no_value_is_named(text: str) -> None:
    """The other fields keep theirs."""
    answer = check(json.dumps({"x": text, "y": "2"}))._repr_json_()

    assert answer["values"] == {"y": "2"}
    assert answer["errors"]["x"].startswith("This is no value: ")
