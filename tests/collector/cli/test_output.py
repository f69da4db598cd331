import os
import pty

import pytest

from weft_collector.cli import output
from weft_collector.cli.exits import CannotWrite


def failing():
    yield b"half"
    raise RuntimeError("broke off")


def test_a_file_is_written_whole(tmp_path, capfd):
    target = tmp_path / "x.svg"
    output.deliver([b"a", b"b"], str(target))
    assert target.read_bytes() == b"ab"
    assert "2 bytes" in capfd.readouterr().err


def test_a_file_is_not_touched_when_the_source_breaks_off(tmp_path):
    target = tmp_path / "x.svg"
    target.write_bytes(b"old")
    with pytest.raises(RuntimeError):
        output.deliver(failing(), str(target))
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("name", ["no/such/folder/x.svg", "."])
def test_a_place_that_cannot_be_written_is_named(tmp_path, name):
    with pytest.raises(CannotWrite, match="-o"):
        output.deliver([b"a"], str(tmp_path / name))


@pytest.mark.parametrize("target", [None, "-"])
def test_standard_output_takes_the_bytes_as_they_are(capfdbinary, target):
    output.deliver([b"\x00\xff"], target)
    assert capfdbinary.readouterr().out == b"\x00\xff"


def test_a_terminal_is_not_filled_with_bytes(monkeypatch):
    leader, follower = pty.openpty()
    with os.fdopen(follower, "w") as terminal:
        monkeypatch.setattr("sys.stdout", terminal)
        with pytest.raises(CannotWrite, match="-o FILE"):
            output.check_terminal(None, binary=True)
        output.check_terminal(None, binary=False)
        output.check_terminal("x.png", binary=True)
    os.close(leader)


@pytest.mark.parametrize(
    ("name", "expected"), [("a.SVG", "svg"), ("a.png", "png"), ("a.txt", None), ("a", None), (None, None)]
)
def test_a_suffix_names_a_format(name, expected):
    assert output.suffix_format(name, ("svg", "png")) == expected
