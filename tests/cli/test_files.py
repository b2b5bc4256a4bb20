"""Files of puzzles as people have them: tables, boards over several lines, JSON lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Groundstate
from tests.support import EASY, EASY_SOLUTION, rows

DOTTED = EASY.replace("0", ".")
NINE = "\n".join(EASY[start : start + 9] for start in range(0, 81, 9))
SPACED = "\n".join(" ".join(line) for line in NINE.splitlines())
RULED = "\n".join(
    ("------+-------+------\n" if row in (3, 6) else "") + f"{a} | {b} | {c}"
    for row, line in enumerate(NINE.splitlines())
    for a, b, c in [(" ".join(line[0:3]), " ".join(line[3:6]), " ".join(line[6:9]))]
)

LAYOUTS = {
    "Kaggle's header": f"quizzes,solutions\n{EASY},{EASY_SOLUTION}\n{EASY},{EASY_SOLUTION}\n",
    "an identifier first": f"id,puzzle,solution\n1,{EASY},{EASY_SOLUTION}\n2,{EASY},{EASY_SOLUTION}\n",
    "an identifier and no header": f"1,{EASY}\n2,{EASY}\n",
    "a rating after it": f"{EASY},3.2\n{EASY},1.0\n",
    "quotes": f'"puzzle","rating"\n"{EASY}","1"\n"{EASY}","2"\n',
    "semicolons": f"puzzle;solution\n{EASY};{EASY_SOLUTION}\n{DOTTED};{EASY_SOLUTION}\n",
    "tabs": f"{EASY}\t{EASY_SOLUTION}\n{EASY}\t{EASY_SOLUTION}\n",
    "a byte order mark": f"\ufeffpuzzle\n{EASY}\n{EASY}\n",
    "nine lines of nine": f"{NINE}\n\n{NINE}\n",
    "nine spaced lines": f"{SPACED}\n{SPACED}\n",
    "drawn boards": f"{RULED}\n\n{RULED}\n",
    "JSON lines": json.dumps({"grid": rows(EASY)}) + "\n" + json.dumps({"grid": EASY}) + "\n",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_read(layout: str, groundstate: Groundstate, tmp_path: Path) -> None:
    path = tmp_path / "puzzles.csv"
    path.write_text(LAYOUTS[layout], encoding="utf-8")
    for ran in (groundstate("solve", "sudoku", str(path)), groundstate("solve", "sudoku", stdin=LAYOUTS[layout])):
        assert ran.code == 0, ran.err
        assert ran.out.split() == ["solved", EASY_SOLUTION] * 2


def test_a_board_of_4x4_on_each_of_16_lines_is_no_board_of_16x16(groundstate: Groundstate) -> None:
    ran = groundstate("solve", "sudoku_4x4", stdin="1...............\n" * 16)
    assert ran.out.count("solved") == 16


def test_a_column_is_chosen_by_name(groundstate: Groundstate, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(f"first,second\n{EASY_SOLUTION},{EASY}\n")
    ran = groundstate("solve", "sudoku", str(path), "--column", "Second", "--json")
    assert json.loads(ran.out)["steps"] > 0
    ran = groundstate("solve", "sudoku", str(path), "--column", "third")
    assert ran.code == 2
    assert "mine.csv has no column 'third'; its columns are 'first' and 'second'." in ran.err


def test_a_folder_is_refused_as_a_folder(groundstate: Groundstate, tmp_path: Path) -> None:
    ran = groundstate("solve", "sudoku", str(tmp_path))
    assert (ran.code, ran.out) == (2, "")
    assert f"{str(tmp_path)!r} is a folder" in ran.err


@pytest.mark.parametrize("request_", ["5" * 81, "hello", "[1, 2, 3]", "x" * 81])
def test_refusals_are_short_and_end_whole(request_: str, groundstate: Groundstate) -> None:
    ran = groundstate("solve", "sudoku", request_)
    assert ran.code in (1, 2)
    refusal = ran.err if ran.code == 2 else ran.out[ran.out.index("Infeasible.") :]
    assert len(refusal) < 900
    assert refusal.count("\n") <= 6
    assert "Traceback" not in refusal


def test_control_characters_never_reach_the_terminal(groundstate: Groundstate) -> None:
    ran = groundstate("solve", "sudoku", '{"gr\\u001b]0;owned\\u0007\\u202eid": 1}')
    assert ran.code == 2
    assert not set("\x1b\x07\u202e") & set(ran.err)


STATEMENTS = "# a right triangle\nAB = 3\nBC = 4\nangle ABC = 90\nmeasure: AC\n"


@pytest.mark.parametrize(("text", "lengths"), [(STATEMENTS, [5]), (f"{STATEMENTS}\n\n{STATEMENTS}", [5, 5])])
def test_statements_that_span_lines_are_one_request_up_to_an_empty_line(
    text: str, lengths: list[float], groundstate: Groundstate, tmp_path: Path
) -> None:
    path = tmp_path / "triangle.txt"
    path.write_text(text, encoding="utf-8")
    for ran in (
        groundstate("solve", "geometry", str(path), "--json"),
        groundstate("solve", "geometry", "--json", stdin=text),
    ):
        assert ran.code == 0, ran.err
        answers = [json.loads(line)["answer"] for line in ran.out.splitlines()]
        assert [answer["measures"]["AC"]["value"] for answer in answers] == pytest.approx(lengths)


def test_statements_with_semicolons_are_a_request_a_line(groundstate: Groundstate) -> None:
    ran = groundstate("solve", "geometry", "--json", stdin="AB = 3; C on AB\nAB = 4; C on AB\n")
    assert len(ran.out.splitlines()) == 2
