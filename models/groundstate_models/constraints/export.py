"""From weights to the artefact: ``python -m groundstate_models.constraints.export``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from groundstate_export import ExportReport, HeavyBall, Normal, Tool, export
from groundstate_export.rules import Breakout
from groundstate_models.constraints.energy import RULES, ConstraintsEnergy, rules
from groundstate_models.constraints.schema import ANSWER, REQUEST
from groundstate_models.constraints.tensors import AXES, FAR

VERSION = "0.1.0"
STEPS = 16
TRACE_EVERY = 8
NOISE_EVERY = 4
START = 1.0
"""Standard deviation of the logits that a chain starts from."""
TEMPERATURE = (0.0, 2.0)
SIZES = ((5, 3, 7, 29), (7, 5, 11, 37), (8, 2, 12, 40))
"""Variables, values, factors and edges of the examples that the file is joined from and proven at."""

_TERMS = {
    "constraints": "What the constraints are expected to be broken by, squared.",
    "preferences": "What the values are expected to cost.",
    "decision": "Keeps variables open for as long as it matters.",
    "confinement": "Keeps the logits near the origin.",
}


RULE = {"step_size": 2.37, "momentum": 0.89, "noise": 0.158, "raises": 0.212, "keep": 0.995}
"""The descent's numbers, as written by hand."""


def descent(energy: ConstraintsEnergy, settings: Mapping[str, float] | None = None) -> Breakout:
    """The rule that descends it.

    Args:
        energy: Tells the violations.
        settings: Instead of those in `RULE`.
    """
    s = RULE | dict(settings or {})
    ball = HeavyBall(s["step_size"], s["momentum"], noise=s["noise"], noise_every=NOISE_EVERY, temperature=TEMPERATURE)
    return Breakout(ball, energy.violations, raises=s["raises"], keep=s["keep"])


def example(variables: int, values: int, factors: int, edges: int, batch: int = 16) -> dict[str, Tensor]:
    """Random factor graphs of one size: what the file is held against PyTorch at."""
    draw = torch.Generator().manual_seed(variables)

    def chance(*shape: int) -> Tensor:
        return torch.rand(batch, *shape, generator=draw)

    domain = torch.ones(batch, variables, values)
    domain[:, 0, -1] = 0.0
    coefficient = torch.where(chance(edges) < 0.3, chance(edges) * 2 - 1, 1.0)
    coefficient[:, -2:] = 0.0
    low, high = (chance(factors) * 2).floor(), 1.0 + (chance(factors) * 2).floor()
    return {
        "domain": domain,
        "cost": chance(variables, values) * (chance(variables, 1) < 0.5),
        "literal": torch.randint(0, variables * values, (batch, edges), generator=draw),
        "factor": torch.randint(0, factors, (batch, edges), generator=draw),
        "coefficient": coefficient,
        "low": torch.where(chance(factors) < 0.5, low, -FAR),
        "high": torch.where(chance(factors) < 0.5, high, FAR),
        "slack": torch.full((batch, factors), 0.5),
    }


def arguments(
    energy: ConstraintsEnergy, rule: Breakout, steps: int = STEPS, name: str = "constraints"
) -> dict[str, Any]:
    """What `groundstate_export.export` takes."""
    first, *others = (_example(*sizes) for sizes in SIZES)
    return {
        "energy": energy,
        "inputs": first[0],
        "state": first[1],
        "rule": rule,
        "unroll": steps,
        "decode": energy.decode,
        "rules": rules,
        "embed": energy.embed,
        "initial": Normal(0.0, START),
        "trace_every": TRACE_EVERY,
        "axes": AXES,
        "resized": others,
        "tool": _tool(name),
    }


def _example(*sizes: int) -> tuple[dict[str, Tensor], Tensor]:
    inputs = example(*sizes)
    draw = torch.Generator().manual_seed(0)
    return inputs, START * torch.randn(inputs["domain"].shape, generator=draw)


def _tool(name: str) -> Tool:
    request = REQUEST["examples"][0]
    return Tool(
        name=name,
        title="Constraints",
        description=(
            "Finds values for variables that satisfy every constraint, and breaks as few preferences as it can. Send `variables` "
            "(each with the values it may take) and `constraints`, each with its `type`: all_different, equal, not_equal, count, "
            "implies, allowed, forbidden, linear, precedence, no_overlap. You get a value for each variable, checked against every "
            "constraint; or which constraints contradict each other; or that no answer was found. Use this instead of searching "
            "for values yourself."
        ),
        licence="Apache-2.0",
        version=VERSION,
        task="constraints",
        request=REQUEST,
        answer=ANSWER,
        terms=_TERMS,
        rules=RULES,
        defaults={"restarts": 64, "max_steps": 4096, "patience": 256, "settled": 1e-5},
        limits={"restarts": 1024, "max_steps": 65536, "batch": 1024},
        self_test={"request": request, "answer": {"values": {"red": "tue", "blue": "mon"}, "cost": 0}},
    )


def write(energy: ConstraintsEnergy, rule: Breakout, path: Path, name: str = "constraints") -> ExportReport:
    """Export weights."""
    energy.requires_grad_(requires_grad=False)
    rule.requires_grad_(requires_grad=False)
    return export(**arguments(energy, rule, name=name), path=path)
