"""The configuration as a form."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab.config.form import change, form
from covalent_lab.errors import ConfigError


def fields() -> Mapping[str, Mapping[str, Any]]:
    """The form's fields by name."""
    return {field["name"]: field for field in form()["fields"]}


def test_a_field_says_what_may_be_written(private: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kind, choices, whether it may be changed, and which variable overrides the file."""
    monkeypatch.setenv("LOGLEVEL", "info")

    found = fields()

    assert found["sdk.log_level"] == {
        "name": "sdk.log_level",
        "section": "sdk",
        "type": "text",
        "value": "info",
        "choices": [],
        "is_secret": False,
        "is_set": True,
        "variable": "LOGLEVEL",
        "is_read_only": False,
    }
    assert found["dispatcher.durability"]["choices"] == ["full", "normal"]
    assert (found["sdk.no_cluster"]["type"], found["sdk.no_cluster"]["value"]) == ("boolean", False)
    fixed = {name for name, field in found.items() if field["is_read_only"]}
    assert {name.partition(".")[0] for name in found.keys() - fixed} == {"sdk", "executors"}
    assert "sdk.config_file" in fixed


def test_secrets_are_not_told(private: Path) -> None:
    """That there is one is."""
    ct.set_config("executors.qpu.api_token", "s3cret")

    field = fields()["executors.qpu.api_token"]

    assert (field["value"], field["is_secret"], field["is_set"]) == (None, True, True)
    assert "s3cret" not in str(form())


def test_changes_are_written(private: Path) -> None:
    """Of known keys, and of options of executors."""
    change({"sdk.no_cluster": True, "executors.slurm.partition": "debug", "executors.slurm.options": ["a", 1]})

    assert ct.get_config("sdk.no_cluster") == "true"
    assert ct.get_config("executors.slurm") == {"partition": "debug", "options": ["a", 1]}
    assert fields()["executors.slurm.options"]["type"] == "json"


@pytest.mark.parametrize(
    "name",
    ["dispatcher.port", "dask.num_workers", "user_interface.port", "sdk.config_file", "mine.key", "sdk", "", "sdk."],
)
def test_other_sections_are_not_changed(private: Path, name: str) -> None:
    """Nor anything else of the same request."""
    with pytest.raises(ConfigError):
        change({"sdk.log_level": "debug", name: 1})

    assert ct.get_config("sdk.log_level") == "warning"


def test_a_value_of_the_wrong_kind_is_refused(private: Path) -> None:
    """With the reason."""
    with pytest.raises(ConfigError, match="must be"):
        change({"sdk.no_cluster": "perhaps"})
