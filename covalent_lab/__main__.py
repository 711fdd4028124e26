"""`python -m covalent_lab`: the same as `covalent-lab`."""

from covalent_lab.cli.commands import main

if __name__ == "__main__":
    main()
