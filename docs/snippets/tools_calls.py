"""A tool in any loop: its description for a model, its results, and a reply to a question."""

from groundstate.tools import SolveTool

tool = SolveTool("sudoku_4x4", restarts=32)  # options of Solver.solve, which the model never sees
print(tool.name, list(tool.schema["properties"]))

puzzle = [[0, 0, 3, 4], [3, 4, 1, 2], [0, 0, 4, 3], [4, 3, 2, 1]]
print(tool.respond({"grid": puzzle[:3]}))  # always text: here the fault to correct

reply = tool.call({"grid": puzzle})  # `record` for the model, `outcome` for the program; raises RequestError
question = reply.question
print(question.text, [option.id for option in question.options])

print(tool.respond({"grid": puzzle, "replies": {question.id: question.options[0].id}}))
