"""Runs one task of a batch job, where the queue system starts it.

It is copied to the cluster beside `worker.py` and `worker_surroundings.py`, and needs nothing else of the package.

`task.py JOB RESULT BEGUN`: JOB is a frame in the form of `worker.py` (`>IQ`, lengths of the next two; control, JSON;
body) with the `step` to run. BEGUN gets the time at which it begins, RESULT the frame of its answer, or of
`{"died": exit code}`. The task is a child process: streams are the batch job's own, and a crash is reported.

Where an MPI launcher starts several of it, all run the task, and only the first leaves a result.

`task.py check PYTHON CLOUDPICKLE PACKAGE` compares versions; an empty one is not compared.
"""

import io
import json
import os
import signal
import struct
import sys
import time
import traceback
from typing import Any

__all__ = ["check", "run"]

_FRAME = struct.Struct(">IQ")
_RANKS = ("SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK")
_PYTHON, _PACKAGE, _CLOUDPICKLE = 199, 299, 399


def check(python: str, cloudpickle: str, package: str) -> int:
    """Compare what is here with what the workflow was written with.

    Args:
        python: Major and minor version.
        cloudpickle: Version.
        package: Version of covalent_lab; tasks do not need it here, but if it is here, it must be that one.

    Returns:
        0, or the exit status of the batch job.
    """
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if python and here != python:
        return _refused(_PYTHON, "Python", here, python, "Choose a conda environment or python_path with it")
    from importlib import metadata

    try:
        found = metadata.version("cloudpickle")
    except metadata.PackageNotFoundError:
        found = "missing"
    if found == "missing" or (cloudpickle and found != cloudpickle):
        advice = f"Install it: {sys.executable} -m pip install cloudpickle=={cloudpickle}"
        return _refused(_CLOUDPICKLE, "cloudpickle", found, cloudpickle, advice)
    try:
        found = metadata.version("covalent-lab")
    except metadata.PackageNotFoundError:
        return 0
    if package and found != package:
        advice = f"Install it: {sys.executable} -m pip install covalent-lab=={package}"
        return _refused(_PACKAGE, "covalent-lab", found, package, advice)
    return 0


def _refused(status: int, what: str, found: str, wanted: str, advice: str) -> int:
    sys.stderr.write(
        f"{what} is {found} on the compute node, but the workflow was written with {wanted}. {advice}, or set "
        "ignore_versions.\n"
    )
    return status


def run(job: str, result: str, begun: str) -> None:
    """Run a task, and leave its result."""
    is_first = all(os.environ.get(name, "0") == "0" for name in _RANKS)
    pid = os.fork()
    if not pid:
        try:
            if is_first:
                _write(begun, [repr(time.time()).encode()])
            _task(job, result if is_first else os.devnull)
        except BaseException:  # noqa: BLE001  the last that is left of this process is what it prints
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCONT):
        signal.signal(number, signal.SIG_IGN)  # the task gets it as well, and this process ends with it
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if is_first and not os.path.exists(result):
        _write(result, _frame({"died": code}))


def _task(job: str, result: str) -> None:
    import faulthandler

    import worker  # type: ignore[import-not-found]
    from worker_surroundings import LoadedCode, Surroundings  # type: ignore[import-not-found]

    class Unkept(Surroundings):  # type: ignore[misc]
        """The streams are files of the batch job: nothing is taken out of them."""

        def take(self, descriptor: int) -> bytes:
            return b""

    me = os.getpid()
    faulthandler.enable()
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") != here]
    sys.argv[:] = [""]
    with open(job, "rb") as file:
        frame = file.read()
    middle = _FRAME.size + _FRAME.unpack_from(frame)[0]
    step = json.loads(frame[_FRAME.size : middle].decode())["step"]
    surroundings = Unkept()
    for reply, output in worker._run_steps(
        step, io.BytesIO(frame[middle:]), surroundings, LoadedCode(worker.load_archive)
    ):
        if os.getpid() == me and result != os.devnull:  # else the task forked, and its child came back here
            reply["body"] = [len(output), 0, 0]
            _write(result, _frame(reply, output))


def _frame(control: "dict[str, Any]", body: bytes = b"") -> "list[bytes]":
    text = json.dumps(control).encode()
    return [_FRAME.pack(len(text), len(body)), text, body]


def _write(path: str, pieces: "list[bytes]") -> None:
    part = f"{path}.{os.getpid()}.part"
    with open(part, "wb") as file:
        file.writelines(pieces)
    os.replace(part, path)


if __name__ == "__main__":
    if sys.argv[1] == "check":
        sys.exit(check(*sys.argv[2:]))
    run(*sys.argv[1:])
