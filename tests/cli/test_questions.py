"""`groundstate solve` where there are several answers or none: what it asks, and how people and programs reply."""

from __future__ import annotations

import json
import re

import pytest

from tests.cli.conftest import Groundstate

SMALL = ("--restarts", "16", "--max-steps", "256")
EMPTY = "." * 16
CONTRADICTORY = "123........4...."


def test_a_question_is_shown_with_its_options_and_how_to_reply(groundstate: Groundstate) -> None:
    ran = groundstate("solve", "sudoku_4x4", EMPTY, "--alternatives", "2", *SMALL)
    assert ran.code == 0
    assert re.search(
        r"Which digit stands in row \d, column \d\?\n  1  leaves \d+ of the \d+ answers found\n  2 ", ran.out
    )
    reply = re.search(r"--reply (q[0-9a-f]{8}=1)", ran.out)
    assert reply is not None
    after = groundstate("solve", "sudoku_4x4", EMPTY, "--alternatives", "2", "--reply", reply[1], "--json", *SMALL)
    assert json.loads(after.out)["status"] in {"ambiguous", "solved"}


def test_what_may_go_is_asked_where_there_is_no_answer(groundstate: Groundstate) -> None:
    ran = groundstate("solve", "sudoku_4x4", CONTRADICTORY, *SMALL)
    assert ran.code == 1
    assert re.search(r"  without grid\[\d\]\[\d\]  Without the \d in row \d, column \d", ran.out)
    assert re.search(r"--reply 'q[0-9a-f]{8}=without grid\[\d\]\[\d\]'", ran.out)


def test_questions_are_put_until_none_is_open(groundstate: Groundstate) -> None:
    ran = groundstate("solve", "sudoku_4x4", EMPTY, "--talk", *SMALL, stdin="9\n" + "1\n2\n3\n4\n" * 8)
    assert ran.code == 0
    assert "'9' is none of the options" in ran.out
    assert ran.out.rindex("Solved.") > ran.out.rindex("Ambiguous.")


def test_an_empty_reply_leaves_a_question_open(groundstate: Groundstate) -> None:
    ran = groundstate("solve", "sudoku_4x4", EMPTY, "--talk", *SMALL, stdin="\n")
    assert ran.code == 0
    assert "Solved." not in ran.out


def test_a_stale_reply_is_a_bad_request(groundstate: Groundstate) -> None:
    ran = groundstate("solve", "sudoku_4x4", EMPTY, "--reply", "q00000000=1", *SMALL)
    assert ran.code == 2
    assert "replies.q00000000: There is no such question" in ran.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--reply", "q1"), "--reply takes ID=OPTION"),
        (("--talk", "--json"), "--talk asks people"),
        (("--talk", "--watch"), "--talk asks people"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    groundstate: Groundstate, options: tuple[str, ...], said: str
) -> None:
    ran = groundstate("solve", "sudoku_4x4", EMPTY, *options)
    assert ran.code == 2
    assert said in ran.err


def test_replies_are_about_one_puzzle(groundstate: Groundstate) -> None:
    ran = groundstate("solve", "sudoku_4x4", "-", "--reply", "q1=1", stdin=f"{EMPTY}\n{EMPTY}\n")
    assert ran.code == 2
    assert "need a single request" in ran.err


def test_an_energy_without_checks_claims_none_where_it_asks(groundstate: Groundstate) -> None:
    upper = "\n".join(
        ["0" * 28] * 4
        + [
            "0000000000257997510000000000",
            "0000000001999999971000000000",
            "0000000002997436796000000000",
            "0000000000320000389200000000",
            "0000000000000000089200000000",
            "0000000000000000399200000000",
            "0000000000000014995000000000",
            "0000000000000389960000000000",
            "0000000000000898400000000000",
            "0000000000000794000000000000",
        ]
    )
    ran = groundstate("solve", "digits", "--alternatives", "2", stdin=upper)
    assert "Is it a 2 or a 3?" in ran.out
    assert "check" not in ran.out
