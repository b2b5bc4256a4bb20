"""Learn an energy of your own examples: rules, preferences and distributions, and a tool that needs no torch."""

from groundstate_training.learning._learn import learn
from groundstate_training.learning._models import Model, RulesModel, TableModel
from groundstate_training.learning._weeks import Habits, learn_weeks

__all__ = ["Habits", "Model", "RulesModel", "TableModel", "learn", "learn_weeks"]
