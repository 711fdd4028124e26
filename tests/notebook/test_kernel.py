"""What a notebook gets from a real kernel that talks to a real server."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

import covalent_lab as ct
from covalent_lab.testing.live_server import LiveServer

TIMEOUT_S = 200
FLOW = "import covalent_lab as ct\n@ct.lattice\ndef flow(x):\n    return x"


class Kernel:
    """One kernel, and the messages its cells cause."""

    def __init__(self, manager: KernelManager) -> None:
        self.manager = manager
        self.client = manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=TIMEOUT_S)

    def run(self, code: str, *, interrupt_at: str = "", cell_id: str = "") -> list[tuple[str, dict[str, Any]]]:
        """Run a cell; returns its messages. Interrupts the kernel when a text is displayed, if one is given."""
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
        message = self.client.session.msg("execute_request", content, metadata={"cellId": cell_id} if cell_id else {})
        self.client.shell_channel.send(message)
        request = message["header"]["msg_id"]
        found = []
        while True:
            message = self.client.get_iopub_msg(timeout=TIMEOUT_S)
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return found
            if kind not in ("status", "execute_input"):
                found.append((kind, content))
            if interrupt_at and interrupt_at in content.get("data", {}).get("text/plain", ""):
                interrupt_at = ""
                self.manager.interrupt_kernel()


@pytest.fixture(scope="module")
def kernel(server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    manager = KernelManager(kernel_name="python3")
    # What the server gives to kernels that it starts itself.
    environ = {**os.environ, "COVALENT_LAB_ROOT": "/srv/notebooks"}
    manager.start_kernel(cwd=str(tmp_path_factory.mktemp("cwd")), env=environ)
    kernel = Kernel(manager)
    yield kernel
    kernel.client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_a_cell_shows_its_status_its_print_and_its_value(kernel: Kernel) -> None:
    """One card is updated in place, which in the end leaves the value to the cell; readers without it see a picture."""
    kernel.run("%load_ext covalent_lab\nxs = [1, 2]")
    messages = kernel.run("%%covalent\nprint('hello')\nys = [2 * x for x in xs]\nys")
    [(_, first)] = [message for message in messages if message[0] == "display_data"]
    updates = [content for kind, content in messages if kind == "update_display_data"]
    last = updates[-1]
    assert {update["transient"]["display_id"] for update in updates} == {first["transient"]["display_id"]}
    assert "✓ Completed: cell_" in last["data"]["text/plain"]
    assert "<svg" in last["data"]["image/svg+xml"]
    views = [update["data"]["application/vnd.covalent.lattice+json"] for update in [first, *updates]]
    assert len({view["dispatch_id"] for view in views}) == 1
    assert [view.get("is_delivered", False) for view in views] == [False] * len(updates) + [True]
    assert ("stream", {"name": "stdout", "text": "hello\n"}) in messages
    [(_, value)] = [message for message in messages if message[0] == "execute_result"]
    assert value["data"]["text/plain"] == "[2, 4]"


def test_an_error_in_a_cell_is_the_cells_error(kernel: Kernel) -> None:
    """The notebook stops there, and shows the remote traceback."""
    kernel.run("%load_ext covalent_lab")
    [(_, error)] = [message for message in kernel.run("%%covalent\n1 / 0") if message[0] == "error"]
    assert error["ename"] == "TaskRuntimeError"
    assert error["traceback"][1] == '  File "<covalent cell>", line 2, in <module>'
    assert error["traceback"][-1] == "ZeroDivisionError: division by zero"


def test_interrupting_the_kernel_cancels_the_cell(kernel: Kernel) -> None:
    """The stop button."""
    messages = kernel.run("%%covalent\nimport time\ntime.sleep(600)", interrupt_at="Running: cell_")
    assert messages[-1][0] == "error"
    assert messages[-1][1]["ename"] == "KeyboardInterrupt"
    updates = [content["data"]["text/plain"] for kind, content in messages if kind == "update_display_data"]
    assert "Cancelled: cell_" in updates[-1]


def test_drawing_gives_every_front_end_its_form(kernel: Kernel) -> None:
    """Ours takes JSON, others the picture."""
    kernel.run("import covalent_lab as ct\n@ct.lattice\ndef flow(x):\n    return x")
    [(_, shown)] = [message for message in kernel.run("flow.draw(1)") if message[0] == "display_data"]
    assert sorted(shown["data"]) == ["application/vnd.covalent.lattice+json", "image/svg+xml", "text/plain"]


def test_a_result_shows_as_a_report(kernel: Kernel) -> None:
    """And as text where HTML is not known."""
    messages = kernel.run("ct.get_result(ct.dispatch(flow)(7), wait=True)")
    [(_, shown)] = [message for message in messages if message[0] == "execute_result"]
    assert "Completed" in shown["data"]["text/html"]
    assert "result: 7" in shown["data"]["text/plain"]


def test_a_mistake_in_a_workflow_is_shown_with_its_line(kernel: Kernel) -> None:
    """Cells have no file that could be opened."""
    messages = kernel.run(
        "@ct.electron\ndef one():\n    return 1\n"
        "@ct.lattice\ndef greet():\n    return f'hello {one()}'\ngreet.build_graph()"
    )
    [(_, told)] = [message for message in messages if message[0] == "error"]
    assert told["ename"] == "GraphBuildError"
    assert "Cannot format as text" in told["evalue"]
    assert "[notebook cell, line 6, in greet: return f'hello {one()}'] Do it inside a task" in told["evalue"]


def test_dispatches_can_be_awaited(kernel: Kernel) -> None:
    """The kernel's own event loop goes on meanwhile."""
    messages = kernel.run(
        "import asyncio\nids = [ct.dispatch(flow)(n) for n in range(2)]\n"
        "[done.result for done in await asyncio.gather(*ids)]"
    )
    [(_, shown)] = [message for message in messages if message[0] == "execute_result"]
    assert shown["data"]["text/plain"] == "[0, 1]"


@pytest.mark.parametrize(
    ("cell", "error"),
    [("ct.get_result(sleeping, wait=True)", "KeyboardInterrupt"), ("await sleeping", "CancelledError")],
    ids=["get_result", "await"],
)
def test_a_bar_shows_while_a_cell_waits_and_an_interrupt_leaves_the_dispatch_alone(
    kernel: Kernel, cell: str, error: str
) -> None:
    """The stop button ends the waiting only, and the error says so."""
    kernel.run(
        "import time\n@ct.electron\ndef sleep(x):\n    time.sleep(600)\n"
        "@ct.lattice\ndef asleep():\n    return sleep(1)\nsleeping = ct.dispatch(asleep)()"
    )
    messages = kernel.run(cell, interrupt_at="asleep:")
    [(_, bar)] = [message for message in messages if message[0] == "display_data"]
    assert "0/2" in bar["data"]["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in bar["data"]
    [(_, told)] = [message for message in messages if message[0] == "error"]
    assert told["ename"] == error
    assert "it goes on" in told["evalue"]
    messages = kernel.run("before = ct.get_result(sleeping).status\nct.cancel(sleeping)\nstr(before)")
    [(_, shown)] = [message for message in messages if message[0] == "execute_result"]
    assert shown["data"]["text/plain"] in ("'RUNNING'", "'STARTING'")


def test_a_dispatch_tells_which_cell_of_which_notebook_it_comes_from(kernel: Kernel) -> None:
    """So that the cell can be opened from the dispatch."""
    kernel.run(FLOW)
    kernel.run("import os\nos.environ['JPY_SESSION_NAME'] = os.environ['COVALENT_LAB_ROOT'] + '/fits/fit.ipynb'")
    messages = kernel.run("origin = ct.get_result(ct.dispatch(flow)(7)).detail['origin']\norigin", cell_id="c-42")
    [(_, shown)] = [message for message in messages if message[0] == "execute_result"]
    assert shown["data"]["text/plain"] == "{'notebook': 'fits/fit.ipynb', 'cell_id': 'c-42', 'script': None}"


def test_a_dispatch_shows_as_a_card_that_the_page_keeps_live(kernel: Kernel) -> None:
    """By its id as the last value, and by the magic; the id is still its text."""
    kernel.run(f"%load_ext covalent_lab\n{FLOW}")
    shown = kernel.run("held = ct.dispatch(flow)(7)\nheld")
    [(_, value)] = [message for message in shown if message[0] == "execute_result"]
    card = value["data"]["application/vnd.covalent.lattice+json"]
    assert value["data"]["text/plain"] == repr(card["dispatch_id"])
    kernel.run("ct.get_result(held, wait=True);")
    shown = kernel.run("%covalent show held")
    [(_, again)] = [message for message in shown if message[0] == "display_data"]
    assert again["data"]["application/vnd.covalent.lattice+json"]["dispatch_id"] == card["dispatch_id"]
    assert again["transient"]["display_id"]


def test_the_saved_form_of_a_card_is_brought_to_its_end(kernel: Kernel, tmp_path: Path) -> None:
    """By an update of the output, although its cell ended long ago."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    kernel.run("%load_ext covalent_lab")
    shown = kernel.run(f"%%covalent --background\nopen({str(gate)!r}).read()")
    [(_, first)] = [message for message in shown if message[0] == "display_data"]
    with gate.open("w"):
        pass
    while True:
        message = kernel.client.get_iopub_msg(timeout=TIMEOUT_S)
        if message["msg_type"] == "update_display_data":
            break
    assert message["content"]["transient"]["display_id"] == first["transient"]["display_id"]
    assert "✓ Completed" in message["content"]["data"]["text/plain"]


def test_debug_puts_a_cell_below(kernel: Kernel) -> None:
    """Which runs as it is: here without the debugger."""
    kernel.run("%load_ext covalent_lab\nimport covalent_lab as ct\n@ct.electron\ndef half(x):\n    return x / 2")
    kernel.run("@ct.lattice\ndef halved(x):\n    return half(x)\nheld = ct.dispatch(halved)(6)")
    kernel.run("ct.get_result(held, wait=True);")
    request = kernel.client.execute("%covalent debug held half")
    while (reply := kernel.client.get_shell_msg(timeout=TIMEOUT_S))["parent_header"]["msg_id"] != request:
        pass  # replies to earlier cells
    [payload] = reply["content"]["payload"]
    messages = kernel.run(payload["text"].replace("%debug ", ""))
    [(_, value)] = [message for message in messages if message[0] == "execute_result"]
    assert value["data"]["text/plain"] == "3.0"


def test_a_figure_of_a_cell_is_shown_as_an_image(kernel: Kernel) -> None:
    """Although it was drawn in another process."""
    pytest.importorskip("matplotlib")
    messages = kernel.run("%%covalent\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);")
    images = [content for kind, content in messages if kind == "display_data" and "image/png" in content["data"]]
    assert len(images) == 1


def test_the_live_picture_follows_a_dispatch_to_its_end(kernel: Kernel) -> None:
    """The widget's state in the kernel is what the browser is sent."""
    if not (Path(ct.__file__).parent / "notebook" / "static" / "widget.js").exists():
        pytest.skip("the front end is not built")
    kernel.run(
        "from covalent_lab.notebook import watch\nimport time\n"
        "@ct.electron\ndef slow(x):\n    time.sleep(0.2)\n    return x\n"
        "@ct.lattice\ndef two(x):\n    return slow(slow(x))\nlive = watch(ct.dispatch(two)(1))"
    )
    messages = kernel.run("(live.wait(50), live.status, live.completed, live.total)")
    [(_, shown)] = [message for message in messages if message[0] == "execute_result"]
    assert shown["data"]["text/plain"] == "(True, 'COMPLETED', 3, 3)"


def test_the_quickstart_of_make_run_is_the_notebooks(kernel: Kernel) -> None:
    """It can be imported from beside the notebooks, and has enough tasks to watch."""
    folder = Path(__file__).resolve().parents[2] / "notebooks"
    messages = kernel.run(
        f"import sys\nsys.path.insert(0, {str(folder)!r})\nimport quickstart_workflow as quickstart\n"
        "quickstart.workflow.build_graph(*quickstart.ARGUMENTS)\n"
        "sum(node.name == 'score_fold' for node in quickstart.workflow.graph.nodes)"
    )
    [(_, shown)] = [message for message in messages if message[0] == "execute_result"]
    assert int(shown["data"]["text/plain"]) >= 200


def test_a_notebook_written_for_covalent_runs_unmodified(kernel: Kernel) -> None:
    """After one magic, `import covalent` is this package, in the kernel and in the tasks that refer to it."""
    assert kernel.run("%load_ext covalent_lab.compat") == []
    messages = kernel.run(
        "import covalent\n"
        "from covalent._shared_files.util_classes import RESULT_STATUS\n"
        "@covalent.electron\n"
        "def where():\n"
        "    return covalent.get_context().task_id\n"
        "@covalent.lattice\n"
        "def workflow():\n"
        "    return where()\n"
        "found = covalent.get_result(covalent.dispatch(workflow)(), wait=True)\n"
        "found.result, found.status == RESULT_STATUS.COMPLETED\n"
    )
    [(kind, value)] = messages
    assert (kind, value["data"]["text/plain"]) == ("execute_result", "(0, True)")


def test_a_form_is_answered_with_json_and_leaves_no_trace(kernel: Kernel) -> None:
    """The front end asks by a user expression, which neither prints nor counts as a cell."""
    expression = '__import__("covalent_lab.notebook.forms", fromlist=["forms"]).check("{\\"n\\": \\"true\\"}")'

    reply = kernel.client.execute_interactive(
        "", silent=True, store_history=False, user_expressions={"answer": expression}, timeout=TIMEOUT_S
    )

    answer = reply["content"]["user_expressions"]["answer"]
    assert answer["data"]["application/json"] == {"values": {"n": "True"}, "errors": {}}


def test_marked_cells_get_what_came_of_them_below_them(kernel: Kernel) -> None:
    """One display each, updated while another cell runs, with what was printed, drawn and returned."""
    pytest.importorskip("matplotlib")
    kernel.run("%load_ext covalent_lab\n%covalent forget\nn = 2")
    marks = [
        kernel.run("%%covalent task --name squares\nprint('squaring')\nys = [x * x for x in range(n)]"),
        kernel.run("%%covalent task --name picture\nimport matplotlib.pyplot as plt\nplt.plot(ys);\nsum(ys)"),
    ]
    places = [content["transient"]["display_id"] for [(_, content)] in marks]
    messages = kernel.run("%covalent run n=3")
    last: dict[str, Any] = {}
    for kind, content in messages:
        if kind == "update_display_data":
            last[content["transient"]["display_id"]] = content["data"]
    assert "Completed: squares (gives ys" in last[places[0]]["text/plain"]
    assert last[places[0]]["text/plain"].endswith("\nsquaring")
    assert last[places[1]]["text/plain"].endswith("\n5")
    assert "data:image/png;base64," in last[places[1]]["text/html"]
    [(_, value)] = kernel.run("ys")
    assert value["data"]["text/plain"] == "[0, 1, 4]"


def test_running_a_cell_without_its_mark_unmarks_it(kernel: Kernel) -> None:
    """The front end tells which cell runs; a cell that is marked again stays where it is."""
    kernel.run("%load_ext covalent_lab\n%covalent forget")
    for cell_id, code in (
        ("one", "%%covalent task --name a\nx = 1"),
        ("two", "%%covalent task --name b\ny = 1"),
        ("one", "%%covalent task --name c\nz = 1"),
        ("two", "y = 1"),
    ):
        kernel.run(code, cell_id=cell_id)
    [(_, told)] = kernel.run("%covalent forget")
    assert told["text"] == "Unmarked: c.\n"
