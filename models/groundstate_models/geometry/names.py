"""Names of points, lines and circles, as people write them in a row: ``ABC``, ``A1B1``, ``A'B'``, ``P_1``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from groundstate_models.geometry.problem import Problem

_POINT = re.compile(r"[A-Z](?:_?\d+)?['′]*")
_LISTED = re.compile(r"\s*(?:,|\band\b|&|-|\s)\s*")


class MisreadError(Exception):
    """A statement that cannot be read; the text is a sentence for the user."""


@dataclass
class Names:
    """The names so far. A statement declares the points that it uses.

    Attributes:
        problem: New points are added to it.
        lines: Named lines, as two points.
        polygons: Corners of polygons in the order in which they were named.
        used: Points that are used without a declaration.
        declared: Whether the request lists its points.
    """

    problem: Problem
    lines: dict[str, tuple[str, str]] = field(default_factory=dict)
    polygons: list[tuple[str, ...]] = field(default_factory=list)
    used: list[str] = field(default_factory=list)
    declared: bool = False

    def is_points(self, word: str) -> bool:
        try:
            return bool(self.split(word))
        except MisreadError:
            return False

    def split(self, word: str) -> list[str]:
        """The points in a word such as ``ABC``; empty if there is none."""
        known = self.problem.points
        if word in known:
            return [word]
        found: list[str] = []
        rest = word
        longest = sorted((name for name in known if not name.startswith(" ")), key=len, reverse=True)
        while rest:
            name = next((name for name in longest if rest.startswith(name)), None)
            match = _POINT.match(rest)
            if match and (name is None or len(match.group()) > len(name)):
                name = match.group()
            if name is None:
                return []
            found.append(name)
            rest = rest[len(name) :]
        return found

    def point(self, word: str) -> str:
        """The one point that a word names; declares it if needed.

        Raises:
            MisreadError: If it names no point, or several.
        """
        found = self.split(word.strip())
        if len(found) != 1:
            raise MisreadError(self._no_point(word, found))
        return self.use(found[0])

    def _no_point(self, word: str, found: Sequence[str]) -> str:
        if len(found) > 1:
            return f"{word!r} names {len(found)} points; one point is meant here."
        near = difflib.get_close_matches(word, self.shown(), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        known = ", ".join(self.shown()[:12]) or "none yet"
        return f"{word!r} is not a point; points are capital letters such as A or B1, or listed in points (now: {known}).{hint}"

    def shown(self) -> list[str]:
        return [name for name in self.problem.points if not name.startswith(" ")]

    def use(self, name: str) -> str:
        """A point by its name; declares it if needed."""
        if name not in self.problem.points:
            self.problem.points.append(name)
            if self.declared:
                self.used.append(name)
        return name

    def points(self, text: str | Iterable[str], least: int = 1, most: int | None = None) -> list[str]:
        """Several points: ``ABC``, ``A, B and C``, or a list.

        Raises:
            MisreadError: If there are too few or too many.
        """
        words = _LISTED.split(text.strip()) if isinstance(text, str) else [str(word) for word in text]
        found: list[str] = []
        for word in words:
            names = self.split(word) if word else []
            if word and not names:
                raise MisreadError(self._no_point(word, []))
            found += [self.use(name) for name in names]
        given = text if isinstance(text, str) else ", ".join(words)
        if len(found) < least or (most is not None and len(found) > most):
            meant = f"{least}" if most == least else f"at least {least}" if most is None else f"{least} to {most}"
            raise MisreadError(f"{given!r} names {len(found)} points; {meant} are meant here.")
        return found

    def line(self, text: str) -> tuple[str, str]:
        """The two points of a line: its name, ``AB``, or ``A→B``.

        Raises:
            MisreadError: If it is not a line.
        """
        word = re.sub(r"^(?:line|segment|ray|side|vector|chord|lines|diagonal)\s+", "", text.strip())
        word = word.strip("|")
        if word in self.lines:
            return self.lines[word]
        word = re.sub(r"\s*(?:→|->|-|,|\bto\b)\s*", " ", word).strip()
        found = self.points(word)
        if len(found) != 2:
            lines = f", or one of the lines {', '.join(self.lines)}" if self.lines else ""
            raise MisreadError(
                f"{text.strip()!r} is not a line: it names {len(found)} points; give two, such as AB{lines}."
            )
        if found[0] == found[1]:
            raise MisreadError(f"{text.strip()!r} is not a line: it names the point {found[0]} twice.")
        return found[0], found[1]

    def circle(self, text: str) -> str:
        """A circle by its name.

        Raises:
            MisreadError: If there is no circle of that name.
        """
        word = re.sub(r"^(?:circle|sphere|arc)\s+", "", text.strip())
        if word in self.problem.circles:
            return word
        if word in self.problem.arcs:
            return self.problem.arcs[word][0]
        # A circle may be called by its centre.
        found = [k for k, centre in self.problem.circles.items() if centre == word]
        if len(found) == 1:
            return found[0]
        known = ", ".join(k for k in self.problem.circles if not k.startswith(" ")) or "none"
        raise MisreadError(
            f"{word!r} is not a circle (known: {known}); name it in circles, such as "
            f'"{word or "k"}": {{"center": "O", "radius": 5}}.'
        )

    def is_circle(self, text: str) -> bool:
        try:
            self.circle(text)
        except MisreadError:
            return False
        return True

    def hidden(self, about: str) -> str:
        """Add a hidden point."""
        name = f" {about} {len(self.problem.points)}"
        self.problem.points.append(name)
        return name
