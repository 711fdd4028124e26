"""The program of `task_process.py`: runs one call, in the folder's file `call`, and leaves `output` or `failure`."""

import sys
import traceback
from pathlib import Path

from covalent_lab import payload, worker_surroundings
from covalent_lab.workflow.transportable import TransportableObject

__all__: list[str] = []


def _main(folder: Path, lifeline: int) -> int:
    worker_surroundings.end_with(lifeline)
    try:
        function, args, kwargs = payload.decode(payload.open_file(str(folder / "call")))
        output = TransportableObject.make_transportable(function(*args, **kwargs)).serialize()
    except BaseException:  # noqa: BLE001 - user code: SystemExit and KeyboardInterrupt included
        trace = traceback.format_exc()
        sys.stderr.write(trace)
        (folder / "failure").write_text(trace, encoding="utf-8")
        return 1
    (folder / "output").write_bytes(output)
    return 0


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1]), int(sys.argv[2])))
