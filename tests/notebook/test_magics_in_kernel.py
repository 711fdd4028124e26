"""Every sub-command and every option of the magics, in a real kernel that talks to a real server."""

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

from covalent_lab.notebook.subcommands import CELL_DEFAULT, LINE_COMMANDS
from covalent_lab.testing.live_server import LiveServer
from tests.notebook.test_kernel import TIMEOUT_S, Kernel

PREPARATION = """%load_ext covalent_lab
import os, covalent_lab as ct

@ct.electron
def double(x):
    print(f"doubling {x}")
    return 2 * x

@ct.lattice
def doubling(x):
    return double(x)

held = ct.dispatch(doubling)(21)
again = ct.dispatch(doubling)(4)
done = [ct.get_result(id, wait=True) for id in (held, again)]
n, word = 20, "hello"
"""
LINES = (
    ("%covalent status", r"dispatches, \d+ running"),
    ("%covalent list --count 2 --status completed --search doubling", "Completed"),
    ("%covalent show held", "Completed  doubling"),
    ("%covalent result held double --output value\nvalue", "^42$"),
    ("%covalent logs held double --stdout --lines 1", "^doubling 21$"),
    ("%covalent logs held --stderr", "Nothing was printed"),
    ("%covalent cancel held", "cancelled"),
    ("new = %covalent redispatch held --reuse x=n+1\nct.get_result(new, wait=True).result", "^42$"),
    ("%covalent open held", "Completed: doubling"),
    ("%covalent export held doubling.mmd\nopen('doubling.mmd').read()", "flowchart"),
    ("%covalent compare held again --all", "42 → 8"),
    ("%covalent draw doubling n", "doubling: "),
    ("%covalent draw held", "Completed  doubling"),
    ("%covalent executors local", "time_limit"),
    ("%covalent executors check local", "Usable"),
    ("%covalent config sdk.no_cluster", "false"),
    ("%%covalent task --name marked\nmark = n", "marked"),
    ("%covalent run --executor local --again n=3\nmark", "^3$"),
    ("%covalent run --background", "brings what the cells give"),
    ("%covalent forget marked", "Unmarked: marked"),
    ("%covalent debug held double", ""),
)
CELLS = (
    ("%%covalent --executor local --name sum --inputs n --outputs m --wait\nm = n + 1\nm", "^21$"),
    ("%%covalent --deps-pip packaging --time-limit 100 --retries 1 --no-cache\n1 + 1", "^2$"),
    ("%%covalent --cache\n'kept'", "kept"),
    ("%%covalent --bash --outputs said\nsaid=$word", "Completed"),
    ("%%covalent --background\n7", "brings what the cell gives"),
)
OFFERS = (
    ("%covalent redis", ["redispatch"]),
    ("%covalent redispatch held --re", ["--reuse"]),
    ("%covalent debug held dou", ["double"]),
    ("%covalent draw doub", ["doubling"]),
    ("%covalent config sdk.no_c", ["sdk.no_cluster"]),
    ("%%covalent --ba", ["--background", "--bash"]),
    ("%%covalent -e loc", ["local"]),
    ("%%covalent -i wor", ["word"]),
)


@pytest.fixture(scope="module")
def kernel(server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(tmp_path_factory.mktemp("cwd")), env=dict(os.environ))
    kernel = Kernel(manager)
    assert errors_of(kernel.run(PREPARATION)) == []
    yield kernel
    kernel.client.stop_channels()
    manager.shutdown_kernel(now=True)


def errors_of(messages: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return ["\n".join(content["traceback"]) for kind, content in messages if kind == "error"]


def texts_of(messages: list[tuple[str, dict[str, Any]]]) -> str:
    """What a reader without HTML sees."""
    shown = [content.get("text") or content.get("data", {}).get("text/plain", "") for _, content in messages]
    return "\n".join(shown)


def option_names(text: str) -> set[str]:
    return set(re.findall(r"(?<= )--[a-z-]+", text))


@pytest.mark.parametrize(
    ("cell", "shown"), [*LINES, *CELLS], ids=[cell.partition("\n")[0] for cell, _ in (*LINES, *CELLS)]
)
def test_a_line_does_what_it_says(kernel: Kernel, cell: str, shown: str) -> None:
    """Without an error, and with something to see."""
    messages = kernel.run(cell)
    assert errors_of(messages) == []
    assert re.search(shown, texts_of(messages), re.MULTILINE)


def test_every_sub_command_and_option_is_among_them() -> None:
    """One that is added needs a line here."""
    used = {cell.split("%covalent ", 1)[1].split()[0] for cell, _ in LINES if "%%" not in cell}
    assert used == set(LINE_COMMANDS)
    actions = CELL_DEFAULT.parser("").actions
    longest = {max(action.option_strings, key=len) for action in actions}
    named = option_names("\n".join(cell for cell, _ in CELLS))
    assert longest <= named <= {name for action in actions for name in action.option_strings}


@pytest.mark.parametrize(("text", "offered"), OFFERS, ids=[text for text, _ in OFFERS])
def test_the_kernel_completes_what_may_stand_there_and_nothing_else(
    kernel: Kernel, text: str, offered: list[str]
) -> None:
    """No names of Python, which IPython would take its time to find."""
    reply = kernel.client.complete(text, reply=True, timeout=TIMEOUT_S)["content"]
    assert reply["matches"] == offered
    assert text[reply["cursor_start"] : reply["cursor_end"]] == text.rpartition(" ")[2]


@pytest.mark.parametrize("name", LINE_COMMANDS)
def test_every_sub_command_has_help(kernel: Kernel, name: str) -> None:
    """By a question mark."""
    assert f"usage: %covalent {name}" in texts_of(kernel.run(f"%covalent {name}?"))
