"""The Jupyter server extension: the lab behind authenticated routes.

Decides how a Jupyter server starts, publishes and stops a lab; knows no workflow rule and never unpickles.
"""

from typing import Any

from covalent_lab._version import __version__

__all__ = ["__version__", "_jupyter_server_extension_points"]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell the Jupyter server which application to load."""
    from covalent_lab_server.app import CovalentLabApp  # heavy: imports tornado and jupyter_server

    return [{"module": "covalent_lab_server", "app": CovalentLabApp}]
