"""The command line: see README.md in this folder."""

__all__: list[str] = []
