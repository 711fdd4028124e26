"""An environment in which nobody has installed the aliases yet."""

from collections.abc import Iterator

import pytest

from covalent_lab import compat


@pytest.fixture
def installed() -> Iterator[None]:
    """`import covalent` means this package, in this test only."""
    compat.install()
    yield
    compat.uninstall()
