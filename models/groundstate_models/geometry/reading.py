"""Reads a request for a figure: tensors, answers, checks, proofs, questions and drawings.

The module is long because a reading is one class; other modules do most of the work.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate import Asks, Attempt, Change, Header, OptionError, Patch, Reading, Shows, Violation
from groundstate_models.geometry import analysis, drawing, files, landscape, plot, proofs
from groundstate_models.geometry import tensors as encoding
from groundstate_models.geometry.expressions import Sum
from groundstate_models.geometry.figure import Figure, Point
from groundstate_models.geometry.formulas import Formula
from groundstate_models.geometry.kinds import KINDS
from groundstate_models.geometry.nearest import nearest_values
from groundstate_models.geometry.problem import Problem, Stated
from groundstate_models.geometry.request import read
from groundstate_models.geometry.search import Prover
from groundstate_models.geometry.solid import SolidFigure
from groundstate_models.geometry.starts import Builder
from groundstate_models.geometry.system import Floats

TOLERANCE = 1e-6
"""Tolerance of every constraint of an answer: relative to the figure's scale, or in radians."""

MOST_RELAXED = 24

KNOWN = 1e-9
"""Distance below which figures are the same after polishing, relative to the scale."""

MOST_KNOWN = 256

LEAST_EFFORT = 16
"""Segments of descent without an answer before a search for a proof begins."""

LARGE = 160
"""Number of unknowns above which redundant statements are not reported."""


class GeometryReading(Reading, Asks, Shows):
    """A read request. Answers are JSON in the user's units."""

    def __init__(self, header: Header, request: dict[str, Any]) -> None:
        super().__init__(header, request)
        self.read = read(request)
        self._above: tuple[str, str, str] | None = None
        self._told: list[tuple[Figure, dict[str, Any]]] = []
        self._follows: dict[int | None, list[int]] = {}

    @property
    def problem(self) -> Problem:
        return self.read.problem

    # -- tensors ---------------------------------------------------------------------------------------------------------

    def encode(self) -> dict[str, NDArray[Any]]:
        return dict(self._tensors)

    @cached_property
    def _tensors(self) -> dict[str, NDArray[Any]]:
        return encoding.tensors(self.problem.tables, self.problem.reduction)

    def decode(self, tensors: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """The figure, polished by Newton's method and placed on the page."""
        reduction = self.problem.reduction
        y = reduction.expand(np.asarray(tensors["values"], np.float64)[: reduction.size])
        if np.isfinite(y).all() and np.abs(y).max(initial=0.0) < 1e6:
            y = analysis.polished(self.problem.tables, y)
        else:
            y = np.nan_to_num(y, nan=0.0, posinf=0.0, neginf=0.0)
        y = landscape.placed(self.problem, y)
        figure = self.problem.figure(y)
        for known, answer in self._told:
            # Many chains reach the same figure; a rigid one is analysed once.
            if landscape.apart(known, figure) < KNOWN and not answer.get("freedom", {"degrees": 1})["degrees"]:
                return dict(answer)
        answer = self.answer_of(y)
        if len(self._told) < MOST_KNOWN:
            self._told.append((figure, answer))
        return answer

    def answer_of(self, y: Floats) -> dict[str, Any]:
        """The answer from the system's unknowns, ``(N,)``."""
        problem = self.problem
        figure = problem.figure(y)
        shown = landscape_names(problem)
        found: dict[str, Any] = {"points": {name: [_clean(v) for v in figure.points[name]] for name in shown}}
        circles = {}
        for name, (centre, radius) in figure.circles.items():
            if not name.startswith(" circle"):
                circles[name.removeprefix(" arc ")] = {
                    "center": [_clean(v) for v in figure.points[centre]],
                    "radius": _clean(radius),
                }
        if circles:
            found["circles"] = circles
        if figure.unknowns:
            found["unknowns"] = {name: _clean(value) for name, value in figure.unknowns.items()}
        free = analysis.freedom(problem, y) if len(y) <= 400 or not problem.reduction.size else None
        if self.read.measures:
            found["measures"] = {text: self._measure(one, y, figure, free) for text, one in self.read.measures}
        notices = list(self.read.notices)
        if free is not None:
            found["freedom"] = {
                "degrees": free.degrees,
                "moving": list(free.moving),
                "unknowns": [name.removeprefix("radius ").strip() for name in free.unknowns],
                "size": problem.freedoms["size"],
            }
        worst = max((amount for _, amount in problem.amounts(figure)), default=0.0)
        certified = None
        if worst <= TOLERANCE:
            radius_ = analysis.certificate(problem.tables, y)
            certified = None if radius_ is None else float(f"{radius_ * problem.scale:.3g}")
            if len(y) <= LARGE:
                follows = self._redundant(y, None if free is None else free.degrees)
                notices += [f"{problem.statements[k][0]!r} follows from the other statements." for k in follows]
        found["certified"] = certified
        if notices:
            found["notices"] = notices
        return found

    def _redundant(self, y: Floats, degrees: int | None) -> list[int]:
        """Redundant statements: the same for all figures with as many degrees of freedom."""
        if degrees not in self._follows:
            self._follows[degrees] = analysis.redundant(self.problem, y)
        return self._follows[degrees]

    def _measure(self, one: Formula, y: Floats, figure: Figure, free: analysis.Freedom | None) -> dict[str, Any]:
        value = _value(one, figure)
        if free is None:
            return {"value": _clean(value), "determined": False}
        slope = np.zeros_like(y)
        for k in range(len(y)):
            if not free.degrees:
                break
            step = np.zeros_like(y)
            step[k] = 1e-6
            ahead, back = (_value(one, self.problem.figure(y + s)) for s in (step, -step))
            slope[k] = (ahead - back) / 2e-6
        same = analysis.determined(self.problem, y, free, slope) and not (self.problem.freedoms["size"] and _sized(one))
        return {"value": _clean(value), "determined": same}

    def encode_answer(self, answer: dict[str, Any]) -> dict[str, NDArray[Any]] | None:
        figure = self.figure(answer)
        if figure is None:
            return None
        y = landscape.centred(self.problem, self.problem.place(figure))
        return {"values": self._padded(self.problem.reduction.reduce(y))}

    def _padded(self, z: Floats) -> Floats:
        """Reduced unknowns ``(…, size)`` with the padding of the tensors."""
        whole = np.zeros((*z.shape[:-1], len(self._tensors["open"])))
        whole[..., : z.shape[-1]] = z
        return whole

    def starts(self, random: np.random.Generator, count: int) -> Mapping[str, NDArray[Any]] | None:
        """Figures built step by step, in the state that is minimised."""
        name = next(name for name, spec in self.header.state.items() if spec.minimised)
        found = self._builder.figures(random, count)
        return None if found is None else {name: self._padded(found)}

    @cached_property
    def _builder(self) -> Builder:
        return Builder(self.problem)

    def figure(self, answer: dict[str, Any]) -> Figure | None:
        """The figure of an answer, hidden points included; None if a point or an unknown is missing."""
        problem = self.problem
        points: dict[str, Point] = {name: tuple(map(float, at)) for name, at in answer.get("points", {}).items()}
        if any(len(at) != (3 if problem.solid else 2) for at in points.values()):
            return None
        circles: dict[str, tuple[str, float]] = {}
        given = answer.get("circles", {})
        for name, centre in problem.circles.items():
            one = given.get(name.removeprefix(" arc "))
            if one is not None:
                points.setdefault(centre, tuple(map(float, one["center"])))
                circles[name] = (centre, float(one["radius"]))
        unknowns = {name: float(value) for name, value in answer.get("unknowns", {}).items()}
        missing = [name for name in problem.points if name not in points]
        if any(not name.startswith(" ") for name in missing) or any(x not in unknowns for x in problem.unknowns):
            return None
        if missing or len(circles) < len(problem.circles):
            return self._completed(points, circles, unknowns)
        return problem.drawn(points, circles, unknowns)

    def _completed(
        self,
        points: dict[str, Point],
        circles: dict[str, tuple[str, float]],
        unknowns: dict[str, float],
    ) -> Figure | None:
        """Complete the figure by a descent with the given values fixed."""
        problem = self.problem
        every = {name: points.get(name, (0.0,) * (3 if problem.solid else 2)) for name in problem.points}
        rings = {k: circles.get(k, (centre, problem.scale)) for k, centre in problem.circles.items()}
        y = problem.place(problem.drawn(every, rings, unknowns))
        b = problem.lowering
        held = [place for name in b.places if name in points for place in b.coordinates(name)]
        held += [b.radius(k) for k in circles] + [b.scalars[x] for x in unknowns]
        open_ = np.setdiff1d(np.arange(len(y)), held)
        draw = np.random.default_rng(0)
        best, least = y, math.inf
        for _ in range(8):
            z = y.copy()
            z[open_] = draw.standard_normal(len(open_))
            for _ in range(30):
                r, jacobian = problem.tables.linearised(z[None])
                step = np.linalg.lstsq(jacobian[0][:, open_], r[0], rcond=1e-10)[0]
                z[open_] -= step * min(1.0, 1.0 / max(float(np.abs(step).max(initial=0.0)), 1e-9))
            worst = float(np.abs(problem.tables.residual(z[None])).max(initial=0.0))
            if worst < least:
                best, least = z, worst
        return problem.figure(best)

    # -- checks ----------------------------------------------------------------------------------------------------------

    @cached_property
    def _contradictions(self) -> Sequence[Violation]:
        return tuple(map(self._violation, proofs.contradictions(self.problem)))

    def _violation(self, sources: Sequence[int]) -> Violation:
        """Statements that cannot all hold."""
        text = proofs.sentence(self.problem, sources)
        return Violation("constraints", text, len(sources), places=proofs.places(self.problem, sources))

    @property
    def contradictions(self) -> Sequence[Violation]:
        return self._contradictions

    def proof(self, effort: int) -> Sequence[Violation]:
        """By interval search, for small systems."""
        if effort < LEAST_EFFORT:
            return ()
        found = self._prover.go(effort // 2)
        return (self._violation(found),) if found else ()

    @cached_property
    def _prover(self) -> Prover:
        return Prover(self.problem)

    def check(self, answer: dict[str, Any]) -> list[Violation]:
        figure = self.figure(answer)
        if figure is None:
            return [Violation("constraints", "The answer lacks a point, a circle or an unknown of the request.", 1)]
        if not all(math.isfinite(v) for at in figure.points.values() for v in at):
            return [Violation("constraints", "A coordinate is not a finite number.", 1)]
        worst: dict[tuple[int, str], tuple[Stated, float]] = {}
        for one, amount in self.problem.amounts(figure):
            key = (one.source, "" if one.source >= 0 else repr(one.arguments))
            if amount > TOLERANCE and (key not in worst or worst[key][1] < amount):
                worst[key] = (one, amount)
        found = []
        for one, amount in worst.values():
            text, path = self.problem.statements[one.source] if one.source >= 0 else (_phrase(one), "")
            finite = math.isfinite(amount)
            message = f"{text!r} does not hold" if one.source >= 0 else f"It must hold that {text}, and does not"
            message += f": it is off by {amount:.3g}." if finite else ": two points that must differ coincide."
            found.append(
                Violation("constraints", message, 1, amount if finite else None, "of scale", (path,) if path else ())
            )
        if not found and self.problem.distinct and landscape.on_one_line(figure) and self._spread:
            message = "All points lie on one line, which the statements do not demand."
            found.append(Violation("constraints", message, 1))
        return found

    @cached_property
    def _spread(self) -> bool:
        """Whether there is a figure whose points are not all on one line."""
        figures = (self.problem.figure(y) for y in self._builder.some())
        return any(
            not landscape.on_one_line(figure)
            and max((amount for _, amount in self.problem.amounts(figure)), default=0.0) < TOLERANCE
            for figure in figures
        )

    def same(self, one: dict[str, Any], other: dict[str, Any]) -> bool:
        """Rigid figures are the same if their points are; others, if no point lies on another side of a line."""
        a, b = self.figure(one), self.figure(other)
        if a is None or b is None:
            return one == other
        if landscape.apart(a, b) < landscape.SAME:
            return True
        if one.get("freedom", {}).get("degrees", 0) or other.get("freedom", {}).get("degrees", 0):
            left, right = landscape.sides(self.problem, a), landscape.sides(self.problem, b)
            return all(right.get(key, side) == side for key, side in left.items())
        return False

    # -- questions -------------------------------------------------------------------------------------------------------

    def variables(self, answer: dict[str, Any]) -> dict[str, Any]:
        figure = self.figure(answer)
        if figure is None:
            return {}
        self._above = landscape.above(self.problem, figure) if self.problem.freedoms["mirror"] else None
        found: dict[str, Any] = {
            f"side of {p} from {a} to {b}": side for (p, a, b), side in landscape.sides(self.problem, figure).items()
        }
        if not answer.get("freedom", {}).get("degrees", 0) and not self.problem.freedoms["size"]:
            for pair in self._lengths:
                found[f"length {pair[0]} {pair[1]}"] = f"{figure.distance(*pair):.4g}"
            if not self.problem.freedoms["turning"]:
                for name in landscape_names(self.problem)[:40]:
                    found[f"place {name}"] = f"({', '.join(_rounded(v, figure) for v in figure.points[name])})"
            for name, (_, radius) in figure.circles.items():
                if not name.startswith(" "):
                    found[f"radius {name}"] = f"{radius:.4g}"
            for name, value in figure.unknowns.items():
                found[f"value {name}"] = f"{value:.4g}"
        return found

    @cached_property
    def _lengths(self) -> list[tuple[str, str]]:
        shown = landscape_names(self.problem)[:8]
        return [(a, b) for k, a in enumerate(shown) for b in shown[k + 1 :]]

    def choices(self, variable: str) -> Sequence[Any]:
        return ("left", "right") if variable.startswith("side of ") else ()

    def fix(self, variable: str, value: Any) -> Patch:
        what, *words = variable.split()
        if what == "side":
            p, a, b = words[1], words[3], words[5]
            side = {"type": "left_of", "of": [p, a, b] if value == "left" else [p, b, a]}
            return self._appended([one for one in (self._handed, side) if one])
        if what == "place":
            return self._appended(self._near(words[0], value))
        near = float(value)
        low, high = (f"{near * f:.6g}" for f in ((0.999, 1.001) if near > 0 else (1.001, 0.999)))
        if what == "length":
            of = {"type": "distance", "of": words}
            bounds = [{**of, "relation": ">", "is": float(low)}, {**of, "relation": "<", "is": float(high)}]
            return self._appended(bounds)
        name = f"radius of {words[0]}" if what == "radius" else words[0]
        return self._appended([f"{low} < {name} < {high}"])

    def _near(self, name: str, place: str) -> list[dict[str, Any]]:
        """Bounds around a point's position."""
        margin = 1e-3 * self.problem.scale
        bounds = []
        for axis, text in zip("xyz", place.strip("()").split(", "), strict=False):
            for mark, shift in ((">", -margin), ("<", margin)):
                bounds.append({"type": axis, "of": [name], "relation": mark, "is": float(text) + shift})
        return bounds

    @property
    def _handed(self) -> dict[str, Any]:
        """The side that the page's convention fixes for a figure that may be reflected."""
        return {"type": "left_of", "of": list(self._above)} if self._above else {}

    def _appended(self, constraints: Sequence[Any]) -> Patch:
        steps: list[Mapping[str, Any]] = []
        if "constraints" not in self.request:
            steps.append({"op": "add", "path": "/constraints", "value": []})
        return (*steps, *({"op": "add", "path": "/constraints/-", "value": one} for one in constraints))

    def ask(self, variable: str) -> str:
        what, *words = variable.split()
        if what == "side":
            return f"Is {words[1]} left or right of {words[3]}→{words[5]}?"
        if what == "place":
            return f"Where is {words[0]}?"
        if what == "length":
            return f"How long is {words[0]}{words[1]}?"
        return f"How large is the radius of {words[0]}?" if what == "radius" else f"What is {words[0]}?"

    def called(self, variable: str, value: Any) -> str:
        what, *words = variable.split()
        if what == "side":
            return f"{words[1]} ({value} of {words[3]}→{words[5]})"
        return f"{''.join(words)} ({value})"

    def relaxations(self, attempt: Attempt | None, violations: Sequence[Violation]) -> Sequence[Change]:
        """Statements to leave out, the most likely culprits first, and dimensions with a feasible value."""
        problem = self.problem
        answer = None if attempt is None else attempt.answer
        named = [path for one in violations for path in one.places]
        sources = [k for k, (_, path) in enumerate(problem.statements) if path in named]
        figure = self.figure(answer) if answer else None
        y = None if figure is None else problem.place(figure)
        if y is not None:
            stress = culprits(problem, y)
            sources += [k for k in stress if k not in sources]
        changes = []
        for source, text, value in nearest_values(problem, sources[:MOST_RELAXED], y):
            path = problem.statements[source][1]
            if path.startswith("constraints[") and (changed := self._with_value(path, value)) is not None:
                step = {"op": "replace", "path": _pointer(path), "value": changed}
                changes.append(Change(f"value {source}", f"{text} could be {value:.6g}.", (step,)))
        for source in sources[:MOST_RELAXED]:
            text, path = problem.statements[source]
            changes.append(
                Change(f"drop {source}", f"Leave out {text!r}.", ({"op": "remove", "path": _pointer(path)},))
            )
        return changes

    def _with_value(self, path: str, value: float) -> Any:
        number = int(path.removeprefix("constraints[").removesuffix("]"))
        one = self.request["constraints"][number]
        if isinstance(one, Mapping):
            return {**one, "is": value}
        left, mark, right = one.partition("=")
        if not mark or "=" in right:
            return None
        return f"{left.strip()} = {value:.12g}"

    def unique(self, answer: dict[str, Any]) -> bool:
        del answer
        return False

    # -- showing ---------------------------------------------------------------------------------------------------------

    def summary(self) -> str:
        points = len(landscape_names(self.problem))
        statements = len(self.request.get("constraints", []))
        return f"a figure of {points} points with {statements} statements"

    def decided(self, since: Mapping[str, NDArray[Any]]) -> dict[str, int]:
        del since
        return {}

    def notation(self, answer: dict[str, Any]) -> str | None:
        return "; ".join(f"{name} = {_told(at)}" for name, at in answer["points"].items())

    def draw(self, answer: dict[str, Any] | None) -> str | None:
        if answer is None:
            return plot.stated(self.read)
        figure = self.figure(answer)
        lines = [] if figure is None else plot.text(self.read, _flat(figure)).splitlines()
        lines += [f"{name:>4} = {_told(at)}" for name, at in answer["points"].items()]
        for name, one in answer.get("circles", {}).items():
            lines.append(f"{name:>4}: centre {_told(one['center'])}, radius {one['radius']:.6g}")
        lines += [f"{name:>4} = {value:.6g}" for name, value in answer.get("unknowns", {}).items()]
        for text, one in answer.get("measures", {}).items():
            lines.append(f"{text} = {one['value']:.6g}{'' if one['determined'] else ' (not determined)'}")
        free = answer.get("freedom", {})
        if free.get("degrees"):
            lines.append(
                f"{free['degrees']} degrees of freedom are left; {', '.join(free['moving']) or 'nothing'} can move."
            )
        if answer.get("certified") is not None:
            lines.append(f"An exact solution lies within {answer['certified']:.1g} of these numbers, which is proven.")
        return "\n".join([*lines, *answer.get("notices", [])])

    def svg(self, answer: dict[str, Any] | None) -> str | None:
        figure = None if answer is None else self.figure(answer)
        return None if figure is None else drawing.svg(self.read, _flat(figure))

    def file(self, answer: dict[str, Any], kind: str) -> bytes:
        figure = self.figure(answer)
        writers = {"svg": drawing.svg, "dxf": files.dxf, "tikz": files.tikz, "tex": files.tikz}
        if kind not in writers or figure is None:
            raise OptionError(f"A figure is written as svg, dxf or tikz; {kind!r} is none of these.")
        return writers[kind](self.read, _flat(figure)).encode()


def _told(at: Sequence[float]) -> str:
    return f"({', '.join(f'{v:.6g}' for v in at)})"


def _flat(figure: Figure) -> Figure:
    """The figure as it is drawn: one in space is projected."""
    return figure.projected() if isinstance(figure, SolidFigure) else figure


def landscape_names(problem: Problem) -> list[str]:
    """The visible points."""
    return [name for name in problem.points if not name.startswith(" ")]


def culprits(problem: Problem, y: Floats) -> list[int]:
    """Statements under stress at a minimum of the residual, where the violated rows balance each other."""
    r = problem.tables.residual(y[None])[0]
    weight: dict[int, float] = {}
    for source, amount in zip(problem.tables.source, np.abs(r), strict=True):
        if source >= 0:
            weight[int(source)] = max(weight.get(int(source), 0.0), float(amount))
    largest = max(weight.values(), default=0.0)
    return sorted((k for k, w in weight.items() if w > 1e-3 * largest > 0), key=lambda k: -weight[k])


def _pointer(path: str) -> str:
    return "/" + path.replace("[", "/").replace("]", "").replace(".", "/")


def _phrase(one: Stated) -> str:
    names = [str(a).strip() for a in one.arguments if not isinstance(a, Sum)]
    return KINDS[one.kind].phrase.replace("{*}", ", ".join(names)).format(*names)


def _value(one: Formula, figure: Figure) -> float:
    over, under = (part.value({atom: figure.measure(atom) for atom in part.atoms()}) for part in (one.over, one.under))
    return over / under if under else math.nan


def _sized(one: Formula) -> bool:
    return any(atom[0] != "angle" for part in (one.over, one.under) for atom in part.atoms())


def _rounded(value: float, figure: Figure) -> str:
    """Round to four digits of the figure's scale, so that rounding errors do not matter."""
    digits = 3 - math.floor(math.log10(figure.scale))
    return f"{round(value, digits) + 0.0:g}"


def _clean(value: float) -> float:
    """Round to 12 decimals, and remove the sign of a zero."""
    return round(float(value), 12) + 0.0
