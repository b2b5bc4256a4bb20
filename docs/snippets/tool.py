from langchain_groundstate import EnergyTool

tool = EnergyTool.from_model("sudoku")  # name, description and JSON schema come from the file
print(tool.name)
