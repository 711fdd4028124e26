"""The executor `ssh`: tasks on another machine, by one pooled connection and a small agent that it copies there."""

from covalent_lab_executors.ssh.executor import SSHExecutor

__all__ = ["SSHExecutor"]
