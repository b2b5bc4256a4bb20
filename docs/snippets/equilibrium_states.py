"""A mass on two cables, a truss that may snap through, and what cannot stand."""

import groundstate as gs

solver = gs.load("equilibrium")
hanging = [
    "A fixed at (0, 0)",
    "B fixed at (6, 0)",
    "cable A-m length 5",
    "cable B-m length 5",
    "mass 1 at m",
    "gravity 10",
]
answer = solver.solve({"statements": hanging}).answer
print(answer["positions"]["m"], answer["forces"], answer["residual"] < 1e-12, answer["stability"]["stable"])

truss = ["A fixed at (0, 0)", "B fixed at (4, 0)", "C at (2, 0.5)", "load 0.3 down at C"]
truss += ["spring A-C stiffness 100", "spring B-C stiffness 100"]
solution = solver.solve({"statements": truss}, alternatives=2)
print(solution.status, solution.question.text, [option.label for option in solution.question.options])

short = ["A fixed at (0, 0)", "B fixed at (6, 0)", "cable A-m length 2", "cable B-m length 3", "mass 1 at m"]
print(solver.solve({"statements": short}).violations[0].message)

stack = ["block a 2 x 1 on floor", "block b 2 x 1 on a at 0.6", "block c 2 x 1 on b at 1.5"]
solution = solver.solve({"statements": stack})
print(solution.violations[0].message, solution.question.options[0].label)
