"""The payload archive: round trips, previews without unpickling, damage."""

import datetime
import math
import os
import pickle
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np  # noqa: TID253 - tests of arrays need them
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from covalent_lab import payload, worker
from covalent_lab.errors import SerializationError

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text(st.characters(codec=None, exclude_categories=()), max_size=30)
    | st.binary(max_size=30)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
        | st.sets(st.integers(), max_size=4)
    ),
    max_leaves=12,
)
arrays = st.builds(
    lambda shape, kind: np.arange(math.prod(shape), dtype=kind).reshape(shape),
    st.lists(st.integers(0, 7), min_size=0, max_size=3),
    st.sampled_from(["u1", "i4", "f8", "c16"]),
)


class Trap:
    """Unpickling this makes a folder, which is how a test sees that somebody did."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (self.path,)

    def __str__(self) -> str:
        return "a trap"


class Picture:
    """A value with all rich forms."""

    def _repr_png_(self) -> bytes:
        return b"\x89PNG..."

    def _repr_svg_(self) -> str:
        return "<svg/>"

    def _repr_html_(self) -> str:
        raise ValueError("user code")


class Shy:
    """A value whose text form fails."""

    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


def written(path: Path, value: Any) -> Path:
    """An archive as a file."""
    path.write_bytes(payload.encode(value).tobytes())
    return path


# --- round trips


@given(values)
def test_any_plain_value_comes_back_equal(value: Any) -> None:
    """Through one piece of bytes, of the same type, with a digest of exactly those bytes."""
    encoded = payload.encode(value)
    archive = encoded.tobytes()
    assert payload.decode(archive) == value
    assert type(payload.decode(archive)) is type(value)
    assert encoded.ref == payload.PayloadRef(*worker.archive_digest([archive]))
    assert encoded.ref.size == len(archive)


@given(st.lists(arrays, max_size=3))
def test_arrays_come_back_equal_whatever_their_shape(found: list[Any]) -> None:
    """Empty and zero-dimensional ones included."""
    back = payload.decode(payload.encode(found).tobytes())
    assert all(a.dtype == b.dtype and a.shape == b.shape and (a == b).all() for a, b in zip(found, back, strict=True))


def test_functions_defined_here_come_back_with_their_closure() -> None:
    """Lambdas and closures travel by value."""
    offset = 5
    assert payload.decode(payload.encode(lambda x: x + offset).tobytes())(2) == 7


def test_equal_simple_values_have_equal_digests() -> None:
    """So that the store keeps one copy."""
    assert payload.encode(17).ref == payload.encode(17).ref
    assert payload.encode("17").ref != payload.encode(17).ref


def test_values_that_compare_equal_keep_their_own_type() -> None:
    """True, 1 and 1.0 are three values."""
    back = [payload.decode(payload.encode(v).tobytes()) for v in (True, 1, 1.0)]
    assert [type(v) for v in back] == [bool, int, float]


# --- arrays in files


@settings(max_examples=20)
@given(st.integers(1, 5000), st.integers(0, 200))
def test_mapped_arrays_are_aligned(size: int, text: int) -> None:
    """Whatever the lengths of header and text, arrays begin at multiples of 64 in the file."""
    archive = payload.encode({"x" * text: np.arange(size), "other": np.ones(size, "u1")}).tobytes()
    header = worker.read_header(archive)
    (_, data) = struct.unpack_from(">QQ", archive)
    assert header["buffers"]
    assert [(data + begin) % 64 for begin, _ in header["buffers"]] == [0] * len(header["buffers"])


def test_a_mapped_array_is_writable_and_the_file_stays_as_it_is(tmp_path: Path) -> None:
    """Tasks may work in place; the stored payload never changes."""
    path = written(tmp_path / "payload", np.zeros((300, 300)))
    before = path.read_bytes()
    array = payload.decode(payload.open_file(str(path)))
    assert array.flags.writeable
    assert array.flags.aligned
    array += 1
    assert array.sum() == 90_000
    assert path.read_bytes() == before


def test_a_mapped_array_outlives_the_view_it_came_from(tmp_path: Path) -> None:
    """The mapping stays as long as the array does, even when the file is deleted."""
    path = written(tmp_path / "payload", np.arange(1000))
    array = payload.decode(payload.open_file(str(path)))
    path.unlink()
    assert array.sum() == 499_500


def test_large_arrays_are_not_copied_when_encoded() -> None:
    """One of the pieces is the array's own memory."""
    array = np.zeros(1_000_000)
    pieces = payload.encode(array).pieces
    assert any(np.shares_memory(np.frombuffer(p, "u1"), array) for p in pieces if len(p) == array.nbytes)


# --- previews


def test_a_preview_does_not_unpickle(tmp_path: Path) -> None:
    """Text, type and header are read although unpickling would act; decoding then does act."""
    target = tmp_path / "sprung"
    archive = payload.encode(Trap(str(target))).tobytes()
    assert payload.preview(archive).text == "a trap"
    assert payload.preview(archive).type.endswith("Trap")
    assert worker.read_rich(archive, "text/html") is None
    assert not target.exists()
    payload.decode(archive)
    assert target.exists()


def test_a_preview_of_a_damaged_pickle_still_works() -> None:
    """The data is not touched."""
    archive = bytearray(payload.encode([1, 2, 3]).tobytes())
    archive[-5:] = b"\xff" * 5
    assert payload.preview(archive).text == "[1, 2, 3]"


def test_rich_previews_are_kept_only_when_asked_for_and_only_if_they_work() -> None:
    """A form that raises is left out; the value itself is not affected."""
    archive = payload.encode(Picture(), rich=True).tobytes()
    assert payload.preview(archive).rich == ("image/png", "image/svg+xml")
    assert worker.read_rich(archive, "image/png") == b"\x89PNG..."
    assert worker.read_rich(archive, "image/svg+xml") == b"<svg/>"
    assert isinstance(payload.decode(archive), Picture)
    assert payload.preview(payload.encode(Picture()).tobytes()).rich == ()


def test_arrays_and_rich_previews_share_an_archive() -> None:
    """Neither disturbs the offsets of the other."""
    picture = Picture()
    picture.data = np.arange(100)  # type: ignore[attr-defined]
    archive = payload.encode(picture, rich=True).tobytes()
    assert worker.read_rich(archive, "image/svg+xml") == b"<svg/>"
    assert payload.decode(archive).data.sum() == 4950


def test_long_text_is_shortened() -> None:
    """At most 10,000 characters and an ellipsis."""
    text = payload.preview(payload.encode("x" * 50_000).tobytes()).text
    assert len(text) <= 10_001
    assert text.endswith("…")


def test_a_huge_collection_is_not_rendered_whole() -> None:
    """The preview of a million items is short."""
    assert len(payload.preview(payload.encode(list(range(1_000_000))).tobytes()).text) < 1000


def test_a_value_whose_text_form_fails_still_has_a_preview() -> None:
    """The preview says so, and encoding does not fail."""
    assert "text form failed: RuntimeError" in payload.preview(payload.encode(Shy()).tobytes()).text


def test_lone_surrogates_do_not_break_a_preview() -> None:
    """The value is exact, the preview replaces what UTF-8 cannot say."""
    archive = payload.encode("a\ud800b").tobytes()
    assert payload.decode(archive) == "a\ud800b"
    assert payload.preview(archive).text == "a?b"


# --- bad input


@pytest.mark.parametrize(
    "value",
    [threading.Lock(), (i for i in range(3)), {"inner": [threading.Lock()]}],
    ids=["lock", "generator", "nested lock"],
)
def test_what_cannot_be_pickled_is_told_in_one_line(value: Any) -> None:
    """The message names what it was about, and the cause is kept."""
    with pytest.raises(SerializationError, match=r"^Cannot pickle argument 'x' of task 'fit' \(\w+\): ") as caught:
        payload.encode(value, what="argument 'x' of task 'fit'")
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is not None


def test_a_value_that_raises_many_lines_while_pickled_is_told_in_one() -> None:
    """Line ends of the cause do not get into it."""

    class Talkative:
        def __reduce__(self) -> Any:
            raise ValueError("first\nsecond\nthird")

    with pytest.raises(SerializationError) as caught:
        payload.encode(Talkative())
    assert "\n" not in str(caught.value)


GOOD = payload.encode({"a": [1, 2]}).tobytes()


@pytest.mark.parametrize(
    "archive",
    [
        b"",
        b"short",
        GOOD[:16],
        GOOD[:40],
        b"\xff" * 200,
        struct.pack(">QQ", 18, 18) + b"[]",
        struct.pack(">QQ", 18, 18) + b"{]",
        struct.pack(">QQ", 20, 18) + b"{}  ",
        pickle.dumps("a bare pickle, longer than the two offsets at the front"),
    ],
)
def test_bytes_that_are_no_archive_are_refused(archive: bytes) -> None:
    """Previews raise ValueError, decoding raises SerializationError."""
    with pytest.raises(ValueError):  # noqa: PT011 - the damage decides the words
        payload.preview(archive)
    with pytest.raises(SerializationError):
        payload.decode(archive)


def test_a_header_without_lengths_is_refused() -> None:
    """`pickle` is missing."""
    with pytest.raises(SerializationError):
        payload.decode(struct.pack(">QQ", 18, 18) + b"{}")


@given(st.integers(0, len(GOOD) - 1))
def test_a_truncated_archive_never_decodes(length: int) -> None:
    """Cut anywhere, it raises and does not return something else."""
    with pytest.raises(SerializationError):
        payload.decode(GOOD[:length])


@given(st.data())
def test_a_damaged_archive_raises_one_of_our_errors_or_nothing(data: st.DataObject) -> None:
    """Flipped bytes may change the value, but nothing except ValueError and SerializationError escapes."""
    archive = bytearray(GOOD)
    for place in data.draw(st.lists(st.integers(0, 200), max_size=4)):
        archive[place % len(archive)] ^= data.draw(st.integers(1, 255))
    try:
        payload.preview(archive)
        payload.decode(archive)
    except (ValueError, SerializationError):
        pass


def test_a_missing_module_is_told_as_such() -> None:
    """The server may hold values of packages that are not installed here."""
    value = datetime.date(2024, 1, 1)
    archive = payload.encode(value).tobytes().replace(b"datetime", b"datatime")
    with pytest.raises(SerializationError, match="datatime"):
        payload.decode(archive)


def test_an_empty_or_missing_file_cannot_be_mapped(tmp_path: Path) -> None:
    """The operating system's errors come through."""
    (tmp_path / "empty").touch()
    with pytest.raises(ValueError, match="empty file"):
        payload.open_file(str(tmp_path / "empty"))
    with pytest.raises(FileNotFoundError):
        payload.open_file(str(tmp_path / "missing"))
