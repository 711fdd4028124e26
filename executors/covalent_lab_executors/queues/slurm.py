"""Slurm: what its scripts and commands say. Pure."""

import posixpath
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from covalent_lab_executors.queues.script import directive
from covalent_lab_executors.queues.system import JobState, Order, QueueSystem, Seen, StatusError

__all__ = ["SlurmSystem"]

_STATES = {
    **dict.fromkeys(
        ("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"),
        JobState.QUEUED,
    ),
    "COMPLETED": JobState.COMPLETED,
    **dict.fromkeys(("FAILED", "LAUNCH_FAILED", "RECONFIG_FAIL"), JobState.FAILED),
    **dict.fromkeys(("CANCELLED", "REVOKED"), JobState.CANCELLED),
    **dict.fromkeys(("TIMEOUT", "DEADLINE"), JobState.TIMEOUT),
    "OUT_OF_MEMORY": JobState.OUT_OF_MEMORY,
    **dict.fromkeys(("NODE_FAIL", "BOOT_FAIL"), JobState.NODE_FAIL),
    "PREEMPTED": JobState.PREEMPTED,
}
"""All others, also those of later versions, mean that the job is on its nodes."""
_UNKNOWN_JOB = "Invalid job id specified"
_SHORT = {"output": "o", "error": "e", "chdir": "D", "job-name": "J"}


class SlurmSystem(QueueSystem):
    """Slurm, from version 20."""

    title: ClassVar[str] = "Slurm"
    script_prefix: ClassVar[str] = "slurm"
    index_variable: ClassVar[str] = "SLURM_ARRAY_TASK_ID"
    redirects: ClassVar[bool] = False
    path_option: ClassVar[str] = "slurm_path"

    def directives(self, order: Order) -> Sequence[str]:
        """`#SBATCH` lines: those of the user, then ours that they did not give."""
        given = dict(order.options.get("options") or {})
        element = "-%a" if order.indices else ""
        ours = {
            "parsable": "",
            "chdir": order.folder,
            "job-name": order.job_name,
            "output": f"{order.folder}/stdout-{order.stem}{element}.log",
            "error": f"{order.folder}/stderr-{order.stem}{element}.log",
        }
        if order.indices:
            ours["array"] = ",".join(map(str, order.indices))
        missing = {name: value for name, value in ours.items() if name not in given and _SHORT.get(name) not in given}
        return [directive("#SBATCH", name, value) for name, value in {**given, **missing}.items()]

    def launch(self, options: Mapping[str, Any], command: str) -> str:
        """By `srun`, unless `use_srun` is off."""
        if not options.get("use_srun", True):
            return command
        srun = " ".join(["srun", *(directive("", name, v) for name, v in (options.get("srun_options") or {}).items())])
        return " \\\n".join(filter(None, [srun, str(options.get("srun_append") or ""), command]))

    def streams(self, order: Order, job_id: str, index: int | None) -> tuple[str, str]:
        """As given in `options`, with the commonest patterns filled in; standard error goes where output does."""
        given = order.options.get("options") or {}
        name = str(given.get("job-name") or given.get("J") or order.job_name)
        filled = {"%": "%", "j": job_id, "A": job_id, "a": str(index or 0), "x": name}

        def path(option: str, short: str, otherwise: str) -> str:
            found = given.get(option) or given.get(short)
            if not found:
                return otherwise
            text = re.sub(r"%([%jAax])", lambda match: filled[match[1]], str(found))
            return posixpath.join(str(given.get("chdir") or given.get("D") or order.folder), text)

        out, err = super().streams(order, job_id, index)
        return path("output", "o", out), path("error", "e", err)

    def submit(self, script: str) -> str:
        """`sbatch`."""
        return f"sbatch {script}"

    def read_id(self, said: str) -> str:
        """The first number."""
        found = re.search(r"\d+", said)
        return found[0] if found else ""

    def ask_scripts(self) -> str:
        """`squeue`, which knows the paths of scripts."""
        return "squeue -h -t all -u \"$(id -un)\" -o '%F|%o'"

    def read_script(self, status: int, out: str, err: str, script: str) -> str:
        """A line a job: id, and path of the script."""
        if status:
            raise StatusError(err.strip() or f"squeue ended with {status}")
        found = (line.strip().partition("|") for line in out.splitlines())
        return next((job_id for job_id, _, path in found if path == script), "")

    def ask(self, job_ids: Sequence[str]) -> str:
        """`squeue`, which knows ended jobs for some minutes."""
        return f"squeue -h -r -t all -j {','.join(job_ids)} -o '%F|%K|%T|%r'"

    def read_states(self, status: int, out: str, err: str) -> Mapping[str, Seen]:
        """A line a job or element: id, index, state and reason."""
        if status and _UNKNOWN_JOB not in err:
            raise StatusError(err.strip() or f"squeue ended with {status}")
        found = {}
        for line in out.splitlines():
            parts = line.strip().split("|")
            if len(parts) == 4:
                job_id, index, state, reason = parts
                key = f"{job_id}_{index}" if index.isdigit() else job_id
                found[key] = _seen(state, reason)
        return found

    def ask_history(self, job_ids: Sequence[str]) -> str:
        """`sacct`, where there is accounting."""
        return f"sacct -n -P -X -j {','.join(job_ids)} -o JobID,State,ExitCode"

    def read_history(self, status: int, out: str, err: str) -> Mapping[str, Seen]:
        """A line a job or element: id, state, which may name who cancelled it, and exit code."""
        found = {}
        for line in out.splitlines():
            parts = line.strip().split("|")
            if len(parts) == 3:
                found[parts[0]] = _seen(parts[1], f"exit code {parts[2]}")
        return found

    def cancel(self, elements: Sequence[str]) -> str:
        """`scancel`."""
        return f"scancel {shlex.join(elements)}"

    def survey(self) -> str:
        """`sinfo`."""
        return "sinfo -h -o '%P|%a|%D|%T|%l'"

    def read_survey(self, status: int, out: str, err: str) -> Mapping[str, str]:
        """A line for each partition and state of nodes: name (the default one with a star), up or down, and so on."""
        if status:
            raise StatusError(err.strip() or f"sinfo ended with {status}")
        found: dict[str, list[str]] = {}
        limits: dict[str, str] = {}
        for line in out.splitlines():
            parts = line.strip().split("|")
            if len(parts) == 5:
                name, state, nodes, word, limit = parts
                found.setdefault(name, [state]).append(f"{nodes} {word}")
                limits[name] = limit
        return {
            name.removesuffix("*") + (" (default)" if name.endswith("*") else ""): f"{', '.join(words)}; at most "
            f"{'any time' if limits[name] == 'infinite' else limits[name]}"
            for name, words in found.items()
        }

    def setup(self, options: Mapping[str, Any]) -> str:
        """`slurm_path` at the end of PATH; without it, the module `slurm` if the commands are not there."""
        return super().setup(options) or "command -v sbatch >/dev/null || module load slurm >/dev/null 2>&1"


def _seen(state: str, reason: str) -> Seen:
    word, _, by = state.partition(" ")
    said = f"{state.lower()}" if by else ("" if reason == "None" else reason)
    return Seen(state=_STATES.get(word, JobState.RUNNING), reason=said)
