"""What all ways of moving files share."""

import os
from pathlib import Path

import pytest

from covalent_lab.files import moving


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    """Nothing is left behind either way; a link keeps pointing."""
    target, link = tmp_path / "a" / "target", tmp_path / "link"
    link.symlink_to(target)
    with moving.replacing(str(link)) as part:
        Path(part).write_text("new")
        assert not target.exists()
    with pytest.raises(TypeError), moving.replacing(str(target)) as part, open(part, "w") as file:
        file.writelines(["half", None])
    assert (target.read_text(), link.is_symlink(), os.listdir(target.parent)) == ("new", True, ["target"])


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/passwd", "a//b", ".", "a/./b", "a\0b", ""])
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    """Names of objects are whatever somebody else chose."""
    with pytest.raises(ValueError, match="name"):
        moving.inside("/target", name)


def test_names_are_kept_below_the_folder() -> None:
    """As they are."""
    assert moving.inside("/target", "a b/c.txt") == "/target/a b/c.txt"


def test_a_tree_is_walked_through_links_that_do_not_lead_up(tmp_path: Path) -> None:
    """In a fixed order."""
    for name in ("top/b/2", "top/a/1", "other/3"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "top" / "round").symlink_to(tmp_path / "top")
    (tmp_path / "top" / "there").symlink_to(tmp_path / "other")
    assert [name for _, name in moving.walk(f"{tmp_path}/top/")] == ["a/1", "b/2", "there/3"]
    with pytest.raises(NotADirectoryError):
        list(moving.walk(str(tmp_path / "none")))


def test_long_transfers_report_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    """One line in five seconds, on standard error; nothing about what is small."""
    now = iter([0.0, 4.9, 5.0, 6.0, 11.0, 0.0, 99.0, 0.0, 99.0])
    advance = moving.progress("big", 100 << 20, clock=lambda: next(now))
    for _ in range(4):
        advance(25 << 20)
    moving.progress("small", 10, clock=lambda: next(now))(10)
    moving.progress("unknown", None, clock=lambda: next(now))(3 << 20)
    said = capsys.readouterr()
    assert said.err.splitlines() == ["big: 50 of 100 MiB", "big: 100 of 100 MiB", "unknown: 3 MiB"]
    assert said.out == ""


def test_what_may_pass_is_tried_four_times(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What will not pass once; each new try is told."""
    monkeypatch.setattr(moving, "DELAYS_S", (0, 0, 0))
    tries: list[Exception] = []

    def fail() -> None:
        tries.append(TimeoutError("slow") if len(tries) < 9 else KeyError("bug"))
        raise tries[-1]

    with pytest.raises(TimeoutError):
        moving.persist("GET x", fail, lambda error: isinstance(error, TimeoutError))
    assert len(tries) == 4
    assert capsys.readouterr().err.splitlines() == ["GET x: slow; trying again in 0 s"] * 3
    tries += [TimeoutError()] * 5
    with pytest.raises(KeyError):
        moving.persist("GET x", fail, lambda error: isinstance(error, TimeoutError))
    assert len(tries) == 10


def test_damage_is_told() -> None:
    """By size and by checksum."""
    with pytest.raises(OSError, match="1 of 2 bytes"):
        moving.check_size("x", 2, 1)
    with pytest.raises(OSError, match="md5 should be YQ==, and is Yg=="):
        moving.check_digests("x", {"md5": b"a"}, {"md5": b"b"})


def test_a_missing_library_is_told_where_it_is_missed() -> None:
    """The task may run where other packages are installed than here."""
    says = r"pip install 'covalent-lab\[gcp\]'.*deps_pip"
    with pytest.raises(ImportError, match=says), moving.explain_missing("no_such_library", "covalent-lab[gcp]"):
        import no_such_library  # noqa: F401
