"""A real Slurm cluster of one node on loopback, for the account that runs the tests: munged, slurmctld and slurmd.

It offers more processors than the machine may have, so that jobs run side by side; it tracks processes without control
groups, which a container may not make; and its intervals are short.
"""

import getpass
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.backends.service import Service, serving

__all__ = ["SlurmCluster", "slurm_cluster"]

CONFIG = """
ClusterName=lab
SlurmctldHost={node}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
SchedulerParameters=bf_interval=1,sched_interval=1,sched_min_interval=100000,batch_sched_delay=0
KillWait=1
CompleteWait=0
InactiveLimit=0
SlurmdTimeout=15
AccountingStorageType=accounting_storage/none
NodeName={node} NodeAddr=127.0.0.1 CPUs=8 RealMemory=4096 State=UNKNOWN
PartitionName=debug Nodes={node} Default=YES MaxTime=60 DefMemPerCPU=256 OverSubscribe=NO State=UP
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlurmCluster:
    """How the cluster is reached.

    Attributes:
        config: Path of its configuration; commands find it by the variable SLURM_CONF.
        restart: Stops the controller, as for maintenance, and starts it again.
    """

    config: Path
    restart: Callable[[], None]

    def say(self, *command: str) -> str:
        """What a command of Slurm prints."""
        env = {**os.environ, "SLURM_CONF": str(self.config)}
        return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout


@contextmanager
def slurm_cluster(folder: Path, munged: str, slurmctld: str, slurmd: str) -> Iterator[SlurmCluster]:
    """Run a cluster until the block ends.

    Args:
        folder: For its state; short, as a socket is in it.
        munged: Absolute path of the program.
        slurmctld: Likewise.
        slurmd: Likewise.
    """
    node = socket.gethostname().partition(".")[0]
    for name in ("state", "spool"):
        (folder / name).mkdir()
    folder.chmod(0o755)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    config = folder / "slurm.conf"
    config.write_text(CONFIG.format(node=node, user=getpass.getuser(), folder=folder, ports=ports))
    env = {"SLURM_CONF": str(config)}
    files = ("key-file", "socket", "pid-file", "seed-file")
    own = [f"--{name}={folder}/munge.{name.partition('-')[0]}" for name in files]
    with ExitStack() as stack:
        stack.enter_context(serving([munged, "--foreground", "--force", *own], "Created . work threads"))
        controller = Service([slurmctld, "-D", "-v", "-f", str(config)], "Running as primary controller", env)
        stack.callback(controller.stop)
        controller.start()
        stack.enter_context(serving([slurmd, "-D", "-v", "-f", str(config), "-N", node], "slurmd started", env))

        def restart() -> None:
            controller.stop()
            controller.start()

        yield SlurmCluster(config=config, restart=restart)
