import groundstate as gs
from groundstate_models.jigsaw.symbols import constraints_request, grid_of

# Top, right, bottom and left of each piece; "-" is the frame.
pieces = [["-", "a", "b", "-"], ["-", "-", "c", "a"], ["b", "d", "-", "-"], ["c", "-", "-", "d"]]
solution = gs.load("constraints").solve(constraints_request(pieces, rows=2, columns=2, turned=False))
print(grid_of(solution.answer, rows=2, columns=2))
