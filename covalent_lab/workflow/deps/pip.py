"""Packages that a task needs."""

import os
from collections.abc import Sequence

from covalent_lab.workflow.deps.deps import Deps, texts
from covalent_lab.workflow.deps.remote import install_packages

__all__ = ["DepsPip"]


class DepsPip(Deps):
    """Packages that are installed with pip where the task runs, just before it.

    They are for this task only: another task on the same worker may ask for other versions. A set is installed once per
    machine and interpreter. Nothing is installed if what is there already satisfies all of it.

    Attributes:
        packages: Requirements, as on pip's command line.
        reqs_path: Where the requirements file was read.
        requirements_content: What it says.
    """

    def __init__(
        self,
        packages: str | Sequence[str] = [],
        reqs_path: str | os.PathLike[str] = "",
    ) -> None:
        """Hold requirements.

        Args:
            packages: Requirements, as on pip's command line.
            reqs_path: A requirements file, read now: its content travels, in addition to `packages`.

        Raises:
            TypeError: `packages` is neither a string nor a list of strings.
            OSError: The file cannot be read.
        """
        self.packages = texts(packages, "DepsPip", "packages")
        self.reqs_path = os.fspath(reqs_path)
        self.requirements_content = ""
        if self.reqs_path:
            with open(self.reqs_path, encoding="utf-8") as file:
                self.requirements_content = file.read()
        super().__init__(install_packages, [self.packages, self.requirements_content])
