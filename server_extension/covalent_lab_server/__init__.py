"""The Jupyter server extension: the lab behind authenticated routes.

Decides how a Jupyter server starts, publishes and stops a lab; knows no workflow rule and never unpickles.
"""

from importlib import metadata
from typing import Any

__all__ = ["_jupyter_server_extension_points"]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell the Jupyter server which application to load."""
    from covalent_lab_server.app import CovalentLabApp  # heavy: imports tornado and jupyter_server

    return [{"module": "covalent_lab_server", "app": CovalentLabApp}]


def __getattr__(name: str) -> Any:
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return metadata.version("covalent-lab")
    except metadata.PackageNotFoundError:  # running from a source tree that was never installed
        return "unknown"
