"""Write the template of all texts that JupyterLab shows, and what is made of the translations; `--check` only compares.

Texts come from the TypeScript sources (`labextension/scripts/texts.mjs`) and from the schemas of the settings. They
go to `covalent_lab/locale/covalent_lab.pot`; each `covalent_lab.po` below it is brought up to date with the template
and compiled to the JSON that JupyterLab reads.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jupyterlab_server.translation_utils import DEFAULT_SCHEMA_SELECTORS

ROOT = Path(__file__).resolve().parent.parent
LABEXTENSION = ROOT / "labextension"
LOCALE = ROOT / "covalent_lab" / "locale"
DOMAIN = "covalent_lab"
CONTEXT_END = "\x04"
WIDTH = 110
SCHEMA_TEXTS = {re.compile(f"/{place}"): context for place, context in DEFAULT_SCHEMA_SELECTORS.items()}
HEAD = "# Texts of covalent-lab in JupyterLab. Made by `python .ci/texts.py` from the sources."
UNSTEADY = (
    "POT-Creation-Date",
    "PO-Revision-Date",
    "Report-Msgid-Bugs-To",
    "Last-Translator",
    "Language-Team",
    "Generated",
)


def template() -> Catalog:
    """Return a catalog of all texts, without translations."""
    catalog = Catalog(domain=DOMAIN, project="covalent-lab", header_comment=HEAD, fuzzy=False)
    script = ["node", str(LABEXTENSION / "scripts" / "texts.mjs")]
    for text in json.loads(subprocess.run(script, capture_output=True, text=True, check=True).stdout):
        identity = (text["id"], text["plural"]) if "plural" in text else text["id"]
        known = catalog.get(text["id"], context=text.get("context"))
        if known is not None and known.id != identity:
            raise SystemExit(f"{text['file']}: {text['id']!r} is used with another plural, or without one, elsewhere")
        catalog.add(identity, context=text.get("context"), locations=[(text["file"], 1)])
    for path in sorted((LABEXTENSION / "schema").glob("*.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        for context, text in schema_texts(schema):
            catalog.add(text, context=context, locations=[(f"schema/{path.name}", 1)])
    return catalog


def schema_texts(part: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield the context and the text of all strings of a schema that JupyterLab translates."""
    if isinstance(part, str):
        for pattern, context in SCHEMA_TEXTS.items():
            if pattern.fullmatch(place):
                yield context, part
                return
    elif isinstance(part, dict):
        for key, value in part.items():
            yield from schema_texts(value, f"{place}/{key}")
    elif isinstance(part, list):
        for number, value in enumerate(part):
            yield from schema_texts(value, f"{place}[{number}]")


def as_po(catalog: Catalog) -> str:
    """Return a catalog as the text of a file, without what would make each run a change, as dates."""
    written = BytesIO()
    write_po(written, catalog, width=WIDTH, include_lineno=False, ignore_obsolete=True)
    lines = written.getvalue().decode().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(tuple(f'"{name}' for name in UNSTEADY)))


def as_json(catalog: Catalog, language: str) -> str:
    """Return the translations of a catalog in the form that JupyterLab loads."""
    version = json.loads((LABEXTENSION / "package.json").read_text(encoding="utf-8"))["version"]
    head = {"domain": DOMAIN, "version": version, "language": language.replace("_", "-")}
    texts: dict[str, Any] = {"": {**head, "plural_forms": catalog.plural_forms}}
    for message in catalog:
        one = message.id if isinstance(message.id, str) else message.id[0]
        translated = [message.string] if isinstance(message.id, str) else list(message.string)
        if one and all(translated) and not message.fuzzy:
            texts[f"{message.context}{CONTEXT_END}{one}" if message.context else one] = translated
    return json.dumps(texts, ensure_ascii=False, indent=1) + "\n"


def wanted() -> dict[Path, str]:
    """Return all files that are written, with their content."""
    texts = template()
    files = {LOCALE / f"{DOMAIN}.pot": as_po(texts)}
    for path in sorted(LOCALE.glob(f"*/LC_MESSAGES/{DOMAIN}.po")):
        language = path.parent.parent.name
        catalog = read_po(path.read_text(encoding="utf-8").splitlines(keepends=True), locale=language, domain=DOMAIN)
        catalog.update(texts, no_fuzzy_matching=True)
        files[path] = as_po(catalog)
        files[path.with_suffix(".json")] = as_json(catalog, language)
    return files


def main() -> int:
    """Write or compare the files; return the exit status."""
    stale = {
        path: text for path, text in wanted().items() if not path.exists() or path.read_text(encoding="utf-8") != text
    }
    if "--check" in sys.argv:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not what the sources say: run `python .ci/texts.py`")
        return 1 if stale else 0
    for path, text in stale.items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
