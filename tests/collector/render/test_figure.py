import io
import subprocess
import sys

import matplotlib.image
import pytest

from tests.collector.render.graphs import hostile, laid_out, shop, small, snapshot
from weft_collector.errors import BadQuery, MissingLibrary
from weft_collector.render import figure
from weft_collector.render.scene import scene


def drawn(graph):
    return scene(graph, laid_out(graph), "Weft")


def test_a_png_shows_the_whole_frame_at_twice_the_size():
    picture = drawn(small())
    data = figure.render(picture, "png")
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    height, width, _ = matplotlib.image.imread(io.BytesIO(data)).shape
    assert abs(width - 2 * picture.frame.width) <= 1
    assert abs(height - 2 * picture.frame.height) <= 1


def test_boxes_are_where_the_layout_put_them():
    picture = drawn(small())
    pixels = matplotlib.image.imread(io.BytesIO(figure.render(picture, "png")))
    for box in picture.boxes:
        x = round(2 * (box.centre.x - picture.frame.left))
        y = round(2 * (box.corner.y + 44 - picture.frame.top))
        r, g, b, *_ = pixels[y, x]
        assert (r, g, b) == pytest.approx((0xF8 / 255, 0xFA / 255, 0xFC / 255), abs=0.01), box.id


def test_a_large_png_is_scaled_down(monkeypatch):
    monkeypatch.setattr(figure, "MOST_PIXELS", 200_000)
    height, width, _ = matplotlib.image.imread(io.BytesIO(figure.render(drawn(small()), "png"))).shape
    assert 150_000 < width * height <= 205_000


def test_a_pdf_is_a_pdf():
    data = figure.render(drawn(small()), "pdf")
    assert data.startswith(b"%PDF-1.")
    assert data.rstrip().endswith(b"%%EOF")


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_equal_scenes_give_equal_bytes(kind):
    assert figure.render(drawn(small()), kind) == figure.render(drawn(small()), kind)


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_hostile_names_and_missing_glyphs_do_no_harm(kind):
    assert len(figure.render(drawn(hostile()), kind)) > 10_000


def test_an_empty_graph_is_drawn():
    assert figure.render(drawn(snapshot([])), "png").startswith(b"\x89PNG")


def test_what_would_take_minutes_is_refused(monkeypatch):
    monkeypatch.setattr(figure, "MOST_DRAWN", 10)
    with pytest.raises(BadQuery, match="svg or dot"):
        figure.render(drawn(shop()), "png")


def test_without_matplotlib_the_pip_line_is_given(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingLibrary) as raised:
        figure.render(drawn(small()), "png")
    assert raised.value.install == 'python -m pip install "weft[all]"'


def test_pictures_load_matplotlib_only_on_use():
    code = "import sys, weft_collector.render.pictures; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_pyplot_is_never_loaded():
    code = (
        "import sys; from tests.collector.render.graphs import *; from weft_collector.render import figure;"
        "from weft_collector.render.scene import scene; g = small(); figure.render(scene(g, laid_out(g), ''), 'png');"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
