"""What a task finds, and leaves behind, in the processes of the local executor."""

import asyncio
import base64
import os
import signal
import sys
import time
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from covalent_lab import payload
from covalent_lab.executor.base import JobStatus, PayloadSource
from covalent_lab.executor.registry import load
from covalent_lab.testing.fakes import FakeHost
from covalent_lab.testing.jobs import Running, job

Play = Callable[[Callable[[Running], Awaitable[None]]], FakeHost]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Play a scenario on an executor with one worker, so that tasks follow each other in one process."""

    def run(scenario: Callable[[Running], Awaitable[None]]) -> FakeHost:
        async def main() -> FakeHost:
            host, executor = FakeHost(tmp_path), load("local")(workers=1)
            await executor.start(host)
            try:
                await scenario(Running(executor=executor, host=host))
            finally:
                await executor.close()
            return host

        return asyncio.run(main())

    return run


def test_process_settings_are_put_back(play: Play) -> None:
    """Signal handlers, umask, warning filters, recursion limit and pending alarms do not reach the next task."""

    def change() -> int:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, lambda number, frame: None)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        signal.alarm(3600)
        os.umask(0o777)
        warnings.simplefilter("error")
        sys.setrecursionlimit(50_000)
        sys.argv[:] = ["changed"]
        return os.getpid()

    def look() -> tuple[Any, ...]:
        mask = os.umask(0)
        warnings.warn("harmless", stacklevel=1)
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
        handlers = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
        return os.getpid(), mask, signal.alarm(0), sys.getrecursionlimit(), len(blocked), handlers

    async def scenario(running: Running) -> None:
        pid, *before = await running.value(job(look, node_id=0))
        assert await running.value(job(change, node_id=1)) == pid
        assert await running.value(job(look, node_id=2)) == (pid, *before)
        assert before[1:4] == [0, sys.getrecursionlimit(), 0]
        assert before[4] == (signal.SIG_DFL, signal.default_int_handler)

    play(scenario)


def test_closed_and_replaced_streams_are_opened_again(play: Play) -> None:
    """A task may close its streams or the file descriptors below them."""

    def close_objects() -> None:
        sys.stdout.close()
        sys.stderr = None  # type: ignore[assignment]

    def close_descriptors() -> None:
        os.close(1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)

    def talk() -> None:
        print("out")
        print("err", file=sys.stderr)

    async def scenario(running: Running) -> None:
        for number, vandal in enumerate((close_objects, close_descriptors)):
            await running.value(job(vandal, node_id=2 * number))
            outcome = await running.outcome(job(talk, node_id=2 * number + 1))
            assert (outcome.stdout, outcome.stderr) == ("out\n", "err\n")

    play(scenario)


def test_streams_can_be_read_while_the_task_runs(play: Play, tmp_path: Path) -> None:
    """The start names files in which printed lines appear at once."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)

    def talk(path: str) -> None:
        print("first")
        with open(path, "w") as file:
            file.write("printed")
        with open(path) as file:
            file.read()

    def exchange() -> None:
        assert gate.read_text() == "printed"

    def release() -> None:
        gate.write_text("go")

    async def scenario(running: Running) -> None:
        spec = job(talk, str(gate))
        await running.submit(spec)
        await asyncio.to_thread(exchange)
        path = (await running.host.start_of(spec.attempt_id)).stdout_path
        assert path is not None
        assert await asyncio.to_thread(Path(path).read_text) == "first\n"
        await asyncio.to_thread(release)
        assert (await running.host.finished(spec.attempt_id)).stdout == "first\n"

    play(scenario)


def test_long_output_keeps_its_end(play: Play) -> None:
    """The last megabyte, with a note of what is missing."""

    def talk() -> None:
        sys.stdout.write("x" * (3 << 20) + "end")

    async def scenario(running: Running) -> None:
        stdout = (await running.outcome(job(talk))).stdout
        note, _, text = stdout.partition("\n")
        assert note == f"[{(2 << 20) + 3} bytes left out]"
        assert len(text) == 1 << 20
        assert text.endswith("xend")

    play(scenario)


def test_working_directory_follows_the_options(play: Play, tmp_path: Path) -> None:
    """Absolute, relative to the notebook, one per node; and a failure where it cannot be made."""
    notebook = tmp_path / "notebook"
    notebook.mkdir()
    (tmp_path / "file").write_text("")
    client = {"cwd": str(notebook)}
    cases = [
        ({}, str(tmp_path / "work" / "tasks")),
        ({"workdir": str(tmp_path / "a" / "b")}, str(tmp_path / "a" / "b")),
        ({"workdir": "out"}, str(notebook / "out")),
        ({"workdir": "out", "create_unique_workdir": True}, str(notebook / "out" / "dispatch" / "node_3")),
    ]

    async def scenario(running: Running) -> None:
        for number, (options, expected) in enumerate(cases):
            assert await running.value(job(os.getcwd, node_id=number, options=options, client=client)) == expected
        outcome = await running.outcome(job(os.getcwd, node_id=9, options={"workdir": str(tmp_path / "file" / "x")}))
        assert outcome.status is JobStatus.FAILED
        assert outcome.failure is not None
        assert not outcome.failure.is_user_error
        assert "Cannot enter the working directory" in outcome.failure.message

    play(scenario)


def test_modules_beside_the_notebook_are_importable_there_only(play: Play, tmp_path: Path) -> None:
    """Its own tasks see them, tasks from elsewhere do not, and an edit is seen by the next task."""
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    for folder in (here, elsewhere):
        (folder / "beside").mkdir(parents=True)
        (folder / "beside" / "__init__.py").write_text(f"from beside.part import value\nplace = {folder.name!r}\n")
        (folder / "beside" / "part.py").write_text("value = 1\nprint('loaded')\n")

    def look() -> tuple[str, int, str]:
        import beside  # type: ignore[import-not-found]

        return beside.place, beside.value, os.path.basename(sys.path[0])

    def missing() -> bool:
        return "beside" in sys.modules

    async def scenario(running: Running) -> None:
        def at(folder: Path, number: int) -> Any:
            return job(look, node_id=number, client={"cwd": str(folder)})

        first = await running.outcome(at(here, 0))
        assert running.load(first) == ("here", 1, "here")
        assert first.stdout == "loaded\n"
        assert (await running.outcome(at(here, 1))).stdout == "", "unchanged files are not loaded again"
        assert await running.value(job(missing, node_id=2)) is False
        assert (await running.value(at(elsewhere, 3)))[0] == "elsewhere"
        (here / "beside" / "part.py").write_text("value = 22222\n")
        assert await running.value(at(here, 4)) == ("here", 22222, "here")

    play(scenario)


def test_function_of_an_edited_module_is_loaded_again(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function pickled by reference keeps its digest when its file changes, and still runs the new code."""
    (tmp_path / "edited.py").write_text("def answer():\n    return 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import edited  # type: ignore[import-not-found]

    spec = job(edited.answer, client={"cwd": str(tmp_path)})

    async def scenario(running: Running) -> None:
        assert await running.value(spec) == 1
        (tmp_path / "edited.py").write_text("def answer():\n    return 'two'\n")
        again = replace(spec, attempt_id=job(edited.answer, node_id=1).attempt_id)
        assert await running.value(again) == "two"

    play(scenario)


def test_missing_module_is_no_fault_of_the_task(play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The failure names the module and the interpreter that lacks it."""
    (tmp_path / "only_in_the_notebook.py").write_text("def answer():\n    return 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import only_in_the_notebook  # type: ignore[import-not-found]

    async def scenario(running: Running) -> None:
        outcome = await running.outcome(job(only_in_the_notebook.answer))
        assert outcome.failure is not None
        assert not outcome.failure.is_user_error
        assert "No module named 'only_in_the_notebook'" in outcome.failure.message
        assert sys.executable in outcome.failure.message

    play(scenario)


def test_arrays_from_files_are_mapped_and_writable(play: Play, tmp_path: Path) -> None:
    """A task may change its input; the payload file stays as it is."""
    numpy = pytest.importorskip("numpy")
    values = numpy.arange(100_000)
    stored = payload.encode(values)
    path = tmp_path / "values"
    path.write_bytes(stored.tobytes())

    def change(big: Any, small: Any) -> tuple[int, bool, bool]:
        big[:] = 0
        small[:] = 0
        return int(big.sum() + small.sum()), bool(big.flags.aligned), bool(big.flags.owndata)

    small = job(change, None, numpy.arange(10)).args[1]
    spec = replace(job(change), args=(PayloadSource(ref=stored.ref, path=str(path)), small))

    async def scenario(running: Running) -> None:
        assert await running.value(spec) == (0, True, False)

    play(scenario)
    assert path.read_bytes() == stored.tobytes()


def test_output_that_does_not_fit_on_the_disk_is_a_failure(play: Play) -> None:
    """No half file is left, and it is not the task's fault."""

    def large() -> bytes:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        return bytes(1 << 20)

    async def scenario(running: Running) -> None:
        outcome = await running.outcome(job(large))
        assert outcome.failure is not None
        assert not outcome.failure.is_user_error
        assert "Cannot store the result of task 'large': OSError" in outcome.failure.message

    host = play(scenario)
    assert list(Path(host.payload_dir).rglob("*")) == []


def test_tasks_may_use_multiprocessing(play: Play) -> None:
    """Helpers defined in the notebook are found by the processes of a pool."""
    scope: dict[str, Any] = {"__name__": "__main__"}
    code = (
        "import multiprocessing\n"
        "def square(x):\n    return x * x\n"
        "def squares():\n"
        "    with multiprocessing.get_context('fork').Pool(2) as pool:\n"
        "        return pool.map(square, range(4))\n"
    )
    exec(code, scope)

    async def scenario(running: Running) -> None:
        assert await running.value(job(scope["squares"])) == [0, 1, 4, 9]

    play(scenario)


def test_broken_text_forms_fail_nothing_more(play: Play) -> None:
    """An exception or a result whose `__str__` raises is still reported."""

    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("mute")

    def fail() -> None:
        raise MuteError

    def give() -> Any:
        return MuteError()

    async def scenario(running: Running) -> None:
        outcome = await running.outcome(job(fail))
        assert outcome.failure is not None
        assert outcome.failure.message.endswith("MuteError: <its text form failed>")
        assert (await running.outcome(job(give, node_id=1))).status is JobStatus.COMPLETED

    play(scenario)


def transported(value: Any) -> dict[str, Any]:
    """A value as hooks carry it."""
    text = base64.b64encode(cloudpickle.dumps(value)).decode()
    return {"type": "TransportableObject", "attributes": {"_object": text}}


def hook(function: Callable[..., Any], *args: Any, keyword: str = "", **kwargs: Any) -> dict[str, Any]:
    """A hook as the SDK writes it."""
    attributes = {
        "apply_fn": transported(function),
        "apply_args": transported(list(args)),
        "apply_kwargs": transported(kwargs),
        "retval_keyword": keyword,
    }
    return {"type": "DepsCall", "short_name": "covalent_lab", "attributes": attributes}


def test_hooks_run_in_order_and_pass_values_on(play: Play) -> None:
    """bash, pip, before, task, after; one value as it is, several as a list, `files` always as a list."""

    def mark(name: str, value: Any = None) -> Any:
        print(name, end=" ")
        os.environ["MARK"] = name
        return value

    def task(x: int, one: Any = None, many: Any = None, files: Any = None) -> Any:
        return x, one, many, files, os.environ["MARK"]

    hooks = {
        "deps": {"pip": hook(mark, "pip"), "bash": hook(mark, "bash")},
        "call_before": [
            hook(mark, "b1", value=1, keyword="one"),
            hook(mark, "b2", value=2, keyword="many"),
            hook(mark, "b3", value=3, keyword="many"),
            hook(mark, "b4", value=4, keyword="files"),
            hook(mark, "b5", value=5),
        ],
        "call_after": [hook(mark, "a1"), hook(mark, "a2")],
    }

    async def scenario(running: Running) -> None:
        outcome = await running.outcome(job(task, 0, hooks=hooks))
        assert running.load(outcome) == (0, 1, [2, 3], [4], "b5")
        assert outcome.stdout == "bash pip b1 b2 b3 b4 b5 a1 a2 "

    play(scenario)


@pytest.mark.parametrize("place", ["deps", "call_before", "call_after"])
@pytest.mark.parametrize("broken", [False, True])
def test_failing_hook_fails_the_task(play: Play, place: str, broken: bool) -> None:
    """A hook that raises, or that is no hook at all."""

    def fail() -> None:
        raise OSError("hook")

    form: Any = {"type": "DepsCall", "attributes": {}} if broken else hook(fail)

    async def scenario(running: Running) -> None:
        outcome = await running.outcome(job(lambda: 1, hooks={place: [form]}))
        assert outcome.failure is not None
        assert outcome.failure.message.startswith("TypeError: a hook holds" if broken else "OSError: hook")
        assert outcome.output is None

    play(scenario)


def test_times_are_those_of_the_task(play: Play) -> None:
    """The reported times enclose what the task saw."""

    async def scenario(running: Running) -> None:
        outcome = await running.outcome(job(time.time))
        assert outcome.started_at is not None
        assert outcome.ended_at is not None
        assert outcome.started_at <= running.load(outcome) <= outcome.ended_at

    play(scenario)
