"""The configuration file: its keys, who overrides them, and how it is read and written."""

__all__: list[str] = []
