"""What every executor must do, as tests: subclass `ExecutorContract`, say how to make one, run pytest.

    class TestMyExecutor(ExecutorContract):
        def make_executor(self) -> Executor:
            return MyExecutor()

        def make_refused(self) -> tuple[Executor, str]:
            return MyExecutor(token="wrong"), "Give another token"

        lacks = {"backend_restart": "it has none", "another_python": "it ships its own"}

Tasks are local functions, so that they are pickled by value. A task that a test must find at a certain point calls a
`Beacon`: the test waits for its word, and sees by the end of the connection that it and its children are gone.
"""

# ruff: noqa: T201  tasks print, which is what is tested

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from covalent_lab import payload
from covalent_lab.executor.base import Executor, JobFinished, JobStarted, JobStatus, Outcome, PayloadSource
from covalent_lab.testing.jobs import Beacon, Running, job
from covalent_lab.testing.recovery_suite import RecoveryContract

__all__ = ["ExecutorContract"]


class ExecutorContract(RecoveryContract):
    """The suite. A subclass gives `make_executor`, and says what is particular to its backend (`RecoveryContract`).

    Attributes:
        workdir_option: The executor's option for the working directory of tasks.
        many: How many jobs of one batch must end in a minute.
        shows_prints: Whether what a task prints can be read while it runs.
    """

    workdir_option = "workdir"
    many = 500
    shows_prints = True

    # Values

    def test_output_of_a_task_is_reported_after_its_start(self, executor: Executor, tmp_path: Path) -> None:
        """A job is reported started, then finished with its value, and the times are in order."""
        begin = time.time()

        def add(x: int, y: int) -> int:
            return x + y

        async def scenario(running: Running) -> None:
            assert await running.value(job(add, 2, kwargs={"y": 3})) == 5

        host = self.run(executor, tmp_path, scenario)
        start, end = host.updates
        assert isinstance(start, JobStarted)
        assert isinstance(end, JobFinished)
        assert end.outcome.started_at is not None
        assert end.outcome.ended_at is not None
        assert begin <= start.at <= end.outcome.ended_at <= time.time()
        assert begin <= end.outcome.started_at <= end.outcome.ended_at

    def test_a_started_executor_says_that_it_is_usable(self, executor: Executor, tmp_path: Path) -> None:
        """In one line, and with facts whose values people can read."""

        async def scenario(running: Running) -> None:
            health = await running.executor.check()
            assert health.is_usable, health.summary
            assert health.summary
            assert all(name and str(value) for name, value in health.facts.items()), health.facts

        self.run(executor, tmp_path, scenario)

    def test_large_output_becomes_a_payload_file(self, executor: Executor, tmp_path: Path) -> None:
        """Beyond the inline limit only the digest travels, and the file holds the archive it names."""

        def large() -> bytes:
            return bytes(range(256)) * 1024

        outcomes: list[Outcome] = []

        async def scenario(running: Running) -> None:
            outcomes.extend([await running.outcome(job(large, node_id=n)) for n in range(2)])
            assert running.load(outcomes[0]) == large()

        host = self.run(executor, tmp_path, scenario)
        output = outcomes[0].output
        assert output is not None
        assert outcomes[1].output == output
        assert output.data is None
        assert output.ref == payload.encode(large()).ref
        path = Path(host.payload_path(output.ref.digest))
        assert [found for found in Path(host.payload_dir).rglob("*") if found.is_file()] == [path]
        assert path.stat().st_size == output.ref.size

    def test_what_a_task_used_is_measured(self, executor: Executor, tmp_path: Path) -> None:
        """Its work and memory, the bytes that went in and out, and which process it was."""

        def work(given: bytes) -> int:
            import os
            import time

            until = time.process_time() + 0.05
            while time.process_time() < until:
                pass
            return os.getpid() if bytes(range(256)) * 400_000 else 0

        async def scenario(running: Running) -> None:
            outcome = await running.outcome(job(work, bytes(5_000)))
            usage, output = outcome.usage, outcome.output
            assert usage is not None
            assert output is not None
            assert usage.pid == running.load(outcome)
            assert usage.cpu_s >= 0.04
            assert usage.peak_memory >= 100_000_000
            assert 0 <= usage.memory_growth <= usage.peak_memory
            assert usage.input_bytes == payload.encode(bytes(5_000)).ref.size
            assert usage.output_bytes == output.ref.size
            assert usage.host

        self.run(executor, tmp_path, scenario)

    def test_input_can_be_a_file(self, executor: Executor, tmp_path: Path) -> None:
        """Functions and arguments are read from payload files when the job gives paths."""
        data = b"x" * 100_000

        def length(value: bytes) -> int:
            return len(value)

        def stored(value: Any) -> PayloadSource:
            found = payload.encode(value)
            path = tmp_path / found.ref.digest
            path.write_bytes(found.tobytes())
            return PayloadSource(ref=found.ref, path=str(path))

        spec = replace(job(length), function=stored(length), args=(stored(data),))

        async def scenario(running: Running) -> None:
            assert await running.value(spec) == 100_000

        self.run(executor, tmp_path, scenario)

    def test_many_jobs_finish_once_each(self, executor: Executor, tmp_path: Path) -> None:
        """So many jobs in one batch: one start and one end each, every value right."""

        def double(x: int) -> int:
            return 2 * x

        specs = [job(double, n, node_id=n) for n in range(self.many)]

        async def scenario(running: Running) -> None:
            handles = await running.submit(*specs)
            assert len(handles) == len(specs)
            await running.host.until(lambda: len(running.host.updates) >= 2 * self.many, 200)
            outcomes = running.host.outcomes()
            assert [running.load(outcomes[spec.attempt_id]) for spec in specs] == [2 * n for n in range(self.many)]
            assert set(running.host.started()) == {spec.attempt_id for spec in specs}
            assert len(running.host.updates) == 2 * self.many

        self.run(executor, tmp_path, scenario)

    # Streams

    def test_streams_hold_exactly_what_was_written(self, executor: Executor, tmp_path: Path) -> None:
        """Prints, writes to file descriptors and output of child processes are kept apart per task and stream."""

        def talk(name: str) -> None:
            print(name)
            print("warning", name, file=sys.stderr)
            os.write(1, b"raw ")
            subprocess.run([sys.executable, "-c", "print('child')"], check=True)

        def quiet() -> None:
            return None

        async def scenario(running: Running) -> None:
            for number, name in enumerate(("a", "b")):
                outcome = await running.outcome(job(talk, name, node_id=number))
                assert outcome.stdout == f"{name}\nraw child\n"
                assert outcome.stderr == f"warning {name}\n"
            outcome = await running.outcome(job(quiet, node_id=2))
            assert (outcome.stdout, outcome.stderr) == ("", "")

        self.run(executor, tmp_path, scenario)

    # Failures of user code

    def test_exception_is_a_failure_with_its_traceback(self, executor: Executor, tmp_path: Path) -> None:
        """The message is the exception's line; the traceback shows user code only and ends standard error."""

        def divide(x: int) -> float:
            print("before", file=sys.stderr)
            return 1 / x

        async def scenario(running: Running) -> None:
            outcome = await running.outcome(job(divide, 0))
            assert outcome.status is JobStatus.FAILED
            assert outcome.output is None
            assert outcome.failure is not None
            assert outcome.failure.is_user_error
            assert outcome.failure.message == "ZeroDivisionError: division by zero"
            assert "in divide" in outcome.failure.traceback
            assert "worker.py" not in outcome.failure.traceback
            assert outcome.stderr == "before\n" + outcome.failure.traceback

        self.run(executor, tmp_path, scenario)

    @pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
    def test_exit_in_user_code_is_a_failure(
        self, executor: Executor, tmp_path: Path, kind: type[BaseException]
    ) -> None:
        """`sys.exit` and `KeyboardInterrupt` fail the task, and the next one runs."""

        def leave() -> None:
            raise kind(3)

        def after() -> int:
            return 1

        async def scenario(running: Running) -> None:
            outcome = await running.outcome(job(leave))
            assert outcome.failure is not None
            assert outcome.failure.is_user_error
            assert outcome.failure.message == f"{kind.__name__}: 3"
            assert await running.value(job(after, node_id=1)) == 1

        self.run(executor, tmp_path, scenario)

    def test_result_that_cannot_be_pickled_is_a_failure(self, executor: Executor, tmp_path: Path) -> None:
        """The message names the task and the type of its result."""

        def numbers() -> Any:
            return (n for n in range(3))

        async def scenario(running: Running) -> None:
            outcome = await running.outcome(job(numbers))
            assert outcome.failure is not None
            assert outcome.failure.is_user_error
            assert "'numbers' (generator)" in outcome.failure.message

        self.run(executor, tmp_path, scenario)

    def test_input_that_is_no_archive_is_a_failure(self, executor: Executor, tmp_path: Path) -> None:
        """Damaged bytes fail their job only."""
        good = job(lambda: 1, node_id=1)
        nonsense = PayloadSource(ref=good.function.ref._replace(digest="0" * 40), data=b"nonsense")
        bad = replace(job(lambda: 1), name="bad", function=nonsense)

        async def scenario(running: Running) -> None:
            outcome = await running.outcome(bad)
            assert outcome.failure is not None
            assert not outcome.failure.is_user_error
            assert "Cannot load task 'bad'" in outcome.failure.message
            assert await running.value(good) == 1

        self.run(executor, tmp_path, scenario)

    # Crashes

    @pytest.mark.parametrize(
        ("how", "words"), [("segfault", "SIGSEGV"), ("exit", "exit code 3"), ("kill", "memory"), ("fork", "")]
    )
    def test_crash_fails_its_task_only(self, executor: Executor, tmp_path: Path, how: str, words: str) -> None:
        """The failure says how the process ended, what was printed is kept, and queued tasks run."""

        def crash() -> int:
            print("last words")
            if how == "segfault":
                import ctypes

                ctypes.string_at(0)
            elif how == "exit":
                sys.stdout.flush()
                os._exit(3)
            elif how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            elif os.fork() == 0:
                return 2  # a child that forgets to exit must not answer in its parent's place
            return 1

        specs = [job(crash), *(job(lambda: 7, node_id=n) for n in range(1, 20))]

        async def scenario(running: Running) -> None:
            await running.submit(*specs)
            outcome = await running.host.finished(specs[0].attempt_id)
            assert outcome.stdout == "last words\n"
            if how == "fork":
                assert running.load(outcome) == 1
            else:
                assert outcome.status is JobStatus.FAILED
                assert outcome.failure is not None
                assert words in outcome.failure.message
                assert not outcome.failure.is_user_error
                assert outcome.started_at is not None
            for spec in specs[1:]:
                assert running.load(await running.host.finished(spec.attempt_id)) == 7

        self.run(executor, tmp_path, scenario)

    # Cancellation

    def test_cancelled_queued_job_never_starts(self, executor: Executor, tmp_path: Path) -> None:
        """A job behind others is dropped, reported once, and cancelling it again changes nothing."""

        def wait(port: int) -> None:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(b"here\n")
                connection.recv(1)

        async def scenario(running: Running) -> None:
            async with Beacon() as beacon:
                workers = 64
                blockers = [job(wait, beacon.port, node_id=n) for n in range(workers)]
                last = job(lambda: 1, node_id=workers)
                await running.submit(*blockers, last)
                await beacon.word()
                started = len(running.host.started())
                assert started < workers, "the executor runs too many jobs at a time for this test"
                await running.cancel(last)
                await running.cancel(last)
                outcome = await running.host.finished(last.attempt_id)
                assert outcome.status is JobStatus.CANCELLED
                assert last.attempt_id not in running.host.started()
                await running.cancel(*blockers)
                for spec in blockers:
                    assert (await running.host.finished(spec.attempt_id)).status is JobStatus.CANCELLED

        self.run(executor, tmp_path, scenario)

    @pytest.mark.parametrize("how", ["plain", "stubborn", "parent"])
    def test_cancelled_running_task_is_stopped(self, executor: Executor, tmp_path: Path, how: str) -> None:
        """A task ends even if it ignores SIGTERM, and its child processes end with it; other tasks run on."""

        def hang(port: int) -> None:
            connection = socket.create_connection(("127.0.0.1", port))
            if how == "stubborn":
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            if how == "parent":
                child = [sys.executable, "-c", "import time; time.sleep(600)"]
                subprocess.Popen(child, pass_fds=[connection.fileno()])
            print("begun")
            connection.sendall(b"here\n")
            time.sleep(600)

        def other() -> str:
            return "other"

        async def scenario(running: Running) -> None:
            async with Beacon() as beacon:
                spec = job(hang, beacon.port)
                await running.submit(spec)
                await beacon.word()
                await running.cancel(spec)
                await running.cancel(spec)
                outcome = await running.host.finished(spec.attempt_id, self.stop_s)
                assert outcome.status is JobStatus.CANCELLED
                assert outcome.failure is None
                assert outcome.stdout == "begun\n"
                await beacon.gone(self.stop_s)
                assert await running.value(job(other, node_id=1)) == "other"

        self.run(executor, tmp_path, scenario)

    def test_cancelling_an_unknown_job_does_nothing(self, executor: Executor, tmp_path: Path) -> None:
        """Neither an error nor a report."""

        async def scenario(running: Running) -> None:
            await running.cancel(job(lambda: 1))

        assert self.run(executor, tmp_path, scenario).updates == []

    # Isolation

    def test_what_a_running_task_has_printed_can_be_read(self, executor: Executor, tmp_path: Path) -> None:
        """From the file that its start names, or by `printed`, which says nothing of jobs that are over or unknown."""

        def talk(port: int) -> None:
            print("one", flush=True)
            print("two", file=sys.stderr, flush=True)
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(b"here\n")
                connection.recv(1)
            print("three")

        async def scenario(running: Running) -> None:
            async with Beacon() as beacon:
                spec = job(talk, beacon.port)
                await running.submit(spec)
                await beacon.word()
                start = await running.host.start_of(spec.attempt_id)

                async def read(stream: str, offset: int, limit: int) -> bytes:
                    path = start.stdout_path if stream == "stdout" else start.stderr_path
                    if path:
                        return (await asyncio.to_thread(Path(path).read_bytes))[offset : offset + limit]
                    return await executor.printed(spec.attempt_id, stream, offset, limit)

                expected = [b"ne", b"two\n"] if self.shows_prints else [b"", b""]
                async with asyncio.timeout(120):  # a backend may be on its way with the text
                    while [await read("stdout", 1, 2), await read("stderr", 0, 100)] != expected:
                        continue
                assert await executor.printed(spec.attempt_id, "stdout", 100, 10) == b""
                beacon.answer()
                outcome = await running.host.finished(spec.attempt_id)
                assert (outcome.stdout, outcome.stderr) == ("one\nthree\n", "two\n")
                assert await executor.printed(spec.attempt_id, "stdout", 0, 10) == b""

        self.run(executor, tmp_path, scenario)

    def test_task_does_not_see_what_another_changed(self, executor: Executor, tmp_path: Path) -> None:
        """Environment, working directory and module path of a task are its own."""

        def change() -> None:
            os.environ["LEFT_BEHIND"] = "1"
            os.environ.pop("PATH", None)
            os.chdir("/")
            sys.path.insert(0, "/left/behind")
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115

        def look() -> tuple[Any, ...]:
            print("seen")
            names = ("LEFT_BEHIND", "COVALENT_DISPATCH_ID", "COVALENT_TASK_ID", "GIVEN")
            return "PATH" in os.environ, os.getcwd(), "/left/behind" in sys.path, [os.environ.get(n) for n in names]

        async def scenario(running: Running) -> None:
            for number in range(0, 8, 2):
                await running.value(job(change, node_id=number))
                spec = job(
                    look,
                    node_id=number + 1,
                    env={"GIVEN": "yes"},
                    options={self.workdir_option: str(tmp_path / "here")},
                )
                outcome = await running.outcome(spec)
                assert outcome.stdout == "seen\n"
                seen = running.load(outcome)
                assert seen[0]
                assert seen[1] == str(tmp_path / "here")
                assert seen[2:] == (False, [None, "dispatch", str(number + 1), "yes"])

        self.run(executor, tmp_path, scenario)

    # Lifetime

    def test_close_can_be_repeated(self, executor: Executor, tmp_path: Path) -> None:
        """Closing twice is harmless, and closing stops what runs, unless jobs outlive the dispatcher."""

        def hang(port: int) -> None:
            connection = socket.create_connection(("127.0.0.1", port))
            connection.sendall(b"here\n")
            time.sleep(600)

        async def scenario(running: Running) -> None:
            async with Beacon() as beacon:
                spec = job(hang, beacon.port)
                await running.submit(spec)
                await beacon.word()
                if executor.jobs_survive:
                    await running.cancel(spec)
                    await running.host.finished(spec.attempt_id, self.stop_s)
                await running.executor.close()
                await beacon.gone(self.stop_s)
                await running.executor.close()

        self.run(executor, tmp_path, scenario)

    def test_repeated_submission_of_an_attempt_runs_once(self, executor: Executor, tmp_path: Path) -> None:
        """The attempt id is the key of a job."""
        spec = job(lambda: 1)

        async def scenario(running: Running) -> None:
            handles = await running.submit(spec, spec)
            assert len(handles) == 2
            await running.host.finished(spec.attempt_id)

        host = self.run(executor, tmp_path, scenario)
        assert len([update for update in host.updates if isinstance(update, JobFinished)]) == 1

    def test_handles_are_json(self, executor: Executor, tmp_path: Path) -> None:
        """A handle survives being written down."""

        async def scenario(running: Running) -> None:
            spec = job(lambda: 1)
            (handle,) = await running.submit(spec)
            assert json.loads(json.dumps(dict(handle))) == dict(handle)
            await running.host.finished(spec.attempt_id)

        self.run(executor, tmp_path, scenario)
