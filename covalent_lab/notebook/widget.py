"""A live picture of a dispatch: a widget whose traits follow the feed.

Decides what is sent to the browser and how often. The drawing is the front end's (`static/widget.js`, built from the
same sources as the JupyterLab extension), so this works wherever ipywidgets do. Loaded on first use only, as widgets
are heavy to import.
"""

import contextlib
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget  # noqa: TID253  this module is loaded when a widget is asked for
import traitlets

from covalent_lab.client.api import get_result
from covalent_lab.client.connection import Connection, FeedReader, connect
from covalent_lab.errors import BackendError, ConfigError, LabError
from covalent_lab.exports.statuswords import TERMINAL
from covalent_lab.notebook.cards import card_forms

__all__ = ["LiveLattice", "watch"]

MODULE = Path(__file__).parent / "static" / "widget.js"
_INTERVAL_S = 0.05
_NODES_PER_SECOND = 10_000
_COLUMNS = ("node_id", "status", "attempt", "started_at", "ended_at", "error")


class LiveLattice(anywidget.AnyWidget):
    """Draws a dispatch and keeps the picture up to date until the dispatch ends or the widget is closed.

    Attributes:
        graph: The graph, as its JSON form.
        name: Of the workflow.
        dispatch_id: Which dispatch.
        nodes: States of the nodes that left "pending", in columns.
        status: Of the dispatch.
        completed: How many nodes completed.
        total: How many nodes there are, without parameters.
        height: Of the picture, in pixels.
    """

    graph = traitlets.Dict().tag(sync=True)
    name = traitlets.Unicode().tag(sync=True)
    dispatch_id = traitlets.Unicode().tag(sync=True)
    nodes = traitlets.Dict().tag(sync=True)
    status = traitlets.Unicode("NEW_OBJECT").tag(sync=True)
    completed = traitlets.Int(0).tag(sync=True)
    total = traitlets.Int(0).tag(sync=True)
    height = traitlets.Int(420).tag(sync=True)

    _follower: "_Follower | None" = None

    def __init__(self, dispatch_id: str, connection: Connection, *, is_of_page: bool = False, **traits: Any) -> None:
        """Load the present state; `follow` keeps it up to date.

        Args:
            dispatch_id: Which dispatch.
            connection: Where it is.
            is_of_page: Whether the server of the page that shows the widget knows the dispatch, too.
            traits: Others.

        Raises:
            ConfigError: The front end is not built.
            MissingLatticeRecordError: The id is unknown.
        """
        self._esm = _module_text()
        self._is_of_page = is_of_page
        self._states = _States(connection, dispatch_id)
        first = self._states
        super().__init__(
            graph=connection.graph(dispatch_id),
            dispatch_id=dispatch_id,
            name=first.name,
            total=first.total,
            **first.traits(),
            **traits,
        )

    def follow(self) -> None:
        """Keep the picture up to date, in the background."""
        if self._follower is None and self.status not in TERMINAL:
            self._follower = _Follower(self._states, self._update)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the picture is final; says whether it is."""
        return self._follower is None or self._follower.wait(timeout_s)

    def close(self) -> None:
        """Remove the widget, and stop following."""
        if self._follower is not None:
            self._follower.close()
        super().close()

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """In JupyterLab with the extension a card, which outlives this kernel; the widget elsewhere."""
        made = super()._repr_mimebundle_(**options)
        if made is None or not self._is_of_page:
            return made
        forms, metadata = made
        with contextlib.suppress(LabError):  # the dispatcher is gone, or the dispatch
            return {**card_forms(get_result(self.dispatch_id)), **forms}, metadata
        return made

    def _update(self, traits: Mapping[str, Any]) -> None:
        with self.hold_sync():
            for name, value in traits.items():
                setattr(self, name, value)


def watch(dispatch_id: str, *, dispatcher_addr: str | None = None, height: int = 420) -> LiveLattice:
    """Draw a dispatch live below the cell.

    Args:
        dispatch_id: What `ct.dispatch(…)(…)` returned.
        dispatcher_addr: As for `dispatch`.
        height: Of the picture, in pixels.

    Returns:
        A widget; notebooks show it when it is the last value of a cell. In JupyterLab with the extension it shows as a
        card that the server keeps up to date, also after a reload of the page or a restart of the kernel.

    Raises:
        MissingLatticeRecordError: The id is unknown.
        ConfigError: The front end is not built.
    """
    widget = LiveLattice(dispatch_id, connect(dispatcher_addr), is_of_page=dispatcher_addr is None, height=height)
    widget.follow()
    return widget


def _module_text() -> str:
    try:
        return MODULE.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"The live picture's front end is missing ({MODULE}). "
            "Install a released package, or build it: cd labextension && jlpm install && jlpm build:widget."
        ) from error


class _States:
    """The state of one dispatch: a snapshot, and the transitions since."""

    def __init__(self, connection: Connection, dispatch_id: str) -> None:
        self.connection = connection
        self.dispatch_id = dispatch_id
        self.name = ""
        self.total = 0
        self.load()

    def load(self) -> None:
        """Take a snapshot; whatever is older is ignored from now on."""
        detail = self.connection.detail(self.dispatch_id)  # first: the nodes may be newer, which does no harm
        self.name, self.total, self.status = detail["name"], detail["total"], detail["status"]
        self.seq: int = detail["seq"]
        nodes = self.connection.nodes(self.dispatch_id)
        self.nodes = {row[0]: list(row) for row in zip(*(nodes[name] for name in _COLUMNS), strict=True)}

    @property
    def is_over(self) -> bool:
        return self.status in TERMINAL

    def apply(self, frame: Mapping[str, Any]) -> bool:
        """Take in one frame of the feed; says whether anything changed."""
        if frame["type"] == "reset":
            self.load()
            return True
        before = self.seq
        for item in frame.get("items", ()):
            if item["dispatch_id"] != self.dispatch_id or item["seq"] <= self.seq:
                continue
            self.seq = item["seq"]
            if item["node_id"] is None:
                self.status = item["status"]
            else:
                self._change(item)
        return self.seq != before

    def _change(self, item: Mapping[str, Any]) -> None:
        row = self.nodes.setdefault(item["node_id"], [item["node_id"], "", 1, None, None, ""])
        row[1] = item["status"]
        row[2] = item.get("attempt", row[2])
        if item["status"] == "RUNNING":
            row[3], row[4] = item["at"], None
        elif item["status"] in TERMINAL:
            row[4] = item["at"]
        row[5] = item.get("error", "")

    def traits(self) -> dict[str, Any]:
        """The state as the browser gets it."""
        rows = sorted(self.nodes.values())
        columns = {name: [row[i] for row in rows] for i, name in enumerate(_COLUMNS)}
        completed = sum(status == "COMPLETED" for status in columns["status"])
        return {"nodes": {"seq": self.seq, **columns}, "status": self.status, "completed": completed}


class _Follower:
    """Follows the feed until the dispatch ends: one thread reads, and one sends what has changed, not too often."""

    def __init__(self, states: _States, send: Any) -> None:
        self._states = states
        self._send = send
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._closing = threading.Event()
        self._done = threading.Event()
        self._feed: FeedReader = states.connection.subscribe(states.seq)
        for target in (self._read, self._write):
            threading.Thread(target=target, name=f"covalent-watch {target.__name__[1:]}", daemon=True).start()

    def wait(self, timeout_s: float | None) -> bool:
        return self._done.wait(timeout_s)

    def close(self) -> None:
        self._closing.set()
        self._changed.set()
        self._feed.close()

    def _read(self) -> None:
        try:
            for frame in self._feed:
                with self._lock:
                    has_changed, is_over = self._states.apply(frame), self._states.is_over
                if has_changed:
                    self._changed.set()
                if is_over or self._closing.is_set():
                    break
        except BackendError:
            pass  # the server went away: the picture stays as it is
        finally:
            self.close()

    def _write(self) -> None:
        pause_s = _INTERVAL_S + self._states.total / _NODES_PER_SECOND
        while not self._closing.is_set():
            self._changed.wait()
            self._changed.clear()
            self._flush()
            self._closing.wait(pause_s)
        self._flush()
        self._done.set()

    def _flush(self) -> None:
        with self._lock:
            traits = self._states.traits()
        self._send(traits)
