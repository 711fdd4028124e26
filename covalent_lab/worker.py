"""Everything that happens where a task runs: the payload archive and the task itself.

This file needs the standard library and cloudpickle, and imports nothing of its package, so that it can be copied to
a machine that has neither; to run tasks there, copy `worker_surroundings.py` into the same folder. The rest of the
package reads and writes archives through `payload.py`.

An archive is the serialised form of one value, laid out so that it can be listed and previewed without unpickling:

    8 bytes   offset of the text (big-endian)
    8 bytes   offset of the data
    header    JSON, padded with spaces so that the data begins at a multiple of 64
    text      `str(value)`, shortened
    data      pickle, then the pickle's out-of-band buffers, then rich previews

Header keys: `py_version`, `cloudpickle_version`, `attrs` (`doc`, `name`), `type`, `pickle` (length), and only where
present `buffers` and `rich` (`[offset, length]` relative to the data; `rich` is keyed by MIME type), and `reference`:
the value has stayed in the process that made it, there is no pickle, and this says which process and value it is.

`worker.py --serve CHANNEL LIFELINE CLAIMS` (inherited file descriptors) runs one task after the other for the process
at the other end of the channel. A frame is `>IQ` (lengths of the next two), control (JSON), body (raw bytes that the
control refers to by length). It leads a process group of its own, which ends when the lifeline does.

A message brings one or more jobs, and beside them (`shared`) what all of these say alike. Each job after the first
needs a grant, one byte of the pipe CLAIMS, when its turn comes: the other side can take grants back, which decides at
one place who runs a job. Answers are sent before that. The byte is the message's `number`: the next message may be
granted before a job of this one asks.

A job can have several steps, each with an answer of its own: later ones (`then`) may refer to the output of earlier
ones, which is decoded anew each time, so that what a step changes is seen by no other.
"""

import base64
import contextlib
import contextvars
import functools
import hashlib
import io
import json
import mmap
import os
import pickle
import platform
import reprlib
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Union

import cloudpickle

if TYPE_CHECKING:
    from covalent_lab.worker_surroundings import Claims, LoadedCode, Surroundings

__all__ = [
    "ValueElsewhereError",
    "apply_before",
    "apply_hook",
    "archive_digest",
    "decode_archive",
    "encode_archive",
    "encode_reference",
    "hooks_before",
    "load_archive",
    "open_archive",
    "read_header",
    "read_rich",
    "read_text",
    "resolve_references",
    "run_step",
    "store_archive",
]

_OFFSETS, _ALIGN = struct.Struct(">QQ"), 64
_TEXT_LIMIT, _RICH_LIMIT = 10_000, 4_000_000
_RICH_TYPES = ("image/png", "image/svg+xml", "text/html", "text/latex", "text/markdown")
_WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"  # shows nothing without the kernel that has the widget
_SIMPLE = (bool, int, float, complex, str, bytes, type(None))
_VERSIONS = {"py_version": platform.python_version(), "cloudpickle_version": cloudpickle.__version__}

Buffer = Union[bytes, bytearray, memoryview]


class ValueElsewhereError(LookupError):
    """A value that could not be pickled stayed in the process that made it, and this is another one."""


_resolvers: "list[Callable[[Mapping[str, Any]], Any]]" = []


def resolve_references(resolver: "Callable[[Mapping[str, Any]], Any]") -> None:
    """Let this process find what archives refer to; the resolver raises `ValueElsewhereError` for what it has not."""
    _resolvers[:] = [resolver]


def encode_archive(value: Any, rich: bool = False) -> "list[Buffer]":
    """Serialise a value; the archive is the concatenation of the returned pieces.

    Large arrays are not copied: their memory is one of the pieces, so write it before it can change.

    Args:
        value: Anything cloudpickle can pickle.
        rich: Also store image and HTML previews, where the value offers them.

    Raises:
        Exception: Whatever pickling raises.
    """
    if type(value) in _SIMPLE and (not isinstance(value, (str, bytes)) or len(value) < 4096):
        return _encode_simple(value)
    buffers: list[pickle.PickleBuffer] = []
    stream = cloudpickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    header = _header(value, len(stream))
    pieces: list[Buffer] = [stream]
    end = len(stream)

    def append(piece: Buffer) -> "list[int]":
        nonlocal end
        padding = -end % _ALIGN
        pieces.append(bytes(padding))
        begin = end + padding
        pieces.append(piece)
        end = begin + len(piece)
        return [begin, len(piece)]

    raw = [buffer.raw() for buffer in buffers]
    if raw:
        header["buffers"] = [append(piece) for piece in raw]
    if rich:
        previews = _rich_previews(value)
        if previews:
            header["rich"] = {mime: append(piece) for mime, piece in previews.items()}
    text = _preview_text(value).encode("utf-8", "replace")
    return [_front(header, text, aligned=bool(raw)), text, *pieces]


def encode_reference(value: Any, reference: "Mapping[str, Any]") -> "list[Buffer]":
    """An archive that describes a value and says where it is, as `resolve_references` is told."""
    text = _preview_text(value).encode("utf-8", "replace")
    return [_front({**_header(value, 0), "reference": dict(reference)}, text, aligned=False), text]


def _header(value: Any, length: int) -> "dict[str, Any]":
    attrs = {"doc": _attribute(value, "__doc__"), "name": _attribute(value, "__name__")}
    return {**_VERSIONS, "attrs": attrs, "type": _type_name(value), "pickle": length}


def _encode_simple(value: Any) -> "list[Buffer]":
    stream = pickle.dumps(value, protocol=5)
    text = str(value).encode("utf-8", "replace")
    head = _simple_header(type(value).__qualname__, len(stream))
    offset = _OFFSETS.size + len(head)
    return [b"".join((_OFFSETS.pack(offset, offset + len(text)), head, text, stream))]


@functools.lru_cache(4096)
def _simple_header(kind: str, length: int) -> bytes:
    return json.dumps({**_VERSIONS, "attrs": {"doc": None, "name": None}, "type": kind, "pickle": length}).encode()


def _front(header: "dict[str, Any]", text: bytes, aligned: bool) -> bytes:
    head = json.dumps(header).encode()
    if aligned:
        head += b" " * (-(_OFFSETS.size + len(head) + len(text)) % _ALIGN)
    offset = _OFFSETS.size + len(head)
    return _OFFSETS.pack(offset, offset + len(text)) + head


def archive_digest(pieces: "Sequence[Buffer]") -> "tuple[str, int]":
    """Digest (40 hexadecimal digits of SHA-256) and length of an archive in pieces."""
    digest = hashlib.sha256()
    size = 0
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest()[:40], size


def decode_archive(archive: Buffer) -> Any:
    """The value; arrays refer to the archive's memory where that is possible.

    Raises:
        ValueError: The bytes are not an archive.
        ValueElsewhereError: The value has stayed in another process.
        Exception: Whatever unpickling raises.
    """
    view = memoryview(archive)
    header, _, data = _split(view)
    reference = header.get("reference")
    if reference is not None:
        return _resolved(reference, header["type"])
    buffers = [view[data + begin : data + begin + size] for begin, size in header.get("buffers", ())]
    return pickle.loads(view[data : data + header["pickle"]], buffers=buffers)


def _resolved(reference: "Mapping[str, Any]", kind: str) -> Any:
    for resolver in _resolvers:
        return resolver(reference)
    raise ValueElsewhereError(
        f"This value ({kind}) cannot be pickled and lives in the kernel {reference['name']}, where task "
        f"{reference['task']!r} made it. Use it in tasks of that kernel (executor='kernel') or in the notebook there."
    )


def open_archive(path: str) -> memoryview:
    """Map an archive file into memory, copy-on-write: arrays in it are writable, the file never changes."""
    with open(path, "rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))


def read_header(archive: Buffer) -> "dict[str, Any]":
    """The header, without touching the data."""
    return _split(memoryview(archive))[0]


def read_text(archive: Buffer) -> str:
    """The text preview, without touching the data."""
    view = memoryview(archive)
    _, text, data = _split(view)
    return bytes(view[text:data]).decode("utf-8", "replace")


def read_rich(archive: Buffer, mime: str) -> "bytes | None":
    """One rich preview, or None; the pickle is not touched."""
    view = memoryview(archive)
    header, _, data = _split(view)
    span = header.get("rich", {}).get(mime)
    return None if span is None else bytes(view[data + span[0] : data + span[0] + span[1]])


def _split(view: memoryview) -> "tuple[dict[str, Any], int, int]":
    if len(view) < _OFFSETS.size:
        raise ValueError("not a payload archive: too short")
    text, data = _OFFSETS.unpack_from(view)
    if not _OFFSETS.size <= text <= data <= len(view):
        raise ValueError("not a payload archive: offsets out of range")
    header = json.loads(bytes(view[_OFFSETS.size : text]))
    if not isinstance(header, dict):
        raise ValueError("not a payload archive: no header")
    return header, text, data


def _preview_text(value: Any) -> str:
    """`str(value)`, shortened; long collections are abbreviated without being rendered whole."""
    try:
        if isinstance(value, (str, bytes, bytearray)):
            text = str(value[: _TEXT_LIMIT + 1])
        elif isinstance(value, (list, tuple, dict, set, frozenset)) and len(value) > 50:
            text = _abbreviate.repr(value)
        else:
            text = str(value)
    except Exception as error:  # user code: a broken __str__ must not fail the task
        text = f"<{_type_name(value)}; its text form failed: {type(error).__name__}>"
    return text if len(text) <= _TEXT_LIMIT else text[:_TEXT_LIMIT] + "…"


_abbreviate = reprlib.Repr()
vars(_abbreviate).update(dict.fromkeys(("maxlist", "maxtuple", "maxdict", "maxset", "maxfrozenset"), 50))
vars(_abbreviate).update(maxstring=500, maxother=500)


def _rich_previews(value: Any) -> "dict[str, bytes]":
    """Images, markup and plots a value offers: IPython's `_repr_*_` methods, and matplotlib figures."""
    found: dict[str, bytes] = {}
    if isinstance(value, type):
        return found
    if type(value).__module__.startswith("matplotlib.") and hasattr(value, "savefig"):
        stream = io.BytesIO()
        with contextlib.suppress(Exception):  # user code
            value.savefig(stream, format="png", bbox_inches="tight")
            found["image/png"] = stream.getvalue()
    if hasattr(type(value), "_repr_mimebundle_"):
        with contextlib.suppress(Exception):  # user code
            bundle = value._repr_mimebundle_(include=None, exclude=None)
            for mime, piece in (bundle[0] if isinstance(bundle, tuple) else bundle).items():
                if mime.startswith(("image/", "text/")) or mime.endswith("+json"):
                    found[mime] = _rich_bytes(mime, piece)
    for mime in _RICH_TYPES:
        method = f"_repr_{mime.partition('/')[2].partition('+')[0]}_"
        if mime not in found and hasattr(type(value), method):
            with contextlib.suppress(Exception):  # user code
                found[mime] = _rich_bytes(mime, getattr(value, method)())
    for mime in ("text/plain", _WIDGET_VIEW):
        found.pop(mime, None)
    return {mime: piece for mime, piece in found.items() if 0 < len(piece) <= _RICH_LIMIT}


def _rich_bytes(mime: str, piece: Any) -> bytes:
    """One form as it is stored: images other than SVG come as bytes or as base64, others as text or as JSON."""
    if isinstance(piece, (dict, list)):
        piece = json.dumps(piece)
    if isinstance(piece, str):
        is_image = mime.startswith("image/") and mime != "image/svg+xml"
        return base64.b64decode(piece) if is_image else piece.encode("utf-8", "replace")
    return piece if isinstance(piece, bytes) else b""


def _attribute(value: Any, name: str) -> "str | None":
    with contextlib.suppress(Exception):  # user code
        found = getattr(value, name, None)
        return found[:2000] if isinstance(found, str) else None
    return None


def _type_name(value: Any) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


_FRAME, _HOOK_NOTE = struct.Struct(">IQ"), "raised by the dependency"
_CHUNK = 1 << 20
_EXPLANATIONS = {
    "prepare": "Cannot enter the working directory {workdir!r}: {reason}. Choose another with `workdir`.",
    "load": "Cannot load task {name!r} or its inputs: {reason}. It must be importable for {python}.",
    "run": "{reason}",
    "pickle": "Cannot pickle the result of task {name!r} ({type}): {reason}. Return something that can be rebuilt.",
    "store": "Cannot store the result of task {name!r}: {reason}. Make room or give access, and run it again.",
    "find": "Task {name!r} cannot have one of its inputs. {error}",
}


def store_archive(pieces: "Sequence[Buffer]", folder: str, part: str) -> "tuple[str, int]":
    """Write an archive to `<folder>/<first two digits>/<digest>`; returns digest and size.

    Nobody ever sees half a file: it is written to `part`, on the same file system, until its digest is known, and an
    OSError (disk full, no access) leaves nothing behind.
    """
    digest, size = hashlib.sha256(), 0
    try:
        with open(part, "wb") as file:
            for piece in pieces:
                for begin in range(0, len(piece), _CHUNK):
                    chunk = memoryview(piece)[begin : begin + _CHUNK]
                    digest.update(chunk)
                    size += file.write(chunk)
            file.flush()
            os.fsync(file.fileno())  # the database promises that what it names survives a power cut
        name = digest.hexdigest()[:40]
        path = os.path.join(folder, name[:2], name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.replace(part, path)  # also over an equal file: its new date keeps it from being swept as forgotten
    finally:
        if os.path.exists(part):
            os.unlink(part)
    return name, size


def hooks_before(hooks: "Mapping[str, Any]") -> "list[Any]":
    """What happens before a task, in order: dependencies (bash, pip, others), then `call_before`."""
    deps = hooks.get("deps") or ()
    if isinstance(deps, dict):
        deps = [deps[name] for name in sorted(deps, key=lambda name: {"bash": 0, "pip": 1}.get(name, 2))]
    return [*deps, *(hooks.get("call_before") or ())]


def apply_before(forms: "Sequence[Any]") -> "dict[str, Any]":
    """Apply hooks; returns what they deliver to the task, by keyword: several values are a list, `files` always."""
    found: "dict[str, list[Any]]" = {}
    for form in forms:
        value = apply_hook(form)
        if form["attributes"].get("retval_keyword"):
            found.setdefault(form["attributes"]["retval_keyword"], []).append(value)
    return {name: values if len(values) > 1 or name == "files" else values[0] for name, values in found.items()}


def apply_hook(form: Any) -> Any:
    """Apply one hook, from its `to_dict` form."""
    attributes = form.get("attributes", {}) if isinstance(form, dict) else {}
    function = _transported(attributes.get("apply_fn"))
    if not callable(function):
        raise TypeError(f"a hook holds no function to apply, but {reprlib.repr(form)}; build it with the Deps classes")
    args, kwargs = _transported(attributes.get("apply_args")), _transported(attributes.get("apply_kwargs"))
    try:
        return function(*(args or ()), **(kwargs or {}))
    except Exception as error:  # user code
        error.add_note(f"{_HOOK_NOTE} {form.get('type')} ({getattr(function, '__name__', 'without a name')})")
        raise


def _transported(form: Any) -> Any:
    if isinstance(form, dict) and form.get("type") == "TransportableObject":
        data = memoryview(bytearray(base64.b64decode(form["attributes"]["_object"])))
        spans = form["attributes"].get("_header", {}).get("buffers", ())
        return pickle.loads(data, buffers=[data[begin : begin + size] for begin, size in spans])
    if isinstance(form, (list, tuple)):
        return [_transported(item) for item in form]
    return {key: _transported(value) for key, value in form.items()} if isinstance(form, dict) else form


def _one_line(error: BaseException) -> str:
    lines = ["<its text form failed>"]
    with contextlib.suppress(Exception):  # user code
        lines = str(error).strip().splitlines()
    notes = [note for note in getattr(error, "__notes__", ()) if str(note).startswith(_HOOK_NOTE)]
    return ": ".join([_type_name(error), *lines[:1]])[:2000] + "".join(f" [{note}]" for note in notes)


def _trace(error: BaseException) -> str:
    tb, here = error.__traceback__, os.path.dirname(_trace.__code__.co_filename)
    while tb is not None and os.path.dirname(tb.tb_frame.f_code.co_filename) == here:
        tb = tb.tb_next
    with contextlib.suppress(Exception):  # user code in __str__, or a traceback too deep to render
        return "".join(traceback.format_exception(type(error), error, tb))
    return _one_line(error) + "\n"


def _receive(reader: Any) -> "tuple[dict[str, Any], io.BytesIO]":
    head = reader.read(_FRAME.size)
    if len(head) < _FRAME.size:  # the other side is gone
        os._exit(0)
    control, body = _FRAME.unpack(head)
    return json.loads(reader.read(control)), io.BytesIO(reader.read(body))


def _send(channel: socket.socket, control: "Mapping[str, Any]", *pieces: Buffer) -> None:
    text = json.dumps(control).encode()
    channel.sendall(b"".join((_FRAME.pack(len(text), sum(map(len, pieces))), text, *pieces)))


def load_archive(archive: "Buffer | str") -> Any:
    """The value of an archive, or of the archive file of a path; see `decode_archive`."""
    return decode_archive(open_archive(archive) if isinstance(archive, str) else archive)


def _run_jobs(
    message: "Mapping[str, Any]", body: io.BytesIO, claims: "Claims", surroundings: "Surroundings", code: "LoadedCode"
) -> "Iterator[tuple[dict[str, Any], bytes]]":
    """Run a message's jobs one after the other while that is granted; yields the answers of each."""
    goes_on, shared = True, message.get("shared", {})
    for place, job in enumerate(message["jobs"]):
        goes_on = goes_on and (place == 0 or claims.take(message.get("number")))
        yield from _run_steps({**shared, **job}, body, surroundings, code, goes_on)


def _run_steps(
    job: "dict[str, Any]", body: io.BytesIO, surroundings: "Surroundings", code: "LoadedCode", goes_on: bool = True
) -> "Iterator[tuple[dict[str, Any], bytes]]":
    """Run the steps of a job one after the other while they complete, if at all; yields the answer of each."""
    steps = [job, *job["then"]]
    outputs: "dict[str, Buffer | str]" = {}
    sizes: "list[int]" = []

    def take(where: "int | str | dict[str, str]") -> "Buffer | str":
        found = outputs[where["step"]] if isinstance(where, dict) else where
        found = body.read(found) if isinstance(found, int) else found
        return found if isinstance(found, str) else bytearray(found)  # a copy: aligned, arrays writable

    def load(where: Any) -> Any:
        archive = take(where)
        sizes.append(os.path.getsize(archive) if isinstance(archive, str) else len(archive))
        return load_archive(archive)

    for number, step in enumerate(steps):
        body.seek(step["at"])
        _take_function(step, take, code)
        if not goes_on:
            continue  # only its function, which will not be sent again
        begun, sizes[:] = surroundings.spent(), ()
        reply, output = run_step(step, load, surroundings, code)
        reply["usage"] = surroundings.used_since(begun, sum(sizes), reply.get("output", (None, 0))[1])
        goes_on = number + 1 < len(steps) and "failure" not in reply and not _is_stopped(steps[number + 1])
        if goes_on:
            name = reply["output"][0]
            outputs[step["job"]] = output or os.path.join(step["payload_dir"], name[:2], name)
        yield {**reply, "goes_on": goes_on}, output


def _is_stopped(step: "Mapping[str, Any]") -> bool:
    with contextlib.suppress(OSError), open(step["stop"], encoding="utf-8") as file:
        return step["job"] in file.read().splitlines()
    return False


def _take_function(step: "Mapping[str, Any]", take: "Callable[[Any], Buffer | str]", code: "LoadedCode") -> None:
    code.forget(step["forget"])
    digest, where = step["function"]
    if where is not None:
        code.archives[digest] = take(where)


_encode_rich = functools.partial(encode_archive, rich=True)


def run_step(
    job: "dict[str, Any]",
    load: "Callable[[Any], Any]",
    surroundings: "Surroundings",
    code: "LoadedCode",
    encode: "Callable[[Any], list[Buffer]]" = _encode_rich,
) -> "tuple[dict[str, Any], bytes]":
    """Run one task; never raises for what the task does.

    Args:
        job: What is asked for.
        load: Gives an argument's value from its entry in `job`.
        surroundings: What a task finds around it, and how that is put back.
        code: Functions that were loaded before.
        encode: Makes the archive of what the task returned.

    Returns:
        The answer (`job`, `started`, `ended`, and `output` or `failure`), and the archive if it is not in a file.
    """
    reply: "dict[str, Any]" = {"job": job["job"], "started": time.time()}
    stage, output, folder, value = "prepare", b"", job["folder"], None
    hooks, context, delivered = job["hooks"], contextvars.copy_context(), {}
    modules: "dict[str, Any] | None" = None  # as they were, while hooks provide others
    digest, _ = job["function"]
    try:
        surroundings.enter(job)
        sys.stderr.write(job["note"] and job["note"] + "\n")
        stage = "load"
        if folder:
            code.enter(folder)
        if hooks:  # before anything is loaded that may need what they provide
            stage, path, modules = "run", list(sys.path), dict(sys.modules)
            delivered = context.run(apply_before, hooks_before(hooks))
            stage, modules = "load", modules if sys.path != path else None
        function = load_archive(code.archives[digest]) if modules else code.function(digest, folder)
        args = [load(where) for where in job["args"]]
        kwargs = {name: load(where) for name, where in job["kwargs"].items()}
        surroundings.stand_in(function)
        stage = "run"
        value = context.run(function, *args, **{**kwargs, **delivered})
        for form in hooks.get("call_after") or ():
            context.run(apply_hook, form)
        stage = "pickle"
        pieces = encode(value)
        stage = "store"
        if sum(len(piece) for piece in pieces) <= job["inline_limit"]:
            output = b"".join(pieces)
            reply["output"] = archive_digest((output,))
        else:
            reply["output"] = store_archive(pieces, job["payload_dir"], job["part"])
    except BaseException as error:  # user code: SystemExit and KeyboardInterrupt included
        trace, reason = _trace(error), _one_line(error)
        if isinstance(error, ValueElsewhereError) and stage == "load":
            stage = "find"
        told = {**job, "reason": reason, "error": error, "type": _type_name(value), "python": sys.executable}
        message = _EXPLANATIONS[stage].format_map(told)
        reply["failure"] = {"message": message, "is_user_error": stage in ("run", "pickle"), "traceback": trace}
        surroundings.leave()
        sys.stderr.write(trace)
    surroundings.leave()
    if modules is not None:
        reply["retire"] = code.restore(modules)
    code.leave(folder)
    reply["ended"] = time.time()
    return reply, output


def _serve(descriptor: int, lifeline: int, claims: int = -1) -> None:
    """Run tasks for the process at the other end of inherited file descriptors, until it goes away.

    Where all messages hold one job there is nothing to claim.
    """
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, here)
    from worker_surroundings import (  # type: ignore[import-not-found]  # beside this script
        Claims,
        LoadedCode,
        Surroundings,
        end_with,
    )

    end_with(lifeline)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a server in the background passes on that it is ignored
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("500")  # when memory runs out, rather a task than the server
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") != here]
    sys.argv[:] = [""]
    os.set_inheritable(descriptor, False)
    if claims >= 0:
        os.set_inheritable(claims, False)
    channel, pid = socket.socket(fileno=descriptor), os.getpid()
    reader, surroundings, code = channel.makefile("rb", 1 << 18), Surroundings(), LoadedCode(load_archive)
    granted = Claims(claims)
    _send(channel, {"ready": pid, "python_version": _VERSIONS["py_version"]})
    while True:
        message, body = _receive(reader)
        for reply, output in _run_jobs(message, body, granted, surroundings, code):
            if os.getpid() != pid:  # the task forked, and its child came back here
                os._exit(0)
            streams = [surroundings.take(descriptor) for descriptor in surroundings.kept]
            _send(channel, {**reply, "body": [len(output), *map(len, streams)]}, output, *streams)


if __name__ == "__main__":
    _serve(*map(int, sys.argv[sys.argv.index("--serve") + 1 :]))
