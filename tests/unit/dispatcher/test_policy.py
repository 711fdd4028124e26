"""What an executor's options mean to the scheduler."""

from typing import Any

import pytest

from covalent_lab.dispatcher.active import policy_of
from covalent_lab.errors import UsageError
from covalent_lab.executor import registry
from covalent_lab.graph.model import NodeOptions
from covalent_lab.scheduler.plan import DEFAULT_LIMIT, NodePolicy
from covalent_lab.testing.fakes import FakeExecutor


class Narrow(FakeExecutor):
    """Takes three jobs at a time."""

    max_in_flight = 3


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Registered for the length of a test."""
    monkeypatch.setattr(registry, "_registry", registry.ExecutorRegistry())
    registry.register("narrow", Narrow)


def options(attributes: dict[str, Any]) -> NodeOptions:
    """A node with an executor instance."""
    return NodeOptions(executor="narrow", executor_data={"attributes": attributes})


def test_an_instance_speaks_for_itself_and_the_configuration_for_a_name() -> None:
    """They are not mixed."""
    configured = {"narrow": {"retries": 5, "time_limit": 7}}
    own = policy_of(options({"retries": 1, "time_limit": -1}), configured)
    bare = policy_of(NodeOptions(executor="narrow"), configured)
    assert own == NodePolicy(executor="narrow", retries=1, time_limit_s=None, max_in_flight=3, packs=True)
    assert bare == NodePolicy(executor="narrow", retries=5, time_limit_s=7.0, max_in_flight=3, packs=True)


def test_an_executor_that_nobody_knows_has_the_usual_limit() -> None:
    """Its nodes fail later, and say why."""
    assert policy_of(NodeOptions(executor="slrm"), {}) == NodePolicy(executor="slrm", max_in_flight=DEFAULT_LIMIT)


@pytest.mark.parametrize("name", ["retries", "time_limit"])
@pytest.mark.parametrize("value", ["many", True, float("nan"), [1]], ids=str)
def test_what_is_not_a_number_is_the_callers_fault(name: str, value: Any) -> None:
    """The message names executor, option and value."""
    with pytest.raises(UsageError, match=f"{name} of executor 'narrow' is"):
        policy_of(options({name: value}), {})
