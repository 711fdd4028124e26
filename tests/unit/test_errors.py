"""Errors cross processes and carry stable codes."""

import copy
import inspect
import pickle

import pytest

from covalent_lab import errors
from covalent_lab.errors import LabError
from covalent_lab.scheduler.scheduler import InvalidEventError

CLASSES = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, LabError)]
BUILT: dict[type[LabError], LabError] = {c: c("something went wrong") for c in CLASSES}
BUILT |= {
    errors.MissingLatticeRecordError: errors.MissingLatticeRecordError("abc"),
    errors.UnknownExecutorError: errors.UnknownExecutorError("slurmy", ("local", "slurm")),
    errors.ServerUnreachableError: errors.ServerUnreachableError("http://127.0.0.1:1", "refused"),
    errors.ServerRejectedError: errors.ServerRejectedError("no", 418),
    InvalidEventError: InvalidEventError("impossible"),
}


@pytest.mark.parametrize("error", BUILT.values(), ids=[c.__name__ for c in BUILT])
@pytest.mark.parametrize("through", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy])
def test_an_error_survives_pickling_with_all_its_fields(error: LabError, through: object) -> None:
    """Same class, message, code and fields on the other side."""
    assert callable(through)
    back = through(error)
    assert type(back) is type(error)
    assert (str(back), back.code, back.transient, back.__dict__) == (
        str(error),
        error.code,
        error.transient,
        error.__dict__,
    )


def test_codes_are_unique() -> None:
    """A code in JSON names one class."""
    codes = [c.code for c in BUILT]
    assert len(set(codes)) == len(codes)


def test_everything_public_is_listed() -> None:
    """`__all__` and the classes are the same."""
    named = [*(c.__name__ for c in CLASSES), "GraphBuildWarning"]
    assert sorted(named) == sorted(name for name in errors.__all__ if name[0].isupper())


@pytest.mark.parametrize("error", BUILT.values(), ids=[c.__name__ for c in BUILT])
def test_a_message_is_one_line(error: LabError) -> None:
    """Toolbars and log lines show it whole."""
    assert str(error)
    assert "\n" not in str(error)


def test_the_three_families_do_not_overlap() -> None:
    """An error is the caller's, the task's or the backend's."""
    families = (errors.UsageError, errors.TaskError, errors.BackendError, errors.InternalError)
    for kind in CLASSES:
        assert sum(issubclass(kind, family) for family in families) <= 1


def test_well_known_python_families_are_kept() -> None:
    """Code that catches built-in errors keeps working."""
    assert issubclass(errors.ResultTimeoutError, TimeoutError)
    assert issubclass(errors.ServerUnreachableError, ConnectionError)
    assert issubclass(errors.SerializationError, TypeError)


def test_an_unknown_executor_is_told_which_are_known() -> None:
    """The message lists the names, so that a slip of the pen is seen at once."""
    text = str(errors.UnknownExecutorError("slurmy", ("local", "slurm")))
    assert "'slurmy'" in text
    assert "local, slurm" in text


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_an_error_told_by_its_code_comes_back_as_its_class(kind: type[errors.LabError]) -> None:
    """This is how a client raises what its server raised."""
    told = errors.error_of_code(kind.code, "what happened")
    assert (type(told), str(told)) == (kind, "what happened")


def test_an_unknown_code_is_no_error_of_ours() -> None:
    """A newer server may know more."""
    assert errors.error_of_code("from the future", "…") is None
