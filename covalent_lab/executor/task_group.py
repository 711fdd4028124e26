"""What the job of an executor with managed execution may run: the tasks of a group, from files and to files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from covalent_lab import worker
from covalent_lab.executor.managed import ResourceMap, TaskSpec, TaskUpdate, local_path
from covalent_lab.executor.task import enter_task, io_wrapper, wrapper_fn
from covalent_lab.workflow.transportable import TransportableObject

__all__ = ["run_task_group"]

_FILES = {"output": "results.tobj", "stdout": "stdout.log", "stderr": "stderr.log"}


def run_task_group(
    task_specs: Sequence[TaskSpec | Mapping[str, Any]],
    resources: ResourceMap | Mapping[str, Any],
    results_dir: str,
    task_group_metadata: Mapping[str, Any],
    output_uris: Sequence[tuple[str, str, str]] | None = None,
) -> list[TaskUpdate]:
    """Run tasks one after the other in this process, and leave what they return and print as files.

    For the program that `send` of an executor starts: its arguments are those of `send`, or what JSON made of them.
    After each task a file `result-{dispatch_id}-{node}.json` in `results_dir` says how it ended, in the form of a
    `TaskUpdate`. The process should be one of its own, since what a task changes in it stays.

    Args:
        task_specs: The tasks, each after those whose outputs it takes.
        resources: Where their pickled functions and inputs are: paths, or `file://` URIs.
        results_dir: Folder of the results; made if need be.
        task_group_metadata: With the `dispatch_id`.
        output_uris: Files of output, standard output and standard error of each task; default: below `results_dir`, in
            `node_{node}/`.

    Returns:
        How each task ended. One that raised (`SystemExit` included) has FAILED, with its traceback in its standard
        error; one that needs its output did not run, and is CANCELLED.

    Raises:
        BackendError: A URI leads elsewhere than to a file of this machine.
        AttributeError, TypeError, KeyError, ValueError: The arguments are not what is said above.
        OSError: A result cannot be written.

    Example:
        >>> resources = {"functions": {0: function.as_uri()}, "inputs": {}, "hooks": {}}  # doctest: +SKIP
        >>> run_task_group([TaskSpec(electron_id=0)], resources, "results", {"dispatch_id": "d"})  # doctest: +SKIP
    """
    specs, found, folder = list(map(TaskSpec.of, task_specs)), ResourceMap.of(resources), Path(results_dir).absolute()
    dispatch_id = str(task_group_metadata["dispatch_id"])
    if output_uris is None:
        nodes = [folder / f"node_{spec.electron_id}" for spec in specs]
        targets = [{key: node / name for key, name in _FILES.items()} for node in nodes]
    else:
        targets = [dict(zip(_FILES, map(local_path, uris), strict=True)) for uris in output_uris]
    files = {node: local_path(uri) for node, uri in found.inputs.items()}
    results = [folder / f"result-{dispatch_id}-{spec.electron_id}.json" for spec in specs]
    for result in results:
        result.unlink(missing_ok=True)  # of an earlier attempt
    missing: set[int] = set()
    updates = []
    for spec, target, result in zip(specs, targets, results, strict=True):
        node, status = spec.electron_id, "CANCELLED"
        if missing.isdisjoint((*spec.args, *spec.kwargs.values())):
            status = _run(spec, found, files, dispatch_id, target)
        written = target if status == "COMPLETED" else {key: target[key] for key in target if key != "output"}
        assets = {} if status == "CANCELLED" else {key: {"remote_uri": path.as_uri()} for key, path in written.items()}
        if status == "COMPLETED":
            files[node] = target["output"]
        else:
            missing.add(node)
        updates.append(TaskUpdate(dispatch_id=dispatch_id, node_id=node, status=status, assets=assets))
        _write(result, json.dumps(asdict(updates[-1])).encode("utf-8"))
    return updates


def _run(
    spec: TaskSpec, resources: ResourceMap, files: Mapping[int, Path], dispatch_id: str, target: Mapping[str, Path]
) -> str:
    node = spec.electron_id

    def task() -> bytes:
        enter_task(dispatch_id, node)
        hooks = json.loads(local_path(resources.hooks[node]).read_bytes()) if node in resources.hooks else {}
        output = wrapper_fn(
            _read(local_path(resources.functions[node])),
            worker.hooks_before(hooks),
            list(hooks.get("call_after") or ()),
            *(_read(files[number]) for number in spec.args),
            **{name: _read(files[number]) for name, number in spec.kwargs.items()},
        )
        return output.serialize()

    output, out, err, _ = io_wrapper(task, (), {})
    _write(target["stdout"], out.encode("utf-8"))
    _write(target["stderr"], err.encode("utf-8"))
    if output is None:
        return "FAILED"
    _write(target["output"], output)
    return "COMPLETED"


def _read(path: Path) -> TransportableObject:
    found: TransportableObject = TransportableObject.deserialize(path.read_bytes())
    return found


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: somebody may wait for the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(data)
    new.replace(path)
