"""Executor names and what they stand for."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from covalent_lab_executors.local import LocalExecutor

from covalent_lab.errors import BackendError, UnknownExecutorError
from covalent_lab.executor import plugins, registry
from covalent_lab.executor.base import Executor
from covalent_lab.executor.registry import GROUP, ExecutorRegistry


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> ExecutorRegistry:
    """A registry that finds four plugins, three of them broken."""
    targets = {
        "good": "covalent_lab_executors.local:LocalExecutor",
        "missing": "no_such_module_anywhere:Executor",
        "nameless": "covalent_lab_executors.local:NoSuchClass",
        "wrong": "covalent_lab.ids:PayloadRef",
    }

    def entry_points(*, group: str) -> list[EntryPoint]:
        used = targets.items() if group == GROUP else ()
        return [EntryPoint(name=name, value=value, group=group) for name, value in used]

    monkeypatch.setattr(plugins, "entry_points", entry_points)
    return ExecutorRegistry()


def test_names_are_listed_without_loading(found: ExecutorRegistry) -> None:
    """Broken plugins do not stop the list."""
    assert found.names() == ("good", "missing", "nameless", "wrong")


def test_name_loads_its_class(found: ExecutorRegistry) -> None:
    """Twice the same."""
    assert found.load("good") is LocalExecutor
    assert found.load("good") is LocalExecutor


def test_unknown_name_lists_the_known_ones(found: ExecutorRegistry) -> None:
    """The error says what could be meant."""
    with pytest.raises(UnknownExecutorError, match=r"'slrum'.*good, missing") as caught:
        found.load("slrum")

    assert caught.value.known == ("good", "missing", "nameless", "wrong")


@pytest.mark.parametrize(
    ("name", "words"),
    [("missing", "ModuleNotFoundError"), ("nameless", "AttributeError"), ("wrong", "no subclass of")],
)
def test_broken_plugin_is_named(found: ExecutorRegistry, name: str, words: str) -> None:
    """A plugin that cannot be used is the plugin's fault, by name."""
    with pytest.raises(BackendError, match=f"Executor '{name}'.*{words}"):
        found.load(name)


def test_file_without_an_executor_is_complained_of_once(
    found: ExecutorRegistry, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """And is run once, until it changes; then it may hold one."""
    helper, runs = tmp_path / "helper.py", tmp_path / "runs"
    code = f"with open({str(runs)!r}, 'a') as file:\n    file.write('x')\n"

    def look() -> int:
        for _ in range(3):
            with pytest.raises(UnknownExecutorError):
                found.load("helper")
        return len([line for line in caplog.messages if "has no EXECUTOR_PLUGIN_NAME" in line])

    helper.write_text(code)
    found.add_folder(tmp_path)
    assert (look(), runs.read_text()) == (1, "x")
    helper.write_text(f"{code}# changed\n")
    assert (look(), runs.read_text()) == (2, "xx")
    helper.write_text("from covalent_lab_executors.local import LocalExecutor as Mine\nEXECUTOR_PLUGIN_NAME = 'Mine'\n")
    assert found.load("helper") is LocalExecutor


def test_registered_class_comes_first(found: ExecutorRegistry) -> None:
    """Registration replaces a plugin and adds new names."""

    class Mine(LocalExecutor):
        """Another executor."""

    found.register("missing", Mine)
    found.register("mine", Mine)

    loaded: list[type[Executor]] = [found.load("missing"), found.load("mine")]
    assert loaded == [Mine, Mine]
    assert "mine" in found.names()


def test_local_executor_is_installed() -> None:
    """The distribution brings it as an entry point."""
    assert "local" in registry.names()
    assert registry.load("local").__name__ == "LocalExecutor"


def test_executor_classes_are_attributes_of_the_package() -> None:
    """As Covalent's users write them; a name that no plugin has is no attribute."""
    import covalent_lab as ct

    assert ct.executor.LocalExecutor(retries=2).to_dict()["attributes"]["retries"] == 2
    with pytest.raises(AttributeError, match="NoSuchExecutor"):
        _ = ct.executor.NoSuchExecutor
