from langchain_groundstate import EnergyTool

tool = EnergyTool("sudoku")  # name, description and JSON schema come from the file
print(tool.name)
