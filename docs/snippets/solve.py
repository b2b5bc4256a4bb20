import groundstate as gs

solver = gs.load("sudoku")  # an installed model, a path, or bytes; no torch
request = solver.parse("53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79")
solution = solver.solve(request)  # or {"grid": 9 lists of 9 digits, 0 for empty}
print(solution.status, solution.answer["grid"][0])
