"""What dependencies do where a task runs. Pickled by value: each function imports what it needs by itself."""

from collections.abc import Callable, Sequence

from covalent_lab.workflow.standalone import standalone

__all__ = ["install_packages", "provide_module", "run_commands"]


def _run_commands(commands: Sequence[str]) -> None:
    import shutil
    import subprocess
    import sys
    import tempfile

    for command in commands:
        sys.stdout.flush()
        # files, because a pipe would have to be read until the last process in the background has closed it
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            code = subprocess.call(
                command,
                shell=True,
                executable=shutil.which("bash"),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
            out.seek(0)
            err.seek(0)
            said = err.read().decode("utf-8", "replace")
            sys.stdout.write(out.read().decode("utf-8", "replace"))
        sys.stderr.write(said)
        if code:
            reason = " | ".join(said.split("\n")[-20:]).strip(" |") or "it printed no reason"
            raise RuntimeError(f"DepsBash: the command {command!r} ended with exit status {code}: {reason}")


def _install_packages(packages: Sequence[str], requirements: str) -> None:  # noqa: PLR0915 - travels as one function
    import contextlib
    import fcntl
    import hashlib
    import importlib
    import importlib.metadata
    import json
    import os
    import platform
    import shutil
    import subprocess
    import sys

    def is_there(lines: list[str]) -> bool:
        with contextlib.suppress(Exception):  # no pip, another pip, or nothing a plain requirement says: let pip decide
            from pip._vendor.packaging.requirements import Requirement

            for line in lines:
                wanted = Requirement(line)
                if wanted.marker is not None and not wanted.marker.evaluate():
                    continue
                version = importlib.metadata.version(wanted.name)
                if wanted.url or wanted.extras or not wanted.specifier.contains(version, prereleases=True):
                    return False
            return True
        return False

    lines = [line.partition(" #")[0].strip() for line in requirements.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if is_there([*packages, *lines]):
        return
    here = []  # folders and files may change under the same name
    for entry in [*packages, *lines]:
        if os.path.exists(entry):
            paths = [entry, *(os.path.join(top, name) for top, _, names in os.walk(entry) for name in names)]
            stamps = [(path, os.stat(path).st_mtime_ns, os.stat(path).st_size) for path in paths]
            here.append((os.path.abspath(entry), sorted(stamps)))
    key = json.dumps([list(packages), lines, here, sys.executable, platform.python_version(), platform.machine()])
    root = os.environ.get("COVALENT_CACHE_DIR") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "covalent_lab"
    )
    target = os.path.join(os.path.abspath(root), "packages", hashlib.sha256(key.encode()).hexdigest()[:40])
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # given back by the system, however this process ends
        if not os.path.isdir(target):
            part = target + ".part"
            shutil.rmtree(part, ignore_errors=True)
            command = [sys.executable, "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
            command += ["--target", part, *packages]
            if lines:
                with open(target + ".txt", "w", encoding="utf-8") as file:
                    file.write(requirements)
                command += ["-r", target + ".txt"]
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
            said = done.stderr.decode("utf-8", "replace")
            sys.stdout.write(done.stdout.decode("utf-8", "replace"))
            sys.stderr.write(said)
            if done.returncode:
                shutil.rmtree(part, ignore_errors=True)
                reasons = [line for line in said.splitlines() if "ERROR" in line] or said.splitlines()[-20:]
                wanted = ", ".join([*packages, *lines])
                raise RuntimeError(f"DepsPip: cannot install {wanted}: {' | '.join(reasons) or 'pip gave no reason'}")
            os.makedirs(part, exist_ok=True)
            os.replace(part, target)
    provided = {entry.partition(".")[0] for entry in os.listdir(target)}
    provided -= {"cloudpickle", *sys.stdlib_module_names}  # what the worker itself stands on
    for name in list(sys.modules):
        if name.partition(".")[0] in provided:
            del sys.modules[name]
    sys.path.insert(0, target)
    importlib.invalidate_caches()


def _provide_module(name: str, digest: str, archive: bytes) -> None:
    import fcntl
    import importlib
    import io
    import os
    import shutil
    import sys
    import zipfile

    root = os.environ.get("COVALENT_CACHE_DIR") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "covalent_lab"
    )
    target = os.path.join(os.path.abspath(root), "modules", digest)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(target):
            part = target + ".part"
            shutil.rmtree(part, ignore_errors=True)
            with zipfile.ZipFile(io.BytesIO(archive)) as content:
                content.extractall(part)
            os.replace(part, target)
    top = name.partition(".")[0]
    for known in list(sys.modules):
        if known.partition(".")[0] == top:
            del sys.modules[known]
    sys.path.insert(0, target)
    importlib.invalidate_caches()
    try:
        importlib.import_module(name)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise ImportError(f"DepsModule: {name!r} was brought along, but cannot be imported: {reason}") from error


run_commands: Callable[..., None] = standalone(_run_commands)
install_packages: Callable[..., None] = standalone(_install_packages)
provide_module: Callable[..., None] = standalone(_provide_module)
