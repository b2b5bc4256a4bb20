"""Train energies: by gradient, by evolution through their own descent, and from a file of examples.

Needs ``groundstate[train]``. Nothing here is needed to use an exported file.
"""

from groundstate_training import losses
from groundstate_training._checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from groundstate_training._command import evolve_command
from groundstate_training._errors import TrainingError
from groundstate_training._evolution import Evolution, EvolutionPreset, Point
from groundstate_training._files import write_file
from groundstate_training._gradient import GradientPreset, GradientTrainer, train
from groundstate_training._rows import RULE, RowBreakout
from groundstate_training._run import Trainer, resume, run
from groundstate_training._search import RowSearch, row_file
from groundstate_training.learning import Customs, Habits, learn, learn_answers, learn_weeks

__all__ = [
    "RULE",
    "Checkpoint",
    "Customs",
    "Evolution",
    "EvolutionPreset",
    "GradientPreset",
    "GradientTrainer",
    "Habits",
    "Point",
    "RowBreakout",
    "RowSearch",
    "Trainer",
    "TrainingError",
    "evolve_command",
    "learn",
    "learn_answers",
    "learn_weeks",
    "losses",
    "read_checkpoint",
    "resume",
    "row_file",
    "run",
    "train",
    "write_checkpoint",
    "write_file",
]
