"""Single pieces of a dispatch as files: what the documentation calls assets."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Self

from covalent_lab.client.api import get_result
from covalent_lab.client.connection import Connection, connect, whole_stream
from covalent_lab.client.result import Result
from covalent_lab.client.status import Status
from covalent_lab.config.reader import ConfigReader
from covalent_lab.errors import ConfigError
from covalent_lab.graph.wire import graph_from_wire
from covalent_lab.worker import Buffer
from covalent_lab.workflow.transportable import TransportableObject

__all__ = ["ResultManager", "get_result_manager"]

_MANIFEST = "result_manifest.json"
_VERSION = 1


class _Type(Enum):
    OBJECT = "tobj"
    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asset:
    """Its file below the results folder, and what is in the file."""

    file: str
    type: _Type


def _asset(file: str) -> _Asset:
    types = {".tobj": _Type.OBJECT, ".json": _Type.JSON}
    return _Asset(file=file, type=types.get(Path(file).suffix, _Type.TEXT))


_RESULT = {"result": _asset("result.tobj"), "error": _asset("error.log")}
_LATTICE = {
    "workflow_function": _asset("function.tobj"),
    "workflow_function_string": _asset("function_string.txt"),
    "doc": _asset("function_docstring.txt"),
    "inputs": _asset("inputs.tobj"),
    "hooks": _asset("hooks.json"),
}
_NODE = {
    "function": _asset("function.tobj"),
    "function_string": _asset("function_string.txt"),
    "value": _asset("value.tobj"),
    "output": _asset("results.tobj"),
    "error": _asset("error.log"),
    "stdout": _asset("stdout.log"),
    "stderr": _asset("stderr.log"),
    "hooks": _asset("hooks.json"),
}


def get_result_manager(
    dispatch_id: str, results_dir: str | None = None, wait: bool = False, dispatcher_addr: str | None = None
) -> "ResultManager":
    """Access to single pieces of a dispatch, without loading the others.

    Args:
        dispatch_id: Its id.
        results_dir: Folder for its files; default: a folder of its own below `sdk.results_dir`.
        wait: Block until it has ended.
        dispatcher_addr: As for `dispatch`.

    Raises:
        MissingLatticeRecordError: The id is unknown.
        ServerUnreachableError: No dispatcher answers.

    Example:
        >>> import covalent_lab as ct
        >>> manager = ct.get_result_manager(dispatch_id, wait=True)   # doctest: +SKIP
        >>> manager.load_node_asset(0, "stdout")                      # doctest: +SKIP
        'hello'
    """
    result = get_result(dispatch_id, wait, dispatcher_addr, results_dir=results_dir)
    return ResultManager(result, dispatcher_addr=dispatcher_addr)


def _delete_result(dispatch_id: str, results_dir: str | None = None, remove_parent_directory: bool = False) -> None:
    """Remove the files of a dispatch from this machine; the dispatch itself stays recorded.

    Args:
        dispatch_id: Its id.
        results_dir: The folder that has a folder for each dispatch; default: `sdk.results_dir`.
        remove_parent_directory: Remove that folder too, unless other dispatches have files there.

    Raises:
        ValueError: The id is none.
    """
    if not dispatch_id or dispatch_id in (".", "..") or Path(dispatch_id).name != dispatch_id:
        raise ValueError(f"{dispatch_id!r} is not the id of a dispatch.")
    folder = Path(results_dir or ConfigReader().value("sdk.results_dir"))
    shutil.rmtree(folder / dispatch_id, ignore_errors=True)
    if remove_parent_directory:
        with contextlib.suppress(OSError):  # there is none, or it is not empty
            folder.rmdir()


class ResultManager:
    """Fetches pieces of a dispatch into files, and reads them.

    `download_…` fetches a piece again and returns its file; `load_…` reads the file, and fetches it first if it is not
    there, or was written before the dispatch ended. A piece that has no value is an empty file: it loads as None, or as
    an empty text.

    Args:
        result_object: The dispatch. Its values are fetched when they are asked for.
        dispatcher_addr: As for `dispatch`; used where the result itself has no connection.
    """

    def __init__(self, result_object: Result, *, dispatcher_addr: str | None = None) -> None:
        self._result = result_object
        self._address = dispatcher_addr

    @property
    def result_object(self) -> Result:
        """The dispatch."""
        return self._result

    @property
    def dispatch_id(self) -> str:
        """Its id."""
        return self._result.dispatch_id

    @property
    def results_dir(self) -> Path:
        """Folder of its files."""
        return Path(self._result.results_dir)

    # --- the manager itself

    def save(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Write what is known of the dispatch as JSON, without its pieces.

        Args:
            path: The file; default: `result_manifest.json` in the results folder.

        Returns:
            The file.
        """
        connection = self._result.connection
        form = {
            "version": _VERSION,
            "dispatch_id": self.dispatch_id,
            "dispatcher_addr": self._address or (connection.url if connection is not None else None),
            "detail": dict(self._result.detail),
        }
        target = self.results_dir / _MANIFEST if path is None else Path(path)
        return _write(target, json.dumps(form, indent=1).encode("utf-8"))

    @classmethod
    def load(cls, path: str | os.PathLike[str], results_dir: str | os.PathLike[str] | None = None) -> Self:
        """Read what `save` wrote. No dispatcher is asked until a piece is needed that is not in the results folder.

        Args:
            path: The file.
            results_dir: Folder of the pieces; default: the folder of the file.

        Raises:
            ConfigError: The file was not written by `save`.
        """
        try:
            form: Any = json.loads(Path(path).read_text(encoding="utf-8"))
            if form["version"] != _VERSION:
                raise ValueError(f"its version is {form['version']!r}")
            address, dispatch_id, detail = form["dispatcher_addr"], str(form["dispatch_id"]), dict(form["detail"])
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{path} cannot be loaded as a saved result: {error}.") from error
        folder = Path(path).parent if results_dir is None else Path(results_dir)
        result = Result(dispatch_id=dispatch_id, detail=detail, results_dir=str(folder), dispatcher_addr=address)
        return cls(result, dispatcher_addr=address)

    # --- pieces

    def download_result_asset(self, key: str) -> Path:
        """Fetch `result` or `error`.

        Raises:
            KeyError: There is no such piece.
        """
        file = self._file(_RESULT, key)
        detail = self._detail()
        return _write(file, self._archive(detail.get("result")) if key == "result" else _text(detail.get("error")))

    def download_lattice_asset(self, key: str) -> Path:
        """Fetch `workflow_function`, `workflow_function_string`, `doc`, `inputs` or `hooks` of the workflow.

        Raises:
            KeyError: There is no such piece.
        """
        file = self._file(_LATTICE, key)
        detail = self._detail()
        match key:
            case "workflow_function" | "inputs":
                content: Buffer = self._archive(detail.get("lattice" if key == "workflow_function" else key))
            case "hooks":
                content = b""  # a workflow's hooks are recorded with its nodes
            case _:
                content = _text(detail.get("source" if key == "workflow_function_string" else key))
        return _write(file, content)

    def download_node_asset(self, node_id: int, key: str) -> Path:
        """Fetch `function`, `function_string`, `value`, `output`, `error`, `stdout`, `stderr` or `hooks` of a node.

        Raises:
            KeyError: There is no such piece.
            MissingNodeError: There is no such node.
        """
        file = self._file(_NODE, key, node_id)
        node = self._connection.node(self.dispatch_id, node_id)
        match key:
            case "function" | "value":
                content = self._node_payload(node_id, key)
            case "output":
                content = self._archive(node["output"])
            case "stdout" | "stderr":
                content = _text(whole_stream(self._connection, self.dispatch_id, node_id, key))
            case "hooks":
                content = json.dumps(node["hooks"]).encode("utf-8") if node["hooks"] else b""
            case _:
                content = _text(node["source" if key == "function_string" else key])
        return _write(file, content)

    def load_result_asset(self, key: str) -> Any:
        """The piece itself: a `TransportableObject`, or a text."""
        file = self._file(_RESULT, key)
        return _read(file if self._is_final(file) else self.download_result_asset(key), _RESULT[key])

    def load_lattice_asset(self, key: str) -> Any:
        """The piece itself: a `TransportableObject`, a text, or what its JSON says."""
        file = self._file(_LATTICE, key)
        return _read(file if self._is_final(file) else self.download_lattice_asset(key), _LATTICE[key])

    def load_node_asset(self, node_id: int, key: str) -> Any:
        """The piece itself: a `TransportableObject`, a text, or what its JSON says."""
        file = self._file(_NODE, key, node_id)
        return _read(file if self._is_final(file) else self.download_node_asset(node_id, key), _NODE[key])

    def __repr__(self) -> str:
        return f"<ResultManager {self.dispatch_id} in {self.results_dir}>"

    def _file(self, assets: Mapping[str, _Asset], key: str, node_id: int | None = None) -> Path:
        if key not in assets:
            raise KeyError(f"There is no asset {key!r}; choose from {', '.join(assets)}.")
        folder = self.results_dir if node_id is None else self.results_dir / f"node_{node_id}"
        return folder / assets[key].file

    def _is_final(self, file: Path) -> bool:
        ended_at = self._result.detail.get("ended_at")
        return ended_at is not None and file.exists() and file.stat().st_mtime >= ended_at

    def _detail(self) -> Mapping[str, Any]:
        """The dispatch, asked for again unless it has ended."""
        if Status.is_terminal(self._result.status):
            pass
        elif self._result.connection is None:
            self._result = get_result(
                self.dispatch_id, dispatcher_addr=self._address, results_dir=self._result.results_dir
            )
        else:
            self._result.refresh()
        return self._result.detail

    @property
    def _connection(self) -> Connection:
        return self._result.connection or connect(self._address)

    def _archive(self, view: Mapping[str, Any] | None) -> Buffer:
        return b"" if view is None else self._connection.payload(self.dispatch_id, view["digest"])

    def _node_payload(self, node_id: int, key: str) -> Buffer:
        graph = graph_from_wire(self._connection.graph(self.dispatch_id))
        node = graph.nodes[node_id]
        ref = node.value
        if key == "function":
            ref = None if node.function is None else graph.functions[node.function].payload
        return b"" if ref is None else self._connection.payload(self.dispatch_id, ref.digest)


def _text(value: str | None) -> bytes:
    return (value or "").encode("utf-8")


def _write(path: Path, content: Buffer) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    return path


def _read(path: Path, asset: _Asset) -> Any:
    content = path.read_bytes()
    if asset.type is _Type.TEXT:
        return content.decode("utf-8")
    if not content:
        return None
    return TransportableObject.deserialize(content) if asset.type is _Type.OBJECT else json.loads(content)
