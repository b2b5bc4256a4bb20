"""Train energies: by evolution through their own descent.

Needs ``groundstate[train]``. Nothing here is needed to use an exported file.
"""

from groundstate_training._checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from groundstate_training._command import evolve_command
from groundstate_training._errors import TrainingError
from groundstate_training._evolution import Evolution, EvolutionPreset, Point
from groundstate_training._files import write_file
from groundstate_training._rows import RULE, RowBreakout
from groundstate_training._run import Trainer, resume, run
from groundstate_training._search import RowSearch

__all__ = [
    "RULE",
    "Checkpoint",
    "Evolution",
    "EvolutionPreset",
    "Point",
    "RowBreakout",
    "RowSearch",
    "Trainer",
    "TrainingError",
    "evolve_command",
    "read_checkpoint",
    "resume",
    "run",
    "write_checkpoint",
    "write_file",
]
