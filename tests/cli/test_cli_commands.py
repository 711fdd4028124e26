"""Commands that need no server: help, completion, configuration, logs, database, purge; and exit codes."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

import covalent_lab as ct
from covalent_lab.config.serverfiles import ServerFiles

Run = Callable[..., Result]


def test_the_module_is_the_command(home: Path) -> None:
    """`python -m covalent_lab` shows the same name and version, and loads nothing heavy for it."""
    program = "import sys, runpy; sys.argv = ['covalent-lab', '--version']\n"
    program += "try: runpy.run_module('covalent_lab', run_name='__main__')\n"
    program += (
        "except SystemExit: pass\nprint(sorted({'rich', 'urllib3', 'sqlalchemy', 'distributed'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert told.stdout == f"covalent-lab, version {ct.__version__}\n[]\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("start", "--no-triggers", "--triggers-only"),
        ("start", "--no-cluster", "--with-cluster"),
        ("restart", "--no-cluster", "--with-cluster"),
        ("start", "--port", "70000"),
        ("start", "--workers", "many"),
        ("cluster", "--scale", "-1"),
        ("completion", "tcsh"),
        ("show",),
        ("no-such-command",),
    ],
)
def test_wrong_usage_ends_with_2(home: Path, run: Run, arguments: tuple[str, ...]) -> None:
    """… and with a hint, before anything is done."""
    answer = run(*arguments)

    assert answer.exit_code == 2
    assert answer.stdout == ""
    assert "Error: " in answer.stderr
    assert not (home / ".config/covalent_lab").exists()


@pytest.mark.parametrize(
    "arguments",
    [("list",), ("show", "x"), ("result", "x"), ("cancel", "x"), ("cluster",), ("logs",), ("cluster", "--logs")],
)
def test_without_a_server_errors_take_one_line(home: Path, run: Run, arguments: tuple[str, ...]) -> None:
    """Exit code 1, nothing on standard output, one line that says what to do; no dispatcher is started here."""
    answer = run(*arguments)

    assert (answer.exit_code, answer.stdout) == (1, "")
    assert len(answer.stderr.splitlines()) == 1
    assert not (home / ".local/share/covalent_lab").exists()


def test_a_corrupt_configuration_is_named(home: Path, run: Run) -> None:
    """The file is told, not a traceback."""
    path = Path(ct.get_config("sdk.config_file"))
    path.parent.mkdir(parents=True)
    path.write_text("this is = no = toml")

    answer = run("status")

    assert answer.exit_code == 1
    assert str(path) in answer.stderr
    path.unlink()


def test_status_of_a_fresh_installation(home: Path, run: Run) -> None:
    """Nothing runs, and there is no database; asking makes none."""
    parts = {part["name"]: part["state"] for part in json.loads(run("status", "--json").stdout)}

    assert parts == {
        "server": "stopped",
        "user interface": "stopped",
        "dask": "stopped",
        "triggers": "stopped",
        "database": "absent",
    }
    assert not (home / ".local/share/covalent_lab").exists()


def test_configuration_is_shown_without_secrets(home: Path, run: Run) -> None:
    """Every section; what looks like a password is hidden."""
    ct.set_config({"executors.slurm.username": "ada", "executors.slurm.sshproxy": {"password": "engine"}})

    told = json.loads(run("config", "--json").stdout)

    assert told["executors"]["slurm"] == {"username": "ada", "sshproxy": {"password": "********"}}
    assert told["sdk"]["log_level"] == "warning"
    panels = run("config").stdout
    assert "engine" not in panels
    assert {"slurm.username", "slurm.sshproxy.password", "lease_s"} <= set(panels.split())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_for_the_shell(home: Path, run: Run, shell: str) -> None:
    """It names the program and the variable that asks it; bash itself accepts it where there is one."""
    script = run("completion", shell).stdout

    assert "covalent-lab" in script
    assert "_COVALENT_LAB_COMPLETE" in script
    if shell == "bash" and (bash := shutil.which("bash")):
        subprocess.run([bash, "-n"], input=script, text=True, check=True)


def test_completion_answers_a_shell(home: Path) -> None:
    """What the script asks for is what commands begin with these letters."""
    asked = {"_COVALENT_LAB_COMPLETE": "bash_complete", "COMP_WORDS": "covalent-lab re", "COMP_CWORD": "1"}
    answer = subprocess.run(
        [sys.executable, "-m", "covalent_lab"], env={**os.environ, **asked}, capture_output=True, text=True, check=True
    )

    assert answer.stdout.splitlines() == ["plain,redispatch", "plain,restart", "plain,result"]


def test_the_database_is_made_and_migrated(home: Path, run: Run) -> None:
    """`db migrate` and its short form do the same; the second time there is nothing to do."""
    assert run("db", "migrate").stderr.startswith("The database went from None to ")
    assert run("migrate").stderr.startswith("The database is up to date")
    assert run("db", "alembic", "downgrade", "-1").exit_code == 0
    assert "nonsense" in run("db", "alembic", "upgrade", "nonsense").stderr
    assert run("db", "alembic", "upgrade", "head").exit_code == 0
    assert run("migrate").stderr.startswith("The database is up to date")
    assert run("db", "alembic", "--help").stdout.startswith("usage: covalent-lab db alembic")
    assert run("db", "alembic").exit_code == 2


def test_a_database_that_cannot_be_reached_is_named_without_its_password(
    home: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither an address that is none nor one without a server ends in a traceback."""
    monkeypatch.setenv("COVALENT_DATABASE_URL", "postgresql+psycopg://ada:engine@localhost:1/lab")
    answer = run("migrate")
    assert answer.exit_code == 1
    assert "ada:***@localhost" in answer.stderr
    assert "engine" not in answer.stderr

    monkeypatch.setenv("COVALENT_DATABASE_URL", "no address")
    assert run("migrate").exit_code == 1
    assert "COVALENT_DATABASE_URL" in run("migrate").stderr


class TestPurge:
    """`purge`."""

    @pytest.fixture
    def used(self, home: Path, run: Run) -> Path:
        """An installation that was used."""
        ct.set_config("sdk.log_level", "info")
        assert run("migrate").exit_code == 0
        Path(ct.get_config("dispatcher.results_dir")).mkdir()
        cache = home / ".cache/covalent_lab"
        cache.mkdir(parents=True)
        (cache / "covalent_ui.log").write_text("a line\n")
        return home

    def test_it_asks_and_no_is_the_default(self, used: Path, run: Run) -> None:
        """An empty answer, or none at all, deletes nothing; what would be deleted is shown."""
        for answer in ("\n", "n\n", ""):
            asked = run("purge", input=answer)
            assert str(used / ".cache/covalent_lab") in asked.stdout
            assert str(used / ".local") not in asked.stdout
        assert (used / ".cache/covalent_lab/covalent_ui.log").exists()
        assert run("logs").stdout == "a line\n"

    def test_it_deletes_logs_caches_and_configuration_and_keeps_records(self, used: Path, run: Run) -> None:
        """Records go with `--hard` only."""
        assert run("purge", input="y\n").exit_code == 0
        assert not (used / ".cache/covalent_lab").exists()
        assert not (used / ".config/covalent_lab").exists()
        records = used / ".local/share/covalent_lab"
        assert {path.name for path in records.iterdir()} >= {"data", "dispatcher_db.sqlite"}

        assert run("purge", "--hard", "--yes").exit_code == 0
        assert list(records.iterdir()) == []
        assert "nothing to delete" in run("purge", "--hard").stderr

    def test_what_lies_elsewhere_is_left(self, used: Path, run: Run, tmp_path: Path) -> None:
        """Folders that the configuration places elsewhere are somebody else's, also through a link."""
        mine = tmp_path / "mine"
        mine.mkdir()
        (mine / "thesis.tex").write_text("years of work")
        ct.set_config({"sdk.log_dir": str(mine), "dispatcher.results_dir": str(used), "dask.cache_dir": "/"})
        (used / ".cache/covalent_lab/link").symlink_to(mine)
        ct.set_config("sdk.dispatch_cache_dir", str(used / ".cache/covalent_lab/link"))

        answer = run("purge", "--hard", "--yes")

        assert answer.exit_code == 0
        for path in (mine, used, Path("/")):
            assert f"{path} is not in a folder of covalent_lab" in answer.stderr
        assert (mine / "thesis.tex").exists()
        assert not ServerFiles.load().log.exists()
