"""Small graphs made by hand."""

from covalent_lab.graph.model import Edge, Graph, Node, NodeKind, ParamType


def map_reduce(width: int, *, label: str = "fit", distinct: bool = False) -> Graph:
    """`load` → `width` tasks with one parameter each → list → `select` → postprocess."""
    names: list[tuple[str, NodeKind]] = [("load", NodeKind.FUNCTION)]
    edges: list[Edge] = []

    def node(name: str, kind: NodeKind) -> int:
        names.append((name, kind))
        return len(names) - 1

    def edge(source: int, target: int, name: str, param_type: ParamType = ParamType.ARG) -> None:
        index = 0 if param_type is ParamType.ARG else None
        edges.append(Edge(source=source, target=target, name=name, param_type=param_type, arg_index=index))

    fits = []
    for i in range(width):
        fit = node(f"{label}{i if distinct else ''}", NodeKind.FUNCTION)
        edge(0, fit, "data")
        edge(node(f":parameter:{i / 2}", NodeKind.PARAMETER), fit, "C", ParamType.KWARG)
        fits.append(fit)
    collected = node(":electron_list:", NodeKind.ELECTRON_LIST)
    for fit in fits:
        edge(fit, collected, "arg[0]")
    select = node("select", NodeKind.FUNCTION)
    edge(collected, select, "scores")
    result = node(":postprocess:reconstruct", NodeKind.POSTPROCESS)
    edge(select, result, "retval")
    edge(select, result, f"node:{select}", ParamType.KWARG)
    edge(0, result, "!waiting_edge", ParamType.WAIT)
    nodes = tuple(Node(id=i, name=name, kind=kind) for i, (name, kind) in enumerate(names))
    return Graph(nodes=nodes, edges=tuple(edges))
