"""`export`: a workflow, or one run of it, as a file that can be kept, printed, or sent to somebody."""

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from covalent_lab import payload
from covalent_lab._version import __version__
from covalent_lab.client.connection import connect
from covalent_lab.client.result import Result
from covalent_lab.errors import UsageError
from covalent_lab.exports.formats import FORMATS, format_named
from covalent_lab.exports.run import NodeRun, Run, Value
from covalent_lab.exports.svg import PAGE_STYLE
from covalent_lab.ids import PayloadRef
from covalent_lab.payload import Payload
from covalent_lab.workflow.lattice import Lattice

__all__ = ["compare", "export"]

_PNG_S = 60.0


def export(target: "str | Result | Lattice[..., Any]", path: str | Path, *, dispatcher_addr: str | None = None) -> Path:
    """Write a dispatch, or a workflow that was built, into a file. The file's suffix chooses the format.

    `.svg` and `.png` are pictures of the graph, `.mmd` is Mermaid's and `.dot` Graphviz' text for it, `.py` a script
    that makes the same calls again, `.html` a page with all there is to tell, which opens without a server or network.

        >>> ct.export(dispatch_id, "run.html")  # doctest: +SKIP

    Args:
        target: A dispatch id, a `Result`, or a lattice after `build_graph`.
        path: The file; it is replaced if it is there.
        dispatcher_addr: Server that has the dispatch, as for `dispatch`.

    Returns:
        The file's path.

    Raises:
        UsageError: The suffix is none of these, or what draws `.png` is not installed (cairosvg, or Graphviz).
        GraphBuildError: The lattice was not built.
        MissingLatticeRecordError: There is no such dispatch.
    """
    file = Path(path)
    suffix = file.suffix.removeprefix(".").lower()
    if suffix == "png":
        file.write_bytes(_png(lambda name: _text(target, name, dispatcher_addr)))
        return file
    if suffix not in FORMATS:
        known = ", ".join(f".{name}" for name in [*FORMATS, "png"])
        raise UsageError(f"Nothing can be exported to {file.name!r}; end its name in one of {known}.")
    file.write_text(_text(target, suffix, dispatcher_addr), encoding="utf-8", newline="\n")
    return file


def compare(left: str, right: str, *, dispatcher_addr: str | None = None) -> dict[str, Any]:
    """Two dispatches side by side, as JSON: see `Comparison` in the description of the REST interface.

    Raises:
        MissingLatticeRecordError: One of them does not exist.
    """
    return connect(dispatcher_addr).compare(left, right)


def _text(target: "str | Result | Lattice[..., Any]", name: str, address: str | None) -> str:
    if isinstance(target, Lattice):
        return format_named(name).write(_built(target))
    dispatch_id = target.dispatch_id if isinstance(target, Result) else target
    if not isinstance(dispatch_id, str) or not dispatch_id:
        raise UsageError(f"{target!r} cannot be exported; give a dispatch id, a result of one, or a lattice.")
    return connect(address).export(dispatch_id, name)


def _built(lattice: "Lattice[..., Any]") -> Run:
    graph, payloads = lattice.graph, lattice.payloads
    inputs = lattice.inputs
    return Run(
        name=lattice.__name__,
        graph=graph,
        doc=lattice.__doc__ or "",
        source=lattice.workflow_function_string,
        lab_version=__version__,
        python_version=lattice.python_version,
        inputs=None if inputs is None else _shown(inputs.payload),
        nodes={
            node.id: NodeRun(output=_shown(payloads[node.value]))
            for node in graph.nodes
            if node.value is not None and node.value in payloads
        },
        made_at=time.time(),
    )


def _shown(encoded: Payload) -> Value:
    ref: PayloadRef = encoded.ref
    seen = payload.preview(encoded.tobytes())
    return Value(digest=ref.digest, size=ref.size, type=seen.type, text=seen.text)


def _png(text: Callable[[str], str]) -> bytes:
    """A picture from what is installed; the package itself needs neither."""
    try:
        import cairosvg  # type: ignore[import-not-found, import-untyped, unused-ignore]  # optional
    except (ImportError, OSError):  # OSError: it is there, and the cairo library is not
        cairosvg = None
    if cairosvg is not None:
        picture = text("svg").replace(PAGE_STYLE, "")  # it takes `height:auto` for no height, and draws nothing
        return bytes(cairosvg.svg2png(bytestring=picture.encode(), scale=2))
    dot = shutil.which("dot")
    if dot is None:
        raise UsageError(
            "A .png needs the Python package cairosvg or the program dot of Graphviz; install one of them, export .svg "
            "instead, or use Export… in JupyterLab."
        )
    try:
        done = subprocess.run(
            [dot, "-Tpng", "-Gdpi=144"], input=text("dot").encode(), capture_output=True, check=True, timeout=_PNG_S
        )
    except subprocess.SubprocessError as error:
        raise UsageError(f"Graphviz cannot draw this graph as .png ({error}); export .svg instead.") from error
    return done.stdout
