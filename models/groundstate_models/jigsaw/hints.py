"""Hints of a request about the finished picture: shape, known places, known turns; and their contradictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from groundstate import Fault, RequestError, Violation
from groundstate_models.jigsaw.seams import Seams, alone

Place = tuple[int, int]


@dataclass(frozen=True)
class Hints:
    """The known facts about the finished picture.

    Attributes:
        shape: Rows and columns.
        fixed: Row and column of some pieces.
        facing: Quarter turns clockwise of some pieces.
        contradictions: Contradictions between the hints.
        guessed: Whether the shape is a guess.
    """

    shape: Place
    fixed: dict[int, Place]
    facing: dict[int, int]
    contradictions: tuple[Violation, ...]
    guessed: bool


def read_hints(request: dict[str, Any], seams: Seams) -> Hints:
    """The hints of a request.

    Raises:
        RequestError: If a hint names a missing piece, or a turn although no piece is turned.
    """
    count = seams.pieces
    shape, guessed = _shape(request, seams)
    rows, columns = shape
    broken: list[Violation] = []
    if rows * columns < count:
        message = f"{rows} rows of {columns} columns have {rows * columns} places for {count} pieces."
        broken.append(Violation("shape", message, places=("rows", "columns")))
    fixed: dict[int, Place] = {}
    for name, value in request.get("fixed", {}).items():
        piece, place = _piece(name, count, "fixed"), _place(value, shape, name)
        if not (place[0] < rows and place[1] < columns):
            message = f"Piece {piece} is fixed at {list(place)}, outside {rows} rows of {columns} columns."
            broken.append(Violation("fixed", message, places=(f"fixed.{name}",)))
        elif place in fixed.values():
            other = next(one for one, there in fixed.items() if there == place)
            message = f"Pieces {other} and {piece} are both fixed at {list(place)}."
            broken.append(Violation("fixed", message, places=(f"fixed.{other}", f"fixed.{name}")))
        else:
            fixed[piece] = place
    facing = {_piece(name, count, "facing"): turn // 90 for name, turn in request.get("facing", {}).items()}
    if not seams.turned and any(facing.values()):
        name = next(str(piece) for piece, turn in facing.items() if turn)
        message = f"Piece {name} is said to be turned, and `turned` is not true."
        broken.append(Violation("facing", message, places=("turned", f"facing.{name}")))
    return Hints(shape, fixed, facing, tuple(broken), guessed)


def _shape(request: dict[str, Any], seams: Seams) -> tuple[Place, bool]:
    count, rows, columns = seams.pieces, request.get("rows"), request.get("columns")
    if rows is not None and columns is not None:
        return (rows, columns), False
    if columns is not None:
        return (-(-count // columns), columns), False
    if rows is not None:
        return (rows, -(-count // rows)), False
    return _guessed(seams), True


def _guessed(seams: Seams) -> Place:
    """The shape without holes whose border best fits the number of sides without a neighbour."""
    count = seams.pieces
    shapes = [(rows, count // rows) for rows in range(1, count + 1) if count % rows == 0]
    if seams.turned:
        border = float(alone(seams.odds)[0].sum())
        landscape = [shape for shape in shapes if shape[0] <= shape[1]]
        return min(landscape, key=lambda shape: abs(2 * sum(shape) - border))
    (right, left), (bottom, top) = (alone(odds) for odds in seams.odds)
    rows, columns = float(right.sum() + left.sum()) / 2, float(bottom.sum() + top.sum()) / 2
    return min(shapes, key=lambda shape: abs(np.log(shape[0] / shape[1]) - np.log((rows + 0.1) / (columns + 0.1))))


def _piece(name: str, count: int, where: str) -> int:
    if not (name.isascii() and name.isdigit() and int(name) < count):
        raise RequestError(
            [Fault(f"{where}.{name}", f"There is no piece {name!r}; pieces are numbered 0 to {count - 1}.")]
        )
    return int(name)


def _place(value: Any, shape: Place, name: str) -> Place:
    rows, columns = shape
    if isinstance(value, str):
        words = value.lower().split()
        if len(words) == 2 and words[0] in ("top", "bottom") and words[1] in ("left", "right"):
            return (0 if words[0] == "top" else rows - 1, 0 if words[1] == "left" else columns - 1)
    elif len(value) == 2:
        return (value[0], value[1])
    message = f'{value!r} is not a place; write [row, column] from 0, or a corner such as "top left".'
    raise RequestError([Fault(f"fixed.{name}", message)])
