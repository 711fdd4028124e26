"""The contract of user-written executors, on one that blocks, one that awaits, and the documentation's own."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from covalent_lab import TransportableObject
from covalent_lab.config import reader
from covalent_lab.errors import TaskCancelledError, TaskRuntimeError
from covalent_lab.executor.base import AsyncBaseExecutor, BaseExecutor
from covalent_lab.executor.registry import ExecutorRegistry
from covalent_lab.testing.classic_suite import ClassicExecutorContract

JOB = """
import cloudpickle, sys
with open("call", "rb") as file:
    function, args, kwargs = cloudpickle.load(file)
output = function(*args, **kwargs).serialize()
with open("output", "wb") as file:
    file.write(output)
"""


def stop(pid: int) -> bool:
    """End a job that leads its own session."""
    try:
        os.killpg(pid, signal.SIGTERM)
    except ProcessLookupError:
        return False
    return True


class Blocking(BaseExecutor):
    """A process a job, stopped by its handle."""

    def run(
        self,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        task_metadata: Mapping[str, Any],
    ) -> Any:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "call").write_bytes(cloudpickle.dumps((function, list(args), dict(kwargs))))
            with subprocess.Popen(
                [sys.executable, "-c", JOB],
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                text=True,
            ) as process:
                self.set_job_handle({"pid": process.pid})
                out, err = process.communicate()
            self.task_stdout.write(out)
            self.task_stderr.write(err)
            if process.returncode < 0:
                raise TaskCancelledError
            if process.returncode:
                raise TaskRuntimeError(err)
            return TransportableObject.deserialize((folder / "output").read_bytes())

    def cancel(self, task_metadata: Mapping[str, Any], job_handle: Any) -> bool:
        return stop(job_handle["pid"])


class Awaiting(AsyncBaseExecutor):
    """The same, awaited; stopped because its coroutine is cancelled."""

    async def run(
        self,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        task_metadata: Mapping[str, Any],
    ) -> Any:
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp))
        try:
            (folder / "call").write_bytes(cloudpickle.dumps((function, list(args), dict(kwargs))))
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", JOB, cwd=folder, stdout=pipe, stderr=pipe, start_new_session=True
            )
            try:
                out, err = await process.communicate()
            except asyncio.CancelledError:
                stop(process.pid)
                await process.communicate()
                raise
            self.task_stdout.write(out.decode())
            self.task_stderr.write(err.decode())
            if process.returncode:
                raise TaskRuntimeError(err.decode())
            return TransportableObject.deserialize((folder / "output").read_bytes())
        finally:
            await asyncio.to_thread(shutil.rmtree, folder)


class Simple(BaseExecutor):
    """Simply calls the task."""

    def run(
        self,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        task_metadata: Mapping[str, Any],
    ) -> Any:
        return function(*args, **kwargs)


class SimpleAwaiting(AsyncBaseExecutor):
    """Calls the task in a thread."""

    async def run(
        self,
        function: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        task_metadata: Mapping[str, Any],
    ) -> Any:
        return await asyncio.to_thread(function, *args, **kwargs)


class TestBlocking(ClassicExecutorContract):
    """`BaseExecutor`, handle and `cancel`."""

    def make_executor(self) -> BaseExecutor:
        return Blocking()


class TestAwaiting(ClassicExecutorContract):
    """`AsyncBaseExecutor`, without either."""

    def make_executor(self) -> AsyncBaseExecutor:
        return Awaiting()


class TestSimple(ClassicExecutorContract):
    """An executor that calls the task where the dispatcher is."""

    def make_executor(self) -> BaseExecutor:
        return Simple()


class TestSimpleAwaiting(ClassicExecutorContract):
    """The same in a thread of a coroutine."""

    def make_executor(self) -> AsyncBaseExecutor:
        return SimpleAwaiting()


class TestDocumentedExample(ClassicExecutorContract):
    """The example of the documentation, found as a file in a plugin folder."""

    @pytest.fixture(autouse=True)
    def _installed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, require: Callable[..., str]) -> None:
        require("nice")
        page = Path(__file__).parents[2] / "docs" / "writing_executors.md"
        found = re.search(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        assert found is not None
        (tmp_path / "plugins").mkdir()
        (tmp_path / "plugins" / "nice.py").write_text(found[1], encoding="utf-8")
        monkeypatch.setenv("COVALENT_EXECUTOR_DIR", str(tmp_path / "plugins"))
        monkeypatch.setattr(reader, "_executor_defaults", {})
        self.registry = ExecutorRegistry()

    def make_executor(self) -> Any:
        made = self.registry.instance("nice")
        assert made.to_dict()["attributes"]["niceness"] == 5
        return made
