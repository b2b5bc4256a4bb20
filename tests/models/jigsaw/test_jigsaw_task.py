import base64

import numpy as np
import pytest

import groundstate as gs
from groundstate_models.jigsaw.pictures import encoded
from groundstate_models.jigsaw.puzzles import make
from groundstate_models.jigsaw.self_test import self_test
from tests.models.jigsaw.scenes import scene


@pytest.fixture(scope="module")
def solver():
    with gs.load("jigsaw") as solver:
        yield solver


def puzzle_of(rows, columns, seed=0, **options):
    return make(scene(28 * rows, 28 * columns, seed), 28, np.random.default_rng(seed), **options)


def test_a_shuffled_picture_is_put_together(solver):
    puzzle = puzzle_of(5, 6, seed=1)
    solution = solver.solve(puzzle.request())
    assert solution.status == "solved", solution
    assert puzzle.perfect(solution.answer)
    assert solution.answer["confidence"] >= 0.99


def test_the_answer_is_the_same_whoever_asks_again(solver):
    request = puzzle_of(4, 5, seed=2).request()
    assert solver.solve(request, seed=3).answer == solver.solve(request, seed=3).answer


def test_one_image_of_shuffled_tiles_is_a_request_too(solver):
    puzzle = puzzle_of(4, 5, seed=3)
    tiles = puzzle.pieces.reshape(4, 5, 28, 28, 3).transpose(0, 2, 1, 3, 4).reshape(112, 140, 3)
    image = base64.b64encode(encoded(tiles, "png")).decode()
    solution = solver.solve({"image": image, "rows": 4, "columns": 5})
    assert solution.status == "solved"
    assert puzzle.perfect(solution.answer)


def test_a_missing_piece_leaves_a_hole_where_it_was(solver):
    puzzle = puzzle_of(5, 5, seed=4, lost=0.08)
    solution = solver.solve(puzzle.request())
    answer = solution.answer or solution.closest.answer
    assert puzzle.perfect(answer)
    holes = {r * 5 + c for r, row in enumerate(answer["grid"]) for c, piece in enumerate(row) if piece is None}
    assert holes == set(range(25)) - set(puzzle.order.tolist())


def test_which_way_up_a_turned_picture_stands_is_asked(solver):
    puzzle = puzzle_of(4, 6, seed=5, turned=True)
    request = puzzle.request()
    solution = solver.solve(request, ask=True, alternatives=2)
    assert solution.status == "ambiguous", solution
    assert puzzle.perfect(solution.answer)
    assert "which way up" in solution.question.text
    wanted = str(90 * int(puzzle.turns[0]))
    option = next(option for option in solution.question.options if option.id == wanted)
    upright = solver.solve(request, ask=True, alternatives=2, replies={solution.question.id: option.id})
    assert upright.status == "solved"
    assert upright.answer["turns"] == (90 * puzzle.turns).tolist()


def test_where_equal_pieces_belong_is_asked(solver):
    picture = scene(112, 140, 11)
    picture[20:64, 20:92] = (120, 130, 140)  # two pieces of this colour and nothing else
    puzzle = make(picture, 28, np.random.default_rng(3))
    request = puzzle.request()
    solution = solver.solve(request, ask=True, alternatives=2)
    assert solution.status == "ambiguous", solution
    assert puzzle.perfect(solution.answer)
    assert "could be exchanged" in solution.question.text
    chosen = solution.question.options[1]
    fixed = solver.solve(request, ask=True, alternatives=2, replies={solution.question.id: chosen.id})
    assert fixed.status == "solved"
    assert puzzle.perfect(fixed.answer)


def test_the_shape_is_guessed_where_the_request_does_not_say(solver):
    puzzle = puzzle_of(4, 6, seed=6)
    request = {"pieces": puzzle.request()["pieces"]}
    solution = solver.solve(request)
    assert puzzle.perfect(solution.answer)
    assert "a guess" in solver.read(request).summary()


def test_a_fixed_piece_is_where_it_is_fixed_or_there_is_no_answer(solver):
    puzzle = puzzle_of(4, 5, seed=7)
    piece = int(np.flatnonzero(puzzle.order == 0)[0])
    right = solver.solve({**puzzle.request(), "fixed": {str(piece): "top left"}})
    assert right.status == "solved"
    assert right.answer["grid"][0][0] == piece
    wrong = solver.solve({**puzzle.request(), "fixed": {str(piece): [2, 2]}})
    assert wrong.status == "unsolved"
    assert wrong.closest.answer["grid"][2][2] == piece


def test_two_pictures_that_were_mixed_are_found_out(solver):
    one, other = puzzle_of(4, 5, seed=8), puzzle_of(4, 5, seed=9)
    pieces = one.request()["pieces"] + other.request()["pieces"]
    solution = solver.solve({"pieces": pieces, "rows": 5, "columns": 8})
    assert solution.status == "unsolved"
    assert "2 groups" in solution.violations[0].message


@pytest.mark.parametrize(
    ("hints", "said"),
    [
        ({"rows": 3, "columns": 4}, "3 rows of 4 columns have 12 places for 20 pieces."),
        (
            {"rows": 4, "columns": 5, "fixed": {"0": "top left", "1": [0, 0]}},
            "Pieces 0 and 1 are both fixed at [0, 0].",
        ),
        ({"rows": 4, "columns": 5, "fixed": {"0": [7, 0]}}, "Piece 0 is fixed at [7, 0], outside 4 rows of 5 columns."),
        ({"columns": 5, "facing": {"3": 90}}, "Piece 3 is said to be turned, and `turned` is not true."),
    ],
)
def test_hints_that_contradict_each_other_are_proof_that_there_is_no_answer(solver, hints, said):
    solution = solver.solve({"pieces": puzzle_of(4, 5).request()["pieces"], **hints})
    assert solution.status == "infeasible"
    assert solution.violations[0].message == said


@pytest.mark.parametrize(
    ("hints", "said"),
    [
        ({"fixed": {"99": [0, 0]}}, "There is no piece '99'; pieces are numbered 0 to 19."),
        (
            {"fixed": {"1": "middle"}},
            "'middle' is not a place; write [row, column] from 0, or a corner such as \"top left\".",
        ),
    ],
)
def test_hints_about_nothing_are_refused(solver, hints, said):
    with pytest.raises(gs.RequestError) as caught:
        solver.solve({"pieces": puzzle_of(4, 5).request()["pieces"], "rows": 4, "columns": 5, **hints})
    assert said in str(caught.value)


def test_pieces_that_are_all_white_say_nothing(solver):
    white = base64.b64encode(encoded(np.full((20, 20, 3), 255, np.uint8), "png")).decode()
    with pytest.raises(gs.RequestError, match="All 9 pieces look the same, so nothing says where any of them belongs"):
        solver.solve({"pieces": [white] * 9, "rows": 3, "columns": 3})


def test_pieces_that_may_be_turned_must_be_square(solver):
    oblong = base64.b64encode(encoded(scene(20, 30), "png")).decode()
    with pytest.raises(gs.RequestError, match="Pieces that may be turned must be square; these have 30 × 20 pixels"):
        solver.solve({"pieces": [oblong] * 4, "turned": True})


def test_noise_is_never_called_solved(solver):
    rng = np.random.default_rng(0)
    pieces = rng.integers(0, 256, (12, 24, 24, 3)).astype(np.uint8)
    sent = [base64.b64encode(encoded(piece, "png")).decode() for piece in pieces]
    solution = solver.solve({"pieces": sent, "rows": 3, "columns": 4})
    assert solution.status == "unsolved"
    assert solution.closest.answer["doubtful"]


def test_the_answer_is_saved_as_a_picture(solver):
    puzzle = puzzle_of(4, 5, seed=2)
    request = puzzle.request()
    answer = solver.solve(request).answer
    from groundstate_models.jigsaw.pictures import opened

    png = base64.b64encode(solver.file(request, answer, "png")).decode()
    assert (opened(png, "") == scene(112, 140, 2)).all()
    assert "data:image/png" in solver.svg(request, answer)


def test_text_names_files_shapes_and_hints(solver, tmp_path):
    for number in (0, 1, 2, 10):
        (tmp_path / f"piece{number}.png").write_bytes(b"")
    request = solver.parse(f"{tmp_path} 2x2 turned worn=1")
    assert [name.rpartition("piece")[2] for name in request["pieces"]] == ["0.png", "1.png", "2.png", "10.png"]
    assert {**request, "pieces": []} == {"pieces": [], "rows": 2, "columns": 2, "turned": True, "worn": 1}
    assert solver.parse("shuffled.png 5x6") == {"image": "shuffled.png", "rows": 5, "columns": 6}


def test_a_score_of_somebody_elses_layout_says_what_is_wrong(solver):
    puzzle = puzzle_of(4, 5, seed=2)
    request = puzzle.request()
    answer = solver.solve(request).answer
    assert solver.score(request, answer).valid
    grid = [list(row) for row in answer["grid"]]
    grid[0][0], grid[3][3] = grid[3][3], grid[0][0]
    score = solver.score(request, {**answer, "grid": grid})
    assert not score.valid
    assert score.energy > solver.score(request, answer).energy


def test_the_self_test_is_solved_as_stored(solver):
    test = self_test()
    solution = solver.solve(test["request"], seed=0)
    assert solution.status == "solved"
    assert solver.read(test["request"]).same(solution.answer, test["answer"])


def test_five_thousand_pieces_are_too_many(solver):
    with pytest.raises(gs.RequestError, match="There are 5,000 pieces; at most 1,000 are allowed"):
        solver.solve({"pieces": ["piece.png"] * 5000})


def test_one_piece_is_no_jigsaw(solver):
    white = base64.b64encode(encoded(np.full((20, 20, 3), 255, np.uint8), "png")).decode()
    with pytest.raises(gs.RequestError, match="One piece is a picture already; a jigsaw needs at least 2"):
        solver.solve({"pieces": [white]})


def test_pieces_of_several_sizes_are_named(solver):
    sent = [base64.b64encode(encoded(scene(20, width), "png")).decode() for width in (20, 20, 30)]
    with pytest.raises(
        gs.RequestError, match="Piece 2 has 30 × 20 pixels and piece 0 has 20 × 20; all must have one size"
    ):
        solver.solve({"pieces": sent})


def test_a_file_that_is_no_picture_is_named(solver, tmp_path):
    (tmp_path / "note.png").write_text("no picture")
    with pytest.raises(gs.RequestError, match=r"note\.png' is not a picture"):
        solver.solve({"pieces": [str(tmp_path / "note.png")] * 4})


def test_strips_from_a_shredder_come_together(solver):
    puzzle = make(scene(160, 144, 6), (160, 12), np.random.default_rng(0))
    solution = solver.solve(puzzle.request())
    assert puzzle.shape == (1, 12)
    assert puzzle.perfect(solution.answer or solution.closest.answer)
