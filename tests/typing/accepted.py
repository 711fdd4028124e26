"""Must type-check: decorators keep signatures."""

from typing import assert_type

from covalent_lab.workflow.electron import Electron, electron, wait
from covalent_lab.workflow.lattice import lattice


@electron
def bare(x: int, y: str = "") -> float:
    return float(x)


@electron(executor="local", deps_pip=["numpy"])
def with_arguments(x: int) -> str:
    return str(x)


as_call = electron(len)


class Holder:
    @electron
    def method(self, x: int) -> int:
        return x


@lattice
def workflow(x: int) -> str:
    assert_type(bare(x, y="a"), float)
    wait(bare(x), [bare(x)])
    return with_arguments(x)


@lattice(executor="local", triggers=[])
def other(*, flag: bool) -> None: ...


assert_type(bare(1), float)
assert_type(with_arguments(1), str)
assert_type(bare.electron_object, Electron)
assert_type(bare.__name__, str)
assert_type(as_call([1]), int)
assert_type(Holder().method(1), int)
assert_type(workflow(1), str)
workflow.build_graph(1)
other.build_graph(flag=True)
sublattice = electron(workflow)
assert_type(sublattice(1), str)
