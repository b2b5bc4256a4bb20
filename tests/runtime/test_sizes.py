"""Problems of any size: sizes are read off a request, problems of several sizes share a call, and answers only become cheaper."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import groundstate as gs
from groundstate import _meaning, _problems, _sizes
from groundstate._header import InputSpec
from groundstate._meaning import Meaning
from groundstate._problem import Budget, Candidate, Problem
from tests import sized

NO_LIMIT = 99.0


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sized") / "colours.onnx"
    sized.made(file)
    return file


@pytest.fixture(scope="module")
def solver(path: Path) -> gs.Solver:
    return gs.load(path)


def request(nodes: int, colours: int, seed: int = 0, most: float = NO_LIMIT) -> dict[str, Any]:
    """A random graph that has at least one edge, and prices from 0 to 4."""
    random = np.random.default_rng([nodes, colours, seed])
    edges = [[a, b] for a, b in itertools.combinations(range(nodes), 2) if random.random() < 0.5]
    edges = edges or [[0, 1]]
    return {
        "edge": edges,
        "weight": [1] * len(edges),
        "price": random.integers(0, 5, (nodes, colours)).tolist(),
        "most": most,
    }


def right(problem: Mapping[str, Any], colour: list[int]) -> bool:
    cost = sum(prices[chosen] for prices, chosen in zip(problem["price"], colour, strict=True))
    return all(colour[a] != colour[b] for a, b in problem["edge"]) and cost <= problem["most"]


def tensors(problem: Mapping[str, Any], batch: int = 1) -> dict[str, Any]:
    kinds = {"edge": np.int64, "weight": np.float32, "price": np.float32, "most": np.float32}
    return {name: np.stack([np.asarray(problem[name], kind)] * batch) for name, kind in kinds.items()}


# Sizes


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 9), st.integers(3, 5), st.integers(0, 999))
def test_a_problem_of_any_size_is_solved_and_judged(solver: gs.Solver, nodes: int, colours: int, seed: int) -> None:
    problem = request(nodes, colours, seed)
    solution = solver.solve(problem)
    if solution.status is gs.Status.SOLVED:
        assert solution.answer is not None
        assert right(problem, solution.answer["colour"])
        score = solver.score(problem, solution.answer)
        assert score.valid
        assert score.terms["price"] == 0.0
    else:
        assert solution.answer is None
        assert solution.closest is not None
        assert len(solution.closest.answer["colour"]) == nodes
    same = solver.score(problem, {"colour": [0] * nodes})
    assert not same.valid
    assert [violation.check for violation in same.violations] == ["edges"]


def test_problems_of_several_sizes_in_one_call_get_what_they_get_alone(solver: gs.Solver) -> None:
    many = [request(nodes, colours, seed) for seed in range(3) for nodes, colours in ((4, 3), (6, 4), (9, 4), (2, 3))]
    many.insert(5, request(4, 3) | {"weight": []})
    order: list[int] = []
    solutions = solver.solve_many(many, seed=3, done=lambda index, _: order.append(index))
    assert sorted(order) == list(range(len(many)))
    assert isinstance(solutions.pop(5), gs.RequestError)
    del many[5]
    for problem, solution in zip(many, solutions, strict=True):
        assert not isinstance(solution, gs.RequestError)
        alone = solver.solve(problem, seed=3)
        assert (solution.status, solution.answer, solution.steps) == (alone.status, alone.answer, alone.steps)


def test_more_problems_than_fit_in_flight_are_solved_whatever_their_sizes(solver: gs.Solver) -> None:
    many = [request(2 + index % 5, 4, index) for index in range(150)]
    solutions = solver.solve_many(many, max_steps=512)
    assert all(isinstance(one, gs.Solution) and one.answer is not None for one in solutions)
    answered = [
        right(problem, one.answer["colour"])
        for problem, one in zip(many, solutions, strict=True)
        if isinstance(one, gs.Solution) and one.status is gs.Status.SOLVED and one.answer is not None
    ]
    assert all(answered)
    assert len(answered) > 140


def test_every_segment_is_watched_at_its_problems_size(solver: gs.Solver) -> None:
    many = [request(3, 3), request(6, 4), request(3, 3, 1)]
    seen: list[gs.Segment] = []
    solver.solve_many(many, watch=seen.append)
    assert {segment.index for segment in seen} == {0, 1, 2}
    for segment in seen:
        nodes = len(many[segment.index]["price"])
        assert segment.answer["colour"].shape == (segment.chains, nodes)
        assert segment.path["colour"].shape == (segment.chains, 8, nodes)


def test_the_raw_operation_takes_any_size_and_draws_what_is_left_out(solver: gs.Solver) -> None:
    out = solver.minimise(tensors(request(6, 4), 3), steps=16, seed=1)
    assert out["next.y"].shape == out["next.y.velocity"].shape == (3, 6, 4)
    assert out["trace"].shape == (3, 16)
    again = solver.minimise(tensors(request(6, 4), 3), {"y": np.zeros((3, 6, 4), np.float32)}, seed=1)
    assert np.allclose(again["trace"][:, 0], again["trace"][0, 0])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"edge": []}, r"edge: There are 0 entries; there must be 1 or more"),
        ({"price": []}, r"price: There are 0 entries; there must be 1 or more"),
        ({"price": [[], []]}, r"price\[0\]: There are 0 entries"),
        ({"price": [[1, 2], [3]]}, r"price: This must be an array of float32 of shape \(nodes, colours\)"),
        ({"edge": [[0, 1, 0]]}, r"edge\[0\]: There are 3 entries; there must be exactly 2"),
        ({"weight": [1] * 7}, r"weight: This has shape \(7,\); it must be \(edges,\), where edges is \d in 'edge'"),
        ({"edge": [[0, 7]], "weight": [1]}, "The model cannot run on this. An index is probably out of range"),
    ],
)  # fmt: skip
def test_a_request_that_is_of_no_size_is_refused(solver: gs.Solver, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(gs.RequestError, match=sentence):
        solver.solve(request(3, 3) | change)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"price": np.zeros((1, 0, 3), np.float32)}, "inputs.price: Here nodes is 0; it must be at least 1"),
        ({"edge": np.zeros((1, 0, 2), np.int64)}, "inputs.edge: Here edges is 0; it must be at least 1"),
        ({"weight": np.zeros((1, 9), np.float32)}, r"inputs.weight: This has shape \(9,\); it must be .*, where edges is \d"),
        ({"price": np.zeros((1, 3), np.float32)}, r"inputs.price: This has shape \(1, 3\), without the batch"),
        ({"edge": np.zeros((1, 4, 3), np.int64)}, r"inputs.edge: This has shape \(4, 3\); it must be \(edges, 2\)"),
        ({"price": np.full((1, 3, 3), 1e300)}, r"inputs.price: This is float64 of shape \(1, 3, 3\); it must be float32"),
        ({"price": np.zeros((2, 3, 3), np.float32)}, "inputs: All inputs need the same first axis"),
        ({name: array[:0] for name, array in tensors(request(3, 3)).items()}, "the batch, of at least 1"),
        ({"most": np.float32(1)}, r"inputs.most: This has shape \(\), without the batch; add a first axis for it"),
        ({"colour": np.zeros((1, 3))}, "inputs.colour: This is unknown; the tensors are edge, weight, price, most"),
    ],
)  # fmt: skip
def test_raw_tensors_that_are_of_no_size_are_refused(solver: gs.Solver, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(gs.RequestError, match=sentence):
        solver.minimise(tensors(request(3, 3)) | change)
    with pytest.raises(gs.RequestError, match=r"inputs\.price: This is missing"):
        solver.minimise({name: x for name, x in tensors(request(3, 3)).items() if name != "price"})


def test_a_state_or_an_answer_of_another_size_than_the_problem_is_refused(solver: gs.Solver) -> None:
    with pytest.raises(
        gs.RequestError, match=r"state\.y: This is float32 of shape \(1, 4, 3\); it must be .* \(1, 3, 3\)"
    ):
        solver.minimise(tensors(request(3, 3)), {"y": np.zeros((1, 4, 3), np.float32)})
    for colour in ([0, 1], [0, 1, 2, 0], [0]):
        with pytest.raises(
            gs.RequestError, match=rf"answer\.colour: This has shape \({len(colour)},\); it must be \(3,\)"
        ):
            solver.score(request(3, 3), {"colour": colour})


def test_a_problem_that_takes_too_much_memory_is_refused_before_anything_is_made(solver: gs.Solver) -> None:
    huge = np.broadcast_to(np.float32(0), (1, 100_000, 100_000))
    said = r"At this size \(edges 1, nodes 100000, colours 100000\) a step takes tensors of 80000000000 elements; at most 16"
    with pytest.raises(gs.RequestError, match=said):
        solver.minimise(tensors(request(2, 2) | {"edge": [[0, 1]], "weight": [1]}) | {"price": huge})


def test_the_header_at_a_size_is_made_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    monkeypatch.setattr(_problems, "header_at", lambda *args: made.append(args) or _sizes.header_at(*args))
    solver = gs.load(path)
    solver.solve_many(
        [request(4, 3, seed) | {"edge": [[0, 1], [1, 2]], "weight": [1, 1]} for seed in range(20)], max_steps=16
    )
    assert len(made) == 1


# Files


def rewritten(path: Path, **changes: Any) -> bytes:
    """The file with fields of its header changed; a dotted name is a field of a field."""
    model = onnx.load(path)
    entry = next(one for one in model.metadata_props if one.key == "groundstate")
    header = json.loads(entry.value)
    for place, value in changes.items():
        *outer, last = place.split("__")
        within = header
        for name in outer:
            within = within[name]
        within[last] = value
    entry.value = json.dumps(header)
    return bytes(model.SerializeToString())


SHAPE = "inputs__edge__shape"
OLD = {"format": 2, "rules": [], "defaults": {"restarts": 1, "max_steps": 8, "patience": 8, "settled": 0.1}}
"""What a header of format 2 has, and one of format 4 has not."""


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (OLD | {"entries": 9}, "an axis is 'colours' long, and format 2 knows numbers only"),
        (OLD | {"entries": [9]}, "'entries' is .*, which has the wrong type"),
        ({"elements": 9}, "'elements' is 9, which has the wrong type"),
        ({"elements": []}, r"'elements' is \[\]; it must hold at least one product"),
        ({"elements": [0]}, r"'elements\[0\]' is 0; it must be a whole number of at least 1, or a product of sizes"),
        ({"elements": ["leaves"]}, "the size 'leaves' is the length of no axis of an input"),
        ({"limits": {"restarts": 1, "max_steps": 1, "batch": 1}}, r"lacks 'limits\.elements'"),
        ({"state__y__shape": ["2*nodes", "leaves"]}, "the size 'leaves' is the length of no axis of an input"),
        ({"inputs__price__shape": ["2*nodes", "colours"]}, "the size 'nodes' is the length of no axis of an input"),
        ({SHAPE: ["edges", ""]}, r"'inputs\.edge\.shape\[1\]' is ''; it must be a whole number of at least 0, or a product"),
        ({SHAPE: ["edges", "2**3"]}, r"is '2\*\*3'"),
        ({SHAPE: ["edges", "0"]}, r"is '0'"),
        ({SHAPE: ["edges", "2"]}, r"is '2'"),
        ({"elements": ["2*3"]}, r"is '2\*3'"),
        ({SHAPE: ["edges", "9" * 5000]}, r"it must be a whole number"),
        ({SHAPE: ["edges", True]}, r"is True"),
        ({SHAPE: ["edges", -2]}, r"is -2"),
        ({"form": "loop"}, "a file of any size is unrolled and of any batch"),
        ({"batch": 3}, "a file of any size is unrolled and of any batch"),
        ({SHAPE: ["ends", 2]}, r"input 'edge' that is not int64 of shape \(batch, ends, 2\), as the header says"),
        ({SHAPE: [7, 2]}, r"input 'edge' that is not int64 of shape \(batch, 7, 2\), as the header says"),
        ({SHAPE: ["edges", "nodes"]}, r"input 'edge' that is not int64 of shape \(batch, edges, nodes\), as the header says"),
    ],
)  # fmt: skip
def test_a_header_whose_sizes_make_no_sense_is_refused(path: Path, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(gs.ArtefactError, match=sentence):
        gs.load(rewritten(path, **changes))


def test_products_are_lengths_at_a_problems_sizes(solver: gs.Solver) -> None:
    assert solver.header.elements == ("colours*nodes", "colours*edges")
    found = solver.header.at({"nodes": 5, "colours": 3, "edges": 7})
    assert found.largest == 21
    assert found.state["y"].shape == (5, 3)
    assert found.noise["y"].shape == (8, 5, 3)
    assert found.graph_inputs["edge"] == (np.dtype(np.int64), ("batch", 7, 2))


# Costs


class Priced(gs.Reading, gs.Optimises):
    """Colours that cost less are better. Notes every cost that it is asked for."""

    noted: ClassVar[list[float]] = []
    provable: ClassVar[bool] = True

    def cost(self, answer: dict[str, Any]) -> float:
        self.noted.append(price(self.request, answer))
        return self.noted[-1]

    def with_cost_below(self, cost: float) -> dict[str, Any] | None:
        least = sum(min(prices) for prices in self.request["price"])
        if cost - 1 < least and self.provable:
            return None
        return type(self)(self.header, {**self.request, "most": cost - 1}).encode()


def price(problem: Mapping[str, Any], answer: Mapping[str, Any]) -> float:
    return sum(prices[colour] for prices, colour in zip(problem["price"], answer["colour"], strict=True))


class PricedTask(gs.Task):
    reading = Priced


@pytest.fixture
def priced(path: Path, monkeypatch: pytest.MonkeyPatch) -> gs.Solver:
    monkeypatch.setattr(_meaning, "find", PricedTask)
    monkeypatch.setattr(Priced, "noted", [])
    monkeypatch.setattr(Priced, "provable", True)
    return gs.load(path)


def cheapest(problem: Mapping[str, Any]) -> float:
    """By trying all colourings."""
    colours = range(len(problem["price"][0]))
    every = itertools.product(colours, repeat=len(problem["price"]))
    costs = [
        sum(p[c] for p, c in zip(problem["price"], one, strict=True)) for one in every if right(problem, list(one))
    ]
    return min(costs)


@pytest.mark.parametrize("seed", range(10))
def test_a_small_problem_ends_with_its_cheapest_answer(priced: gs.Solver, seed: int) -> None:
    problem = request(3 + seed % 3, 4, seed)
    solution = priced.solve(problem, restarts=16, max_steps=1024, seed=seed)
    assert solution.status is gs.Status.SOLVED
    assert solution.answer is not None
    assert right(problem, solution.answer["colour"])
    cost = price(problem, solution.answer)
    assert cost == cheapest(problem)
    assert cost == min(Priced.noted)


def test_what_the_file_holds_for_right_always_costs_less_than_the_last_answer(priced: gs.Solver) -> None:
    """A single chain, so that what breaks no rule in a segment does so under the bound of the answer before."""
    improved = 0
    for seed in range(8):
        problem, seen = request(3, 4, seed), list[gs.Segment]()
        priced.solve(problem, restarts=1, max_steps=2048, seed=seed, watch=seen.append)
        right = [segment.answer["colour"][0] for segment in seen if not segment.violations.any()]
        costs = [price(problem, {"colour": colour}) for colour in right]
        assert all(later < earlier for earlier, later in itertools.pairwise(costs))
        improved += len(costs) > 1
    assert improved >= 4


def test_problems_in_one_call_are_each_beaten_by_their_own_bound(priced: gs.Solver) -> None:
    many = [request(nodes, 4, seed) for nodes, seed in ((3, 0), (5, 1), (5, 2), (4, 3), (5, 4))]
    solutions = priced.solve_many(many, restarts=16, max_steps=1024)
    for problem, solution in zip(many, solutions, strict=True):
        assert isinstance(solution, gs.Solution)
        assert solution.answer is not None
        assert solution.answer == priced.solve(problem, restarts=16, max_steps=1024).answer
        assert price(problem, solution.answer) == cheapest(problem)


def test_where_nothing_proves_an_answer_the_cheapest_the_search_stops_all_the_same(
    priced: gs.Solver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Priced, "provable", False)
    problem, seen = request(4, 4, 7), list[gs.Segment]()
    solution = priced.solve(problem, restarts=16, max_steps=65536, watch=seen.append)
    assert solution.answer is not None
    assert price(problem, solution.answer) == min(Priced.noted) == cheapest(problem)
    assert len(seen) < 65536 / 8 / 4


def test_a_deadline_ends_the_search_with_the_cheapest_answer_so_far(
    priced: gs.Solver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time passes by a second with each look at the clock, which is looked at before and after every segment."""
    clock = itertools.count()
    monkeypatch.setattr("time.monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(Priced, "provable", False)
    problem, costs = request(9, 5, 1), list[float]()
    for deadline in (8.0, 16.0, 32.0, 64.0, 128.0):
        seen: list[gs.Segment] = []
        Priced.noted.clear()
        solution = priced.solve(problem, deadline=deadline, watch=seen.append)
        assert len(seen) <= deadline
        if Priced.noted:
            assert solution.status is gs.Status.SOLVED
            assert solution.answer is not None
            costs.append(min(Priced.noted))
            assert price(problem, solution.answer) == costs[-1]
        else:
            assert solution.status is gs.Status.UNSOLVED
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > costs[-1]


def test_several_answers_that_are_asked_for_are_all_the_cheapest(priced: gs.Solver) -> None:
    problem = {"edge": [[0, 1]], "weight": [1], "price": [[1, 1, 3], [2, 2, 2]], "most": NO_LIMIT}
    solution = priced.solve(problem, alternatives=3, restarts=32, max_steps=2048)
    assert solution.status is gs.Status.AMBIGUOUS
    answers = [solution.answer, *(one.answer for one in solution.alternatives)]
    assert [price(problem, answer) for answer in answers if answer is not None] == [3.0] * 3
    assert len({json.dumps(answer) for answer in answers}) == 3


class Offered(gs.Reading, gs.Optimises):
    """Of answers ``{"number": index, "cost": what it costs}``; those without a cost are wrong."""

    least = 0

    def encode(self) -> dict[str, Any]:
        return {"most": np.float32(99)}

    def check(self, answer: dict[str, Any]) -> list[gs.Violation]:
        return [gs.Violation("wrong", "It is wrong.")] if answer["cost"] is None else []

    def decode(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        cost = int(tensors["cost"])
        return {"number": int(tensors["number"]), "cost": None if cost < 0 else cost}

    def same(self, one: dict[str, Any], other: dict[str, Any]) -> bool:
        return bool(one["number"] == other["number"])

    def cost(self, answer: dict[str, Any]) -> float:
        return float(answer["cost"])

    def with_cost_below(self, cost: float) -> dict[str, Any] | None:
        return {"most": np.float32(cost - 1)} if cost > self.least else None


def offered(index: int, cost: int | None) -> Candidate:
    tensors = {"number": np.array(index), "cost": np.array(-1 if cost is None else cost)}
    return Candidate(tensors, 0.0, np.zeros(1, np.int64), None, 8, dict)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(0, 4)), min_size=1, max_size=12),
    st.integers(1, 3),
    st.integers(0, 3),
)
def test_answers_that_are_kept_cost_the_least_of_all_that_were_right(
    solver: gs.Solver, offers: list[tuple[int, int | None]], alternatives: int, least: int
) -> None:
    """Whatever is offered in whatever order: ``(answer, what it costs)``, None for one that is wrong."""
    header = replace(solver.header, inputs={"most": InputSpec(np.dtype(np.float32), ())}, elements=(1,))
    reading = Offered(header, {})
    reading.least = least
    problem = Problem(0, header, Meaning(header, reading, {}), Budget(100, 8, None, 0, alternatives), 0.0)
    seen: list[float] = []
    for answer, cost in offers:
        assert problem.offer(offered(answer, cost)) is (cost is not None)
        seen += [] if cost is None else [cost]
        cheapest = min(seen, default=math.inf)
        assert problem.cost == cheapest
        assert bool(problem.found) is bool(seen)
        kept = [found.answer["number"] for found in problem.found]
        assert len(set(kept)) == len(kept) <= alternatives
        assert problem.improving is (bool(seen) and cheapest > least)
        assert problem.improving or not problem.found or problem.wanted == problem.budget.restarts
        if problem.improving:
            assert problem.inputs == {"most": np.float32(cheapest - 1)}
            assert not problem.answered
