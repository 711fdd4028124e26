"""Run science workflows from a notebook, and watch them live in JupyterLab.

    import covalent_lab as ct

Names are loaded on first use, so that importing the package stays cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from covalent_lab._version import __version__

if TYPE_CHECKING:
    from covalent_lab import executor, fs, fs_strategies, leptons
    from covalent_lab.client.api import cancel, dispatch, dispatch_sync, get_result, get_result_async, sync
    from covalent_lab.client.assets import ResultManager, get_result_manager
    from covalent_lab.client.cached import get_cached_results, purge_cached_results
    from covalent_lab.client.connection import is_covalent_running
    from covalent_lab.client.control import covalent_start, covalent_stop
    from covalent_lab.client.exporting import export
    from covalent_lab.client.repeating import redispatch
    from covalent_lab.client.result import Result
    from covalent_lab.client.serving import release_kernel_values, serve_kernel
    from covalent_lab.client.status import Status
    from covalent_lab.client.status import Status as status  # noqa: N813 - documented name
    from covalent_lab.config.access import get_config, reload_config, set_config
    from covalent_lab.notebook.widget import watch
    from covalent_lab.workflow.context import get_context
    from covalent_lab.workflow.deps.bash import DepsBash
    from covalent_lab.workflow.deps.call import DepsCall
    from covalent_lab.workflow.deps.module import DepsModule
    from covalent_lab.workflow.deps.pip import DepsPip
    from covalent_lab.workflow.electron import Electron, electron, wait
    from covalent_lab.workflow.lattice import Lattice, lattice
    from covalent_lab.workflow.lepton import Lepton
    from covalent_lab.workflow.transportable import TransportableObject

__all__ = [
    "DepsBash",
    "DepsCall",
    "DepsModule",
    "DepsPip",
    "Electron",
    "Lattice",
    "Lepton",
    "Result",
    "ResultManager",
    "Status",
    "TransportableObject",
    "__version__",
    "cancel",
    "covalent_start",
    "covalent_stop",
    "dispatch",
    "dispatch_sync",
    "electron",
    "executor",
    "export",
    "fs",
    "fs_strategies",
    "get_cached_results",
    "get_config",
    "get_context",
    "get_result",
    "get_result_async",
    "get_result_manager",
    "is_covalent_running",
    "lattice",
    "leptons",
    "load_ipython_extension",
    "purge_cached_results",
    "redispatch",
    "release_kernel_values",
    "reload_config",
    "serve_kernel",
    "set_config",
    "status",
    "sync",
    "wait",
    "watch",
]

_HOMES = {
    "DepsBash": "workflow.deps.bash",
    "DepsCall": "workflow.deps.call",
    "DepsModule": "workflow.deps.module",
    "DepsPip": "workflow.deps.pip",
    "Electron": "workflow.electron",
    "Lattice": "workflow.lattice",
    "Lepton": "workflow.lepton",
    "Result": "client.result",
    "ResultManager": "client.assets",
    "Status": "client.status",
    "TransportableObject": "workflow.transportable",
    "cancel": "client.api",
    "covalent_start": "client.control",
    "covalent_stop": "client.control",
    "dispatch": "client.api",
    "dispatch_sync": "client.api",
    "electron": "workflow.electron",
    "export": "client.exporting",
    "get_cached_results": "client.cached",
    "get_config": "config.access",
    "get_context": "workflow.context",
    "get_result": "client.api",
    "get_result_async": "client.api",
    "get_result_manager": "client.assets",
    "is_covalent_running": "client.connection",
    "lattice": "workflow.lattice",
    "purge_cached_results": "client.cached",
    "redispatch": "client.repeating",
    "release_kernel_values": "client.serving",
    "reload_config": "config.access",
    "serve_kernel": "client.serving",
    "set_config": "config.access",
    "sync": "client.api",
    "wait": "workflow.electron",
    "watch": "notebook.widget",
}


def __getattr__(name: str) -> Any:
    if name in ("executor", "fs", "fs_strategies", "leptons"):
        return import_module(f"covalent_lab.{name}")
    if name == "status":
        value = import_module("covalent_lab.client.status").Status
    elif name in _HOMES:
        value = getattr(import_module(f"covalent_lab.{_HOMES[name]}"), name)
    else:
        raise AttributeError(f"module 'covalent_lab' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(ipython: Any) -> None:
    """Called by `%load_ext covalent_lab`: registers `%%covalent` and `%covalent`."""
    from covalent_lab.notebook.magics import load_ipython_extension as load  # only notebooks need it

    load(ipython)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "covalent-lab"}]
