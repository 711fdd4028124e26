"""Dispatching step by step: prepare a manifest, register it, start it. `dispatch` does all of it in one request."""

import copy
import tempfile
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from covalent_lab.client import api, repeating
from covalent_lab.client.connection import Connection, connect, with_connection
from covalent_lab.client.manifest import AssetFiles, read_manifest, replaced_nodes, write_manifest
from covalent_lab.client.result import Result
from covalent_lab.client.serving import serve_for
from covalent_lab.config.reader import ConfigReader
from covalent_lab.errors import MissingLatticeRecordError, UsageError
from covalent_lab.workflow.bundle import Bundle, bundle_of
from covalent_lab.workflow.lattice import Lattice

__all__ = ["BaseDispatcher", "DispatcherPlugin", "LocalDispatcher"]


class BaseDispatcher(ABC):
    """What every dispatcher offers."""

    @staticmethod
    @abstractmethod
    def dispatch(orig_lattice: Lattice[..., Any], dispatcher_addr: str | None = None) -> Callable[..., str]:
        """See `covalent_lab.dispatch`."""

    @staticmethod
    @abstractmethod
    def dispatch_sync(lattice: Lattice[..., Any], dispatcher_addr: str | None = None) -> Callable[..., Result]:
        """See `covalent_lab.dispatch_sync`."""


class DispatcherPlugin(BaseDispatcher):
    """A dispatcher that also works step by step."""

    @staticmethod
    @abstractmethod
    def register(lattice: Lattice[..., Any], dispatcher_addr: str | None = None) -> Callable[..., str]:
        """Record a dispatch without starting it."""

    @staticmethod
    @abstractmethod
    def start(dispatch_id: str, dispatcher_addr: str | None = None) -> str:
        """Start a recorded dispatch."""


class LocalDispatcher(DispatcherPlugin):
    """The steps of a dispatch, one function each; nothing is kept between them but what they return."""

    @staticmethod
    def dispatch(
        orig_lattice: Lattice[..., Any], dispatcher_addr: str | None = None, *, disable_run: bool = False
    ) -> Callable[..., str]:
        """See `covalent_lab.dispatch`."""
        return api.dispatch(orig_lattice, dispatcher_addr, disable_run=disable_run)

    @staticmethod
    def dispatch_sync(lattice: Lattice[..., Any], dispatcher_addr: str | None = None) -> Callable[..., Result]:
        """See `covalent_lab.dispatch_sync`."""
        return api.dispatch_sync(lattice, dispatcher_addr)

    @staticmethod
    def register(lattice: Lattice[..., Any], dispatcher_addr: str | None = None) -> Callable[..., str]:
        """Prepare to record a dispatch without starting it; the returned function gives its id.

        Raises:
            TypeError: It is not a lattice.
        """
        return api.dispatch(lattice, dispatcher_addr, disable_run=True)

    @staticmethod
    def start(dispatch_id: str, dispatcher_addr: str | None = None) -> str:
        """Start a recorded dispatch; later calls do nothing. Returns its id.

        Raises:
            MissingLatticeRecordError: The id is unknown.
        """
        return str(with_connection(dispatcher_addr, lambda connection: connection.start(dispatch_id))["dispatch_id"])

    @staticmethod
    def redispatch(
        dispatch_id: str,
        dispatcher_addr: str | None = None,
        replace_electrons: Mapping[str, Callable[..., Any]] | None = None,
        reuse_previous_results: bool = False,
    ) -> Callable[..., str]:
        """See `covalent_lab.redispatch`."""
        return repeating.redispatch(dispatch_id, dispatcher_addr, replace_electrons, reuse_previous_results)

    @staticmethod
    def register_redispatch(
        dispatch_id: str,
        dispatcher_addr: str | None = None,
        replace_electrons: Mapping[str, Callable[..., Any]] | None = None,
        reuse_previous_results: bool = False,
    ) -> Callable[..., str]:
        """Like `redispatch`, but the new dispatch is only recorded."""
        return repeating.register_redispatch(dispatch_id, dispatcher_addr, replace_electrons, reuse_previous_results)

    @staticmethod
    def prepare_manifest(lattice: Lattice[..., Any], storage_path: str | None = None) -> dict[str, Any]:
        """Write a built lattice's pieces as files, and describe them.

        Args:
            lattice: A lattice with a graph.
            storage_path: Folder for the files; default: a new one below `sdk.dispatch_cache_dir`.

        Returns:
            The manifest: dictionaries of metadata and assets, the latter with `file://` addresses.

        Raises:
            TypeError: It is not a lattice.
            GraphBuildError: It has no graph.
        """
        if not isinstance(lattice, Lattice):
            raise TypeError(f"prepare_manifest() takes a lattice, not {type(lattice).__name__}.")
        _ = lattice.graph
        bundle = bundle_of(lattice)
        folder = _new_folder() if storage_path is None else Path(storage_path).absolute()
        files = AssetFiles(folder, bundle.payloads)
        return write_manifest(bundle, files, lattice.python_version, lattice.replaced_nodes).model_dump()

    @staticmethod
    def register_manifest(
        manifest: Mapping[str, Any], dispatcher_addr: str | None = None, push_assets: bool = True
    ) -> dict[str, Any]:
        """Record the dispatch that a manifest describes, without starting it.

        Args:
            manifest: From `prepare_manifest`; one that was registered before keeps its id, and is recorded once.
            dispatcher_addr: As for `dispatch`.
            push_assets: Accepted for compatibility: assets always travel with the request.

        Returns:
            A copy of the manifest with the dispatch's id.

        Raises:
            UsageError: The manifest is not one, or its files were changed.
        """
        return _register(manifest, dispatcher_addr)

    @staticmethod
    def register_derived_manifest(
        manifest: Mapping[str, Any],
        dispatch_id: str,
        reuse_previous_results: bool = False,
        dispatcher_addr: str | None = None,
    ) -> dict[str, Any]:
        """Like `register_manifest`, for a dispatch that repeats another one.

        Args:
            manifest: From `prepare_manifest`.
            dispatch_id: The dispatch it repeats.
            reuse_previous_results: Take over what completed there and is unchanged.
            dispatcher_addr: As for `dispatch`.

        Raises:
            MissingLatticeRecordError: That dispatch is unknown.
            UsageError: The manifest is not one, or its files were changed.
        """
        return _register(manifest, dispatcher_addr, dispatch_id, reuse_previous_results)

    @staticmethod
    def upload_assets(manifest: Mapping[str, Any], dispatcher_addr: str | None = None) -> None:
        """Make sure that the server has everything a registered manifest describes; sends what is not there.

        Raises:
            UsageError: The manifest was not registered.
        """
        dispatch_id = manifest.get("metadata", {}).get("dispatch_id")
        if not dispatch_id:
            raise UsageError("This manifest has no dispatch id. Register it first, with register_manifest().")
        try:  # a dispatch is recorded together with all its assets, or not at all
            connect(dispatcher_addr).detail(dispatch_id)
        except MissingLatticeRecordError:
            _submit(read_manifest(manifest), manifest["metadata"], dispatcher_addr)

    @staticmethod
    def stop_triggers(dispatch_ids: str | Sequence[str], triggers_server_addr: str | None = None) -> None:
        """Stop the triggers of dispatches; nothing happens to those without any.

        Args:
            dispatch_ids: One id, or several.
            triggers_server_addr: As `dispatcher_addr` of `dispatch`.

        Raises:
            MissingLatticeRecordError: An id is unknown.
        """
        connection = connect(triggers_server_addr)
        for dispatch_id in [dispatch_ids] if isinstance(dispatch_ids, str) else dispatch_ids:
            connection.detail(dispatch_id)


def _new_folder() -> Path:
    parent = Path(ConfigReader().value("sdk.dispatch_cache_dir"))
    parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=parent))


def _register(
    manifest: Mapping[str, Any], address: str | None, source: str | None = None, reuse: bool = False
) -> dict[str, Any]:
    bundle = read_manifest(manifest)
    registered = copy.deepcopy(dict(manifest))
    metadata = registered.setdefault("metadata", {})
    metadata["dispatch_id"] = metadata.get("dispatch_id") or str(uuid.uuid4())
    metadata["root_dispatch_id"] = metadata.get("root_dispatch_id") or metadata["dispatch_id"]
    if source is not None:
        metadata["redispatch"] = {"from": source, "reuse": reuse, "replaced": replaced_nodes(manifest)}
    _submit(bundle, metadata, address)
    return registered


def _submit(bundle: Bundle, metadata: Mapping[str, Any], address: str | None) -> None:
    pieces = bundle.write(metadata["dispatch_id"], metadata["root_dispatch_id"], redispatch=metadata.get("redispatch"))

    serve_for(bundle.graph, address)

    def send(connection: Connection) -> str:
        return connection.submit(pieces, start=False)

    with_connection(address, send)
