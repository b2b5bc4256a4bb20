"""A Sudoku with several answers, settled with a person at the terminal: no framework, no language model.

    python examples/plain_script.py

Every question names what tells the answers found so far apart. A reply changes the request, and the next call is as stateless as
the first: what is sent is the request and all the replies.
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
    """The id of an option that a person types, asked again until it is one."""
    print(question.text)
    for option in question.options:
        print(f"  {option.label}  ({option.answers_left} of the {question.answers_found} answers found)")
    while True:
        try:
            return question.option(input("> ")).id
        except gs.RequestError as error:
            print(error)


def settle(solver: gs.Solver, request: dict[str, object]) -> gs.Solution:
    """Solve, and ask until nothing is left to ask."""
    answers: dict[str, str] = {}
    solution = solver.solve(request, alternatives=2)
    while solution.question is not None:
        answers[solution.question.id] = choose(solution.question)
        solution = solver.solve(request, alternatives=2, replies=answers)
    return solution


if __name__ == "__main__":
    solver = gs.load("sudoku_4x4")
    puzzle = solver.parse(PUZZLE)
    settled = settle(solver, puzzle)
    print(settled.message)
    if settled.solved:
        print(solver.draw(puzzle, settled.answer))
