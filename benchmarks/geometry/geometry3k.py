"""School problems of Geometry3K: ``python -m benchmarks.geometry.geometry3k geometry3k_0-2400.jsonl.gz --every 20``.

Counted is: a figure was found in which every form holds that this reader takes, and what ``Find`` asks for is given, or named
as not determined. Where a person drew the points decides only in which order they lie on a line, which the forms leave out.
"""

from __future__ import annotations

import argparse
import collections
import gzip
import json
import re
import statistics
import time
from pathlib import Path
from typing import Any

import groundstate as gs

Form = Any
"""A name with a list of forms, or a text."""


class UnreadError(Exception):
    """A form that is not taken."""


def parse(text: str) -> Form:
    """``Equals(LengthOf(Line(T, R)), x+21)`` as nested lists."""
    text = text.strip()
    match = re.match(r"^([A-Z]\w*)\((.*)\)$", text, flags=re.DOTALL)
    if not match:
        return text
    parts, depth, word = [], 0, ""
    for c in match.group(2):
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            parts.append(word)
            word = ""
        else:
            word += c
    return [match.group(1), *(parse(part) for part in [*parts, word])]


class Reader:
    """The request of one problem."""

    def __init__(self, problem: dict[str, Any]) -> None:
        self.places = {name: tuple(at) for name, at in problem["points"].items() if tuple(at) != (-1, -1)}
        self.drawn = problem["lines"]
        self.circles: dict[str, Any] = {}
        self.on: dict[str, set[str]] = collections.defaultdict(set)
        self.said: list[Any] = []
        self.skipped: list[str] = []
        self.find: str | None = None
        forms = [(text, parse(text)) for text in dict.fromkeys(problem["diagram"] + problem["text"])]
        for _, form in forms:
            if form[0] == "PointLiesOnCircle" and isinstance(form, list):
                self.on[self.circle(form[2])].add(form[1])
        for text, form in forms:
            try:
                self.take(form)
            except (UnreadError, ValueError, IndexError, TypeError, KeyError):
                self.skipped.append(text)

    @property
    def request(self) -> dict[str, Any]:
        found: dict[str, Any] = {"constraints": self.said}
        if self.circles:
            found["circles"] = self.circles
        return found | ({"measure": [self.find]} if self.find else {})

    def circle(self, form: Form) -> str:
        centre = form[1] if isinstance(form, list) else form
        name = f"k{centre}"
        if not re.fullmatch(r"[A-Z]\w?", centre):
            raise UnreadError
        self.circles.setdefault(name, {"center": centre})
        return name

    def line(self, form: Form) -> str:
        if form[0] != "Line" or len(form) != 3:
            raise UnreadError
        return f"{form[1]}{form[2]}"

    def corner(self, form: Form) -> str:
        if form[0] != "Angle":
            raise UnreadError
        if len(form) == 4:
            return f"angle {form[1]}{form[2]}{form[3]}"
        if re.fullmatch(r"\d+", form[1]):
            return f"q{form[1]}"
        arms = sorted({other for pair in self.drawn if form[1] in pair for other in pair.replace(form[1], "", 1)})
        if len(arms) != 2:
            raise UnreadError
        return f"angle {arms[0]}{form[1]}{arms[1]}"

    def number(self, text: str) -> str:
        text = text.replace("\\", "").replace("$", "")
        text = re.sub(r"frac\{(.+?)\}\{(.+?)\}", r"((\1)/(\2))", text)
        text = re.sub(r"sqrt\{(.+?)\}", r"sqrt(\1)", text).replace("degree", "")
        if not re.fullmatch(r"[\w\s.+\-*/^()]*", text):
            raise UnreadError
        if match := re.fullmatch(r"\s*angle (\d+)\s*", text):
            return f"q{match.group(1)}"
        return text

    def value(self, form: Form) -> str:
        """A measure or a number as a formula."""
        if isinstance(form, str):
            return self.number(form)
        word, *of = form
        if word == "LengthOf":
            inner = of[0]
            if isinstance(inner, list) and inner[0] != "Line":
                return self.value(inner)
            return self.number(inner) if isinstance(inner, str) else self.line(inner)
        if word == "Line":
            return self.line(form)
        if word == "Angle":
            return self.corner(form)
        if word == "MeasureOf":
            if isinstance(of[0], str):
                return self.number(of[0])
            if of[0][0] == "Arc":
                return self.arc(of[0])
            return self.corner(of[0])
        if word in {"RadiusOf", "DiameterOf", "CircumferenceOf"}:
            return f"{word.removesuffix('Of').lower()} of {self.circle(of[0])}"
        if word in {"AreaOf", "PerimeterOf"}:
            if of[0][0] == "Circle":
                return f"{'area' if word == 'AreaOf' else 'circumference of'} {self.circle(of[0])}"
            names = "".join(self.names(of[0]))
            return f"{word.removesuffix('Of').lower()} {names}"
        if word == "HalfOf":
            return f"({self.value(of[0])})/2"
        if word in {"SumOf", "Add"}:
            return " + ".join(f"({self.value(one)})" for one in of)
        if word == "Mul":
            return " * ".join(f"({self.value(one)})" for one in of)
        if word == "RatioOf":
            return f"({self.value(of[0])})/({self.value(of[1])})"
        raise UnreadError

    def arc(self, form: Form) -> str:
        if len(form) != 3:
            raise UnreadError
        around = [k for k, points in self.on.items() if {form[1], form[2]} <= points]
        if len(around) != 1:
            raise UnreadError
        return f"angle {form[1]}{self.circles[around[0]]['center']}{form[2]}"

    def names(self, form: Form) -> list[str]:
        names = form[1:] if isinstance(form, list) else []
        if len(names) == 1 and isinstance(names[0], list):
            return self.names(names[0])
        if not names or not all(isinstance(n, str) and re.fullmatch(r"[A-Z]\w?", n) for n in names):
            raise UnreadError
        return [str(n) for n in names]

    def take(self, form: Form) -> None:
        word, *of = form if isinstance(form, list) else (form,)
        if word == "Equals":
            self.said.append(f"{self.value(of[0])} = {self.value(of[1])}")
        elif word == "Find":
            self.find = self.value(of[0])
        elif word == "PointLiesOnLine":
            self.on_line(of[0], self.line(of[1]))
        elif word == "PointLiesOnCircle":
            self.said.append(f"{of[0]} on circle {self.circle(of[1])}")
        elif word in {"Perpendicular", "Parallel"}:
            self.said.append(f"{self.line(of[0])} {word.lower()} {self.line(of[1])}")
        elif word in {"Parallelogram", "Rectangle", "Square", "Rhombus", "Kite"}:
            self.said.append(f"{''.join(self.names(form))} {word.lower()}")
        elif word in {"Equilateral", "Regular"}:
            self.said.append(f"{''.join(self.names(of[0]))} regular")
        elif word in {"Congruent", "Similar"}:
            left, right = (self.names(one) for one in of)
            self.said.append(f"{''.join(left)} {word.lower()} to {''.join(right)}")
        elif word == "Tangent":
            self.tangent(self.line(of[0]), self.circle(of[1]))
        elif word == "IsDiameterOf":
            self.said.append(f"{self.line(of[0])} diameter of {self.circle(of[1])}")
        elif word == "IsMidpointOf" and of[1][0] == "Line":
            self.said.append(f"{self.names(of[0])[0]} midpoint of {self.line(of[1])}")
        elif word == "BisectsAngle":
            self.said.append(f"{self.line(of[0])} bisects {self.corner(of[1])}")
        elif word == "IsMidsegmentOf" and of[1][0] == "Triangle":
            self.midsegment(self.line(of[0]), self.names(of[1]))
        elif word == "IsAltitudeOf":
            ends, corners = self.line(of[0]), self.names(of[1])
            foot = next(n for n in ends if n not in corners)
            a, b = (n for n in corners if n not in ends)
            self.said += [f"{ends} perpendicular {a}{b}", f"{foot} on line {a}{b}"]
        elif word == "IsMedianOf" and of[1][0] == "Triangle":
            ends, corners = self.line(of[0]), self.names(of[1])
            foot = next(n for n in ends if n not in corners)
            a, b = (n for n in corners if n not in ends)
            self.said.append(f"{foot} midpoint of {a}{b}")
        elif word == "InscribedIn":
            k = self.circle(of[1])
            self.said += [f"{name} on circle {k}" for name in self.names(of[0])]
        elif word == "CircumscribedTo":
            k, corners = self.circle(of[1]), self.names(of[0])
            self.said += [f"{a}{b} tangent to {k}" for a, b in zip(corners, [*corners[1:], corners[0]], strict=True)]
        elif word == "Trapezoid":
            return  # which sides are parallel is said besides
        elif word == "RightAngle":
            self.said.append(f"{self.corner(of[0])} = 90")
        elif word == "IsIncenterOf":
            self.said.append(f"{self.names(of[0])[0]} incenter of {''.join(self.names(of[1]))}")
        elif word == "IsCentroidOf":
            self.said.append(f"{self.names(of[0])[0]} centroid of {''.join(self.names(of[1]))}")
        elif word in {"Circle", "Triangle", "Quadrilateral", "UseTheorem", "Line", "IsChordOf", "IsDiagonalOf"}:
            return
        else:
            raise UnreadError

    def midsegment(self, ends: str, corners: list[str]) -> None:
        """Each end is the middle of the side on which it lies."""
        lies = {
            text.split(" ")[0]: text.split(" ")[-1] for text in self.said if isinstance(text, str) and " on " in text
        }
        for name in ends:
            side = lies.get(name, "")
            if len(side) != 2 or not set(side) <= set(corners):
                raise UnreadError
            self.said.append(f"{name} midpoint of {side}")

    def on_line(self, p: str, ends: str) -> None:
        a, b = ends[0], ends[-1]
        where = "line"
        if all(name in self.places for name in (p, a, b)):
            (px, py), (ax, ay), (bx, by) = (self.places[name] for name in (p, a, b))
            part = ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / max((bx - ax) ** 2 + (by - ay) ** 2, 1e-9)
            where = "segment" if 0 < part < 1 else "line"
        self.said.append(f"{p} on {where} {ends}")

    def tangent(self, ends: str, k: str) -> None:
        touching = [name for name in ends if name in self.on[k]]
        self.said.append(f"{ends} tangent to {k}" + (f" at {touching[0]}" if len(touching) == 1 else ""))


def main(argv: list[str] | None = None) -> int:
    """Print a summary; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--every", type=int, default=20, help="one problem of so many")
    parser.add_argument("--deadline", type=float, default=3.0)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args(argv)
    with gzip.open(options.file, "rt", encoding="utf-8") as file:
        problems = [json.loads(line) for line in file][:: options.every]
    solver = gs.load("geometry")
    count: collections.Counter[str] = collections.Counter()
    seconds = []
    for problem in problems:
        reader = Reader(problem)
        count["problems"] += 1
        count["every form taken"] += not reader.skipped
        begun = time.perf_counter()
        try:
            found = solver.solve(reader.request, ask=False, deadline=options.deadline)
        except gs.GroundstateError as error:
            count["refused"] += 1
            if options.verbose:
                print(problem["id"], "refused", str(error)[:200])
            continue
        seconds.append(time.perf_counter() - begun)
        count[str(found.status)] += 1
        if found.answer is not None:
            measured = found.answer.get("measures", {}).get(reader.find) if reader.find else None
            count["figure, every form true"] += not reader.skipped
            count["asked for: determined"] += bool(measured and measured["determined"])
            count["asked for: named as not determined"] += bool(measured and not measured["determined"])
        elif options.verbose:
            print(problem["id"], found.status, reader.said, [v.message for v in found.violations][:1], reader.skipped)
    print(dict(count))
    print(f"median {statistics.median(seconds) * 1e3:.0f} ms")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
