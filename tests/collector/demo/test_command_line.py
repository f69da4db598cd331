import click
import pytest
from click.testing import CliRunner

from weft_collector.cli.demo import demo, duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("20s", 20), ("2m", 120), ("1.5h", 5400), ("7", 7), (" 3s ", 3)]
)
def test_durations(text, seconds):
    assert duration(None, None, text) == seconds


@pytest.mark.parametrize("text", ["", "s", "0s", "-1s", "1e3", "9999999s", "2 fortnights", "nan"])
def test_what_is_no_duration(text):
    with pytest.raises(click.BadParameter, match="20s, 2m or 1h"):
        duration(None, None, text)


def test_an_unknown_topology_is_refused():
    result = CliRunner().invoke(demo, ["--topology", "mesh"])
    assert result.exit_code == 2
    assert "pymicro" in result.output


def test_help_names_every_option():
    text = CliRunner().invoke(demo, ["--help"]).output
    assert all(
        option in text for option in ("--topology", "--for", "--no-browser", "--port", "--rate", "--data")
    )
