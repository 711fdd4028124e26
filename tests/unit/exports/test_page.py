"""Pages tell everything, and need and trust nothing."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import covalent_lab as ct
from covalent_lab.exports.page import html_page
from covalent_lab.exports.run import Attempt, NodeRun, Run, Value
from covalent_lab.exports.timeline import timeline_svg
from covalent_lab.exports.words import duration, size
from tests.unit.exports.runs import run_of

EVIL = "\"'><script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>&amp;"
VOID = {"meta", "path", "rect", "line"}


@ct.electron
def task(x: Any) -> Any:
    return x


@ct.lattice
def flow(x: Any) -> Any:
    return task(task(x))


class Reader(HTMLParser):
    """Collects tags, attributes and text, and sees that tags are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID | {"br"}:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_a_page_tells_how_it_went() -> None:
    """Status, times, tasks with what they used, values, sources."""
    usage = {"cpu_s": 1.25, "peak_memory": 80_000_000, "host": "node7"}
    run = run_of(flow, "given", outputs={0: "middle"}, started_at=10.0, ended_at=100.0, doc="What it does.")
    used = replace(run.nodes[0], usage=usage)
    run = replace(run, nodes={**run.nodes, 0: used}, result=Value(digest="d", size=312, type="str", text="all of it"))

    text = "\n".join(Reader(html_page(run)).text)

    for words in ("What it does.", "Completed", "1 m 30 s", "middle", "1.2 s", "80 MB", "node7", "all of it", "312 B"):
        assert words in text, words
    assert "return task(task(x))" in text
    assert "1970-01-01 00:00:10 UTC" in text


def test_a_page_loads_and_runs_nothing() -> None:
    """Whatever was stored: it is text, and there is nothing to fetch."""
    value = Value(digest="d", size=1, type=EVIL, text=EVIL)
    run = run_of(flow, EVIL, name=EVIL, doc=EVIL, error=EVIL, source=EVIL, executor=EVIL, python_version=EVIL)
    graph = replace(
        run.graph,
        nodes=tuple(node._replace(name=EVIL) for node in run.graph.nodes),
        edges=tuple(edge._replace(name=EVIL) for edge in run.graph.edges),
        functions=tuple(replace(f, name=EVIL, source=EVIL) for f in run.graph.functions),
        options=tuple(replace(o, executor=EVIL) for o in run.graph.options),
    )
    usage = {"cpu_s": 1.0, "peak_memory": 1, "host": EVIL}
    node = NodeRun(status=EVIL, started_at=1.0, ended_at=2.0, error=EVIL, output=value, reused_from=EVIL, usage=usage)
    hostile = replace(
        run, graph=graph, nodes=dict.fromkeys(run.nodes, node), status=EVIL, inputs=value, result=value,
        dispatch_id=EVIL, redispatched_from=EVIL, lab_version=EVIL, parts=[replace(run, dispatch_id=EVIL)],
    )  # fmt: skip

    page = Reader(html_page(hostile))

    assert not {"script", "img", "iframe", "object", "embed", "link", "base", "form"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href", "xlink:href")]
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes
    assert page.text.count(EVIL) >= 5


def test_a_built_workflow_has_a_page_too() -> None:
    """Without times and statuses."""
    run = run_of(flow, 1, dispatch_id="", status="")
    text = html_page(replace(run, nodes={}))
    assert "Built, not dispatched." in text
    assert "Timeline" not in text


def test_the_timeline_goes_on_to_the_export_for_what_still_runs() -> None:
    """Bars begin where tasks began; the longest are kept of too many."""
    run = run_of(flow, 1)
    running = replace(run, nodes={**run.nodes, 0: NodeRun(status="RUNNING", started_at=10.0)})
    picture = timeline_svg(running)
    assert "Running, 1 m 30 s" in picture
    assert timeline_svg(replace(run, nodes={})) == ""


def test_earlier_attempts_are_bars_and_counted_not_time_that_nothing_ran() -> None:
    """From the beginning of the first; one that nobody saw begin has no bar, and its error is told all the same."""
    run = run_of(flow, 1)
    tried = NodeRun(
        status="COMPLETED", attempt=4, started_at=30.0, ended_at=31.0,
        earlier=[
            Attempt(number=1, started_at=10.0, ended_at=14.0, error="no answer"),
            Attempt(number=2, started_at=None, ended_at=15.0, error="lost"),
            Attempt(number=3, started_at=20.0, ended_at=22.0),
        ],
    )  # fmt: skip
    run = replace(run, nodes={0: tried, 2: NodeRun(status="COMPLETED", attempt=1, started_at=31.0, ended_at=32.0)})

    picture = timeline_svg(run)
    lengths = [float(width) for width in re.findall(r'<rect x="[\d.]+" y="\d+" width="([\d.]+)"', picture)]
    assert [round(length / 620 * 22, 1) for length in lengths] == [4.0, 2.0, 1.0, 1.0]
    titles = [text for text in Reader(picture).text if "attempt" in text]
    assert titles == [
        "task (0), attempt 1: Failed, 4.0 s",
        "task (0), attempt 3: Failed, 2.0 s",
        "task (0), attempt 4: Completed, 1.0 s",
    ]

    page = html_page(run)
    assert '<td class="n">4</td>' in page
    assert "those of the last attempt" in page
    assert 'task (0), attempt 1</h3><pre class="error">no answer' in page
    assert 'task (0), attempt 2</h3><pre class="error">lost' in page


def test_a_task_between_two_attempts_is_in_the_timeline() -> None:
    """It waits for the next one; what it ran already is told."""
    run = run_of(flow, 1)
    attempt = Attempt(number=1, started_at=10.0, ended_at=14.0)
    between = replace(run, nodes={0: NodeRun(status="STARTING", attempt=2, earlier=[attempt])})
    assert timeline_svg(between).count("<rect") == 1
    assert "attempt 1: Failed, 4.0 s" in timeline_svg(between)


def test_figures_in_words() -> None:
    """A few digits, and a unit."""
    assert [duration(s) for s in (None, 0.0, 0.0042, 0.42, 3.21, 245.0, 7_620.0)] == [
        "",
        "0 ms",
        "4.2 ms",
        "420 ms",
        "3.2 s",
        "4 m 05 s",
        "2 h 07 m",
    ]
    assert [size(n) for n in (None, 312, 4_100, 20_000_000, 5e15)] == ["", "312 B", "4.1 kB", "20 MB", "5000 TB"]


def test_a_run_without_tasks_is_a_page() -> None:
    """An empty graph, too."""
    from covalent_lab.graph.model import Graph

    assert "no nodes" in html_page(Run(name="nothing", graph=Graph(nodes=(), edges=())))
