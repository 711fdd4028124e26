"""`get_config` and `Settings`: one table, one reader."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import covalent_lab as ct
from covalent_lab.config import reader
from covalent_lab.config.keys import KEYS, Kind
from covalent_lab.errors import ConfigError
from covalent_lab.settings import Settings, config_path

SAMPLES: dict[Kind, tuple[str, Any]] = {
    Kind.TEXT: ("word", "word"),
    Kind.PATH: ("/some/where", "/some/where"),
    Kind.INTEGER: ("7", 7),
    Kind.NUMBER: ("7", 7.0),
    Kind.FLAG: ("1", "true"),
    Kind.SWITCH: ("1", True),
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of the test's own, and no variable that overrides a key."""
    for name in (*filter(None, (key.variable for key in KEYS.values())), "COVALENT_DATABASE_URL", "XDG_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COVALENT_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def write(text: str) -> None:
    """Write the configuration file."""
    config_path().parent.mkdir(exist_ok=True)
    config_path().write_text(text)


def test_a_file_that_has_not_changed_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a caller does with a value changes no other answer; any change of the file does."""
    write('[executors.local]\nhosts = ["a"]\n')
    os.utime(config_path(), (1e9, 1e9))
    ct.get_config("executors.local")["hosts"].append("b")
    monkeypatch.setattr(reader, "parse", None)
    assert ct.get_config("executors.local")["hosts"] == ["a"]
    monkeypatch.undo()
    for text in ("[x]\ny = 1\n", "[x]\ny = 2\n"):
        config_path().write_text(text)
        assert ct.get_config("x") == {"y": int(text[-2])}
    os.utime(config_path(), (1e9, 1e9))
    assert ct.get_config("x") == {"y": 2}
    config_path().unlink()
    with pytest.raises(KeyError):
        ct.get_config("x")


def test_everything_has_a_default_and_reading_leaves_no_trace(home: Path) -> None:
    """All sections, with paths below this product's own folders."""
    tree = ct.get_config()
    cache, data = str(home / "cache/covalent_lab"), str(home / "data/covalent_lab")
    assert tree["sdk"] == {
        "config_file": str(home / "config/covalent.conf"),
        "log_dir": cache,
        "log_level": "warning",
        "enable_logging": "true",
        "executor_dir": str(home / "config/executor_plugins"),
        "no_cluster": "false",
        "exhaustive_postprocess": "false",
        "progress": "true",
        "cache_results": "false",
        "dispatch_cache_dir": f"{cache}/dispatches",
        "task_packing": "false",
        "results_dir": f"{cache}/results",
        "default_executor": "local",
    }
    assert tree["dispatcher"] == {
        "address": "localhost",
        "port": 48008,
        "lab_address": "",
        "cache_dir": cache,
        "results_dir": f"{data}/data",
        "log_dir": cache,
        "db_path": f"{data}/dispatcher_db.sqlite",
        "durability": "full",
        "inline_limit": 65536,
        "lease_s": 15.0,
        "heartbeat_interval": 5,
        "heartbeat_file": f"{cache}/heartbeat",
        "triggers": "on",
        "use_async_dispatcher": "true",
        "asset_cache_size": 32,
        "qelectron_db_path": f"{data}/qelectron_db",
    }
    assert tree["dask"] == {
        "cache_dir": cache,
        "log_dir": cache,
        "mem_per_worker": "auto",
        "threads_per_worker": 1,
        "num_workers": os.cpu_count(),
        "scheduler_address": "",
        "dashboard_link": "",
        "process_info": "",
        "pid": 0,
        "admin_host": "",
        "admin_port": 0,
    }
    assert set(tree) == {"sdk", "dispatcher", "dask", "workflow_data", "user_interface", "executors"}
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("name", [name for name, key in KEYS.items() if key.variable])
def test_a_variable_overrides_the_file(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with the type of its key; an empty variable says nothing."""
    key = KEYS[name]
    default = ct.get_config(name)
    text, value = SAMPLES[key.kind]
    monkeypatch.setenv(key.variable, text)
    assert ct.get_config(name) == value
    monkeypatch.setenv(key.variable, "")
    assert ct.get_config(name) == default


def test_entries_choose_values_sections_or_several() -> None:
    """One entry in a list is told as itself; an unknown one is named."""
    write('[mine]\nkey = 1\n[executors.slurm]\nusername = "ada"\n')
    assert ct.get_config([]) == ct.get_config()
    assert ct.get_config("mine.key") == ct.get_config(["mine.key"]) == 1
    assert ct.get_config("executors.slurm") == {"username": "ada"}
    assert set(ct.get_config("executors")) == {"dask", "local", "slurm"}
    assert ct.get_config(["mine", "sdk.no_cluster"]) == {"mine": {"key": 1}, "sdk.no_cluster": "false"}
    for missing in ("mine.other", "mine.key.deeper", "dask.pid.deeper", "nothing", "."):
        with pytest.raises(KeyError, match=re.escape(missing)):
            ct.get_config(missing)
    with pytest.raises(TypeError, match="not \\[1\\]"):
        ct.get_config([1])  # type: ignore[list-item]


def test_truth_values_are_told_as_texts() -> None:
    """Real ones are accepted, and so are the usual words."""
    write('[sdk]\nno_cluster = true\ntask_packing = "True"\nenable_logging = "off"\n')
    assert ct.get_config("sdk.no_cluster") == "true"
    assert ct.get_config("sdk.task_packing") == "true"
    assert ct.get_config("sdk.enable_logging") == "false"


def test_defaults_follow_the_keys_they_are_made_from(tmp_path: Path) -> None:
    """A log folder that is set moves those of the dispatcher, and so on; `~` is the home folder."""
    write(f'[sdk]\nlog_dir = "~/logs"\n[dispatcher]\ncache_dir = "/c"\nresults_dir = "{tmp_path}/r"\ndb_path = ""\n')
    logs = str(Path.home() / "logs")
    names = ["dask.log_dir", "dispatcher.log_dir", "dispatcher.heartbeat_file", "dispatcher.db_path"]
    assert list(ct.get_config(names).values()) == [logs, logs, "/c/heartbeat", f"{tmp_path}/r/dispatcher_db.sqlite"]
    assert ct.get_config("user_interface.port") == 48008
    ct.set_config("dispatcher.port", 9000)
    assert ct.get_config("user_interface.port") == 9000


def test_settings_agree_with_get_config(tmp_path: Path) -> None:
    """Whatever is configured."""
    for text in ("", f'[dispatcher]\nresults_dir = "{tmp_path}/r"\nlease_s = 3\n[executors.local]\nworkdir = "/w"\n'):
        write(text)
        settings = Settings.load()
        dispatcher = ct.get_config("dispatcher")
        assert (
            str(settings.data_dir),
            settings.database,
            settings.inline_limit,
            settings.durability,
            settings.lease_s,
            settings.address,
            settings.default_executor,
            str(settings.workdir),
        ) == (
            dispatcher["results_dir"],
            f"sqlite:///{dispatcher['db_path']}",
            dispatcher["inline_limit"],
            dispatcher["durability"],
            dispatcher["lease_s"],
            dispatcher["lab_address"],
            ct.get_config("sdk.default_executor"),
            ct.get_config("executors.local.workdir"),
        )


def test_executors_get_known_options_with_their_type() -> None:
    """The word "false" does not become true on its way to the executor; unknown options travel as they are."""
    write('[executors.local]\ncreate_unique_workdir = "false"\nother = "false"\n')
    assert Settings.load().executors == {"local": {"create_unique_workdir": False, "other": "false"}}


def test_an_address_counts_only_if_someone_set_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The defaults fill the other half; `lab_address` goes first."""
    assert Settings.load().address == ""
    write("[dispatcher]\nport = 9000\n")
    assert Settings.load().address == "localhost:9000"
    monkeypatch.setenv("COVALENT_DISPATCHER_ADDR", "hub")
    assert Settings.load().address == "hub:9000"
    monkeypatch.setenv("COVALENT_DISPATCHER_ADDR", "http://hub/user/ada")
    assert Settings.load().address == "http://hub/user/ada"
    write('[dispatcher]\nlab_address = "http://lab:1/"\n')
    assert Settings.load().address == "http://lab:1/"


@pytest.mark.parametrize(
    ("text", "entry", "message"),
    [
        ("[sdk", None, "is not valid TOML"),
        ("sdk = 1", "sdk.log_dir", "sdk is 1; it must be a table"),
        ("[dispatcher]\nport = '48008'", "dispatcher.port", "dispatcher.port is '48008'; it must be a whole number"),
        ("[sdk]\nno_cluster = 'maybe'", "sdk", "sdk.no_cluster is 'maybe'"),
        ("[sdk]\nno_cluster = 1", "sdk", "sdk.no_cluster is 1"),
        ("[dispatcher]\nlease_s = true", "dispatcher.lease_s", "dispatcher.lease_s is True; it must be a number"),
    ],
)
def test_a_wrong_file_is_told_with_its_path(text: str, entry: str | None, message: str) -> None:
    """For whichever entry is asked, and for the check of the whole file."""
    write(text)
    for ask in (lambda: ct.get_config(entry), ct.reload_config):
        with pytest.raises(ConfigError, match=re.escape(message)) as caught:
            ask()
        assert str(config_path()) in str(caught.value)


def test_a_wrong_value_does_not_hide_other_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is asked for is looked at; a wrong variable is named."""
    monkeypatch.setenv("COVALENT_SVC_PORT", "many")
    assert ct.get_config("sdk.no_cluster") == "false"
    with pytest.raises(ConfigError, match="COVALENT_SVC_PORT is 'many'; it must be a whole number"):
        ct.get_config("dispatcher.port")


def test_what_is_returned_is_the_caller_s_own() -> None:
    """Changing it changes nothing else."""
    ct.get_config()["sdk"]["no_cluster"] = "changed"
    assert ct.get_config("sdk.no_cluster") == "false"


def test_import_and_reading_work_without_a_writable_home(tmp_path: Path) -> None:
    """The home folder does not even exist, and does not afterwards."""
    environ = {"HOME": str(tmp_path / "gone"), "PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    program = "import covalent_lab as ct; print(ct.get_config('sdk.log_dir'))"
    ran = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, timeout=200, check=True
    )
    assert ran.stdout.strip() == str(tmp_path / "gone/.cache/covalent_lab")
    assert not (tmp_path / "gone").exists()
