"""Which nodes travel together."""

from pathlib import Path
from typing import Any

import pytest

from covalent_lab.config.access import set_config
from covalent_lab.workflow.electron import Electron, electron
from covalent_lab.workflow.lattice import Lattice, lattice


@electron
def add(a: Any, b: Any = 1) -> Any:
    return a + b


@electron
def pair(value: Any) -> Any:
    return value, {"twice": 2 * value}


@pytest.fixture(autouse=True)
def no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration of the test's own."""
    monkeypatch.setenv("COVALENT_CONFIG_DIR", str(tmp_path))
    monkeypatch.delenv("COVALENT_ENABLE_TASK_PACKING", raising=False)


def built(function: Any, *, packing: bool | None = True) -> Lattice:
    """A lattice, built; None leaves packing to the configuration."""
    made = lattice(function)
    if packing is not None:
        made.task_packing = packing
    made.build_graph()
    return made


def groups(made: Lattice) -> dict[str, int]:
    """Group of every node that is no parameter, by name."""
    return {node.name: node.task_group for node in made.graph.nodes if not node.name.startswith(":param")}


def test_collections_before_and_items_after_travel_with_their_electron() -> None:
    """The electrons themselves, operators and the postprocess node are groups of their own."""

    def workflow() -> Any:
        first, second = pair(1)
        return add([first], [[2]]) + second["twice"].real

    made = groups(built(workflow))
    assert [made[name] for name in (":pair()[0]", ":pair()[1]", "::pair()[1].__getitem__")] == [0, 0, 0]
    assert made[":::pair()[1].__getitem__.__getattr__"] == made["pair"] == 0
    assert made["add"] == made[":electron_list:"] == 6
    operator = next(name for name in made if "_+_" in name)
    assert made[operator] not in (0, 6)
    assert len({made["pair"], made["add"], made[operator], made[":postprocess:reconstruct"]}) == 4


def test_what_is_made_around_a_sublattice_does_not_join_it() -> None:
    """A sublattice is never packed."""
    inner = electron(lattice(lambda values: values))
    made = built(lambda: inner([1, 2])[0]).graph
    assert all(node.task_group == node.id for node in made.nodes)


def test_packing_is_off_unless_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file, then the environment, then what the lattice itself says decide, when it is built."""

    def workflow() -> Any:
        return pair(1)[0]

    def is_packed(**more: Any) -> bool:
        made = built(workflow, packing=None, **more)
        assert made.task_packing == (groups(made)[":pair.__getitem__"] == 0)
        return made.task_packing

    assert not is_packed()
    set_config("sdk.task_packing", "true")
    assert is_packed()
    monkeypatch.setenv("COVALENT_ENABLE_TASK_PACKING", "false")
    assert not is_packed()
    monkeypatch.setenv("COVALENT_ENABLE_TASK_PACKING", "1")
    assert is_packed()
    assert groups(built(workflow, packing=False))[":pair.__getitem__"] != 0


def test_one_electron_can_pack_by_itself() -> None:
    """With a group of its own choice; what its nodes are bound to tells it."""
    seen: list[Any] = []

    def workflow() -> Any:
        packed = Electron(pair.electron_object.function, task_group_id=7, packing_tasks=True)(1)
        item, plain = packed[0], pair(2)[0]
        seen.extend((packed, item, plain))
        return item

    built(workflow, packing=False)
    assert [(node.task_group_id, node.packing_tasks) for node in seen] == [
        (7, True),
        (7, True),
        (seen[2].node_id, False),
    ]


def test_a_copy_keeps_what_was_said_about_packing() -> None:
    """Also through JSON."""
    made = built(lambda: pair(1)[0])
    assert Lattice.deserialize_from_json(made.serialize_to_json()).task_packing
