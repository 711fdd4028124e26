"""Grid Engine (SGE, UGE, Altair): what its scripts and commands say. Pure."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar
from xml.etree import ElementTree

from covalent_lab_executors.queues.script import plain_directives
from covalent_lab_executors.queues.system import JobState, Order, QueueSystem, Seen, StatusError

__all__ = ["SGESystem"]

_OVER_LIMIT = "37"
_NOBODY = ("", "NONE")


class SGESystem(QueueSystem):
    """`qstat` tells of jobs until they end, `qacct` of those that have ended, some seconds later."""

    title: ClassVar[str] = "Grid Engine"
    script_prefix: ClassVar[str] = "sge"
    patience: ClassVar[int] = 12

    def directives(self, order: Order) -> Sequence[str]:
        """`#$` lines; jobs are not run again by themselves."""
        ours = {"N": order.job_name, "S": "/bin/bash", "r": "n", "o": "/dev/null", "e": "/dev/null"}
        return plain_directives("#$", order, ours)

    def submit(self, script: str) -> str:
        """`qsub`, which is to say the id only."""
        return f"qsub -terse {script}"

    def read_id(self, said: str) -> str:
        """The number."""
        found = re.search(r"^\d+", said.strip(), re.MULTILINE)
        return found[0] if found else ""

    def ask(self, job_ids: Sequence[str]) -> str:
        """`qstat`, which tells of all of the user's jobs."""
        return "qstat -xml"

    def read_states(self, status: int, out: str, err: str) -> Mapping[str, Seen]:
        """An element a job; `E` in its state means that it will never run."""
        try:
            jobs = list(ElementTree.fromstring(out).iter("job_list"))
        except ElementTree.ParseError as error:
            raise StatusError(err.strip() or f"the answer of qstat cannot be read: {error}") from error
        return {job.findtext("JB_job_number", ""): _seen(job.findtext("state", "")) for job in jobs}

    def ask_history(self, job_ids: Sequence[str]) -> str:
        """`qacct`, once a job."""
        return f"for job in {shlex.join(job_ids)}; do qacct -j $job; done"

    def read_history(self, status: int, out: str, err: str) -> Mapping[str, Seen]:
        """A line a field, and a line of `=` before each job."""
        return {fields["jobnumber"]: _ended(fields) for fields in _accounts(out) if "jobnumber" in fields}

    def cancel(self, elements: Sequence[str]) -> str:
        """`qdel`."""
        return f"qdel {shlex.join(elements)}"


def _seen(letters: str) -> Seen:
    if "E" in letters:
        return Seen(state=JobState.FAILED, reason=f"state {letters}: see `qstat -explain E`, and delete it with qdel")
    is_queued = letters.endswith(("qw", "q", "wq"))
    return Seen(state=JobState.QUEUED if is_queued else JobState.RUNNING)


def _accounts(out: str) -> Iterator[dict[str, str]]:
    for block in re.split(r"^=+$", out, flags=re.MULTILINE):
        pairs = (line.split(None, 1) for line in block.splitlines() if line.strip())
        yield {pair[0]: pair[1].strip() if len(pair) == 2 else "" for pair in pairs}


def _ended(fields: Mapping[str, str]) -> Seen:
    failed, code = fields.get("failed", "0"), fields.get("exit_status", "0").split()[0]
    number, _, said = (part.strip() for part in failed.partition(":"))
    reason = "; ".join(filter(None, [said, f"exit status {code}" if code != "0" else ""]))
    if fields.get("deleted_by", "") not in _NOBODY:
        return Seen(state=JobState.CANCELLED, reason=reason)
    if number == _OVER_LIMIT:
        return Seen(state=JobState.TIMEOUT, reason=reason)
    return Seen(state=JobState.COMPLETED if (number, code) == ("0", "0") else JobState.FAILED, reason=reason)
