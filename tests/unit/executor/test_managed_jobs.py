"""Managed execution: `send`, `poll` and `receive`, notifications of the backend, and restarts."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from covalent_lab.executor.base import AsyncBaseExecutor, BaseExecutor, JobIdentified, JobStatus
from covalent_lab.executor.bridge import ClassicBridge
from covalent_lab.executor.classic_base import ClassicExecutor
from covalent_lab.executor.managed import ResourceMap, TaskSpec, TaskUpdate
from covalent_lab.testing.fakes import FakeHost
from covalent_lab.testing.jobs import Running, job

BACKEND = """
import json, sys, traceback
from pathlib import Path
from covalent_lab import TransportableObject
from covalent_lab.executor.task import wrapper_fn

def load(path):
    return TransportableObject.deserialize(Path(path).read_bytes())

order = json.loads(sys.argv[1])
try:
    args = [load(order["inputs"][str(node)]) for node in order["args"]]
    kwargs = {name: load(order["inputs"][str(node)]) for name, node in order["kwargs"].items()}
    value = wrapper_fn(load(order["function"]), [], [], *args, **kwargs)
    Path("output").write_bytes(value.serialize())
except Exception:
    sys.stderr.write(traceback.format_exc())
    sys.exit(1)
"""


def path_of(uri: str) -> str:
    """The path of a file URI."""
    return unquote(urlsplit(uri).path)


class Managed(AsyncBaseExecutor):
    """Runs a job as a process in a folder."""

    SUPPORTS_MANAGED_EXECUTION = True

    def __init__(self, folder: str = "", notifies: bool = False, output_uri: str = "") -> None:
        super().__init__()
        self.folder, self.notifies, self.output_uri = folder, notifies, output_uri

    async def run(self, function: Any, args: Any, kwargs: Any, task_metadata: Any) -> Any:
        raise AssertionError("a managed executor runs nothing itself")

    async def send(
        self, task_specs: Sequence[TaskSpec], resources: ResourceMap, task_group_metadata: Mapping[str, Any]
    ) -> Any:
        (task,) = task_specs
        assert task_group_metadata["node_ids"] == [task.electron_id]
        return await asyncio.to_thread(self.work, task, resources)

    def work(self, task: TaskSpec, resources: ResourceMap) -> dict[str, Any]:
        """The backend."""
        assert json.loads(Path(path_of(resources.hooks[task.electron_id])).read_text()) == {}
        order = {
            "function": path_of(resources.functions[task.electron_id]),
            "inputs": {node: path_of(uri) for node, uri in resources.inputs.items()},
            "args": task.args,
            "kwargs": task.kwargs,
        }
        command = [sys.executable, "-c", BACKEND, json.dumps(order)]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        Path(self.folder, "stdout").write_text(done.stdout)
        Path(self.folder, "stderr").write_text(done.stderr)
        return {"code": done.returncode}

    async def poll(self, task_group_metadata: Mapping[str, Any], data: Any) -> Any:
        if self.notifies:
            raise NotImplementedError
        return {"status": "FAILED" if data["code"] else "COMPLETED"}

    async def receive(self, task_group_metadata: Mapping[str, Any], data: Any) -> list[TaskUpdate]:
        if data["status"] == "READY":  # about other tasks of the group
            return []
        assets = {name: {"remote_uri": Path(self.folder, name).as_uri()} for name in ("output", "stdout", "stderr")}
        if self.output_uri:
            assets["output"] = {"remote_uri": self.output_uri}
        group = task_group_metadata
        return [
            TaskUpdate(
                dispatch_id=group["dispatch_id"], node_id=group["node_ids"][0], status=data["status"], assets=assets
            )
        ]


def run(folder: Path, made: ClassicExecutor, scenario: Any) -> FakeHost:
    """Play a scenario with an executor under the bridge."""

    async def play() -> FakeHost:
        host = FakeHost(folder)
        bridge = ClassicBridge("managed", lambda: made)
        await bridge.start(host)
        await scenario(Running(executor=bridge, host=host))
        await bridge.close()
        host.outcomes()
        return host

    return asyncio.run(play())


def test_value_and_streams_come_from_the_backends_files(tmp_path: Path) -> None:
    """Arguments reach the backend by node, and the job's own files are gone afterwards."""

    def task(x: int, y: int) -> int:
        print("far away")
        return x - y

    async def scenario(running: Running) -> None:
        outcome = await running.outcome(job(task, 7, kwargs={"y": 2}))
        assert outcome.status is JobStatus.COMPLETED, outcome
        assert running.load(outcome) == 5
        assert outcome.stdout == "far away\n"

    run(tmp_path, Managed(str(tmp_path)), scenario)
    assert list((tmp_path / "work" / "managed").iterdir()) == []


def test_failure_of_the_task_is_the_users(tmp_path: Path) -> None:
    """Its message is the last line of the standard error."""

    def task() -> None:
        raise ValueError("no")

    async def scenario(running: Running) -> None:
        outcome = await running.outcome(job(task))
        assert outcome.failure is not None
        assert outcome.failure.is_user_error
        assert outcome.failure.message == "ValueError: no"

    run(tmp_path, Managed(str(tmp_path)), scenario)


def test_backend_that_notifies_is_waited_for(tmp_path: Path) -> None:
    """News about other tasks are not the end; news for nobody are not taken."""

    async def scenario(running: Running) -> None:
        spec = job(lambda: 3)
        await running.submit(spec)
        await running.host.until(lambda: any(isinstance(u, JobIdentified) for u in running.host.updates))
        assert await running.executor.notify(spec.attempt_id, {"status": "READY"})
        assert await running.executor.notify(spec.attempt_id, {"status": "COMPLETED"})
        assert running.load(await running.host.finished(spec.attempt_id)) == 3
        assert not await running.executor.notify(spec.attempt_id, {"status": "COMPLETED"})

    run(tmp_path, Managed(str(tmp_path), notifies=True), scenario)


def test_job_goes_on_after_a_restart(tmp_path: Path) -> None:
    """What `send` returned is in the stored handle, and the next dispatcher polls with it."""
    spec = job(lambda: 4)
    handles: list[Mapping[str, Any]] = []

    async def first(running: Running) -> None:
        await running.submit(spec)
        await running.host.until(lambda: any(isinstance(u, JobIdentified) for u in running.host.updates))
        handles.extend(u.handle for u in running.host.updates if isinstance(u, JobIdentified))

    async def second(running: Running) -> None:
        await running.executor.watch({spec.attempt_id: json.loads(json.dumps(handles[-1]))})
        assert running.load(await running.host.finished(spec.attempt_id)) == 4

    host = run(tmp_path / "first", Managed(str(tmp_path), notifies=True), first)
    assert host.outcomes() == {}
    run(tmp_path / "second", Managed(str(tmp_path)), second)


@pytest.mark.parametrize(
    ("uri", "words"), [("s3://bucket/key", "no file of this machine"), ("file:///no/such/file", "cannot be read")]
)
def test_output_that_cannot_be_read_is_the_executors_fault(tmp_path: Path, uri: str, words: str) -> None:
    """The reason names the place."""

    async def scenario(running: Running) -> None:
        outcome = await running.outcome(job(lambda: 1))
        assert outcome.failure is not None
        assert not outcome.failure.is_user_error
        assert words in outcome.failure.message
        assert uri in outcome.failure.message

    run(tmp_path, Managed(str(tmp_path), output_uri=uri), scenario)


def test_blocking_executor_cannot_be_managed(tmp_path: Path) -> None:
    """The node fails and says why."""

    class Wrong(BaseExecutor):
        """Claims what only coroutines can do."""

        SUPPORTS_MANAGED_EXECUTION = True

        def run(self, function: Any, args: Any, kwargs: Any, task_metadata: Any) -> Any:
            return None

    async def scenario(running: Running) -> None:
        outcome = await running.outcome(job(lambda: 1))
        assert outcome.failure is not None
        assert "AsyncBaseExecutor" in outcome.failure.message

    run(tmp_path, Wrong(), scenario)


@pytest.mark.parametrize("status", ["RUNNING", "", "completed"])
def test_update_tells_an_end(status: str) -> None:
    """Other statuses are refused."""
    with pytest.raises(ValueError, match="no status that ends"):
        TaskUpdate.of({"dispatch_id": "d", "node_id": 1, "status": status})
