"""The task ``digits``: reads pictures with missing pixels, and asks which digit it is where it may be two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate import Asks, Fault, Header, Patch, Reading, RequestError, Shows, Task, Understands, Violation
from groundstate_models.digits.drawing import picture_svg, picture_text
from groundstate_models.digits.schema import LEVELS, UNKNOWN

CHOICE = 10.0
"""Energy of a factor of e between the chances of two digits; the file's energy has it."""

CLOSE = {28: 0.175, 8: 0.115}
"""Chance of another digit, relative to the likeliest, from which it is asked about, by the side of a picture.

``train.close`` found them on digits that the energy was not trained on: the true digit is among those offered in 98 of 100.
"""

LISTED = 0.02
"""Chance of another digit from which the answer lists it."""

IMPOSSIBLE = -30.0
"""Logarithm of the prior of a digit that the request excludes."""

STARTED = 16.0
"""First logit of the digit that a chain starts at; the others start at 0."""

DIGITS = 10


class DigitsReading(Reading, Asks, Shows):
    """A picture with missing pixels."""

    def __init__(self, header: Header, request: dict[str, Any]) -> None:
        super().__init__(header, request)
        side = int(header.inputs["picture"].shape[0])
        rows = request["picture"]
        self.text = all(isinstance(row, str) for row in rows)
        self.given = np.zeros((side, side), bool)
        self.known = np.zeros((side, side))
        for r, row in enumerate(rows):
            for c, level in enumerate(row):
                if level not in (None, UNKNOWN):
                    self.given[r, c] = True
                    self.known[r, c] = LEVELS.index(level) / 9 if isinstance(level, str) else float(level)
        wanted = request.get("digit", list(range(DIGITS)))
        self.allowed: list[int] = sorted(set(wanted)) if isinstance(wanted, list) else [wanted]
        self.average = bool(request.get("average"))
        self.likely: list[int] = []
        self.close = CLOSE[side]
        # The pixels' energy differs between digits; `check` refuses digits that are not likely enough.
        self.rivals = 0.0 if self.average else 3 * CHOICE

    def encode(self) -> dict[str, NDArray[Any]]:
        prior = np.full(DIGITS, IMPOSSIBLE, np.float32)
        prior[self.allowed] = 0.0
        return {
            "picture": self.known.astype(np.float32),
            "given": self.given.astype(np.float32),
            "prior": prior,
            "sharp": np.full(1, 0.0 if self.average else 1.0, np.float32),
        }

    def starts(self, random: np.random.Generator, count: int) -> Mapping[str, NDArray[Any]] | None:
        """Chains start at different digits that are allowed, so that every filling is found; for the average, at all alike."""
        logits = np.zeros((count, DIGITS), np.float32)
        if not self.average:
            order = random.permutation(self.allowed)
            logits[np.arange(count), order[np.arange(count) % len(order)]] = STARTED
        return {"digit": logits}

    def decode(self, tensors: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        chances = np.asarray(tensors["chance"], np.float64)
        # The chances follow from the known pixels alone: every chain finds the same.
        order = np.argsort(-chances).tolist()
        self.likely = [d for d in order if chances[d] > self.close * chances[order[0]]]
        digit = order[0] if self.average else int(tensors["digit"])
        picture = np.where(self.given, self.known, np.asarray(tensors["picture"], np.float64))
        answer = {"picture": self._written(picture), "digit": digit, "chance": round(float(chances[digit]), 4)}
        others = {str(d): round(float(chances[d]), 4) for d in order if d != digit and chances[d] >= LISTED}
        return {**answer, **({"others": others} if others else {})}

    def _written(self, picture: NDArray[np.float64]) -> list[Any]:
        if self.text:
            return ["".join(LEVELS[round(9 * level)] for level in row) for row in picture.tolist()]
        return [[round(level, 4) for level in row] for row in picture.tolist()]

    def _levels(self, answer: Mapping[str, Any]) -> NDArray[np.float64]:
        """The pixels of an answer."""
        rows = answer["picture"]
        return np.array([[LEVELS.index(c) / 9 if isinstance(c, str) else float(c) for c in row] for row in rows])

    def encode_answer(self, answer: dict[str, Any]) -> dict[str, NDArray[Any]] | None:
        del answer
        return None

    def check(self, answer: dict[str, Any]) -> list[Violation] | None:
        """Changed known pixels, and a digit that is excluded or much less likely than another. Nothing proves a filling right."""
        found = []
        wrong = np.argwhere(self.given & (np.abs(self._levels(answer) - self.known) > (0.06 if self.text else 1e-3)))
        if len(wrong):
            r, c = wrong[0].tolist()
            places = (f"picture[{r}][{c}]",)
            found.append(Violation("known", f"{len(wrong)} known pixels are changed.", count=len(wrong), places=places))
        if answer["digit"] not in self.allowed:
            found.append(Violation("digit", f"{answer['digit']} is not one of the digits allowed.", places=("digit",)))
        likelier = {int(d): p for d, p in answer.get("others", {}).items() if self.close * p > answer["chance"]}
        if likelier and not self.average:
            best = max(likelier, key=likelier.__getitem__)
            found.append(Violation("digit", f"{best} is much likelier than {answer['digit']} here.", places=("digit",)))
        return found or None

    def variables(self, answer: dict[str, Any]) -> dict[str, Any]:
        return {} if self.average else {"digit": answer["digit"]}

    def same(self, one: dict[str, Any], other: dict[str, Any]) -> bool:
        return bool(self.variables(one) == self.variables(other))

    def fix(self, variable: str, value: Any) -> Patch:
        del variable
        return ({"op": "add", "path": "/digit", "value": value},)

    def ask(self, variable: str) -> str:
        del variable
        # Of three or more that are likely, some may not be among the options.
        if len(self.likely) != 2:
            return "Which digit is it?"
        one, other = sorted(self.likely)
        return f"Is it {_article(one)} {one} or {_article(other)} {other}?"

    def called(self, variable: str, value: Any) -> str:
        del variable
        return f"{_article(value)} {value}"

    def summary(self) -> str:
        side = len(self.given)
        return f"a digit of {side} × {side} pixels, {int(self.given.sum())} of them known"

    def draw(self, answer: dict[str, Any] | None) -> str:
        return picture_text(self.known, self.given, None if answer is None else self._levels(answer))

    def svg(self, answer: dict[str, Any] | None) -> str:
        return picture_svg(self.known, self.given, None if answer is None else self._levels(answer))


def _article(digit: int) -> str:
    return "an" if digit == 8 else "a"


class DigitsTask(Task, Understands):
    """Reads pictures as rows of characters or of numbers."""

    reading = DigitsReading
    spans_lines = True

    @property
    def _side(self) -> int:
        return int(self.header.inputs["picture"].shape[0])

    def coerce(self, request: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
        """Read a picture that is one text of several lines, and ``.`` as paper."""
        picture, notes = request.get("picture"), []
        if isinstance(picture, str) and "\n" in picture.strip():
            picture = [line for line in picture.strip("\n").splitlines() if line.strip()]
            notes.append("`picture` was read as its lines.")
        if not isinstance(picture, list) or not all(isinstance(row, str) for row in picture):
            return request, []
        rows = [row.replace(".", "0") for row in picture]
        if rows != picture:
            notes.append("`.` in `picture` was read as 0, paper.")
        return ({**request, "picture": rows}, notes) if notes else (request, [])

    def parse(self, text: str) -> dict[str, Any]:
        """Read a picture as lines of characters: 0 to 9, ``.`` for 0, ``?`` for a missing pixel."""
        rows = [line.strip().replace(".", "0") for line in text.splitlines() if line.strip()]
        wrong = next(
            (k for k, row in enumerate(rows) if len(row) != self._side or set(row) - set(LEVELS + UNKNOWN)), None
        )
        if not rows or wrong is not None or len(rows) > self._side:
            here = f"line {wrong + 1} is {rows[wrong][:40]!r}" if wrong is not None else f"here are {len(rows)} lines"
            message = f"A picture has up to {self._side} lines of {self._side} characters, 0 to 9 or ?; {here}."
            raise RequestError([Fault("", message)])
        return {"picture": rows}

    def explain(self, request: Mapping[str, Any]) -> Fault | None:
        """The first row or pixel that does not fit, and what fits."""
        picture = request.get("picture")
        tolist = getattr(picture, "tolist", None)
        rows = tolist() if callable(tolist) else picture
        side = self._side
        if isinstance(rows, str):
            return Fault("picture", f"It is one text; send a list of up to {side} rows of {side} characters.")
        if not isinstance(rows, list | tuple):
            return None
        if not 1 <= len(rows) <= side:
            return Fault("picture", f"It has {len(rows)} rows; a picture has 1 to {side} rows of {side} pixels.")
        faults = (_fault(row, f"picture[{r}]", side) for r, row in enumerate(rows))
        return next((fault for fault in faults if fault is not None), None)


def _fault(row: Any, place: str, side: int) -> Fault | None:
    """What is wrong with a row of a picture."""
    if not isinstance(row, str | list | tuple):
        return Fault(place, f"A row is {side} characters or {side} numbers, not {str(row)[:20]}.")
    if len(row) != side:
        return Fault(place, f"It has {len(row)} pixels; every row of this model's pictures has {side}.")
    if isinstance(row, str):
        wrong = next((c for c in range(side) if row[c] not in LEVELS + UNKNOWN), None)
        return (
            None
            if wrong is None
            else Fault(f"{place}[{wrong}]", f"{row[wrong]!r} is no pixel; use 0 to 9, or ? if unknown.")
        )
    for c, level in enumerate(row):
        if level is None:
            continue
        if isinstance(level, bool) or not isinstance(level, int | float):
            shown = str(level)[:20]
            return Fault(
                f"{place}[{c}]", f"{shown!r} is no pixel; in a list, use numbers from 0 to 1, or null if unknown."
            )
        if not 0.0 <= level <= 1.0:
            advice = " Divide levels up to 255 by 255." if 1.0 < level <= 255.0 else ""
            return Fault(f"{place}[{c}]", f"{level:g} is no pixel; a pixel is from 0 to 1, or null if unknown.{advice}")
    return None
