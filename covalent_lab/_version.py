"""The version of this package; `labextension/package.json` carries the same one, and a test compares them."""

__all__ = ["__version__"]

__version__ = "0.1.0"
