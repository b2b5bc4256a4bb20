"""Pictures in and out: pieces from files or base64, and the finished picture. Pillow reads and writes them."""

from __future__ import annotations

import base64
import binascii
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from groundstate import Fault, OptionError, RequestError

if TYPE_CHECKING:
    from PIL.Image import Image

Pieces = NDArray[np.uint8]
"""(pieces, height, width, 3), RGB."""

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
MOST_PIXELS = 40_000_000
"""Of all pieces together."""

MOST_BYTES = 64 << 20
"""Of the file of a picture."""

SMALLEST = 6
"""Smallest height and width of a piece, in pixels."""

FILES = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "webp": "WEBP", "bmp": "BMP", "tiff": "TIFF"}
"""File extensions for a finished picture."""


def pillow() -> Any:
    """Pillow's module.

    Raises:
        OptionError: If it is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise OptionError(
            "Jigsaws need Pillow to read pictures: install it with `pip install 'groundstate[jigsaw]'`."
        ) from None
    return Image


def opened(source: str, place: str, *, pictures: int = 1, files: bool = True) -> NDArray[np.uint8]:
    """A picture as (height, width, 3), from a path, a data URI or base64.

    Args:
        pictures: Number of pictures of this size that the request has.
        files: Whether it may be a path.

    Raises:
        RequestError: If it is not a picture.
    """
    content = _content(source, place, files=files)
    image_module = pillow()
    try:
        with image_module.open(io.BytesIO(content), formats=FORMATS) as image:
            # Before it is unpacked: a picture of some kilobytes can have billions of pixels.
            if image.width * image.height * pictures > MOST_PIXELS:
                many = f"This picture has {image.width} × {image.height} pixels"
                many += f", and there are {pictures} of them" if pictures > 1 else ""
                raise _fault(place, f"{many}; at most {MOST_PIXELS:,} pixels are allowed.")
            return np.asarray(_opaque(image))
    except (OSError, SyntaxError, ValueError, image_module.DecompressionBombError):
        shown = source if len(source) <= 60 else f"{source[:40]}…"
        raise _fault(place, f"{shown!r} is not a picture; a file or base64 of PNG or JPEG is needed.") from None


def _opaque(image: Image) -> Image:
    """Convert to RGB; transparent pixels become white."""
    if image.mode in ("RGBA", "LA", "P", "PA"):
        layered = image.convert("RGBA")
        white = pillow().new("RGBA", layered.size, "white")
        return pillow().alpha_composite(white, layered).convert("RGB")  # type: ignore[no-any-return]
    return image.convert("RGB")


def _content(source: str, place: str, *, files: bool) -> bytes:
    if files and not source.startswith("data:") and len(source) < 4096:
        path = Path(source).expanduser()
        try:
            if path.is_file():
                with path.open("rb") as file:
                    content = file.read(MOST_BYTES + 1)
                if len(content) > MOST_BYTES:
                    raise _fault(place, f"The file {source!r} has more than {MOST_BYTES:,} bytes.")
                return content
        except OSError:
            pass
        if "." in path.name or len(source) < 64:
            raise _fault(place, f"There is no file {source!r}.")
    encoded = source.partition(",")[2] if source.startswith("data:") else source
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        what = "neither a file nor base64" if files else "no base64; this server reads no files"
        raise _fault(place, f"This is {what}.") from None


def read_pieces(request: dict[str, Any], most: int, *, files: bool = True) -> Pieces:
    """The pieces of a request, in the order of their numbers.

    Args:
        request: With ``pieces``, or ``image``, ``rows`` and ``columns``.
        most: Largest number of pieces.
        files: Whether they may be named as files.

    Raises:
        RequestError: If they are not pictures, differ in size, or are too small, too few or too many.
    """
    if ("pieces" in request) == ("image" in request):
        raise _fault("", "Send either `pieces` or one `image` of shuffled tiles.")
    if "image" in request:
        return _tiles(request, most, files=files)
    sources = request["pieces"]
    _count(len(sources), most, "pieces")
    pictures = [
        opened(source, f"pieces[{number}]", pictures=len(sources), files=files) for number, source in enumerate(sources)
    ]
    size = pictures[0].shape
    for number, picture in enumerate(pictures):
        if picture.shape != size:
            raise _fault(
                f"pieces[{number}]",
                f"Piece {number} has {picture.shape[1]} × {picture.shape[0]} pixels and piece 0 has {size[1]} × {size[0]}; "
                "all must have one size.",
            )
    _large_enough(size, "pieces")
    return np.stack(pictures)


def _tiles(request: dict[str, Any], most: int, *, files: bool) -> Pieces:
    for name in ("rows", "columns"):
        if name not in request:
            raise _fault(name, f"One `image` of shuffled tiles needs `{name}`: how many tiles it has.")
    rows, columns = request["rows"], request["columns"]
    _count(rows * columns, most, "rows")
    picture = opened(request["image"], "image", files=files)
    height, width = picture.shape[0] // rows, picture.shape[1] // columns
    _large_enough((height, width), "image")
    grid = picture[: rows * height, : columns * width].reshape(rows, height, columns, width, 3)
    return np.ascontiguousarray(grid.transpose(0, 2, 1, 3, 4).reshape(rows * columns, height, width, 3))


def _count(count: int, most: int, place: str) -> None:
    if count < 2:
        raise _fault(place, "One piece is a picture already; a jigsaw needs at least 2.")
    if count > most:
        raise _fault(place, f"There are {count:,} pieces; at most {most:,} are allowed.")


def _large_enough(size: tuple[int, ...], place: str) -> None:
    if min(size[:2]) < SMALLEST:
        raise _fault(place, f"A piece has {size[1]} × {size[0]} pixels; at least {SMALLEST} × {SMALLEST} are needed.")


def _fault(place: str, message: str) -> RequestError:
    return RequestError([Fault(place, message)])


def assembled(pieces: Pieces, grid: list[list[int | None]], turns: list[int] | None) -> NDArray[np.uint8]:
    """The finished picture; holes are grey.

    Args:
        pieces: (pieces, height, width, 3).
        grid: The piece in each place.
        turns: Clockwise turn of each piece, in degrees; None if no piece is turned.
    """
    height, width = pieces.shape[1:3]
    picture = np.full((len(grid) * height, len(grid[0]) * width, 3), 128, np.uint8)
    for row, line in enumerate(grid):
        for column, piece in enumerate(line):
            if piece is not None:
                quarter = 0 if turns is None else turns[piece] // 90
                there = np.rot90(pieces[piece], -quarter)
                picture[row * height : (row + 1) * height, column * width : (column + 1) * width] = there
    return picture


def encoded(picture: NDArray[np.uint8], kind: str) -> bytes:
    """A picture as a file.

    Raises:
        OptionError: If the file type is unsupported.
    """
    if kind.lower() not in FILES:
        raise OptionError(f"jigsaw writes no files of the kind {kind!r}; it writes {', '.join(FILES)}.")
    out = io.BytesIO()
    pillow().fromarray(picture).save(out, FILES[kind.lower()])
    return out.getvalue()
