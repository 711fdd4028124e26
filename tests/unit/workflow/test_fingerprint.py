"""What makes two functions the same for the cache of results, and what does not."""

import functools
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab.errors import SerializationError
from covalent_lab.workflow.fingerprint import fingerprint

ROOT = Path(__file__).resolve().parents[3]


def defined(source: str, name: str = "task", **names: Any) -> Any:
    """A function or class as a notebook cell would define it."""
    scope: dict[str, Any] = {"__name__": "__main__", **names}
    exec(compile(source, "<cell>", "exec"), scope)
    return scope[name]


def of(source: str, **names: Any) -> str:
    return fingerprint(defined(source, **names))


BASE = "def task(x):\n    return x + 1\n"


@pytest.mark.parametrize(
    "same",
    [
        "def task(x):\n    # a comment\n    return x + 1\n",
        "\n\n\ndef task(x):\n    return (x +\n        1)\n",
    ],
    ids=["comment", "place and format"],
)
def test_comments_formatting_and_place_do_not_count(same: str) -> None:
    assert of(same) == of(BASE)


@pytest.mark.parametrize(
    "other",
    [
        "def task(x):\n    return x + 2\n",
        "def task(x):\n    return x - 1\n",
        "def task(x, y=0):\n    return x + 1\n",
        "def task(y):\n    return y + 1\n",
        "def task(x):\n    return x + 1.0\n",
        "async def task(x):\n    return x + 1\n",
    ],
)
def test_other_code_counts(other: str) -> None:
    assert of(other) != of(BASE)


def test_defaults_count() -> None:
    source = "def task(x, rate={}):\n    return x\n"
    assert of(source.format(1)) != of(source.format(2))


def test_values_of_globals_count_where_they_are_used() -> None:
    source = "def task(x):\n    return x * RATE\n"
    assert of(source, RATE=2) == of(source, RATE=2, OTHER=1)
    assert of(source, RATE=2) != of(source, RATE=3)
    assert of("def task(x):\n    return [x * RATE for _ in range(2)]\n", RATE=2) != of(
        "def task(x):\n    return [x * RATE for _ in range(2)]\n", RATE=3
    )


def test_helpers_count_by_their_code() -> None:
    source = "def helper(x):\n    return x {} 1\n\ndef task(x):\n    return helper(x)\n"
    assert of(source.format("+")) == of(source.format("+"))
    assert of(source.format("+")) != of(source.format("-"))


def test_closures_count() -> None:
    def made(value: Any) -> Callable[[], Any]:
        def task() -> Any:
            return value

        return defined("def make(value):\n    def task():\n        return value\n    return task\n", "make")(value)

    assert fingerprint(made(1)) == fingerprint(made(1))
    assert fingerprint(made(1)) != fingerprint(made(2))
    assert fingerprint(made([1])) != fingerprint(made([2]))


def test_a_function_may_call_itself_and_its_caller() -> None:
    source = "def task(n):\n    return other(n)\n\ndef other(n):\n    return n and task(n - {})\n"
    assert of(source.format(1)) == of(source.format(1))
    assert of(source.format(1)) != of(source.format(2))


def test_classes_count_by_their_methods() -> None:
    source = (
        "class Model:\n    size = {}\n    def fit(self):\n        return {}\n\ndef task():\n    return Model().fit()\n"
    )
    assert of(source.format(1, 1)) == of(source.format(1, 1))
    assert of(source.format(1, 1)) != of(source.format(1, 2))
    assert of(source.format(1, 1)) != of(source.format(2, 1))


def test_electrons_partials_and_methods_count_by_what_they_run() -> None:
    plain = defined(BASE)
    assert fingerprint(ct.electron(plain)) == fingerprint(plain)
    assert fingerprint(functools.partial(plain, 1)) != fingerprint(functools.partial(plain, 2))
    assert fingerprint([1].count) != fingerprint([2].append)


def test_installed_functions_count_by_name() -> None:
    assert fingerprint(len) == fingerprint(len) != fingerprint(sum)
    assert fingerprint(functools.reduce) != fingerprint(functools.partial)


def test_a_value_that_cannot_be_pickled_is_named() -> None:
    with pytest.raises(SerializationError, match=r"cannot be cached.*'LOCK', which 'task' uses"):
        of("def task():\n    return LOCK\n", LOCK=threading.Lock())


def test_another_process_finds_the_same() -> None:
    """Also with another seed for the hashes of texts, which orders sets differently."""
    code = (
        "from covalent_lab.workflow.fingerprint import fingerprint\n"
        "RATE = {'a': 1.5}\n"
        "def helper(x):\n    return x in {'one', 'two', 'three'}\n"
        "def task(x, kind='k'):\n    return helper(x) and RATE\n"
        "print(fingerprint(task))\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


def test_functions_in_collections_count_by_their_code() -> None:
    """Not by where they were defined, also where the collection contains itself."""

    def task_with(line: str) -> str:
        helper = defined(f"{line}def helper(x):\n    return x + 1\n", "helper")
        loop: list[Any] = [helper]
        loop.append(loop)
        return of("def task():\n    return STEPS, LOOP\n", STEPS={"one": [helper], "n": 2}, LOOP=loop)

    assert task_with("") == task_with("\n\n")
    other = defined("def helper(x):\n    return x + 2\n", "helper")
    assert task_with("") != of("def task():\n    return STEPS, LOOP\n", STEPS={"one": [other], "n": 2}, LOOP=[other])


def test_a_function_that_stands_for_other_code_tells_what_counts() -> None:
    """As the task of a notebook's cell does, whose source it carries as text."""

    def runner(text: str, identity: Any) -> Any:
        def run() -> Any:
            return text

        run.__dict__["covalent_identity"] = identity
        return run

    assert fingerprint(runner("x  # one", ("x", {}))) == fingerprint(runner("x", ("x", {})))
    assert fingerprint(runner("x", ("x", {}))) != fingerprint(runner("x", ("y", {})))
