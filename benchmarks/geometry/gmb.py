"""IMO problems in the language of geo-model-builder: ``python -m benchmarks.geometry.gmb FOLDER --seeds 10``.

``param`` and ``define`` name objects, ``assert`` states what must hold; all of it becomes one request, in no order. ``eval`` is
what should follow. It is kept from the solver, and evaluated by formulas of this module. Roots that a file selects arbitrarily
are left open.

Long because it is one language: its forms, its objects, and the formulas that check what should follow.
"""

from __future__ import annotations

import argparse
import cmath
import math
import re
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import groundstate as gs

Form = Any
"""An atom as text, or a list of forms."""

TOLERANCE = 1e-6


def forms(text: str) -> list[Form]:
    """The forms of a file. Keywords ignore case; ``;;`` opens a comment.

    Raises:
        ValueError: The brackets do not match.
    """
    text = re.sub(r";.*", "", text)
    stack: list[list[Form]] = [[]]
    for word in re.findall(r"[()]|[^\s()]+", text):
        if word == "(":
            stack.append([])
        elif word == ")":
            one = stack.pop()
            stack[-1].append(one)
        else:
            stack[-1].append(word)
    if len(stack) != 1:
        raise ValueError("The brackets do not match.")
    return stack[0]


@dataclass
class Line:
    """A line: through two named points, parallel or at a right angle to another through a point, or of equal distances."""

    ends: tuple[str, str] | None = None
    at: str = ""
    along: tuple[str, str] | None = None
    across: tuple[str, str] | None = None
    between: tuple[str, str] | None = None


@dataclass
class Problem:
    """A program, read.

    Attributes:
        name: The file's name.
        points: Names of the points, of which those that start with ``aux`` are of this reader.
        said: Constraints of the request.
        circles: Circles of the request.
        goals: Forms that should be true of the figure.
    """

    name: str
    points: list[str] = field(default_factory=list)
    said: list[Any] = field(default_factory=list)
    circles: dict[str, Any] = field(default_factory=dict)
    goals: list[Form] = field(default_factory=list)
    lines: dict[str, Line] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    @property
    def request(self) -> dict[str, Any]:
        return {"points": self.points, "constraints": self.said} | ({"circles": self.circles} if self.circles else {})

    # -- objects ---------------------------------------------------------------------------------------------------------

    def state(self, kind: str, *of: str, **rest: Any) -> None:
        self.said.append({"type": kind, "of": list(of), **rest})

    def aux(self) -> str:
        name = f"aux{sum(p.startswith('aux') for p in self.points)}"
        self.points.append(name)
        return name

    def point(self, form: Form, name: str | None = None) -> str:
        """The name of a point; a form that computes one gives a new point."""
        if isinstance(form, str):
            return form
        word, *a = form
        word = word.lower()
        if name is None:
            name = self.aux()
        if word == "midp":
            self.state("midpoint", name, self.point(a[0]), self.point(a[1]))
        elif word == "foot":
            p, line = self.point(a[0]), self.ends(a[1])
            self.state("collinear", name, *line)
            self.state("perpendicular", p, name, *line)
        elif word in {"circumcenter", "incenter", "orthocenter", "centroid"}:
            self.said.append(f"{name} {word} of {' '.join(self.point(p) for p in a)}")
        elif word == "amidp-opp":
            p, q, r = (self.point(one) for one in a)
            self.state("concyclic", p, q, r, name)
            self.state("equal_lengths", name, p, name, q)
            self.state("opposite_sides", name, r, p, q)
        elif word == "reflect-pl":
            self.state("symmetric", self.point(a[0]), name, *self.ends(a[1]))
        elif word in {"inter-ll", "inter-lc", "inter-cc"}:
            for one, kind in zip(a, word[-2:], strict=False):
                self.lies(name, one, kind)
        else:
            raise KeyError(word)
        return name

    def line(self, form: Form) -> Line:
        if isinstance(form, str):
            return self.lines[form]
        word, *a = form
        word = word.lower()
        if word == "line":
            return Line((self.point(a[0]), self.point(a[1])))
        if word == "para-at":
            return Line(at=self.point(a[0]), along=self.ends(a[1]))
        if word == "perp-at":
            return Line(at=self.point(a[0]), across=self.ends(a[1]))
        if word == "perp-bis":
            return Line(between=(self.point(a[0]), self.point(a[1])))
        if word == "i-bisector":
            p, v, q = (self.point(one) for one in a)
            x = self.aux()
            self.state("equal_angles", p, v, x, x, v, q)
            return Line((v, x))
        if word == "reflect-ll":
            found, axis = [], self.ends(a[1])
            for end in self.ends(a[0]):
                x = self.aux()
                self.state("symmetric", end, x, *axis)
                found.append(x)
            return Line((found[0], found[1]))
        raise KeyError(word)

    def ends(self, form: Form) -> tuple[str, str]:
        """Two points of a line."""
        line = self.line(form)
        if line.ends:
            return line.ends
        if line.between:
            p, q = line.between
            one, two = self.aux(), self.aux()
            self.state("midpoint", one, p, q)
            self.state("perpendicular", one, two, p, q)
            return (one, two)
        x = self.aux()
        self._on(x, line)
        return (line.at, x)

    def _on(self, p: str, line: Line) -> None:
        if line.ends:
            self.state("collinear", p, *line.ends)
        elif line.between:
            self.state("equal_lengths", p, line.between[0], p, line.between[1])
        elif line.along:
            self.state("parallel", line.at, p, *line.along)
        elif line.across:
            self.state("perpendicular", line.at, p, *line.across)

    def circle(self, form: Form) -> str:
        """The name of a circle."""
        key = str(form)
        if key in self.names:
            return self.names[key]
        name = f"k{len(self.circles)}"
        self.names[key] = name
        self.circles[name] = {}
        if isinstance(form, str):
            return name
        word, *a = form
        word = word.lower()
        if word in {"circ", "circumcircle"}:
            self.circles[name] = {"through": [self.point(p) for p in a]}
        elif word == "coa":
            self.circles[name] = {"center": self.point(a[0]), "through": [self.point(a[1])]}
        elif word == "diam":
            self.circles[name] = {"center": self.point(["midp", *a]), "through": [self.point(a[0])]}
        elif word == "incircle":
            self.said.append(f"{name} incircle of {' '.join(self.point(p) for p in a)}")
        else:
            raise KeyError(word)
        return name

    def lies(self, p: str, form: Form, kind: str) -> None:
        if kind == "c":
            self.state("on_circle", p, self.circle(form))
        else:
            self._on(p, self.line(form))

    # -- statements ------------------------------------------------------------------------------------------------------

    def formula(self, form: Form) -> str:
        """A number as a formula, angles in degrees."""
        if isinstance(form, str):
            return "180" if form.lower() == "pi" else form
        word, *a = form
        word = word.lower()
        if word == "uangle":
            return "angle " + " ".join(self.point(p) for p in a)
        if word == "dist":
            return " ".join(self.point(p) for p in a).join(("dist(", ")"))
        if word == "sqrt":
            return f"{math.sqrt(float(a[0])):.15g}"
        sign = {"add": "+", "sub": "-", "mul": "*", "div": "/"}[word]
        left, right = (self.formula(one) for one in a)
        return f"({left}) {sign} ({right})"

    def take(self, form: Form) -> None:
        """A command."""
        word, *a = form
        word = word.lower()
        if word == "param":
            self._param(*a)
        elif word == "define":
            name, kind, value = a
            if kind.lower() == "point":
                self.points.append(name)
                self.point(value, name)
            elif kind.lower() == "line":
                self.lines[name] = self.line(value)
            else:
                self.names[name] = self.circle(value)
        elif word == "assert":
            self.hold(a[0])
        elif word == "eval":
            self.goals.append(a[0])
        else:
            raise KeyError(word)

    def _param(self, name: Form, kind: Form, condition: Form = None) -> None:
        shape = (kind if isinstance(kind, str) else kind[0]).lower()
        if isinstance(name, list):
            self.points += name
            if shape == "polygon":
                self.state("convex", *name)
            else:
                self.state("not_on_line", *name)
            if shape == "acute-tri":
                for k in range(3):
                    self.said.append(f"angle {name[k]} {name[(k + 1) % 3]} {name[(k + 2) % 3]} < 90")
            elif shape == "equi-tri":
                self.state("equal_lengths", name[0], name[1], name[1], name[2], name[0], name[2])
            elif shape == "iso-tri":
                apex = kind[1]
                other = [p for p in name if p != apex]
                self.state("equal_lengths", apex, other[0], apex, other[1])
        elif shape == "line":
            p, q = self.aux(), self.aux()
            self.lines[name] = Line((p, q))
            if condition:
                self.state("collinear", condition[1], p, q)
        elif shape == "circle":
            self.circle(name)
        else:
            self.points.append(name)
            if condition:
                word, *a = condition
                self.hold([word, name, *a])

    def hold(self, form: Form) -> None:
        """An assertion."""
        word, *a = form
        word = word.lower()
        if word in {"=", "eq", "gte", "lte", "gt", "lt"}:
            mark = {"=": "=", "eq": "=", "gte": ">=", "lte": "<=", "gt": ">", "lt": "<"}[word]
            self.said.append(f"{self.formula(a[0])} {mark} {self.formula(a[1])}")
        elif word == "cong":
            self.state("equal_lengths", *(self.point(p) for p in a))
        elif word == "cycl":
            self.state("concyclic", *(self.point(p) for p in a))
        elif word == "coll":
            self.state("collinear", *(self.point(p) for p in a))
        elif word == "para":
            self.state("parallel", *self.ends(a[0]), *self.ends(a[1]))
        elif word == "perp":
            self.state("perpendicular", *self.ends(a[0]), *self.ends(a[1]))
        elif word == "tangent-lc":
            self.state("tangent_line", self.circle(a[1]), *self.ends(a[0]))
        elif word == "tangent-cc":
            self.state("tangent_circles", self.circle(a[0]), self.circle(a[1]))
        elif word == "on-circ":
            self.lies(self.point(a[0]), a[1], "c")
        elif word == "on-major-arc":
            k = self.circle(a[1])
            centre = self.circles[k].setdefault("center", "") or self.aux()
            self.circles[k]["center"] = centre
            self.state("on_circle", self.point(a[0]), k)
            self.state("same_side", self.point(a[0]), centre, self.point(a[2]), self.point(a[3]))
        elif word == "on-line":
            self.lies(self.point(a[0]), a[1], "l")
        elif word == "on-seg":
            self.state("between", *(self.point(p) for p in a))
        elif word == "on-ray":
            self.state("on_ray", *(self.point(p) for p in a))
        elif word == "in-poly":
            self.state("inside_polygon", *(self.point(p) for p in a))
        elif word == "not":
            self._deny(a[0])
        else:
            raise KeyError(word)

    def _deny(self, form: Form) -> None:
        word, *a = form
        if word == "cong":
            p, q, r, s = (self.point(one) for one in a)
            self.said.append(f"dist({p} {q}) != dist({r} {s})")
        elif word == "on-line":
            self.state("not_on_line", self.point(a[0]), *self.ends(a[1]))
        elif word == "para":
            self.state("not_parallel", *self.ends(a[0]), *self.ends(a[1]))
        else:
            raise KeyError(word)


def read(path: Path) -> Problem:
    """Read a file.

    Raises:
        KeyError, ValueError: It is not a program of the known words.
    """
    found = Problem(path.stem)
    for form in forms(path.read_text(encoding="utf-8")):
        found.take(form)
    return found


class Drawn:
    """Evaluates forms on a figure, with complex numbers."""

    def __init__(self, at: dict[str, Any], lines: dict[str, Line]) -> None:
        self.lines = lines
        self.at = {name: complex(*place) for name, place in at.items()}
        every = list(self.at.values())
        self.size = max((abs(p - q) for p in every for q in every), default=1.0)

    def point(self, form: Form) -> complex:
        if isinstance(form, str):
            return self.at[form]
        word, *a = form
        if word == "inter-ll":
            (p, u), (q, v) = self.line(a[0]), self.line(a[1])
            return p + u * (((q - p).conjugate() * v).imag / (u.conjugate() * v).imag)
        if word == "inter-cc":
            (c, r), (d, s), other = self.circle(a[0]), self.circle(a[1]), self.point(a[2][1])
            del r, s
            axis = (d - c) / abs(d - c)
            return c + axis * ((other - c) / axis).conjugate()
        raise KeyError(word)

    def line(self, form: Form) -> tuple[complex, complex]:
        """A point and a direction."""
        if isinstance(form, str):
            form = ["line", *(self.lines[form].ends or ())]
        word, *a = form
        if word == "line":
            p, q = (self.point(one) for one in a)
            return p, (q - p) / abs(q - p)
        if word == "i-bisector":
            p, v, q = (self.point(one) for one in a)
            return v, (p - v) / abs(p - v) + (q - v) / abs(q - v)
        raise KeyError(word)

    def circle(self, form: Form) -> tuple[complex, float]:
        word, *a = form
        p, q, r = (self.point(one) for one in a)
        if word == "incircle":
            x, y, z = abs(q - r), abs(p - r), abs(p - q)
            centre = (x * p + y * q + z * r) / (x + y + z)
            return centre, abs(((p - centre) * (q - p).conjugate()).imag) / z
        z = (r - p) / (q - p)
        centre = p + (q - p) * (abs(z) ** 2 - z) / (z.conjugate() - z)
        return centre, abs(centre - p)

    def number(self, form: Form) -> float:
        if isinstance(form, str):
            return math.pi if form == "pi" else float(form)
        word, *a = form
        if word == "uangle":
            p, v, q = (self.point(one) for one in a)
            return abs(cmath.phase((p - v) / (q - v)))
        if word == "dist":
            return abs(self.point(a[0]) - self.point(a[1]))
        left, right = (self.number(one) for one in a)
        return {"add": left + right, "sub": left - right, "mul": left * right, "div": left / (right or math.nan)}[word]

    def true(self, form: Form) -> bool:
        word, *a = form
        near = TOLERANCE * self.size
        if word == "cong":
            p, q, r, s = (self.point(one) for one in a)
            return abs(abs(p - q) - abs(r - s)) < near
        if word in {"=", "eq", "gte", "lt"}:
            left, right = self.number(a[0]), self.number(a[1])
            gap = (left - right) / max(abs(left), abs(right), 1e-9)
            return gap > -TOLERANCE if word == "gte" else gap < 0 if word == "lt" else abs(gap) < TOLERANCE
        if word == "on-circ":
            centre, radius = self.circle(a[1])
            return abs(abs(self.point(a[0]) - centre) - radius) < near
        if word == "concur":
            crossing = self.point(["inter-ll", a[0], a[1]])
            p, u = self.line(a[2])
            return abs(((crossing - p) * u.conjugate()).imag) < near
        if word == "on-seg":
            p, q, r = (self.point(one) for one in a)
            return abs(abs(p - q) + abs(p - r) - abs(q - r)) < near
        if word == "incenter":
            centre, p, q, r = (self.point(one) for one in a)
            return abs(centre - self.circle(["incircle", a[1], a[2], a[3]])[0]) < near or [p, q, r] == []
        raise KeyError(word)


def main(argv: list[str] | None = None) -> int:
    """Print a line for each problem, and the counts; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--deadline", type=float, default=10.0)
    options = parser.parse_args(argv)
    solver = gs.load("geometry")
    seconds: list[float] = []
    solved = every = goals = true = 0
    paths = sorted(options.folder.rglob("*.smt2"))
    for path in paths:
        try:
            one = read(path)
        except (KeyError, ValueError) as error:
            print(f"{path.stem:20} not read: {error}")
            continue
        mine, held, took = 0, 0, []
        for seed in range(options.seeds):
            begun = time.perf_counter()
            found = solver.solve(one.request, seed=seed, deadline=options.deadline, ask=False)
            took.append(time.perf_counter() - begun)
            if found.answer is not None:
                mine += 1
                drawn = Drawn(found.answer["points"], one.lines)
                held += all(drawn.true(goal) for goal in one.goals)
        seconds += took
        solved, every = solved + mine, every + (mine == options.seeds)
        goals, true = goals + mine, true + held
        print(
            f"{path.stem:20} solved {mine}/{options.seeds}, goals true {held}/{mine}, median {statistics.median(took):.2f} s",
            flush=True,
        )
    seconds.sort()
    print(
        f"{len(paths)} problems × {options.seeds} seeds: {solved} solved, {every} with every seed, goals true {true}/{goals}; "
        f"median {statistics.median(seconds):.2f} s, 95th percentile {seconds[int(0.95 * (len(seconds) - 1))]:.2f} s"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
