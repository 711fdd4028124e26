"""What the options of a job mean: which host, as whom, with which Python. Pure but for a look at the key file."""

import hashlib
import os
import posixpath
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from covalent_lab.errors import BackendError
from covalent_lab_executors.ssh.login import Login, key_file

__all__ = ["DEFAULTS", "Target", "job_name", "remote_path"]

DEFAULTS: Mapping[str, Any] = {
    "ssh_key_file": "~/.ssh/id_rsa",
    "cache_dir": "",
    "python_path": "python",
    "conda_env": "",
    "remote_cache": ".cache/covalent",
    "remote_workdir": "covalent-workdir",
    "create_unique_workdir": False,
}
"""What an option is if neither argument nor configuration says so."""

_CONFIG = "~/.ssh/config"
_CONDA = """\
for place in "$CONDA_EXE" conda ~/miniforge3/bin/conda ~/miniconda3/bin/conda ~/anaconda3/bin/conda /opt/conda/bin/conda
do
    if [ -n "$place" ] && found=$(command -v "$place"); then
        eval "$("$found" shell.bash hook)" && conda activate {env} || exit 91
        exec {command}
    fi
done
echo "conda was not found" >&2
exit 91"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target(Login):
    """Everything that jobs on one connection share.

    Attributes:
        python: Interpreter there.
        conda_env: Conda environment that is activated before; empty for none.
        root: Folder there for jobs and payloads; relative to the login folder.
        workers: Most tasks at a time; 0 for the host's number of CPUs.
    """

    python: str
    conda_env: str
    root: str
    workers: int

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Read options.

        Raises:
            BackendError: There is no host name, no such key file, or a number is none.
        """
        values = {**DEFAULTS, **{name: value for name, value in options.items() if value not in (None, "")}}
        if not values.get("hostname"):
            raise BackendError("The SSH executor has no hostname. Give one, or set executors.ssh.hostname.")
        key = _key(options.get("ssh_key_file"))
        try:
            return cls(
                hostname=str(values["hostname"]),
                username=str(values.get("username") or ""),
                key=key,
                port=int(values["port"]) if values.get("port") else None,
                known_hosts=os.path.expanduser(str(values.get("known_hosts") or "")),
                proxy_jump=str(values.get("proxy_jump") or ""),
                python=str(values["python_path"]),
                conda_env=str(values["conda_env"]),
                root=remote_path(
                    str(options.get("remote_cache") or options.get("remote_dir") or values["remote_cache"])
                ),
                workers=int(values.get("workers") or 0),
                attempts=max(1, int(values.get("max_connection_attempts", 5)))
                if values.get("retry_connect", True)
                else 1,
                wait_s=max(0.0, float(values.get("retry_wait_time", 5))),
                alive_s=max(1.0, float(values.get("poll_freq", 15))),
            )
        except (TypeError, ValueError) as error:
            raise BackendError(f"An option of the SSH executor is not a number: {error}. Correct it.") from error

    def command(self, agent: str) -> str:
        """The command line that starts the agent; any login shell understands it."""
        python = "~/" + shlex.quote(self.python[2:]) if self.python.startswith("~/") else shlex.quote(self.python)
        call = f"{python} -u {shlex.quote(agent)} {shlex.quote(self.root)} {self.workers}"
        if not self.conda_env:
            return f"sh -c {shlex.quote(f'exec {call}')}"
        return f"bash -c {shlex.quote(_CONDA.format(env=shlex.quote(self.conda_env), command=call))}"


def _key(given: Any) -> str:
    usual = str(DEFAULTS["ssh_key_file"])
    if not given and not os.path.exists(os.path.expanduser(usual)) and os.path.exists(os.path.expanduser(_CONFIG)):
        return ""
    return key_file(str(given or usual), "executors.ssh.ssh_key_file")


def remote_path(path: str) -> str:
    """A remote path as both the file transfer and the agent understand it: absolute, or from the login folder."""
    return posixpath.normpath(path.removeprefix("~/"))


def job_name(attempt_id: str) -> str:
    """The folder of a job: readable, unique, and a plain name whatever the attempt is called."""
    readable = "".join(c if c.isalnum() or c in "-_" else "_" for c in attempt_id)[:80]
    return f"{readable}-{hashlib.sha256(attempt_id.encode()).hexdigest()[:12]}"
