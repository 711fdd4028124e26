"""A value can be described without loading it."""

import json
import pickle
import platform
from typing import Any

import pytest

from covalent_lab.workflow.transportable import TransportableObject


def documented():
    """Says something."""


class Explosive:
    """Cannot be loaded."""

    def __reduce__(self) -> Any:
        return (int, ("not a number",))


@pytest.mark.parametrize("value", [1, None, "text", [1, {"a": (2,)}], {1, 2}, b"bytes", documented])
def test_every_form_gives_the_value_back(value: Any) -> None:
    """Binary, dictionary, JSON and pickle."""
    made = TransportableObject(value)
    twins = [
        TransportableObject.deserialize(made.serialize()),
        TransportableObject.from_dict(made.to_dict()),
        TransportableObject.deserialize_from_json(made.serialize_to_json()),
        pickle.loads(pickle.dumps(made)),
    ]
    assert all(twin.get_deserialized() == value for twin in twins)
    assert twins == [made] * 4
    assert {hash(twin) for twin in twins} == {hash(made)}


def test_arrays_survive_every_form_and_stay_writable() -> None:
    """Their memory lies outside the pickle."""
    numpy = pytest.importorskip("numpy")
    array = numpy.arange(10_000.0)
    made = TransportableObject(array)
    array[0] = -1
    for twin in (made, TransportableObject.from_dict(json.loads(made.serialize_to_json()))):
        found = twin.get_deserialized()
        assert (found[0], found[-1]) == (0, 9999)
        found[0] = 5
        assert twin.get_deserialized()[0] == 0


def test_header_and_text_describe_the_value() -> None:
    """Versions, name, docstring."""
    made = TransportableObject(documented)
    assert made.python_version == platform.python_version()
    assert made.attrs == {"doc": "Says something.", "name": "documented"}
    assert {"py_version", "cloudpickle_version", "attrs"} <= set(made.header)
    assert TransportableObject([1, 2]).object_string == "[1, 2]"


def test_describing_never_loads_the_value() -> None:
    """The server must not run what users pickled."""
    made = TransportableObject(Explosive())
    data = made.serialize()
    assert "Explosive" in TransportableObject.deserialize(data, string_only=True)
    assert TransportableObject.deserialize(data, header_only=True)["py_version"] == platform.python_version()
    assert "Explosive" in repr(TransportableObject.deserialize(data))
    with pytest.raises(TypeError, match="Cannot load"):
        made.get_deserialized()


def test_the_dictionary_form_has_the_documented_keys() -> None:
    """Plug-ins read them."""
    form = TransportableObject(1).to_dict()
    assert set(form) == {"type", "attributes"}
    assert form["type"] == "TransportableObject"
    assert set(form["attributes"]) == {"_object", "_object_string", "_header"}


@pytest.mark.parametrize("form", [{}, {"attributes": {}}, {"attributes": {"_object": "?", "_header": {}}}, []])
def test_a_wrong_dictionary_is_refused(form: Any) -> None:
    """With one line."""
    with pytest.raises(ValueError, match="not the dictionary form"):
        TransportableObject.from_dict(form)


def test_bytes_that_are_no_archive_are_refused() -> None:
    """Before anything is loaded."""
    with pytest.raises(ValueError, match="not a payload archive"):
        TransportableObject.deserialize(b"nonsense")


def test_comparison_is_by_contents() -> None:
    """And false for anything else."""
    assert TransportableObject(1) == TransportableObject(1)
    assert TransportableObject(1) != TransportableObject(2)
    assert TransportableObject(1) != 1


def test_wrapping_twice_changes_nothing() -> None:
    """A transportable stays itself."""
    made = TransportableObject(1)
    assert TransportableObject.make_transportable(made) is made
    assert TransportableObject.make_transportable(1) == made


def test_nested_collections_are_unwrapped() -> None:
    """Lists in dictionaries in lists."""
    one = TransportableObject(1)
    assert TransportableObject.deserialize_list([one, [one, {"a": one}]]) == [1, [1, {"a": 1}]]
    assert TransportableObject.deserialize_dict({"a": [one], "b": one}) == {"a": [1], "b": 1}
    with pytest.raises(TypeError):
        TransportableObject.deserialize_list([one, 2])
