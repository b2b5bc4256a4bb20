"""Figures through the file: asked for, drawn, saved, told apart, repaired."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import numpy as np
import pytest

import groundstate as gs
from groundstate_models.geometry.families import FAMILIES, henneberg
from groundstate_models.geometry.request import read

THALES = {
    "constraints": ["AB = 5", "angle ABC = 60", "AC perpendicular BC", "C on circle k", "O midpoint of AB"],
    "circles": {"k": {"center": "O", "through": "A"}},
    "measure": ["BC", "angle BAC", "area ABC"],
}


@pytest.fixture(scope="module")
def solver() -> Iterator[gs.Solver]:
    with gs.load("geometry") as one:
        yield one


def test_a_figure_is_drawn_measured_and_certified(solver: gs.Solver) -> None:
    found = solver.solve(THALES)
    assert found.status == "solved"
    assert found.answer is not None
    measures = found.answer["measures"]
    assert measures["BC"] == {"value": pytest.approx(2.5, abs=1e-9), "determined": True}
    assert measures["angle BAC"]["value"] == pytest.approx(30, abs=1e-9)
    assert found.answer["freedom"] == {"degrees": 0, "moving": [], "unknowns": [], "size": False}
    assert found.answer["certified"] < 1e-9
    assert found.answer["notices"] == ["'C on circle k' follows from the other statements."]


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_called_solved_holds_by_the_request_read_anew(solver: gs.Solver, family: str) -> None:
    draw = np.random.default_rng(11)
    count = 0
    for _ in range(4):
        request = FAMILIES[family](draw, (5, 8)).request if family == "sketch" else FAMILIES[family](draw).request  # type: ignore[call-arg]
        found = solver.solve(request, ask=False, deadline=60)
        if found.answer is not None:
            count += 1
            figure_points = found.answer["points"]
            problem = read(request).problem
            assert set(figure_points) == {name for name in problem.points if not name.startswith(" ")}
            assert solver.score(request, found.answer).valid
        assert found.status != "infeasible"
    assert count >= 2


def test_a_wrong_answer_is_called_wrong(solver: gs.Solver) -> None:
    request = {"constraints": ["AB = 5", "BC = 4", "AC = 3"]}
    score = solver.score(request, {"points": {"A": [0, 0], "B": [5, 0], "C": [1, 1]}})
    assert score.valid is False
    assert any("'BC = 4' does not hold" in one.message for one in score.violations)


def test_a_sketch_that_flips_is_asked_about_and_each_option_is_solved(solver: gs.Solver) -> None:
    request = {"constraints": ["AB = 5", "BC = 6", "AC = 7", "AD = 4", "BD = 3"]}
    found = solver.solve(request, alternatives=2)
    assert found.status == "ambiguous"
    assert found.question is not None
    assert found.question.text == "Is D left or right of A→B?"
    sides = {}
    for option in found.question.options:
        chosen = solver.solve(request, alternatives=2, replies={found.question.id: option.id})
        assert chosen.status == "solved"
        assert chosen.answer is not None
        sides[option.id] = chosen.answer["points"]["D"][1]
    assert sides["left"] > 0 > sides["right"]


def test_every_figure_of_a_graph_is_listed(solver: gs.Solver) -> None:
    made = henneberg(np.random.default_rng(6), (5, 6))
    found = solver.solve(made.request, alternatives=16, restarts=256, ask=False)
    assert 1 + len(found.alternatives) == len(made.about["solutions"])


def test_a_contradiction_comes_with_repairs_that_were_tried(solver: gs.Solver) -> None:
    found = solver.solve({"constraints": ["AB = 5", "BC = 1", "AC = 2", "CD = 3"]})
    assert found.status == "infeasible"
    assert found.violations[0].places == ("constraints[0]", "constraints[1]", "constraints[2]")
    assert found.question is not None
    labels = [option.label for option in found.question.options]
    assert "AB = 5 could be 2.9999." in labels or "BC = 1 could be 3.0001." in labels
    assert "Leave out 'AB = 5'." in labels


def test_a_figure_without_a_proof_of_contradiction_is_unsolved_and_the_nearest_value_named(solver: gs.Solver) -> None:
    request = {"constraints": ["A = (0, 0)", "B = (10, 0)", "C = (4, 7)", "AD = 5", "BD = 8", "CD = 6.3"]}
    found = solver.solve(request, restarts=8, max_steps=64)
    assert found.status == "unsolved"
    assert found.answer is None
    assert found.question is not None
    assert any("CD = 6.3 could be" in option.label for option in found.question.options)


def test_what_is_free_is_named_and_measures_that_are_not_determined(solver: gs.Solver) -> None:
    found = solver.solve({"constraints": ["AB = 5", "BC = 4"], "measure": ["AC", "AB"]})
    assert found.answer is not None
    assert found.answer["freedom"]["moving"] == ["C"]
    assert found.answer["measures"]["AB"]["determined"] is True
    assert found.answer["measures"]["AC"]["determined"] is False


def test_the_same_seed_gives_the_same_figure(solver: gs.Solver) -> None:
    request = {"constraints": ["AB = 5", "BC = 4", "CD = 3"]}
    one, two = (solver.solve(request, seed=4).answer for _ in range(2))
    assert one == two


def test_the_drawing_is_well_formed_and_names_every_point(solver: gs.Solver) -> None:
    request = {**THALES, "polygons": ["ABC"]}
    answer = solver.solve(request).answer
    assert answer is not None
    picture = solver.svg(request, answer)
    assert picture is not None
    root = ET.fromstring(picture)
    texts = [one for one in root.iter() if one.tag.endswith("text")]
    assert {"A", "B", "C", "O"} <= {one.text for one in texts}
    places = [(float(one.attrib["x"]), float(one.attrib["y"])) for one in texts]
    assert min(math.dist(p, q) for k, p in enumerate(places) for q in places[k + 1 :]) > 9
    assert "NaN" not in picture
    assert (
        len([one for one in root.iter() if one.attrib.get("class") == "thin"]) == 2
    )  # the right angle, and that of 60°


def test_files_for_cad_and_latex_hold_the_figure(solver: gs.Solver) -> None:
    answer = solver.solve(THALES).answer
    assert answer is not None
    drawing = solver.file(THALES, answer, "dxf").decode()
    assert drawing.count("\nLINE\n") == 3
    assert drawing.count("\nCIRCLE\n") == 1
    assert drawing.endswith("0\nEOF\n")
    picture = solver.file(THALES, answer, "tikz").decode()
    assert picture.startswith(r"\begin{tikzpicture}")
    assert picture.count(r"\fill") == 4
    with pytest.raises(gs.OptionError, match="dxf or tikz"):
        solver.file(THALES, answer, "png")


def test_statements_typed_by_a_person_are_parsed(solver: gs.Solver) -> None:
    request = solver.parse("AB = 3; BC = 4; angle ABC = 90; measure: AC")
    found = solver.solve(request)
    assert found.answer is not None
    assert found.answer["measures"]["AC"]["value"] == pytest.approx(5)


def test_statements_under_another_name_are_taken_with_a_notice(solver: gs.Solver) -> None:
    request, said = solver.coerce({"statements": "AB = 3; BC = 4"})
    assert request == {"constraints": ["AB = 3", "BC = 4"]}
    assert said == ["statements was read as constraints.", "constraints is a list; the text was split."]


def test_a_figure_is_drawn_with_characters_beside_its_statements() -> None:
    solver = gs.load("geometry")
    request = {
        "constraints": ["AB = 8", "BC = 6", "angle ABC = 90", "C on circle k"],
        "circles": {"k": {"center": "A"}},
    }
    solution = solver.solve(request, ask=False)
    lines = (solver.draw(request, solution.answer) or "").splitlines()
    where = {name: (row, line.index(name)) for row, line in enumerate(lines[:19]) for name in "ABC" if name in line}
    assert where["A"][0] == where["B"][0]
    assert where["A"][1] < where["B"][1] == where["C"][1]
    across, up = where["B"][1] - where["A"][1], where["A"][0] - where["C"][0]
    assert across / 8 == pytest.approx(2 * up / 6, rel=0.15)
    assert sum(line.count(".") for line in lines[:19]) > 60
    assert (solver.draw(request) or "").splitlines() == ["circle k with centre A", *request["constraints"]]
