"""Shell commands before a task."""

from collections.abc import Sequence

from covalent_lab.workflow.deps.deps import Deps, texts
from covalent_lab.workflow.deps.remote import run_commands

__all__ = ["DepsBash"]


class DepsBash(Deps):
    """Shell commands that run where the task runs, just before it.

    Each has a shell of its own and no standard input; what it prints becomes part of the task's output. One that fails
    fails the task, with its message.

    Attributes:
        commands: The commands, in order.
    """

    def __init__(self, commands: str | Sequence[str] = []) -> None:
        """Hold commands.

        Args:
            commands: One command or several.

        Raises:
            TypeError: It is neither a string nor a list of strings.
        """
        self.commands = texts(commands, "DepsBash", "commands")
        super().__init__(run_commands, [self.commands])
