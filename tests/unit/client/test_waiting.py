"""`sync` and `is_covalent_running`, with a dispatcher in this process and with none."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab.client import connection
from covalent_lab.errors import ConfigError, MissingLatticeRecordError
from covalent_lab.testing.fakes import FakeExecutor


@ct.electron
def hang(x: Any) -> Any:
    """Runs until it is stopped."""
    return x


@ct.electron
def divide(x: float) -> float:
    """Fails."""
    return x / 0


@ct.lattice
def endless(x: Any) -> Any:
    """Does not end by itself."""
    return hang(x)


@ct.lattice
def broken(x: float) -> Any:
    """Fails."""
    return divide(x)


@pytest.mark.usefixtures("executor")
def test_sync_returns_when_all_have_ended() -> None:
    """One id, several, or everything that is under way; a failure is an end too, a registered one is not waited for."""
    ct.sync()
    failing = ct.dispatch(broken)(1)
    ct.sync(failing)
    assert ct.get_result(failing).status == "FAILED"
    registered = ct.dispatch(broken, disable_run=True)(1)
    ids = [ct.dispatch(endless)(n) for n in range(2)]
    waiting = [threading.Thread(target=ct.sync, args=given) for given in ((), (ids,))]
    for thread in waiting:
        thread.start()
    for dispatch_id in ids:
        ct.cancel(dispatch_id)
    for thread in waiting:
        thread.join(20)
    assert not any(thread.is_alive() for thread in waiting)
    assert [str(ct.get_result(i).status) for i in [registered, *ids]] == ["NEW_OBJECT", "CANCELLED", "CANCELLED"]


@pytest.mark.usefixtures("executor")
def test_sync_names_an_unknown_dispatch() -> None:
    """Instead of waiting for it."""
    with pytest.raises(MissingLatticeRecordError, match="nothing"):
        ct.sync(["nothing"])


def test_asking_whether_a_dispatcher_runs_starts_none(executor: FakeExecutor, private: Path) -> None:
    """The one in this process counts once it is there, and no longer when it was stopped."""
    assert not ct.is_covalent_running()
    assert not (private / "data").exists()
    ct.dispatch_sync(broken)(1)
    assert ct.is_covalent_running()
    connection.connect().close()
    assert not ct.is_covalent_running()
    assert executor.submitted != []


@pytest.mark.usefixtures("private")
def test_a_server_that_does_not_answer_does_not_run(write_config: Callable[[str], None]) -> None:
    """A configured address is asked; a file that cannot be read is told."""
    write_config('[dispatcher]\naddress = "127.0.0.1"\nport = 9\n')
    assert not ct.is_covalent_running()
    write_config("[dispatcher")
    with pytest.raises(ConfigError):
        ct.is_covalent_running()
