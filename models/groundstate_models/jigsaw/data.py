"""Photographs to learn from: free pictures in Debian packages.

`photographs.json` lists every photograph with its package, its path there, its licence and its split. The repository contains
no pictures: `fetch` downloads the packages through apt (Debian bookworm) and `load` reads the pictures out of them.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LIST = Path(__file__).with_name("photographs.json")
HELD_OUT = 5  # one photograph in this many is held out of training, by a hash of its name
SIDE = 1200  # longest side in pixels: enough for a jigsaw of 28-pixel pieces

Picture = NDArray[np.uint8]
"""(height, width, 3), RGB."""


def catalogue() -> list[dict[str, str]]:
    """The photographs: package, file (and number in it, for Qt resource files), licence."""
    listed: list[dict[str, str]] = json.loads(LIST.read_text(encoding="utf-8"))["photographs"]
    return listed


def held_out(photograph: Mapping[str, str]) -> bool:
    """Whether a photograph is held out of training: for the curve, the calibration and the choice between two runs."""
    name = f"{photograph['package']}/{photograph['file']}"
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % HELD_OUT == 0


def fetch(folder: Path) -> None:
    """Download and unpack the packages that the catalogue names.

    Raises:
        RuntimeError: If apt or dpkg is missing, or a download fails.
    """
    unpack(folder, {photograph["package"] for photograph in catalogue()})


def unpack(folder: Path, packages: Iterable[str]) -> None:
    """Download and unpack Debian packages, each into a folder of its name; those that are there already stay as they are.

    Raises:
        RuntimeError: If apt or dpkg is missing, or a download fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    apt, dpkg = shutil.which("apt-get"), shutil.which("dpkg-deb")
    if apt is None or dpkg is None:
        raise RuntimeError("The photographs and fonts come from Debian packages; this needs apt-get and dpkg-deb.")
    for package in sorted(packages):
        if (folder / package).is_dir():
            continue
        subprocess.run([apt, "download", package], cwd=folder, check=True, capture_output=True)  # noqa: S603
        (archive,) = folder.glob(f"{package}_*.deb")
        subprocess.run([dpkg, "-x", str(archive), str(folder / package)], check=True)  # noqa: S603
        archive.unlink()


def load(folder: Path, *, training: bool, side: int = SIDE) -> list[Picture]:
    """The photographs of one split, each at most `side` pixels long.

    Args:
        folder: Where `fetch` unpacked the packages.
        training: The split to learn from; otherwise the one held out.
        side: Longest side, in pixels.
    """
    return [picture for photograph, picture in read(folder, side=side) if held_out(photograph) is not training]


def read(folder: Path, *, side: int = SIDE) -> Iterator[tuple[dict[str, str], Picture]]:
    """Every photograph of the catalogue with its picture."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    inside: dict[Path, list[bytes]] = {}
    for photograph in catalogue():
        name, _, number = photograph["file"].partition("#")
        path = folder / photograph["package"] / name
        if number and path not in inside:
            inside = {path: embedded(path.read_bytes())}
        content = inside[path][int(number)] if number else path.read_bytes()
        with Image.open(io.BytesIO(content)) as image:
            image.thumbnail((side, side), Image.Resampling.LANCZOS)
            yield photograph, np.asarray(image.convert("RGB"))


def embedded(resource: bytes, smallest: int = 300) -> list[bytes]:
    """The JPEG, PNG and WebP pictures in a Qt resource file, in file order.

    Args:
        resource: The file.
        smallest: Pictures with a side below this are left out, in pixels.
    """
    from PIL import Image, UnidentifiedImageError

    found: list[tuple[int, bytes]] = []
    for magic in (b"\xff\xd8\xff", b"RIFF", b"\x89PNG"):
        at = resource.find(magic)
        while at >= 0:
            content = resource[at : at + 4_000_000]
            try:
                with Image.open(io.BytesIO(content)) as image:
                    if min(image.size) >= smallest and image.mode in ("RGB", "RGBA"):
                        image.load()
                        found.append((at, content))
            except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
                pass
            at = resource.find(magic, at + 3)
    return [content for _, content in sorted(found)]


def digest(pictures: Sequence[Picture]) -> str:
    """A short fingerprint of the training photographs."""
    whole: Any = hashlib.sha256()
    for picture in pictures:
        whole.update(picture.tobytes())
    return str(whole.hexdigest()[:12])
