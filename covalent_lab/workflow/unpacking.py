"""How many targets `a, b = electron` has: read from the bytecode of the frame that unpacks.

Python tells an iterator nothing about its consumer, but the interrupted instruction of the calling frame does.
"""

import opcode
from dataclasses import dataclass
from types import CodeType

__all__ = ["Consumer", "consumer_at"]

_EXTENDED_ARG = opcode.opmap["EXTENDED_ARG"]


@dataclass(frozen=True, slots=True)
class Consumer:
    """The instruction that iterates.

    Attributes:
        instruction: Its name, e.g. `UNPACK_SEQUENCE`.
        argument: Its argument; for `UNPACK_SEQUENCE` the number of targets.
    """

    instruction: str
    argument: int

    @property
    def target_count(self) -> int | None:
        """Number of plain targets; None if this is not a plain unpacking."""
        return self.argument if self.instruction == "UNPACK_SEQUENCE" else None

    @property
    def has_star_target(self) -> bool:
        """Whether this is `a, *b = …`."""
        return self.instruction == "UNPACK_EX"


def consumer_at(code: CodeType, last_instruction: int) -> Consumer:
    """The instruction at a frame's `f_lasti`.

    `co_code` holds the original instructions, whatever the interpreter specialised or a debugger instrumented. Inline
    caches are zeros there, so an EXTENDED_ARG just before an instruction always belongs to it.
    """
    raw = code.co_code
    argument = raw[last_instruction + 1]
    shift = 8
    place = last_instruction - 2
    while place >= 0 and raw[place] == _EXTENDED_ARG:
        argument |= raw[place + 1] << shift
        shift += 8
        place -= 2
    return Consumer(opcode.opname[raw[last_instruction]], argument)
