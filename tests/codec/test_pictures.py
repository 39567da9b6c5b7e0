"""Figures and images become pictures, wherever in a message they are."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from matplotlib.figure import Figure
from PIL import Image

from jobdeck._codec import decode, display, encode
from jobdeck._picture import Picture


def test_a_figure_anywhere_in_a_message_is_a_picture():
    figure = Figure(figsize=(2, 1), dpi=50)
    figure.subplots().plot([1, 2, 3])
    text = encode({"step": 1, "plots": [figure]})
    (picture,) = decode(text)["plots"]
    assert isinstance(picture, Picture)
    assert (picture.width, picture.height) == (100, 50)
    assert Image.open(io.BytesIO(picture._repr_png_())).size == (100, 50)
    assert display(text) == '{"step": 1, "plots": [<image 100×50>]}'


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I", "F", "LAB", "I;16"])
def test_an_image_of_any_mode_is_a_picture(mode):
    picture = decode(encode(Image.new(mode, (4, 3))))
    assert (picture.width, picture.height) == (4, 3)
    assert Image.open(io.BytesIO(picture.data)).size == (4, 3)


def test_an_opened_file_is_a_picture(tmp_path):
    Image.new("RGB", (5, 2), "red").save(tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as image:
        assert decode(encode(image)).width == 5


def test_a_picture_can_be_published_again_and_saved(tmp_path):
    picture = decode(encode(Image.new("RGB", (4, 3))))
    assert decode(encode(picture)) == picture
    picture.save(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == picture.data


def test_encoding_plain_values_imports_no_library():
    code = (
        "import sys; from jobdeck._codec import encode, decode; decode(encode({'a': (1, 2j, float('nan'))}));"
        "print(sorted({'numpy', 'pandas', 'matplotlib', 'PIL', 'qiskit', 'traitlets', 'cloudpickle'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
