"""Turn an energy function written in PyTorch into one ONNX file that contains its own solver.

```python
from groundstate_export import HeavyBall, export

report = export(energy, inputs={"x": x}, state=y0, rule=HeavyBall(0.1, 0.9), unroll=16, path="mine.onnx")
```

The file is verified against PyTorch, or not written.
"""

from __future__ import annotations

try:
    import onnx as _onnx  # noqa: F401
    import torch as _torch  # noqa: F401
except ImportError as error:
    raise ImportError(
        "groundstate_export needs PyTorch and onnx: install them with `pip install 'groundstate[export]'`."
    ) from error

from groundstate_export._arguments import Stage, Until
from groundstate_export._card import Accept, Card, Check
from groundstate_export._descent.descent import Descent, Reading
from groundstate_export._descent.initial import Constant, Decoded, Initial, Normal, Uniform
from groundstate_export._descent.rules.adam import Adam
from groundstate_export._descent.rules.best import Best
from groundstate_export._descent.rules.breakout import Breakout
from groundstate_export._descent.rules.clipped import Clipped
from groundstate_export._descent.rules.gradient_descent import GradientDescent
from groundstate_export._descent.rules.heavy_ball import HeavyBall
from groundstate_export._descent.rules.lagrangian import AugmentedLagrangian
from groundstate_export._descent.rules.landscapes import Landscapes
from groundstate_export._descent.rules.langevin import Langevin
from groundstate_export._descent.rules.levenberg_marquardt import GaussNewton, LevenbergMarquardt
from groundstate_export._descent.rules.mirror import MirrorDescent
from groundstate_export._descent.rules.nesterov import Nesterov
from groundstate_export._descent.rules.normalised import Normalised
from groundstate_export._descent.rules.projected import Projected
from groundstate_export._descent.rules.rejecting import Rejecting
from groundstate_export._descent.rules.rmsprop import RMSProp
from groundstate_export._descent.rules.rule import NoiseTimes, Probe, Rule, Slot, Wrapper
from groundstate_export._descent.rules.schedule import Schedule
from groundstate_export._descent.rules.switch import Switch
from groundstate_export._descent.sets.box import Box
from groundstate_export._descent.sets.fixed import Fixed
from groundstate_export._descent.sets.set import Set
from groundstate_export._descent.sets.simplex import Simplex
from groundstate_export._descent.sets.sphere import Sphere
from groundstate_export._errors import BadArgument, BadEnergy, ExportError, ParityError, UnsupportedOperator
from groundstate_export._examine.arguments import check_path
from groundstate_export._pipeline import export
from groundstate_export._report import ExportReport

__all__ = [
    "Accept",
    "Adam",
    "AugmentedLagrangian",
    "BadArgument",
    "BadEnergy",
    "Best",
    "Box",
    "Breakout",
    "Card",
    "Check",
    "Clipped",
    "Constant",
    "Decoded",
    "Descent",
    "ExportError",
    "ExportReport",
    "Fixed",
    "GaussNewton",
    "GradientDescent",
    "HeavyBall",
    "Initial",
    "Landscapes",
    "Langevin",
    "LevenbergMarquardt",
    "MirrorDescent",
    "Nesterov",
    "NoiseTimes",
    "Normal",
    "Normalised",
    "ParityError",
    "Probe",
    "Projected",
    "RMSProp",
    "Reading",
    "Rejecting",
    "Rule",
    "Schedule",
    "Set",
    "Simplex",
    "Slot",
    "Sphere",
    "Stage",
    "Switch",
    "Uniform",
    "UnsupportedOperator",
    "Until",
    "Wrapper",
    "check_path",
    "export",
]
