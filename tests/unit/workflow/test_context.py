"""A task knows its dispatch and node."""

import pytest

from covalent_lab.workflow.context import Context, get_context


@pytest.mark.parametrize(
    ("dispatch_id", "task_id", "expected"),
    [
        ("d", "7", Context(dispatch_id="d", task_id=7)),
        ("", "7", Context()),
        ("d", "", Context()),
        ("d", "seven", Context()),
    ],
)
def test_the_environment_decides(
    dispatch_id: str, task_id: str, expected: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anything incomplete means: not in a task."""
    monkeypatch.setenv("COVALENT_DISPATCH_ID", dispatch_id)
    monkeypatch.setenv("COVALENT_TASK_ID", task_id)
    assert get_context() == expected


def test_outside_a_task_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both fields are None."""
    monkeypatch.delenv("COVALENT_DISPATCH_ID", raising=False)
    monkeypatch.delenv("COVALENT_TASK_ID", raising=False)
    assert get_context() == Context(dispatch_id=None, task_id=None)
