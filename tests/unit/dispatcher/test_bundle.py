"""Submit requests: any division into chunks, any damage."""

import contextlib
import hashlib
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from covalent_lab import payload
from covalent_lab.dispatcher.bundle import BadBundleError, BundleReader
from covalent_lab.dispatcher.intake import read_dispatch
from covalent_lab.errors import UsageError
from covalent_lab.graph.bundle import FRONT, LENGTHS, MAGIC
from covalent_lab.graph.wire import graph_to_wire
from covalent_lab.ids import PayloadRef
from covalent_lab.payload import Payload
from covalent_lab.store.base import NewDispatch
from covalent_lab.store.blobs import BlobDir
from covalent_lab.testing.graphs import make_graph
from covalent_lab.workflow.bundle import pack

LIMIT = 20
DATA = [b"small", b"x" * LIMIT, b"y" * (LIMIT + 1), b"z" * 300, b"w" * 5_000]
NOTHING: dict[str, Any] = {"version": 1}

any_chunks = st.lists(st.integers(1, 120), max_size=40)


def ref(data: bytes) -> PayloadRef:
    """Reference of some bytes."""
    return PayloadRef(hashlib.sha256(data).hexdigest()[:40], len(data))


def bundle(data: Sequence[bytes] = (), refs: Sequence[PayloadRef] | None = None) -> bytes:
    """What a client would send, with a header of payloads only; `refs` are what it claims that they are."""
    claimed = [ref(item) for item in data] if refs is None else refs
    return b"".join(pack({}, NOTHING, [Payload(r, [item]) for r, item in zip(claimed, data, strict=True)]))


def by_hand(
    block: bytes, *, size: int | None = None, packed: bytes | None = None, digest: bytes | None = None
) -> bytes:
    """A bundle of any block, however little it is one; the other arguments are claims that do not fit it."""
    packed = zlib.compress(block) if packed is None else packed
    digest = hashlib.sha256(block).digest()[:20] if digest is None else digest
    return FRONT.pack(MAGIC, len(packed), len(block) if size is None else size, digest) + packed


def block(header: Any, graph: bytes = b'{"version":1}', rest: bytes = b"") -> bytes:
    """What is packed."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return LENGTHS.pack(len(text), len(graph)) + text + graph + rest


def read(folder: Path, whole: bytes, sizes: Sequence[int] = ()) -> BundleReader:
    """Feed a bundle in chunks of these sizes, the rest at once."""
    reader = BundleReader(BlobDir(folder), LIMIT)
    for size in sizes:
        reader.feed(whole[:size])
        whole = whole[size:]
    reader.feed(whole)
    reader.finish()
    return reader


def files(folder: Path) -> list[Path]:
    """All files below a folder."""
    return [p for p in folder.rglob("*") if p.is_file()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(any_chunks)
def test_a_bundle_may_arrive_in_any_pieces(tmp_path: Path, sizes: list[int]) -> None:
    """Small payloads come out as bytes, large ones as files with the right content."""
    reader = read(tmp_path, bundle(DATA), sizes)
    assert reader.payloads == {ref(d): d if len(d) <= LIMIT else None for d in DATA}
    for data in DATA[2:]:
        assert BlobDir(tmp_path).path(ref(data).digest).read_bytes() == data


def test_a_bundle_without_payloads_is_complete_after_its_header(tmp_path: Path) -> None:
    """There may be nothing to send."""
    assert read(tmp_path, bundle()).payloads == {}


def test_the_graph_comes_out_with_the_payloads_its_numbers_stand_for(tmp_path: Path) -> None:
    """Small and large ones in the order of their numbers, equal ones twice."""
    header = read(tmp_path, bundle([DATA[4], *DATA, DATA[0]])).finish()
    listed = json.loads(header["graph"])["payloads"]
    assert [PayloadRef(*item) for item in listed] == [ref(d) for d in (DATA[4], *DATA, DATA[0])]


def test_what_is_alike_is_sent_once() -> None:
    """Ten thousand numbers as arguments take a few bytes each."""
    archives = [payload.encode(number) for number in range(10_000)]
    assert sum(item.ref.size for item in archives) > 100 * len(archives)
    assert sum(len(piece) for piece in pack({}, NOTHING, archives)) < 10 * len(archives)


@pytest.mark.parametrize(
    "whole",
    [
        b"",
        b"CLB",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n",
        b"CLB1" + bundle()[4:],
        by_hand(block({"payloads": []}), size=2**60),
        by_hand(b"", size=0),
        by_hand(b"1234567"),
        by_hand(block({"payloads": []}), size=len(block({"payloads": []})) - 1),
        by_hand(block({"payloads": []}), size=len(block({"payloads": []})) + 1),
        by_hand(block({"payloads": []}), digest=bytes(20)),
        by_hand(block({"payloads": []}), packed=b"not packed at all, but of some length"),
        by_hand(block({"payloads": []}), packed=zlib.compress(bytes(2**20))),
        by_hand(block({"payloads": []}), packed=zlib.compress(block({"payloads": []}))[:-1]),
        by_hand(LENGTHS.pack(2**32 - 1, 2**32 - 1) + b"{}"),
        by_hand(block({"payloads": []}) + b"more"),
        by_hand(block({"payloads": []}, b"")),
        by_hand(block({"payloads": []}, b"{}")),
        by_hand(block({"payloads": []}, b"[1, 2]")),
        by_hand(block([])),
        by_hand(block({})),
        by_hand(block({"payloads": 3})),
        by_hand(block({"payloads": [["a"]]})),
        by_hand(block({"payloads": [["a", "many"]]})),
        by_hand(block({"payloads": [["a", 0]]})),
        by_hand(block({"payloads": [["a", -1]]})),
        by_hand(block({"payloads": [0]})),
        by_hand(block({"payloads": [3]}, rest=b"12")),
        by_hand(block({"payloads": [-1, 1]}, rest=b"12")),
        by_hand(block({"payloads": [1.5]}, rest=b"12")),
        by_hand(block({"payloads": [None]})),
        by_hand(block(b"[" * 100_000)),
        by_hand(block(b"\xff\xfe{}")),
        by_hand(block(b"nope")),
        bundle(DATA) + b"more",
        bundle() + b"more",
        bundle([b"c" * 5_000], refs=[ref(b"C" * 5_000)]),
    ],
)
def test_what_is_no_bundle_is_refused(tmp_path: Path, whole: bytes) -> None:
    """With the code `bad_bundle`, and no file is left behind."""
    with pytest.raises(BadBundleError) as caught:
        read(tmp_path, whole)
    assert caught.value.code == "bad_bundle"
    assert [f for f in files(tmp_path) if f.name not in {ref(d).digest for d in DATA}] == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(st.integers(0, len(bundle(DATA)) - 1), st.integers(0, 255))
def test_no_byte_can_change_unnoticed(tmp_path: Path, place: int, byte: int) -> None:
    """Neither of the header, nor of the graph, nor of a payload."""
    whole = bytearray(bundle(DATA))
    if whole[place] == byte:
        return
    whole[place] = byte
    with contextlib.suppress(BadBundleError):  # what does not matter in a compressed stream may be changed
        assert read(tmp_path, bytes(whole)).payloads.keys() == {ref(d) for d in DATA}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(st.integers(0, len(bundle(DATA)) - 1))
def test_a_bundle_that_ends_too_early_is_refused_wherever_it_ends(tmp_path: Path, length: int) -> None:
    """A lost connection never makes a dispatch, and no unfinished file stays."""
    with pytest.raises(BadBundleError):
        read(tmp_path, bundle(DATA)[:length])
    assert [f for f in files(tmp_path) if f.name.startswith("new-")] == []


def test_giving_up_removes_the_unfinished_file(tmp_path: Path) -> None:
    """Twice does no harm."""
    reader = BundleReader(BlobDir(tmp_path), LIMIT)
    reader.feed(bundle([b"x" * 5_000])[:-1])
    assert len(files(tmp_path)) == 1
    reader.abort()
    reader.abort()
    assert files(tmp_path) == []


def test_digests_never_become_paths(tmp_path: Path) -> None:
    """A claimed digest is compared with the real one, and nothing is written under it."""
    evil = "../../../../evil"
    with pytest.raises(BadBundleError):
        read(tmp_path / "payloads", bundle([b"x" * 5_000], refs=[PayloadRef(evil, 5_000)]))
    assert files(tmp_path) == []


# --- from header to dispatch

FUNCTION, VALUE = ref(b"function"), ref(b"value")
GRAPH = graph_to_wire(make_graph(3, [(0, 1), (1, 2)], parameters={0}, function=FUNCTION, value=VALUE))
HEADER: dict[str, Any] = {
    "dispatch_id": "5f0d7f52-2d3c-4d55-9d4e-6d2f3bb0f0a1",
    "root_dispatch_id": "5f0d7f52-2d3c-4d55-9d4e-6d2f3bb0f0a1",
    "name": "sweep",
    "doc": "",
    "source": "",
    "graph": GRAPH,
    "inputs": VALUE.digest,
    "lattice": None,
    "metadata": {"executor": "local"},
    "client": {"python": "/usr/bin/python", "cwd": "/home"},
}


def taken_in(header: Any) -> NewDispatch:
    """What becomes of a header, all of whose payloads arrived."""
    payloads: dict[PayloadRef, bytes | None] = {FUNCTION: b"function", VALUE: b"value"}
    if not isinstance(header.get("graph"), bytes | None):
        header = {**header, "graph": json.dumps(header["graph"]).encode()}
    new, _ = read_dispatch(header, payloads, autostart=True, owner="me", lease_s=5.0, clock=lambda: 10.0)
    return new


def test_a_header_becomes_a_dispatch() -> None:
    """Parameters are not counted; the graph is stored as it was sent."""
    new = taken_in(HEADER)
    assert (new.name, new.total, new.inputs, new.lattice) == ("sweep", 2, VALUE, None)
    assert (new.created_at, new.lease_until, new.owner, new.autostart) == (10.0, 15.0, "me", True)
    assert json.loads(new.graph) == json.loads(json.dumps(GRAPH))
    assert {row.ref: row.data for row in new.payloads} == {FUNCTION: b"function", VALUE: b"value"}


def test_options_of_executors_are_spelled_so_that_secrets_are_found() -> None:
    """Whoever shows a graph looks for them in its text."""
    options = [{"executor": "ssh", "executor_data": {"attributes": {"password": "x"}}, "hooks": {}}]
    text = json.dumps({**GRAPH, "options": options}).replace('"attributes"', '"\\u0061ttributes"')
    assert b'"attributes"' in taken_in({**HEADER, "graph": text.encode()}).graph


@pytest.mark.parametrize("key", ["dispatch_id", "name", "graph"])
def test_a_header_lacks_nothing_it_needs(key: str) -> None:
    """Each missing key is a bad bundle, not a crash."""
    with pytest.raises(BadBundleError):
        taken_in({k: v for k, v in HEADER.items() if k != key})


@pytest.mark.parametrize(
    "change",
    [
        {"dispatch_id": ""},
        {"dispatch_id": "../../etc/passwd"},
        {"dispatch_id": "x" * 65},
        {"dispatch_id": "a:b"},
        {"dispatch_id": 7},
        {"name": None},
        {"inputs": "0" * 40},
        {"inputs": ["list"]},
        {"lattice": "0" * 40},
        {"graph": None},
        {"graph": b""},
        {"graph": b"\xff\xfe"},
        {"graph": b"[" * 100_000},
        {"graph": []},
        {"graph": "graph"},
        {"graph": {**GRAPH, "version": 2}},
        {"graph": {**GRAPH, "payloads": [["0" * 40, 5], *GRAPH["payloads"]]}},
        {"graph": {**GRAPH, "nodes": []}},
        {"graph": {**GRAPH, "edges": {**GRAPH["edges"], "source": [0, 99]}}},
        {"graph": {**GRAPH, "options": []}},
        {"graph": {**GRAPH, "options": ["local"]}},
        {"graph": {**GRAPH, "options": [{"executor": "local", "executor_data": 3, "hooks": {}}]}},
        {"graph": {**GRAPH, "edges": {**GRAPH["edges"], "source": [0, 1.5]}}},
        {"graph": {**GRAPH, "edges": {**GRAPH["edges"], "arg_index": ["first", 0]}}},
        {"graph": {**GRAPH, "nodes": {**GRAPH["nodes"], "function": [None, 0.5, 0]}}},
        {"graph": {**GRAPH, "nodes": {**GRAPH["nodes"], "function": [None, True, 0]}}},
        {"graph": {**GRAPH, "nodes": {**GRAPH["nodes"], "value": [None, None, None]}}},
        {"graph": {**GRAPH, "nodes": {**GRAPH["nodes"], "value": [-1, None, None]}}},
        {"graph": {**GRAPH, "nodes": {**GRAPH["nodes"], "name": ["a", "b", 3]}}},
        {"graph": {**GRAPH, "nodes": {**GRAPH["nodes"], "task_group": [0, 1, "two"]}}},
        {"metadata": 3},
        {"client": "me"},
    ],
    ids=str,
)
def test_a_header_with_a_wrong_value_is_refused_as_the_senders_fault(change: dict[str, Any]) -> None:
    """Always a usage error, which is a 400 over HTTP."""
    with pytest.raises(UsageError):
        taken_in(HEADER | change)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
def test_whatever_stands_in_a_header_only_usage_errors_come_out(data: st.DataObject) -> None:
    """Any value anywhere in it."""
    header = json.loads(json.dumps(HEADER))
    place: Any = header
    for _ in range(data.draw(st.integers(0, 3))):
        keys = list(place) if isinstance(place, dict) else list(range(len(place))) if isinstance(place, list) else []
        deeper = [k for k in keys if isinstance(place[k], dict | list) and place[k]]
        if not deeper:
            break
        place = place[data.draw(st.sampled_from(deeper))]
    key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else list(range(len(place)))))
    place[key] = data.draw(json_values)
    with contextlib.suppress(UsageError):
        taken_in(header)
