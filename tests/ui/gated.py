"""Workflows that stop where a test wants them to: a task waits until somebody opens its named pipe for writing."""

from pathlib import Path

import covalent_lab as ct

__all__ = ["broken", "gated", "nested", "open_gate", "ratio", "stubborn"]


@ct.electron
def prepare(text: str) -> str:
    """Come before the gate."""
    return text.upper()


@ct.electron
def wait_at_gate(gate: str, text: str) -> str:
    """Say that it waits, wait, and pass the text on."""
    print("waiting at the gate", flush=True)
    with open(gate, encoding="utf-8") as pipe:
        pipe.read()
    print("the gate is open", flush=True)
    return text + "!"


@ct.electron
def finish(text: str) -> str:
    """Come after the gate."""
    return f"finished: {text}"


@ct.electron
def divide(numerator: int, denominator: int) -> float:
    """Fail where the denominator is zero."""
    return numerator / denominator


@ct.electron(executor=ct.executor.LocalExecutor(retries=2))
def succeed_at_last(notes: str) -> str:
    """Fail twice; the file is for notes on how often it was tried."""
    with open(notes, "a+", encoding="utf-8") as file:
        file.write("tried\n")
        file.seek(0)
        if len(file.readlines()) < 3:
            raise ConnectionError("nobody answers")
    return "done"


@ct.lattice
def stubborn(notes: str) -> str:
    """A task that needs three attempts, between two others."""
    text: str = finish(prepare(succeed_at_last(notes)))
    return text


@ct.lattice
def gated(gate: str) -> str:
    """Three tasks in a row; the second one waits."""
    text: str = finish(wait_at_gate(gate, prepare("ready")))
    return text


@ct.electron
@ct.lattice
def inner(gate: str) -> str:
    """A workflow that waits, as part of another."""
    text: str = wait_at_gate(gate, prepare("ready"))
    return text


@ct.lattice
def nested(gate: str) -> str:
    """A sublattice, and a task that needs it."""
    text: str = finish(inner(gate))
    return text


@ct.lattice
def broken(numerator: int) -> str:
    """A task that fails, and one that needs it."""
    text: str = finish(divide(numerator, 0))
    return text


@ct.lattice
def ratio(numerator: int, denominator: int) -> float:
    """One division."""
    return divide(numerator, denominator)


def open_gate(gate: Path) -> None:
    """Let the waiting task go on; blocks until it waits."""
    with gate.open("w", encoding="utf-8"):
        pass
