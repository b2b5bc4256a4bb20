import groundstate as gs

solution = gs.load("geometry").solve(
    {"constraints": ["AB = 5", "BC = 6", "angle ABC = 60", "M midpoint of AC"], "measure": ["BM"]}
)
print(solution.status, solution.answer["points"]["M"], solution.answer["measures"]["BM"]["value"])
