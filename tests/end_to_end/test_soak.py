"""Ten minutes at 80 % of the measured rate, with retention by size and readers: every bound of it is held."""

import argparse

import pytest

from benchmarks import soak
from benchmarks.figures import show


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_long_load_holds_all_its_bounds(tmp_path):
    given = argparse.Namespace(seconds=600.0, retention_bytes="10GiB", rate=0.0, folder=tmp_path)
    figures = soak.measure(given)
    show(figures)
    assert [figure.name for figure in figures if figure.met is False] == []
