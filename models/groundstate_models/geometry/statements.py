"""Parses statements in plain text, one after another: ``AC perpendicular BC``, ``C on circle k``, ``ABCD square``.

The module is one long table of patterns, each with its reader. The order of the patterns matters.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

from groundstate_models.geometry.expressions import Sum, angle, length
from groundstate_models.geometry.formulas import Formula, Parser
from groundstate_models.geometry.names import MisreadError, Names

ONE_EACH = {"midpoint", "between", "centroid", "not on line", "parallelogram", "convex", "concyclic"}
"""Kinds whose points must differ."""


class Writer:
    """Writes the typed constraints of one statement into a problem.

    Args:
        names: The names; the constraints are added to their problem.
        parser: Reads formulas.
        source: The statement's number.
    """

    def __init__(self, names: Names, parser: Parser, source: int) -> None:
        self.names, self.parser, self.source = names, parser, source

    def add(self, kind: str, *arguments: object) -> None:
        if kind in ONE_EACH and len(set(arguments)) < len(arguments):
            twice = next(name for name in arguments if arguments.count(name) > 1)
            raise MisreadError(f"The point {twice} is named twice; {kind} is of {len(arguments)} different points.")
        self.names.problem.add(kind, *arguments, source=self.source)

    def same(self, a: str, b: str, c: str, d: str, ratio: Fraction | float = Fraction(1)) -> None:
        """Write: |ab| is the ratio times |cd|."""
        self.add("equation", Sum.of(length(a, b)) - Sum.of(length(c, d)) * ratio)

    def equal_angles(self, one: tuple[str, str, str], two: tuple[str, str, str]) -> None:
        self.add("equation", Sum.of(angle(*one)) - Sum.of(angle(*two)))

    def right(self, a: str, vertex: str, b: str) -> None:
        self.add("perpendicular", vertex, a, vertex, b)

    def new_circle(self, name: str, centre: str | None = None) -> str:
        problem = self.names.problem
        problem.circles[name] = self.names.hidden(f"centre of {name}") if centre is None else self.names.point(centre)
        return name

    def hidden_circle(self, centre: str | None = None) -> str:
        return self.new_circle(f" circle {len(self.names.problem.circles)}", centre)


Handler = Callable[..., None]
PATTERNS: list[tuple[re.Pattern[str], Handler]] = []

_L = r"((?:(?:line|segment|ray|side|chord|diagonal|vector)s? )?[^\s,]+)"
_P = r"([^\s,=]+)"
_K = r"((?:circle |sphere |arc )?[^\s,]+)"
_ANY = r"(.+?)"


def pattern(*texts: str) -> Callable[[Handler], Handler]:
    def enter(handler: Handler) -> Handler:
        for text in texts:
            body = text.replace("{L}", _L).replace("{P}", _P).replace("{K}", _K).replace("{*}", _ANY)
            PATTERNS.append((re.compile(f"^{body}$", re.IGNORECASE if body.islower() else 0), handler))
        return handler

    return enter


# -- space ------------------------------------------------------------------------------------------------------------------


def coplanar(w: Writer, names: list[str]) -> None:
    """Write: points are in one plane.

    Raises:
        MisreadError: If the figure is not in space, or there are fewer than four points.
    """
    if not w.names.problem.solid:
        raise MisreadError("Planes need space: true in the request.")
    if len(names) < 4:
        raise MisreadError(f"A plane holds any three points; four or more are meant, and there are {len(names)}.")
    w.add("not on line", names[2], names[0], names[1])
    w.add("coplanar", w.names.hidden("normal"), *names)


@pattern("{*} (?:coplanar|in one plane)", "coplanar {*}")
def _coplanar(w: Writer, names: str) -> None:
    coplanar(w, w.names.points(names, 3))


@pattern("{P} (?:on|in) plane {*}")
def _on_plane(w: Writer, p: str, names: str) -> None:
    coplanar(w, [*w.names.points(names, 3, 3), w.names.point(p)])


@pattern("{L} perpendicular(?: to)? plane {*}")
def _upright(w: Writer, line: str, names: str) -> None:
    a, b, c = w.names.points(names, 3, 3)
    for end in (b, c):
        w.add("perpendicular", *w.names.line(line), a, end)


# -- directions ------------------------------------------------------------------------------------------------------------


@pattern("{L} perpendicular(?: to)? {L}", "{L} and {L} perpendicular")
def _perpendicular(w: Writer, one: str, two: str) -> None:
    w.add("perpendicular", *w.names.line(one), *w.names.line(two))


@pattern("{L} parallel(?: to)? {L}", "{L} and {L} parallel")
def _parallel(w: Writer, one: str, two: str) -> None:
    w.add("parallel", *w.names.line(one), *w.names.line(two))


@pattern("{L} not parallel(?: to)? {L}")
def _not_parallel(w: Writer, one: str, two: str) -> None:
    w.add("not parallel", *w.names.line(one), *w.names.line(two))


@pattern("{L} horizontal", "{L} vertical")
def _axis(w: Writer, one: str, *, text: str) -> None:
    a, b = w.names.line(one)
    axis = "y" if text.endswith("horizontal") else "x"
    w.add("equation", Sum.of((axis, a)) - Sum.of((axis, b)))


@pattern("(?:directed angle|∡) ?{*} ?= ?([-−]?[0-9.]+) ?(?:°|deg|degrees)?")
def _directed(w: Writer, names: str, degrees: str) -> None:
    w.add("directed angle", *w.parser.corner(names), float(degrees.replace("−", "-")))


# -- places ----------------------------------------------------------------------------------------------------------------


@pattern("{P} midpoint of {L}", "{P} ?= ?midpoint of {L}", "{P} mid(?:dle)? of {L}", "{P} midpoint {L}")
def _midpoint(w: Writer, m: str, line: str) -> None:
    w.add("midpoint", w.names.point(m), *w.names.line(line))


@pattern("{P} midpoint of {P} and {P}")
def _midpoint_of(w: Writer, m: str, a: str, b: str) -> None:
    w.add("midpoint", *(w.names.point(name) for name in (m, a, b)))


@pattern("{P} (?:strictly )?between {P} and {P}")
def _between(w: Writer, p: str, a: str, b: str) -> None:
    w.add("between", *(w.names.point(name) for name in (p, a, b)))


@pattern("{*} not collinear", "{*} noncollinear")
def _not_collinear(w: Writer, names: str) -> None:
    a, b, c = w.names.points(names, 3, 3)
    w.add("not on line", c, a, b)


@pattern("{*} (?:collinear|on one line|in line|aligned)", "collinear {*}")
def _collinear(w: Writer, names: str) -> None:
    w.add("collinear", *w.names.points(names, 3))


@pattern("{*} (?:concyclic|cyclic|on one circle)", "concyclic {*}", "cyclic (?:quadrilateral )?{*}")
def _concyclic(w: Writer, names: str) -> None:
    w.add("concyclic", *w.names.points(re.sub("^quadrilateral ", "", names), 4))


@pattern("{*} on (same side|opposite sides|different sides) of {L}", "{*} (same side|opposite sides) of {L}")
def _sides(w: Writer, names: str, how: str, line: str) -> None:
    a, b = w.names.line(line)
    found = w.names.points(names, 2)
    for p, q in pairwise(found):
        w.add("same side" if how == "same side" else "opposite sides", p, q, a, b)


@pattern("{*} (not )?on (?:circle ){P}")
def _on_circle(w: Writer, names: str, no: str | None, circle: str) -> None:
    k = w.names.circle(circle)
    for name in w.names.points(names):
        if no:
            problem = w.names.problem
            gap = Sum.of(length(problem.circles[k], name)) - Sum.of(("radius", k))
            w.add("unequal", gap)
        else:
            w.add("on circle", name, k)


@pattern("{*} (not )?on (bisector|perpendicular bisector|altitude|median) (?:of |from )?{*}")
def _on_special(w: Writer, names: str, no: str | None, what: str, of: str) -> None:
    for p in w.names.points(names):
        if what == "bisector":
            of_ = re.sub("^(?:angle|∠) ?", "", of)
            a, v, b = w.parser.corner(of_)
            if no:
                w.add("unequal", Sum.of(angle(a, v, p)) - Sum.of(angle(p, v, b)))
            else:
                w.equal_angles((a, v, p), (p, v, b))
                w.add("equation", Sum.of(angle(a, v, p)) * 2 - Sum.of(angle(a, v, b)))
        elif what == "perpendicular bisector":
            a, b = w.names.line(of)
            w.same(p, a, p, b)
        else:
            raise MisreadError(
                f"{what} is not understood here; say what is perpendicular, or which midpoint it goes through."
            )


@pattern("{*} (not )?on {*}")
def _on(w: Writer, names: str, no: str | None, where: str) -> None:
    wheres = re.split(r" and | and on ", where)
    for part in wheres:
        for p in w.names.points(names):
            _place(w, p, re.sub("^on ", "", part), no=bool(no))


def _place(w: Writer, p: str, where: str, *, no: bool) -> None:
    word = re.sub("^(?:line|segment|ray|side|arc) ", "", where)
    if where in w.names.problem.arcs or where.startswith("arc "):
        w.add("on arc", p, word)
    elif w.names.is_circle(word) and not w.names.is_points(word):
        w.add("on circle", p, w.names.circle(word))
    else:
        a, b = w.names.line(where)
        kind = "on ray" if where.startswith("ray ") else "on line"
        if where.startswith(("segment ", "side ")) or (" " not in where and word not in w.names.lines):
            kind = "on segment"
        w.add("not on line" if no else kind, p, a, b)


@pattern("{P} (?:intersection|intersect|meet) of {*} and {*}", "{P} ?= ?{L} (?:∩|intersect|meet) {L}")
@pattern("{P} (?:where )?{L} and {L} (?:meet|intersect|cross)")
def _meet(w: Writer, p: str, one: str, two: str) -> None:
    name = w.names.point(p)
    for where in (one, two):
        word = re.sub("^(?:circle|line|segment|ray) ", "", where)
        if w.names.is_circle(word) and not w.names.is_points(word):
            w.add("on circle", name, w.names.circle(word))
        else:
            w.add("on segment" if where.startswith("segment ") else "on line", name, *w.names.line(where))


@pattern("{L} (?:and|,) {L} (?:meet|intersect|cross) (?:at|in) {P}")
def _meet_at(w: Writer, one: str, two: str, p: str) -> None:
    _meet(w, p, one, two)


@pattern("{*} (?:concurrent|meet) (?:at|in) {P}", "{*} concurrent")
def _concurrent(w: Writer, lines: str, p: str | None = None) -> None:
    name = w.names.hidden("common point") if p is None else w.names.point(p)
    for line in re.split(r",\s*(?:and )?| and ", lines):
        w.add("on line", name, *w.names.line(line))


@pattern("{P} (?:reflection|mirror image|image) of {P} (?:in|over|about|across) {L}")
@pattern("{P} and {P} (?:symmetric|mirror images) (?:in|about|over|across|to|with respect to) {L}")
@pattern("{P} symmetric to {P} (?:in|about|over|across) {L}")
def _reflection(w: Writer, p: str, q: str, mirror: str) -> None:
    word = re.sub("^(?:line|point) ", "", mirror)
    a, b = w.names.point(p), w.names.point(q)
    if word not in w.names.lines and len(w.names.split(word)) == 1:
        w.add("midpoint", w.names.point(word), a, b)
    else:
        w.add("symmetric", a, b, *w.names.line(mirror))


@pattern(
    "{P} foot of (?:perpendicular|altitude) from {P} (?:to|on|onto) {L}",
    "{P} (?:projection|foot) of {P} (?:to|on|onto) {L}",
)
def _foot(w: Writer, h: str, p: str, line: str) -> None:
    a, b = w.names.line(line)
    foot = w.names.point(h)
    w.add("on line", foot, a, b)
    w.add("perpendicular", foot, w.names.point(p), a, b)


@pattern("{P} ?(?:at |= ?)\\(?([-−\\d.]+) ?[,;] ?([-−\\d.]+)(?: ?[,;] ?([-−\\d.]+))?\\)?")
def _coordinates(w: Writer, p: str, x: str, y: str, z: str | None = None) -> None:
    name = w.names.point(p)
    if z is not None and not w.names.problem.solid:
        raise MisreadError("Three coordinates need space: true in the request.")
    for axis, value in zip("xyz", (x, y, z), strict=True):
        if value is None:
            continue
        try:
            number = Fraction(value.replace("−", "-"))
        except ValueError:
            raise MisreadError(f"{value!r} is not a coordinate.") from None
        w.add("equation", Sum.of((axis, name)) - Sum.of(number))


@pattern("{P} and {P} (?:coincide|coincident|same(?: point)?)", "{P} coincident(?: with| to)? {P}", "{P} same as {P}")
def _coincide(w: Writer, p: str, q: str) -> None:
    w.add("coincident", w.names.point(p), w.names.point(q))


@pattern("{*} (?:distinct|different)")
def _distinct(w: Writer, names: str) -> None:
    found = w.names.points(names, 2)
    for k, p in enumerate(found):
        for q in found[k + 1 :]:
            w.add("distinct", p, q)


# -- sides -----------------------------------------------------------------------------------------------------------------


@pattern("{P} (left|right) of {*}", "{P} to (left|right) of {*}")
def _left(w: Writer, p: str, side: str, of: str) -> None:
    word = re.sub(r"\s*(?:→|->)\s*", "", of)
    names = [] if word in w.names.lines else w.names.split(re.sub("^(?:line|ray|segment) ", "", word))
    if len(names) == 1 and word not in w.names.lines:
        gap = Sum.of(("x", w.names.point(word))) - Sum.of(("x", w.names.point(p)))
        w.add("more than", gap if side == "left" else -gap)
        return
    a, b = w.names.line(of)
    w.add("left of", w.names.point(p), *((a, b) if side == "left" else (b, a)))


@pattern("{P} (above|below|over|under) {P}")
def _above(w: Writer, p: str, side: str, q: str) -> None:
    gap = Sum.of(("y", w.names.point(p))) - Sum.of(("y", w.names.point(q)))
    w.add("more than", gap if side in {"above", "over"} else -gap)


@pattern("{P} (inside|outside)(?: of)? {*}", "{P} in (?:interior of )?(triangle|quadrilateral|polygon) {*}")
def _inside(w: Writer, p: str, how: str, what: str) -> None:
    name = w.names.point(p)
    word = re.sub("^(?:triangle|quadrilateral|polygon|square|rectangle|circle|angle) ", "", what)
    if what.startswith("angle "):
        a, v, b = w.parser.corner(word)
        w.add("same side", name, b, v, a)
        w.add("same side", name, a, v, b)
    elif w.names.is_circle(word) and not (len(word) > 1 and w.names.is_points(word)):
        w.add("outside circle" if how == "outside" else "inside circle", name, w.names.circle(word))
    elif how == "outside":
        raise MisreadError("outside is understood of circles; of a polygon say on which side of which edge.")
    else:
        w.add("inside polygon", name, *w.names.points(word, 3))


@pattern("{*} (counter-?clockwise|anticlockwise|clockwise)", "{*} (ccw|cw)")
def _orientation(w: Writer, names: str, how: str) -> None:
    found = w.names.points(re.sub("^(?:triangle|polygon|quadrilateral) ", "", names), 3)
    w.add("counter-clockwise", *(found if how not in {"clockwise", "cw"} else found[::-1]))


# -- circles ---------------------------------------------------------------------------------------------------------------


@pattern(
    "circle {P} (?:with )?(?:center|centre) {P}(?:,? (?:and )?radius {*})?",
    "circle {P} around {P}(?:,? (?:with )?radius {*})?",
)
def _circle(w: Writer, name: str, centre: str, radius: str | None = None) -> None:
    k = w.new_circle(name, centre)
    if radius:
        equation(w, Formula(Sum.of(("radius", k)), Sum.of(1)), w.parser.parse(radius))


@pattern("circle {P} (?:through|passes through) {*}")
def _through(w: Writer, name: str, names: str) -> None:
    k = w.names.circle(name) if w.names.is_circle(name) else w.new_circle(name)
    for point in w.names.points(names):
        w.add("on circle", point, k)


@pattern("(?:circle )?{P} (?:circumcircle|circumscribed|circumscribes) (?:of |about |around )?(?:triangle )?{*}")
def _circumcircle(w: Writer, name: str, names: str) -> None:
    _through(w, name, names)


@pattern("(?:circle )?{P} (?:incircle|inscribed)(?: of| in)? (?:triangle )?{*}")
def _incircle(w: Writer, name: str, names: str) -> None:
    corners = w.names.points(names, 3)
    k = w.names.circle(name) if w.names.is_circle(name) else w.new_circle(name)
    for a, b in zip(corners, [*corners[1:], corners[0]], strict=True):
        w.add("tangent line", k, a, b)
    w.add("inside polygon", w.names.problem.circles[k], *corners)


@pattern(
    "{K} tangent(?: to)? {K}(?: (?:at|in) {P})?( internally| externally| inside| outside)?",
    "{K} touches {K}(?: (?:at|in) {P})?",
)
def _tangent(w: Writer, one: str, two: str, at: str | None = None, how: str | None = None) -> None:
    names = w.names
    circles = [re.sub("^circle ", "", word) for word in (one, two)]
    circles = [word for word in circles if names.is_circle(word) and not (len(word) > 1 and names.is_points(word))]
    if len(circles) == 2:
        k, m = (names.circle(word) for word in circles)
        w.add("tangent circles", k, m, "inside" if (how or "").strip() in {"internally", "inside"} else "outside")
        if at:
            for circle in (k, m):
                w.add("on circle", names.point(at), circle)
    elif len(circles) == 1:
        a, b = names.line(two if circles[0] == re.sub("^circle ", "", one) else one)
        k = names.circle(circles[0])
        if at:
            t = names.point(at)
            w.add("on circle", t, k)
            if t not in {a, b}:
                w.add("on line", t, a, b)
            w.add("perpendicular", names.problem.circles[k], t, a, b)
        else:
            w.add("tangent line", k, a, b)
    else:
        raise MisreadError(f"Neither {one!r} nor {two!r} is a circle; name the circle in circles.")


@pattern("{L} (diameter|chord) of {K}")
def _diameter(w: Writer, line: str, what: str, circle: str) -> None:
    a, b = w.names.line(line)
    k = w.names.circle(circle)
    for p in (a, b):
        w.add("on circle", p, k)
    if what == "diameter":
        w.add("midpoint", w.names.problem.circles[k], a, b)


@pattern("{P} (?:center|centre) of (?:circle )?{P}")
def _centre(w: Writer, p: str, circle: str) -> None:
    k = w.names.circle(circle)
    w.add("coincident", w.names.point(p), w.names.problem.circles[k])


@pattern("{P} (circumcenter|circumcentre|incenter|incentre|orthocenter|orthocentre|centroid) of (?:triangle )?{*}")
def _centres(w: Writer, p: str, what: str, names: str) -> None:
    o, (a, b, c) = w.names.point(p), w.names.points(names, 3, 3)
    if what.startswith("circum"):
        w.same(o, a, o, b)
        w.same(o, b, o, c)
    elif what.startswith("in"):
        for one, v, two in ((a, b, c), (b, c, a)):
            w.equal_angles((one, v, o), (o, v, two))
        w.add("inside polygon", o, a, b, c)
    elif what.startswith("ortho"):
        w.add("perpendicular", a, o, b, c)
        w.add("perpendicular", b, o, a, c)
    else:
        w.add("centroid", o, a, b, c)


# -- angles and shapes -----------------------------------------------------------------------------------------------------


@pattern("{L} bisects (?:angle |∠ ?){*}")
def _bisects(w: Writer, line: str, names: str) -> None:
    ends, (a, v, b) = w.names.line(line), w.parser.corner(names)
    if v not in ends:
        raise MisreadError(f"{line} does not begin at {v}, where the angle is.")
    p = ends[0] if ends[1] == v else ends[1]
    w.equal_angles((a, v, p), (p, v, b))
    w.add("equation", Sum.of(angle(a, v, p)) * 2 - Sum.of(angle(a, v, b)))


@pattern("{L} bisects (?:segment |line )?{P}")
def _bisects_segment(w: Writer, line: str, segment: str) -> None:
    a, b = w.names.line(segment)
    ends = w.names.line(line)
    m = w.names.hidden("midpoint")
    w.add("midpoint", m, a, b)
    w.add("on line", m, *ends)


@pattern("triangles? {*} (similar|congruent)(?: to)? (?:triangle )?{*}", "{*} (similar|congruent) to {*}")
def _similar(w: Writer, one: str, how: str, two: str) -> None:
    p, q = (w.names.points(re.sub("^triangles? ", "", text), 3) for text in (one, two))
    if len(p) != len(q):
        raise MisreadError(f"{one} and {two} have {len(p)} and {len(q)} corners.")
    n = len(p)
    if how == "congruent":
        for i in range(n):
            for j in range(i + 1, n):
                w.same(p[i], p[j], q[i], q[j])
        return
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    for i, j in pairs[1:]:
        one_ = Sum.of(length(p[0], p[1])) * Sum.of(length(q[i], q[j]))
        w.add("equation", one_ - Sum.of(length(q[0], q[1])) * Sum.of(length(p[i], p[j])))


_SHAPES = (
    "square|rectangle|rhombus|parallelogram|isosceles trapezoid|trapezoid|trapezium|kite|regular(?: polygon)?|"
    "equilateral(?: triangle)?|isosceles(?: triangle)?|right(?: triangle)?|right-angled(?: triangle)?|acute(?: triangle)?|"
    "obtuse(?: triangle)?|convex(?: polygon| quadrilateral)?|triangle|quadrilateral|polygon"
)


@pattern(f"{{*}} ({_SHAPES})(?: (?:at|with apex|with right angle at) {{P}})?")
def _shape(w: Writer, names: str, what: str, at: str | None = None) -> None:
    match = re.fullmatch(r"(.+) (?:right(?:-angled)? )?(?:at|with apex|with right angle at|right at) (\S+)", names)
    if match:
        names, at = match.group(1), match.group(2)
    names = re.sub("^(?:triangle|quadrilateral|polygon) ", "", names)
    what = re.sub(" (?:triangle|polygon|quadrilateral)$", "", what)
    corners = w.names.points(names, 3)
    count = {"square": 4, "rectangle": 4, "rhombus": 4, "parallelogram": 4, "trapezoid": 4, "trapezium": 4, "kite": 4}
    count |= {"quadrilateral": 4, "isosceles trapezoid": 4}
    count |= dict.fromkeys(("equilateral", "isosceles", "right", "right-angled", "acute", "obtuse", "triangle"), 3)
    if what in count and len(corners) != count[what]:
        raise MisreadError(f"{what} {names} names {len(corners)} points; it has {count[what]} corners.")
    if len(set(corners)) < len(corners):
        raise MisreadError(f"{what} {names} names a point twice; its corners are different points.")
    if tuple(corners) not in w.names.polygons:
        w.names.polygons.append(tuple(corners))
    _SHAPE[what](w, corners, None if at is None else w.names.point(at))


@pattern(f"({_SHAPES}) {{*}}")
def _shape_first(w: Writer, what: str, names: str) -> None:
    _shape(w, names, what)


def _ring(corners: list[str]) -> list[tuple[str, str]]:
    return list(zip(corners, [*corners[1:], corners[0]], strict=True))


def _square(w: Writer, c: list[str], at: str | None) -> None:
    del at
    w.names.problem.shapes.append((c[0], c[1], c[2]))
    w.add("parallelogram", *c)
    w.right(c[0], c[1], c[2])
    w.same(c[0], c[1], c[1], c[2])


def _rectangle(w: Writer, c: list[str], at: str | None) -> None:
    del at
    w.add("parallelogram", *c)
    w.right(c[0], c[1], c[2])


def _rhombus(w: Writer, c: list[str], at: str | None) -> None:
    del at
    w.add("parallelogram", *c)
    w.same(c[0], c[1], c[1], c[2])
    w.add("not on line", c[2], c[0], c[1])


def _parallelogram(w: Writer, c: list[str], at: str | None) -> None:
    del at
    w.add("parallelogram", *c)
    w.add("not on line", c[2], c[0], c[1])


def _trapezoid(w: Writer, c: list[str], at: str | None) -> None:
    del at
    w.add("parallel", c[0], c[1], c[2], c[3])
    w.add("convex", *c)


def _isosceles_trapezoid(w: Writer, c: list[str], at: str | None) -> None:
    _trapezoid(w, c, at)
    w.same(c[0], c[3], c[1], c[2])
    w.equal_angles((c[3], c[0], c[1]), (c[0], c[1], c[2]))


def _kite(w: Writer, c: list[str], at: str | None) -> None:
    del at
    w.same(c[0], c[1], c[0], c[3])
    w.same(c[2], c[1], c[2], c[3])


def _regular(w: Writer, c: list[str], at: str | None) -> None:
    del at
    w.names.problem.shapes.append((c[0], c[1], c[2]))
    w.add("not on line", c[2], c[0], c[1])
    n = len(c)
    for (a, b), (p, q) in pairwise(_ring(c)):
        w.same(a, b, p, q)
    inner = Fraction(180 * (n - 2), n)
    for k in range(n - 1 if n > 3 else 0):
        w.add("equation", Sum.of(angle(c[k - 1], c[k], c[(k + 1) % n])) - Sum.of(inner))
    if n > 3:
        w.add("convex", *c)


def _isosceles(w: Writer, c: list[str], at: str | None) -> None:
    apex = c[0] if at is None else at
    a, b = (name for name in c if name != apex)
    w.same(apex, a, apex, b)


def _right(w: Writer, c: list[str], at: str | None) -> None:
    corner = c[2] if at is None else at
    a, b = (name for name in c if name != corner)
    w.right(a, corner, b)


def _acute(w: Writer, c: list[str], at: str | None) -> None:
    del at
    for a, v, b in ((c[0], c[1], c[2]), (c[1], c[2], c[0]), (c[2], c[0], c[1])):
        w.add("more than", Sum.of(90) - Sum.of(angle(a, v, b)))
    w.add("not on line", *c)


def _obtuse(w: Writer, c: list[str], at: str | None) -> None:
    corner = c[1] if at is None else at
    a, b = (name for name in c if name != corner)
    w.add("more than", Sum.of(angle(a, corner, b)) - Sum.of(90))


def _triangle(w: Writer, c: list[str], at: str | None) -> None:
    del at
    w.add("not on line", c[2], c[0], c[1])


def _convex(w: Writer, c: list[str], at: str | None) -> None:
    del at
    w.add("convex", *c)


_SHAPE: dict[str, Callable[[Writer, list[str], str | None], None]] = {
    "square": _square,
    "rectangle": _rectangle,
    "rhombus": _rhombus,
    "parallelogram": _parallelogram,
    "trapezoid": _trapezoid,
    "trapezium": _trapezoid,
    "isosceles trapezoid": _isosceles_trapezoid,
    "kite": _kite,
    "regular": _regular,
    "equilateral": _regular,
    "isosceles": _isosceles,
    "right": _right,
    "right-angled": _right,
    "acute": _acute,
    "obtuse": _obtuse,
    "triangle": _triangle,
    "quadrilateral": _convex,
    "polygon": _convex,
    "convex": _convex,
}


# -- equations -------------------------------------------------------------------------------------------------------------

_RELATION = re.compile(r"(<=|>=|!=|==|≠|≤|≥|=|<|>)")


def relation(w: Writer, text: str) -> bool:
    """Write a chain of equations and comparisons, such as ``2 < AB <= 3``. Returns whether the text is one."""
    parts = _RELATION.split(text)
    if len(parts) < 3:
        return False
    sides = [part.strip() for part in parts[::2]]
    marks = parts[1::2]
    for mark, (left, right) in zip(marks, pairwise(sides), strict=True):
        if not left or not right:
            raise MisreadError(f"{text!r} has an empty side.")
        names = w.names
        if names.is_points(left) and names.is_points(right) and len(names.split(left)) == len(names.split(right)) == 1:
            w.add("distinct" if mark in {"!=", "≠"} else "coincident", names.point(left), names.point(right))
            continue
        equation(w, w.parser.parse(left), w.parser.parse(right), mark)
    return True


def equation(w: Writer, left: Formula, right: Formula, mark: str = "=") -> None:
    """Write a relation of two formulas.

    Raises:
        MisreadError: If an angle is compared with a length, or a number is out of its range.
    """
    difference = left.over * right.under - right.over * left.under
    kinds = {atom[0] for atom in difference.atoms()}
    if "angle" in kinds and kinds & {"length", "distance", "area", "radius", "x", "y"}:
        linear = {p[0][0] for p in difference.terms if len(p) == 1}
        if "angle" in linear and linear & {"length", "distance", "area", "radius", "x", "y"}:
            raise MisreadError("An angle is compared with a length.")
    if "angle" in kinds and (left.radians or right.radians):
        # Written with π: a sum without an angle is in radians.
        terms = {
            p: c if any(a[0] == "angle" for a in p) else float(c) * 57.29577951308232
            for p, c in difference.terms.items()
        }
        difference = Sum(terms)
    if not difference.terms:
        return
    if difference.is_constant:
        raise MisreadError("Both sides are numbers, and they differ.")
    if difference.degree > 2:
        raise MisreadError("More than two quantities are multiplied; at most two can be.")
    _possible(difference, mark)
    if mark in {"=", "=="}:
        w.add("equation", difference)
    elif mark in {"≠", "!="}:
        w.add("unequal", difference)
    else:
        value = difference if mark in {">", ">=", "≥"} else -difference
        w.add("at least" if mark in {">=", "≥", "<=", "≤"} else "more than", value)


def _possible(difference: Sum, mark: str) -> None:
    """Refuse a value outside the range of a single measure."""
    products = [product for product in difference.terms if product]
    if mark not in {"=", "=="} or len(products) != 1 or len(products[0]) != 1:
        return
    atom = products[0][0]
    value = float(-difference.constant) / float(difference.terms[products[0]])
    phrases = {"length": "".join(atom[1:]), "distance": "the distance", "area": "area " + "".join(atom[1:])}
    phrases |= {"radius": f"the radius of {atom[1]}"}
    if atom[0] == "angle":
        if not 0 <= value <= 180:
            raise MisreadError(
                f"angle {''.join(atom[1:])} is {value:g}°; an angle is 0 to 180. For one with a direction write directed angle "
                f"{''.join(atom[1:])} = {value:g}."
            )
    elif atom[0] in phrases and value < 0:
        raise MisreadError(f"{phrases[atom[0]]} is {value:g}; it cannot be negative.")
    elif atom[0] == "radius" and value == 0:
        raise MisreadError(f"{phrases['radius']} is 0; it must be positive.")


# -- one statement ---------------------------------------------------------------------------------------------------------

_SIGNS = {
    "⊥": " perpendicular ", "∥": " parallel ", "‖": " parallel ", "||": " parallel ", "∈": " on ", "≅": " congruent to ",
    "∼": " similar to ", "△": "triangle ", "⊙": "circle ", "–": "-", "∠ ": "∠", "º": "°", "_|_": " perpendicular ",
    "//": " parallel ",
}  # fmt: skip
_FILLERS = re.compile(
    r"\b(?:is|are|the|lies|lie|points?|an|a(?= (?:square|rect|rhom|para|mid|tri|right|kite|trap|diam|chord|tang|reg|conv|isos|"
    r"equi)))\s+(?!of\b)"
)


def state(w: Writer, text: str) -> None:
    """Write the constraints that a statement makes.

    Raises:
        MisreadError: If it is not understood.
    """
    sentence = " ".join(text.split()).rstrip(".;")
    for sign, word in _SIGNS.items():
        if sign != "||" or re.search(r"\w\s*\|\|\s*\w", sentence):
            sentence = sentence.replace(sign, word)
    sentence = " ".join(sentence.split())
    plain = _FILLERS.sub("", sentence + " ").strip()
    for form in dict.fromkeys((plain, sentence)):
        for expression, handler in PATTERNS:
            match = expression.match(form)
            if match and _fits(w, handler, match):
                groups = [None if g is None else g.strip() for g in match.groups()]
                handler(w, *groups, **({"text": form} if handler is _axis else {}))
                return
    equal = re.sub(r"\s+(?:is equal to|equals?|is|are equal to|are)\s+", " = ", sentence)
    equal = re.sub(r"\bthe\s+", "", equal)
    if relation(w, equal):
        return
    match = re.fullmatch(r"(.+?) (?:and|,) (.+?) (?:are )?(?:equal|congruent)(?: in length)?", plain)
    if match and relation(w, f"{match.group(1)} = {match.group(2)}"):
        return
    raise MisreadError(
        f"{text!r} is not understood. Write an equation (AB = 5, angle ABC = 60, AB = 2 CD) or a relation (AB parallel CD, "
        "M midpoint of AB, C on circle k, ABCD square, C left of AB)."
    )


def _fits(w: Writer, handler: Handler, match: re.Match[str]) -> bool:
    """Whether a match is a statement and not a formula such as ``area of ABC = 5``."""
    del w
    return handler in {_coordinates, _directed, _circle, _meet, _midpoint} or "=" not in match.string
