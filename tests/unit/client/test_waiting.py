"""`sync` and `is_covalent_running`, with a dispatcher in this process and with none."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab.client import connection, waiting
from covalent_lab.client.waiting import Waiting, wait_here
from covalent_lab.errors import ConfigError, MissingLatticeRecordError, ServerUnreachableError
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
    threads = [threading.Thread(target=ct.sync, args=given) for given in ((), (ids,))]
    for thread in threads:
        thread.start()
    for dispatch_id in ids:
        ct.cancel(dispatch_id)
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert [str(ct.get_result(i).status) for i in [registered, *ids]] == ["NEW_OBJECT", "CANCELLED", "CANCELLED"]


class Unsteady:
    """A connection that fails as often as it is told to, and remembers what it was asked."""

    url = "http://127.0.0.1:9/"

    def __init__(self, failures: int, error: BaseException | None = None) -> None:
        self.failures = failures
        self.error = error or ServerUnreachableError(self.url)
        self.asked: list[tuple[str, float]] = []

    def _answer(self, what: str, wait_s: float, status: str) -> dict[str, Any]:
        self.asked.append((what, wait_s))
        if len(self.asked) <= self.failures:
            raise self.error
        return {"status": status, "completed": 1, "failed": 0, "cancelled": 0, "total": 1, "name": "x"}

    def submit_and_wait(self, bundle: Any, wait_s: float) -> dict[str, Any]:
        assert bundle == [b"bundle"]
        return self._answer("submit", wait_s, "RUNNING")

    def detail(self, dispatch_id: str, wait_s: float = 0.0) -> dict[str, Any]:
        return self._answer("detail", wait_s, "COMPLETED")


@pytest.fixture
def unsteady(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Unsteady]:
    """Have the client find such a connection, and find it again when it failed."""

    def make(failures: int = 0, error: BaseException | None = None) -> Unsteady:
        made = Unsteady(failures, error)
        monkeypatch.setattr(waiting, "connect", lambda address=None: made)
        monkeypatch.setattr(waiting, "reconnect", lambda failed, address=None: made)
        monkeypatch.setattr(waiting.time, "sleep", lambda seconds: None)
        return made

    return make


def test_a_bundle_is_submitted_with_the_first_question(unsteady: Callable[..., Unsteady]) -> None:
    """It is not held back for long, and sent once, unless the server went away before it answered."""
    for failures in (0, 1):
        found = unsteady(failures)
        wait_here(Waiting("d1", None, bundle=[b"bundle"]), False)
        assert found.asked == [("submit", 2.0)] * (failures + 1) + [("detail", 20.0)]


def test_a_server_that_stays_away_before_a_submission_is_told_soon(unsteady: Callable[..., Unsteady]) -> None:
    """Nobody knows yet that there is something to wait for."""
    found = unsteady(failures=99)
    with pytest.raises(ServerUnreachableError):
        wait_here(Waiting("d1", None, bundle=[b"bundle"]), False)
    assert len(found.asked) == 2


def test_an_interrupt_says_what_becomes_of_the_dispatch(unsteady: Callable[..., Unsteady]) -> None:
    """Whether it was submitted is not known before the first answer."""
    unsteady(1, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt, match="dispatch d1; if it had arrived, it goes on"):
        wait_here(Waiting("d1", None, bundle=[b"bundle"]), False)
    unsteady(1, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt, match="dispatch d1; it goes on"):
        wait_here(Waiting("d1", None), False)


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
