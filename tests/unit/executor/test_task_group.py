"""`run_task_group`: the tasks of a managed job, from files and to files."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from covalent_lab import DepsCall, TransportableObject, get_context
from covalent_lab.errors import BackendError
from covalent_lab.executor.base import AsyncBaseExecutor, JobStatus
from covalent_lab.executor.bridge import ClassicBridge
from covalent_lab.executor.managed import ResourceMap, TaskSpec, TaskUpdate
from covalent_lab.executor.task_group import run_task_group
from covalent_lab.testing.fakes import FakeHost
from covalent_lab.testing.jobs import Running, job

GROUP = {"dispatch_id": "d", "node_ids": [0, 1, 2], "task_group_id": 0}


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What tasks leave in the environment goes with the test."""
    for name in ("COVALENT_DISPATCH_ID", "COVALENT_TASK_ID"):
        monkeypatch.setenv(name, "")


def resources(
    folder: Path,
    functions: Sequence[Callable[..., Any]],
    inputs: Mapping[int, Any],
    hooks: Mapping[int, Any] | None = None,
) -> ResourceMap:
    """Files of tasks, numbered from 0, and of the nodes they take values from."""
    folder.mkdir(exist_ok=True)

    def put(name: str, data: bytes) -> str:
        (folder / name).write_bytes(data)
        return (folder / name).as_uri()

    return ResourceMap(
        functions={n: put(f"f{n}", TransportableObject(f).serialize()) for n, f in enumerate(functions)},
        inputs={n: put(f"i{n}", TransportableObject(value).serialize()) for n, value in inputs.items()},
        hooks={n: put(f"h{n}", json.dumps(form).encode()) for n, form in (hooks or {}).items()},
    )


def value(update: TaskUpdate) -> Any:
    """What a task returned."""
    path = Path(update.assets["output"]["remote_uri"].removeprefix("file://"))
    return TransportableObject.deserialize(path.read_bytes()).get_deserialized()


def text(update: TaskUpdate, key: str) -> str:
    """What a task printed."""
    return Path(update.assets[key]["remote_uri"].removeprefix("file://")).read_text()


def test_tasks_take_inputs_and_outputs_of_earlier_tasks(tmp_path: Path) -> None:
    """Values, streams and how they ended are files; a task knows which it is."""

    def double(x: int) -> int:
        print("double", get_context().task_id)
        return 2 * x

    def subtract(x: int, y: int) -> int:
        return x - y

    specs = [TaskSpec(electron_id=0, args=[7]), TaskSpec(electron_id=1, args=[0], kwargs={"y": 7})]
    updates = run_task_group(specs, resources(tmp_path / "in", [double, subtract], {7: 5}), str(tmp_path), GROUP)

    assert [(u.node_id, u.status, value(u), text(u, "stdout"), text(u, "stderr")) for u in updates] == [
        (0, "COMPLETED", 10, "double 0\n", ""),
        (1, "COMPLETED", 5, "", ""),
    ]
    assert (tmp_path / "node_1" / "results.tobj").is_file()
    told = [json.loads((tmp_path / f"result-d-{node}.json").read_text()) for node in (0, 1)]
    assert [asdict(TaskUpdate.of(form)) for form in told] == [asdict(update) for update in updates]


def test_what_an_earlier_attempt_left_is_removed_first(tmp_path: Path) -> None:
    """A job that crashes afterwards has left nothing that looks like its end."""
    result = tmp_path / "result-d-0.json"
    result.touch()
    found = resources(tmp_path / "in", [result.exists], {})
    (update,) = run_task_group([TaskSpec(electron_id=0)], found, str(tmp_path), GROUP)
    assert value(update) is False


def test_hooks_run_around_the_task(tmp_path: Path) -> None:
    """They may deliver arguments."""

    def trace(word: str) -> str:
        print(word)
        return word

    hooks = {
        "deps": {},
        "call_before": [DepsCall(trace, args=["before"], retval_keyword="word").to_dict()],
        "call_after": [DepsCall(trace, args=["after"]).to_dict()],
    }
    found = resources(tmp_path / "in", [lambda word: trace(f"in, {word}")], {}, {0: hooks})
    (update,) = run_task_group([TaskSpec(electron_id=0)], found, str(tmp_path), GROUP)
    assert (value(update), text(update, "stdout")) == ("in, before", "before\nin, before\nafter\n")


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit("no")])
def test_a_task_that_fails_leaves_its_traceback_and_those_without_its_output_do_not_run(
    tmp_path: Path, error: BaseException
) -> None:
    def fail() -> None:
        raise error

    ran = tmp_path / "ran"
    functions = [fail, lambda x: ran.touch(), lambda: 3]
    specs = [TaskSpec(electron_id=0), TaskSpec(electron_id=1, args=[0]), TaskSpec(electron_id=2)]
    updates = run_task_group(specs, resources(tmp_path / "in", functions, {}), str(tmp_path), GROUP)

    assert [update.status for update in updates] == ["FAILED", "CANCELLED", "COMPLETED"]
    assert text(updates[0], "stderr").endswith(f"{type(error).__name__}: no\n")
    assert "output" not in updates[0].assets
    assert updates[1].assets == {}
    assert not ran.exists()
    assert value(updates[2]) == 3


def test_an_input_that_is_not_there_fails_its_task_only(tmp_path: Path) -> None:
    found = resources(tmp_path / "in", [lambda x: x, lambda: 1], {5: 0})
    (tmp_path / "in" / "i5").unlink()
    specs = [TaskSpec(electron_id=0, args=[5]), TaskSpec(electron_id=1)]
    updates = run_task_group(specs, found, str(tmp_path), GROUP)
    assert [update.status for update in updates] == ["FAILED", "COMPLETED"]
    assert "FileNotFoundError" in text(updates[0], "stderr")


def test_the_caller_may_choose_the_files_and_give_what_json_made_of_the_arguments(tmp_path: Path) -> None:
    found = resources(tmp_path / "in", [lambda x: x + 1], {3: 1})
    specs, form = json.loads(json.dumps([[{"electron_id": 0, "args": [3], "kwargs": {}}], asdict(found)]))
    files = (str(tmp_path / "a" / "value"), (tmp_path / "out").as_uri(), str(tmp_path / "err"))
    (update,) = run_task_group(specs, form, str(tmp_path), GROUP, [files])
    assert value(update) == 2
    assert {name: asset["remote_uri"] for name, asset in update.assets.items()} == {
        "output": (tmp_path / "a" / "value").as_uri(),
        "stdout": (tmp_path / "out").as_uri(),
        "stderr": (tmp_path / "err").as_uri(),
    }


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"task_specs": [{"args": []}]}, KeyError),
        ({"resources": {"functions": {}}}, KeyError),
        ({"output_uris": []}, ValueError),
        ({"output_uris": [("s3://bucket/out", "out", "err")]}, BackendError),
    ],
)
def test_arguments_that_do_not_fit_are_refused(tmp_path: Path, change: dict[str, Any], error: type[Exception]) -> None:
    given = {
        "task_specs": [TaskSpec(electron_id=0)],
        "resources": resources(tmp_path / "in", [lambda: 1], {}),
        "results_dir": str(tmp_path / "results"),
        "task_group_metadata": GROUP,
    }
    with pytest.raises(error):
        run_task_group(**{**given, **change})  # type: ignore[arg-type]
    assert not (tmp_path / "results").exists()


PROGRAM = """
import json, sys
from covalent.executor.utils.wrappers import run_task_group
run_task_group(**json.loads(sys.argv[1]))
"""


class InProcess(AsyncBaseExecutor):
    """A managed executor whose jobs are processes that run task groups."""

    SUPPORTS_MANAGED_EXECUTION = True

    def __init__(self, folder: str = "") -> None:
        super().__init__()
        self.folder = folder

    async def run(self, function: Any, args: Any, kwargs: Any, task_metadata: Any) -> Any:
        raise AssertionError("a managed executor runs nothing itself")

    async def send(self, task_specs: Any, resources: Any, task_group_metadata: Any) -> Any:
        order = {
            "task_specs": [asdict(spec) for spec in task_specs],
            "resources": asdict(resources),
            "results_dir": self.folder,
            "task_group_metadata": task_group_metadata,
        }
        program = "from covalent_lab import compat; compat.install()\n" + PROGRAM
        return await asyncio.to_thread(
            lambda: subprocess.run([sys.executable, "-c", program, json.dumps(order)], check=False).returncode
        )

    async def poll(self, task_group_metadata: Any, data: Any) -> Any:
        return data

    async def receive(self, task_group_metadata: Any, data: Any) -> list[TaskUpdate]:
        return await asyncio.to_thread(self.updates, task_group_metadata, data)

    def updates(self, group: Mapping[str, Any], code: int) -> list[TaskUpdate]:
        """What the job left."""
        file = Path(self.folder, f"result-{group['dispatch_id']}-{group['node_ids'][0]}.json")
        if not file.exists():
            raise BackendError(f"The job ended with code {code}.")
        return [TaskUpdate.of(json.loads(file.read_text()))]


def test_a_managed_executor_runs_its_jobs_with_it(tmp_path: Path) -> None:
    """Under the documented module path; a job that crashes leaves no result."""

    def task(x: int, y: int) -> int:
        print("far away")
        return x - y

    def crash() -> None:
        import os

        os._exit(3)

    async def play() -> None:
        host = FakeHost(tmp_path)
        bridge = ClassicBridge("managed", lambda: InProcess(str(tmp_path / "results")))
        await bridge.start(host)
        running = Running(executor=bridge, host=host)
        outcome = await running.outcome(job(task, 7, kwargs={"y": 2}))
        crashed = await running.outcome(job(crash, node_id=1))
        await bridge.close()
        assert (outcome.status, running.load(outcome), outcome.stdout) == (JobStatus.COMPLETED, 5, "far away\n")
        assert crashed.failure is not None
        assert "ended with code 3" in crashed.failure.message
        assert not crashed.failure.is_user_error

    asyncio.run(play())
