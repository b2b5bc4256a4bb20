"""Does the roof stay up? A shallow truss under a growing load, until only the snapped state is left."""

import groundstate as gs

solver = gs.load("equilibrium")
for load in (0.3, 0.9, 1.5):
    request = {
        "statements": [
            "A fixed at (0, 0)",
            "B fixed at (4, 0)",
            "C at (2, 0.5)",
            "spring A-C stiffness 100",
            "spring B-C stiffness 100",
            f"load {load} down at C",
        ]
    }
    solution = solver.solve(request, alternatives=2)
    states = [solution.answer, *(other.answer for other in solution.alternatives)]
    heights = sorted(state["positions"]["C"][1] for state in states)
    print(f"load {load}: {len(states)} stable states, C at {', '.join(f'{h:.3f}' for h in heights)}")
