"""The digits as a tool: it fills in what is missing, keeps what is known, and asks which digit it is where it may be two."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from langchain_core.messages import ToolMessage

import groundstate as gs
from groundstate_models.digits import artefact, artefact_8x8
from groundstate_models.digits.energy import load
from groundstate_models.digits.train import filled
from groundstate_training import GradientTrainer
from langchain_groundstate import EnergyTool
from tests.langchain.scripted import called

HALVES = {
    name: rows.split()
    for name, _, rows in (
        part.partition("\n") for part in Path(__file__).with_name("halves.txt").read_text("utf-8").strip().split("\n\n")
    )
}
"""Upper halves of handwritten digits that nothing was learned from, by what they may be."""


@pytest.fixture(scope="module")
def digits() -> gs.Solver:
    return gs.load("digits")


@pytest.fixture(scope="module")
def small() -> gs.Solver:
    return gs.load("digits_8x8")


def test_the_files_are_small_and_served_only_where_somebody_names_them() -> None:
    assert all(path.stat().st_size <= 500_000 for path in (artefact(), artefact_8x8()))
    assert not {"digits", "digits_8x8"} & set(gs.models())
    assert {"digits", "digits_8x8"} <= set(gs.models(every=True))


def test_a_clear_half_is_completed_without_a_question(digits: gs.Solver) -> None:
    solution = digits.solve({"picture": HALVES["clear"]}, alternatives=2)
    assert solution.status == "settled"
    assert solution.answer["digit"] == 2
    assert solution.answer["picture"][:14] == HALVES["clear"]
    assert any(set(row) - {"0"} for row in solution.answer["picture"][14:])


def test_where_it_may_be_two_digits_both_are_offered_and_asked_about(digits: gs.Solver) -> None:
    solution = digits.solve({"picture": HALVES["open"]}, alternatives=2)
    assert solution.status == "ambiguous"
    shown = {solution.answer["digit"], *(other.answer["digit"] for other in solution.alternatives)}
    assert len(shown) == 2
    assert solution.question is not None
    assert solution.question.text.startswith("Is it a 2 or a 3?")
    for option in solution.question.options:
        reply = digits.solve({"picture": HALVES["open"]}, alternatives=2, replies={solution.question.id: option.id})
        assert reply.status == "settled"
        assert reply.answer["digit"] in shown


def test_a_named_digit_is_drawn(digits: gs.Solver) -> None:
    found = [digits.solve({"picture": HALVES["open"], "digit": d}).answer for d in (2, 3)]
    assert [one["digit"] for one in found] == [2, 3]
    assert found[0]["picture"] != found[1]["picture"]


def test_the_served_minimum_is_that_of_pytorch(digits: gs.Solver, small: gs.Solver) -> None:
    for solver, side in ((digits, 28), (small, 8)):
        draw = np.random.default_rng(side)
        known = np.round(draw.random((side // 2, side)) * (draw.random((side // 2, side)) < 0.3), 3)
        picture, given = torch.zeros(1, side, side), torch.zeros(1, side, side)
        picture[0, : side // 2], given[0, : side // 2] = torch.from_numpy(known).float(), 1.0
        expected, scores = filled(load(side), picture, given, 400)
        answer = solver.solve({"picture": known.tolist(), "average": True}, max_steps=640).answer
        np.testing.assert_allclose(answer["picture"], expected[0].numpy(), atol=0.01)
        assert answer["chance"] == pytest.approx(float(scores.exp().max()), abs=2e-4)


def test_known_pixels_stay_and_both_forms_of_a_picture_mean_the_same(small: gs.Solver) -> None:
    text = ["00099000", "00900900", "09????90", "????????"]
    numbers = [[None if c == "?" else int(c) / 9 for c in row] for row in text]
    one, other = small.solve({"picture": text}, seed=1).answer, small.solve({"picture": numbers}, seed=1).answer
    assert one["digit"] == other["digit"]
    assert one["chance"] == pytest.approx(other["chance"], abs=1e-3)
    assert one["picture"][:2] == text[:2]
    assert small.solve(small.parse("\n".join(text)), seed=1).answer == one


def test_pictures_of_a_wrong_shape_are_refused(small: gs.Solver) -> None:
    with pytest.raises(gs.RequestError, match="8"):
        small.solve({"picture": ["0009"]})
    with pytest.raises(gs.RequestError, match="up to 8 lines of 8 characters"):
        small.parse("0009\n")
    with pytest.raises(gs.RequestError):
        small.solve({"picture": ["00000000"], "digit": 10})


def test_it_is_drawn_in_text_and_as_svg(digits: gs.Solver) -> None:
    request = {"picture": HALVES["clear"]}
    answer = digits.solve(request).answer
    assert "?" in digits.draw(request)
    assert "?" not in digits.draw(request, answer)
    svg = digits.svg(request, answer)
    assert svg is not None
    assert svg.startswith("<svg")
    assert 'class="filled"' in svg


def test_a_language_models_tool_asks_and_takes_the_reply() -> None:
    tool = EnergyTool("digits")
    message = tool.invoke(called("solve_digits", picture=HALVES["open"]))
    assert isinstance(message, ToolMessage)
    assert "Is it a 2 or a 3?" in str(message.content)


def test_a_step_of_training_lowers_the_error_and_needs_no_data_of_others() -> None:
    from groundstate_models.digits import train
    from groundstate_models.digits.energy import Member
    from groundstate_training import GradientPreset

    torch.manual_seed(0)
    draw = torch.Generator().manual_seed(0)
    ring = torch.rand(16, 8, 8, generator=draw)
    given = torch.zeros(16, 8, 8)
    given[:, :4] = 1.0
    batch = {"picture": ring, "given": given, "digit": torch.arange(16) % 10}
    trainer = GradientTrainer(
        Member(8, 16, 24),
        train.descending,
        lambda _: batch,
        GradientPreset(iterations=40, warmup=1, learning_rate=1e-2),
    )
    records = [trainer.step() for _ in range(40)]
    assert records[-1]["descent"] < 0.8 * records[0]["descent"]
