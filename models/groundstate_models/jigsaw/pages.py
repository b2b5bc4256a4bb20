"""Pages of text and maps to learn from, drawn with fonts and texts of Debian packages.

`pages.json` lists the packages with their licences and their split: the test split has other fonts, and texts in other
languages. No page, font or text is part of this package. Pages are drawn in many sizes, spacings and greys; maps have areas by
height, contour lines, rivers, roads and names.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate_models.jigsaw import data

LIST = Path(__file__).with_name("pages.json")
SIDE = 900
WORDS = 40_000
"""Most words that are read of a language."""

ROFF = re.compile(r"\\(?:f\[[^\]]*\]|f.|\(..|\*\[[^\]]*\]|\[[^\]]*\]|.)")


def catalogue() -> dict[str, list[dict[str, Any]]]:
    """The packages: ``fonts`` and ``texts``, each with package, licence, scripts and split."""
    listed: dict[str, list[dict[str, Any]]] = json.loads(LIST.read_text(encoding="utf-8"))
    return {name: listed[name] for name in ("fonts", "texts")}


def fetch(folder: Path) -> None:
    """Download and unpack the packages, as `data.fetch`."""
    listed = catalogue()
    data.unpack(folder, {entry["package"] for name in listed for entry in listed[name]})


class Press:
    """Fonts and texts of one split, and the pages that are drawn with them.

    Args:
        folder: Where `fetch` unpacked the packages.
        training: The split to learn from; otherwise the one for tests.
    """

    def __init__(self, folder: Path, *, training: bool) -> None:
        listed = catalogue()
        self._fonts: dict[str, list[str]] = {}
        self._texts: dict[str, list[list[str]]] = {}
        for entry in listed["fonts"]:
            if entry["test"] is training:
                continue
            files = sorted(
                str(file) for kind in ("ttf", "otf") for file in (folder / entry["package"]).rglob(f"*.{kind}")
            )
            for script in entry["scripts"]:
                self._fonts.setdefault(script, []).extend(files)
        for entry in listed["texts"]:
            if entry["test"] is not training:
                self._texts.setdefault(entry["scripts"][0], []).append(words(folder / entry["package"]))

    def _choice(self, rng: np.random.Generator) -> tuple[str, list[str]]:
        """A font's file, and words that it can show."""
        texts = [(script, text) for script, found in self._texts.items() for text in found]
        script, text = texts[int(rng.integers(len(texts)))]
        fonts = self._fonts[script]
        return fonts[int(rng.integers(len(fonts)))], text

    def page(self, rng: np.random.Generator, side: int = SIDE) -> data.Picture:
        """A page of text: (side, side, 3)."""
        from PIL import Image, ImageDraw

        path, text = self._choice(rng)
        size = round(float(np.exp(rng.uniform(np.log(9), np.log(30)))))
        paper, ink = _colours(rng)
        image = Image.new("RGB", (side, side), paper)
        pen = ImageDraw.Draw(image)
        font, leading = _font(path, size), size * float(rng.uniform(1.05, 1.75))
        columns = int(rng.integers(1, 1 + max(1, min(3, side // (18 * size)))))
        margin, gutter = int(rng.integers(0, 60)), int(rng.uniform(1, 3) * size)
        wide = (side - 2 * margin - gutter * (columns - 1)) / columns
        justified, spaced, broken = rng.random() < 0.5, rng.random() < 0.4, float(rng.uniform(0.01, 0.06))
        at = int(rng.integers(len(text)))
        for column in range(columns):
            left, top = margin + column * (wide + gutter), float(rng.uniform(0, leading))
            while top < side:
                at = _line(pen, text, at, (left, top), wide, font, ink, justified=justified, ends=rng.random() < broken)
                top += leading
                if spaced and rng.random() < broken:
                    top += leading * float(rng.uniform(0.3, 1.2))
        return _scanned(np.asarray(image), rng)

    def map(self, rng: np.random.Generator, side: int = SIDE) -> data.Picture:
        """A map: (side, side, 3)."""
        from PIL import Image, ImageDraw

        path, text = self._choice(rng)
        height = np.sum([_smooth(rng, side, cells) / cells for cells in (4, 9, 21)], axis=0)
        levels = int(rng.integers(4, 10))
        band = np.floor((height - height.min()) / np.ptp(height) * levels * 0.999).astype(int)
        palette = rng.uniform(120, 255, (2, 3))
        share = np.linspace(0, 1, levels)[:, None] + rng.normal(0, 0.12, (levels, 3))
        colours = np.clip(palette[0] * (1 - share) + palette[1] * share, 0, 255)
        picture = colours[band].astype(np.uint8)
        edge = np.zeros_like(band, bool)
        edge[:-1] |= band[:-1] != band[1:]
        edge[:, :-1] |= band[:, :-1] != band[:, 1:]
        if rng.random() < 0.7:
            picture[edge] = rng.integers(30, 160, 3)
        image = Image.fromarray(picture)
        pen = ImageDraw.Draw(image)
        for _ in range(int(rng.integers(6, 22))):
            way = _walk(rng, side)
            wide = int(rng.choice([1, 2, 3, 5, 7]))
            if wide > 2:
                pen.line(way, tuple(rng.integers(40, 130, 3).tolist()), wide + 2, joint="curve")
            pen.line(way, tuple(rng.integers(60, 256, 3).tolist()), wide, joint="curve")
        for _ in range(int(rng.integers(15, 90))):
            font = _font(path, int(rng.choice([9, 10, 11, 12, 14, 17, 22])))
            place = (float(rng.uniform(0, side)), float(rng.uniform(0, side)))
            name = " ".join(text[int(rng.integers(len(text)))] for _ in range(int(rng.integers(1, 3))))
            pen.text(place, name, fill=tuple(rng.integers(0, 90, 3).tolist()), font=font)
        return _scanned(np.asarray(image), rng)


def words(folder: Path, most: int = WORDS) -> list[str]:
    """The words of the manual pages under a folder."""
    found: list[str] = []
    for file in sorted(folder.rglob("man[1578]/*.gz")):
        try:
            source = gzip.decompress(file.read_bytes()).decode("utf-8", "ignore")
        except (OSError, EOFError):
            continue
        lines = [ROFF.sub("", line) for line in source.splitlines() if line[:1] not in (".", "'", "")]
        found += " ".join(lines).split()
        if len(found) > most:
            break
    if not found:
        raise RuntimeError(f"There are no manual pages in {folder}.")
    return found[:most]


@lru_cache(64)
def _font(path: str, size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(path, size)


def _colours(rng: np.random.Generator) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Paper and ink."""
    kind = rng.random()
    if kind < 0.6:
        return (255, 255, 255), (0, 0, 0)
    paper = int(rng.integers(190, 256)) + rng.integers(-12, 13, 3)
    ink = int(rng.integers(0, 110)) + rng.integers(-25, 26, 3)
    both = [tuple(np.clip(one, 0, 255).tolist()) for one in (paper, ink)]
    return (both[1], both[0]) if kind > 0.95 else (both[0], both[1])


def _line(
    pen: Any,
    text: Sequence[str],
    at: int,
    place: tuple[float, float],
    wide: float,
    font: Any,
    ink: tuple[int, ...],
    *,
    justified: bool,
    ends: bool,
) -> int:
    """Write one line; returns the number of the next word."""
    line = [text[at % len(text)]]
    length = pen.textlength(line[0], font=font)
    space = pen.textlength(" ", font=font)
    while True:
        more = pen.textlength(text[(at + len(line)) % len(text)], font=font)
        if length + space + more > wide or (ends and len(line) > 2):
            break
        line.append(text[(at + len(line)) % len(text)])
        length += space + more
    if justified and not ends and len(line) > 1:
        space += (wide - length) / (len(line) - 1)
    across = place[0]
    for word in line:
        pen.text((across, place[1]), word, fill=ink, font=font)
        across += pen.textlength(word, font=font) + space
    return at + len(line)


def _smooth(rng: np.random.Generator, side: int, cells: int) -> NDArray[np.float64]:
    """A smooth random surface."""
    from PIL import Image

    rough = Image.fromarray(rng.normal(0, 1, (cells, cells)).astype(np.float32))
    return np.asarray(rough.resize((side, side), Image.Resampling.BICUBIC), np.float64)


def _walk(rng: np.random.Generator, side: int) -> list[tuple[float, float]]:
    """A winding way across a map."""
    steps = 60
    angle = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, float(rng.choice([0.03, 0.15, 0.3])), steps))
    way = np.cumsum(np.stack([np.cos(angle), np.sin(angle)], axis=1) * side / 35, axis=0)
    way += rng.uniform(0, side, 2) - way[steps // 2]
    return [(float(x), float(y)) for x, y in way]


def _scanned(picture: data.Picture, rng: np.random.Generator) -> data.Picture:
    """Some pages are blurred and noisy, as scans are."""
    from PIL import Image, ImageFilter

    if rng.random() < 0.25:
        blurred = Image.fromarray(picture).filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 0.9))))
        noisy = np.asarray(blurred, np.float32) + rng.normal(0, rng.uniform(0.5, 5), picture.shape[:2])[..., None]
        return np.clip(noisy, 0, 255).astype(np.uint8)
    return picture
