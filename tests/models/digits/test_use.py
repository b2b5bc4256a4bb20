"""Digits as a user or a language model sends them: arrays, lines, pictures that do not fit, and who is asked what."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import ToolMessage

import groundstate as gs
from groundstate_mcp import build_server
from langchain_groundstate import EnergyTool
from tests.langchain.scripted import called
from tests.mcp.talking import User, chosen, client, record, text

ZEROS = "0" * 8
RING = ["00099000", "00900900", "09000090"]
"""The upper part of a ring, which may go on as a 0, an 8 or a 9."""

BLANK = [[0.0] * 8 for _ in range(3)]


def changed(value: Any) -> list[list[Any]]:
    """A picture with one other pixel."""
    return [*BLANK, [0.0, value, *[0.0] * 6]]


@pytest.fixture(scope="module")
def small() -> gs.Solver:
    return gs.load("digits_8x8")


BAD = {
    "a row too short": ([*RING, "0" * 7], r"picture[3]: It has 7 pixels; every row of this model's pictures has 8."),
    "of another width": ([[0.0] * 7] * 3, r"picture[0]: It has 7 pixels; every row of this model's pictures has 8."),
    "a row too many": ([ZEROS] * 9, r"picture: It has 9 rows; a picture has 1 to 8 rows of 8 pixels."),
    "no row": ([], r"picture: It has 0 rows; a picture has 1 to 8 rows of 8 pixels."),
    "flat": ([0.0] * 8, r"picture[0]: A row is 8 characters or 8 numbers, not 0.0."),
    "darker than ink": (changed(1.5), r"picture[3][1]: 1.5 is no pixel; a pixel is from 0 to 1, or null if unknown."),
    "lighter than paper": (
        changed(-0.1),
        r"picture[3][1]: -0.1 is no pixel; a pixel is from 0 to 1, or null if unknown.",
    ),
    "256 levels": (changed(255), r"picture[3][1]: 255 is no pixel; a pixel is from 0 to 1, or null if unknown."),
    "no number": (
        changed(float("nan")),
        r"picture[3][1]: nan is no pixel; a pixel is from 0 to 1, or null if unknown.",
    ),
    "a truth": (
        changed(bool(1)),
        r"picture[3][1]: 'True' is no pixel; in a list, use numbers from 0 to 1, or null if unknown.",
    ),
    "a word": (
        changed("ink"),
        r"picture[3][1]: 'ink' is no pixel; in a list, use numbers from 0 to 1, or null if unknown.",
    ),
    "letters": ([*RING, "000x0000"], r"picture[3][3]: 'x' is no pixel; use 0 to 9, or ? if unknown."),
    "one line": ("0" * 64, r"picture: It is one text; send a list of up to 8 rows of 8 characters."),
    "a colour picture": (np.zeros((8, 8, 3)).tolist(), r"picture[0][0]: '[0.0, 0.0, 0.0]' is no pixel"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_picture_that_does_not_fit_is_refused_in_one_sentence_with_its_place(name: str, small: gs.Solver) -> None:
    picture, sentence = BAD[name]
    with pytest.raises(gs.RequestError, match=re.escape(sentence)) as refused:
        small.solve({"picture": picture})
    assert len(refused.value.faults) == 1


def test_levels_up_to_255_come_with_the_remedy(small: gs.Solver) -> None:
    with pytest.raises(gs.RequestError, match="Divide levels up to 255 by 255"):
        small.solve({"picture": np.full((4, 8), 255, np.uint8)})


def test_a_picture_with_nothing_known_asks_for_the_digit_and_one_with_nothing_missing_stays(small: gs.Solver) -> None:
    blank = small.solve({"picture": ["????????"]}, alternatives=2)
    assert blank.status == "ambiguous"
    whole = [*RING, "09000090", "09000090", "09000090", "00900900", "00099000"]
    solution = small.solve({"picture": whole})
    assert solution.status == "settled"
    assert solution.answer["picture"] == whole
    assert solution.answer["digit"] == 0


def test_arrays_are_pictures(small: gs.Solver) -> None:
    half = np.array([[int(level) / 9 for level in row] for row in RING])
    one, other = (small.solve({"picture": half.astype(kind)}, seed=0) for kind in (np.float64, np.float32))
    text = small.solve({"picture": RING}, seed=0)
    assert one.answer["digit"] == other.answer["digit"] == text.answer["digit"]


def test_a_model_may_send_lines_of_one_text_with_dots() -> None:
    tool = EnergyTool("digits_8x8")
    message = tool.invoke(called("solve_digits_8x8", picture="\n".join(RING).replace("0", ".")))
    assert isinstance(message, ToolMessage)
    assert message.status != "error"
    assert "was read as its lines" in str(message.content)


def test_a_model_is_refused_in_the_same_sentence() -> None:
    message = EnergyTool("digits_8x8").invoke(called("solve_digits_8x8", picture=[*RING, "0000"]))
    assert isinstance(message, ToolMessage)
    assert message.status == "error"
    assert "- picture[3]: It has 4 pixels; every row of this model's pictures has 8.\n" in str(message.content)


def test_over_mcp_it_is_described_asks_its_user_and_refuses(small: gs.Solver) -> None:
    user = User(lambda form: chosen("9"))
    # A third digit would leave the question open; of two digits, the question names both.
    request = {"picture": ["????????"], "digit": [4, 9]}

    async def talk() -> None:
        async with client(build_server(small), "2026-07-28", user) as one:
            (tool,) = [tool for tool in (await one.list_tools()).tools if tool.name == "solve_digits_8x8"]
            assert "handwritten digit of 8 × 8 pixels" in str(tool.description)
            found = record(await one.call_tool(tool.name, request))
            assert [form.message.splitlines()[0] for form in user.asked] == ["Is it a 4 or a 9?"]
            assert found["answer"]["digit"] == 9
            refused = await one.call_tool(tool.name, {"picture": changed(2.0)})
            assert refused.is_error
            assert "picture[3][1]: 2 is no pixel" in text(refused)

    asyncio.run(talk())


def test_the_question_names_two_digits_and_leaves_more_open(small: gs.Solver) -> None:
    for digits, said in (([1, 8], "Is it a 1 or an 8?"), ([0, 4, 8], "Which digit is it?")):
        question = small.solve({"picture": ["????????"], "digit": digits}, alternatives=2).question
        assert question is not None
        assert question.text.startswith(said)
