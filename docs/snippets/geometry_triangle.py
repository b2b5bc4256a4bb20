"""A triangle from what a worksheet says, and the same with a point that could be on either side."""

import groundstate as gs

solver = gs.load("geometry")
request = {
    "constraints": ["AB = 5", "angle ABC = 60", "AC perpendicular BC", "M midpoint of AB"],
    "measure": ["BC", "CM", "area ABC"],
}
solution = solver.solve(request)
for text, measure in solution.answer["measures"].items():
    print(text, round(measure["value"], 6), "determined" if measure["determined"] else "free")
print(solution.answer["freedom"]["degrees"], "degrees of freedom, certified", solution.answer["certified"] < 1e-9)

flips = {"constraints": ["AB = 5", "BC = 6", "AC = 7", "AD = 4", "BD = 3"]}
solution = solver.solve(flips, alternatives=2)
print(solution.status, solution.question.text, [option.label for option in solution.question.options])

print(solver.solve({"constraints": ["AB = 5", "BC = 1", "AC = 2"]}).violations[0].message)
