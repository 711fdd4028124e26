"""One run as a page that needs nothing else: no server, no network, no scripts.

Everything that users wrote or stored is escaped, and the page itself forbids whatever could be loaded.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from covalent_lab.exports.outline import label_of, shorten
from covalent_lab.exports.run import NodeRun, Run, Value
from covalent_lab.exports.statuswords import style_of
from covalent_lab.exports.svg import graph_svg
from covalent_lab.exports.timeline import timeline_svg
from covalent_lab.exports.words import duration, moment, size
from covalent_lab.graph.model import Node

__all__ = ["html_page"]

_ROWS = 2_000
_TEXT = 4_000
_CELL = 120
_STYLE = """
:root{color-scheme:light dark;--line:#8888;--soft:#8882}
body{font:15px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem}
h1{margin:0}h2{margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem}dt{opacity:.75}dd{margin:0;overflow-wrap:anywhere}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.9em}
th,td{text-align:left;vertical-align:top;padding:.2rem .6rem;border-bottom:1px solid var(--soft)}
td.n{text-align:right;white-space:nowrap}td code{overflow-wrap:anywhere}
pre{background:var(--soft);padding:.6rem;overflow:auto;max-height:30rem;white-space:pre-wrap;overflow-wrap:anywhere}
.error{border-left:.3rem solid #d0342c}summary{cursor:pointer}
.status{border:1px solid;border-radius:1rem;padding:.05rem .6rem;white-space:nowrap}
@media(prefers-color-scheme:dark){body{background:#16181c;color:#e6e8eb}}
"""


def html_page(run: Run) -> str:
    """Write the page: how it went, graph, timeline, tasks, values, sources."""
    title = shorten(run.name, 80) or "workflow"
    parts = [
        f"<h1>{escape(title)}</h1>",
        _status(run.status) if run.status else "<p>Built, not dispatched.</p>",
        f"<p>{escape(run.doc)}</p>" if run.doc else "",
        _facts(run),
        _section("Error", f'<pre class="error">{escape(run.error)}</pre>') if run.error else "",
        _section("Graph", f'<div class="wide">{graph_svg(run.graph, run.statuses(), title=title)}</div>'),
        _section("Timeline", f'<div class="wide">{timeline}</div>') if (timeline := timeline_svg(run)) else "",
        _section("Inputs", _value(run.inputs)) if run.inputs else "",
        _section("Result", _value(run.result)) if run.result else "",
        _section("Tasks", _tasks(run)),
        _section("Errors of tasks", errors) if (errors := _errors(run)) else "",
        _section("Sublattices", _parts(run)) if run.parts else "",
        _section("Source", _sources(run)),
        f"<footer><p>Written by covalent_lab {escape(run.lab_version)} on {moment(run.made_at)}.</p></footer>",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n{chr(10).join(filter(None, parts))}\n"
        "</body></html>\n"
    )


def _section(title: str, body: str) -> str:
    return f"<section><h2>{title}</h2>{body}</section>"


def _status(status: str) -> str:
    style = style_of(status)
    return f'<span class="status" style="border-color:{style.stroke}">{style.mark} {escape(style.word)}</span>'


def _facts(run: Run) -> str:
    took = NodeRun(started_at=run.started_at, ended_at=run.ended_at).runtime_s
    states = [run.node(node.id) for node in run.tasks()]
    measured = [state.usage["cpu_s"] for state in states if state.usage]
    facts: Mapping[str, str] = {
        "Dispatch": run.dispatch_id,
        "Repeats": run.redispatched_from or "",
        "Created": moment(run.created_at),
        "Started": moment(run.started_at),
        "Ended": moment(run.ended_at),
        "Run time": duration(took),
        "CPU time of tasks": duration(sum(measured)) if measured else "",
        "Tasks": f"{sum(s.status == 'COMPLETED' for s in states)} of {len(states)} completed" if run.status else "",
        "Executor": run.executor,
        "Workflow executor": run.workflow_executor,
        "Python": run.python_version,
    }
    rows = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts.items() if value)
    return f"<dl>{rows}</dl>"


def _value(value: Value) -> str:
    text = value.text if len(value.text) <= _TEXT else value.text[:_TEXT] + "…"
    return f"<p>{escape(value.type)}, {size(value.size)}</p><pre>{escape(text)}</pre>"


def _tasks(run: Run) -> str:
    tasks = run.tasks()
    head = (
        "Id", "Task", "Kind", "Status", "Attempts", "Executor", "Started", "Run time", "CPU time", "Memory", "Host",
        "Output",
    )  # fmt: skip
    table = _table(head, (_task(run, node) for node in tasks[:_ROWS]))
    if any(run.node(node.id).earlier for node in tasks):
        table += "<p>Times, CPU time and memory are those of the last attempt.</p>"
    more = f"<p>… and {len(tasks) - _ROWS} more.</p>" if len(tasks) > _ROWS else ""
    return table + more


def _task(run: Run, node: Node) -> str:
    state = run.node(node.id)
    usage = state.usage or {}
    output = state.output
    reused = f"<br>from {escape(state.reused_from)}" if state.reused_from else ""
    shown = "" if output is None else f"<code>{escape(shorten(output.text, _CELL))}</code>"
    cells = [
        f'<td class="n">{node.id}</td><td>{escape(label_of(node, length=60))}</td><td>{escape(node.kind.value)}</td>',
        f"<td>{_status(state.status) if run.status else ''}{reused}</td>",
        f'<td class="n">{state.attempt or ""}</td>',
        f"<td>{escape(run.graph.options[node.options].executor)}</td><td>{moment(state.started_at)}</td>",
        f'<td class="n">{duration(state.runtime_s)}</td><td class="n">{duration(usage.get("cpu_s"))}</td>',
        f'<td class="n">{size(usage.get("peak_memory"))}</td><td>{escape(str(usage.get("host", "")))}</td>',
        f"<td>{shown}</td>",
    ]
    return "".join(cells)


def _errors(run: Run) -> str:
    """Those of all attempts; one that another followed says which it was."""
    found: list[tuple[str, str]] = []
    for node in run.tasks():
        state, name = run.node(node.id), f"{label_of(node, length=60)} ({node.id})"
        found += [(f"{name}, attempt {attempt.number}", attempt.error) for attempt in state.earlier if attempt.error]
        if state.error:
            found.append((f"{name}, attempt {state.attempt}" if state.earlier else name, state.error))
    return "".join(f'<h3>{escape(name)}</h3><pre class="error">{escape(error)}</pre>' for name, error in found[:_ROWS])


def _parts(run: Run) -> str:
    rows = (
        f"<td>{escape(part.name)}</td><td><code>{escape(part.dispatch_id)}</code></td><td>{_status(part.status)}</td>"
        f'<td class="n">{len(part.tasks())}</td>'
        f'<td class="n">{duration(NodeRun(started_at=part.started_at, ended_at=part.ended_at).runtime_s)}</td>'
        for part in run.parts
    )
    return _table(("Workflow", "Dispatch", "Status", "Tasks", "Run time"), rows)


def _sources(run: Run) -> str:
    texts: dict[tuple[str, str], None] = {(run.name, run.source): None}
    for part in (run, *run.parts):
        texts |= {(part.name, part.source): None} | {(f.name, f.source): None for f in part.graph.functions}
    return "".join(
        f"<details><summary>{escape(shorten(name, 80))}</summary><pre>{escape(source)}</pre></details>"
        for name, source in texts
        if source
    )


def _table(head: Sequence[str], rows: Iterable[str]) -> str:
    columns = "".join(f'<th scope="col">{name}</th>' for name in head)
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table></div>'
