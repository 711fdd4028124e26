"""The executors as people see and steer them: which there are, how they are, their settings, a test task.

Answers are JSON-able, as `schemas/rest.json` says. Settings are those of the section `executors.NAME` of the
configuration file; secrets are shown masked, and taken only as references.
"""

import asyncio
import inspect
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from covalent_lab.config.access import change_section
from covalent_lab.config.reader import ConfigReader
from covalent_lab.dispatcher.dispatcher import Dispatcher
from covalent_lab.errors import BackendError, LabError, UnknownExecutorError, UsageError
from covalent_lab.executor import registry
from covalent_lab.executor.base import Executor, Option
from covalent_lab.executor.health import Health
from covalent_lab.executor.registry import ExecutorClass
from covalent_lab.executor.secrets import MASK, is_reference, is_secret

__all__ = ["ExecutorDesk"]

_log = logging.getLogger(__name__)
_CHECK_S = 30.0
_KINDS = {bool: "flag", int: "number", float: "number", str: "text", list: "list", tuple: "list", dict: "table"}
_TYPES: Mapping[str, tuple[type, ...]] = {
    "flag": (bool,), "number": (int, float), "text": (str,), "list": (list,), "table": (dict,),
}  # fmt: skip
_WORDS = {"flag": "true or false", "number": "a number", "text": "a text", "list": "a list", "table": "a table"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plugin:
    """A name, and what it stands for: a class, or the reason why there is none."""

    name: str
    kind: ExecutorClass | None
    trouble: str = ""


class ExecutorDesk:
    """Looks after the executors of a dispatcher; its methods belong to the dispatcher's loop.

    Args:
        dispatcher: Whose executors.
        check_s: How long an executor may take to say how it is, in seconds.
    """

    def __init__(self, dispatcher: Dispatcher, check_s: float = _CHECK_S) -> None:
        self._dispatcher = dispatcher
        self._check_s = check_s

    async def list(self) -> dict[str, Any]:
        """Every executor there is, with settings and load.

        Raises:
            ConfigError: The configuration cannot be read.
        """
        plugins = await asyncio.to_thread(_plugins)
        sections = _sections()
        return {"items": [self._view(plugin, sections.get(plugin.name, {})) for plugin in plugins]}

    async def health(self, name: str) -> dict[str, Any]:
        """How an executor is; it is started for that if need be.

        Raises:
            UnknownExecutorError: There is none of this name.
        """
        health, took_s = await self.check(name)
        return {
            "name": name,
            "is_usable": health.is_usable,
            "summary": health.summary,
            "facts": [{"name": key, "value": str(value)} for key, value in health.facts.items()],
            "links": [{"name": key, "url": url} for key, url in health.links.items()],
            "took_s": took_s,
        }

    async def check(self, name: str) -> tuple[Health, float]:
        """How an executor is, and how many seconds it took to say so.

        Raises:
            UnknownExecutorError: There is none of this name.
        """
        began = time.monotonic()
        try:
            await asyncio.to_thread(registry.load, name)
            async with asyncio.timeout(self._check_s):
                health = await self._dispatcher.check_executor(name)
        except UnknownExecutorError:
            raise
        except TimeoutError:
            health = Health(is_usable=False, summary=f"It did not answer within {self._check_s:g} s.")
        except LabError as error:
            health = Health(is_usable=False, summary=error.message)
        except Exception as error:  # noqa: BLE001 - a plugin's failure is the answer
            _log.exception("executor %s failed to say how it is", name)
            health = Health(is_usable=False, summary=f"{type(error).__name__}: {error}")
        return health, time.monotonic() - began

    async def configure(self, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Change settings in the configuration file; the executor takes them up as soon as it has no tasks.

        Args:
            name: Which executor.
            values: New values by setting; None takes one out of the file.

        Returns:
            The executor, as in `list`.

        Raises:
            UnknownExecutorError: There is none of this name.
            UsageError: There is no such setting, or its value is of the wrong kind. Nothing was changed.
            ConfigError: The file cannot be used.
        """
        kind = await asyncio.to_thread(registry.load, name)
        options = {option.name: option for option in _options(kind)}
        for key, value in values.items():
            if key not in options:
                raise UsageError(f"Executor {name!r} has no setting {key!r}. Its settings: {', '.join(options)}.")
            _check_value(f"executors.{name}.{key}", options[key], value, _sections().get(name, {}).get(key))
        kept = {k: v for k, v in values.items() if not (options[k].is_secret and v == MASK)}
        wanted = {**_sections().get(name, {}), **kept}
        wanted = {key: value for key, value in wanted.items() if value is not None}
        try:
            await asyncio.to_thread(registry.default().instance, name, wanted)
        except Exception as error:
            raise UsageError(f"Executor {name!r} refuses these settings: {error}") from error
        await asyncio.to_thread(change_section, f"executors.{name}", kept)
        section = _sections().get(name, {})
        self._dispatcher.configure_executor(name, section)
        return self._view(_Plugin(name=name, kind=kind), section)

    def _view(self, plugin: _Plugin, section: Mapping[str, Any]) -> dict[str, Any]:
        load, kind, found = self._dispatcher.load_of(plugin.name), plugin.kind, registry.default().origin(plugin.name)
        return {
            "name": plugin.name,
            "class_name": "" if kind is None else kind.__name__,
            "summary": "" if kind is None else (inspect.getdoc(kind) or "").partition("\n")[0],
            "origin": found,
            "is_default": plugin.name == self._dispatcher.settings.default_executor,
            "is_started": load.is_started,
            "is_outdated": load.is_outdated,
            "trouble": plugin.trouble or load.trouble,
            "queued": load.queued,
            "running": load.running,
            "settings": [] if kind is None else [_setting(option, kind, section) for option in _options(kind)],
        }


def _plugins() -> list[_Plugin]:
    return [_plugin(name) for name in registry.names()]


def _plugin(name: str) -> _Plugin:
    try:
        return _Plugin(name=name, kind=registry.load(name))
    except BackendError as error:
        return _Plugin(name=name, kind=None, trouble=error.message)
    except UnknownExecutorError:
        return _Plugin(name=name, kind=None, trouble="This module holds no executor. Remove it from the plugins.")


def _sections() -> Mapping[str, Mapping[str, Any]]:
    return ConfigReader().table("executors")


def _options(kind: ExecutorClass) -> list[Option]:
    """What can be set; of a class of the documented interface, the arguments it is made with."""
    if issubclass(kind, Executor):
        return list(kind.options)
    secret = getattr(kind, "secrets", ())
    return [
        Option(name=p.name, default=None if p.default is p.empty else p.default, is_secret=p.name in secret)
        for p in inspect.signature(kind).parameters.values()
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    ]


def _kind(option: Option) -> str:
    return "secret" if option.is_secret else _KINDS.get(type(option.default), "any")


def _setting(option: Option, kind: type, section: Mapping[str, Any]) -> dict[str, Any]:
    is_set = option.name in section
    value = section[option.name] if is_set else option.default
    hides = not is_reference(value) and is_secret(kind, option.name, value)
    return {
        "name": option.name,
        "kind": _kind(option),
        "value": MASK if hides else _jsonable(value),
        "default": None if option.is_secret else _jsonable(option.default),
        "is_set": is_set,
        "doc": option.doc,
    }


def _jsonable(value: Any) -> Any:
    """A value of the configuration or a default as JSON; what JSON lacks, such as dates, becomes a text."""
    return json.loads(json.dumps(value, default=str))


def _check_value(place: str, option: Option, value: Any, present: Any) -> None:
    kind = _kind(option)
    if value is None:
        return
    if kind == "secret":
        if not is_reference(value) and not (value == MASK and present):
            raise UsageError(
                f"{place} is a secret and is not written to a file. Put it into an environment variable of the server, "
                "and write env:NAME here."
            )
        return
    wanted = _TYPES.get(kind)
    is_right = wanted is None or (isinstance(value, wanted) and (kind == "flag" or not isinstance(value, bool)))
    if not is_right:
        raise UsageError(f"{place} is {value!r}; it must be {_WORDS[kind]}.")
