"""A real IPython shell, driven as a notebook drives it."""

import pytest
from IPython.core.interactiveshell import InteractiveShell  # noqa: TID253  this is about IPython


class Notebook:
    """Runs cells as a notebook does."""

    def __init__(self, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
        self.shell = shell
        self._capsys = capsys
        self.error: BaseException | None = None
        self.out = self.err = ""

    def run(self, *cells: str):
        """Run cells; returns the last one's value, and leaves its `error`, `out` and `err`."""
        for cell in cells:
            self._capsys.readouterr()
            done = self.shell.run_cell(cell, store_history=True)
            self.error = done.error_before_exec or done.error_in_exec
            self.out, self.err = self._capsys.readouterr()
        return done.result

    def __getitem__(self, name: str):
        return self.shell.user_ns[name]

    def __contains__(self, name: str) -> bool:
        return name in self.shell.user_ns
