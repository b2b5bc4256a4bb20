"""Tasks: abilities are found, mistakes of an author are named, ties are settled, and what is alike is not asked about."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

import groundstate as gs
from groundstate import _meaning
from tests.runtime import toys

REQUEST = {"ac": 1.0, "bc": 0.8, "side": 0.0}
COSTS: list[float] = []


class Corner(gs.Reading, gs.Asks, gs.Shows):
    """C of a triangle, on the left or on the right of AB."""

    def variables(self, answer: dict[str, Any]) -> dict[str, Any]:
        return {"side": "left" if answer["c"][1] > 0 else "right"}

    def choices(self, variable: str) -> Sequence[str]:
        return ("left", "right")

    def fix(self, variable: str, value: Any) -> gs.Patch:
        return ({"op": "replace", "path": "/side", "value": 1.0 if value == "left" else -1.0},)

    def ask(self, variable: str) -> str:
        return "On which side of AB does C lie?"

    def svg(self, answer: dict[str, Any] | None) -> str | None:
        return None if answer is None else f'<svg viewBox="0 0 1 1"><!-- {answer["c"]} --></svg>'

    def draw(self, answer: dict[str, Any] | None) -> str:
        return "C" if answer is None else f"C {answer['c']}"


class Nearest(Corner, gs.Optimises):
    """The nearer C is to a place above AB, the better."""

    def cost(self, answer: dict[str, Any]) -> float:
        COSTS.append(float(np.hypot(answer["c"][0] - 0.5, answer["c"][1] - 2.0)))
        return COSTS[-1]


def solver_of(monkeypatch: pytest.MonkeyPatch, reading: type[gs.Reading], file: bytes | None = None) -> gs.Solver:
    """The toy with a task of these readings, as if a package had brought it."""
    kind = type("ToyTask", (gs.Task,), {"reading": reading})
    monkeypatch.setattr(_meaning, "find", kind)
    return gs.load(file or toys.triangle(task="toy"))


def test_two_mirror_images_are_asked_about_once_and_a_reply_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    solver = solver_of(monkeypatch, Corner)
    solution = solver.solve(REQUEST, alternatives=4, restarts=32)
    assert solution.status is gs.Status.AMBIGUOUS
    assert len(solution.alternatives) == 1
    question = solution.question
    assert question is not None
    assert question.text == "On which side of AB does C lie?"
    assert [option.id for option in question.options] == ["left", "right"]
    assert [option.answers_left for option in question.options] == [1, 1]
    for option, sign in zip(question.options, (1, -1), strict=True):
        replied = solver.solve(REQUEST, alternatives=4, restarts=32, replies={question.id: option.id})
        assert (replied.status, replied.question) == (gs.Status.SOLVED, None)
        assert replied.answer is not None
        assert np.sign(replied.answer["c"][1]) == sign


def test_the_better_mirror_image_is_the_answer_where_one_is_better(monkeypatch: pytest.MonkeyPatch) -> None:
    solution = solver_of(monkeypatch, Nearest).solve(REQUEST, alternatives=2, restarts=32)
    assert solution.status is gs.Status.SOLVED
    assert solution.answer is not None
    assert solution.answer["c"][1] > 0


def test_a_cost_that_falls_by_rounding_alone_is_not_improved_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer costs a ten-millionth less than the one before it."""
    left = [1.0]

    class Creeping(Corner, gs.Optimises):
        def cost(self, answer: dict[str, Any]) -> float:
            left[0] -= 1e-7
            return left[0]

    problem_rounds: list[int] = []
    solution = solver_of(monkeypatch, Creeping).solve(
        REQUEST, restarts=64, max_steps=100_000, watch=lambda segment: problem_rounds.append(segment.steps)
    )
    assert solution.status is gs.Status.SOLVED
    assert len(problem_rounds) < 200


def test_answers_that_differ_in_nothing_that_matters_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Indifferent(Corner):
        def variables(self, answer: dict[str, Any]) -> dict[str, Any]:
            return {"distance": round(float(np.hypot(*answer["c"])), 2)}

    solution = solver_of(monkeypatch, Indifferent).solve(REQUEST, alternatives=2, restarts=32)
    assert (solution.status, solution.question) == (gs.Status.SOLVED, None)


def test_declared_symmetries_make_answers_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mirrored(gs.Reading):
        def same(self, one: dict[str, Any], other: dict[str, Any]) -> bool:
            flat = [{"c": [c[0], abs(c[1])]} for c in (one["c"], other["c"])]
            return super().same(*flat)

    solver = solver_of(monkeypatch, Mirrored)
    assert solver.solve(REQUEST, alternatives=2, restarts=32).status is gs.Status.SOLVED
    monkeypatch.undo()
    plain = solver_of(monkeypatch, gs.Reading)
    assert plain.solve(REQUEST, alternatives=2, restarts=32).status is gs.Status.AMBIGUOUS


@pytest.mark.parametrize("honest", [True, False])
def test_ties_are_settled_by_the_tasks_convention_if_it_keeps_the_checks(
    monkeypatch: pytest.MonkeyPatch, honest: bool
) -> None:
    class Tidy(Corner):
        def check(self, answer: dict[str, Any]) -> list[gs.Violation]:
            miss = abs(np.hypot(*answer["c"]) - self.request["ac"])
            return [gs.Violation("distance", "AC is wrong.", amount=float(miss))] if miss > 1e-3 else []

        def settle_ties(self, answer: dict[str, Any]) -> dict[str, Any]:
            x, y = answer["c"]
            return {"c": [x, abs(y)] if honest else [0.0, 0.0]}

    solution = solver_of(monkeypatch, Tidy).solve(REQUEST, alternatives=2, restarts=32)
    assert solution.status is (gs.Status.SOLVED if honest else gs.Status.AMBIGUOUS)
    assert solution.answer is not None
    assert abs(np.hypot(*solution.answer["c"]) - 1) < 1e-3


def test_an_energy_without_checks_is_solved_where_the_task_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    class Positive(gs.Reading):
        def check(self, answer: dict[str, Any]) -> list[gs.Violation]:
            return [] if answer["y"][0] > 0 else [gs.Violation("sign", "y is below 0.")]

    solver = solver_of(monkeypatch, Positive, toys.wells(task="toy"))
    for seed in range(8):
        solution = solver.solve({}, seed=seed)
        assert solution.status is gs.Status.SOLVED
        assert solution.answer is not None
        assert solution.answer["y"][0] > 0


def test_an_answer_that_the_task_finds_wrong_is_the_closest_with_the_tasks_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Strict(gs.Reading):
        def check(self, answer: dict[str, Any]) -> list[gs.Violation]:
            return [gs.Violation("never", "Nothing is good enough.", places=("c",))]

    solution = solver_of(monkeypatch, Strict).solve(REQUEST, max_steps=64)
    assert solution.status is gs.Status.UNSOLVED
    assert solution.answer is None
    assert solution.closest is not None
    assert (
        solution.violations
        == solution.closest.violations
        == (gs.Violation("never", "Nothing is good enough.", places=("c",)),)
    )


def test_abilities_need_no_inheritance(monkeypatch: pytest.MonkeyPatch) -> None:
    class Alone(gs.Reading):
        variables, choices, fix, ask = Corner.variables, Corner.choices, Corner.fix, Corner.ask
        called, relaxations, unique = gs.Asks.called, gs.Asks.relaxations, gs.Asks.unique

    assert isinstance(Alone(gs.load(toys.triangle()).header, {}), gs.Asks)
    assert not isinstance(Alone(gs.load(toys.triangle()).header, {}), gs.Optimises)
    solver = solver_of(monkeypatch, Alone)
    assert solver.asks
    assert solver.solve(REQUEST, alternatives=2, restarts=32).question is not None


# An author's mistakes


class Half(gs.Reading):
    def cost(self, answer: dict[str, Any]) -> float:
        return 0.0


def raising(name: str) -> type[gs.Reading]:
    def method(*_: object) -> Any:
        raise KeyError("corner")

    method.__qualname__ = f"Broken.{name}"
    return type("Broken", (Nearest,), {name: property(method) if name == "contradictions" else method})


@pytest.mark.parametrize(
    "name",
    [
        *("encode", "decode", "check", "same", "cost", "improves", "variables", "choices", "fix", "ask"),
        *("contradictions", "settle_ties", "with_cost_below", "unique", "summary"),
    ],
)
def test_whatever_method_raises_is_named_in_one_sentence(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    kind = raising(name)
    if name in ("variables", "choices", "fix", "ask", "same", "unique"):
        kind = type("Broken", (Corner,), dict(vars(kind)))
    solver = solver_of(monkeypatch, kind)
    with pytest.raises(gs.TaskError) as raised:
        # An explanation is made when somebody reads it.
        assert solver.solve(REQUEST, alternatives=2, restarts=32).explanation
    assert str(raised.value).startswith(f"The task 'toy' (Broken.{name}) raised KeyError: ")
    assert "\n" not in str(raised.value)
    assert isinstance(raised.value.__cause__, KeyError)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("decode", [1], "a dict of plain JSON"),
        ("check", "wrong", "a list of groundstate.Violation, or None"),
        ("check", ["wrong"], "a list of groundstate.Violation, or None"),
        ("cost", None, "a finite number"),
        ("cost", float("nan"), "a finite number"),
        ("variables", ["side"], "a dict from names to values"),
        ("encode", [1], "a dict of tensors"),
        ("settle_ties", None, "a dict of plain JSON"),
    ],
)
def test_whatever_method_returns_another_type_is_named_with_what_is_wanted(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object, wanted: str
) -> None:
    def method(*_: object) -> object:
        return value

    method.__qualname__ = f"Odd.{name}"
    base = Corner if name == "variables" else Nearest
    solver = solver_of(monkeypatch, type("Odd", (base,), {name: method}))
    with pytest.raises(gs.TaskError, match=rf"^The task 'toy' \(Odd\.{name}\) returned .*; it must return {wanted}\.$"):
        solver.solve(REQUEST, alternatives=2, restarts=32)


def test_tensors_of_another_dtype_or_that_are_missing_are_the_tasks_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    for tensors, sentence in (
        (
            {"ac": np.float64(1)},
            r"\(Odd\.encode\) returned 'ac' as float64 of shape \(\); it must be float32 of shape \(\)",
        ),
        (
            {"ac": np.float32(1), "bc": np.float32(1)},
            r"\(Odd\.encode\) returned no tensor 'side', which the graph takes",
        ),
    ):

        def encode(_: gs.Reading, tensors: Mapping[str, Any] = tensors) -> Mapping[str, Any]:
            return tensors

        encode.__qualname__ = "Odd.encode"
        with pytest.raises(gs.TaskError, match=sentence):
            solver_of(monkeypatch, type("Odd", (gs.Reading,), {"encode": encode})).solve(REQUEST)


def test_an_ability_in_part_is_refused_with_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    solver = solver_of(monkeypatch, Half)
    with pytest.raises(
        gs.TaskError, match=r"Half has cost\(\), and lacks improves\(\), with_cost_below\(\); inherit from gro"
    ):
        solver.solve(REQUEST)


def test_a_method_that_must_be_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mute(gs.Reading, gs.Asks):
        pass

    with pytest.raises(gs.TaskError, match=r"raised TypeError: Can't instantiate abstract class Mute .*fix.*variables"):
        solver_of(monkeypatch, Mute).solve(REQUEST)


@pytest.mark.parametrize("returned", [None, 5, {"ac": 1}])
def test_a_task_that_returns_no_reading_is_named(monkeypatch: pytest.MonkeyPatch, returned: object) -> None:
    class Wrong(gs.Task):
        def read(self, request: dict[str, Any]) -> gs.Reading:
            return returned  # type: ignore[return-value]

    monkeypatch.setattr(_meaning, "find", Wrong)
    with pytest.raises(gs.TaskError, match=r"Wrong\.read\) returned .*; it must return a groundstate\.Reading"):
        gs.load(toys.triangle(task="toy")).solve(REQUEST)


def test_a_task_that_cannot_be_made_is_named_when_it_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(header: gs.Header) -> gs.Task:
        raise ImportError("no module named 'nowhere'")

    monkeypatch.setattr(_meaning, "find", find)
    with pytest.raises(gs.TaskError, match=r"The task 'toy' \(.*\) raised ImportError: no module named 'nowhere'"):
        gs.load(toys.triangle(task="toy"))


# How often a task is asked


def test_a_request_is_copied_and_read_once_and_an_answer_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {"read": 0, "encode": 0, "decode": 0}

    class Counting(gs.Reading):
        def __init__(self, header: gs.Header, request: dict[str, Any]) -> None:
            super().__init__(header, request)
            counts["read"] += 1

        def encode(self) -> dict[str, Any]:
            counts["encode"] += 1
            return super().encode()

        def decode(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
            counts["decode"] += 1
            return super().decode(tensors)

    solver = solver_of(
        monkeypatch, Counting, toys.triangle(task="toy", accept={"checks": "all", "converged": False, "polish": 0})
    )
    solution = solver.solve(REQUEST, restarts=1)
    assert solution.status is gs.Status.SOLVED
    assert counts == {"read": 1, "encode": 1, "decode": 1 + (solution.runner_up is not None)}


def test_what_a_caller_does_to_its_request_reaches_no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    solver = solver_of(monkeypatch, Corner)
    mine = dict(REQUEST)
    solution = solver.solve(mine)
    mine["ac"] = 5.0
    assert solution.request["ac"] == 1


# Drawing


def test_a_notebook_shows_the_tasks_picture_and_a_record_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    solution = solver_of(monkeypatch, Corner).solve(REQUEST)
    assert solution._repr_svg_() == solver_of(monkeypatch, Corner).svg(REQUEST, solution.answer)
    assert "svg" not in json.dumps(solution.to_json())
    monkeypatch.undo()
    assert gs.load(toys.triangle()).solve(REQUEST)._repr_svg_() is None


def test_a_reading_may_start_chains_and_a_good_start_needs_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    class Knowing(gs.Reading):
        def starts(self, random: np.random.Generator, count: int) -> dict[str, Any]:
            return {"y": np.tile([0.5, 1.0], (count, 1)) + 1e-9 * random.standard_normal((count, 2))}

    blind = solver_of(monkeypatch, gs.Reading).solve(REQUEST, seed=3)
    knowing = solver_of(monkeypatch, Knowing).solve(REQUEST, seed=3)
    assert blind.status is knowing.status is gs.Status.SOLVED
    assert knowing.chains <= blind.chains


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (lambda count: {"y": np.zeros((count, 3))}, "of shape"),
        (lambda count: {"y": np.full((count, 2), np.nan)}, "all of them finite"),
        (lambda count: {"d": np.zeros((count, 2))}, "it must be one of"),
        (lambda count: 3, "a dict of tensors, or None"),
    ],
)
def test_a_start_of_another_shape_is_the_tasks_fault(monkeypatch: pytest.MonkeyPatch, given: Any, wanted: str) -> None:
    class Wrong(gs.Reading):
        def starts(self, random: np.random.Generator, count: int) -> Any:
            return given(count)

    with pytest.raises(gs.TaskError, match=wanted):
        solver_of(monkeypatch, Wrong).solve(REQUEST)
