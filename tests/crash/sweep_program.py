"""Submits one sweep under a given id and waits for its result: `python sweep_program.py ID FOLDER COUNT`.

Tells on standard output how far it is, and at the end the result as JSON. Each task leaves a file of its own in FOLDER,
named after its node, before it does anything. It is killed and started again by the tests beside it.
"""

import json
import sys
import time
import uuid
from pathlib import Path

import covalent_lab as ct
from covalent_lab.client.connection import connect
from covalent_lab.workflow.bundle import write_bundle

BIG = bytes(range(256)) * 1_000


def leave_trace(folder):
    """Prove that this task began to run."""
    node = ct.get_context().task_id
    Path(folder, f"{node}-{uuid.uuid4().hex}").touch()


@ct.electron
def point(folder, number, data):
    """Take a moment; every fifth result is too large for the database."""
    leave_trace(folder)
    time.sleep(0.03)
    return data if number % 5 == 0 else data[number : number + 10]


@ct.electron
def measure(folder, number, data):
    """Depend on one point."""
    leave_trace(folder)
    return number, len(data), data[0]


@ct.electron
def collect(folder, found):
    """Depend on all of them."""
    leave_trace(folder)
    return [list(item) for item in found]


@ct.lattice
def sweep(folder, count, data):
    """Points, their measures, and all together."""
    return collect(folder, [measure(folder, n, point(folder, n, data)) for n in range(count)])


def main(dispatch_id, folder, count):
    """Run the sweep, however often somebody else has begun it."""
    tell("building")
    sweep.build_graph(folder, count, BIG)
    bundle = write_bundle(sweep, dispatch_id)
    tell("connecting")
    connection = connect()
    tell("submitting")
    connection.submit(bundle)
    tell("submitted")
    result = ct.get_result(dispatch_id, wait=True, timeout=200)
    tell(json.dumps({"status": str(result.status), "result": result.result, "error": result.error}))


def tell(line):
    """Say something to the test at once."""
    print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
