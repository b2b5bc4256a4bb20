"""A Sudoku with several answers, and questions at the terminal: no framework, no language model.

    python examples/plain_script.py

Every question distinguishes the answers found so far. A reply changes the request. Calls are stateless: each sends the request
and all replies.
"""

import groundstate as gs

PUZZLE = """
. . | 3 4
3 4 | . .
----+----
. . | 4 3
4 3 | . .
"""


def choose(question: gs.Question) -> str:
    """Ask until the person types an option, and return its id."""
    print(question.text)
    for option in question.options:
        print(f"  {option.label}  ({option.answers_left} of the {question.answers_found} answers found)")
    while True:
        try:
            return question.option(input("> ")).id
        except gs.RequestError as error:
            print(error)


def settle(solver: gs.Solver, request: dict[str, object]) -> gs.Solution:
    """Solve, and ask until there is no question."""
    replies: dict[str, str] = {}
    solution = solver.solve(request, alternatives=2)
    while solution.question is not None:
        replies[solution.question.id] = choose(solution.question)
        solution = solver.solve(request, alternatives=2, replies=replies)
    return solution


if __name__ == "__main__":
    solver = gs.load("sudoku_4x4")
    puzzle = solver.parse(PUZZLE)
    solution = settle(solver, puzzle)
    print(solution.message)
    if solution.solved:
        print(solver.draw(puzzle, solution.answer))
