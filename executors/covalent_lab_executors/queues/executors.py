"""The executors `pbs`, `lsf` and `sge`, which differ in their system only."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from covalent_lab.executor.base import Option, ShortName
from covalent_lab_executors.queues.executor import COMMON_OPTIONS, QueueExecutor
from covalent_lab_executors.queues.lsf import LSFSystem
from covalent_lab_executors.queues.pbs import PBSSystem
from covalent_lab_executors.queues.sge import SGESystem
from covalent_lab_executors.queues.system import QueueSystem

__all__ = ["LSFExecutor", "PBSExecutor", "PlainQueueExecutor", "SGEExecutor"]


class PlainQueueExecutor(QueueExecutor):
    """What the three have in common; use one of them."""

    options: ClassVar[tuple[Option, ...]] = (
        *COMMON_OPTIONS,
        Option(name="commands_path", default="", doc="Folder of the queue system's commands, if not on the PATH."),
        Option(name="launcher", default="", doc="Command in front of Python, as `mpiexec -n 4`."),
    )

    def __init__(
        self,
        username: str | None = None,
        address: str | None = None,
        ssh_key_file: str | None = None,
        cert_file: str | None = None,
        remote_workdir: str | None = None,
        commands_path: str | None = None,
        conda_env: str | None = None,
        cache_dir: str | None = None,
        options: Mapping[str, Any] | None = None,
        launcher: str | None = None,
        prerun_commands: Sequence[str] | None = None,
        postrun_commands: Sequence[str] | None = None,
        poll_freq: int | None = None,
        cleanup: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """Hold option values; those that are not given come from the executor's section of the configuration.

        Args:
            username: See `options`, as for all others.
            address: See `options`.
            ssh_key_file: See `options`.
            cert_file: See `options`.
            remote_workdir: See `options`.
            commands_path: See `options`.
            conda_env: See `options`.
            cache_dir: See `options`.
            options: See `options`.
            launcher: See `options`.
            prerun_commands: See `options`.
            postrun_commands: See `options`.
            poll_freq: See `options`.
            cleanup: See `options`.
            kwargs: The other options; unknown ones are ignored with a warning.
        """
        given = {name: value for name, value in locals().items() if name not in ("self", "kwargs", "__class__")}
        super().__init__(**given, **kwargs)


class PBSExecutor(PlainQueueExecutor):
    """Runs tasks as jobs of PBS Professional, OpenPBS or Torque.

    ct.executor.PBSExecutor("ada", "login.cluster.org", "~/.ssh/id_ed25519", options={"l": ["select=1:ncpus=4"]})
    """

    short_name: ClassVar[ShortName] = ShortName("pbs")
    system: ClassVar[QueueSystem] = PBSSystem()


class LSFExecutor(PlainQueueExecutor):
    """Runs tasks as jobs of LSF.

    ct.executor.LSFExecutor("ada", "login.cluster.org", "~/.ssh/id_ed25519", options={"q": "normal", "W": "1:00"})
    """

    short_name: ClassVar[ShortName] = ShortName("lsf")
    system: ClassVar[QueueSystem] = LSFSystem()


class SGEExecutor(PlainQueueExecutor):
    """Runs tasks as jobs of Grid Engine.

    ct.executor.SGEExecutor("ada", "login.cluster.org", "~/.ssh/id_ed25519", options={"pe": "smp 4"})
    """

    short_name: ClassVar[ShortName] = ShortName("sge")
    system: ClassVar[QueueSystem] = SGESystem()
