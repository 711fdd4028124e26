"""The archive format, and what the worker file promises about itself."""

import ast
import base64
import json
import os
import platform
import shutil
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from covalent_lab import worker, worker_surroundings


def archive(value: Any, rich: bool = False) -> bytes:
    """A value's archive in one piece."""
    return b"".join(worker.encode_archive(value, rich))


class Picture:
    """A value with rich forms, one of them broken."""

    def __str__(self) -> str:
        return "a picture"

    def _repr_png_(self) -> bytes:
        return b"png bytes"

    def _repr_svg_(self) -> str:
        raise RuntimeError("no svg")

    def _repr_html_(self) -> str:
        return "<b>ä</b>"


@pytest.mark.parametrize(
    "value",
    [None, True, 7, 2.5, 1j, "text", "ä" * 5000, b"\x00", (), [1, [2]], {"a": {1}}, range(3), bytearray(100_000), int],
    ids=lambda value: type(value).__name__,
)
def test_values_survive(value: Any) -> None:
    """What goes in comes out, from immutable and mutable memory."""
    data = archive(value)

    assert worker.decode_archive(data) == value
    assert worker.decode_archive(bytearray(data)) == value


def test_same_value_has_the_same_digest() -> None:
    """The digest is that of all pieces in order."""
    pieces = worker.encode_archive({"a": list(range(1000))})

    assert worker.archive_digest(pieces) == worker.archive_digest([b"".join(pieces)])
    assert worker.archive_digest(worker.encode_archive(1)) == worker.archive_digest(worker.encode_archive(1))
    assert worker.archive_digest(worker.encode_archive(1)) != worker.archive_digest(worker.encode_archive(True))


def test_header_and_text_are_read_without_unpickling() -> None:
    """Even where the data is damaged."""
    data = bytearray(archive([1, 2, 3]))
    data[-5:] = b"xxxxx"

    assert worker.read_header(data)["type"] == "list"
    assert worker.read_text(data) == "[1, 2, 3]"
    with pytest.raises(Exception, match=r".+"):
        worker.decode_archive(data)


@pytest.mark.parametrize(
    "data",
    [b"", b"short", bytes(64), b"\xff" * 64, (16).to_bytes(8, "big") * 2, bytes(7) + b"\x12" + bytes(7) + b"\x12[]"],
)
def test_other_bytes_are_no_archive(data: bytes) -> None:
    """Reading them is a ValueError, never something worse."""
    for read in (worker.read_header, worker.read_text, worker.decode_archive):
        with pytest.raises(ValueError, match=r".*"):
            read(data)


def test_arrays_are_aligned_pieces_of_the_archive() -> None:
    """Their memory is not copied on the way in, and begins at a multiple of 64 on the way out."""
    numpy = pytest.importorskip("numpy")
    values = numpy.arange(1000.0)

    pieces = worker.encode_archive(values)
    data = b"".join(pieces)
    begin, size = worker.read_header(data)["buffers"][0]
    offset = int.from_bytes(data[8:16], "big") + begin

    assert any(numpy.shares_memory(values, numpy.frombuffer(piece, dtype="u1")) for piece in pieces)
    assert offset % 64 == 0
    assert size == values.nbytes
    assert (worker.decode_archive(data) == values).all()


def test_array_in_a_mapped_file_is_writable(tmp_path: Path) -> None:
    """Copy on write: the file stays as it is."""
    numpy = pytest.importorskip("numpy")
    path = tmp_path / "archive"
    path.write_bytes(archive(numpy.ones(10)))
    before = path.read_bytes()

    values = worker.decode_archive(worker.open_archive(str(path)))
    values[:] = 0

    assert values.sum() == 0
    assert path.read_bytes() == before


def test_rich_forms_are_kept_when_asked_for() -> None:
    """A form that raises is left out, and so are all if nobody asked."""
    data = archive(Picture(), rich=True)

    assert worker.read_text(data) == "a picture"
    assert set(worker.read_header(data)["rich"]) == {"image/png", "text/html"}
    assert worker.read_rich(data, "image/png") == b"png bytes"
    assert worker.read_rich(data, "text/html") == "<b>ä</b>".encode()
    assert worker.read_rich(data, "image/svg+xml") is None
    assert "rich" not in worker.read_header(archive(Picture()))
    assert "rich" not in worker.read_header(archive(Picture, rich=True))


class Plot:
    """What libraries for plots return: many forms at once."""

    def _repr_mimebundle_(self, include: object, exclude: object) -> object:
        forms = {
            "application/vnd.vega.v5+json": {"marks": []},
            "application/vnd.jupyter.widget-view+json": {"model_id": "gone with its kernel"},
            "application/javascript": "run()",
            "image/png": base64.b64encode(b"png bytes").decode(),
            "image/svg+xml": "<svg/>",
            "text/plain": "a plot",
        }
        return forms, {"image/png": {"width": 3}}

    def _repr_html_(self) -> str:
        return "<b>ä</b>"


def test_forms_that_come_in_one_bundle_are_kept() -> None:
    """Data for plots as JSON, images decoded; neither code nor what only a kernel can show."""
    data = archive(Plot(), rich=True)

    assert {mime: worker.read_rich(data, mime) for mime in worker.read_header(data)["rich"]} == {
        "application/vnd.vega.v5+json": b'{"marks": []}',
        "image/png": b"png bytes",
        "image/svg+xml": b"<svg/>",
        "text/html": "<b>ä</b>".encode(),
    }


def test_text_is_short_whatever_the_value() -> None:
    """Long texts are cut, long collections abbreviated, broken text forms replaced."""

    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    assert len(worker.read_text(archive("x" * 50_000))) == 10_001
    assert len(worker.read_text(archive(list(range(1_000_000))))) < 1000
    assert "its text form failed: RuntimeError" in worker.read_text(archive(Broken()))


@pytest.mark.parametrize("module", [worker, worker_surroundings], ids=lambda module: module.__name__)
def test_worker_files_stand_alone(module: ModuleType) -> None:
    """They import the standard library, cloudpickle and each other only, and are written for Python 3.8 and later."""
    text = Path(str(module.__file__)).read_text(encoding="utf-8")
    text = text.replace(
        "if TYPE_CHECKING:\n    from covalent_lab.worker_surroundings import", "from worker_surroundings import"
    )
    tree = ast.parse(text, feature_version=(3, 8))
    names = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }

    assert names - set(sys.stdlib_module_names) <= {"cloudpickle", "worker_surroundings"}


def test_a_grant_is_for_one_message_only() -> None:
    """One that comes while an earlier message has jobs left is kept for its own; those taken back are gone."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    try:
        claims = worker_surroundings.Claims(reading)
        assert not claims.take(1)
        os.write(writing, bytes([1, 2, 2]))
        assert [claims.take(1), claims.take(1), claims.take(1)] == [True, False, False]
        assert os.read(reading, 10) == bytes([2])  # taken back: the kept one is not in the pipe any more
        assert [claims.take(2), claims.take(2)] == [True, False]
    finally:
        os.close(reading)
        os.close(writing)


def test_two_files_in_one_folder_are_a_worker(tmp_path: Path) -> None:
    """Copied to a machine that does not have the package, they run tasks."""
    for module in (worker, worker_surroundings):
        shutil.copy(str(module.__file__), tmp_path)
    ours, theirs = socket.socketpair()
    lifeline, held = os.pipe()
    claims, granting = os.pipe()
    with ours, theirs:
        process = subprocess.Popen(
            [sys.executable, str(tmp_path / "worker.py"), "--serve", str(theirs.fileno()), str(lifeline), str(claims)],
            pass_fds=(theirs.fileno(), lifeline, claims),
            env={"PYTHONSAFEPATH": "1"},
            start_new_session=True,
        )
        theirs.close()
        with ours.makefile("rb") as reader:
            lengths = struct.Struct(">IQ")
            control, body = lengths.unpack(reader.read(lengths.size))
            assert json.loads(reader.read(control)) == {
                "ready": process.pid,
                "python_version": platform.python_version(),
            }
            assert body == 0
        os.close(lifeline)
        os.close(held)
        os.close(claims)
        os.close(granting)
        assert process.wait(30) == -signal.SIGKILL
