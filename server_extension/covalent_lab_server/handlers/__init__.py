"""The routes: each handler parses its input, makes one call on the lab, and encodes the answer."""

__all__: list[str] = []
