"""Languages for JupyterLab: packs as pip would install them, the German one without texts of JupyterLab's own."""

import json
from collections.abc import Mapping
from pathlib import Path

from babel.messages.pofile import read_po

from tests.ui.conftest import ROOT

__all__ = ["BRACKETS", "GERMAN", "PSEUDO", "install_packs", "set_language"]

GERMAN = "de_DE"
PSEUDO = "eo"
BRACKETS = ("⟦", "⟧")
ENTRY_POINTS = f"""[jupyterlab.languagepack]
{GERMAN} = pack_{GERMAN}
{PSEUDO} = pack_{PSEUDO}

[jupyterlab.locale]
covalent_lab = covalent_lab
"""
SETTINGS = "@jupyterlab/translation-extension/plugin.jupyterlab-settings"


def install_packs(folder: Path) -> None:
    """Put two packs into a folder of the Python path: German, and one that sets brackets around each English text."""
    (folder / "packs-1.0.dist-info").mkdir()
    (folder / "packs-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: packs\nVersion: 1.0\n")
    (folder / "packs-1.0.dist-info" / "entry_points.txt").write_text(ENTRY_POINTS)
    for language in (GERMAN, PSEUDO):
        (folder / f"pack_{language}").mkdir()
        (folder / f"pack_{language}" / "__init__.py").touch()
    (folder / f"pack_{PSEUDO}" / "covalent_lab.json").write_text(json.dumps(bracketed()), encoding="utf-8")


def bracketed() -> Mapping[str, object]:
    """Return each text of the template in brackets, as JupyterLab loads translations."""
    template = ROOT / "covalent_lab" / "locale" / "covalent_lab.pot"
    plural = "nplurals=2; plural=(n != 1);"
    texts: dict[str, object] = {"": {"domain": "covalent_lab", "language": PSEUDO, "plural_forms": plural}}
    begin, end = BRACKETS
    for message in read_po(template.read_text(encoding="utf-8").splitlines(keepends=True)):
        forms = [message.id] if isinstance(message.id, str) else list(message.id)
        if forms[0]:
            key = f"{message.context}\x04{forms[0]}" if message.context else forms[0]
            texts[key] = [f"{begin}{form}{end}" for form in forms]
    return texts


def set_language(settings_dir: Path, language: str) -> None:
    """Choose the language of JupyterLab, from the next time on that a page is loaded."""
    path = settings_dir / SETTINGS
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"locale": language}), encoding="utf-8")
