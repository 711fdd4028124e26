"""What a queue system is to its executor: texts to send and texts to read. Pure: no files, processes or clock.

A subclass says how its system names things; `script.py` writes the rest of a batch script, `cluster.py` does the
talking.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

__all__ = ["JobState", "Order", "QueueSystem", "Seen", "StatusError"]


class JobState(StrEnum):
    """What a queue system says of a job; the last seven are final."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out of memory"
    NODE_FAIL = "node failed"
    PREEMPTED = "preempted"

    @property
    def is_final(self) -> bool:
        """Whether the job has ended."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One job in an answer.

    Attributes:
        state: Its state.
        reason: What the system says about it, in its own words; may be empty.
    """

    state: JobState
    reason: str = ""


class StatusError(ValueError):
    """The system did not answer the question, so nothing is known of any job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Everything a batch script depends on.

    Attributes:
        job_name: Of the batch job, unless `options` has one.
        folder: Working directory, absolute; all files of the job are there.
        runner: Path of `task.py`.
        stem: The part that the names of its files share.
        indices: Elements of an array; empty for a job of one task.
        options: The executor's option values.
        versions: Python, cloudpickle and covalent_lab of the workflow; empty if they are not to be compared.
    """

    job_name: str
    folder: str
    runner: str
    stem: str
    indices: Sequence[int] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    versions: Sequence[str] = ()


class QueueSystem(ABC):
    """One kind of queue system; has no state."""

    title: ClassVar[str]
    """As users call it."""
    script_prefix: ClassVar[str]
    """Beginning of the names of batch scripts."""
    index_variable: ClassVar[str] = ""
    """Environment variable with the index of an array's element; empty if arrays are not used."""

    redirects: ClassVar[bool] = True
    """Whether scripts enter the working directory and open the streams themselves, as the system does neither well."""
    patience: ClassVar[int] = 3
    """After how many answers in a row that do not name a job it is lost, unless its result is found."""
    path_option: ClassVar[str] = "commands_path"
    """The executor's option for the folder of the system's commands."""

    @abstractmethod
    def directives(self, order: Order) -> Sequence[str]:
        """The lines of a script that the system reads."""

    def launch(self, options: Mapping[str, Any], command: str) -> str:
        """The line that starts the task, by the user's launcher."""
        return " ".join(filter(None, [str(options.get("launcher") or ""), command]))

    def streams(self, order: Order, job_id: str, index: int | None) -> tuple[str, str]:
        """Paths of standard output and error of a job."""
        element = "" if index is None else f"-{index}"
        return (
            f"{order.folder}/stdout-{order.stem}{element}.log",
            f"{order.folder}/stderr-{order.stem}{element}.log",
        )

    @abstractmethod
    def submit(self, script: str) -> str:
        """Shell command that submits a script; `script` is quoted already."""

    @abstractmethod
    def read_id(self, said: str) -> str:
        """The job's id in the answer to `submit`; empty if there is none."""

    def ask_scripts(self) -> str:
        """Shell command that tells which scripts the account's jobs have; empty if there is none."""
        return ""

    def read_script(self, status: int, out: str, err: str, script: str) -> str:
        """The id of the job that has a script, by its path; empty if none has.

        Raises:
            StatusError: It did not answer.
        """
        return ""

    def element(self, job_id: str, index: int | None) -> str:
        """How an element of an array is called in answers and orders."""
        return job_id if index is None else f"{job_id}_{index}"

    @abstractmethod
    def ask(self, job_ids: Sequence[str]) -> str:
        """Shell command that asks about jobs, ended ones included as far as the system remembers them."""

    @abstractmethod
    def read_states(self, status: int, out: str, err: str) -> Mapping[str, Seen]:
        """States of the known jobs, by `element`; jobs it does not know are left out.

        Raises:
            StatusError: It did not answer.
        """

    def ask_history(self, job_ids: Sequence[str]) -> str:
        """Shell command that asks for jobs which `ask` does not find; empty if there is none."""
        return ""

    def read_history(self, status: int, out: str, err: str) -> Mapping[str, Seen]:
        """As `read_states`; a system that keeps no history knows nobody."""
        return {}

    @abstractmethod
    def cancel(self, elements: Sequence[str]) -> str:
        """Shell command that ends jobs."""

    def survey(self) -> str:
        """Shell command that tells which partitions or queues there are; empty if there is none."""
        return ""

    def read_survey(self, status: int, out: str, err: str) -> Mapping[str, str]:
        """What is known of each partition or queue, by name, as people read it.

        Raises:
            StatusError: The system did not answer.
        """
        return {}

    def setup(self, options: Mapping[str, Any]) -> str:
        """Shell line that makes the system's commands available, if they need that."""
        path = str(options.get(self.path_option) or "")
        return f'export PATH="$PATH:{path}"' if path else ""
