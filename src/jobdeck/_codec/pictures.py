"""Figures and images as PNG. Loaded once a figure or image is there, so it imports neither library by itself."""

from __future__ import annotations

import struct
import sys
from io import BytesIO
from typing import Any, Final

from .._picture import Picture
from .forms import Lossy, NotThisTag, base64_text, data, members, tag, whole

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"


def encode(value: Any) -> Any:
    """Return the tagged form of a matplotlib figure, a PIL image or a :class:`Picture`, None for other things."""
    if isinstance(value, Picture):
        return picture_tag(value.data)
    figures = sys.modules.get("matplotlib.figure")
    if figures is not None and isinstance(value, figures.Figure):
        return Lossy(picture_tag(_figure_png(value)))
    images = sys.modules.get("PIL.Image")
    if images is not None and isinstance(value, images.Image):
        return Lossy(picture_tag(_image_png(value)))
    return None


def decode(name: str, value: Any) -> Picture:
    """Return the picture of a tag."""
    del name
    form, content, width, height = members(value, "format", "data", "width", "height")
    if form != "png":
        raise NotThisTag
    return Picture(data(content), whole(width), whole(height))


def picture_tag(png: bytes) -> dict[str, Any]:
    """Return the tag of a PNG file."""
    if png[:8] != _SIGNATURE or len(png) < 24:
        raise TypeError("it is no PNG picture")
    width, height = struct.unpack(">II", png[16:24])
    text = f"<image {width}×{height}>"
    return tag("image", {"format": "png", "data": base64_text(png), "width": width, "height": height, "text": text})


def _figure_png(figure: Any) -> bytes:
    file = BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def _image_png(image: Any) -> bytes:
    file = BytesIO()
    if image.mode not in ("1", "L", "LA", "I;16", "P", "RGB", "RGBA"):
        image = image.convert("RGB")
    image.save(file, format="PNG")
    return file.getvalue()
