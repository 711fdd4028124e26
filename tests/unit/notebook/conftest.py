"""A real IPython shell with the magics, a dispatcher in this process, and a store of its own."""

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from IPython.core.interactiveshell import InteractiveShell  # noqa: TID253  this is about IPython
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7
from traitlets.config import Config

import covalent_lab
from covalent_lab.client.connection import disconnect
from tests.unit.notebook.shells import Notebook


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InteractiveShell]:
    folder = tmp_path_factory.mktemp("lab")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COVALENT_DATA_DIR", str(folder / "data"))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        patch.delenv("COVALENT_LAB_URL", raising=False)
        disconnect()
        config = Config()
        config.HistoryManager.enabled = False
        shell = InteractiveShell(config=config)
        shell.colors = "nocolor"
        covalent_lab.load_ipython_extension(shell)
        yield shell
        disconnect()


@pytest.fixture
def notebook(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> Notebook:
    shell.reset(new_session=True)
    covalent_lab.load_ipython_extension(shell)
    return Notebook(shell, capsys)


@pytest.fixture
def mime_schema() -> jsonschema.Draft7Validator:
    """What our MIME type promises."""
    folder = Path(covalent_lab.__file__).parent / "schemas"
    schemas = {path.name: json.loads(path.read_text()) for path in folder.glob("*.json")}
    registry = Registry().with_resources(
        (name, Resource.from_contents(schema, default_specification=DRAFT7)) for name, schema in schemas.items()
    )
    return jsonschema.Draft7Validator(schemas["mime.json"], registry=registry)
