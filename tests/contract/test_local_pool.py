"""How processes of the local executor come and go."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from covalent_lab.errors import BackendError
from covalent_lab.executor.base import JobFinished, JobStarted, JobStatus
from covalent_lab.executor.registry import load
from covalent_lab.ids import AttemptId
from covalent_lab.testing.fakes import FakeHost
from covalent_lab.testing.jobs import Beacon, Running, job

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import tests


@asynccontextmanager
async def local(folder: Path, workers: int = 1) -> Any:
    """A started local executor."""
    host, executor = FakeHost(folder), load("local")(workers=workers)
    await executor.start(host)
    try:
        yield Running(executor=executor, host=host)
    finally:
        await executor.close()


def program(path: Path, text: str) -> str:
    """An executable shell script."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def interpreter(path: Path) -> str:
    """Another name for this interpreter, which tasks can tell by the variable INTERPRETER."""
    return program(path, f'INTERPRETER="$0" exec {sys.executable} "$@"')


def which() -> str | None:
    """Which of the interpreters above runs the task."""
    return os.environ.get("INTERPRETER")


def gate(port: int) -> None:
    """A task that says that it is there, and ends when it is told to."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"%d\n" % os.getpid())
        connection.recv(1)


def order(host: FakeHost) -> Sequence[AttemptId]:
    """Attempt ids in the order in which they started."""
    return [update.attempt_id for update in host.updates if isinstance(update, JobStarted)]


def test_dispatches_take_turns(tmp_path: Path) -> None:
    """A small dispatch does not wait for a large one that came first."""

    async def main() -> FakeHost:
        async with local(tmp_path) as running:
            large = [job(int, node_id=n, dispatch_id="large") for n in range(50)]
            small = job(int, dispatch_id="small")
            await running.submit(*large)
            await running.submit(small)
            await running.host.until(lambda: len(running.host.outcomes()) == 51)
            return running.host

    assert order(asyncio.run(main())).index(AttemptId("small:0:1")) <= 1


def test_interpreter_of_the_notebook_runs_its_tasks(tmp_path: Path) -> None:
    """One worker serves two interpreters and the server's own in turn."""
    names = [interpreter(tmp_path / name) for name in ("one", "two")]

    async def main() -> None:
        async with local(tmp_path) as running:
            for number, python in enumerate((*names, "", sys.executable)):
                spec = job(which, node_id=number, client={"python": python})
                assert await running.value(spec) == (python if number < 2 else None)

    asyncio.run(main())


@pytest.mark.parametrize("kind", ["missing", "broken"])
def test_unusable_interpreter_is_replaced_with_a_warning(tmp_path: Path, kind: str) -> None:
    """The task runs with the server's own interpreter, and its standard error says why."""
    calls = tmp_path / "calls"
    path = tmp_path / "python"
    if kind == "broken":
        program(path, f"echo call >> {calls}; echo No module named cloudpickle >&2; exit 1")

    async def main() -> None:
        async with local(tmp_path) as running:
            for number in range(3):
                outcome = await running.outcome(job(which, node_id=number, client={"python": str(path)}))
                assert running.load(outcome) is None
                reason = "No module named cloudpickle" if kind == "broken" else "no such program"
                assert reason in outcome.stderr
                assert str(path) in outcome.stderr

    asyncio.run(main())
    assert not calls.exists() or calls.read_text().count("call") == 3


def test_tasks_fail_when_no_worker_can_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three tries, then every queued task fails with what the interpreter said; later tasks get new tries."""
    calls = tmp_path / "calls"
    broken = program(tmp_path / "python", f"echo call >> {calls}; echo broken beyond repair >&2; exit 1")
    monkeypatch.setattr(sys, "executable", broken)

    async def main() -> None:
        async with local(tmp_path, workers=1) as running:
            specs = [job(int, node_id=n) for n in range(3)]
            await running.submit(*specs)
            for spec in specs:
                outcome = await running.host.finished(spec.attempt_id)
                assert outcome.failure is not None
                assert not outcome.failure.is_user_error
                assert "broken beyond repair" in outcome.failure.message
                assert "broken beyond repair" in outcome.stderr
            assert (await running.outcome(job(int, node_id=9))).status is JobStatus.FAILED

    asyncio.run(main())
    assert calls.read_text().count("call") == 6


def test_other_python_version_is_pointed_out(tmp_path: Path) -> None:
    """Functions may not load in another minor version, so standard error says so before they fail."""

    async def main() -> None:
        async with local(tmp_path) as running:
            outcome = await running.outcome(job(int, client={"python_version": "3.1.4"}))
            assert "written with Python 3.1.4" in outcome.stderr

    asyncio.run(main())


def test_busy_interpreter_gives_a_worker_to_another(tmp_path: Path) -> None:
    """With two workers, a long line for one interpreter does not keep the other out."""
    other = interpreter(tmp_path / "other")

    async def main() -> FakeHost:
        async with local(tmp_path, workers=2) as running:
            await running.submit(*(job(time.sleep, 0.001, node_id=n, dispatch_id="long") for n in range(2000)))
            spec = job(which, dispatch_id="short", client={"python": other})
            assert await running.value(spec) == other
            assert len(running.host.outcomes()) < 2001
            return running.host

    asyncio.run(main())


def test_task_that_writes_into_the_channel_fails_alone(tmp_path: Path) -> None:
    """Bytes that are no message end the process, and are never believed."""

    def scribble() -> None:
        for descriptor in range(3, 40):
            try:
                os.write(descriptor, b"\x00\x00\x00\x02" + bytes(8) + b"[]")
            except OSError:
                continue
        time.sleep(600)

    async def main() -> None:
        async with local(tmp_path) as running:
            outcome = await running.outcome(job(scribble))
            assert outcome.failure is not None
            assert "channel" in outcome.failure.message
            assert await running.value(job(int, node_id=1)) == 0

    asyncio.run(main())


def test_task_that_closes_every_descriptor_fails_alone(tmp_path: Path) -> None:
    """A worker that lost its channel is replaced."""

    def close_all() -> None:
        os.closerange(3, 1000)
        time.sleep(600)

    async def main() -> None:
        async with local(tmp_path) as running:
            outcome = await running.outcome(job(close_all))
            assert outcome.status is JobStatus.FAILED
            assert await running.value(job(int, node_id=1)) == 0

    asyncio.run(main())


def test_options_that_make_no_sense_fail_their_job(tmp_path: Path) -> None:
    """A grace that is no number is the default one; other jobs run."""

    async def main() -> None:
        async with local(tmp_path) as running:
            assert await running.value(job(int, options={"grace_s": "soon", "workdir": None})) == 0
            outcome = await running.outcome(job(int, node_id=1, options={"workdir": "with\0zero"}))
            assert outcome.status is JobStatus.FAILED

    asyncio.run(main())


def test_jobs_of_an_earlier_server_are_lost(tmp_path: Path) -> None:
    """Nothing outlives its server; what is at work here is left alone."""

    async def main() -> None:
        async with Beacon() as beacon, local(tmp_path) as running:
            here = job(gate, beacon.port)
            (handle,) = await running.submit(here)
            await beacon.word()
            await running.executor.watch({AttemptId("old:1:1"): {"server_pid": 1}, here.attempt_id: handle})
            lost = (await running.host.finished(AttemptId("old:1:1"))).failure
            assert lost is not None
            assert lost.is_transient
            assert not lost.is_user_error
            assert here.attempt_id not in running.host.outcomes()
            beacon.answer()
            assert (await running.host.finished(here.attempt_id)).status is JobStatus.COMPLETED

    asyncio.run(main())


def test_verbs_before_start_are_refused() -> None:
    """With the reason."""
    with pytest.raises(BackendError, match="was not started"):
        asyncio.run(load("local")().submit([job(int)]))


def test_closing_reports_nothing_and_leaves_no_files(tmp_path: Path) -> None:
    """Interrupted jobs are found LOST by the next server; stream files are gone, those of dead servers too."""
    dead = subprocess.Popen(["true"])
    dead.wait()
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / f"{dead.pid}-1.out").write_text("left")
    (tmp_path / "work" / "notes.out").write_text("not ours")

    async def main() -> FakeHost:
        async with Beacon() as beacon, local(tmp_path, workers=2) as running:
            await running.submit(job(gate, beacon.port), job(gate, beacon.port, node_id=1), job(int, node_id=2))
            await beacon.word()
            await beacon.word()
            await running.executor.close()
            return running.host

    host = asyncio.run(main())
    assert [update for update in host.updates if isinstance(update, JobFinished)] == []
    assert sorted(os.listdir(host.work_dir)) == ["notes.out", "tasks"]


def test_everything_ends_when_the_server_is_killed(tmp_path: Path) -> None:
    """Workers, running tasks and their children are gone, even if the task holds the interpreter lock."""
    script = textwrap.dedent(
        """
        import asyncio, socket, subprocess, sys, time
        from pathlib import Path
        from covalent_lab.executor.registry import load
        from covalent_lab.testing.fakes import FakeHost
        from covalent_lab.testing.jobs import job

        def hang(port):
            import ctypes
            connection = socket.create_connection(("127.0.0.1", port))
            child = [sys.executable, "-c", "import time; time.sleep(600)"]
            subprocess.Popen(child, pass_fds=[connection.fileno()])
            connection.sendall(b"here\\n")
            ctypes.PyDLL(None).sleep(600)

        async def main():
            executor = load("local")(workers=2)
            await executor.start(FakeHost(Path(sys.argv[2])))
            await executor.submit([job(hang, int(sys.argv[1]), node_id=n) for n in range(2)])
            await asyncio.sleep(600)

        asyncio.run(main())
        """
    )

    async def main() -> None:
        async with Beacon() as beacon:
            path = os.pathsep.join(sys.path)
            server = await asyncio.create_subprocess_exec(
                sys.executable, "-c", script, str(beacon.port), str(tmp_path), env={**os.environ, "PYTHONPATH": path}
            )
            await beacon.word()
            await beacon.word()
            server.send_signal(signal.SIGKILL)
            await server.wait()
            await beacon.gone()
            await beacon.gone()

    asyncio.run(main())
