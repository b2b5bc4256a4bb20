"""The constructive language JGEX as requests: premises as typed constraints, the goal kept apart.

A construction's meaning is read from AlphaGeometry's ``defs.txt``; what the Newclid files add is in `OWN`. All clauses are
taken at once: nothing is constructed.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

Predicate = tuple[str, list[str]]

OWN: dict[str, tuple[str, list[str]]] = {
    "lconst": ("x a l", ["lconst x a l"]),
    "l2const": ("x a l", ["l2const x a l"]),
    "rconst": ("a b c x r", ["rconst a b c x r"]),
    "rconst2": ("x a b r", ["rconst x a x b r"]),
    "eqratio": ("x a b c d e f g", ["eqratio a b c d e f g x"]),
    "eqratio6": ("x a c e f g h", ["eqratio a x c x e f g h"]),
    "on_aline0": ("x a b c d e f g", ["eqangle a b c d e f g x"]),
    "on_pline0": ("x a b c", ["para x a b c"]),
    "between": ("x a b", ["between x a b"]),
    "between_bound": ("x a b", ["between x a b"]),
    "iso_triangle_vertex": ("x b c", ["cong x b x c"]),
    "iso_triangle_vertex_angle": ("x b c", ["eqangle x b b c b c x c"]),
    "simtri": ("x a b c p q", ["simtri a b c p q x"]),
    "simtrir": ("x a b c p q", ["simtrir a b c p q x"]),
    "contri": ("q r a b c p", ["contri a b c p q r"]),
    "contrir": ("q r a b c p", ["contrir a b c p q r"]),
    "test_r20": ("o a b c", ["cong o a o b", "cong o b o c", "coll o a c"]),
    "test_r25": ("a b c d m", ["midp m a b", "midp m c d"]),
    "cc_itangent": (
        "x y z i o a w b",
        [
            "cong o x o a", "cong w y w b", "perp x o x y", "perp y w y x", "cong o z o a", "cong w i w b", "perp z o z i",
            "perp i w i z", "osides o w x y", "osides o w z i",
        ],
    ),
    "s_angle": ("a b x y", ["s_angle a b x y"]),
    "triangle12": ("a b c", ["rconst a b a c 1/2"]),
    "midpoint": ("x a b", ["midp x a b"]),
    "mirror": ("x a b", ["midp b a x"]),
}  # fmt: skip


BRANCHES: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "eq_triangle": ("x b c", [{"type": "equilateral", "of": ["x", "b", "c"]}]),
    "angle_bisector": ("x a b c", [{"type": "equal_angles", "of": ["a", "b", "x", "x", "b", "c"]}]),
    "incenter": ("x a b c", [{"type": "inside_polygon", "of": ["x", "a", "b", "c"]}]),
    "incenter2": ("x y z i a b c", [{"type": "inside_polygon", "of": ["i", "a", "b", "c"]}]),
    "excenter": (
        "x a b c",
        [{"type": "opposite_sides", "of": ["x", "a", "b", "c"]}, {"type": "equal_angles", "of": ["b", "a", "x", "x", "a", "c"]}],
    ),
    "excenter2": (
        "x y z i a b c",
        [{"type": "opposite_sides", "of": ["i", "a", "b", "c"]}, {"type": "equal_angles", "of": ["b", "a", "i", "i", "a", "c"]}],
    ),
    "square": ("a b x y", [{"type": "left_of", "of": ["x", "b", "a"]}]),
    "psquare": ("x a b", [{"type": "left_of", "of": ["x", "a", "b"]}]),
    "nsquare": ("x a b", [{"type": "left_of", "of": ["x", "b", "a"]}]),
    "2l1c": ("x y z i a b c o", [
        {"type": "between", "of": ["i", "o", "z"]}, {"type": "same_side", "of": ["i", "b", "a", "c"]},
        {"type": "same_side", "of": ["i", "a", "b", "c"]},
    ]),
}  # fmt: skip
"""The branch that a construction takes by its sketch in the source: inner bisectors, oriented squares, inner tangency. That a
triangle is equilateral is said again as a shape: shapes turn the same way where nothing decides."""


@dataclass
class Clauses:
    """A problem.

    Attributes:
        name: As in the file.
        points: In the order of the construction.
        places: Points with coordinates.
        premises: What must hold.
        needs: What must not be degenerate.
        goal: What then follows, if there is one.
        branches: Constraints that choose the branch which the construction means.
    """

    name: str
    points: list[str] = field(default_factory=list)
    places: dict[str, tuple[float, float]] = field(default_factory=dict)
    premises: list[Predicate] = field(default_factory=list)
    needs: list[Predicate] = field(default_factory=list)
    goal: Predicate | None = None
    branches: list[dict[str, Any]] = field(default_factory=list)


def definitions(path: Path) -> dict[str, tuple[list[str], list[str], list[str]]]:
    """Arguments, needs and predicates of every construction."""
    found = {}
    lines = path.read_text(encoding="utf-8").splitlines()
    for start in range(0, len(lines) - 4, 6):
        name, *arguments = lines[start].split()
        needs = [p.strip() for p in lines[start + 2].split("=")[-1].split(",") if p.strip()]
        parts = [part.split(":")[-1] for part in lines[start + 3].split(";")]
        predicates = [p.strip() for part in parts for p in part.split(",") if p.strip()]
        found[name] = (arguments, needs, predicates)
    for name, (arguments, predicates) in OWN.items():
        needs = found[name][1] if name in found else []
        found[name] = (arguments.split(), needs, predicates)
    return found


def problems(path: Path, known: dict[str, tuple[list[str], list[str], list[str]]]) -> list[Clauses]:
    """All problems of a file."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [_problem(name.strip(), text, known) for name, text in zip(lines[::2], lines[1::2], strict=True)]


def _problem(name: str, text: str, known: dict[str, tuple[list[str], list[str], list[str]]]) -> Clauses:
    body, _, goal = text.partition("?")
    found = Clauses(name)
    for clause in body.split(";"):
        if not clause.strip():
            continue
        new, _, constructions = clause.partition("=")
        for word in new.split():
            point, _, place = word.partition("@")
            found.points.append(point)
            if place:
                x, y = place.split("_")
                found.places[point] = (float(x), float(y))
        for construction in constructions.split(","):
            head, *arguments = construction.split()
            names, needs, predicates = known[head]
            if len(arguments) < len(names):
                arguments = [*new.split("@")[0].split(), *arguments]
            swap = dict(zip(names, arguments, strict=True))
            if head in BRANCHES:
                swap_ = dict(zip(BRANCHES[head][0].split(), arguments, strict=True))
                found.branches += [{**one, "of": [swap_[name] for name in one["of"]]} for one in BRANCHES[head][1]]
            for source, target in ((predicates, found.premises), (needs, found.needs)):
                for predicate in source:
                    word, *rest = predicate.split()
                    target.append((word, [swap.get(name, name) for name in rest]))
    if goal.strip():
        word, *rest = goal.split(";")[0].split()
        found.goal = (word, [r.lower() if r.lower() in found.points else r for r in rest])
    return found


def number(text: str) -> float:
    """``30o``, ``5pi/9``, ``2/3``, ``1.5``: angles in degrees."""
    if text.endswith("o"):
        return float(text[:-1])
    if "pi" in text:
        top, _, bottom = text.partition("/")
        return 180.0 * float(top.replace("pi", "") or 1) / float(bottom or 1)
    return float(Fraction(text))


def constraints(predicate: Predicate) -> list[dict[str, Any]]:
    """A predicate as typed constraints.

    Raises:
        KeyError: It is not one that can be drawn.
    """
    word, a = predicate
    one = {
        "coll": "collinear", "para": "parallel", "perp": "perpendicular", "eqangle": "equal_line_angles", "cyclic": "concyclic",
        "cong": "equal_lengths", "midp": "midpoint", "eqratio": "equal_ratios", "between": "between", "npara": "not_parallel",
    }  # fmt: skip
    if word in one:
        return [{"type": one[word], "of": a}]
    if word == "ncoll":
        return [{"type": "not_on_line", "of": [a[2], a[0], a[1]]}]
    if word == "diff":
        return []
    if word == "nperp":
        return []
    if word == "osides":
        return [{"type": "opposite_sides", "of": [a[0], a[1], a[2], a[3]]}]
    if word == "circle":
        return [{"type": "equal_lengths", "of": [a[0], a[1], a[0], name]} for name in a[2:]]
    if word == "lconst":
        return [{"type": "distance", "of": a[:2], "is": number(a[2])}]
    if word == "l2const":
        return [{"type": "distance", "of": a[:2], "is": math.sqrt(number(a[2]))}]
    if word == "rconst":
        ratio = number(a[4]) if len(a) == 5 else number(a[4]) / number(a[5])
        return [{"type": "length_ratio", "of": a[:4], "is": ratio}]
    if word == "r2const":
        return [{"type": "length_ratio", "of": a[:4], "is": math.sqrt(number(a[4]))}]
    if word == "s_angle":
        return [{"type": "line_angle", "of": [a[0], a[1], a[1], a[2]], "is": number(a[3])}]
    if word == "aconst":
        return [{"type": "line_angle", "of": a[:4], "is": number(a[4])}]
    if word in {"simtri", "simtrir", "contri", "contrir"}:
        p, q = a[:3], a[3:]
        if word.startswith("contri"):
            sides = [{"type": "equal_lengths", "of": [p[i], p[j], q[i], q[j]]} for i, j in ((0, 1), (1, 2), (0, 2))]
        else:
            sides = [
                {"type": "equal_ratios", "of": [p[0], p[1], q[0], q[1], p[i], p[j], q[i], q[j]]}
                for i, j in ((1, 2), (0, 2))
            ]
        mirrored = word.endswith("r")
        one_, two = [p[1], p[0], p[1], p[2]], [q[1], q[0], q[1], q[2]]
        return [*sides, {"type": "equal_line_angles", "of": one_ + (two[2:] + two[:2] if mirrored else two)}]
    raise KeyError(word)


def request(one: Clauses) -> dict[str, Any]:
    """The request that asks for its figure, without the goal."""
    asked = [c for predicate in one.premises for c in constraints(predicate)]
    known = set(one.points)
    asked += [c for word, a in one.needs if known.issuperset(a) for c in constraints((word, a)) if word != "cong"]
    asked += one.branches
    points: Any = one.points
    if one.places:
        asked += [
            {"type": axis, "of": [name], "is": at["xy".index(axis)]} for name, at in one.places.items() for axis in "xy"
        ]
    return {"points": points, "constraints": asked}


Place = tuple[float, float]


def holds(predicate: Predicate, at: dict[str, Place], tolerance: float = 1e-6) -> bool | None:
    """Whether a goal is true of a figure, by formulas of its own; None for what this does not know."""
    word, a = predicate
    point = {name: complex(*place) for name, place in at.items()}

    def turn(p: str, q: str, r: str, s: str) -> float:
        import cmath

        return cmath.phase((point[s] - point[r]) * (point[q] - point[p]).conjugate())

    def line(value: float) -> bool:
        return abs(math.remainder(value, math.pi)) < tolerance

    def size(p: str, q: str) -> float:
        return abs(point[q] - point[p])

    def close(x: float, y: float) -> bool:
        return abs(x - y) <= tolerance * max(abs(x), abs(y), 1e-9)

    def handed(p: str, q: str, r: str) -> float:
        return ((point[q] - point[p]).conjugate() * (point[r] - point[p])).imag

    whole = max(size(p, q) for p in at for q in at) or 1.0

    def flat(names: list[str]) -> bool:
        p, q = max(((p, q) for p in names for q in names), key=lambda pair: size(*pair))
        return all(abs(handed(p, q, r)) / size(p, q) < tolerance * whole for r in names)

    if word == "coll":
        return flat(a)
    if word == "ncoll":
        return not flat(a)
    if word == "para":
        return line(turn(*a))
    if word == "npara":
        return not line(turn(*a))
    if word == "perp":
        return line(turn(*a) - math.pi / 2)
    if word == "eqangle":
        return line(turn(*a[:4]) - turn(*a[4:]))
    if word == "cyclic":
        return all(line(turn(a[2], a[0], a[2], a[1]) - turn(d, a[0], d, a[1])) for d in a[3:])
    if word == "cong":
        return abs(size(a[0], a[1]) - size(a[2], a[3])) < tolerance * whole
    if word == "midp":
        return abs(point[a[0]] - (point[a[1]] + point[a[2]]) / 2) < tolerance * whole
    if word == "circle":
        return all(abs(size(a[0], a[1]) - size(a[0], name)) < tolerance * whole for name in a[2:])
    if word == "eqratio":
        return close(size(a[0], a[1]) * size(a[6], a[7]), size(a[2], a[3]) * size(a[4], a[5]))
    if word in {"rconst", "r2const"}:
        ratio = size(a[0], a[1]) / size(a[2], a[3])
        return close(
            ratio if word == "rconst" else ratio**2, number(a[4]) if len(a) == 5 else number(a[4]) / number(a[5])
        )
    if word == "lconst":
        return close(size(a[0], a[1]), number(a[2]))
    if word == "aconst":
        # The two determined figures of the files have their goal the other way round than their premises.
        return any(line(turn(*a[:4]) - sign * math.radians(number(a[4]))) for sign in (1, -1))
    if word == "acompute":
        return True
    if word == "obtuse_angle":
        return ((point[a[0]] - point[a[1]]).conjugate() * (point[a[2]] - point[a[1]])).real < 0
    if word == "sameclock":
        return handed(*a[:3]) * handed(*a[3:]) > 0
    if word in {"simtri", "simtrir", "contri", "contrir"}:
        p, q = a[:3], a[3:]
        ratios = [size(p[i], p[j]) / size(q[i], q[j]) for i, j in ((0, 1), (1, 2), (0, 2))]
        alike = all(close(ratio, 1.0 if word.startswith("contri") else ratios[0]) for ratio in ratios)
        return alike and (handed(*p) * handed(*q) > 0) is not word.endswith("r")
    if word in {"lequation", "aequation"}:
        return _equation(word, a, size, turn, tolerance)
    return None


def _equation(word: str, a: list[str], size: Any, turn: Any, tolerance: float) -> bool | None:
    words, total, k = a[:-1], 0.0, 0
    if word == "aequation":
        for k in range(0, len(words), 5):
            total += float(Fraction(words[k])) * math.degrees(turn(*words[k + 1 : k + 5]))
        return abs(math.remainder(total - number(a[-1]), 180.0)) < 1e-4
    terms = re.sub(r"\s+", " ", " ".join(words))
    worst = 0.0
    while k < len(words):
        value = float(Fraction(words[k]))
        k += 1
        while True:
            value *= size(words[k], words[k + 1])
            k += 2
            if k < len(words) and words[k] == "*":
                k += 1
                continue
            break
        total += value
        worst = max(worst, abs(value))
    del terms
    return abs(total - float(Fraction(a[-1]))) <= tolerance * max(worst, 1.0)
