"""One job from its submission to its end: over as many connections as it takes."""

import asyncio
import contextlib
import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from covalent_lab.errors import BackendError
from covalent_lab.executor.base import (
    ExecutorHost,
    JobSpec,
    JobStarted,
    JobStatus,
    Outcome,
    PayloadSource,
    TaskFailure,
)
from covalent_lab.ids import AttemptId
from covalent_lab_executors.local_messages import FunctionShelf, Placement, decode_answer, encode_job, explain_death
from covalent_lab_executors.outcomes import lost
from covalent_lab_executors.ssh.link import Link, News
from covalent_lab_executors.ssh.login import LinkLostError
from covalent_lab_executors.ssh.target import job_name, remote_path

__all__ = ["RemoteJob", "check_python"]


class RemoteJob:
    """What is known of a job here.

    Args:
        attempt_id: The job.
        spec: What to run; None if it was submitted before a restart.
        host: Told that it started.
        workdir: Its working directory on the remote host.
        do_cleanup: Whether its files there are deleted at the end.

    Attributes:
        is_cancelled: Whether somebody asked to stop it.
        was_sent: Whether the remote host may have it.
    """

    def __init__(
        self, *, attempt_id: AttemptId, spec: JobSpec | None, host: ExecutorHost, workdir: str, do_cleanup: bool
    ) -> None:
        self.attempt_id, self.spec = attempt_id, spec
        self.is_cancelled = False
        self.was_sent = spec is None
        self._name = job_name(attempt_id)
        self._host, self._workdir, self._do_cleanup = host, workdir, do_cleanup
        self._started_at: float | None = None
        self._link: Link | None = None
        self._questions = itertools.count()
        self._asked: dict[int, asyncio.Future[bytes]] = {}

    async def play(self, link: Link) -> Outcome:
        """Bring the job there unless it is, and wait for its end.

        Raises:
            LinkLostError: The connection broke before the end; play it again on another.
            BackendError: Its files cannot be moved.
        """
        inbox = link.inbox(self._name)
        try:
            if self.spec is None:
                await link.send({"do": "watch", "job": self._name})
            else:
                spec = await self._staged(self.spec, link, inbox)
                if self.is_cancelled and not self.was_sent:
                    return Outcome(status=JobStatus.CANCELLED)
                control, body = encode_job(spec, self._placement(link), FunctionShelf())
                self.was_sent = True
                await link.send({"do": "run", "job": self._name, "step": control}, body)
            self._link = link
            if self.is_cancelled:
                await self.stop(1.0)
            outcome = await self._end(link, inbox)
            if self._do_cleanup:
                with contextlib.suppress(LinkLostError):  # it has ended; played again, it might run again
                    await link.send({"do": "forget", "job": self._name})
            return outcome
        finally:
            self._link = None
            for answer in self._asked.values():
                if not answer.done():
                    answer.set_result(b"")
            link.drop(self._name)

    async def stop(self, grace_s: float) -> None:
        """Ask the remote host to stop it, if there is a connection; else the next one begins with that.

        Raises:
            LinkLostError: The connection broke.
        """
        self.is_cancelled = True
        if self._link is not None:
            await self._link.send({"do": "cancel", "job": self._name, "grace_s": grace_s})

    async def printed(self, stream: str, offset: int, limit: int) -> bytes:
        """Part of what it has printed so far; empty if there is no connection.

        Raises:
            LinkLostError: The connection broke.
        """
        if self._link is None:
            return b""
        number, answer = next(self._questions), asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        name = "out" if stream == "stdout" else "err"
        order = {"do": "print", "job": self._name, "stream": name, "offset": offset, "limit": limit, "question": number}
        try:
            await self._link.send(order)
            return bytes(await answer)
        finally:
            del self._asked[number]

    def _placement(self, link: Link) -> Placement:
        return Placement(
            workdir=remote_path(self._workdir),
            inline_limit=self._host.inline_limit,
            payload_dir=link.hello["payloads"],
            part="",  # the agent knows where
            stop="",
            cache_dir="",
        )

    async def _staged(self, spec: JobSpec, link: Link, inbox: Any) -> JobSpec:
        """The job with every larger payload on the remote host."""
        sources = [spec.function, *spec.args, *spec.kwargs.values()]
        paths = {source.ref.digest: source.path for source in sources if source.data is None and source.path}
        if paths:
            await link.send({"do": "need", "job": self._name, "digests": list(paths)})
            control, _ = await _next(inbox)
            for digest in control["missing"]:
                await link.upload(paths[digest], digest)

        def there(source: PayloadSource) -> PayloadSource:
            return source if source.data is not None else replace(source, path=link.payload(source.ref.digest))

        return replace(
            spec,
            function=there(spec.function),
            args=[there(source) for source in spec.args],
            kwargs={name: there(source) for name, source in spec.kwargs.items()},
            client={},
        )

    async def _end(self, link: Link, inbox: Any) -> Outcome:
        while True:
            news, body = await _next(inbox)
            match news["news"]:
                case "started":
                    if self._started_at is None:
                        self._host.report(JobStarted(attempt_id=self.attempt_id, at=float(news["at"])))
                    self._started_at = float(news["at"])
                case "printed":
                    answer = self._asked.get(news["question"])
                    if answer is not None and not answer.done():
                        answer.set_result(body)
                case "finished":
                    outcome = decode_answer(news["answer"], body)
                    await self._fetch(outcome, link)
                    return outcome
                case "unknown":
                    return lost(f"The job is not on {link.address} any more. Run it again.")
                case "cancelled":
                    return self._ended(JobStatus.CANCELLED, None, news, body)
                case "died":
                    return self._died(news, body, link)

    def _died(self, news: Mapping[str, Any], body: bytes, link: Link) -> Outcome:
        if news["exit_code"] is None:
            message = f"The task's process on {link.address} ended without a result while nobody was connected."
            return self._ended(JobStatus.LOST, TaskFailure(message=message, is_user_error=False), news, body)
        message = explain_death(int(news["exit_code"]))
        return self._ended(JobStatus.FAILED, TaskFailure(message=message, is_user_error=False), news, body)

    def _ended(self, status: JobStatus, failure: TaskFailure | None, news: Mapping[str, Any], body: bytes) -> Outcome:
        out = int(news["body"][1])
        return Outcome(
            status=status,
            failure=failure,
            stdout=body[:out].decode("utf-8", "replace"),
            stderr=body[out:].decode("utf-8", "replace"),
            started_at=self._started_at,
        )

    async def _fetch(self, outcome: Outcome, link: Link) -> None:
        if outcome.output is None or outcome.output.data is not None:
            return
        digest = outcome.output.ref.digest
        path = Path(self._host.payload_path(digest))
        part = Path(self._host.work_dir, f"{self._name}.part")
        if await asyncio.to_thread(path.exists):
            return
        try:
            await link.download(digest, str(part))
            await asyncio.to_thread(_place, part, path)
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)


def check_python(spec: JobSpec, link: Link) -> None:
    """See that the remote interpreter can load what the notebook's pickled.

    Raises:
        BackendError: Its version is another, or it lacks cloudpickle.
    """
    theirs, program = str(link.hello["python"]), link.hello["program"]
    ours = str(spec.client.get("python_version") or theirs)
    if theirs.split(".")[:2] != ours.split(".")[:2]:
        minor = ".".join(ours.split(".")[:2])
        raise BackendError(
            f"Python on {link.address} is {theirs} ({program}), but the workflow was written with {ours}. Set "
            f"python_path or conda_env to a Python {minor} there."
        )
    if link.hello["trouble"]:
        raise BackendError(
            f"Python on {link.address} cannot run tasks: {link.hello['trouble']}. "
            f"Install it there: {program} -m pip install cloudpickle"
        )


async def _next(inbox: Any) -> News:
    found: News | None = await inbox.get()
    if found is None:
        raise LinkLostError("The connection broke.")
    return found


def _place(part: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part.replace(path)
