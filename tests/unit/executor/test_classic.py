"""The documented base classes by themselves."""

import asyncio
import functools
import os
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from covalent_lab import DepsCall, TransportableObject, get_context
from covalent_lab.config import reader
from covalent_lab.config.access import get_config
from covalent_lab.errors import BackendError, TaskCancelledError, TaskRuntimeError, UnknownExecutorError
from covalent_lab.executor import plugins
from covalent_lab.executor.base import AsyncBaseExecutor, BaseExecutor, wrapper_fn
from covalent_lab.executor.classic_base import DispatchInfo, JobLink, get_active_dispatch_info
from covalent_lab.executor.plugins import GROUP, OLDER_GROUPS
from covalent_lab.executor.registry import ExecutorRegistry
from covalent_lab.executor.task import TaskShell, io_wrapper
from covalent_lab.workflow.context import Context


class Calling(BaseExecutor):
    """Calls the task, or raises what it was given."""

    def __init__(self, raises: BaseException | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.raises = raises
        self.calls: list[str] = []

    def setup(self, task_metadata: Any) -> None:
        self.calls.append("setup")

    def run(self, function: Any, args: Any, kwargs: Any, task_metadata: Any) -> Any:
        self.calls.append("run")
        info = get_active_dispatch_info()
        assert info is not None
        print("in", info.dispatch_id, task_metadata["node_id"], file=self.task_stdout)
        if self.raises is not None:
            raise self.raises
        return function(*args, **kwargs)

    def teardown(self, task_metadata: Any) -> None:
        self.calls.append("teardown")


class Awaiting(AsyncBaseExecutor):
    """The same in a coroutine."""

    def __init__(self, raises: BaseException | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.raises = raises

    async def run(self, function: Any, args: Any, kwargs: Any, task_metadata: Any) -> Any:
        print("in", task_metadata["dispatch_id"], task_metadata["node_id"], file=self.task_stdout)
        if self.raises is not None:
            raise self.raises
        return function(*args, **kwargs)


def call_of(function: Any) -> Any:
    """The callable that an executor gets."""
    return functools.partial(wrapper_fn, TransportableObject(function), [], [])


def executed(made: Any, folder: Path, *args: Any) -> Any:
    """Execute a small task."""
    call = (call_of(lambda x: x + 1), [TransportableObject(1), *args], {}, "d", str(folder), 3)
    ran = made.execute(*call)
    return asyncio.run(ran) if isinstance(made, AsyncBaseExecutor) else ran


@pytest.mark.parametrize("kind", [Calling, Awaiting])
@pytest.mark.parametrize(
    ("error", "status", "stderr"),
    [
        (TaskRuntimeError("Traceback\nValueError: no"), "FAILED", "Traceback\nValueError: no\n"),
        (TaskCancelledError(), "CANCELLED", ""),
    ],
)
def test_execute_tells_how_the_task_ended(
    kind: Any, error: Exception, status: str, stderr: str, tmp_path: Path
) -> None:
    """Output, streams and status; the log file has what was printed."""
    made = kind(error, log_stdout="out.log")
    assert executed(made, tmp_path) == (None, "in d 3\n", stderr, status)
    assert (tmp_path / "d" / "out.log").read_text() == "in d 3\n"


@pytest.mark.parametrize("kind", [Calling, Awaiting])
def test_execute_returns_what_run_returns(kind: Any, tmp_path: Path) -> None:
    """Still pickled."""
    output, out, err, status = executed(kind(), tmp_path)
    assert (output.get_deserialized(), out, err, status) == (2, "in d 3\n", "", "COMPLETED")


@pytest.mark.parametrize("kind", [Calling, Awaiting])
def test_trouble_of_the_executor_propagates(kind: Any, tmp_path: Path) -> None:
    """Whoever runs it learns the reason; what was printed is written all the same."""
    made = kind(OSError("down"), log_stdout="out.log")
    with pytest.raises(OSError, match="down"):
        executed(made, tmp_path)
    assert (tmp_path / "d" / "out.log").read_text() == "in d 3\n"


def test_teardown_follows_trouble(tmp_path: Path) -> None:
    """In any case."""
    made = Calling(OSError("down"))
    with pytest.raises(OSError, match="down"):
        executed(made, tmp_path)
    assert made.calls == ["setup", "run", "teardown"]


def test_documented_defaults() -> None:
    """Names and values of the base arguments; others are swallowed."""
    made = Calling()
    assert {key: value for key, value in made.to_dict()["attributes"].items() if key not in ("raises", "calls")} == {
        "log_stdout": "",
        "log_stderr": "",
        "cache_dir": "",
        "time_limit": -1,
        "retries": 0,
    }
    assert made.short_name() == "test_classic"
    assert made.to_dict()["type"] == "Calling"
    assert not made.get_cancel_requested()
    assert made.cancel({}, None) is False
    assert asyncio.run(Awaiting().cancel({}, None)) is False
    with pytest.raises(NotImplementedError):
        asyncio.run(Awaiting().poll({}, None))


def test_runtime_state_is_no_attribute() -> None:
    """Neither the JSON form nor a pickle holds it."""
    made = Calling()
    before = made.to_dict()
    made.attach(JobLink(), {})
    print("x", file=made.task_stdout)
    assert made.to_dict() == before
    assert TransportableObject(made).get_deserialized().task_stdout.getvalue() == ""


def test_job_link_is_asked_and_told() -> None:
    """Handles must be JSON; a status is kept if `validate_status` allows it."""
    kept: list[Any] = []

    class Telling(Calling):
        """Has statuses of its own."""

        def validate_status(self, status: str) -> bool:
            return status == "QUEUED"

    made = Telling()
    link = JobLink(
        is_cancel_requested=lambda: True,
        save_handle=kept.append,
        save_status=kept.append,
        versions={"python": "3.11.7", "covalent": "1"},
    )
    made.attach(link, {})
    made.set_job_handle({"id": 1})
    assert asyncio.run(made.set_job_status("QUEUED")) is True
    assert asyncio.run(made.set_job_status("LATE")) is False
    assert kept == [{"id": 1}, "QUEUED"]
    assert made.get_cancel_requested() is True
    assert made.get_version_info() == {"python": "3.11.7", "covalent": "1"}
    with pytest.raises(TypeError):
        made.set_job_handle(object())


def test_resolved_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The attribute has the value, the text form does not."""
    monkeypatch.setenv("MY_FOLDER", "sesame")
    made = Calling()
    made.attach(JobLink(), {"cache_dir": "env:MY_FOLDER"})
    assert made.cache_dir == "sesame"
    assert "sesame" not in repr(made)
    assert "cache_dir=***" in repr(made)


def test_streams_are_appended(tmp_path: Path) -> None:
    """Relative names below results folder and dispatch, absolute ones where they say, empty ones nowhere."""
    absolute = tmp_path / "elsewhere" / "err"
    made, awaiting = Calling(), Awaiting()
    made.write_streams_to_file(("a", "b"), ("logs/out", str(absolute)), "d", str(tmp_path))
    asyncio.run(awaiting.write_streams_to_file(("c", "d"), ("logs/out", ""), "d", str(tmp_path)))
    assert (tmp_path / "d" / "logs" / "out").read_text() == "ac"
    assert absolute.read_text() == "b"


def test_dispatch_context_is_told_inside_only() -> None:
    """As a context manager that gives what it was given."""
    info = DispatchInfo(dispatch_id="d")
    with Calling().get_dispatch_context(info) as given:
        assert given is info
        assert get_active_dispatch_info() is info
    assert get_active_dispatch_info() is None


def test_wrapper_applies_hooks_around_the_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they deliver is a keyword argument."""
    for name in ("COVALENT_DISPATCH_ID", "COVALENT_TASK_ID"):
        monkeypatch.setenv(name, "")
    log = tmp_path / "log"

    def note(word: str) -> str:
        with log.open("a") as file:
            file.write(word)
        return word

    before = DepsCall(note, args=["before "], retval_keyword="y").to_dict()
    after = DepsCall(note, args=["after"]).to_dict()
    shell = TaskShell.of(
        TransportableObject(lambda x, y: (x, y)),
        {"call_before": [before], "call_after": [after]},
        {"dispatch_id": "d", "node_id": 1},
        lambda *_: None,
    )
    assert shell.args[0].python_version.startswith("3.")
    copy = TransportableObject(shell).get_deserialized()
    assert copy(TransportableObject(1)).get_deserialized() == (1, "before ")
    assert log.read_text() == "before after"
    assert get_context() == Context(dispatch_id="d", task_id=1)


def test_io_wrapper_keeps_streams_and_traceback(tmp_path: Path) -> None:
    """The function runs in the folder."""

    def speak() -> str:
        print("out")
        return str(Path.cwd())

    def fail() -> None:
        raise ValueError("no")

    assert io_wrapper(speak, [], {}, str(tmp_path / "new")) == (str(tmp_path / "new"), "out\n", "", "")
    value, out, err, trace = io_wrapper(fail, [], {})
    assert (value, out, err) == (None, "", trace)
    assert trace.endswith("ValueError: no\n")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installed plugin packages: a class, two modules as Covalent's plugins write them, and one without a name."""
    monkeypatch.setenv("COVALENT_CONFIG_DIR", str(tmp_path))
    monkeypatch.setattr(reader, "_executor_defaults", {})
    targets = {
        GROUP: {"local": "covalent_lab_executors.local:LocalExecutor", "direct": "plugin_direct:Direct"},
        OLDER_GROUPS[0]: {"old": "plugin_old", "nameless": "plugin_nameless", "local": "plugin_old"},
        OLDER_GROUPS[1]: {"older": "plugin_older"},
    }
    code = "from covalent_lab.executor.base import BaseExecutor\nclass {0}(BaseExecutor):\n    def run(self, *a): ...\n"
    files = {
        "plugin_direct": code.format("Direct"),
        "plugin_old": code.format("Old")
        + "EXECUTOR_PLUGIN_NAME = 'Old'\n_EXECUTOR_PLUGIN_DEFAULTS = {'a': {'b': 1}}\n",
        "plugin_older": code.format("Older") + "executor_plugin_name = 'Older'\n",
        "plugin_nameless": code.format("Nameless"),
    }
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))

    def entry_points(*, group: str) -> list[EntryPoint]:
        return [EntryPoint(name=name, value=value, group=group) for name, value in targets[group].items()]

    monkeypatch.setattr(plugins, "entry_points", entry_points)


def test_plugins_of_all_groups_are_found(packages: None, caplog: pytest.LogCaptureFixture) -> None:
    """What comes with this package cannot be replaced; a module without a name is no plugin."""
    found = ExecutorRegistry()
    assert found.names() == ("direct", "local", "nameless", "old", "older")
    assert found.load("local").__name__ == "LocalExecutor"
    for class_name in ("Direct", "Old", "Older"):
        cls = found.load_class(class_name)
        assert cls is not None
        assert cls.__name__ == class_name
    with pytest.raises(UnknownExecutorError, match="nameless"):
        found.load("nameless")
    assert "EXECUTOR_PLUGIN_NAME" in caplog.text
    assert get_config("executors.old") == {"a": {"b": 1}}


def test_defaults_of_a_plugin_do_not_override(packages: None, tmp_path: Path) -> None:
    """The file wins, key by key."""
    (tmp_path / "covalent.conf").write_text("[executors.old]\nc = 2\n[executors.old.a]\nb = 7\n")
    ExecutorRegistry().load("old")
    assert get_config("executors.old") == {"a": {"b": 7}, "c": 2}


def test_instance_is_known_by_its_plugins_name(packages: None) -> None:
    """Also one whose class was imported directly."""
    import plugin_direct  # type: ignore[import-not-found]

    assert ExecutorRegistry().name_of(plugin_direct.Direct) == "direct"
    assert ExecutorRegistry().name_of(Calling) is None


def test_plugins_can_be_left_out(packages: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """`COVALENT_PLUGIN_LOAD=false` leaves what comes with this package."""
    monkeypatch.setenv("COVALENT_PLUGIN_LOAD", "false")
    assert ExecutorRegistry().names() == ("local",)


def test_file_that_cannot_be_loaded_is_told_with_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By name; whoever lists all classes gets the others, and a line in the log."""
    monkeypatch.setenv("COVALENT_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("COVALENT_EXECUTOR_DIR", f"{tmp_path / 'no-such-folder'}:{tmp_path}")
    (tmp_path / "bad.py").write_text("1 / 0\n")
    (tmp_path / "_private.py").write_text("1 / 0\n")
    (tmp_path / "other.py").write_text("EXECUTOR_PLUGIN_NAME = 'Missing'\n")
    found = ExecutorRegistry()
    assert {"bad", "other"} <= set(found.names())
    assert "_private" not in found.names()
    with pytest.raises(BackendError, match=r"bad\.py.*ZeroDivisionError"):
        found.load("bad")
    with pytest.raises(BackendError, match="other"):
        found.load("other")
    assert "local" in found.load_all()


@pytest.mark.parametrize("fails", [False, True])
def test_local_executor_has_the_documented_methods(tmp_path: Path, fails: bool) -> None:
    """An instance that no dispatcher started runs a task in a process of its own, in its folder."""
    from covalent_lab_executors.local import LocalExecutor

    def task(x: int) -> tuple[int, str]:
        print("there")
        if fails:
            raise ValueError("no")
        return x, os.getcwd()

    made = LocalExecutor(workdir=str(tmp_path / "work"), log_stdout="out.log")
    assert isinstance(made, AsyncBaseExecutor)
    assert made.short_name() == made.to_dict()["short_name"] == "local"
    call = (call_of(task), [TransportableObject(1)], {}, "d", str(tmp_path), 3)
    output, out, err, status = asyncio.run(made.execute(*call))
    assert out == (tmp_path / "d" / "out.log").read_text() == "there\n"
    if fails:
        assert (output, status) == (None, "FAILED")
        assert err.count("ValueError: no") == 1
    else:
        assert (output.get_deserialized(), err, status) == ((1, str(tmp_path / "work")), "", "COMPLETED")
    assert asyncio.run(made.cancel({"dispatch_id": "d"}, None)) is False
