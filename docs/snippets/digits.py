"""Fill in the lower half of a handwritten digit, and ask which digit it is where it may be two."""

import groundstate as gs

HALF = """
0000000000000000000000000000
0000000000000000000000000000
0000000000000000000000000000
0000000000000000000000000000
0000000000000000000000000000
0000000000000000000000000000
0000000000110000004930000000
0000000003994000059982000000
0000000019999400079997000000
0000000029999600399999300000
0000000029999300699993500000
0000000079998003999981600000
0000000599999699999999700000
0000000899999999999999300000
"""

solver = gs.load("digits")
request = solver.parse(HALF)
solution = solver.solve(request, alternatives=2)
print(solution.status, solution.question.text)
for option in solution.question.options:
    answer = solver.solve(request, alternatives=2, replies={solution.question.id: option.id}).answer
    print(answer["digit"], answer["picture"][20])
