"""Must not type-check: each line marked with `# error: [code]` is such an error, and no other line is."""

from covalent_lab.workflow.electron import electron
from covalent_lab.workflow.lattice import lattice


@electron
def task(x: int) -> int:
    return x


@lattice
def workflow(x: int) -> int:
    return task(x)


task("a")  # error: [arg-type]
task()  # error: [call-arg]
task(1, y=2)  # error: [call-arg]
text: str = task(1)  # error: [assignment]
workflow("a")  # error: [arg-type]
workflow.build_graph(1, 2)  # error: [call-arg]
electron(3)  # error: [call-overload]
electron(exekutor="local")  # error: [call-overload]
lattice(files=[])  # error: [call-overload]
