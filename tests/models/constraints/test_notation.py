"""Constraints written as texts mean what Python means by them, and what is not a constraint is refused where it goes wrong."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundstate import RequestError
from groundstate_models.constraints.notation import Names, NotationError, read
from groundstate_models.constraints.problem import Problem

NUMBERS: dict[str, Any] = {"x": [0, 1, 2], "y": [1, 2, 3], "z": [-1, 0, 2]}
VARIABLES: dict[str, Any] = {
    **NUMBERS,
    "cat": ["blue", "green", "red"],
    "dog": ["blue", "green"],
    "red house": ["dog", "blue"],
    "n": "1..5",
    "shift-1": ["Ada", "Bob"],
    "shift-2": ["Ada", "Bob"],
    "flag": ["0", "1"],
}


def problem(*texts: Any, variables: dict[str, Any] | None = None) -> Problem:
    return Problem.of({"variables": variables or VARIABLES, "constraints": list(texts)})


def said(text: str) -> str:
    return problem(text).constraints[0].in_words()


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("cat != dog", "cat and dog differ"),
        ("cat ≠ dog", "cat and dog differ"),
        ("cat = dog", "cat and dog are equal"),
        ("cat is red", "cat is red"),
        ("cat is not red", "cat is not red"),
        ("'red house' == blue", "red house is blue"),
        ("red house == blue", "red house is blue"),
        ("shift-1 != shift-2", "shift-1 and shift-2 differ"),
        ("shift-1 == Ada", "shift-1 is Ada"),
        ("flag == 1", "flag is 1"),
        ("x in {0, 2}", "x is 0 or 2"),
        ("n in 2..4", "n is 2, 3 or 4"),
        ("cat not in [blue, green]", "cat is not blue or green"),
        ("2*x + y <= 7", "2·x + y ≤ 7"),
        ("2x + 3y >= 8", "8 ≤ 2·x + 3·y"),
        ("3(x + y) == 6", "3·x + 3·y = 6"),
        ("7 >= x + y", "x + y ≤ 7"),
        ("1 <= x + y <= 4", "(1 ≤ x + y) and (x + y ≤ 4)"),
        ("x < y", "x + 1 ≤ y"),
        ("x + 3 <= y", "x + 3 ≤ y"),
        ("x - y >= 1", "y + 1 ≤ x"),
        ("y == x + 1", "y − x = 1"),
        ("x != y + 1", "x and y + 1 all differ"),
        ("sum(x, y, z) == 3", "x + y + z = 3"),
        ("abs(x - y) == 2", "(x, y) is (0, 2) or (1, 3)"),
        ("|x - y| = 2", "(x, y) is (0, 2) or (1, 3)"),
        ("x * y == 4", "(x, y) is (2, 2)"),
        ("n % 2 == 0", "n is 2 or 4"),
        ("x == 9", "x = 9"),
        ("all different: x, y, z", "x, y and z all differ"),
        ("alldifferent(x, y, z)", "x, y and z all differ"),
        ("all_different([x + 1, y - 2])", "x + 1 and y − 2 all differ"),
        ("all equal: x, y and z", "x, y and z are equal"),
        ("at most 2 of x, y, z are 2", "at most 2 of x = 2, y = 2 and z = 2"),
        ("exactly one of cat, dog is blue", "exactly 1 of cat = blue and dog = blue"),
        ("between 1 and 2 of {x, y, z} == 2", "1 to 2 of x = 2, y = 2 and z = 2"),
        ("at least 1 of x == 1, cat == red, n > 3", "at least 1 of x = 1, cat = red, n = 4 and n = 5"),
        ("no more than 1 of: (x == 1), (y == 1)", "at most 1 of x = 1 and y = 1"),
        ("if x == 1 then y == 2", "if x = 1, then y = 2"),
        ("x == 1 -> y == 2 or cat == red", "if x = 1, then y = 2 or cat = red"),
        ("y == 2 if x == 1 and cat == red", "if x = 1 and cat = red, then y = 2"),
        ("if x == 1 then x + y <= 3", "if x is 1, then x + y ≤ 3"),
        ("x == 1 <-> y == 1", "(if x = 1, then y = 1) and (if y = 1, then x = 1)"),
        ("x + 1 <= y or y + 1 <= x", "x + 1 ≤ y, or y + 1 ≤ x"),
        ("not (x == 1 and cat == red)", "not ((x is 1) and (cat is red))"),
        ("x before y", "x + 1 ≤ y"),
        ("x 2 before y", "x + 2 ≤ y"),
        ("x after y", "y + 1 ≤ x"),
        ("x right before y", "y − x = 1"),
        ("(x, cat) in {(1, red), (2, blue)}", "(x, cat) is (1, red) or (2, blue)"),
        ("(x, y) not in {(1, 1)}", "(x, y) is not (1, 1)"),
        ("no overlap: x for 3, y for 2", "x (lasting 3) and y (lasting 2) do not overlap"),
        ('red house == "dog"', "red house is dog"),
    ],
)
def test_what_a_text_is_understood_as(text: str, meaning: str) -> None:
    assert said(text) == meaning


@pytest.mark.parametrize(
    ("text", "at", "why"),
    [
        ("cat != dgo", 8, "no variable or value 'dgo'; did you mean 'dog'?"),
        ("cat == gren", 8, "'gren'; did you mean 'green'?"),
        ("dog == red", 8, "'red' is none of the values of 'dog'"),
        ("x <= ", 6, "is missing before 'the end'"),
        ("cat < 3", 8, "sums need numbers, and 'cat' may be 'blue'"),
        ("x != y != z", 12, "write 'all different: a, b, c'"),
        ("x / 2 == 1", 3, "'/' leaves fractions"),
        ("x = 1.5", 5, "not a whole number"),
        ("x = = 3", 5, "is missing before '='"),
        ("red house == dog", 11, "'dog' is a variable, and a value of 'red house'"),
        ("all different: x", 17, "at least two variables"),
        ("all different: x, y, x", 23, "'x' is listed twice"),
        ("no overlap: x, y", 14, "how long each lasts"),
        ("at most of x", 9, "a whole number is missing before 'of'"),
        ("at most 1 of x + y == 2, z == 2", 32, "each about one variable"),
        ("if x == 1 y == 2", 11, "'then' is missing before 'y'"),
        ("(x, y) in {(1, 9)}", 16, "9 is none of the values of 'y'"),
        ("(x, y) in {(1)}", 14, "a value of 'y' is missing"),
        ("x in {1, 2", 11, "'}' is missing before 'the end'"),
        ("x == x", 3, "'x' is compared with itself"),
        ("3 == 4", 3, "this has no variable"),
        ("x - x <= 1", 7, "cancel each other"),
        ("x ? 2", 3, "'?' is not part of the notation"),
        ("x <= 3 cat", 8, "one word too many"),
        ("", 1, "is missing before 'the end'"),
        ("(" * 70 + "x" + ")" * 70 + " <= 1", 51, "nested too deeply"),
        ("n % 0 == 1", 3, "only a number above 0 divides"),
        ("x * y * z * n * a", 17, "no variable or value 'a'"),
    ],
)
def test_what_is_no_constraint_is_refused_where_it_goes_wrong(text: str, at: int, why: str) -> None:
    with pytest.raises(RequestError) as error:
        problem("cat != dog", text)
    (fault,) = error.value.faults
    assert fault.place == "constraints[1]"
    assert f"At character {at}: " in fault.message
    assert why in fault.message
    assert len(fault.message) < 250


@pytest.mark.parametrize(
    "text", ["not no overlap: x for 1, y for 1", "if no overlap: x for 1, y for 1 then cat == red"]
)
def test_what_has_no_opposite_cannot_stand_behind_not_or_if(text: str) -> None:
    with pytest.raises(RequestError, match="cannot stand behind 'not' or 'if'"):
        problem(text)


def test_a_product_of_many_values_is_refused_with_their_number() -> None:
    wide = dict.fromkeys("abc", "1..100")
    with pytest.raises(RequestError, match="have 1000000 values together; at most 20000 are tried"):
        problem("a * b * c == 8", variables=wide)


def test_texts_stand_beside_objects_and_in_them_and_in_preferences() -> None:
    mixed = {"type": "any", "of": ["x == 1", {"type": "equal", "variables": ["cat", "dog"]}], "name": "either"}
    request = {"variables": VARIABLES, "constraints": [mixed, "x != y"], "preferences": [{"constraint": "cat == red"}]}
    found = Problem.of(request)
    assert found.names == ("either", "constraint 2")
    assert [one.in_words() for one in found.constraints] == ["x is 1, or cat and dog are equal", "x and y differ"]
    assert found.preferences[0].constraint.in_words() == "cat is red"
    mixed["of"][1] = "cat == dgo"  # type: ignore[index]
    with pytest.raises(RequestError, match=re.escape("constraints[0].of[1]")):
        Problem.of(request)


@st.composite
def sums(draw: st.DrawFn, depth: int = 0) -> str:
    if depth == 2 or draw(st.integers(0, 2)) == 0:
        return draw(st.sampled_from(["x", "y", "z", "1", "2"]))
    one, other = draw(sums(depth + 1)), draw(sums(depth + 1))
    return draw(
        st.sampled_from(
            [f"{one} + {other}", f"{one} - ({other})", f"2 * ({one})", f"abs({one})", f"max({one}, {other})"]
        )
    )


@st.composite
def conditions(draw: st.DrawFn, depth: int = 0) -> str:
    """Texts that Python reads too."""
    kind = draw(st.integers(0, 6)) if depth < 2 else 6
    if kind < 3:
        joined = f" {draw(st.sampled_from(['and', 'or']))} "
        return joined.join(f"({draw(conditions(depth + 1))})" for _ in range(draw(st.integers(2, 3))))
    if kind == 3:
        return f"not ({draw(conditions(depth + 1))})"
    if kind == 4:
        name = draw(st.sampled_from(sorted(NUMBERS)))
        among = set(draw(st.lists(st.sampled_from(NUMBERS[name]), min_size=1)))
        return f"{name} {draw(st.sampled_from(['in', 'not in']))} {among}"
    if kind == 5:
        return f"-1 <= {draw(sums())} < {draw(sums())}"
    return f"{draw(sums())} {draw(st.sampled_from(['==', '!=', '<=', '>=', '<', '>']))} {draw(sums())}"


@settings(max_examples=400, deadline=None)
@given(conditions())
def test_conditions_mean_what_python_means_by_them(text: str) -> None:
    try:
        found = Problem.of({"variables": NUMBERS, "constraints": [text]})
    except RequestError as error:
        # Comparisons without a variable, and of a variable with itself, are refused.
        # and nothing else is.
        if not re.search("no variable|cancel each other|compared with itself", str(error)):
            raise
        return
    for values in itertools.product(*NUMBERS.values()):
        given_values = dict(zip(NUMBERS, values, strict=True))
        wanted = eval(text, {"__builtins__": {}, "abs": abs, "max": max}, given_values)
        assert found.constraints[0].holds(given_values) == bool(wanted), (text, given_values)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="xyz 0123+-*/%()[]{},:.<>=!|\"'`andorifthenot", max_size=40))
def test_any_text_is_read_or_refused_with_its_place(text: str) -> None:
    names = Names(NUMBERS)
    try:
        typed = read(text, names)
    except NotationError as error:
        place = error.at
    else:
        assert "type" in typed
        place = 0
    assert 0 <= place <= len(text)


def test_a_long_text_is_read_in_a_moment() -> None:
    names = {f"name of {number}": [0, 1] for number in range(2_000)}
    text = f"all different: {', '.join(names)}"
    assert len(problem(text, variables=names).constraints[0].variables) == 2_000
    many = " or ".join(f"(name of {number} == 1)" for number in range(500))
    assert len(problem(many, variables=names).constraints[0].variables) == 500
