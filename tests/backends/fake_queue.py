"""Queue systems for tests: programs named sbatch, qsub, bsub and so on, which run scripts and answer as real ones do.

    fake_queue.py FOLDER SYSTEM COMMAND ARGUMENTS...

Each job is a folder of small files: `state` (waiting, running, ended), `status` (of its script, once it has ended),
`fate` (why it was stopped), `group` (its processes). Four jobs run at a time. Standard library only.
"""

import contextlib
import fcntl
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["COMMANDS", "FakeQueue"]

COMMANDS = {
    "slurm": ("sbatch", "squeue", "sacct", "scancel", "sinfo", "srun"),
    "pbs": ("qsub", "qstat", "qdel"),
    "torque": ("qsub", "qstat", "qdel"),
    "lsf": ("bsub", "bjobs", "bkill"),
    "sge": ("qsub", "qstat", "qacct", "qdel"),
}
_SLOTS, _GRACE_S = 4, 1
_SUBMIT = ("sbatch", "qsub", "bsub")
_MARKS = {"slurm": "#SBATCH", "pbs": "#PBS", "torque": "#PBS", "lsf": "#BSUB", "sge": "#$"}

# How each system tells of a job that was stopped for a reason.
_SLURM = {"cancel": "CANCELLED", "time": "TIMEOUT", "memory": "OUT_OF_MEMORY", "node": "NODE_FAIL", "room": "PREEMPTED"}
_PBS = {
    "cancel": (271, 91, "Job run at Sun Nov 22 at 09:00 and failed"),
    "time": (-29, 93, "job killed: walltime 62 exceeded limit 60"),
    "memory": (-27, 93, "job killed: mem 1048576kb exceeded limit 102400kb"),
}
_TORQUE = {"cancel": 271, "time": -11, "memory": -10}
_LSF = {
    "cancel": "TERM_OWNER: job killed by owner",
    "time": "TERM_RUNLIMIT: job killed after reaching LSF run time limit",
    "memory": "TERM_MEMLIMIT: job killed after reaching LSF memory usage limit",
    "room": "TERM_PREEMPT: job killed after preemption",
}
_SGE = {"time": "37  : qmaster enforced h_rt, h_cpu, or h_vmem limit", "cancel": "100 : assumedly after job"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeQueue:
    """A queue system in a folder.

    Attributes:
        folder: Where everything is.
        system: A key of `COMMANDS`.
    """

    folder: Path
    system: str

    @property
    def programs(self) -> Path:
        """The folder for PATH."""
        return self.folder / "bin"

    def install(self) -> None:
        """Write the programs."""
        self.programs.mkdir(parents=True)
        (self.folder / "jobs").mkdir()
        for command in COMMANDS[self.system]:
            words = [sys.executable, "-S", os.path.abspath(__file__), str(self.folder), self.system, command]
            program = self.programs / command
            program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
            program.chmod(0o755)

    # For tests

    def jobs(self) -> list[str]:
        """Ids of all jobs, in order."""
        return [path.name for path in self._paths()]

    def stop(self, job_id: str, fate: str) -> None:
        """End a job as the system itself does, for a reason: cancel, time, memory, node, room."""
        path = self.folder / "jobs" / job_id
        with self._lock():
            state = _read(path, "state")
            if state == "ended" or _read(path, "fate"):
                return
            _write(path, "fate", fate)
            if state == "waiting":
                _write(path, "state", "ended")
                return
        group = int(_read(path, "group"))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL if fate == "node" else signal.SIGTERM)
            later = f"(sleep {_GRACE_S}; kill -9 -{group}) >/dev/null 2>&1 </dev/null &"
            subprocess.run(["sh", "-c", later], check=True, start_new_session=True)

    def forget(self, job_id: str) -> None:
        """Know nothing of a job any more."""
        path = self.folder / "jobs" / job_id
        path.rename(self.folder / f"forgotten-{job_id}")

    def asked(self) -> list[str]:
        """All command lines."""
        return _read(self.folder, "asked").splitlines()

    def when_asked(self, more: int) -> list[str]:
        """Wait until so many more commands came; returns them."""
        before = len(self.asked())
        while len(self.asked()) < before + more:
            time.sleep(0.01)
        return self.asked()[before:]

    def when_submitting(self) -> None:
        """Wait until something was to be submitted."""
        while not any(line.partition(" ")[0] in _SUBMIT for line in self.asked()):
            time.sleep(0.01)

    def when_ended(self, job_id: str) -> None:
        """Wait until a job has ended."""
        while _read(self.folder / "jobs" / job_id, "state") != "ended":
            time.sleep(0.01)

    def set_down(self, is_down: bool) -> None:
        """Whether the server of the system is down."""
        (self.folder / "down").touch() if is_down else (self.folder / "down").unlink()

    @contextlib.contextmanager
    def holding(self):  # type: ignore[no-untyped-def]
        """Let orders to submit wait until the block ends."""
        gate = self.folder / "gate"
        os.mkfifo(gate)
        try:
            yield
        finally:
            gate.rename(self.folder / "open gate")
            with (self.folder / "open gate").open("w"):
                pass

    # The programs

    def main(self, command: str, arguments: Sequence[str]) -> int:
        """Be one of them."""
        with (self.folder / "asked").open("a") as file:
            file.write(shlex.join([command, *arguments]) + "\n")
        if (self.folder / "down").exists():
            print(f"{command}: cannot contact the server", file=sys.stderr)
            return 1
        if command in _SUBMIT:
            with contextlib.suppress(FileNotFoundError):
                (self.folder / "gate").read_text()
            return self._submit(arguments)
        if command in ("scancel", "qdel", "bkill"):
            for job_id in arguments:
                name = job_id.partition(".")[0]
                if (self.folder / "jobs" / name).exists():
                    self.stop(name, "cancel")
            return 0
        if command == "srun":
            os.execvp(arguments[0], list(arguments))
        told = getattr(self, f"_{self.system}_{command}")(list(arguments))
        return int(told)

    def _submit(self, arguments: Sequence[str]) -> int:
        path = next((word for word in arguments if not word.startswith("-")), "")
        script = Path(path).read_text() if path else sys.stdin.read()
        given = _directives(script, _MARKS[self.system])
        if "refused" in (given.get("partition"), given.get("q")):
            print(f"{arguments[:1] or 'bsub'}: unknown queue", file=sys.stderr)
            return 1
        with self._lock():
            number = len(self._paths()) + len(list(self.folder.glob("forgotten-*"))) + 1
            indices = given.get("array", "").split(",") if "array" in given else [""]
            names = [f"{number}_{index}" if index else str(number) for index in indices]
            for name, index in zip(names, indices, strict=True):
                job = self.folder / "jobs" / name
                job.mkdir()
                streams = [given.get(stream, "/dev/null").replace("%a", index) for stream in ("output", "error")]
                for key, text in {
                    "script": script,
                    "path": path,
                    "index": index,
                    "streams": "\n".join(streams),
                }.items():
                    _write(job, key, text)
                _write(job, "state", "waiting")
        subprocess.Popen(
            [sys.executable, "-S", os.path.abspath(__file__), str(self.folder), self.system, "spool", *names],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        said = {"slurm": number, "sge": number, "lsf": f"Job <{number}> is submitted to default queue <normal>."}
        print(said.get(self.system, f"{number}.lab"))
        return 0

    def spool(self, names: Sequence[str]) -> None:
        """Run jobs, each when a slot is free."""
        threads = [threading.Thread(target=self._run, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _run(self, name: str) -> None:
        job = self.folder / "jobs" / name
        slot = (self.folder / f"slot-{sum(map(int, re.findall('[0-9]+', name))) % _SLOTS}").open("w")
        fcntl.flock(slot, fcntl.LOCK_EX)
        with slot:
            index = _read(job, "index")
            out, err = _read(job, "streams").splitlines()
            with self._lock(), Path(out).open("ab") as stdout, Path(err).open("ab") as stderr:
                if _read(job, "state") != "waiting":
                    return
                number = name.partition("_")[0]
                env = {"SLURM_JOB_ID": number, "SLURM_ARRAY_TASK_ID": index} if self.system == "slurm" else {}
                process = subprocess.Popen(
                    ["bash", str(job / "script")],
                    env={**os.environ, **env},
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                    start_new_session=True,
                )
                _write(job, "group", str(process.pid))
                _write(job, "state", "running")
            status = process.wait()
            with contextlib.suppress(ProcessLookupError):
                while _read(job, "fate"):  # what ignores the signal is killed soon
                    os.killpg(process.pid, 0)
                    time.sleep(0.05)
            with self._lock(), contextlib.suppress(FileNotFoundError):
                _write(job, "status", str(status))
                _write(job, "state", "ended")

    def _paths(self) -> list[Path]:
        paths = (self.folder / "jobs").iterdir()
        return sorted(paths, key=lambda path: [int(part) for part in path.name.split("_")])

    @contextlib.contextmanager
    def _lock(self):  # type: ignore[no-untyped-def]
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _known(self, job_ids: Sequence[str]) -> list[Path]:
        numbers = {job_id.partition(".")[0] for job_id in job_ids}
        return [path for path in self._paths() if path.name.partition("_")[0] in numbers]

    # Slurm

    def _slurm_squeue(self, arguments: list[str]) -> int:
        if "-u" in arguments:
            for path in self._paths():
                print(f"{path.name.partition('_')[0]}|{_read(path, 'path')}")
            return 0
        asked = arguments[arguments.index("-j") + 1].split(",")
        known = self._known(asked)
        if not known and len(asked) == 1:
            print("slurm_load_jobs error: Invalid job id specified", file=sys.stderr)
            return 1
        for path in known:
            number, _, index = path.name.partition("_")
            state, reason = _slurm_state(path)
            print(f"{number}|{index or 'N/A'}|{state}|{reason}")
        return 0

    def _slurm_sacct(self, arguments: list[str]) -> int:
        print("Slurm accounting storage is disabled", file=sys.stderr)
        return 1

    def _slurm_sinfo(self, arguments: list[str]) -> int:
        print("normal*|up|1|idle|infinite")
        return 0

    # PBS Professional and Torque

    def _pbs_qstat(self, arguments: list[str]) -> int:
        if "--version" in arguments:
            print("pbs_version = 23.06.06")
            return 0
        asked = [word for word in arguments if word[0].isdigit()]
        known = self._known(asked)
        report = {"timestamp": 1795339007, "pbs_version": "23.06.06", "pbs_server": "lab", "Jobs": {}}
        report["Jobs"] = {f"{path.name}.lab": _pbs_job(path) for path in known}
        if not known:
            del report["Jobs"]
        print(json.dumps(report, indent=4))
        for job_id in asked[len(known) :]:
            print(f"qstat: Unknown Job Id {job_id}", file=sys.stderr)
        return 153 if len(known) < len(asked) else 0

    def _torque_qstat(self, arguments: list[str]) -> int:
        if "--version" in arguments:
            print("Version: 6.1.2\nCommit: 661e092552de43a785c15d39a3634a541d86898e", file=sys.stderr)
            return 0
        asked = [word for word in arguments if word[0].isdigit()]
        known = self._known(asked)
        if len(known) < len(asked):
            print("qstat: Unknown Job Id Error", file=sys.stderr)
        if known:
            jobs = "".join(f"<Job><Job_Id>{path.name}.lab</Job_Id>{_torque_job(path)}</Job>" for path in known)
            print(f"<Data>{jobs}</Data>")
        return 153 if len(known) < len(asked) else 0

    # LSF

    def _lsf_bjobs(self, arguments: list[str]) -> int:
        asked = [word for word in arguments if word.isdigit()]
        known = {path.name: path for path in self._known(asked)}
        records = [
            {"JOBID": job_id, **_lsf_job(known[job_id])}
            if job_id in known
            else {"JOBID": job_id, "ERROR": f"Job <{job_id}> is not found"}
            for job_id in asked
        ]
        print(json.dumps({"COMMAND": "bjobs", "JOBS": len(records), "RECORDS": records}, indent=2))
        return 0

    # Grid Engine

    def _sge_qstat(self, arguments: list[str]) -> int:
        lists = {"queue_info": "", "job_info": ""}
        for path in self._paths():
            state = _read(path, "state")
            if state == "ended":
                continue
            letters, kind = ("r", "running") if state == "running" else ("qw", "pending")
            lists["queue_info" if state == "running" else "job_info"] += (
                f'<job_list state="{kind}"><JB_job_number>{path.name}</JB_job_number><JAT_prio>0.55500</JAT_prio>'
                f"<JB_name>covalent</JB_name><state>{letters}</state><slots>1</slots></job_list>"
            )
        body = "".join(f"<{name}>{text}</{name}>" for name, text in lists.items())
        print(f"<?xml version='1.0'?>\n<job_info>{body}</job_info>")
        return 0

    def _sge_qacct(self, arguments: list[str]) -> int:
        (path, *_) = self._known(arguments[1:]) or [None]
        if path is None or _read(path, "state") != "ended":
            print(f"error: job id {arguments[1]} not found", file=sys.stderr)
            return 1
        fate, status = _read(path, "fate"), _read(path, "status")
        code = int(status or 0)
        fields = {
            "qname": "all.q",
            "jobnumber": path.name,
            "taskid": "undefined",
            "failed": _SGE.get(fate, "0"),
            "deleted_by": "ada@lab" if fate == "cancel" else "NONE",
            "exit_status": f"{128 - code} (Killed)" if code < 0 else code,
        }
        print("=" * 62)
        print("\n".join(f"{name:<12} {value}" for name, value in fields.items()))
        return 0


def _slurm_state(path: Path) -> tuple[str, str]:
    state, fate = _read(path, "state"), _read(path, "fate")
    if state != "ended":
        return {"waiting": ("PENDING", "Resources"), "running": ("RUNNING", "None")}[state]
    if fate:
        return _SLURM[fate], "None"
    return ("COMPLETED", "None") if _read(path, "status") == "0" else ("FAILED", "NonZeroExitCode")


def _pbs_job(path: Path) -> dict[str, object]:
    state, fate, status = _read(path, "state"), _read(path, "fate"), _read(path, "status")
    job: dict[str, object] = {"Job_Name": "covalent-0-disp", "Job_Owner": "ada@lab", "server": "lab"}
    if state != "ended":
        letter = "Q" if state == "waiting" else "R"
        return {**job, "job_state": letter, "substate": 10 if letter == "Q" else 42}
    code, substate, comment = _PBS.get(fate, (int(status or 0), 92, "Job run at Sun Nov 22 at 09:00 and finished"))
    return {**job, "job_state": "F", "substate": substate, "comment": comment, "Exit_status": code}


def _torque_job(path: Path) -> str:
    state, fate, status = _read(path, "state"), _read(path, "fate"), _read(path, "status")
    if state != "ended":
        letter = "Q" if state == "waiting" else "R"
        return f"<Job_Name>covalent-0-disp</Job_Name><job_state>{letter}</job_state>"
    return f"<job_state>C</job_state><exit_status>{_TORQUE.get(fate, int(status or 0))}</exit_status>"


def _lsf_job(path: Path) -> dict[str, str]:
    state, fate, status = _read(path, "state"), _read(path, "fate"), _read(path, "status")
    if state != "ended":
        return {"STAT": "PEND" if state == "waiting" else "RUN", "EXIT_CODE": "", "EXIT_REASON": ""}
    if not fate and status == "0":
        return {"STAT": "DONE", "EXIT_CODE": "", "EXIT_REASON": ""}
    return {"STAT": "EXIT", "EXIT_CODE": status or "130", "EXIT_REASON": _LSF.get(fate, "")}


def _directives(script: str, mark: str) -> dict[str, str]:
    """Long ones by name, short ones by letter."""
    found = {}
    for line in script.splitlines():
        if line.startswith(f"{mark} "):
            (word, *rest) = shlex.split(line[len(mark) :])
            name, _, value = word.lstrip("-").partition("=")
            found[name] = value or " ".join(rest)
    return found


def _read(path: Path, name: str) -> str:
    with contextlib.suppress(FileNotFoundError):
        return (path / name).read_text()
    return ""


def _write(path: Path, name: str, text: str) -> None:
    part = path / f"{name}.part"
    part.write_text(text)
    part.replace(path / name)


if __name__ == "__main__":
    queue = FakeQueue(folder=Path(sys.argv[1]), system=sys.argv[2])
    if sys.argv[3] == "spool":
        queue.spool(sys.argv[4:])
    else:
        sys.exit(queue.main(sys.argv[3], sys.argv[4:]))
