"""Executors as people see and steer them: lists, health, settings, test tasks."""

import asyncio
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from dispatcher_bench import bundle_of, graph_of, settings_of

import covalent_lab as ct
from covalent_lab.dispatcher.executors import ExecutorDesk
from covalent_lab.dispatcher.lab import Lab
from covalent_lab.errors import BackendError, UnknownExecutorError, UsageError
from covalent_lab.executor import registry
from covalent_lab.executor.base import ExecutorHost, Option
from covalent_lab.executor.health import Health
from covalent_lab.testing.fakes import FakeExecutor, completed

pytestmark = pytest.mark.usefixtures("private")


class Steered(FakeExecutor):
    """Runs nothing, and answers as its class says.

    More than one line.
    """

    short_name: ClassVar[str] = "steered"
    options = (
        Option(name="machine", default="", doc="Where."),
        Option(name="places", default=2),
        Option(name="eager", default=False),
        Option(name="extra", default=None),
        Option(name="table", default={"a": 1}),
        Option(name="password", default="", is_secret=True),
        Option(name="retries", default=0),
        Option(name="time_limit", default=-1),
    )
    made: ClassVar[list["Steered"]] = []
    says: ClassVar[Health | Exception | None] = Health(is_usable=True, summary="Fine.", facts={"Cores": 4})
    starts: ClassVar[bool] = True

    def __init__(self, **values: Any) -> None:
        super().__init__(lambda spec: None, **values)
        if getattr(self, "machine", "") == "nowhere":
            raise ValueError("machine is nowhere")

    async def start(self, host: ExecutorHost) -> None:
        """Fail if the class says so."""
        if not self.starts:
            raise BackendError("The host is down. Switch it on.")
        await super().start(host)
        self.made.append(self)

    async def check(self) -> Health:
        """What the class says."""
        if self.says is None:
            await asyncio.Event().wait()
        if isinstance(self.says, Exception):
            raise self.says
        assert self.says is not None
        return self.says


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A lab that knows the executor above, and the real ones."""
    monkeypatch.setattr(Steered, "made", [])
    registry.register("steered", Steered)
    opened = Lab.open(settings_of(tmp_path))
    yield opened
    opened.close()
    registry.default()._classes.pop("steered")


def run(work: Any) -> Any:
    """In a loop that is not the dispatcher's."""

    async def limited() -> Any:
        async with asyncio.timeout(120):
            return await work

    return asyncio.run(limited())


async def one(lab: Lab, name: str = "steered") -> dict[str, Any]:
    """One executor of the list."""
    found: dict[str, Any] = {item["name"]: item for item in (await lab.executors())["items"]}[name]
    return found


def setting(view: dict[str, Any], name: str) -> dict[str, Any]:
    """One setting of a view."""
    found: dict[str, Any] = {item["name"]: item for item in view["settings"]}[name]
    return found


def test_the_list_tells_names_origins_settings_and_masks_secrets(lab: Lab, private: Path) -> None:
    """Nothing is started to be listed, except the default executor."""
    ct.set_config({"executors.steered": {"machine": "gpu", "password": "top secret"}})
    view = run(one(lab))
    assert (view["class_name"], view["summary"]) == ("Steered", "Runs nothing, and answers as its class says.")
    assert (view["is_started"], view["queued"], view["running"], view["trouble"]) == (False, 0, 0, "")
    assert setting(view, "machine") == {
        "name": "machine", "kind": "text", "value": "gpu", "default": "", "is_set": True, "doc": "Where.",
    }  # fmt: skip
    assert setting(view, "password") == {
        "name": "password", "kind": "secret", "value": "***", "default": None, "is_set": True, "doc": "",
    }  # fmt: skip
    kinds = {item["name"]: item["kind"] for item in view["settings"]}
    assert (kinds["places"], kinds["eager"], kinds["extra"], kinds["table"]) == ("number", "flag", "any", "table")
    local = run(one(lab, "local"))
    assert (local["is_default"], local["origin"]) == (True, "covalent_lab_executors.local:LocalExecutor")


def test_a_broken_plugin_is_listed_with_its_trouble(lab: Lab, private: Path) -> None:
    """It does not keep the others from being listed."""
    folder = private / "plugins"
    folder.mkdir()
    (folder / "broken.py").write_text("import not_there\n")
    (folder / "other.py").write_text("x = 1\n")
    registry.default().add_folder(folder)
    try:
        broken, other = run(one(lab, "broken")), run(one(lab, "other"))
    finally:
        registry.default().refresh()
    assert "not_there" in broken["trouble"]
    assert broken["settings"] == []
    assert "no executor" in other["trouble"]


def test_health_is_what_the_executor_says(lab: Lab) -> None:
    """It is started for that."""
    health = run(lab.executor_health("steered"))
    assert health.pop("took_s") >= 0
    assert health == {
        "name": "steered", "is_usable": True, "summary": "Fine.", "facts": [{"name": "Cores", "value": "4"}],
        "links": [],
    }  # fmt: skip
    assert run(one(lab))["is_started"]


@pytest.mark.parametrize(
    ("says", "words"), [(BackendError("No route. Check the cable."), "No route"), (KeyError("k"), "KeyError: 'k'")]
)
def test_what_goes_wrong_while_it_is_asked_is_the_answer(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, says: Exception, words: str
) -> None:
    """Readable for errors of this package, and at all for others."""
    monkeypatch.setattr(Steered, "says", says)
    health = run(lab.executor_health("steered"))
    assert not health["is_usable"]
    assert words in health["summary"]


def test_an_executor_that_does_not_answer_is_not_waited_for(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is told."""
    monkeypatch.setattr(Steered, "says", None)
    desk = ExecutorDesk(lab._parts()[0], check_s=0.05)
    health = run(lab._cross(desk.health("steered")))
    assert (health["is_usable"], health["summary"]) == (False, "It did not answer within 0.05 s.")


def test_a_check_tries_again_what_could_not_be_started(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that people see whether what they changed helped."""
    monkeypatch.setattr(Steered, "starts", False)
    for _ in range(2):
        health = run(lab.executor_health("steered"))
        assert "The host is down" in health["summary"]
    assert "The host is down" in run(one(lab))["trouble"]
    monkeypatch.setattr(Steered, "starts", True)
    assert run(lab.executor_health("steered"))["is_usable"]
    assert run(one(lab))["trouble"] == ""


def test_an_unknown_name_is_an_error(lab: Lab) -> None:
    """For every verb."""
    for work in (lab.executor_health("nobody"), lab.configure_executor("nobody", {}), lab.test_executor("nobody")):
        with pytest.raises(UnknownExecutorError, match="nobody"):
            run(work)


def test_settings_go_to_the_file_and_to_the_executor(lab: Lab, private: Path) -> None:
    """An idle executor starts anew; None takes a value out of the file, comments stay."""
    (private / "config").mkdir()
    file = private / "config" / "covalent.conf"
    file.write_text("[executors.steered]  # mine\nmachine = 'a'\n")
    run(lab.executor_health("steered"))
    changes = {"machine": None, "places": 3, "extra": [1], "table": {"b": 2}, "password": "env:PASS"}
    view = run(lab.configure_executor("steered", changes))
    assert "# mine" in file.read_text()
    assert ct.get_config("executors.steered") == {
        "places": 3, "extra": [1], "password": "env:PASS", "table": {"b": 2},
    }  # fmt: skip
    assert (setting(view, "machine")["is_set"], setting(view, "password")["value"]) == (False, "env:PASS")
    run(lab.executor_health("steered"))
    first, second = Steered.made
    assert first.is_closed
    assert getattr(second, "places") == 3  # noqa: B009 - an option
    run(lab.configure_executor("steered", {"table": {"c": 3}}))
    assert ct.get_config("executors.steered.table") == {"c": 3}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"colour": "red"}, "no setting 'colour'.*machine, places"),
        ({"places": "many"}, "executors.steered.places is 'many'; it must be a number"),
        ({"places": True}, "must be a number"),
        ({"eager": 1}, "must be true or false"),
        ({"machine": 5}, "must be a text"),
        ({"machine": "nowhere"}, "refuses these settings: machine is nowhere"),
        ({"password": "plain"}, "write env:NAME"),
        ({"password": "***"}, "write env:NAME"),
        ({"table": []}, "must be a table"),
    ],
)
def test_settings_that_make_no_sense_change_nothing(
    lab: Lab, private: Path, values: dict[str, Any], words: str
) -> None:
    """The message says what is wrong with which."""
    with pytest.raises(UsageError, match=words):
        run(lab.configure_executor("steered", {"retries": 3, **values}))
    assert not (private / "config" / "covalent.conf").exists()


def test_a_masked_secret_stays_as_it_is(lab: Lab) -> None:
    """A form sends back what it was shown."""
    ct.set_config("executors.steered.password", "old")
    run(lab.configure_executor("steered", {"password": "***", "places": 5}))
    assert ct.get_config("executors.steered") == {"password": "old", "places": 5}


def test_an_executor_at_work_takes_up_settings_when_it_is_done(lab: Lab) -> None:
    """Its jobs go on with the earlier ones; they are counted meanwhile."""

    async def work() -> None:
        await lab.executor_health("steered")
        submission = lab.submission()
        submission.feed(bundle_of(graph_of(2, [], lanes=("steered",))))
        dispatch_id, _ = await submission.finish()
        (first,) = Steered.made
        await lab._cross(first.until(lambda: len(first.running) == 2))
        assert (await one(lab))["running"] == 2
        assert (await lab.configure_executor("steered", {"places": 9}))["is_outdated"]

        async def finish() -> None:
            for attempt in list(first.running):
                first.finish(attempt, completed(1))

        await lab._cross(finish())
        await lab.detail(dispatch_id, wait_s=30)
        assert (await lab.executor_health("steered"))["is_usable"]
        view = await one(lab)
        assert (view["is_outdated"], view["queued"], view["running"]) == (False, 0, 0)

    run(work())
    assert [getattr(made, "places") for made in Steered.made] == [2, 9]  # noqa: B009 - an option
    assert Steered.made[0].is_closed


def test_a_test_task_tells_where_it_ran(lab: Lab) -> None:
    """On the real local executor; it is a dispatch like any other."""
    told = run(lab.test_executor("local"))
    assert (told["is_passed"], told["status"]) == (True, "COMPLETED")
    assert (told["host"], told["python"]) == (platform.node(), platform.python_version())
    assert told["waited_s"] >= 0
    assert told["ran_s"] >= 0
    assert run(lab.detail(told["dispatch_id"]))["name"] == "test of local"


def test_nothing_is_dispatched_where_the_executor_says_no(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report says what it said."""
    monkeypatch.setattr(Steered, "says", Health(is_usable=False, summary="No workers. Start some."))
    told = run(lab.test_executor("steered"))
    assert (told["is_passed"], told["summary"], told["dispatch_id"]) == (False, "No workers. Start some.", None)
    assert run(lab.overview())["total"] == 0


def test_a_test_task_that_waits_is_told_of(lab: Lab) -> None:
    """The fake never ends it."""
    told = run(lab.test_executor("steered", 0.2))
    assert (told["is_passed"], told["ran_s"]) == (False, None)
    assert "waits, or runs, still" in told["summary"]
