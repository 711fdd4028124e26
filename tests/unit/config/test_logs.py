"""Log files of programs and servers."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from covalent_lab.config.logs import log_level, log_to_file, rotate
from covalent_lab.config.reader import ConfigReader

LOGGER = logging.getLogger("covalent_lab.part")


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """The package's logger is as it was."""
    logger = logging.getLogger("covalent_lab")
    level, handlers = logger.level, list(logger.handlers)
    yield
    logger.setLevel(level)
    for handler in [h for h in logger.handlers if h not in handlers]:
        logger.removeHandler(handler)
        handler.close()


def test_lines_of_the_level_go_to_the_file_once(tmp_path: Path) -> None:
    """The folder is made by the first line; asking twice does not write twice; another folder takes its place."""
    path = tmp_path / "logs/lab.log"
    log_to_file(path, logging.INFO)
    log_to_file(path, logging.INFO)
    assert not path.parent.exists()
    LOGGER.debug("too little")
    LOGGER.info("enough")
    assert [line.partition("INFO ")[2] for line in path.read_text().splitlines()] == ["covalent_lab.part: enough"]

    log_to_file(tmp_path / "moved/lab.log", logging.INFO)
    LOGGER.info("elsewhere")
    assert "elsewhere" in (tmp_path / "moved/lab.log").read_text()
    assert "elsewhere" not in path.read_text()


def test_a_folder_that_cannot_be_made_disturbs_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither an exception nor a word on the screen."""
    (tmp_path / "file").write_text("")
    log_to_file(tmp_path / "file/lab.log", logging.INFO)
    LOGGER.warning("lost")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("word", "level"), [("debug", 10), ("WARNING", 30), ("loud", 30)])
def test_the_level_is_a_word(word: str, level: int, tmp_path: Path) -> None:
    """One that is none counts as the default."""
    assert log_level(ConfigReader({"LOGLEVEL": word, "COVALENT_CONFIG_DIR": str(tmp_path)})) == level


def test_a_large_file_moves_aside_and_three_are_kept(tmp_path: Path) -> None:
    """The newest has the lowest number."""
    path = tmp_path / "lab.log"
    assert not rotate(path, limit=3)
    for text in ("one", "two", "three", "four", "five"):
        path.write_text(text)
        assert not rotate(path, limit=6)
        assert rotate(path, limit=3)
    assert [(tmp_path / f"lab.log.{n}").read_text() for n in (1, 2, 3)] == ["five", "four", "three"]
    assert len(list(tmp_path.iterdir())) == 3
