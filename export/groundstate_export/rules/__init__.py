"""Rules of descent: how the gradient of the energy moves the state. One a file; `docs/rules.md` lists them all."""

from __future__ import annotations

from groundstate_export.rules.adam import Adam
from groundstate_export.rules.base import Probe, Rule, Slot, State, Wrapper, per_chain
from groundstate_export.rules.best import Best
from groundstate_export.rules.box import Box
from groundstate_export.rules.breakout import Breakout
from groundstate_export.rules.clipped import Clipped
from groundstate_export.rules.fixed import Fixed
from groundstate_export.rules.gradient_descent import GradientDescent
from groundstate_export.rules.heavy_ball import HeavyBall
from groundstate_export.rules.lagrangian import AugmentedLagrangian
from groundstate_export.rules.landscapes import Landscapes
from groundstate_export.rules.langevin import Langevin
from groundstate_export.rules.mirror import MirrorDescent
from groundstate_export.rules.nesterov import Nesterov
from groundstate_export.rules.normalised import Normalised
from groundstate_export.rules.projected import Projected
from groundstate_export.rules.rejecting import Rejecting
from groundstate_export.rules.rmsprop import RMSProp
from groundstate_export.rules.schedule import Schedule
from groundstate_export.rules.set import Set
from groundstate_export.rules.simplex import Simplex
from groundstate_export.rules.sphere import Sphere

__all__ = [
    "Adam",
    "AugmentedLagrangian",
    "Best",
    "Box",
    "Breakout",
    "Clipped",
    "Fixed",
    "GradientDescent",
    "HeavyBall",
    "Landscapes",
    "Langevin",
    "MirrorDescent",
    "Nesterov",
    "Normalised",
    "Probe",
    "Projected",
    "RMSProp",
    "Rejecting",
    "Rule",
    "Schedule",
    "Set",
    "Simplex",
    "Slot",
    "Sphere",
    "State",
    "Wrapper",
    "per_chain",
]
