"""The annotations of Geometry3K as requests: logic forms such as ``Equals(LengthOf(Line(T, R)), x+21)``.

Where a person drew the points decides what the forms leave out: the order of points on a line, which two rays an angle with one
letter is between, the order of a polygon's corners where the letters are in another, which sides of an isosceles triangle are
equal, and the outline that "the shape" means.
"""

from __future__ import annotations

import collections
import itertools
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import groundstate as gs
from groundstate_models.geometry.request import read

Form = Any
"""A name with a list of forms, or a text."""

COLOURS = {
    "Shaded",
    "Blue",
    "Green",
    "Red",
    "Yellow",
    "White",
    "Shape",
    "Regular",
    "Right",
    "Isosceles",
    "Equilateral",
    "Name",
}
"""Words around a shape that do not change its corners."""

RADIAN = math.pi / 180.0


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
    """The request of one problem.

    Attributes:
        said: The constraints.
        find: The measure that is asked for, as a formula; None if the forms do not name it.
        asked: The function of that measure which is asked for, such as the tangent.
        skipped: The forms that are not taken.
    """

    def __init__(self, problem: dict[str, Any]) -> None:
        self.renamed: dict[str, str] = {}
        places = {name: tuple(at) for name, at in problem["points"].items() if tuple(at) != (-1, -1)}
        used = {name for name in problem["points"] if re.fullmatch(r"[A-Z]\d?", name)}
        said = " ".join(problem["diagram"] + problem["text"])
        for name in dict.fromkeys([*problem["points"], *re.findall(r"point_\d+|[A-Z]'", said)]):
            if name not in used:
                new = next(f"{letter}{k}" for k in range(1, 10) for letter in "PQRSTUVW" if f"{letter}{k}" not in used)
                used.add(new)
                self.renamed[name] = new
        self.places = {self.renamed.get(name, name): at for name, at in places.items()}
        self.known = used
        self.drawn = [pair for pair in map(self.split, problem["lines"]) if pair is not None]
        self.circles: dict[str, Any] = {}
        self.on: dict[str, set[str]] = collections.defaultdict(set)
        self.along: dict[str, list[tuple[str, str]]] = collections.defaultdict(list)
        self.said: list[Any] = []
        self.forms: list[str] = []
        self.skipped: list[str] = []
        self.find: str | None = None
        self.asked: Callable[[float], float] | None = None
        self.every = [(text, self.rename(parse(text))) for text in dict.fromkeys(problem["diagram"] + problem["text"])]
        for _, form in self.every:
            if form[0] == "PointLiesOnCircle" and isinstance(form, list):
                self.on[self.circle(form[2])].add(form[1])
            elif form[0] == "PointLiesOnLine" and isinstance(form, list) and isinstance(form[2], list):
                self.along[form[1]].append((form[2][1], form[2][-1]))
            elif form[0] == "Circle" and isinstance(form, list) and form[1] in self.known:
                self.circle(form)
        for centre in problem["circles"]:
            if self.renamed.get(centre, centre) in self.known:
                self.circle(self.renamed.get(centre, centre))
        for text, form in self.every:
            before = len(self.said)
            try:
                self.take(form)
            except (UnreadError, ValueError, IndexError, TypeError, KeyError, StopIteration):
                del self.said[before:]
                self.skipped.append(text)
            self.forms += [text] * (len(self.said) - before)
        self.drop_refused()

    def split(self, pair: str) -> tuple[str, str] | None:
        """The two points of a drawn line, whose names stand without a space."""
        for cut in range(1, len(pair)):
            a, b = (self.renamed.get(part, part) for part in (pair[:cut], pair[cut:]))
            if a in self.places and b in self.places:
                return a, b
        return None

    def rename(self, form: Form) -> Form:
        if isinstance(form, str):
            return self.renamed.get(form.strip(), form)
        return [form[0], *(self.rename(one) for one in form[1:])]

    def drop_refused(self) -> None:
        """Leave out the statements that the model refuses: the forms hold slips such as lines from a point to itself."""
        for _ in range(3):
            try:
                read(self.request)
            except gs.RequestError as error:
                places = {int(k) for k in re.findall(r"constraints\[(\d+)\]", str(error))}
                if "measure" in str(error):
                    self.find = None
                if not places and "measure" not in str(error):
                    return
                self.skipped += [self.forms[k] for k in sorted(places)]
                for k in sorted(places, reverse=True):
                    del self.said[k], self.forms[k]
            else:
                return

    @property
    def request(self) -> dict[str, Any]:
        found: dict[str, Any] = {"constraints": self.said}
        if self.circles:
            found["circles"] = self.circles
        return found | ({"measure": [self.find]} if self.find else {})

    # -- names -----------------------------------------------------------------------------------------------------------

    def circle(self, form: Form) -> str:
        centre = form[1] if isinstance(form, list) else form
        name = f"k{centre}"
        if not re.fullmatch(r"[A-Z]\w?", centre):
            raise UnreadError
        self.circles.setdefault(name, {"center": centre})
        return name

    def line(self, form: Form) -> str:
        if form[0] != "Line":
            raise UnreadError
        if len(form) == 2 and re.fullmatch("[A-Z]{2}", form[1]):
            return str(form[1])
        if len(form) != 3 or not {form[1], form[2]} <= self.known or form[1] == form[2]:
            raise UnreadError
        return f"{form[1]}{form[2]}"

    def bare(self, form: Form) -> Form:
        """A shape without the words around it."""
        while isinstance(form, list) and form[0] in COLOURS and len(form) == 2 and isinstance(form[1], list):
            form = form[1]
        return form

    def names(self, form: Form) -> list[str]:
        form = self.bare(form)
        names = form[1:] if isinstance(form, list) else []
        if not names or not all(isinstance(name, str) and name in self.known for name in names):
            raise UnreadError
        return [str(name) for name in names]

    def ring(self, form: Form) -> list[str]:
        """The corners of a polygon in order; by the drawing if the letters would make its sides cross."""
        form = self.bare(form)
        if isinstance(form, list) and form[1:] == ["$"]:
            return self.outline()
        names = self.names(form)
        if len(names) > 3 and all(name in self.places for name in names):
            corners = [self.places[name] for name in names]
            if _crosses(corners):
                middle = [sum(axis) / len(corners) for axis in zip(*corners, strict=True)]
                names.sort(key=lambda n: math.atan2(self.places[n][1] - middle[1], self.places[n][0] - middle[0]))
        return names

    def outline(self) -> list[str]:
        """The corners of the outline of all drawn lines."""
        near: dict[str, set[str]] = collections.defaultdict(set)
        for a, b in self.drawn:
            # Of points on one ray only the nearest is a neighbour.
            near[a].add(b)
            near[b].add(a)
        if self.circles or not near:
            raise UnreadError
        for v in near:
            near[v] = {min(ray, key=lambda name: math.dist(self.places[v], self.places[name])) for ray in self.rays(v)}
        start = min(near, key=lambda name: self.places[name])
        walk, here, heading = [start], start, -math.pi / 2
        for _ in range(40):
            back = heading + math.pi
            turned = {
                name: (self.heading(here, name) - back) % math.tau + (math.tau if walk[-2:-1] == [name] else 0.0)
                for name in near[here]
                if here in near[name]
            }
            following = min(turned, key=lambda name: turned[name])
            if following == start:
                return self.corners(walk)
            heading, here = self.heading(here, following), following
            walk.append(here)
        raise UnreadError

    def corners(self, walk: list[str]) -> list[str]:
        """The points of a closed walk at which it turns."""
        found = []
        for k, name in enumerate(walk):
            bend = self.heading(name, walk[(k + 1) % len(walk)]) - self.heading(walk[k - 1], name)
            if abs(math.remainder(bend, math.tau)) > 0.06:
                found.append(name)
        if len(found) < 3 or len(set(found)) < len(found):
            raise UnreadError
        return found

    def heading(self, a: str, b: str) -> float:
        (ax, ay), (bx, by) = self.places[a], self.places[b]
        return math.atan2(by - ay, bx - ax)

    def rays(self, v: str) -> list[set[str]]:
        """The other ends of the lines that are drawn from a point, ray by ray."""
        ends = dict.fromkeys(b if v == a else a for a, b in self.drawn if v in (a, b))
        found: list[set[str]] = []
        for name in ends:
            for ray in found:
                if abs(math.remainder(self.heading(v, name) - self.heading(v, next(iter(ray))), math.tau)) < 0.06:
                    ray.add(name)
                    break
            else:
                found.append({name})
        return found

    def corner(self, form: Form, without: str = "") -> str:
        """An angle as a formula; ``without`` names a point on a ray inside it."""
        if form[0] != "Angle":
            raise UnreadError
        if len(form) == 4:
            if len(set(form[1:])) < 3:
                raise UnreadError
            return f"angle {form[1]}{form[2]}{form[3]}"
        if re.fullmatch(r"\$?\d+", form[1]):
            return f"q{form[1].removeprefix('$')}"
        v = form[1]
        rays = [ray for ray in self.rays(v) if without not in ray]
        if len(rays) != 2:
            # Of more rays, those to the neighbours in a polygon that the forms name.
            for _, other in self.every:
                for shape in _shapes(other):
                    names = shape[1:]
                    if v in names and len(names) > 2 and all(name in self.known for name in names):
                        names = self.ring(shape)
                        at = names.index(v)
                        return f"angle {names[at - 1]}{v}{names[(at + 1) % len(names)]}"
            rays = self.outermost(v, rays)
        one, two = (min(ray) for ray in rays)
        return f"angle {one}{v}{two}"

    def outermost(self, v: str, rays: list[set[str]]) -> list[set[str]]:
        """The two rays that hold all others between them, if they are within 180°."""
        if len(rays) < 3:
            raise UnreadError
        for one, two in itertools.combinations(rays, 2):
            first, last = self.heading(v, min(one)), self.heading(v, min(two))
            wide = math.remainder(last - first, math.tau)
            inside = [
                0 < math.remainder(self.heading(v, min(ray)) - first, math.tau) / wide < 1
                for ray in rays
                if ray not in (one, two)
            ]
            if abs(wide) < 3.1 and all(inside):
                return [one, two]
        raise UnreadError

    # -- numbers and measures --------------------------------------------------------------------------------------------

    def number(self, text: str) -> str:
        text = text.replace("\\", "").replace("$", "")
        for _ in range(3):
            text = re.sub(r"frac\{([^{}]+)\}\{([^{}]+)\}", r"((\1)/(\2))", text)
            text = re.sub(r"sqrt\{([^{}]+)\}", r"sqrt(\1)", text)
        text = re.sub(r"\^\{(\d)\}", r"^\1", text).replace("degree", "")
        text = re.sub(r"(?<![a-z])m(?![a-z])", "m1", text)
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
            return self.length(of)
        if word == "Line":
            return self.line(form)
        if word == "Angle":
            return self.corner(form)
        if word == "MeasureOf":
            if isinstance(of[0], str):
                return self.number(of[0])
            return self.arc(of[0]) if of[0][0] == "Arc" else self.corner(of[0])
        if word in {"RadiusOf", "DiameterOf", "CircumferenceOf"}:
            return f"{word.removesuffix('Of').lower()} of {self.circle(of[0])}"
        if word in {"AreaOf", "PerimeterOf"}:
            return self.extent(word, self.bare(of[0]))
        if word == "HalfOf":
            return f"({self.value(of[0])})/2"
        if word in {"SumOf", "Add"}:
            return " + ".join(f"({self.value(one)})" for one in of)
        if word == "Mul":
            return " * ".join(f"({self.value(one)})" for one in of)
        if word in {"RatioOf", "Div"} and len(of) == 2:
            return f"({self.value(of[0])})/({self.value(of[1])})"
        if word in {"AltitudeOf", "HeightOf"}:
            return self.altitude(of[0])
        if word == "HypotenuseOf":
            return "".join(self.hypotenuse(self.names(of[0])))
        if word == "SideOf":
            return "".join(self.ring(of[0])[:2])
        if word == "ScaleFactorOf":
            one, two = self.names(of[0]), self.names(of[1])
            return f"({one[0]}{one[1]})/({two[0]}{two[1]})"
        raise UnreadError

    def length(self, of: list[Form]) -> str:
        inner = of[0]
        if len(of) == 2 and set(of) <= self.known:
            return f"{of[0]}{of[1]}"
        if isinstance(inner, str):
            return self.number(inner)
        if inner[0] == "Arc":
            return f"{RADIAN!r} * radius of {self.around(inner)} * ({self.arc(inner)})"
        return self.line(inner) if inner[0] == "Line" else self.value(inner)

    def extent(self, word: str, shape: Form) -> str:
        """The area or perimeter of a shape."""
        if shape[0] == "Circle":
            return f"{'area' if word == 'AreaOf' else 'circumference of'} {self.circle(shape)}"
        if shape[0] == "Sector" and word == "AreaOf":
            names = self.names(shape)
            (centre,) = (name for name in names if f"k{name}" in self.circles)
            one, two = (name for name in names if name != centre)
            return f"{RADIAN / 2!r} * radius of k{centre} * radius of k{centre} * angle {one}{centre}{two}"
        return f"{word.removesuffix('Of').lower()} {''.join(self.ring(shape))}"

    def around(self, form: Form) -> str:
        """The circle of an arc."""
        ends = {name for name in form[1:] if name in self.known}
        found = [k for k, points in self.on.items() if ends <= points] or list(self.circles)
        if len(ends) < 2 or len(found) != 1:
            raise UnreadError
        return found[0]

    def arc(self, form: Form) -> str:
        """The measure of an arc in degrees; three letters may name the larger one."""
        centre = self.circles[self.around(form)]["center"]
        names = form[1:]
        small = f"angle {names[0]}{centre}{names[-1]}"
        if centre in names:
            raise UnreadError
        if len(names) == 3 and all(name in self.places for name in (*names, centre)):
            first, last, middle = (self.heading(centre, name) for name in (names[0], names[2], names[1]))
            whole, part = math.remainder(last - first, math.tau), math.remainder(middle - first, math.tau)
            if not 0 < part / (whole or 1e-9) < 1:
                return f"360 - {small}"
        return small

    def altitude(self, form: Form) -> str:
        """The drawn line from a corner at a right angle to the opposite side, or the distance to the first side."""
        names = self.ring(form)
        for v in names:
            for other in sorted({end for pair in self.drawn if v in pair for end in pair} - {v}):
                for a, b in self.along.get(other, []):
                    if {a, b} <= set(names) - {v} and self.upright(v, other, a, b):
                        return f"{v}{other}"
        if len(names) == 4:
            return f"distance from {names[0]} to {names[2]}{names[3]}"
        raise UnreadError

    def upright(self, v: str, foot: str, a: str, b: str) -> bool:
        """Whether the forms say that the line from v is perpendicular to a line through its foot."""
        for _, form in self.every:
            if form[0] == "Perpendicular" and isinstance(form, list) and all(isinstance(one, list) for one in form[1:]):
                one, two = (set(part[1:]) for part in form[1:])
                for p, q in ((one, two), (two, one)):
                    if {v, foot} == p and foot in q and q & {a, b}:
                        return True
        return False

    def hypotenuse(self, names: list[str]) -> list[str]:
        """The side opposite the corner that is drawn closest to a right angle."""
        v = self.most_upright(names)
        return [name for name in names if name != v]

    def most_upright(self, names: Sequence[str]) -> str:
        def off(k: int) -> float:
            v, a, b = (names[(k + j) % 3] for j in range(3))
            return abs(abs(math.remainder(self.heading(v, a) - self.heading(v, b), math.tau)) - math.pi / 2)

        return names[min(range(3), key=off)]

    # -- forms -----------------------------------------------------------------------------------------------------------

    def take(self, form: Form) -> None:
        word, *of = form if isinstance(form, list) else (form,)
        handler = getattr(self, f"take_{word.lower()}", None)
        if handler is not None:
            handler(*of)
        elif word in {"Perpendicular", "Parallel"}:
            self.said.append(f"{self.line(of[0])} {word.lower()} {self.line(of[1])}")
        elif word in {"Parallelogram", "Rectangle", "Square", "Rhombus", "Kite"}:
            self.said.append(f"{''.join(self.ring(form))} {word.lower()}")
        elif word in {"Equilateral", "Regular"}:
            self.said.append(f"{''.join(self.ring(of[0]))} regular")
        elif word in {"IsIncenterOf", "IsCentroidOf", "IsOrthocenterOf"}:
            kind = word.removeprefix("Is").removesuffix("Of").lower()
            self.said.append(f"{self.names(of[0])[0]} {kind} of {''.join(self.names(of[1]))}")
        elif word not in {
            "Circle", "Triangle", "Quadrilateral", "UseTheorem", "Line", "IsChordOf", "IsDiagonalOf", "Trapezoid", "Shape",
            "Shaded", "Angle",
        }:  # fmt: skip
            raise UnreadError

    def take_equals(self, one: Form, two: Form) -> None:
        kinds = {form[0] for form in (one, two) if isinstance(form, list)}
        if kinds <= {"Triangle", "Square", "Shape", "Circle", "Polygon"} and kinds:
            return  # two names of a shape
        if isinstance(two, list) and two[0] in {"AltitudeOf", "HypotenuseOf"} and one[0] == "Line":
            named = self.take_isaltitudeof if two[0] == "AltitudeOf" else self.take_ishypotenuseof
            named(one, two[1])
            return
        self.said.append(f"{self.value(one)} = {self.value(two)}")

    def take_find(self, what: Form) -> None:
        trig = {"SinOf": math.sin, "CosOf": math.cos, "TanOf": math.tan}
        if isinstance(what, list) and what[0] == "RatioOf" and len(what) == 2:
            what = what[1]
        if isinstance(what, list) and what[0] in trig:
            function = trig[what[0]]
            self.find, self.asked = self.value(what[1]), lambda degrees: function(math.radians(degrees))
        else:
            self.find = self.value(what)

    def take_pointliesonline(self, p: Form, line: Form) -> None:
        ends = self.line(line)
        a, b = line[1], line[2]
        where = "line"
        if all(name in self.places for name in (p, a, b)):
            (px, py), (ax, ay), (bx, by) = (self.places[name] for name in (p, a, b))
            part = ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / max((bx - ax) ** 2 + (by - ay) ** 2, 1e-9)
            where = "segment" if 0 < part < 1 else "line"
        self.said.append(f"{p} on {where} {ends}")

    def take_pointliesoncircle(self, p: Form, k: Form) -> None:
        self.said.append(f"{p} on circle {self.circle(k)}")

    def take_congruent(self, one: Form, two: Form) -> None:
        if one[0] == "Arc":
            self.said.append(f"{self.arc(one)} = {self.arc(two)}")
            return
        if one[0] == "Circle":
            self.said.append(f"radius of {self.circle(one)} = radius of {self.circle(two)}")
            return
        self.said.append(f"{''.join(self.names(one))} congruent to {''.join(self.names(two))}")

    def take_similar(self, one: Form, two: Form) -> None:
        self.said.append(f"{''.join(self.names(one))} similar to {''.join(self.names(two))}")

    def take_tangent(self, line: Form, circle: Form) -> None:
        ends, k = self.line(line), self.circle(circle)
        touching = [name for name in line[1:] if name in self.on[k]]
        self.said.append(f"{ends} tangent to {k}" + (f" at {touching[0]}" if len(touching) == 1 else ""))

    def take_isdiameterof(self, line: Form, circle: Form) -> None:
        self.said.append(f"{self.line(line)} diameter of {self.circle(circle)}")

    def take_ismidpointof(self, point: Form, line: Form) -> None:
        p = self.names(point)[0]
        if line[0] != "Line":  # a leg or side of a shape: the one on which the point lies
            corners = set(self.names(line[1] if line[0] in {"LegOf", "SideOf"} else line))
            ends = next(pair for pair in self.along[p] if set(pair) <= corners)
            self.said.append(f"{p} midpoint of {ends[0]}{ends[1]}")
            return
        self.said.append(f"{p} midpoint of {self.line(line)}")

    def take_bisectsangle(self, line: Form, corner: Form) -> None:
        ends = self.line(line)
        other = next((name for name in line[1:] if name != corner[-1]), "")
        text = self.corner(corner, without=other) if len(corner) == 2 else self.corner(corner)
        if not text.startswith("angle"):
            raise UnreadError
        self.said.append(f"{ends} bisects {text}")

    def take_isaltitudeof(self, line: Form, triangle: Form) -> None:
        ends, corners = line[1:], self.names(triangle)
        foot = next(name for name in ends if name not in corners)
        a, b = (name for name in corners if name not in ends)
        self.said += [f"{self.line(line)} perpendicular {a}{b}", f"{foot} on line {a}{b}"]

    def take_ishypotenuseof(self, line: Form, triangle: Form) -> None:
        (v,) = (name for name in self.names(triangle) if name not in line[1:])
        self.said.append(f"angle {line[1]}{v}{line[2]} = 90")

    def take_isperpendicularbisectorof(self, line: Form, other: Form) -> None:
        ends, (a, b) = line[1:], self.names(other)
        self.said.append(f"{self.line(line)} perpendicular {self.line(other)}")
        self.said += [f"{name}{a} = {name}{b}" for name in ends]

    def take_ismedianof(self, line: Form, shape: Form) -> None:
        ends, corners = line[1:], self.ring(shape)
        if len(corners) == 4:
            self.take_ismidsegmentof(line, shape)
            return
        foot = next(name for name in ends if name not in corners)
        a, b = (name for name in corners if name not in ends)
        self.said.append(f"{foot} midpoint of {a}{b}")

    def take_ismidsegmentof(self, line: Form, shape: Form) -> None:
        """Each end is the middle of the side on which it lies; of a trapezoid, of the sides that are less parallel."""
        corners, ends = self.ring(shape), self.names(line)
        sides = {name: next((pair for pair in self.along[name] if set(pair) <= set(corners)), None) for name in ends}
        if None in sides.values() and len(corners) == 4:
            p, q, r, s = corners
            pairs = [((p, q), (r, s)), ((q, r), (s, p))]
            legs = max(pairs, key=lambda two: abs(math.sin(self.heading(*two[0]) - self.heading(*two[1]))))
            sides = dict(zip(ends, legs, strict=True))
        for name, side in sides.items():
            if side is None:
                raise UnreadError
            self.said.append(f"{name} midpoint of {side[0]}{side[1]}")

    def take_inscribedin(self, shape: Form, circle: Form) -> None:
        self.said += [f"{name} on circle {self.circle(circle)}" for name in self.names(shape)]

    def take_circumscribedto(self, shape: Form, circle: Form) -> None:
        corners = self.ring(shape)
        pairs = zip(corners, [*corners[1:], corners[0]], strict=True)
        self.said += [f"{a}{b} tangent to {self.circle(circle)}" for a, b in pairs]

    def take_rightangle(self, corner: Form) -> None:
        self.said.append(f"{self.corner(corner)} = 90")

    def take_right(self, triangle: Form) -> None:
        names = self.names(triangle)
        v = self.most_upright(names)
        one, two = (name for name in names if name != v)
        self.said.append(f"angle {one}{v}{two} = 90")

    def take_isosceles(self, shape: Form) -> None:
        names = self.ring(shape)
        size = {pair: math.dist(*(self.places[name] for name in pair)) for pair in itertools.combinations(names, 2)}
        if len(names) == 3:
            legs = min(itertools.combinations(size, 2), key=lambda two: abs(size[two[0]] - size[two[1]]))
        else:
            p, q, r, s = names
            pairs = [((p, q), (r, s)), ((q, r), (s, p))]
            legs = max(pairs, key=lambda two: abs(math.sin(self.heading(*two[0]) - self.heading(*two[1]))))
        self.said.append(" = ".join("".join(pair) for pair in legs))

    def take_intersectat(self, *of: Form) -> None:
        *lines, point = of
        p = point[1] if isinstance(point, list) else point
        if p not in self.known:
            raise UnreadError
        for one in lines:
            if one[0] == "Circle":
                self.said.append(f"{p} on circle {self.circle(one)}")
            elif p not in one[1:]:
                self.said.append(f"{p} on line {self.line(one)}")


def _shapes(form: Form) -> list[list[str]]:
    """The polygons that a form names."""
    if isinstance(form, str):
        return []
    inside = [shape for one in form[1:] for shape in _shapes(one)]
    polygon = form[0] in {
        "Triangle",
        "Quadrilateral",
        "Parallelogram",
        "Rectangle",
        "Square",
        "Rhombus",
        "Kite",
        "Trapezoid",
    }
    return [*inside, form] if polygon and all(isinstance(one, str) for one in form[1:]) else inside


def _crosses(corners: Sequence[tuple[float, float]]) -> bool:
    """Whether two sides of a closed polygon cross."""

    def side(p: tuple[float, float], a: tuple[float, float], b: tuple[float, float]) -> float:
        return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])

    n = len(corners)
    edges = [(corners[k], corners[(k + 1) % n]) for k in range(n)]
    for i, j in itertools.combinations(range(n), 2):
        if (j - i) % n not in {1, n - 1}:
            (a, b), (c, d) = edges[i], edges[j]
            if side(a, c, d) * side(b, c, d) < 0 and side(c, a, b) * side(d, a, b) < 0:
                return True
    return False
