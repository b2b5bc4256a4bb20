"""An app with many users: one solver, a deadline for each call, a bounded queue, and news while a search goes on."""

import asyncio

import groundstate as gs

solver = gs.load("sudoku_4x4", max_waiting=1000)
boards = [{"grid": [[k % 4 + 1, 0, 0, 0], [0] * 4, [0] * 4, [0] * 4]} for k in range(200)]


async def handle(request):
    try:
        solution = await solver.asolve(request, deadline=5.0)
    except gs.BusyError:
        return "try again"
    return solution.status


async def main():
    statuses = await asyncio.gather(*map(handle, boards))
    print(len(statuses), {str(status) for status in statuses})


asyncio.run(main())

for update in solver.solve_iter({"grid": [[0] * 4] * 4}, alternatives=3):
    print(1 + len(update.outcome.alternatives), "answers", "at the end" if update.last else "so far")

solver.close()
