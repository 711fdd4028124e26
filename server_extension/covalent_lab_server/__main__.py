"""`python -m covalent_lab_server`: the server that `covalent-lab start` starts."""

import sys

from covalent_lab_server.headless import main

if __name__ == "__main__":
    sys.exit(main())
