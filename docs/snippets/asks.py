import groundstate as gs

solution = gs.load("sudoku_4x4").solve(
    {"grid": [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]}, alternatives=2
)
print(solution.status, "·", solution.question.text, [option.id for option in solution.question.options])
