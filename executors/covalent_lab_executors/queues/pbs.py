"""PBS Professional, OpenPBS and Torque: what their scripts and commands say. Pure."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from xml.etree import ElementTree

from covalent_lab_executors.queues.script import plain_directives
from covalent_lab_executors.queues.system import JobState, Order, QueueSystem, Seen, StatusError

__all__ = ["PBSSystem"]

_UNKNOWN_JOB, _NAME_LENGTH, _DELETED = "Unknown Job Id", 15, 91
_QUEUED, _ENDED = frozenset("HMQTW"), frozenset("CFX")
_LIMITS = {-29: JobState.TIMEOUT, -28: JobState.TIMEOUT, -27: JobState.OUT_OF_MEMORY, -26: JobState.OUT_OF_MEMORY}
_TORQUE_LIMITS = {-11: JobState.TIMEOUT, -12: JobState.TIMEOUT, -10: JobState.OUT_OF_MEMORY}
_SIGNALS = (256 + 15, 256 + 9)
"""Exit statuses of jobs that were deleted while they ran."""


class PBSSystem(QueueSystem):
    """Asks in JSON where `qstat` can, else, with Torque, in XML."""

    title: ClassVar[str] = "PBS"
    script_prefix: ClassVar[str] = "pbs"

    def directives(self, order: Order) -> Sequence[str]:
        """`#PBS` lines; jobs are not run again by themselves, and names are as short as old versions want them."""
        ours = {"N": order.job_name[:_NAME_LENGTH], "S": "/bin/bash", "r": "n", "o": "/dev/null", "e": "/dev/null"}
        return plain_directives("#PBS", order, ours)

    def submit(self, script: str) -> str:
        """`qsub`."""
        return f"qsub {script}"

    def read_id(self, said: str) -> str:
        """Number and server."""
        found = re.search(r"^\d+(\[\])?(\.\S+)?", said.strip(), re.MULTILINE)
        return found[0] if found else ""

    def ask(self, job_ids: Sequence[str]) -> str:
        """`qstat`, with ended jobs."""
        ids = shlex.join(job_ids)
        return (
            f"if qstat --version 2>&1 | grep -q pbs_version; then qstat -x -f -F json {ids}; else qstat -f -x {ids}; fi"
        )

    def read_states(self, status: int, out: str, err: str) -> Mapping[str, Seen]:
        """JSON of PBS, or XML of Torque."""
        try:
            found = _torque(out) if out.lstrip().startswith("<") else _pbs(out)
        except (ValueError, KeyError, ElementTree.ParseError) as error:
            raise StatusError(f"the answer of qstat cannot be read: {error}") from error
        if status and not found and _UNKNOWN_JOB not in err:
            raise StatusError(err.strip() or f"qstat ended with {status}")
        return found

    def cancel(self, elements: Sequence[str]) -> str:
        """`qdel`."""
        return f"qdel {shlex.join(elements)}"


def _pbs(out: str) -> dict[str, Seen]:
    jobs: Mapping[str, Mapping[str, Any]] = json.loads(out, strict=False).get("Jobs", {}) if out.strip() else {}
    found = {}
    for job_id, job in jobs.items():
        comment = str(job.get("comment", ""))
        code = int(job["Exit_status"]) if "Exit_status" in job else None
        is_deleted = int(job.get("substate", 0)) == _DELETED
        found[job_id] = _seen(str(job["job_state"]), code, comment, _LIMITS, is_deleted)
    return found


def _torque(out: str) -> dict[str, Seen]:
    found = {}
    for job in ElementTree.fromstring(out).iter("Job"):
        text = {child.tag: child.text or "" for child in job}
        code = int(text["exit_status"]) if "exit_status" in text else None
        found[text["Job_Id"]] = _seen(text["job_state"], code, text.get("comment", ""), _TORQUE_LIMITS, False)
    return found


def _seen(letter: str, code: int | None, comment: str, limits: Mapping[int, JobState], is_deleted: bool) -> Seen:
    if letter not in _ENDED:
        return Seen(state=JobState.QUEUED if letter in _QUEUED else JobState.RUNNING, reason=comment)
    reason = "; ".join(filter(None, [comment, "" if not code else f"exit status {code}"]))
    if is_deleted or code in _SIGNALS:
        return Seen(state=JobState.CANCELLED, reason=reason)
    if code is not None and code in limits:
        return Seen(state=limits[code], reason=reason)
    return Seen(state=JobState.COMPLETED if code == 0 else JobState.FAILED, reason=reason)
