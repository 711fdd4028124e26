"""What notebooks show: see README.md in this folder. Names are loaded on first use."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from covalent_lab.notebook.widget import watch

__all__ = ["watch"]


def __getattr__(name: str) -> Any:
    if name != "watch":
        raise AttributeError(f"module 'covalent_lab.notebook' has no attribute {name!r}")
    from covalent_lab.notebook.widget import watch  # heavy: brings ipywidgets along

    return watch
