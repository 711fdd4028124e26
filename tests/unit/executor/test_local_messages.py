"""What worker processes are told, and how their answers are read."""

import json
from typing import Any

import pytest
from covalent_lab_executors.local_messages import (
    FunctionShelf,
    Placement,
    decode_answer,
    encode_job,
    encode_message,
    explain_death,
)

from covalent_lab.executor.base import JobSpec, JobStatus, NewPayload, Outcome, PayloadSource, TaskFailure, Usage
from covalent_lab.ids import AttemptId, DispatchId, NodeId, PayloadRef

PLACE = Placement(
    workdir="/w", inline_limit=10, payload_dir="/p", part="/p/x.part", stop="/w/stop", cache_dir="/c", note="careful"
)


def inline(data: bytes) -> PayloadSource:
    """A payload with its bytes."""
    return PayloadSource(ref=PayloadRef(data.decode(), len(data)), data=data)


def spec(**fields: Any) -> JobSpec:
    """A job; `fields` replace or add to the usual ones."""
    usual: dict[str, Any] = {
        "attempt_id": AttemptId("d:4:2"),
        "dispatch_id": DispatchId("d"),
        "node_id": NodeId(4),
        "attempt": 2,
        "name": "fit",
        "function": inline(b"function"),
    }
    return JobSpec(**{**usual, **fields})


def test_job_message_lists_payloads_in_the_order_of_its_body() -> None:
    """Bytes are referred to by length, files by path; the function comes first."""
    path = PayloadSource(ref=PayloadRef("file", 99), path="/p/fi/file")
    job = spec(args=(inline(b"one"), path), kwargs={"k": inline(b"three")}, env={"A": "b"}, hooks={"deps": {}})

    control, body = encode_job(job, PLACE, FunctionShelf())

    assert body == [b"function", b"one", b"three"]
    tasks = json.loads(control["env"].pop("COVALENT_TASKS"))
    assert tasks == [{"electron_id": 4, "name": "fit", "attempt": 2}]
    assert json.loads(json.dumps(control)) == {
        "job": "d:4:2",
        "at": 0,
        "name": "fit",
        "function": ["function", 8],
        "forget": [],
        "args": [3, "/p/fi/file"],
        "kwargs": {"k": 5},
        "hooks": {"deps": {}},
        "env": {"COVALENT_DISPATCH_ID": "d", "COVALENT_TASK_ID": "4", "COVALENT_CACHE_DIR": "/c", "A": "b"},
        "folder": "",
        "workdir": "/w",
        "inline_limit": 10,
        "payload_dir": "/p",
        "part": "/p/x.part",
        "stop": "/w/stop",
        "note": "careful",
        "then": [],
    }


def test_function_is_sent_once() -> None:
    """The second job names the function only."""
    shelf = FunctionShelf()
    encode_job(spec(), PLACE, shelf)

    control, body = encode_job(spec(), PLACE, shelf)

    assert control["function"] == ["function", None]
    assert body == []


def test_later_steps_share_the_body() -> None:
    """Each says where its part begins; outputs of earlier steps are named; functions are sent once."""
    first = AttemptId("d:4:2")
    later = spec(
        attempt_id=AttemptId("d:5:1"),
        args=(PayloadSource(ref=PayloadRef("", 0), step=first), inline(b"key")),
    )
    third = spec(attempt_id=AttemptId("d:6:1"), function=inline(b"other"))

    control, body = encode_job(spec(args=(inline(b"one"),)), PLACE, FunctionShelf(), [(later, PLACE), (third, PLACE)])

    assert body == [b"function", b"one", b"key", b"other"]
    steps = [control, *control["then"]]
    assert [(step["job"], step["at"], step["function"], step["args"]) for step in steps] == [
        ("d:4:2", 0, ["function", 8], [3]),
        ("d:5:1", 11, ["function", None], [{"step": "d:4:2"}, 3]),
        ("d:6:1", 14, ["other", 5], []),
    ]


def test_what_all_jobs_of_a_message_say_alike_is_in_it_once() -> None:
    """Put together again, each job is what it was; a single one is left alone."""
    shelf = FunctionShelf()
    alone, other, third = (
        encode_job(spec(attempt_id=AttemptId(name), node_id=NodeId(number)), PLACE, shelf)[0]
        for number, name in enumerate("abc")
    )

    message = encode_message([other, third])

    assert [{**message["shared"], **job} for job in message["jobs"]] == [other, third]
    assert all(job.keys() == {"job", "env"} for job in message["jobs"])
    assert encode_message([alone]) == {"shared": {}, "jobs": [alone]}


def test_a_step_cannot_need_a_later_one() -> None:
    """Nor one of another job; the function is not put on the shelf."""
    shelf = FunctionShelf()
    needy = spec(args=(PayloadSource(ref=PayloadRef("", 0), step=AttemptId("d:5:1")),))

    with pytest.raises(ValueError, match="d:5:1 is not an earlier step"):
        encode_job(needy, PLACE, shelf, [(spec(attempt_id=AttemptId("d:5:1")), PLACE)])

    assert encode_job(spec(), PLACE, shelf)[0]["function"] == ["function", 8]


def test_payload_without_bytes_and_path_is_refused() -> None:
    """Before the worker is told anything, and without putting the function on its shelf."""
    shelf = FunctionShelf()
    with pytest.raises(ValueError, match="neither bytes nor a path"):
        encode_job(spec(args=(PayloadSource(ref=PayloadRef("x", 1)),)), PLACE, shelf)

    assert encode_job(spec(), PLACE, shelf)[0]["function"] == ["function", 8]


def test_shelf_forgets_what_was_not_used_for_longest() -> None:
    """By count and by size; the newest always stays."""
    shelf = FunctionShelf(max_count=2, max_size=100)
    assert shelf.use(PayloadRef("a", 10)) == (False, [])
    assert shelf.use(PayloadRef("b", 10)) == (False, [])
    assert shelf.use(PayloadRef("a", 10)) == (True, ())
    assert shelf.use(PayloadRef("c", 10)) == (False, ["b"])
    assert shelf.use(PayloadRef("huge", 1000)) == (False, ["a", "c"])
    assert shelf.use(PayloadRef("huge", 1000)) == (True, ())


def test_answer_with_output_is_an_outcome() -> None:
    """Output bytes, streams and times; undecodable bytes are replaced."""
    used = {"cpu_s": 0.5, "peak_memory": 9, "memory_growth": 1, "input_bytes": 2, "output_bytes": 3, "host": "h"}
    control = {"job": "x", "started": 1, "ended": 2.5, "output": ["ab", 3], "body": [3, 4, 1]}
    control["usage"] = {**used, "pid": 7}

    assert decode_answer(control, b"outtext\xff") == Outcome(
        status=JobStatus.COMPLETED,
        output=NewPayload(ref=PayloadRef("ab", 3), data=b"out"),
        stdout="text",
        stderr="\ufffd",
        started_at=1.0,
        ended_at=2.5,
        usage=Usage(**used, pid=7),  # type: ignore[arg-type]
    )


def test_answer_with_a_failure_is_an_outcome() -> None:
    """There is no output then."""
    failure = {"message": "ValueError: x", "is_user_error": True, "traceback": "Traceback"}
    control = {"job": "x", "started": 1, "ended": 2, "failure": failure, "body": [0, 0, 0]}

    assert decode_answer(control, b"") == Outcome(
        status=JobStatus.FAILED,
        failure=TaskFailure(message="ValueError: x", is_user_error=True, traceback="Traceback"),
        started_at=1.0,
        ended_at=2.0,
    )


@pytest.mark.parametrize(
    "change",
    [
        {"body": [1, 2]},
        {"body": [-1, 1, 0]},
        {"body": [9, 9, 9]},
        {"body": None},
        {"output": "ab"},
        {"started": "soon"},
        {"failure": {"message": "x"}},
        {"failure": 3},
        {"usage": {"cpu_s": 1}},
        {"usage": 3},
    ],
)
def test_malformed_answer_is_refused(change: dict[str, Any]) -> None:
    """Whatever a task may have written into the channel, only three kinds of error come out."""
    control = {"started": 1, "ended": 2, "output": ["ab", 0], "body": [0, 0, 0], **change}

    with pytest.raises((KeyError, TypeError, ValueError)):
        decode_answer(control, b"")


@pytest.mark.parametrize(
    ("code", "words"),
    [(3, "exit code 3"), (0, "exit code 0"), (-11, "SIGSEGV"), (-9, "memory"), (-15, "asked it to stop"), (-99, "99")],
)
def test_death_is_explained(code: int, words: str) -> None:
    """Exit code or signal, and what it usually means."""
    assert words in explain_death(code)
