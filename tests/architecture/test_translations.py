"""Texts of JupyterLab in other languages: the template has all of them, and translations fit."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent.parent
LOCALE = ROOT / "covalent_lab" / "locale"
LANGUAGES = sorted(path.parent.parent.name for path in LOCALE.glob("*/LC_MESSAGES/covalent_lab.po"))


def messages(language: str) -> list[Message]:
    """Return the texts of a language, without the head of the file."""
    path = LOCALE / language / "LC_MESSAGES" / "covalent_lab.po"
    catalog = read_po(path.read_text(encoding="utf-8").splitlines(keepends=True), locale=language)
    return [message for message in catalog if message.id]


def forms(text: str | tuple[str, ...] | list[str]) -> list[str]:
    """Return the singular, and the plurals if there are some."""
    return [text] if isinstance(text, str) else list(text)


def places(text: str) -> set[str]:
    """Return the places that are filled in."""
    return set(re.findall(r"%\d", text))


def test_template_and_translations_are_what_the_sources_say(require: Callable[..., str]) -> None:
    """A text that was added, changed or dropped is so in the template, too, and in what JupyterLab loads."""
    require("node")
    check = [sys.executable, str(ROOT / ".ci" / "texts.py"), "--check"]
    answer = subprocess.run(check, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (0, "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_fills_in_what_the_text_does(language: str) -> None:
    """A place that is not in the text would be shown as it is; the singular may leave the number out."""
    wrong = [
        (message.id, translated)
        for message in messages(language)
        for translated in forms(message.string)
        if translated and not places(forms(message.id)[0]) <= places(translated) <= places(forms(message.id)[-1])
    ]
    assert wrong == []


def test_german_is_complete() -> None:
    """No text stays English."""
    assert [message.id for message in messages("de_DE") if not all(forms(message.string)) or message.fuzzy] == []


def test_jupyterlab_finds_the_translations() -> None:
    """It asks for the folder `locale` beside the module that the entry point names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["jupyterlab.locale"] == {"covalent_lab": "covalent_lab"}
    assert (LOCALE / "de_DE" / "LC_MESSAGES" / "covalent_lab.json").is_file()
