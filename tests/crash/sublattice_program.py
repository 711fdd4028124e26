"""Submits nested sublattices under a given id and waits: `python sublattice_program.py ID`.

Tells on standard output how far it is, and at the end the result as JSON. It is killed and started again by the test
beside it.
"""

import json
import sys
import time

import covalent_lab as ct
from covalent_lab.client.connection import connect
from covalent_lab.workflow.bundle import write_bundle


@ct.electron
def pause(number):
    """Take a moment."""
    time.sleep(0.02)
    return number


@ct.electron
def total(values):
    """Depend on all of them."""
    return sum(values)


@ct.electron
@ct.lattice
def tree(depth, width):
    """A sublattice in each sublattice, beside ordinary tasks."""
    below = [tree(depth - 1, width) for _ in range(width)] if depth else []
    return total([pause(1), *below])


@ct.lattice
def forest(depth, width):
    """The root."""
    return tree(depth, width)


def main(dispatch_id):
    """Run it, however often somebody else has begun it."""
    forest.build_graph(3, 2)
    bundle = write_bundle(forest, dispatch_id)
    connect().submit(bundle)
    print("submitted", flush=True)
    result = ct.get_result(dispatch_id, wait=True, timeout=200)
    print(json.dumps({"status": str(result.status), "result": result.result, "error": result.error}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
