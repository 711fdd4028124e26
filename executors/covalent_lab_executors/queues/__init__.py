"""Executors of queue systems: tasks become batch jobs of a cluster."""

from covalent_lab_executors.queues.executors import LSFExecutor, PBSExecutor, SGEExecutor
from covalent_lab_executors.queues.slurm_executor import SlurmExecutor

__all__ = ["LSFExecutor", "PBSExecutor", "SGEExecutor", "SlurmExecutor"]
