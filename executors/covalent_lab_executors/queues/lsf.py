"""LSF: what its scripts and commands say. Pure."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import ClassVar

from covalent_lab_executors.queues.script import plain_directives
from covalent_lab_executors.queues.system import JobState, Order, QueueSystem, Seen, StatusError

__all__ = ["LSFSystem"]

_STATES = {
    **dict.fromkeys(("PEND", "PSUSP", "WAIT", "PROV"), JobState.QUEUED),
    "DONE": JobState.COMPLETED,
    "EXIT": JobState.FAILED,
}
"""All others mean that the job is on its hosts, or that nobody can tell."""
_REASONS = {
    "TERM_RUNLIMIT": JobState.TIMEOUT,
    "TERM_CPULIMIT": JobState.TIMEOUT,
    "TERM_DEADLINE": JobState.TIMEOUT,
    "TERM_WINDOW": JobState.TIMEOUT,
    "TERM_MEMLIMIT": JobState.OUT_OF_MEMORY,
    "TERM_SWAP": JobState.OUT_OF_MEMORY,
    "TERM_PREEMPT": JobState.PREEMPTED,
    "TERM_LOAD": JobState.PREEMPTED,
    "TERM_ZOMBIE": JobState.NODE_FAIL,
    "TERM_OWNER": JobState.CANCELLED,
    "TERM_FORCE_OWNER": JobState.CANCELLED,
    "TERM_ADMIN": JobState.CANCELLED,
    "TERM_FORCE_ADMIN": JobState.CANCELLED,
}


class LSFSystem(QueueSystem):
    """LSF, from version 10.1."""

    title: ClassVar[str] = "LSF"
    script_prefix: ClassVar[str] = "lsf"

    def directives(self, order: Order) -> Sequence[str]:
        """`#BSUB` lines; jobs are not run again by themselves."""
        ours = {"J": order.job_name, "rn": "", "o": "/dev/null", "e": "/dev/null"}
        return plain_directives("#BSUB", order, ours, quotes=True)

    def submit(self, script: str) -> str:
        """`bsub`, which reads directives from its standard input only."""
        return f"bsub < {script}"

    def read_id(self, said: str) -> str:
        """The number in `Job <17> is submitted to queue <normal>.`"""
        found = re.search(r"Job <(\d+)>", said)
        return found[1] if found else ""

    def ask(self, job_ids: Sequence[str]) -> str:
        """`bjobs`, which knows ended jobs for an hour."""
        return f"bjobs -a -json -o 'jobid stat exit_code exit_reason' {shlex.join(job_ids)}"

    def read_states(self, status: int, out: str, err: str) -> Mapping[str, Seen]:
        """A record a job; one that is not there has an error instead of a state."""
        try:
            records = json.loads(out, strict=False)["RECORDS"]
            return {str(record["JOBID"]): _seen(record) for record in records if "STAT" in record}
        except (ValueError, KeyError, TypeError) as error:
            if "is not found" in err:
                return {}
            raise StatusError(err.strip() or f"the answer of bjobs cannot be read: {error}") from error

    def cancel(self, elements: Sequence[str]) -> str:
        """`bkill`."""
        return f"bkill {shlex.join(elements)}"


def _seen(record: Mapping[str, str]) -> Seen:
    state, said = _STATES.get(record["STAT"], JobState.RUNNING), record.get("EXIT_REASON", "")
    code = record.get("EXIT_CODE", "")
    if state is JobState.FAILED:
        state = _REASONS.get(said.partition(":")[0].strip(), state)
    reasons = [said, f"exit code {code}" if code not in ("", "0") else ""]
    return Seen(state=state, reason="; ".join(filter(None, reasons)) if state.is_final else "")
