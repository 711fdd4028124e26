"""Tasks in a real kernel, dispatched to a real server from its cells."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

import covalent_lab as ct
from covalent_lab.client.serving import _process
from covalent_lab.errors import SerializationError
from covalent_lab.testing.live_server import LiveServer
from tests.notebook.test_kernel import Kernel

WORKFLOW = """
import threading, covalent_lab as ct

@ct.electron
def connect():
    import sqlite3
    print("connecting")
    return sqlite3.connect(":memory:", check_same_thread=False)

@ct.electron
def fill(db):
    db.execute("create table t (x)")
    db.executemany("insert into t values (?)", [(1,), (2,)])
    return db

@ct.electron
def total(db):
    return db.execute("select sum(x) from t").fetchone()[0]

@ct.lattice(executor="kernel")
def workflow():
    return total(fill(connect()))
"""


def text_of(messages: list[tuple[str, dict[str, Any]]]) -> str:
    """What a cell printed; fails with its error if it raised."""
    errors = [content for kind, content in messages if kind == "error"]
    assert not errors, "\n".join(errors[0]["traceback"])
    return "".join(content["text"] for kind, content in messages if kind == "stream" and content["name"] == "stdout")


@pytest.fixture
def manager(server: LiveServer, tmp_path: Path) -> Iterator[KernelManager]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(tmp_path), env=dict(os.environ))
    yield manager
    manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(manager: KernelManager) -> Iterator[Kernel]:
    kernel = Kernel(manager)
    yield kernel
    kernel.client.stop_channels()


def test_tasks_run_while_a_cell_waits_for_them(kernel: Kernel) -> None:
    """An open connection passes from task to task; prints of tasks are theirs, those of the cell are the cell's."""
    kernel.run(WORKFLOW)
    printed = text_of(
        kernel.run(
            """
i = ct.dispatch(workflow)()
r = ct.get_result(i, wait=True, timeout=200)
print(r.status, r.result, repr(r.get_node_result(0)["stdout"]))
db = r.get_node_result(0)["output"].get_deserialized()
print(type(db).__name__, db is r.get_node_result(1)["output"].get_deserialized())
"""
        )
    )
    assert printed == "COMPLETED 3 'connecting\\n'\nConnection True\n"


def test_a_value_of_the_kernel_is_described_elsewhere(kernel: Kernel) -> None:
    """Another process sees what it is, and is told where to use it."""
    kernel.run(WORKFLOW)
    dispatch_id = text_of(kernel.run("print(ct.dispatch(workflow)())")).strip()
    result = ct.get_result(dispatch_id, wait=True, timeout=200)
    output = result.get_node_result(0)["output"]
    assert output.object_string.startswith("<sqlite3.Connection object")
    with pytest.raises(SerializationError, match="lives in the kernel"):
        output.get_deserialized()


def test_main_thread_runs_tasks_while_a_cell_waits_and_between_cells(kernel: Kernel) -> None:
    code = """
import threading, covalent_lab as ct

@ct.electron(executor=ct.executor.KernelExecutor(thread="main"))
def where():
    return threading.current_thread() is threading.main_thread()

@ct.lattice(executor="kernel")
def workflow():
    return where()

print(ct.get_result(ct.dispatch(workflow)(), wait=True, timeout=200).result)
print(ct.dispatch(workflow)())
"""
    waited, dispatch_id = text_of(kernel.run(code)).split()
    assert waited == "True"
    assert ct.get_result(dispatch_id, wait=True, timeout=200).result is True
    awaited = text_of(kernel.run("print((await ct.dispatch(workflow)()).result)"))
    assert awaited == "True\n"


def test_a_restart_fails_the_tasks_of_the_kernel_only(kernel: Kernel, manager: KernelManager, tmp_path: Path) -> None:
    """The reason says so; tasks elsewhere complete; afterwards the kernel runs tasks again."""
    mark = tmp_path / "mark"
    code = f"""
import covalent_lab as ct

@ct.electron(executor="kernel")
def hang():
    import pathlib, threading
    pathlib.Path({str(mark)!r}).write_text("here")
    threading.Event().wait(600)

@ct.electron
def elsewhere():
    return 42

@ct.lattice
def workflow():
    return hang(), elsewhere()

i = ct.dispatch(workflow)()
import pathlib, time
while not pathlib.Path({str(mark)!r}).exists():
    time.sleep(0.01)
print(i)
"""
    dispatch_id = text_of(kernel.run(code)).strip()
    manager.restart_kernel(now=True)
    result = ct.get_result(dispatch_id, wait=True, timeout=200)
    states = {node["node_name"]: node for node in result.get_all_node_results()}
    assert states["hang"]["status"] == "FAILED"
    assert "was restarted or ended" in states["hang"]["error"]
    assert states["elsewhere"]["output"].get_deserialized() == 42

    kernel.client.wait_for_ready(timeout=200)
    kernel.run(WORKFLOW)
    assert text_of(kernel.run("print(ct.dispatch_sync(workflow)().result)")) == "3\n"


def test_another_kernel_is_asked_by_its_name(kernel: Kernel, server: LiveServer) -> None:
    """By a name it was given, and by the id that Jupyter knows."""
    pid, kernel_id = text_of(
        kernel.run(
            "import os, covalent_lab as ct\nfrom covalent_lab.kernel.identity import kernel_id\n"
            "ct.serve_kernel('gpu')\nprint(os.getpid(), kernel_id())"
        )
    ).split()

    def where() -> int:
        return os.getpid()

    for name in ("gpu", kernel_id):
        electron = ct.electron(where, executor=ct.executor.KernelExecutor(kernel=name))
        workflow = ct.lattice(lambda task=electron: task())
        assert ct.dispatch_sync(workflow)().result == int(pid)


def test_a_broken_socket_is_made_again(server: LiveServer, tmp_path: Path) -> None:
    """Tasks run on meanwhile, and what they end with is told by the next connection."""
    begun, may_end = tmp_path / "begun", tmp_path / "may_end"
    for pipe in (begun, may_end):
        os.mkfifo(pipe)

    @ct.electron
    def wait(here: str, there: str) -> str:
        Path(here).write_text("begun")
        return Path(there).read_text()

    @ct.lattice(executor="kernel")
    def workflow(here: str, there: str) -> str:
        return wait(here, there)

    dispatch_id = ct.dispatch(workflow)(str(begun), str(may_end))
    assert begun.read_text() == "begun"
    channel = _process(os.getpid()).links[""]._channel
    assert channel is not None
    channel.close()
    may_end.write_text("end")
    assert ct.get_result(dispatch_id, wait=True, timeout=200).result == "end"
