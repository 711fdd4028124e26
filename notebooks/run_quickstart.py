"""The first run: start JupyterLab, send it a real workflow, show what came back, and leave JupyterLab open.

    python notebooks/run_quickstart.py [--no-lab]

Everything goes over HTTP to the server that was started, as it would from a notebook. Records are kept where they
always are (`COVALENT_DATA_DIR` moves them), so the dispatch is in the sidebar when JupyterLab opens.
"""

import argparse
import os
import signal
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

NOTEBOOKS = Path(__file__).resolve().parent
OUTPUT = NOTEBOOKS.parent / "run-output"
TUTORIAL = "01_quickstart.ipynb"
ROWS = 20
TERMINAL = frozenset({"COMPLETED", "FAILED", "CANCELLED"})


def follow(connection: Any, dispatch_id: str) -> str:
    """Show a progress bar until the dispatch ends, moved by the feed of its transitions; return its last status."""
    from tqdm import tqdm  # only a terminal needs it

    now = connection.detail(dispatch_id)
    print(f"Running {now['total']} tasks", flush=True)
    with tqdm(total=now["total"], unit=" tasks", disable=None) as bar:  # None: no bar where nobody looks at it
        done = now["completed"] + now["failed"] + now["cancelled"]
        bar.update(done)
        status, seen = now["status"], now["seq"]
        while status not in TERMINAL:
            reader = connection.subscribe(seen)
            try:
                for frame in reader:
                    if frame["type"] == "reset":  # fell behind: read where things are and follow from there
                        break
                    for item in frame.get("items", ()):
                        if item["dispatch_id"] != dispatch_id or item["seq"] <= seen:
                            continue
                        if item["node_id"] is None:
                            status = item["status"]
                        elif item["status"] in TERMINAL:
                            bar.update(1)
                            done += 1
                    if status in TERMINAL:
                        break
            finally:
                reader.close()
            now = connection.detail(dispatch_id)
            status, seen = now["status"], now["seq"]
            missed = now["completed"] + now["failed"] + now["cancelled"] - done
            bar.update(missed)
            done += missed
    return status


def table(wire: Mapping[str, Any], states: Mapping[str, Any]) -> str:
    """Lay out the first nodes with their states, and count the rest."""
    place = {node_id: index for index, node_id in enumerate(states["node_id"])}
    names, kinds = wire["nodes"]["name"], wire["nodes"]["kind"]
    tasks = [node_id for node_id, kind in enumerate(kinds) if kind != "parameter"]
    status = {node_id: states["status"][place[node_id]] if node_id in place else "PENDING" for node_id in tasks}
    width = max((len(names[node_id][:40]) for node_id in tasks[:ROWS]), default=4)
    lines = [f"{'node':>5}  {'name':{width}}  {'status':9}  {'time':>9}"]
    for node_id in tasks[:ROWS]:
        took = ""
        if node_id in place:
            began, ended = states["started_at"][place[node_id]], states["ended_at"][place[node_id]]
            took = f"{ended - began:7.3f} s" if began and ended else ""
        lines.append(f"{node_id:5}  {names[node_id][:40]:{width}}  {status[node_id].lower():9}  {took:>9}")
    if len(tasks) > ROWS:
        lines.append(f"    … and {len(tasks) - ROWS} more")
    counts = Counter(status.values())
    lines.append(f"{len(tasks)} nodes: " + ", ".join(f"{count} {name.lower()}" for name, count in counts.most_common()))
    return "\n".join(lines)


def draw(wire: Mapping[str, Any], states: Mapping[str, Any], title: str) -> Path:
    """Write the graph as a picture and return its path."""
    from covalent_lab.graph.wire import graph_from_wire
    from covalent_lab.exports.svg import graph_svg

    statuses = dict(zip(states["node_id"], states["status"], strict=True))
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / "quickstart.svg"
    path.write_text(graph_svg(graph_from_wire(wire), statuses, title=title), encoding="utf-8")
    return path


def run_workflow(server: Any) -> bool:
    """Dispatch the quickstart to the server and print what it did; say whether it completed."""
    import cloudpickle
    import covalent_lab as ct
    import quickstart_workflow
    from covalent_lab.client.connection import connect

    # Workers do not know this folder, so the functions travel whole instead of by their module's name.
    cloudpickle.register_pickle_by_value(quickstart_workflow)

    os.environ["COVALENT_LAB_URL"], os.environ["COVALENT_LAB_TOKEN"] = server.url, server.lab_token
    connection = connect(server.url)
    dispatch_id = ct.dispatch(quickstart_workflow.workflow, dispatcher_addr=server.url)(*quickstart_workflow.ARGUMENTS)
    print(f"Dispatched {dispatch_id}", flush=True)
    status = follow(connection, dispatch_id)
    wire, states = connection.graph(dispatch_id), connection.nodes(dispatch_id)
    print(table(wire, states))
    result = ct.get_result(dispatch_id, wait=True, dispatcher_addr=server.url)
    if status == "COMPLETED":
        print(f"Result: {result.result}")
    else:
        print(f"The workflow ended as {status}: {result.error}", file=sys.stderr)
    print(f"Graph: {draw(wire, states, quickstart_workflow.workflow.__name__)}", flush=True)
    return status == "COMPLETED"


def interrupt(number: int, frame: FrameType | None) -> None:
    """Let a polite request to end do what Ctrl-C does."""
    raise KeyboardInterrupt


def main() -> int:
    """Run the quickstart; return the exit status."""
    parser = argparse.ArgumentParser(description="Run the quickstart workflow on a real Jupyter server.")
    parser.add_argument("--no-lab", action="store_true", help="stop the server when the workflow has ended")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, interrupt)

    from covalent_lab.errors import LabError
    from covalent_lab.testing.live_server import LiveServer

    try:
        print("Starting JupyterLab", flush=True)
        with LiveServer.start(root_dir=NOTEBOOKS, log=OUTPUT / "jupyterlab.log") as server:
            print(f"Ready at {server.url} (process {server.process.pid})", flush=True)
            succeeded = run_workflow(server)
            if options.no_lab or not succeeded:
                return 0 if succeeded else 1
            print(f"\nJupyterLab is open at\n    {server.page(TUTORIAL)}\nCtrl-C stops it.", flush=True)
            try:
                server.process.wait()
            except KeyboardInterrupt:
                print("\nStopping JupyterLab.")
            return 0
    except LabError as error:
        print(f"{error.message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
