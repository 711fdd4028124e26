"""Whether a picture looks like the one that is kept of it, whatever fonts there are.

Both are shrunk to a coarse raster and compared cell by cell. Texts on canvases are drawn as bars whose size depends on
nothing but the text, and those of pages in a font of fixed width.

WRITE_PICTURES=1 pytest tests/ui/test_pictures.py    keeps the pictures anew; look at them before you commit them
"""

import os
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops

from tests.ui.conftest import ROOT

__all__ = ["BARS_FOR_TEXTS", "KEPT", "PLAIN_FONT", "Raster", "assert_kept", "differing_share", "kept_picture"]

KEPT = ROOT / "tests" / "ui" / "pictures"
SEEN = ROOT / "test-results" / "pictures"
COLOURS = 128

BARS_FOR_TEXTS = """() => {
  const { prototype } = CanvasRenderingContext2D;
  const sizeOf = context => parseFloat(context.font.match(/([\\d.]+)px/)[1]);
  const widthOf = (context, text) => 0.55 * sizeOf(context) * text.length;
  prototype.measureText = function (text) { return { width: widthOf(this, text) }; };
  prototype.fillText = function (text, x, y) {
    const [width, height] = [widthOf(this, text), 0.6 * sizeOf(this)];
    const before = { center: width / 2, right: width, end: width }[this.textAlign] ?? 0;
    this.fillRect(x - before, y - height / 2, width, height);
  };
}"""
PLAIN_FONT = """
* { font-family: monospace !important; line-height: 1.4 !important; transition: none !important; }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raster:
    """How alike pictures have to be.

    Attributes:
        cell: Width and height of a cell in pixels.
        tolerance: How far a colour of a cell may be off, of 255.
        share: The share of cells that may be further off.
        stretch: By what share of it a width or height may differ, as fonts make pages wider.
    """

    cell: int = 8
    tolerance: int = 24
    share: float = 0.002
    stretch: float = 0.0


def differing_share(one: Image.Image, other: Image.Image, raster: Raster) -> float:
    """The share of cells that differ; all of them where the sizes do by more than is allowed."""
    if any(abs(mine - its) > raster.stretch * mine for mine, its in zip(one.size, other.size, strict=True)):
        return 1.0
    size = one.width // raster.cell, one.height // raster.cell
    coarse = [image.convert("RGB").resize(size, Image.Resampling.BOX) for image in (one, other)]
    worst = ImageChops.difference(*coarse).split()
    most = ImageChops.lighter(ImageChops.lighter(worst[0], worst[1]), worst[2])
    return sum(most.histogram()[raster.tolerance + 1 :]) / (size[0] * size[1])


def assert_kept(name: str, png: bytes, raster: Raster | None = None) -> None:
    """Fail unless a picture is like the kept one of this name, and leave it in test-results."""
    raster = raster or Raster()
    picture, kept = Image.open(BytesIO(png)).convert("RGB"), KEPT / f"{name}.png"
    if os.environ.get("WRITE_PICTURES"):
        write(picture, kept)
    seen = SEEN / f"{name}.png"
    write(picture, seen)
    assert kept.exists(), f"There is no {kept}; WRITE_PICTURES=1 writes it."
    share = differing_share(kept_picture(name), picture, raster)
    assert share <= raster.share, (
        f"{share:.1%} of {seen} are not as in {kept}. If that is how it should look, WRITE_PICTURES=1 keeps it."
    )


def kept_picture(name: str) -> Image.Image:
    """The picture that is kept under a name."""
    return Image.open(BytesIO((KEPT / f"{name}.png").read_bytes()))


def write(picture: Image.Image, path: Path) -> None:
    """Write a picture with few colours, which is smaller."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
