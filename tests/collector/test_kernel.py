import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from weft_collector import kernel
from weft_collector.kernel import cache_parent, kernel_sources, make_cache_folder, sources_digest

ROOT = Path(kernel.__file__).parent


def test_the_cache_is_the_users():
    assert cache_parent({"HOME": "/home/me"}) == Path("/home/me/.cache/weft")
    assert cache_parent({"HOME": "/home/me", "XDG_CACHE_HOME": "/cache"}) == Path("/cache/weft")
    assert cache_parent({"HOME": "/home/me", "XDG_CACHE_HOME": "/cache", "WEFT_CACHE": "/mine"}) == Path(
        "/mine"
    )


def test_without_a_home_the_cache_is_temporary():
    folder = make_cache_folder(cache_parent({}), "kernels-1")
    try:
        assert folder.is_dir()
    finally:
        folder.rmdir()


def test_the_folder_is_private(tmp_path):
    folder = make_cache_folder(tmp_path / "a" / "b", "kernels-1")
    assert folder == tmp_path / "a" / "b" / "kernels-1"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_parent_that_cannot_hold_a_folder_gives_a_temporary_one(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("a file, no folder")
    folder = make_cache_folder(blocked, "kernels-1")
    try:
        assert folder.is_dir()
        assert tmp_path not in folder.parents
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        folder.rmdir()


def test_old_folders_are_removed(tmp_path):
    for age in range(10):
        (tmp_path / f"kernels-{age}").mkdir()
        (tmp_path / f"kernels-{age}" / "code").write_text("")
        os.utime(tmp_path / f"kernels-{age}", (1000 - age, 1000 - age))
    (tmp_path / "something else").mkdir()
    make_cache_folder(tmp_path, "kernels-new")
    assert {path.name for path in tmp_path.iterdir()} == {
        "kernels-new",
        "kernels-0",
        "kernels-1",
        "kernels-2",
        "something else",
    }


def test_the_digest_notices_every_change(tmp_path):
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_text("from weft_collector.kernel import kernel\n")
    two.write_text("a table without kernels\n")
    assert kernel_sources(tmp_path) == [one]
    before = sources_digest(kernel_sources(tmp_path))
    assert before == sources_digest([one])
    one.write_text("from weft_collector.kernel import kernel \n")
    assert sources_digest([one]) != before
    two.write_text("from weft_collector.kernel import inline\n")
    assert sources_digest(kernel_sources(tmp_path)) != sources_digest([one])


def test_what_kernels_import_is_a_source_too(tmp_path):
    (tmp_path / "wire").mkdir()
    texts = {
        "entry.py": "from weft_collector.kernel import kernel\nfrom weft_collector.wire.rows import A\n",
        "wire/rows.py": "from weft_collector.wire import order, more\n",
        "wire/order.py": "from weft_collector.last import (\n    LAST,\n)\n",
        "wire/more.py": "",
        "last.py": "import os\n",
        "unrelated.py": "from weft_collector.wire.rows import A\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    found = {path.relative_to(tmp_path).as_posix() for path in kernel_sources(tmp_path)}
    assert found == set(texts) - {"unrelated.py"}


def test_every_module_that_the_decoder_is_compiled_from_is_a_source():
    names = {path.relative_to(ROOT).as_posix() for path in kernel_sources(ROOT)}
    assert {
        "kernel.py",
        "wire/otlp_spans.py",
        "wire/otlp_job.py",
        "wire/columns.py",
        "wire/known_keys.py",
    } <= names
    assert "wire/compression.py" not in names


PROGRAM = """
from weft_collector.wire.otlp_protobuf import Decoder
from weft_collector.wire import otlp_index, otlp_resources, otlp_spans
Decoder().warm()
stats = [k.stats for k in (otlp_index.index_body, otlp_resources.read_resources, otlp_spans.read_spans)]
print(sum(sum(s.cache_hits.values()) for s in stats), sum(sum(s.cache_misses.values()) for s in stats))
"""


@pytest.mark.long
def test_the_second_start_loads_what_the_first_compiled(tmp_path):
    environ = os.environ | {"WEFT_CACHE": str(tmp_path)}
    runs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=environ,
            capture_output=True,
            text=True,
            check=True,
            timeout=100,
        ).stdout.split()
        for _ in range(2)
    ]
    assert runs == [["0", "3"], ["3", "0"]]
    assert list(tmp_path.glob("kernels-*/**/*.nbc"))


# ---- the memory primitives, as a kernel sees them


@kernel.kernel
def _loads(address: int) -> tuple[int, int, int]:
    return kernel.load8(address), kernel.load32(address), kernel.load64(address)


@kernel.kernel
def _stores(address: int, value: int) -> None:
    kernel.store64(address, value)
    kernel.store32(address + 8, value)
    kernel.store8(address + 12, value)


@kernel.kernel
def _mixes(left: int, right: int) -> tuple[int, int, int]:
    return kernel.fold_multiply(left, right), kernel.byte_swap(left), kernel.shift_right(left, 60)


def test_loads_are_little_endian_and_need_no_alignment():
    data = np.arange(200, 216, dtype=np.uint8)
    assert _loads(data.ctypes.data + 3) == (
        203,
        int.from_bytes(bytes(range(203, 207)), "little"),
        int.from_bytes(bytes(range(203, 211)), "little", signed=True),
    )


def test_stores_take_the_lower_bits():
    data = np.zeros(16, np.uint8)
    _stores(data.ctypes.data + 1, -2)
    assert data.tolist() == [0, 254, *[255] * 7, 254, 255, 255, 255, 254, 0, 0]


def test_mixing_takes_numbers_as_unsigned():
    left, right = -5, 0x1234567890ABCDEF
    product = (left % 2**64) * right
    folded, swapped, shifted = _mixes(left, right)
    assert folded % 2**64 == product >> 64 ^ product % 2**64
    assert swapped % 2**64 == int.from_bytes((left % 2**64).to_bytes(8, "little"), "big")
    assert shifted == 15
