"""`set_config`: atomic, careful with what users wrote, and safe with several processes."""

import datetime
import logging
import math
import os
import subprocess
import sys
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import covalent_lab as ct
from covalent_lab.config.access import change_section
from covalent_lab.config.toml import dump, edited
from covalent_lab.errors import ConfigError


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the file is; neither it nor its folder exists."""
    monkeypatch.setenv("COVALENT_CONFIG_DIR", str(tmp_path / "config"))
    return tmp_path / "config" / "covalent.conf"


def test_a_key_makes_file_and_section(conf: Path) -> None:
    """Only what was set is written, so that defaults stay defaults."""
    ct.set_config("executors.slurm.username", "ada")
    assert conf.read_text() == '[executors.slurm]\nusername = "ada"\n'
    assert conf.stat().st_mode & 0o777 == 0o600
    assert ct.get_config("executors.slurm.username") == "ada"


def test_several_keys_at_once_and_nested_sections(conf: Path) -> None:
    """Dotted keys and dictionaries mean the same; what is not named stays."""
    ct.set_config({"sdk": {"log_level": "info"}, "dispatcher.port": 9000, "mine": {"a": {"b": [1, 2.5]}, "empty": {}}})
    ct.set_config({"sdk.no_cluster": True, "mine.a": {"c": (Path("/x").name, "y")}, "mine.p": Path("/x")})
    assert tomllib.loads(conf.read_text()) == {
        "sdk": {"log_level": "info", "no_cluster": True},
        "dispatcher": {"port": 9000},
        "mine": {"a": {"b": [1, 2.5], "c": ["x", "y"]}, "empty": {}, "p": "/x"},
    }
    assert ct.get_config("sdk.no_cluster") == "true"


def test_comments_order_and_mode_stay(conf: Path) -> None:
    """Lines are changed where they stand."""
    conf.parent.mkdir()
    conf.write_text(
        '# mine\n[sdk]   # client\nlog_level = "a # b"  # why\n\n[dispatcher]\r\n  port = 1\n# end\n\n[x."y.z"]\nk = 1'
    )
    conf.chmod(0o640)
    ct.set_config({"sdk.log_level": "info", "sdk.no_cluster": "true", "dispatcher.port": 2, "new.key": 1, "top": 1})
    assert conf.read_text() == (
        'top = 1\n# mine\n[sdk]   # client\nlog_level = "info"  # why\nno_cluster = "true"\n\n'
        '[dispatcher]\n  port = 2\n# end\n\n[x."y.z"]\nk = 1\n\n[new]\nkey = 1\n'
    )
    assert conf.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    "text",
    [
        "sdk = {log_level = 'a', other = 1}\n",
        "sdk.log_level = 'a'\nsdk.other = 1\n",
        "[sdk]\nother = 1\nlog_level = '''\nlog_level = 3\n[sdk]\n'''\n",
        "[sdk]\nother = 1\nnest = [\n[1],\n]\nlog_level = 'a'\n",
        "['sdk']\n\"log_level\" = 'a'\nother = 1\n[[many]]\nlog_level = 1\n",
    ],
)
def test_unusual_forms_are_changed_too(conf: Path, text: str) -> None:
    """If need be by writing the file anew."""
    conf.parent.mkdir()
    conf.write_text(text)
    wanted = tomllib.loads(text)
    wanted["sdk"]["log_level"] = "new"
    ct.set_config("sdk.log_level", "new")
    assert tomllib.loads(conf.read_text()) == wanted


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("dispatcher.port", "many", "dispatcher.port is 'many'; it must be a whole number"),
        ("dispatcher.durability", "some", 'write "full" or "normal"'),
        ("sdk.log_dir", {}, "sdk.log_dir is {}; it must be"),
        ("sdk", 3, "sdk is a section"),
        ("mine", 3, "mine is a section"),
        ("mine.key.deeper", 3, "mine.key is 1; it holds no further keys"),
        ("mine.key", {"deeper": 1}, "mine.key is 1; it holds no further keys"),
        ("mine.key", {}, "mine.key is 1; it holds no further keys"),
        ("sdk.log_dir.deeper", 1, "sdk.log_dir is a value"),
        ("sdk.", 3, "is no key"),
        ("", 3, "is no key"),
        ("mine.key", None, "mine.key is None"),
        ("mine.key", object(), "TOML has no form for object"),
        ("mine.key", "\ud800", "cannot be written"),
        ("mine.key", [{1: 2}], "names are texts"),
    ],
)
def test_what_has_no_place_changes_nothing(conf: Path, key: str, value: Any, message: str) -> None:
    """Not even the valid key that comes with it; the file is named."""
    conf.parent.mkdir()
    conf.write_text("[mine]\nkey = 1\n")
    with pytest.raises(ConfigError) as caught:
        ct.set_config({"mine.good": 1, key: value})
    assert message in str(caught.value)
    assert conf.read_text() == "[mine]\nkey = 1\n"
    assert [path.name for path in conf.parent.iterdir() if "lock" not in path.name] == ["covalent.conf"]


def test_wrong_arguments_are_refused(conf: Path) -> None:
    """Neither a key nor a dictionary; an empty dictionary asks for nothing."""
    for wrong in (3, None, ["a.b"], {1: 2}):
        with pytest.raises(TypeError):
            ct.set_config(wrong)  # type: ignore[arg-type]
    ct.set_config({})
    assert not conf.exists()


def test_a_corrupt_file_is_kept_beside_the_new_one(conf: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Twice, and neither backup overwrites the other."""
    conf.parent.mkdir()
    for number, content in enumerate((b"[sdk", b"\xff")):
        conf.write_bytes(content)
        with caplog.at_level(logging.WARNING):
            ct.set_config("sdk.log_level", "info")
        assert conf.read_text() == '[sdk]\nlog_level = "info"\n'
        assert conf.with_name(f"covalent.conf.bak{number or ''}").read_bytes() == content
    assert [str(conf) in record.getMessage() for record in caplog.records] == [True, True]


def test_a_refused_change_leaves_a_corrupt_file_alone(conf: Path) -> None:
    """Values are checked before anything is moved."""
    conf.parent.mkdir()
    conf.write_text("[sdk")
    with pytest.raises(ConfigError):
        ct.set_config("dispatcher.port", "many")
    assert conf.read_text() == "[sdk"


def test_a_link_stays_a_link(conf: Path, tmp_path: Path) -> None:
    """As collections of configuration files use them."""
    conf.parent.mkdir()
    real = tmp_path / "real.conf"
    real.write_text("")
    conf.symlink_to(real)
    ct.set_config("a.b", 1)
    assert conf.is_symlink()
    assert real.read_text() == "[a]\nb = 1\n"


def test_a_place_that_cannot_be_written_is_told(conf: Path, tmp_path: Path) -> None:
    """A file where the folder should be; a folder where the file should be."""
    (tmp_path / "config").write_text("")
    with pytest.raises(ConfigError, match=r"covalent\.conf cannot be written"):
        ct.set_config("a.b", 1)
    (tmp_path / "config").unlink()
    conf.mkdir(parents=True)
    with pytest.raises(ConfigError, match="cannot be read"):
        ct.set_config("a.b", 1)


def test_an_interrupted_write_leaves_the_old_file(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no temporary file."""
    ct.set_config("a.b", 1)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="No space left"):
        ct.set_config("a.b", 2)
    assert conf.read_text() == "[a]\nb = 1\n"
    assert sorted(path.name for path in conf.parent.iterdir()) == [".covalent.conf.lock", "covalent.conf"]


def test_processes_and_threads_do_not_lose_each_others_keys(conf: Path) -> None:
    """Two processes and two threads, each with keys of its own."""
    program = "import sys, covalent_lab as ct\nfor i in range(20): ct.set_config(f'{sys.argv[1]}.k{i}', i)"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    processes = [subprocess.Popen([sys.executable, "-c", program, f"p{i}"], env=environ) for i in range(2)]

    def work(name: str) -> None:
        for i in range(20):
            ct.set_config(f"{name}.k{i}", i)

    threads = [threading.Thread(target=work, args=(f"t{i}",)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [process.wait(60) for process in processes] == [0, 0]
    expected = {f"k{i}": i for i in range(20)}
    assert tomllib.loads(conf.read_text()) == dict.fromkeys(("p0", "p1", "t0", "t1"), expected)


SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.datetimes(timezones=st.sampled_from([None, datetime.UTC])),
    st.dates(),
)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))
TREES = st.dictionaries(NAMES, VALUES, max_size=4)


@given(TREES)
def test_what_is_dumped_is_read_back(tree: dict[str, Any]) -> None:
    """Any names and values, however odd."""
    assert tomllib.loads(dump(tree)) == tree


@given(TREES, NAMES, SCALARS)
def test_an_edited_file_means_what_was_asked_for(tree: dict[str, Any], name: str, value: Any) -> None:
    """One more key, in a section of its own, in any file."""
    wanted = {**tree, "section": {name: value}}
    assert tomllib.loads(edited(dump(tree), {("section", name): value}, wanted)) == wanted


def test_numbers_without_digits_are_written() -> None:
    """TOML has words for them."""
    read = tomllib.loads(dump({"a": math.inf, "b": -math.inf, "c": math.nan}))
    assert read["a"] == math.inf
    assert read["b"] == -math.inf
    assert math.isnan(read["c"])


def test_a_section_changes_keys_and_drops_others(conf: Path) -> None:
    """What is None goes, with its line; a table takes the place of what was there; the rest stays as it was written."""
    conf.parent.mkdir()
    conf.write_text("[executors.x]  # mine\nhost = 'a'  # old\nkept = 1\n\n[executors.x.table]\na = 1\nb = 2\n")
    change_section("executors.x", {"host": None, "unknown": None, "new": 2, "table": {"b": 3, "c": {"d": 4}}})
    assert tomllib.loads(conf.read_text())["executors"]["x"] == {
        "kept": 1, "new": 2, "table": {"b": 3, "c": {"d": 4}},
    }  # fmt: skip
    assert "# mine" in conf.read_text()
    assert "# old" not in conf.read_text()


def test_dropping_what_is_not_there_writes_no_section(conf: Path) -> None:
    """The file means the same afterwards."""
    change_section("executors.x", {"host": None})
    assert tomllib.loads(conf.read_text()) == {}
