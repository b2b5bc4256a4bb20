"""Energy-based models as tools: load one ONNX file, solve by descent, get a checked answer.

>>> import groundstate as gs
>>> solver = gs.load("sudoku")
>>> solver.solve({"grid": [[0] * 9] * 9}).status
<Status.SOLVED: 'solved'>
"""

from groundstate._abilities import Asks, Optimises, Shows, Understands
from groundstate._catalog import names as models
from groundstate._ceilings import Ceilings
from groundstate._errors import (
    ArtefactError,
    BusyError,
    ClosedError,
    Fault,
    GroundstateError,
    OptionError,
    ProviderError,
    RequestError,
    TaskError,
    UnknownModelError,
)
from groundstate._header import Header
from groundstate._load import load
from groundstate._problem import Segment
from groundstate._question import Change, Option, Patch, Question, pointer
from groundstate._solution import Alternative, Attempt, Score, Solution, Status, Violation
from groundstate._solver import Solver, Update
from groundstate._task import Reading, Task
from groundstate._version import __version__

__all__ = [
    "Alternative",
    "ArtefactError",
    "Asks",
    "Attempt",
    "BusyError",
    "Ceilings",
    "Change",
    "ClosedError",
    "Fault",
    "GroundstateError",
    "Header",
    "Optimises",
    "Option",
    "OptionError",
    "Patch",
    "ProviderError",
    "Question",
    "Reading",
    "RequestError",
    "Score",
    "Segment",
    "Shows",
    "Solution",
    "Solver",
    "Status",
    "Task",
    "TaskError",
    "Understands",
    "UnknownModelError",
    "Update",
    "Violation",
    "__version__",
    "load",
    "models",
    "pointer",
]
