"""Tasks in this very process, with a dispatcher beside them."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from covalent_lab_executors.kernel import KernelExecutor

import covalent_lab as ct
from covalent_lab import worker
from covalent_lab.client.connection import connect, disconnect
from covalent_lab.client.serving import _process
from covalent_lab.executor import registry


@pytest.fixture(autouse=True)
def _here(private: Path) -> Iterator[None]:
    """A dispatcher in this process, which knows the executor."""
    registry.register("kernel", KernelExecutor)
    yield
    ct.release_kernel_values()
    worker._resolvers.clear()


def lattice_of(function: Any) -> Any:
    return ct.lattice(function, executor="kernel")


def alone(task: Any) -> Any:
    """A workflow of one task."""

    def workflow(*args: Any) -> Any:
        return task(*args)

    return lattice_of(workflow)


def test_the_whole_workflow_runs_here() -> None:
    """Tasks, items of their results, and the collection of the workflow's value."""

    @ct.electron
    def make() -> dict[str, Any]:
        return {"lock": threading.Lock(), "thread": threading.current_thread().name}

    @ct.electron
    def use(lock: Any) -> tuple[str, Any]:
        with lock:
            return "used", ct.get_context().task_id

    def workflow() -> Any:
        made = make()
        return [use(made["lock"]), made]

    result = ct.dispatch_sync(lattice_of(workflow))()
    assert result.status == "COMPLETED", result.error
    (word, task_id), made = result.result
    assert (word, made["thread"]) == ("used", "covalent-task-make")
    assert result.get_node_result(task_id)["node_name"] == "use"
    assert made["lock"] is result.get_node_result(0)["output"].get_deserialized()["lock"]
    assert ct.get_context().task_id is None


def test_a_cancelled_dispatch_stops_its_tasks(tmp_path: Path) -> None:
    """Those that run as well."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    @ct.electron
    def spin(path: str) -> None:
        Path(path).write_text("begun")
        while True:
            threading.Event().wait(0.001)

    dispatch_id = ct.dispatch(alone(spin))(str(pipe))
    assert pipe.read_text() == "begun"
    ct.cancel(dispatch_id)
    assert ct.get_result(dispatch_id, wait=True, timeout=200).status == "CANCELLED"


def test_a_time_limit_stops_a_task() -> None:
    @ct.electron(executor=KernelExecutor(time_limit=0.1))
    def spin() -> None:
        while True:
            threading.Event().wait(0.001)

    result = ct.dispatch_sync(alone(spin))()
    assert result.status == "FAILED"
    assert "0.1 s" in result.get_node_result(0)["error"]


def test_a_main_thread_task_runs_while_the_script_waits() -> None:
    @ct.electron(executor=KernelExecutor(thread="main"))
    def where() -> bool:
        return threading.current_thread() is threading.main_thread()

    assert ct.dispatch_sync(alone(where))().result is True


def test_deleting_a_dispatch_frees_its_values() -> None:
    @ct.electron
    def lock() -> Any:
        return threading.Lock()

    result = ct.dispatch_sync(alone(lock))()
    table = _process(os.getpid()).table
    assert len(table) > 0
    connect().delete([result.dispatch_id])
    ct.dispatch_sync(alone(lock))()  # orders keep their order: the values are gone once this has run
    assert table.forget([result.dispatch_id], only_copied=False) == 0


def test_equal_calls_never_take_over_what_lives_in_a_kernel() -> None:
    """With `cache=True` what could not be pickled is made anew; what could is taken over."""

    @ct.electron(cache=True)
    def lock(x: int) -> Any:
        return threading.Lock()

    @ct.electron(cache=True)
    def double(x: int) -> int:
        return 2 * x

    def workflow() -> Any:
        return lock(1), double(1)

    first, second = [ct.dispatch_sync(lattice_of(workflow))() for _ in range(2)]
    assert first.result[0] is not second.result[0]
    assert [item["name"] for item in ct.get_cached_results()] == ["double"]


def test_dependencies_apply_here() -> None:
    """What runs before a task gives it values; what it raises fails the task."""

    @ct.electron(call_before=[ct.DepsCall(lambda: 5, retval_keyword="x")])
    def take(x: int = 0) -> int:
        return x

    @ct.electron(call_before=[ct.DepsCall(lambda: 1 / 0)])
    def never() -> None: ...

    assert ct.dispatch_sync(alone(take))().result == 5
    failed = ct.dispatch_sync(alone(never))()
    error = failed.get_node_result(0)["error"]
    assert error.startswith("ZeroDivisionError: division by zero [raised by the dependency DepsCall")


def test_a_name_is_told_and_may_change() -> None:
    """And tasks find this process under it."""

    @ct.electron(executor=KernelExecutor(kernel="second"))
    def here() -> int:
        return threading.get_native_id()

    assert ct.serve_kernel("first") == "first"
    assert ct.serve_kernel("second") == "second"
    assert ct.serve_kernel() == "second"
    result = ct.dispatch_sync(alone(here))()
    assert result.status == "COMPLETED", result.get_node_result(0)["error"]


def test_a_dispatcher_that_is_gone_is_followed_by_another() -> None:
    """After `disconnect` the next dispatch serves again."""

    @ct.electron
    def one() -> int:
        return 1

    workflow = alone(one)
    assert ct.dispatch_sync(workflow)().result == 1
    disconnect()
    assert ct.dispatch_sync(workflow)().result == 1
