"""The jigsaw task: pictures to likely seams, places to a grid with a confidence."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate import Asks, Fault, Header, Patch, Reading, RequestError, Shows, Task, Understands, Violation, pointer
from groundstate_models.jigsaw.confidence import TIE, Alike, confidence, doubtful, evidence
from groundstate_models.jigsaw.energy_numbers import PIN, RESIDUAL_TOLERANCE
from groundstate_models.jigsaw.hints import Hints, read_hints
from groundstate_models.jigsaw.layout import Grid, exchanged, exchanges
from groundstate_models.jigsaw.pictures import Pieces, assembled, encoded, read_pieces
from groundstate_models.jigsaw.schema import MOST_PIECES
from groundstate_models.jigsaw.seams import FLOOR, Matrix, Seams, find_seams
from groundstate_models.jigsaw.search import Layout, Search, pulls
from groundstate_models.jigsaw.sources import sources_of

SURE = 0.99
"""The least confidence of an answer."""

MOST_TIES = 6
"""Largest number of exchanges in a question."""

REMEMBERED = 8
FLAT = 2.0
"""Smallest difference of pixel levels over all pieces; below it, all pieces look the same."""

SAME = 3
"""Largest difference of pixel levels between pieces that look the same."""

UP = "the turn of piece 0"

_seams: OrderedDict[str, Seams] = OrderedDict()


def remembered_seams(pieces: Pieces, *, turned: bool, worn: float | None) -> Seams:
    """`find_seams` with a cache: the options of a question use the same pieces."""
    key = hashlib.sha256(pieces.tobytes() + repr((pieces.shape, turned, worn)).encode()).hexdigest()
    if key not in _seams:
        _seams[key] = find_seams(pieces, turned=turned, worn=worn)
        while len(_seams) > REMEMBERED:
            _seams.popitem(last=False)
    _seams.move_to_end(key)
    return _seams[key]


class JigsawReading(Reading, Asks, Shows):
    """A jigsaw: its pieces, their seams, and the hints about the finished picture."""

    def __init__(self, header: Header, request: dict[str, Any]) -> None:
        super().__init__(header, request)
        for name in ("rows", "columns"):
            if request.get(name, 1) > MOST_PIECES:
                raise _fault(name, f"{request[name]:,} is not allowed here; at most {MOST_PIECES:,} is.")
        self.pieces = read_pieces(request, MOST_PIECES, files=header.files)
        self.turned = bool(request.get("turned", False))
        height, width = self.pieces.shape[1:3]
        if self.turned and height != width:
            raise _fault("turned", f"Pieces that may be turned must be square; these have {width} × {height} pixels.")
        if float(np.ptp(self.pieces.reshape(-1, 3), axis=0).max()) < FLAT:
            raise _fault(
                "pieces", f"All {len(self.pieces)} pieces look the same, so nothing says where any of them belongs."
            )
        self._judged: dict[bytes, float] = {}
        self._chains: dict[bytes, int] = {}
        self._ways: list[int] = []

    @cached_property
    def seams(self) -> Seams:
        """The likelihood of every pair of sides."""
        return remembered_seams(self.pieces, turned=self.turned, worn=self.request.get("worn"))

    @cached_property
    def hints(self) -> Hints:
        """The hints about the finished picture."""
        return read_hints(self.request, self.seams)

    @cached_property
    def search(self) -> Search:
        """The search over assignments."""
        return Search(self.seams, self.hints.shape, self.hints.fixed)

    @property
    def contradictions(self) -> Sequence[Violation]:
        return self.hints.contradictions

    def encode(self) -> dict[str, NDArray[Any]]:
        count, (rows, columns) = len(self.pieces), self.hints.shape
        pin = np.zeros(count, np.float32)
        place = np.zeros((count, 2), np.float32)
        for piece, there in self.hints.fixed.items():
            pin[piece], place[piece] = PIN, there
        return {
            **pulls(self.seams),
            "free": np.full(count, float(self.turned), np.float32),
            "row": np.arange(rows, dtype=np.float32),
            "column": np.arange(columns, dtype=np.float32),
            "fill": np.array([min(count / (rows * columns), 1.0)], np.float32),
            "pin": pin,
            "pinned": place,
        }

    def decode(self, tensors: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        place, heading = tensors["place"].astype(float), tensors["heading"].astype(float)
        place = np.nan_to_num(place, posinf=0.0, neginf=0.0)
        turns = np.zeros(len(place), np.int64)
        if self.turned:
            place, turns = self._levelled(place, heading)
        if float(np.abs(tensors["clock"]).max()) >= RESIDUAL_TOLERANCE:
            return self._answer(self.search.nearest(place, turns))
        chain = tensors["place"].tobytes() + tensors["heading"].tobytes()
        if chain not in self._chains:
            self._chains[chain] = len(self._chains)
            starts = [self.search.nearest(place, turns)]
            rows, columns = self.hints.shape
            if self.turned and rows != columns and not self.hints.facing:
                # Headings do not tell which side of the frame is the long one.
                starts.append(self.search.nearest(_turned(place, np.pi / 2), (turns + 1) % 4))
            self.search.settle(starts)
        assert self.search.best is not None
        return self._answer(self._tied(self.search.best, self._chains[chain]))

    def _levelled(
        self, place: NDArray[np.float64], heading: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Turn the whole so that headings are multiples of a quarter turn; returns places and quarter turns."""
        facing = heading[:, 0] + 1j * heading[:, 1]
        tilt = np.angle((facing**4).sum()) / 4
        turns = np.round((np.angle(facing) - tilt) / (np.pi / 2)).astype(np.int64) % 4
        rows, columns = self.hints.shape
        extra = 0
        if rows != columns:
            level = _turned(place, -tilt)
            down, across = level.std(axis=0)
            if (down > across) != (rows > columns):
                extra = 1
        for piece, turn in self.hints.facing.items():
            extra = int(turn - turns[piece])
            break
        return _turned(place, -tilt + extra * np.pi / 2), (turns + extra) % 4

    def _tied(self, layout: Layout, chain: int) -> Layout:
        """One of the layouts that cost the same: the first chain's as it is, later ones turned or with pieces exchanged."""
        grid, turns = layout.grid, layout.turns
        if self.turned and not self.hints.facing and not self.hints.fixed:
            step = 1 if grid.shape[0] == grid.shape[1] else 2
            quarter = step * chain % 4
            grid, turns = np.rot90(grid, -quarter), (turns + quarter) % 4
            chain //= 4 // step
        for place, (one, other) in enumerate(self._ties(layout)):
            if chain >> place & 1:
                grid = exchanged(grid, one, other)
        return Layout(np.ascontiguousarray(grid), turns, layout.cost)

    def _pooled(self, turns: NDArray[np.int64]) -> tuple[Matrix, Matrix]:
        """Odds and probabilities of upright seams; a probability sums over all identical pieces."""
        odds, likely = self.seams.upright(turns)
        laid = [np.rot90(piece, -int(turn)).tobytes() for piece, turn in zip(self.pieces, turns, strict=True)]
        if len(set(laid)) == len(laid):
            return odds, likely
        names = {content: number for number, content in enumerate(dict.fromkeys(laid))}
        kind = np.array([names[content] for content in laid])
        equal = (kind[:, None] == kind).astype(np.float32)
        return odds, np.minimum(equal @ likely @ equal, 1.0) * (odds > FLOOR)

    def _alike(self, turns: NDArray[np.int64]) -> Alike:
        """Whether two pieces look the same at the given turns."""

        def alike(one: int, other: int) -> bool:
            laid = [np.rot90(self.pieces[piece], -int(turns[piece])).astype(np.int16) for piece in (one, other)]
            return bool(np.abs(laid[0] - laid[1]).max() <= SAME)

        return alike

    def _ties(self, layout: Layout) -> list[tuple[int, int]]:
        odds, _ = self.seams.upright(layout.turns)
        found: list[tuple[int, int]] = []
        taken = set(self.hints.fixed)
        alike = self._alike(layout.turns)
        for _, one, other in exchanges(layout.grid, odds, TIE):
            if one not in taken and other not in taken and len(found) < MOST_TIES and alike(one, other):
                found.append((min(one, other), max(one, other)))
                taken |= {one, other}
        return sorted(found)

    def _answer(self, layout: Layout) -> dict[str, Any]:
        _, likely = self._pooled(layout.turns)
        answer: dict[str, Any] = {
            "grid": [[piece if piece >= 0 else None for piece in row] for row in layout.grid.tolist()]
        }
        if self.turned:
            answer["turns"] = [90 * turn for turn in layout.turns.tolist()]
        answer["confidence"] = round(self._confidence(layout.grid, layout.turns), 4)
        answer["doubtful"] = [
            {"pieces": [one, other], "confidence": round(chance, 3)}
            for chance, one, other in doubtful(layout.grid, likely)
        ]
        return answer

    def _confidence(self, grid: Grid, turns: NDArray[np.int64]) -> float:
        key = grid.tobytes() + turns.tobytes()
        if key not in self._judged:
            odds, likely = self._pooled(turns)
            self._judged[key] = confidence(
                grid, odds, likely, self.seams.worn, turned=self.turned, alike=self._alike(turns)
            )
        return self._judged[key]

    def evidence(self, answer: dict[str, Any]) -> NDArray[np.float64]:
        """The evidence for and against an answer, as `confidence.evidence`."""
        grid, turns = self._read(answer)
        if grid is None:
            raise ValueError("The grid does not hold each piece once.")
        odds, likely = self._pooled(turns)
        return evidence(grid, odds, likely, self.seams.worn, turned=self.turned, alike=self._alike(turns))

    def encode_answer(self, answer: dict[str, Any]) -> dict[str, NDArray[Any]] | None:
        grid, turns = self._read(answer)
        if grid is None:
            return None
        place = np.zeros((len(self.pieces), 2), np.float32)
        for row, column in zip(*np.nonzero(grid >= 0), strict=True):
            place[grid[row, column]] = (row, column)
        return {"place": place, "heading": _headings(turns), "clock": np.zeros(1, np.float32)}

    def check(self, answer: dict[str, Any]) -> list[Violation]:
        grid, turns = self._read(answer)
        rows, columns = self.hints.shape
        if grid is None:
            message = f"The grid does not hold each of the {len(self.pieces)} pieces once, in {rows} rows of {columns} columns."
            return [Violation("pieces", message, places=("grid",))]
        broken = []
        for piece, place in self.hints.fixed.items():
            if grid[place] != piece:
                message = f"Piece {piece} is fixed at {list(place)} and is not there."
                broken.append(Violation("fixed", message, places=(f"fixed.{piece}",)))
        for piece, turn in self.hints.facing.items():
            if turns[piece] != turn:
                message = f"Piece {piece} is turned by {90 * turns[piece]}° and not by {90 * turn}°."
                broken.append(Violation("facing", message, places=(f"facing.{piece}",)))
        sure = self._confidence(grid, turns)
        if sure < SURE:
            message = f"This layout is right with a probability of {sure:.0%}, and an answer needs {SURE:.0%}."
            if sources := sources_of(grid, *self.seams.upright(turns)):
                message += f" {sources}"
            broken.append(Violation("confidence", message, amount=SURE - sure))
        return broken

    def _read(self, answer: dict[str, Any]) -> tuple[Grid | None, NDArray[np.int64]]:
        """The grid and quarter turns of an answer; no grid unless it holds each piece once."""
        count, shape = len(self.pieces), self.hints.shape
        rows = answer["grid"]
        turns = np.array(answer.get("turns", [0] * count), np.int64)
        flat = [piece for row in rows for piece in row if piece is not None]
        fits = len(rows) == shape[0] and all(len(row) == shape[1] for row in rows) and turns.shape == (count,)
        if not fits or sorted(flat) != list(range(count)) or (turns % 90).any():
            return None, np.zeros(count, np.int64)
        return np.array([[-1 if piece is None else piece for piece in row] for row in rows]), turns // 90 % 4

    def same(self, one: dict[str, Any], other: dict[str, Any]) -> bool:
        return bool(one["grid"] == other["grid"] and one.get("turns") == other.get("turns"))

    def variables(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The orientation of the picture, if open, and the places of interchangeable pieces."""
        grid, turns = self._read(answer)
        if grid is None:
            return {}
        found: dict[str, Any] = {}
        if self.turned and not self.hints.facing:
            found[UP] = 90 * int(turns[0])
            ways = 4 if grid.shape[0] == grid.shape[1] else 2
            self._ways = [(found[UP] + way * 360 // ways) % 360 for way in range(ways)]
            return found
        for one, other in self._ties(Layout(grid, turns, 0.0)):
            for piece in (one, other):
                row, column = np.argwhere(grid == piece)[0].tolist()
                found[f"the place of piece {piece}"] = [row, column]
        return found

    def choices(self, variable: str) -> Sequence[Any]:
        if variable != UP:
            return ()
        return sorted(self._ways)

    def fix(self, variable: str, value: Any) -> Patch:
        if variable == UP:
            return self._added("facing", "0", value)
        return self._added("fixed", variable.rpartition(" ")[2], value)

    def _added(self, name: str, key: str, value: Any) -> Patch:
        if name in self.request:
            return ({"op": "add", "path": pointer(name, key), "value": value},)
        return ({"op": "add", "path": pointer(name), "value": {key: value}},)

    def ask(self, variable: str) -> str:
        if variable == UP:
            return "The seams do not say which way up the picture stands. How far clockwise, in degrees, is piece 0 turned in it?"
        piece = variable.rpartition(" ")[2]
        return (
            f"Piece {piece} could be exchanged with another one without any seam fitting worse. Where does it belong?"
        )

    def called(self, variable: str, value: Any) -> str:
        if variable == UP:
            return f"piece 0 turned by {value}°"
        return f"{variable.removeprefix('the place of ')} in row {value[0]}, column {value[1]}"

    def summary(self) -> str:
        rows, columns = self.hints.shape
        message = f"a jigsaw of {len(self.pieces)} pieces in {rows} rows and {columns} columns"
        if self.hints.guessed:
            message += " (a guess: the request does not say)"
        if holes := rows * columns - len(self.pieces):
            message += f", {holes} missing"
        return message + (", any of them turned" if self.turned else "")

    def draw(self, answer: dict[str, Any] | None) -> str | None:
        if answer is None:
            return None
        width = len(str(len(self.pieces) - 1))
        mark = "" if "turns" not in answer else " ↑→↓←"[1:]
        lines = []
        for row in answer["grid"]:
            cells = []
            for piece in row:
                turn = mark and ("" if piece is None else mark[answer["turns"][piece] // 90])
                cells.append(("·" if piece is None else str(piece)).rjust(width) + turn)
            lines.append(" ".join(cells))
        return "\n".join(lines)

    def svg(self, answer: dict[str, Any] | None) -> str | None:
        if answer is None:
            return None
        import base64

        picture = assembled(self.pieces, answer["grid"], answer.get("turns"))
        data = base64.b64encode(encoded(picture, "png")).decode()
        height, width = picture.shape[:2]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
            f'<image width="{width}" height="{height}" href="data:image/png;base64,{data}"/></svg>'
        )

    def file(self, answer: dict[str, Any], kind: str) -> bytes:
        return encoded(assembled(self.pieces, answer["grid"], answer.get("turns")), kind)


class JigsawTask(Task, Understands):
    """Reads requests for jigsaws."""

    reading = JigsawReading

    def parse(self, text: str) -> dict[str, Any]:
        """``shuffled.png 5x5``, a folder of pieces, or several files; then ``turned``, ``worn=1``, ``columns=6``, ``rows=4``."""
        request: dict[str, Any] = {}
        files: list[str] = []
        for word in text.split():
            if shape := re.fullmatch(r"(\d+)[x×](\d+)", word):
                request |= {"rows": int(shape[1]), "columns": int(shape[2])}
            elif hint := re.fullmatch(r"(rows|columns|worn)=(\d+)", word):
                request[hint[1]] = int(hint[2])
            elif word == "turned":
                request["turned"] = True
            else:
                files += _in_folder(word)
        if not files:
            message = f"Write `shuffled.png 5x5`, or a folder of pieces, or several files. You gave {text[:40]!r}."
            raise _fault("", message)
        return {"image": files[0], **request} if len(files) == 1 else {"pieces": files, **request}


def _in_folder(word: str) -> list[str]:
    folder = Path(word).expanduser()
    if not folder.is_dir():
        return [word]
    inside = [
        path for path in folder.iterdir() if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".ppm")
    ]

    def natural(path: Path) -> list[Any]:
        return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", path.name)]

    return [str(path) for path in sorted(inside, key=natural)]


def _headings(turns: NDArray[np.int64]) -> NDArray[np.float32]:
    return np.stack([np.cos(turns * np.pi / 2), np.sin(turns * np.pi / 2)], axis=-1).round().astype(np.float32)


def _turned(place: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    """Turn places clockwise about their centre."""
    middle = place.mean(axis=0)
    down, across = (place - middle).T
    cosine, sine = np.cos(angle), np.sin(angle)
    found: NDArray[np.float64] = (
        np.stack([down * cosine + across * sine, across * cosine - down * sine], axis=1) + middle
    )
    return found


def _fault(place: str, message: str) -> RequestError:
    return RequestError([Fault(place, message)])
