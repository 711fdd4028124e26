"""Prints by task."""

import asyncio
import io
import sys
import threading

import pytest

from covalent_lab.kernel.streams import Printed, capturing


def test_prints_of_a_task_are_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """Others print where they always did, at the same time; afterwards the streams are as they were."""
    before = sys.stdout, sys.stderr
    printed, entered, done = Printed(), threading.Event(), threading.Event()

    def task() -> None:
        with capturing(printed):
            print("task")
            print("oh", file=sys.stderr)
            entered.set()
            done.wait(30)
            sys.stdout.writelines(["a", "b"])
            sys.stdout.flush()
            assert not sys.stdout.isatty()

    thread = threading.Thread(target=task)
    thread.start()
    assert entered.wait(30)
    print("cell")
    done.set()
    thread.join()
    assert printed.texts() == (b"task\nab", b"oh\n")
    assert capsys.readouterr().out == "cell\n"
    assert (sys.stdout, sys.stderr) == before


def test_a_stream_that_was_replaced_meanwhile_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    own = io.StringIO()
    with capturing(Printed()):
        monkeypatch.setattr(sys, "stdout", own)
    assert sys.stdout is own


def test_what_asyncio_starts_in_a_task_prints_for_it() -> None:
    printed = Printed()

    async def main() -> None:
        await asyncio.create_task(asyncio.to_thread(print, "inside"))

    with capturing(printed):
        asyncio.run(main())
    assert printed.texts()[0] == b"inside\n"


def test_only_the_end_of_long_output_is_kept() -> None:
    printed = Printed()
    printed.add("stdout", "x" * (1 << 20))
    printed.add("stdout", "end")
    out, _ = printed.texts()
    assert out.startswith(b"[3 characters left out]\nxx")
    assert out.endswith(b"xend")
    assert out.count(b"x") == (1 << 20) - 3


def test_text_only(capsys: pytest.CaptureFixture[str]) -> None:
    with capturing(Printed()), pytest.raises(TypeError, match="must be str, not bytes"):
        sys.stdout.write(b"bytes")  # type: ignore[arg-type]
