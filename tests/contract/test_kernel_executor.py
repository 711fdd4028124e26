"""The kernel executor keeps the contract of executors, but for what sharing a process rules out."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from covalent_lab_executors.kernel import KernelExecutor

from covalent_lab import payload
from covalent_lab.errors import SerializationError
from covalent_lab.executor.base import Executor, JobSpec, JobStatus, Outcome, PayloadSource
from covalent_lab.ids import NodeId
from covalent_lab.testing.executor_suite import ExecutorContract
from covalent_lab.testing.fakes import FakeHost
from covalent_lab.testing.jobs import Beacon, Running, job
from covalent_lab.testing.recovery_suite import Restartable
from tests.contract.kernel_peer import Hub

Scenario = Callable[[Running, Hub], Awaitable[None]]


@contextlib.asynccontextmanager
async def hub_of(executor: Executor, folder: Path) -> AsyncIterator[Hub]:
    """Where the processes of a started executor connect."""
    hub = Hub(executor, folder)
    await hub.open()
    try:
        yield hub
    finally:
        await hub.close()


def play(executor: Executor, folder: Path, scenario: Scenario) -> FakeHost:
    """Run a scenario with an executor and a hub to which nothing is connected yet."""

    async def run() -> FakeHost:
        host = FakeHost(folder)
        await executor.start(host)
        async with hub_of(executor, folder) as hub:
            await scenario(Running(executor=executor, host=host), hub)
            await executor.close()
        host.outcomes()
        return host

    return asyncio.run(run())


def after(first: JobSpec, outcome: Outcome, function: Callable[[Any], Any], node_id: int) -> JobSpec:
    """A job whose argument is what another returned."""
    assert outcome.output is not None
    made = job(function, None, node_id=node_id)
    given = PayloadSource(ref=outcome.output.ref, data=outcome.output.data)
    return replace(made, args=(given,), arg_nodes=(first.node_id,))


class TestKernelExecutor(ExecutorContract):
    """The shipped suite; tests that are written anew say what differs."""

    lacks: ClassVar[Mapping[str, str]] = {
        "refused_credentials": "kernels connect to the server, which asks for its token; see the tests of its routes",
        "another_python": "tasks run in the process that dispatched them",
    }

    def make_executor(self) -> Executor:
        return KernelExecutor(kernel="peer", grace_s=0.2, reconnect_s=1.0)

    @contextlib.asynccontextmanager
    async def connected(self, executor: Executor, folder: Path) -> AsyncIterator[None]:
        async with hub_of(executor, folder) as self.hub:
            self.peer = await self.hub.start_peer()
            self.loop = asyncio.get_running_loop()
            yield

    @contextlib.contextmanager
    def make_restartable(self, folder: Path) -> Iterator[Restartable]:
        def restart() -> None:
            self.peer.kill()
            self.peer.wait()
            asyncio.run_coroutine_threadsafe(self.hub.start_peer(), self.loop).result()

        yield Restartable(executor=self.make_executor(), restart=restart)

    def test_what_a_task_used_is_measured(self, executor: Executor, tmp_path: Path) -> None:
        """Other threads of the process work too: nothing is said."""

        async def scenario(running: Running) -> None:
            assert (await running.outcome(job(len, "abc"))).usage is None

        self.run(executor, tmp_path, scenario)

    def test_streams_hold_exactly_what_was_written(self, executor: Executor, tmp_path: Path) -> None:
        """Prints are kept apart per task and stream, and are seen while tasks run."""

        def talk(name: str, port: int) -> None:
            print(name)
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(b"here\n")
                connection.recv(1)
            print("warning", name, file=sys.stderr)
            sys.stdout.writelines(["one\n", "two\n"])

        def read(paths: list[str | None]) -> list[str | None]:
            return [path and (Path(path).read_text() if Path(path).exists() else None) for path in paths]

        async def scenario(running: Running) -> None:
            async with Beacon() as beacon:
                specs = [job(talk, name, beacon.port, node_id=number) for number, name in enumerate("ab")]
                await running.submit(*specs)
                await beacon.word()
                await beacon.word()
                growing = [(await running.host.start_of(spec.attempt_id)).stdout_path for spec in specs]
                assert read(growing) == ["a\n", "b\n"]
                beacon.answer()
                for spec, name in zip(specs, "ab", strict=True):
                    outcome = await running.host.finished(spec.attempt_id)
                    assert outcome.stdout == f"{name}\none\ntwo\n"
                    assert outcome.stderr == f"warning {name}\n"
                assert read(growing) == [None, None]

        self.run(executor, tmp_path, scenario)

    def test_result_that_cannot_be_pickled_is_a_failure(self, executor: Executor, tmp_path: Path) -> None:
        """It is none: the value stays, and the next task gets it; elsewhere it says where it is."""

        def numbers() -> Any:
            return (n for n in range(3))

        def total(values: Any) -> int:
            return sum(values)

        async def scenario(running: Running) -> None:
            first = job(numbers)
            outcome = await running.outcome(first)
            assert outcome.output is not None
            assert outcome.output.data is not None
            assert payload.preview(outcome.output.data).type == "generator"
            with pytest.raises(SerializationError, match=r"\(generator\) .* lives in the kernel .*'numbers' made it"):
                running.load(outcome)
            assert await running.value(after(first, outcome, total, 1)) == 3

        self.run(executor, tmp_path, scenario)

    @pytest.mark.parametrize("how", ["exit", "kill"])
    def test_crash_fails_its_task_only(self, executor: Executor, tmp_path: Path, how: str) -> None:  # type: ignore[override]
        """It fails all tasks that are in the process, with a reason; and later ones, until there is one again."""

        def crash() -> None:
            if how == "exit":
                os._exit(3)
            os.kill(os.getpid(), signal.SIGKILL)

        def wait() -> None:
            threading.Event().wait(600)

        async def scenario(running: Running, hub: Hub) -> None:
            peer = await hub.start_peer()
            specs = [job(wait, node_id=1), job(crash)]
            await running.submit(*specs)
            await asyncio.to_thread(peer.wait)
            for spec in specs:
                outcome = await running.host.finished(spec.attempt_id)
                assert outcome.status is JobStatus.FAILED
                assert outcome.failure is not None
                assert not outcome.failure.is_user_error
                assert "(peer) was restarted or ended" in outcome.failure.message
            late = await running.outcome(job(crash, node_id=2))
            assert late.failure is not None
            assert "No kernel is called 'peer'. No kernel is connected" in late.failure.message
            await hub.start_peer()
            assert await running.value(job(lambda: 1, node_id=3)) == 1

        play(executor, tmp_path, scenario)

    @pytest.mark.parametrize("how", ["plain", "stuck"])
    def test_cancelled_running_task_is_stopped(self, executor: Executor, tmp_path: Path, how: str) -> None:
        """A task in Python ends; one that does not come back to Python is left to itself, and others run."""

        def hang(port: int) -> None:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                print("begun")
                connection.sendall(b"here\n")
                if how == "stuck":
                    threading.Event().wait(600)
                while True:
                    time.sleep(0.001)

        async def scenario(running: Running) -> None:
            async with Beacon() as beacon:
                spec = job(hang, beacon.port)
                await running.submit(spec)
                await beacon.word()
                await running.cancel(spec)
                await running.cancel(spec)
                outcome = await running.host.finished(spec.attempt_id)
                assert outcome.status is JobStatus.CANCELLED
                assert outcome.failure is None
                assert outcome.stdout == "begun\n"
                if how == "plain":
                    await beacon.gone()
                assert await running.value(job(lambda: "other", node_id=1)) == "other"

        self.run(executor, tmp_path, scenario)

    def test_task_does_not_see_what_another_changed(self, executor: Executor, tmp_path: Path) -> None:
        """It does: the process is shared. Which task it is, a task knows all the same."""

        def change() -> None:
            os.environ["LEFT_BEHIND"] = "1"

        def look() -> Any:
            from covalent_lab.workflow.context import get_context

            found = get_context()
            return os.environ["LEFT_BEHIND"], found.dispatch_id, found.task_id, os.getpid()

        async def scenario(running: Running) -> None:
            await running.value(job(change))
            assert (await running.value(job(look, node_id=1)))[:3] == ("1", "dispatch", 1)

        self.run(executor, tmp_path, scenario)

    def test_close_can_be_repeated(self, executor: Executor, tmp_path: Path) -> None:
        """Closing twice is harmless."""

        async def scenario(running: Running) -> None:
            await running.value(job(lambda: 1))
            await running.executor.close()

        self.run(executor, tmp_path, scenario)

    def test_dispatcher_restart(self, executor: Executor, tmp_path: Path) -> None:  # type: ignore[override]
        """After a restart of the dispatcher the kernel connects again; jobs that it does not know are LOST."""

        def wait(port: int) -> str:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(b"here\n")
                connection.recv(1)
            return "went on"

        async def scenario(running: Running, hub: Hub) -> None:
            await hub.start_peer()
            async with Beacon() as beacon:
                spec, unknown = job(wait, beacon.port), job(wait, beacon.port, node_id=1)
                (handle,) = await running.submit(spec)
                await beacon.word()
                hub.executor = later = KernelExecutor(kernel="peer")
                await later.start(running.host)
                await later.watch({spec.attempt_id: handle, unknown.attempt_id: handle})
                await running.executor.close()
                await asyncio.wait_for(hub.greeted.get(), 120)
                assert (await running.host.finished(unknown.attempt_id)).status is JobStatus.LOST
                beacon.answer()
                assert running.load(await running.host.finished(spec.attempt_id)) == "went on"
                await later.close()

        play(executor, tmp_path, scenario)


@pytest.fixture
def executor() -> Executor:
    return KernelExecutor(kernel="peer", grace_s=0.2)


def test_a_value_keeps_its_identity_between_tasks(executor: Executor, tmp_path: Path) -> None:
    """Also one that could be pickled: what a task changes in it is seen by the next."""

    def make() -> list[int]:
        return [1]

    def add(values: list[int]) -> tuple[int, list[int]]:
        values.append(2)
        return id(values), values

    def look(values: list[int]) -> tuple[int, list[int]]:
        return id(values), values

    async def scenario(running: Running, hub: Hub) -> None:
        await hub.start_peer()
        first = job(make)
        made = await running.outcome(first)
        one, two = [await running.value(after(first, made, f, n)) for n, f in enumerate((add, look), 1)]
        assert one == two == (one[0], [1, 2])

    play(executor, tmp_path, scenario)


def test_values_are_given_up_with_their_dispatch(executor: Executor, tmp_path: Path) -> None:
    """At its end those that are recorded; when it is deleted, all."""

    def make() -> Any:
        return [1]

    def keep() -> Any:
        return threading.Lock()

    def identity(value: Any) -> int:
        return id(value)

    async def scenario(running: Running, hub: Hub) -> None:
        await hub.start_peer()
        specs = job(make), job(keep, node_id=1)
        list_made, lock_made = [await running.outcome(spec) for spec in specs]

        async def seen(number: int, outcome: Outcome, node_id: int) -> Outcome:
            return await running.outcome(after(specs[number], outcome, identity, node_id))

        before = running.load(await seen(0, list_made, 2))
        executor.dispatch_over(specs[0].dispatch_id, is_deleted=False)
        assert running.load(await seen(0, list_made, 3)) != before
        assert (await seen(1, lock_made, 4)).status is JobStatus.COMPLETED
        executor.dispatch_over(specs[0].dispatch_id, is_deleted=True)
        gone = await seen(1, lock_made, 5)
        assert gone.failure is not None
        assert gone.failure.message.startswith("Task 'identity' cannot have one of its inputs. It is what task 'keep'")

    play(executor, tmp_path, scenario)


def test_a_value_of_another_kernel_says_where_it_is(executor: Executor, tmp_path: Path) -> None:
    """The task that cannot have it fails with that reason."""

    def lock() -> Any:
        return threading.Lock()

    async def scenario(running: Running, hub: Hub) -> None:
        await hub.start_peer()
        await hub.start_peer("other")
        first = job(lock)
        made = await running.outcome(first)
        second = replace(after(first, made, lambda value: 1, 1), options={"kernel": "other"})
        outcome = await running.outcome(second)
        assert outcome.failure is not None
        assert "lives in the kernel" in outcome.failure.message
        assert "which is not this one" in outcome.failure.message

    play(executor, tmp_path, scenario)


def test_an_unknown_name_lists_the_kernels_that_are_there(executor: Executor, tmp_path: Path) -> None:
    async def scenario(running: Running, hub: Hub) -> None:
        await hub.start_peer("one")
        await hub.start_peer("two")
        outcome = await running.outcome(replace(job(lambda: 1), options={"kernel": "three"}))
        assert outcome.failure is not None
        assert outcome.failure.message == "No kernel is called 'three'. Connected: one; two."

    play(executor, tmp_path, scenario)


def test_a_name_of_several_kernels_is_refused(executor: Executor, tmp_path: Path) -> None:
    async def scenario(running: Running, hub: Hub) -> None:
        await hub.start_peer()
        await hub.start_peer()
        outcome = await running.outcome(job(lambda: 1))
        assert outcome.failure is not None
        assert outcome.failure.message.startswith("Several kernels are called 'peer'")

    play(executor, tmp_path, scenario)


def test_a_short_break_of_the_connection_is_not_noticed(executor: Executor, tmp_path: Path) -> None:
    """A task that runs goes on; one that ended meanwhile is told then; one that was never sent is sent."""

    def wait(port: int) -> str:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"here\n")
            connection.recv(1)
        return "went on"

    async def scenario(running: Running, hub: Hub) -> None:
        await hub.start_peer()
        async with Beacon() as beacon:
            first, second = job(wait, beacon.port), job(lambda: "new", node_id=1)
            await running.submit(first)
            await beacon.word()
            hub.drop()
            beacon.answer()
            await running.submit(second)
            await asyncio.wait_for(hub.greeted.get(), 120)
            for spec, value in ((first, "went on"), (second, "new")):
                assert running.load(await running.host.finished(spec.attempt_id)) == value

    host = play(executor, tmp_path, scenario)
    assert len(host.updates) == 4


def test_a_job_whose_kernel_never_comes_is_lost(tmp_path: Path) -> None:
    async def scenario(running: Running, hub: Hub) -> None:
        spec = job(lambda: 1)
        await running.executor.watch({spec.attempt_id: {"process": "gone"}})
        assert (await running.host.finished(spec.attempt_id)).status is JobStatus.LOST

    play(KernelExecutor(reconnect_s=0.0), tmp_path, scenario)


def test_without_a_name_tasks_run_where_they_were_dispatched(tmp_path: Path) -> None:
    """By the process that the dispatch came from; a dispatch of a process that is not there fails with the reason."""

    async def scenario(running: Running, hub: Hub) -> None:
        outcome = await running.outcome(replace(job(lambda: 1), client={"process": "someone"}))
        assert outcome.failure is not None
        assert outcome.failure.message.startswith("The kernel that dispatched this workflow is not connected")

    play(KernelExecutor(reconnect_s=0.0), tmp_path, scenario)


def test_main_thread_runs_one_task_at_a_time(executor: Executor, tmp_path: Path) -> None:
    """Tasks for the main thread are run there, in turn; others beside them; a stop interrupts even a sleep."""

    def where() -> bool:
        return threading.current_thread() is threading.main_thread()

    def sleep(port: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"here\n")
            time.sleep(600)

    async def scenario(running: Running, hub: Hub) -> None:
        await hub.start_peer()
        main = {"thread": "main"}
        async with Beacon() as beacon:
            spec, behind = job(sleep, beacon.port, options=main), job(where, node_id=1, options=main)
            await running.submit(spec, behind)
            await beacon.word()
            assert not await running.value(job(where, node_id=2))
            assert behind.attempt_id not in running.host.started()
            await running.cancel(spec)
            await beacon.gone()
            assert (await running.host.finished(spec.attempt_id)).status is JobStatus.CANCELLED
            assert running.load(await running.host.finished(behind.attempt_id))

    play(executor, tmp_path, scenario)


def test_arguments_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="thread must be 'main'"):
        KernelExecutor(thread="second")
    with pytest.raises(TypeError, match="no option 'kernl'"):
        KernelExecutor(kernl="x")


def test_large_values_travel_as_bytes_where_files_are_not_shared(executor: Executor, tmp_path: Path) -> None:
    """Inputs from files, outputs to files: the dispatcher's side reads and writes them."""

    async def scenario(running: Running, hub: Hub) -> None:
        await hub.start_peer()
        for process in executor._processes.values():  # type: ignore[attr-defined]
            process.has_files = False
        data = payload.encode(b"x" * 100_000)
        path = tmp_path / "input"
        path.write_bytes(data.tobytes())
        spec = job(lambda value: value + b"y", None)
        spec = replace(spec, args=(PayloadSource(ref=data.ref, path=str(path)),), arg_nodes=(NodeId(7),))
        outcome = await running.outcome(spec)
        assert outcome.output is not None
        assert outcome.output.data is None
        assert running.load(outcome) == b"x" * 100_000 + b"y"
        path.unlink()
        missing = await running.outcome(replace(spec, attempt_id=job(len, node_id=9).attempt_id))
        assert missing.failure is not None
        assert "inputs of this task cannot be read" in missing.failure.message

    play(executor, tmp_path, scenario)
