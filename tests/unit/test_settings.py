"""Settings: environment, then file, then defaults; and every kind of wrong file."""

from pathlib import Path

import pytest

from covalent_lab.errors import ConfigError
from covalent_lab.settings import Settings, config_path


def environment(tmp_path: Path, text: str | None = None, **more: str) -> dict[str, str]:
    """An environment with its own home and, if given, a configuration file."""
    environ = {
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        **more,
    }
    if text is not None:
        path = config_path(environ)
        path.parent.mkdir(parents=True)
        path.write_text(text)
    return environ


def test_defaults_lie_below_the_xdg_folders_and_nothing_is_written(tmp_path: Path) -> None:
    """Reading settings leaves no trace."""
    assert Settings.load(environment(tmp_path)) == Settings(
        data_dir=tmp_path / "data/covalent_lab/data",
        database=f"sqlite:///{tmp_path}/data/covalent_lab/dispatcher_db.sqlite",
        workdir=tmp_path / "cache/covalent_lab/workdir",
    )
    assert list(tmp_path.iterdir()) == []


def test_the_file_overrides_defaults(tmp_path: Path) -> None:
    """Every key that is read from it."""
    text = f"""
    [sdk]
    default_executor = "dask"
    [dispatcher]
    results_dir = "{tmp_path}/elsewhere"
    db_path = "{tmp_path}/my.sqlite"
    durability = "normal"
    inline_limit = 10
    lease_s = 3
    lab_address = "http://127.0.0.1:1"
    [executors.local]
    workdir = "{tmp_path}/work"
    """
    assert Settings.load(environment(tmp_path, text)) == Settings(
        data_dir=tmp_path / "elsewhere",
        database=f"sqlite:///{tmp_path}/my.sqlite",
        workdir=tmp_path / "work",
        inline_limit=10,
        durability="normal",
        default_executor="dask",
        address="http://127.0.0.1:1",
        lease_s=3.0,
        executors={"local": {"workdir": f"{tmp_path}/work"}},
    )


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    """`COVALENT_DATA_DIR` moves payloads and database together, `COVALENT_DATABASE` the database alone."""
    text = '[dispatcher]\nresults_dir = "/nowhere"\n'
    environ = environment(tmp_path, text, COVALENT_DATA_DIR=str(tmp_path / "mine"))
    loaded = Settings.load(environ)
    assert (loaded.data_dir, loaded.database) == (
        tmp_path / "mine",
        f"sqlite:///{tmp_path}/mine/dispatcher_db.sqlite",
    )
    loaded = Settings.load(environ | {"COVALENT_DATABASE": str(tmp_path / "db")})
    assert (loaded.data_dir, loaded.database) == (tmp_path / "mine", f"sqlite:///{tmp_path}/db")


def test_the_configuration_folder_can_be_named(tmp_path: Path) -> None:
    """`COVALENT_CONFIG_DIR` wins over the XDG folders."""
    assert config_path({"COVALENT_CONFIG_DIR": "/a", "XDG_CONFIG_DIR": "/b"}) == Path("/a/covalent.conf")
    assert config_path({"XDG_CONFIG_DIR": "/b"}) == Path("/b/covalent_lab/covalent.conf")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[dispatcher", "is not valid TOML"),
        ('[dispatcher]\ninline_limit = "many"', "dispatcher.inline_limit is 'many'; it must be a whole number"),
        ("[dispatcher]\ninline_limit = true", "dispatcher.inline_limit is True"),
        ('[dispatcher]\ndurability = "some"', "dispatcher.durability is 'some'"),
        ("[sdk]\ndefault_executor = 1", "sdk.default_executor is 1; it must be a text"),
        ('executors = "local"', "executors is 'local'; it must be a table"),
        ("[executors]\nlocal = 1", "executors.local is 1; it must be a table"),
    ],
)
def test_a_wrong_file_is_told_with_file_and_value(tmp_path: Path, text: str, message: str) -> None:
    """Never a bare traceback of the TOML parser."""
    with pytest.raises(ConfigError) as caught:
        Settings.load(environment(tmp_path, text))
    assert message in str(caught.value)
    assert "covalent.conf" in str(caught.value)


def test_a_file_that_is_not_text_is_told(tmp_path: Path) -> None:
    """Bytes that are not UTF-8."""
    environ = environment(tmp_path, "")
    config_path(environ).write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not valid TOML"):
        Settings.load(environ)


def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    """It exists but cannot be read."""
    environ = environment(tmp_path)
    config_path(environ).mkdir(parents=True)
    with pytest.raises(ConfigError, match="cannot be read"):
        Settings.load(environ)
