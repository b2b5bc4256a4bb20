"""What people write is understood, and what means nothing is refused with one sentence."""

from __future__ import annotations

import math
from typing import Any

import pytest

from groundstate import RequestError
from groundstate_models.geometry.request import read
from tests.models.geometry.solved import asked, solution

TRUE = {
    "AB = 5": lambda f: f.distance("A", "B") == pytest.approx(5),
    "|AB| = 5": lambda f: f.distance("A", "B") == pytest.approx(5),
    "the length of AB is 5": lambda f: f.distance("A", "B") == pytest.approx(5),
    "AB = 2 CD": lambda f: f.distance("A", "B") == pytest.approx(2 * f.distance("C", "D")),
    "AB : CD = 2 : 3": lambda f: 3 * f.distance("A", "B") == pytest.approx(2 * f.distance("C", "D")),
    "AB * CD = EF^2": lambda f: f.distance("A", "B") * f.distance("C", "D") == pytest.approx(f.distance("E", "F") ** 2),
    "AB + BC = 7": lambda f: f.distance("A", "B") + f.distance("B", "C") == pytest.approx(7),
    "AB = sqrt(2)": lambda f: f.distance("A", "B") == pytest.approx(math.sqrt(2)),
    "AB = 2√3": lambda f: f.distance("A", "B") == pytest.approx(2 * math.sqrt(3)),
    "angle ABC = 60": lambda f: f.angle("A", "B", "C") == pytest.approx(60),
    "∠ABC = 60°": lambda f: f.angle("A", "B", "C") == pytest.approx(60),
    "angle ABC is 60 degrees": lambda f: f.angle("A", "B", "C") == pytest.approx(60),
    "angle ABC = pi/3": lambda f: f.angle("A", "B", "C") == pytest.approx(60),
    "angle ABC = 2 angle BCA": lambda f: f.angle("A", "B", "C") == pytest.approx(2 * f.angle("B", "C", "A")),
    "area ABC = 12": lambda f: abs(f.area("ABC")) == pytest.approx(12),
    "perimeter ABC = 12": lambda f: sum(f.distance(*p) for p in ("AB", "BC", "CA")) == pytest.approx(12),
    "distance from C to AB = 3": lambda f: abs(f.side("C", "A", "B")) == pytest.approx(3),
    "AC perpendicular to BC": lambda f: f.angle("A", "C", "B") == pytest.approx(90),
    "AC ⊥ BC": lambda f: f.angle("A", "C", "B") == pytest.approx(90),
    "AB is parallel to CD": lambda f: abs(math.sin(f.turn(*"ABCD"))) < 1e-9,
    "AB ∥ CD": lambda f: abs(math.sin(f.turn(*"ABCD"))) < 1e-9,
    "M is the midpoint of AB": lambda f: f.along("M", "A", "B") == pytest.approx(0.5),
    "C on line AB": lambda f: abs(f.side("C", "A", "B")) < 1e-9,
    "C on segment AB": lambda f: 0 <= f.along("C", "A", "B") <= 1,
    "C is on ray AB": lambda f: f.along("C", "A", "B") >= -1e-9,
    "C between A and B": lambda f: 0 < f.along("C", "A", "B") < 1,
    "A, B and C are collinear": lambda f: abs(f.side("C", "A", "B")) < 1e-9,
    "A, B, C, D concyclic": lambda f: abs(math.sin(f.turn(*"CACB") - f.turn(*"DADB"))) < 1e-9,
    "AB horizontal": lambda f: f.points["A"][1] == pytest.approx(f.points["B"][1]),
    "AB is vertical": lambda f: f.points["A"][0] == pytest.approx(f.points["B"][0]),
    "A = (1, 2)": lambda f: f.points["A"] == pytest.approx((1, 2)),
    "A at (1, -2)": lambda f: f.points["A"] == pytest.approx((1, -2)),
    "C left of AB": lambda f: f.side("C", "A", "B") > 0,
    "C is right of A→B": lambda f: f.side("C", "A", "B") < 0,
    "A left of B": lambda f: f.points["A"][0] < f.points["B"][0],
    "A above B": lambda f: f.points["A"][1] > f.points["B"][1],
    "C and D on the same side of AB": lambda f: f.side("C", "A", "B") * f.side("D", "A", "B") > 0,
    "C, D on opposite sides of AB": lambda f: f.side("C", "A", "B") * f.side("D", "A", "B") < 0,
    "P inside triangle ABC": lambda f: all(
        f.side("P", *pair) * f.area("ABC") > 0 for pair in (("A", "B"), ("B", "C"), ("C", "A"))
    ),
    "ABCD square": lambda f: abs(f.area("ABCD")) == pytest.approx(f.distance("A", "B") ** 2),
    "ABCD is a rectangle": lambda f: f.distance("A", "C") == pytest.approx(f.distance("B", "D")),
    "rhombus ABCD": lambda f: f.distance("A", "B") == pytest.approx(f.distance("B", "C")),
    "ABCD is a parallelogram": lambda f: f.distance("A", "B") == pytest.approx(f.distance("C", "D")),
    "ABCD trapezoid": lambda f: abs(math.sin(f.turn(*"ABDC"))) < 1e-9,
    "triangle ABC is equilateral": lambda f: f.angle("A", "B", "C") == pytest.approx(60),
    "ABC isosceles at C": lambda f: f.distance("A", "C") == pytest.approx(f.distance("B", "C")),
    "triangle ABC right at C": lambda f: f.angle("A", "C", "B") == pytest.approx(90),
    "ABC is acute": lambda f: max(f.angle(*p) for p in ("ABC", "BCA", "CAB")) < 90,
    "ABCDE regular": lambda f: f.angle("A", "B", "C") == pytest.approx(108),
    "ABCDE convex": lambda f: f.area("ABC") * f.area("CDE") > 0,
    "A, B, C counterclockwise": lambda f: f.area("ABC") > 0,
    "AD bisects angle BAC": lambda f: f.angle("B", "A", "D") == pytest.approx(f.angle("D", "A", "C")),
    "P is the reflection of Q in AB": lambda f: f.side("P", "A", "B") == pytest.approx(-f.side("Q", "A", "B")),
    "H is the foot of the perpendicular from C to AB": lambda f: f.angle("A", "H", "C") == pytest.approx(90),
    "O circumcenter of ABC": lambda f: f.distance("O", "A") == pytest.approx(f.distance("O", "C")),
    "I incenter of ABC": lambda f: f.side("I", "A", "B") == pytest.approx(f.side("I", "B", "C")),
    "H orthocenter of ABC": lambda f: abs(math.cos(f.turn(*"AHBC"))) < 1e-9,
    "G centroid of ABC": lambda f: f.points["G"][0] == pytest.approx(sum(f.points[n][0] for n in "ABC") / 3),
    "triangle ABC similar to DEF": lambda f: f.angle("A", "B", "C") == pytest.approx(f.angle("D", "E", "F")),
    "directed angle ABC = 270": lambda f: f.turn(*"BABC") == pytest.approx(-math.pi / 2),
    "AB ≠ CD": lambda f: f.distance("A", "B") != f.distance("C", "D"),
    "2 < AB <= 3": lambda f: 2 < f.distance("A", "B") <= 3 + 1e-9,
    "A = B": lambda f: f.distance("A", "B") < 1e-9,
}


@pytest.mark.parametrize("text", TRUE)
def test_a_statement_as_people_write_it_holds_in_the_figure(text: str) -> None:
    problem = asked(text).problem
    assert TRUE[text](problem.figure(solution(problem)))


CIRCLES = {
    "C on circle k": lambda f: f.distance("O", "C") == pytest.approx(3),
    "C, D on k": lambda f: f.distance("O", "D") == pytest.approx(3),
    "k tangent to AB": lambda f: abs(f.side("O", "A", "B")) == pytest.approx(3),
    "AB is tangent to circle k at A": lambda f: f.angle("O", "A", "B") == pytest.approx(90),
    "AB is a diameter of k": lambda f: f.distance("A", "B") == pytest.approx(6),
    "C inside circle k": lambda f: f.distance("O", "C") < 3,
    "C outside k": lambda f: f.distance("O", "C") > 3,
    "circle k tangent to circle m": lambda f: f.distance("O", "P") == pytest.approx(5),
    "k tangent to m internally": lambda f: f.distance("O", "P") == pytest.approx(1),
    "radius of k = 3 PQ": lambda f: f.distance("P", "Q") == pytest.approx(1),
}


@pytest.mark.parametrize("text", CIRCLES)
def test_a_statement_about_circles_holds_in_the_figure(text: str) -> None:
    circles = {"k": {"center": "O", "radius": 3}, "m": {"center": "P", "radius": 2}}
    problem = asked(text, circles=circles).problem
    assert CIRCLES[text](problem.figure(solution(problem)))


TYPED: list[tuple[dict[str, Any], str]] = [
    ({"type": "distance", "of": ["A", "B"], "is": 5}, "AB = 5"),
    ({"type": "angle", "of": ["A", "B", "C"], "is": 60}, "angle ABC = 60"),
    ({"type": "parallel", "of": ["A", "B", "C", "D"]}, "AB parallel CD"),
    ({"type": "midpoint", "of": ["M", "A", "B"]}, "M midpoint of AB"),
    ({"type": "equal_lengths", "of": ["AB", "CD"]}, "AB = CD"),
    ({"type": "on_segment", "of": "CAB"}, "C on segment AB"),
    ({"type": "square", "of": ["A", "B", "C", "D"]}, "ABCD square"),
]


@pytest.mark.parametrize(("typed", "text"), TYPED)
def test_a_typed_object_means_what_the_statement_means(typed: dict[str, Any], text: str) -> None:
    assert asked(typed).problem.constraints == asked(text).problem.constraints


BAD = {
    "AB = -5": "cannot be negative",
    "angle ABC = 270": "0 to 180",
    "line ABC parallel DE": "give two",
    "AB = 5 apples": "no unit",
    "AB = 1e400": "too large",
    "AB = nan": "not understood",
    "A midpoint of AB": "named twice",
    "ABBA rectangle": "names a point twice",
    "ABC = 5": "write angle ABC, area ABC",
    "AB = ": "empty side",
    "angle ABA = 20": "names a point twice",
    "frobnicate AB": "not understood",
    "C on circle k": "is no",
    "AA = 3": "names the point A twice",
    "angle B = 30": "name three points",
    "AB / 0 = 2": "divides by 0",
    "AB = sqrt(-1)": "root of a negative",
    "AB = angle ABC": "compared",
    "3 = 4": "numbers",
}


@pytest.mark.parametrize("text", BAD)
def test_what_means_nothing_is_refused_with_its_place_and_a_sentence(text: str) -> None:
    with pytest.raises(RequestError, match=BAD[text]) as refusal:
        asked(text)
    assert refusal.value.faults[0].place == "constraints[0]"


def test_a_radius_of_nothing_is_refused() -> None:
    with pytest.raises(RequestError, match="must be positive and finite"):
        read({"circles": {"k": {"center": "O", "radius": 0}}})


def test_a_circle_about_which_nothing_is_said_is_refused() -> None:
    with pytest.raises(RequestError, match="give a center, a radius or points") as refusal:
        read({"circles": {"k": {}}, "constraints": ["AB = 3"]})
    assert refusal.value.faults[0].place == "circles.k"


def test_a_circle_that_a_statement_describes_needs_no_more() -> None:
    assert asked("A on circle k", circles={"k": {}}).problem.circles


def test_a_place_that_is_no_number_is_refused() -> None:
    with pytest.raises(RequestError, match="two finite numbers"):
        read({"points": {"A": [0.0, math.nan]}})


def test_units_are_converted_and_the_conversion_is_noted() -> None:
    found = asked("AB = 5 cm", "BC = 50 mm")
    figure = found.problem.figure(solution(found.problem))
    assert figure.distance("A", "B") == pytest.approx(figure.distance("B", "C"))
    assert found.unit == "cm"
    assert found.notices == ["50 mm was read as 5 cm."]


def test_a_point_that_nobody_declared_is_declared_by_its_use_with_a_notice() -> None:
    found = asked("AB = 5", points=["A"])
    assert found.problem.points == ["A", "B"]
    assert "B is not among points" in found.notices[0]


def test_a_likely_misspelling_is_refused() -> None:
    with pytest.raises(RequestError, match="misspelt"):
        asked("A1B = 5", "B2A1 = 3", points=["A1", "B", "B1"])


def test_too_many_points_are_refused() -> None:
    with pytest.raises(RequestError, match="there may be 1500"):
        read({"points": [f"P{k}" for k in range(5000)]})


def test_an_infinite_place_is_refused() -> None:
    with pytest.raises(RequestError, match="two finite numbers"):
        read({"points": {"A": [0.0, math.inf]}})
