"""Learn the rules of a board from solved boards, and complete a new one."""

import numpy as np

import groundstate as gs
from groundstate_training import learn

BOARDS = np.array(
    [[[1, 2, 3, 4], [3, 4, 1, 2], [2, 1, 4, 3], [4, 3, 2, 1]], [[1, 2, 3, 4], [3, 4, 2, 1], [2, 1, 4, 3], [4, 3, 1, 2]]]
)


def solved(draw: np.random.Generator) -> np.ndarray:
    """A solved board: lines, bands and digits of one of two boards exchanged."""
    rows, columns = (
        (2 * draw.permutation(2)[:, None] + draw.permuted([[0, 1], [0, 1]], axis=1)).ravel() for _ in range(2)
    )
    return draw.permutation([1, 2, 3, 4])[BOARDS[draw.integers(2)][rows][:, columns] - 1]


draw = np.random.default_rng(0)
model = learn(np.array([solved(draw) for _ in range(60)]))
for rule in model.rules:
    print(rule.text)
model.export("board.onnx")
grid = [[1, 2, None, None], [None, None, 1, None], [2, None, None, 3], [4, None, None, None]]
solution = gs.load("board.onnx").solve({"grid": grid})
print(solution.status, solution.answer["grid"])
