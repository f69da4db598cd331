"""`weft rebuild` and `weft verify` on the folder of a collector that has run."""

import shutil
import time

import httpx
import pytest

from tests.collector.api import bodies
from tests.collector.cli.process import serving, weft


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder with two sealed log files."""
    folder = tmp_path_factory.mktemp("kept")
    for _ in range(3):
        with serving(folder, "--port", "0") as process:
            url = process.await_ready()
            content = bodies.shop(time.time_ns() - 10**9)
            headers = {"content-type": "application/x-protobuf"}
            httpx.post(f"{url}/v1/traces", content=content, headers=headers).raise_for_status()
            assert process.stop() == 0
    return folder


@pytest.fixture
def folder(kept, tmp_path):
    shutil.copytree(kept / "data", tmp_path / "data")
    return tmp_path


def run(folder, command):
    done = weft(folder, command, "--data", folder / "data")
    return done.returncode, (done.stdout + done.stderr).decode()


def test_a_folder_that_is_whole_is_found_to_be_so(folder):
    code, told = run(folder, "verify")
    assert (code, "everything is as it should be" in told) == (0, True), told
    assert "segments with" in told


@pytest.mark.parametrize("prefix", ["spans", "index"])
def test_damage_is_found_and_mended_by_a_rebuild(folder, prefix):
    file = min((folder / "data").glob(f"{prefix}-*"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)
    code, told = run(folder, "verify")
    assert (code, file.name in told, "weft rebuild" in told) == (1, True, True), told
    code, told = run(folder, "rebuild")
    assert code == 0, told
    code, told = run(folder, "verify")
    assert code == 0, told


def test_a_running_collector_keeps_its_folder_for_itself(folder):
    with serving(folder, "--port", "0") as process:
        process.await_ready()
        for command in ("verify", "rebuild"):
            code, told = run(folder, command)
            assert (code, "in use" in told) == (1, True), told
