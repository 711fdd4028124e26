"""Text that Mermaid and Graphviz draw."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab.errors import UsageError
from covalent_lab.exports.diagrams import dot_text, mermaid_text
from covalent_lab.exports.formats import FORMATS, format_named
from tests.unit.exports.runs import run_of

EVIL = 'a"]\n  click n0 "javascript:alert(1)"; %%{init}%% <script>#\\'


@ct.electron
def task(x: Any) -> Any:
    return x


@ct.lattice
def flow(x: Any) -> Any:
    first = task(x)
    second = task(x)
    ct.wait(second, [first])
    return second


def test_nodes_links_and_statuses_are_told() -> None:
    """In words as well as colours; order without data is dotted."""
    run = run_of(flow, 7)
    mermaid, dot = mermaid_text(run), dot_text(run)
    assert "flowchart TD" in mermaid
    assert mermaid.count('["task: Completed"]') == dot.count('label="task: Completed"') == 2
    assert "-.->" in mermaid
    assert "style=dashed" in dot
    assert "classDef completed" in mermaid
    assert "Completed" not in mermaid_text(replace(run, status=""))


def test_names_stay_names() -> None:
    """A task's name can neither end its text nor begin a line."""
    run = run_of(flow, 7, name=EVIL)
    graph = replace(run.graph, nodes=tuple(node._replace(name=EVIL) for node in run.graph.nodes))
    run = replace(run, graph=graph)
    mermaid, dot = mermaid_text(run), dot_text(run)
    for line in mermaid.splitlines():
        assert line.count('"') % 2 == 0
        assert not line.lstrip().startswith("click")
    assert not {"<", "]\n  click"} & {part for part in ("<", "]\n  click") if part in mermaid}
    assert [line for line in dot.splitlines() if line.lstrip().startswith("click")] == []


def test_graphviz_reads_what_is_written_for_it(require: Callable[..., str]) -> None:
    """Also with hostile names."""
    require("dot")
    run = run_of(flow, 7, name=EVIL)
    graph = replace(run.graph, nodes=tuple(node._replace(name=EVIL) for node in run.graph.nodes))
    for text in (dot_text(run), dot_text(replace(run, graph=graph))):
        done = subprocess.run(["dot", "-Tplain"], input=text.encode(), capture_output=True, check=True)
        assert done.stdout.count(b"\nnode ") == len(graph.nodes)


def test_formats_are_found_by_their_suffix() -> None:
    """Each writes text; others are refused with what there is."""
    run = run_of(flow, 7)
    assert all(form.write(run) for form in FORMATS.values())
    with pytest.raises(UsageError, match="choose one of svg, mmd, dot, py, html"):
        format_named("exe")
