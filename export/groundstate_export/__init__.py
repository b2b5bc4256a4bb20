"""Turn an energy function written in PyTorch into one ONNX file that contains its own solver.

```python
from groundstate_export import HeavyBall, export

report = export(energy, inputs={"x": x}, state=y0, rule=HeavyBall(0.1, 0.9), unroll=16, path="mine.onnx")
```

The file is verified against PyTorch, or not written.
"""

from __future__ import annotations

from groundstate_export.descent import Descent, Reading
from groundstate_export.errors import BadArgument, BadEnergy, ExportError, ParityError, UnsupportedOperator
from groundstate_export.initial import Constant, Initial, Normal, Uniform
from groundstate_export.pipeline import export
from groundstate_export.report import ExportReport
from groundstate_export.rules import (
    Adam,
    AugmentedLagrangian,
    Best,
    Box,
    Breakout,
    Clipped,
    Fixed,
    GradientDescent,
    HeavyBall,
    Landscapes,
    Langevin,
    MirrorDescent,
    Nesterov,
    Normalised,
    Probe,
    Projected,
    Rejecting,
    RMSProp,
    Rule,
    Schedule,
    Set,
    Simplex,
    Slot,
    Sphere,
    Wrapper,
)
from groundstate_export.tool import Tool

__all__ = [
    "Adam",
    "AugmentedLagrangian",
    "BadArgument",
    "BadEnergy",
    "Best",
    "Box",
    "Breakout",
    "Clipped",
    "Constant",
    "Descent",
    "ExportError",
    "ExportReport",
    "Fixed",
    "GradientDescent",
    "HeavyBall",
    "Initial",
    "Landscapes",
    "Langevin",
    "MirrorDescent",
    "Nesterov",
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
    "Tool",
    "Uniform",
    "UnsupportedOperator",
    "Wrapper",
    "export",
]
