"""Learn an energy of your own examples: rules, preferences and distributions, and a tool that needs no torch."""

from groundstate_training.learning._learn import learn
from groundstate_training.learning._models import Model, RulesModel, TableModel
from groundstate_training.learning._usual import Customs, learn_answers
from groundstate_training.learning._weeks import Habits, learn_weeks

__all__ = ["Customs", "Habits", "Model", "RulesModel", "TableModel", "learn", "learn_answers", "learn_weeks"]
