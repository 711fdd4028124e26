"""Executors written by users, in dispatches: by name, by instance, and as a class that the dispatcher cannot import."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab.client.connection import connect, disconnect
from covalent_lab.config import reader
from covalent_lab.errors import MissingLatticeRecordError
from covalent_lab.executor import manager, registry
from covalent_lab.executor.base import AsyncBaseExecutor, BaseExecutor
from covalent_lab.executor.registry import ExecutorRegistry

PLUGIN = """
from covalent_lab.errors import TaskCancelledError, TaskRuntimeError
from covalent_lab.executor.base import BaseExecutor

EXECUTOR_PLUGIN_NAME = "TalkingExecutor"
_EXECUTOR_PLUGIN_DEFAULTS = {"greeting": "hello", "token": ""}

class TalkingExecutor(BaseExecutor):
    secrets = ("token",)

    def __init__(self, greeting="", token="", trouble="", **kwargs):
        super().__init__(**kwargs)
        self.greeting, self.token, self.trouble = greeting, token, trouble

    def run(self, function, args, kwargs, task_metadata):
        if self.trouble == "infrastructure":
            raise OSError("the backend is down")
        if self.trouble == "cancelled":
            raise TaskCancelledError
        if self.trouble == "task":
            raise TaskRuntimeError("ValueError: from afar")
        if self.trouble == "plain":
            return {"plain": 1}
        versions = self.get_version_info()
        assert versions["python"] == function.args[0].python_version
        print(self.greeting, len(self.token), sorted(task_metadata), file=self.task_stdout)
        return function(*args, **kwargs)
"""


@pytest.fixture(autouse=True)
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """All folders below the test's own, and a plugin folder with one plugin that works and one that does not."""
    for name in ("COVALENT_LAB_URL", "COVALENT_LAB_TOKEN", "COVALENT_DATABASE", "COVALENT_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("COVALENT_DATA_DIR", "COVALENT_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    (tmp_path / "jupyter_runtime_dir").mkdir()
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "talking.py").write_text(PLUGIN, encoding="utf-8")
    (folder / "broken.py").write_text("import no_such_module_anywhere\n", encoding="utf-8")
    monkeypatch.setenv("COVALENT_EXECUTOR_DIR", str(folder))
    monkeypatch.setattr(registry, "_registry", ExecutorRegistry())
    monkeypatch.setattr(reader, "_executor_defaults", {})
    yield folder
    disconnect()


def outcome_of(executor: Any, function: Any, *args: Any) -> ct.Result:
    """Dispatch one task, and wait for its end."""
    task = ct.electron(function, executor=executor)

    @ct.lattice
    def flow(*given: Any) -> Any:
        return task(*given)

    return ct.get_result(ct.dispatch(flow)(*args), wait=True)


def node_of(result: ct.Result) -> dict[str, Any]:
    """The one task's node."""
    return result.get_node_result(0)


def local_tasks() -> tuple[Any, Any]:
    """Tasks as a notebook defines them: pickled by value."""

    def double(x: int) -> int:
        print("doubling")
        return 2 * x

    def fail(x: int) -> int:
        raise ValueError(f"no {x}")

    return double, fail


double, fail = local_tasks()


def test_executor_is_chosen_by_name() -> None:
    """With its defaults; what it and the task print is the node's output."""
    result = outcome_of("talking", double, 4)
    assert result.result == 8
    assert node_of(result)["stdout"] == "hello 0 ['dispatch_id', 'node_id', 'results_dir']\ndoubling\n"


def test_configured_values_win_over_defaults() -> None:
    """And an instance's over both."""
    ct.set_config("executors.talking.greeting", "hi")
    assert node_of(outcome_of("talking", double, 4))["stdout"].startswith("hi 0")
    talking = registry.load("talking")
    assert node_of(outcome_of(talking(greeting="ho"), double, 4))["stdout"].startswith("ho 0")


@pytest.mark.parametrize(
    ("trouble", "status", "error"),
    [
        ("infrastructure", "FAILED", "Executor 'talking' failed: OSError: the backend is down"),
        ("cancelled", "CANCELLED", None),
        ("task", "FAILED", "ValueError: from afar"),
    ],
)
def test_what_run_raises_decides_how_the_node_ends(trouble: str, status: str, error: str | None) -> None:
    """Trouble of the executor names it; a task's own failure does not."""
    result = outcome_of(registry.load("talking")(trouble=trouble), double, 4)
    assert result.status == status
    assert node_of(result)["error"] == error


def test_plain_value_of_an_executor_is_pickled() -> None:
    """An executor may return something else than what the call returned."""
    assert outcome_of(registry.load("talking")(trouble="plain"), double, 4).result == {"plain": 1}


def test_broken_plugin_fails_its_nodes_only() -> None:
    """The error names executor and reason."""
    result = outcome_of("broken", double, 4)
    assert result.status == "FAILED"
    assert "'broken'" in node_of(result)["error"]
    assert "no_such_module_anywhere" in node_of(result)["error"]


def test_reference_to_a_secret_is_resolved_where_the_executor_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The instance gets the value; one that is missing fails the node by name."""
    monkeypatch.setenv("TALKING_TOKEN", "12345")
    talking = registry.load("talking")
    assert " 5 " in node_of(outcome_of(talking(token="env:TALKING_TOKEN"), double, 1))["stdout"]
    monkeypatch.delenv("TALKING_TOKEN")
    assert "TALKING_TOKEN" in node_of(outcome_of(talking(token="env:TALKING_TOKEN"), double, 1))["error"]


def local_classes() -> dict[str, Any]:
    """Classes as a notebook defines them: pickled by value."""

    class Here(BaseExecutor):
        """Calls the task; an attribute is no JSON."""

        def __init__(self, trouble: str = "") -> None:
            super().__init__(time_limit=100)
            self.trouble = trouble
            self.extra = {1, 2}

        def run(self, function: Any, args: Any, kwargs: Any, task_metadata: Any) -> Any:
            if self.trouble:
                raise OSError(self.trouble)
            self.set_job_handle({"pid": os.getpid()})
            assert self.extra == {1, 2}
            return function(*args, **kwargs)

    class Later(AsyncBaseExecutor):
        """The same in a coroutine."""

        async def run(self, function: Any, args: Any, kwargs: Any, task_metadata: Any) -> Any:
            await self.set_job_handle(1)
            return function(*args, **kwargs)

    return {"sync": Here, "async": Later}


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_class_of_a_notebook_needs_no_registration(kind: str) -> None:
    """Its instance runs in another process than the dispatcher, and its task's output is kept."""

    def where(x: int) -> tuple[int, int]:
        print("there")
        return x, os.getpid()

    result = outcome_of(local_classes()[kind](), where, 3)
    assert result.status == "COMPLETED", node_of(result)
    value, pid = result.result
    assert value == 3
    assert pid != os.getpid()
    assert node_of(result)["stdout"] == "there\n"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_task_of_a_notebooks_executor_fails_as_any_other(kind: str) -> None:
    """The message is the task's, its traceback is told once."""
    result = outcome_of(local_classes()[kind](), fail, 3)
    node = node_of(result)
    assert result.status == "FAILED"
    assert node["error"] == "ValueError: no 3"
    assert node["stderr"].count("ValueError: no 3") == 1
    assert "Hosted" not in node["stderr"]


def test_trouble_of_a_notebooks_executor_is_told_as_such() -> None:
    """The reason is there, and whose it is."""
    node = node_of(outcome_of(local_classes()["sync"](trouble="no route"), double, 3))
    assert node["error"] == "The task's executor failed: OSError: no route"
    assert "Traceback" in node["stderr"]


class Port:
    """Waits until a task connects, and until it is gone."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(120)
        self.number = self.socket.getsockname()[1]

    def accept(self, word: bytes = b"here") -> socket.socket:
        """The next connection, after its first word."""
        connection, _ = self.socket.accept()
        connection.settimeout(120)
        assert connection.recv(4) == word
        return connection


@pytest.fixture
def port() -> Iterator[Port]:
    """A port that tasks connect to."""
    made = Port()
    yield made
    made.socket.close()


@pytest.mark.parametrize("kind", ["sync", "async", "name"])
def test_running_task_is_cancelled(kind: str, port: Port) -> None:
    """Wherever its executor runs, the task's process ends."""
    number = port.number

    def hang() -> None:
        connection = socket.create_connection(("127.0.0.1", number))
        connection.sendall(b"here")
        time.sleep(600)

    executor = "talking" if kind == "name" else local_classes()[kind]()
    task = ct.electron(hang, executor=executor)

    @ct.lattice
    def flow() -> Any:
        return task()

    dispatch_id = ct.dispatch(flow)()
    connection = port.accept()
    ct.cancel(dispatch_id)
    assert connection.recv(1) == b""
    connection.close()
    assert ct.get_result(dispatch_id, wait=True).status == "CANCELLED"


def test_dispatcher_never_loads_what_users_pickled(tmp_path: Path) -> None:
    """Neither an executor's instance, nor functions, arguments and values are loaded in this process."""
    loaded = tmp_path / "loaded"

    class Telltale:
        """Writes down which process loads it."""

        def __reduce__(self) -> Any:
            return note, (str(loaded),)

    def note(path: str) -> int:
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{os.getpid()}\n")
        return 1

    def give(x: Any) -> Any:
        return x

    class Here(BaseExecutor):
        """Calls the task."""

        def __init__(self) -> None:
            super().__init__()
            self.telltale = Telltale()

        def run(self, function: Any, args: Any, kwargs: Any, task_metadata: Any) -> Any:
            return function(*args, **kwargs)

    for executor in ("talking", Here()):
        task = ct.electron(give, executor=executor)

        @ct.lattice
        def flow(x: Any, task: Any = task) -> Any:
            return task(x)

        flow.build_graph(Telltale())
        result = ct.get_result(ct.dispatch(flow)(Telltale()), wait=True)
        assert result.status == "COMPLETED", node_of(result)
    assert str(os.getpid()) not in loaded.read_text(encoding="utf-8").split()


def test_manager_knows_names_classes_and_instances(capsys: pytest.CaptureFixture[str], plugins: Path) -> None:
    """As documented: `_executor_manager`; broken plugins are left out, further folders can be added."""
    found = manager.ExecutorManager()
    assert found.list_executors() == [
        "broken",
        "dask",
        "kernel",
        "local",
        "lsf",
        "pbs",
        "sge",
        "slurm",
        "ssh",
        "talking",
    ]
    assert capsys.readouterr().out == "broken\ndask\nkernel\nlocal\nlsf\npbs\nsge\nslurm\nssh\ntalking\n"
    assert sorted(found.executor_plugins_map) == [
        "dask",
        "kernel",
        "local",
        "lsf",
        "pbs",
        "sge",
        "slurm",
        "ssh",
        "talking",
    ]
    assert found.is_plugin_name("talking")
    assert not found.is_plugin_name("nothing")
    made = found.get_executor("talking")
    assert type(made).__name__ == "TalkingExecutor"
    assert found.get_executor(made) is made
    assert found.get_executor("talking") is not made
    with pytest.raises(ValueError, match="'nothing'"):
        found.get_executor("nothing")
    with pytest.raises(TypeError, match="int"):
        found.get_executor(3)  # type: ignore[arg-type]
    more = plugins / "more"
    more.mkdir()
    (more / "second.py").write_text(PLUGIN.replace("TalkingExecutor", "SecondExecutor"), encoding="utf-8")
    found.load_executors(str(more))
    assert found.is_plugin_name("second")
    found.generate_plugins_list()
    assert ct.executor.TalkingExecutor.__name__ == "TalkingExecutor"


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither secret attributes, nor references, nor what hides them in a pickled instance, leave the dispatcher."""
    monkeypatch.setenv("TALKING_TOKEN", "sesame")
    talking = registry.load("talking")
    given, reference = talking(token="open-sesame"), talking(token="env:TALKING_TOKEN")
    assert "***" in repr(given)
    assert "***" in repr(reference)

    class Mine(BaseExecutor):
        """Has a secret of its own."""

        secrets = ("password",)

        def __init__(self) -> None:
            super().__init__()
            self.password = "open-sesame"

        def run(self, function: Any, args: Any, kwargs: Any, task_metadata: Any) -> Any:
            return len(self.password) + function(*args, **kwargs).get_deserialized()

    for executor, value in ((given, 2), (reference, 2), (Mine(), 13)):
        result = outcome_of(executor, double, 1)
        assert result.result == value, node_of(result)
        connection = connect()
        told = [
            connection.graph(result.dispatch_id),
            connection.detail(result.dispatch_id),
            connection.node(result.dispatch_id, 0),
        ]
        assert "sesame" not in repr(told)
        assert "TALKING_TOKEN" not in repr(told)
        assert "_pickled" not in repr(told)
        assert "'***'" in repr(told)


NOTIFIED = """
import asyncio

from covalent_lab.executor.base import AsyncBaseExecutor

EXECUTOR_PLUGIN_NAME = "NotifiedExecutor"

class NotifiedExecutor(AsyncBaseExecutor):
    SUPPORTS_MANAGED_EXECUTION = True

    async def run(self, function, args, kwargs, task_metadata):
        raise AssertionError

    def __init__(self, port=0):
        super().__init__()
        self.port = port

    async def say(self, word):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(word)
        writer.close()
        await writer.wait_closed()

    async def send(self, task_specs, resources, task_group_metadata):
        await self.say(b"sent")
        return "ticket"

    async def poll(self, task_group_metadata, data):
        assert data == "ticket"
        await self.say(b"poll")
        raise NotImplementedError

    async def receive(self, task_group_metadata, data):
        group = task_group_metadata
        return [
            {
                "dispatch_id": group["dispatch_id"],
                "node_id": group["node_ids"][0],
                "status": data["status"],
                "assets": {"output": {"remote_uri": data["output"]}},
            }
        ]
"""


@pytest.mark.parametrize("restarts", [False, True])
def test_backend_notifies_the_dispatcher(plugins: Path, tmp_path: Path, port: Port, restarts: bool) -> None:
    """The news reach the executor that waits for them, and no other; the job is not sent again after a restart."""
    (plugins / "notified.py").write_text(NOTIFIED, encoding="utf-8")
    result, body = tmp_path / "output", {"status": "COMPLETED", "output": str(tmp_path / "output")}
    result.write_bytes(ct.TransportableObject("from the backend").serialize())
    task = ct.electron(double, executor=registry.load("notified")(port=port.number))

    @ct.lattice
    def flow(x: int) -> Any:
        return task(x)

    dispatch_id = ct.dispatch(flow)(5)
    port.accept(b"sent").close()
    port.accept(b"poll").close()
    if restarts:
        disconnect()
        connect()
        port.accept(b"poll").close()
    lab = connect()._lab  # type: ignore[attr-defined]
    assert asyncio.run(lab.notify(dispatch_id, 0, body))
    assert ct.get_result(dispatch_id, wait=True).result == "from the backend"
    assert not asyncio.run(lab.notify(dispatch_id, 0, body))
    with pytest.raises(MissingLatticeRecordError):
        asyncio.run(lab.notify("nobody", 0, body))


STOPPABLE = """
from covalent_lab.executor.base import AsyncBaseExecutor
import asyncio
from pathlib import Path

EXECUTOR_PLUGIN_NAME = "StoppableExecutor"

class StoppableExecutor(AsyncBaseExecutor):
    def __init__(self, port=0, log=""):
        super().__init__()
        self.port, self.log = port, log

    async def run(self, function, args, kwargs, task_metadata):
        await self.set_job_handle({"job": len(self.lines())})
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(b"here")
            return (await reader.read(2)).decode()
        finally:
            writer.close()

    async def cancel(self, task_metadata, job_handle):
        Path(self.log).write_text("\\n".join([*self.lines(), f"cancel {job_handle['job']}"]))
        return False

    def lines(self):
        return Path(self.log).read_text().split("\\n") if Path(self.log).exists() else []
"""


def test_job_with_a_handle_is_stopped_and_run_again_after_a_restart(plugins: Path, tmp_path: Path, port: Port) -> None:
    """`cancel` gets the handle when the dispatcher stops, and again when the next one finds it."""
    (plugins / "stoppable.py").write_text(STOPPABLE, encoding="utf-8")
    log = tmp_path / "log"
    executor = registry.load("stoppable")(port=port.number, log=str(log))
    task = ct.electron(double, executor=executor)

    @ct.lattice
    def flow(x: int) -> Any:
        return task(x)

    dispatch_id = ct.dispatch(flow)(5)
    first = port.accept()
    disconnect()
    first.close()
    connect()
    second = port.accept()
    second.sendall(b"ok")
    second.close()
    assert ct.get_result(dispatch_id, wait=True).result == "ok"
    assert log.read_text().split("\n") == ["cancel 0", "cancel 0"]


def test_task_that_takes_too_long_is_stopped_and_tried_again(plugins: Path, tmp_path: Path) -> None:
    """`time_limit` and `retries` of an instance are the dispatcher's business."""
    tries = tmp_path / "tries"
    log = str(tries)

    def slow() -> str:
        with open(log, "a") as file:
            file.write("x")
        with open(log) as file:
            if file.read() == "x":
                time.sleep(600)
        return "second"

    result = outcome_of(registry.load("talking")(time_limit=2, retries=1), slow)
    assert result.result == "second"
    assert tries.read_text() == "xx"
