"""A workflow as a Python script: the functions as they were recorded, and their calls in the order of the graph.

What cannot be recovered is said at the top of the script, and left where its reader finds it.
"""

import ast
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from covalent_lab.exports.definitions import Definition, define, identifier, unknown_names
from covalent_lab.exports.outline import shorten
from covalent_lab.exports.run import NodeRun, Run, Value, by_target
from covalent_lab.graph.model import Edge, Node, NodeKind, ParamType
from covalent_lab.graph.topology import topological_order

__all__ = ["python_script"]

_LITERALS = ("NoneType", "bool", "bytes", "complex", "dict", "float", "int", "list", "set", "tuple")
_WHOLE = 10_000
_LINE = 100
_COLLECTIONS = {"list": "[{}]", "tuple": "({})", "set": "{{{}}}", "frozenset": "frozenset([{}])"}


def python_script(run: Run) -> str:
    """Write the script.

    Args:
        run: A workflow that was built, or dispatched. Values that are not at hand as text are loaded from the dispatch
            when the script runs, or become arguments of a workflow that was only built.
    """
    return _Script(run).text()


class _Script:
    """What is found out while the calls are written.

    Args:
        run: What to write.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._edges = by_target(run.graph)
        self._definitions: dict[str, Definition] = {}
        self._calls: dict[tuple[str, str], str] = {}
        self._taken: set[str] = {"ct", "recorded"}
        self._missing: list[str] = []
        self._options: dict[str, None] = {}
        self._values: dict[str, Value] = {}
        self._variables: dict[int, str] = {}

    def text(self) -> str:
        """The whole script."""
        workflow = self._name_for(self._run.name)
        body = [line for node_id in topological_order(self._run.graph) for line in self._lines(node_id)]
        signature = ", ".join(self._values)
        parts = [
            "from __future__ import annotations  # of which nobody recorded the names\n\nimport covalent_lab as ct"
        ]
        parts += [definition.text for definition in self._definitions.values()]
        doc = [f"    {self._run.doc!r}"] if self._run.doc else []
        parts.append("\n".join(["@ct.lattice", f"def {workflow}({signature}):", *doc, *body]))
        parts.append("\n".join(self._main(workflow)))
        code = "\n\n\n".join(parts) + "\n"
        return "\n".join(self._header(code)) + "\n\n" + code

    def _header(self, code: str) -> Sequence[str]:
        run = self._run
        made = datetime.fromtimestamp(run.made_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
        origin = f"dispatch {run.dispatch_id}" if run.dispatch_id else "a built workflow"
        lines = [
            f"# {shorten(run.name, _LINE)}: written by covalent_lab from {origin}, {made}.",
            "# It makes the calls of that graph one by one: loops and branches of the workflow function are gone.",
        ]
        notes = [f"the source of {shorten(name, _LINE)}; its place is marked below" for name in self._missing]
        if unknown := unknown_names(code):
            notes.append(f"what sources refer to; import or define it here: {', '.join(unknown)}")
        for name, value in self._values.items():
            where = "it is loaded from the dispatch" if run.dispatch_id else "hand it over"
            notes.append(f"the value {name} ({shorten(value.type, 60)}: {shorten(value.text, 60)}); {where}")
        notes += list(self._options)
        if notes:
            lines += ["#", "# Not recovered:", *(f"# - {note}" for note in notes)]
        return lines

    def _main(self, workflow: str) -> Sequence[str]:
        run, handed = self._run, []
        lines = ['if __name__ == "__main__":']
        if self._values and run.dispatch_id:
            lines.append(f"    recorded = ct.get_result({run.dispatch_id!r})")
        for name in self._values:
            node = name.removeprefix("value_")
            loaded = f'recorded.get_node_result({node})["output"].get_deserialized()'
            handed.append(f"        {name}={loaded if run.dispatch_id else '...'},")
        if not handed:
            return [*lines, f"    print(ct.dispatch_sync({workflow})())"]
        return [*lines, f"    result = ct.dispatch_sync({workflow})(", *handed, "    )", "    print(result)"]

    # --- nodes

    def _lines(self, node_id: int) -> Sequence[str]:
        """The lines of a node; those of collections, operators and parameters stand where they are used."""
        node = self._run.graph.nodes[node_id]
        edges = self._edges.get(node_id, ())
        if node.kind is NodeKind.POSTPROCESS:
            value = next((edge for edge in edges if edge.name == "retval"), None)
            if value is None:
                self._options["what the workflow function makes of its tasks' results"] = None
            return [f"    return {'None' if value is None else self._expression(value.source)}"]
        if node.kind not in (NodeKind.FUNCTION, NodeKind.SUBLATTICE):
            return []
        call, name = self._call(node, edges)
        variable = self._variables[node_id] = self._name_for(f"{name.strip('_').lower()}_{node_id}")
        lines = [f"    {variable} = {call}"]
        waits = [self._variables.get(edge.source, "") for edge in edges if edge.param_type is ParamType.WAIT]
        if any(waits):
            lines.append(f"    ct.wait({variable}, [{', '.join(filter(None, waits))}])")
        return lines

    def _expression(self, node_id: int) -> str:
        node = self._run.graph.nodes[node_id]
        if node.kind is NodeKind.PARAMETER:
            return self._parameter(node)
        if node.kind is NodeKind.ELECTRON_LIST:
            function = self._function_name(node)
            items = ", ".join(self._expression(source) for source in self._sources(node_id))
            if function == "tuple" and items:
                items += ","
            if function == "set" and not items:
                return "set()"
            return _COLLECTIONS.get(function, "[{}]").format(items)
        if node.kind is NodeKind.ELECTRON_DICT:
            keys, values = (self._sources(source) for source in self._sources(node_id))
            pairs = zip(keys, values, strict=True)
            return "{" + ", ".join(f"{self._expression(k)}: {self._expression(v)}" for k, v in pairs) + "}"
        return self._variables[node_id]

    def _parameter(self, node: Node) -> str:
        value = self._run.nodes.get(node.id, NodeRun()).output
        if value is None:
            value = Value(digest="", size=0, text="not stored")
        text = _literal(value)
        if text is None:
            text = f"value_{node.id}"
            self._values[text] = value
        return text

    def _sources(self, node_id: int) -> Sequence[int]:
        edges = [edge for edge in self._edges.get(node_id, ()) if edge.param_type is ParamType.ARG]
        return [edge.source for edge in sorted(edges, key=lambda edge: edge.arg_index or 0)]

    def _function_name(self, node: Node) -> str:
        return "" if node.function is None else self._run.graph.functions[node.function].name

    # --- calls

    def _call(self, node: Node, edges: Sequence[Edge]) -> tuple[str, str]:
        """The expression, and what to call its value."""
        given = [edge for edge in edges if edge.param_type is ParamType.ARG]
        args = [self._expression(e.source) for e in sorted(given, key=lambda e: e.arg_index or 0)[_hidden(node) :]]
        kwargs = {e.name: self._expression(e.source) for e in edges if e.param_type is ParamType.KWARG}
        built_in = self._built_in(node, args, kwargs)
        if built_in is not None:
            return built_in, "x"
        name = self._callable(node)
        args += [f"{key}={value}" for key, value in kwargs.items() if key.isidentifier()]
        others = {key: value for key, value in kwargs.items() if not key.isidentifier()}
        if others:
            args.append("**{" + ", ".join(f"{key!r}: {value}" for key, value in others.items()) + "}")
        return f"{name}({', '.join(args)})", name

    def _built_in(self, node: Node, args: Sequence[str], kwargs: Mapping[str, str]) -> str | None:
        """What tracing made of operators, attributes and items."""
        name = self._function_name(node)
        kind, _, symbol = name.partition(" ")
        match kind:
            case "binary" if symbol:
                return f"{_operand(kwargs['arg_1'])} {symbol} {_operand(kwargs['arg_2'])}"
            case "unary" if symbol:
                value = next(iter([*args, *kwargs.values()]))
                return f"{symbol}({value})" if symbol == "abs" else f"{symbol}{_operand(value)}"
            case "getitem" if node.name.endswith(("__getitem__", "]")):
                return f"{args[0]}[{args[1]}]"
            case "getattr" if node.name.endswith("__getattr__"):
                attribute = ast.literal_eval(args[1]) if args[1].startswith(("'", '"')) else ""
                return f"{args[0]}.{attribute}" if attribute.isidentifier() else f"getattr({args[0]}, {args[1]})"
        return None

    def _callable(self, node: Node) -> str:
        """What the script calls the function of a node; it is defined where it is first needed."""
        graph, options = self._run.graph, self._run.graph.options[node.options]
        if node.kind is NodeKind.SUBLATTICE:
            name = node.name.removeprefix(":sublattice:")
            part = next((p for p in self._run.parts if p.dispatch_id == self._run.node(node.id).sub_dispatch_id), None)
            source, decorators = part.source if part else "", ["ct.electron", "ct.lattice"]
            for inner in part.tasks() if part else ():
                self._part_function(inner, part)  # type: ignore[arg-type]
        else:
            assert node.function is not None
            name, source = graph.functions[node.function].name, graph.functions[node.function].source
            executor = "" if options.executor == "local" else f"(executor={options.executor!r})"
            decorators = [f"ct.electron{executor}"]
        if options.executor_data.get("attributes"):
            self._options[f"settings of the executor {shorten(options.executor, 40)}"] = None
        if any(options.hooks.values()):
            self._options[f"dependencies and calls around {shorten(name, 60)}"] = None
        return self._defined(name, source, decorators)

    def _part_function(self, node: Node, part: Run) -> None:
        """Define what a sublattice's function calls, under the name by which it does."""
        if node.kind is NodeKind.FUNCTION and node.function is not None:
            function = part.graph.functions[node.function]
            is_plain = " " not in function.name and not node.name.endswith(("__getitem__", "__getattr__", "]"))
            if is_plain and function.source:
                self._defined(function.name, function.source, ["ct.electron"])

    def _defined(self, name: str, source: str, decorators: Sequence[str]) -> str:
        called = self._calls.get((name, source))
        if called is not None:
            return called
        definition = define(name, source, decorators)
        called = self._name_for(definition.name)
        text = definition.text
        if called != definition.name:
            text += f"\n\n\n{called} = {definition.name}"
        if not definition.is_recovered:
            self._missing.append(name)
        self._definitions[called] = Definition(text=text, name=called, is_recovered=definition.is_recovered)
        self._calls[name, source] = called
        return called

    def _name_for(self, text: str) -> str:
        """A name that nothing else in the script has."""
        wanted = identifier(text)
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        self._taken.add(name)
        return name


def _hidden(node: Node) -> int:
    """How many arguments of a node the user did not write: the workflow of a sublattice, and its options."""
    return 2 if node.kind is NodeKind.SUBLATTICE else 0


def _operand(expression: str) -> str:
    return f"({expression})" if expression.startswith("-") else expression


def _literal(value: Value) -> str | None:
    """An expression of the value, if its text tells all of it."""
    if len(value.text) > _WHOLE:
        return None
    if value.type == "str":
        return repr(value.text)
    if value.type not in _LITERALS or (value.type not in ("bytes", "bool") and "..." in value.text):
        return None
    try:
        found = ast.literal_eval(value.text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    return repr(found) if type(found).__name__ == value.type else None
