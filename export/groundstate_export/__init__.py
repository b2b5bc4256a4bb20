"""Turn an energy function written in PyTorch into one ONNX file that contains its own solver.

```python
from groundstate_export import HeavyBall, export

report = export(energy, inputs={"x": x}, state=y0, rule=HeavyBall(0.1, 0.9), unroll=16, path="mine.onnx")
```

The file is verified against PyTorch, or not written.
"""

from __future__ import annotations

from groundstate_export.errors import BadArgument, BadEnergy, ExportError, ParityError, UnsupportedOperator
from groundstate_export.initial import Constant, Initial, Normal, Uniform
from groundstate_export.pipeline import export
from groundstate_export.report import ExportReport
from groundstate_export.rules import GradientDescent, HeavyBall, Rule, Slot
from groundstate_export.tool import Tool

__all__ = [
    "BadArgument",
    "BadEnergy",
    "Constant",
    "ExportError",
    "ExportReport",
    "GradientDescent",
    "HeavyBall",
    "Initial",
    "Normal",
    "ParityError",
    "Rule",
    "Slot",
    "Tool",
    "Uniform",
    "UnsupportedOperator",
    "export",
]
