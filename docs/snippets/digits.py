"""Fill in the lower half of a handwritten digit, and ask which digit it is where it may be two."""

import groundstate as gs

HALF = """
0000000000000000000000000000
0000000000000000000000000000
0000000000000000000000000000
0000000000000000000000000000
0000000000257997510000000000
0000000001999999971000000000
0000000002997436796000000000
0000000000320000389200000000
0000000000000000089200000000
0000000000000000399200000000
0000000000000014995000000000
0000000000000389960000000000
0000000000000898400000000000
0000000000000794000000000000
"""

solver = gs.load("digits")
request = solver.parse(HALF)
solution = solver.solve(request, alternatives=2)
print(solution.status, solution.question.text)
for option in solution.question.options:
    answer = solver.solve(request, alternatives=2, replies={solution.question.id: option.id}).answer
    print(answer["digit"], answer["picture"][20])
