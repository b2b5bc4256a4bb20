"""From learned numbers to the artefacts: ``python -m groundstate_models.constraints.export``.

Two files, ``constraints`` and ``scheduling``, hold the same graph; what differs is what their headers tell, and the task.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from groundstate_export import Breakout, Card, ExportError, HeavyBall, Normal, export
from groundstate_models.constraints import settings as kept
from groundstate_models.constraints.energy import HAND, RULES, ConstraintsEnergy, rules
from groundstate_models.constraints.schema import ANSWER, REQUEST
from groundstate_models.constraints.tensors import AXES, FAR
from groundstate_models.scheduling import schema as schedules

VERSION = "0.1.0"
STEPS = 16
TRACE_EVERY = 8
NOISE_EVERY = 4
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

FORMAT = 1
"""Of the file that keeps settings."""


@dataclass(frozen=True)
class Settings:
    """The numbers of the energy, of the rule, and the standard deviation of the logits that chains start from.

    As they stand here they are written by hand: the best of a random search.
    """

    energy: Mapping[str, Any] = field(default_factory=lambda: dict(HAND))
    rule: Mapping[str, float] = field(default_factory=lambda: dict(RULE))
    start: float = 1.0

    @classmethod
    def read(cls, path: Path) -> Settings:
        """Those that a file keeps.

        Raises:
            ValueError: If the file is damaged or of another version.
        """
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            known = (
                stored["format"] == FORMAT and set(stored["energy"]) == set(HAND) and set(stored["rule"]) == set(RULE)
            )
            found = cls(stored["energy"], stored["rule"], float(stored["start"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"The settings in {path} cannot be read: {error}. Train again, or name another file."
            ) from None
        if not known:
            raise ValueError(f"The settings in {path} are of another version. Train again, or name another file.")
        return found

    def keep(self, path: Path) -> None:
        """Write them as JSON."""
        stored = {"format": FORMAT, "energy": self.energy, "rule": self.rule, "start": self.start}
        path.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")

    def descent(self, energy: ConstraintsEnergy) -> Breakout:
        """The rule that descends an energy of theirs."""
        s = self.rule
        ball = HeavyBall(
            s["step_size"],
            s["momentum"],
            noise=s["noise"],
            noise_every=NOISE_EVERY,
            noise_period=STEPS,
            temperature=TEMPERATURE,
        )
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


def arguments(settings: Settings, tool: Card, steps: int = STEPS) -> dict[str, Any]:
    """What `groundstate_export.export` takes."""
    energy = ConstraintsEnergy(settings.energy).requires_grad_(requires_grad=False)
    first, *others = (_example(sizes, settings.start) for sizes in SIZES)
    return {
        "energy": energy,
        "inputs": first[0],
        "state": first[1],
        "rule": settings.descent(energy).requires_grad_(requires_grad=False),
        "unroll": steps,
        "decode": energy.decode,
        "checks": rules,
        "encode_answer": energy.embed,
        "initial": Normal(0.0, settings.start),
        "trace_every": TRACE_EVERY,
        "axes": AXES,
        "resized": others,
        "card": tool,
    }


def _example(sizes: tuple[int, int, int, int], start: float) -> tuple[dict[str, Tensor], Tensor]:
    inputs = example(*sizes)
    draw = torch.Generator().manual_seed(0)
    return inputs, start * torch.randn(inputs["domain"].shape, generator=draw)


_DEFAULTS = {"restarts": 64, "max_steps": 4096, "patience": 256, "residual_tolerance": 1e-5}
_LIMITS = {"restarts": 1024, "max_steps": 65536, "batch": 1024}


def constraints() -> Card:
    """The header of the file for typed constraints."""
    return Card(
        name="constraints",
        title="Constraints",
        description=(
            "Finds values for variables that satisfy every constraint, and breaks as few preferences as it can. Send "
            "`variables` (each with the values it may take) and `constraints`, each with its `type`: all_different, equal, "
            "not_equal, count, implies, allowed, forbidden, linear, precedence, no_overlap, cumulative, before. You get a value "
            "for each variable, checked against every constraint; or which constraints contradict each other; or that no "
            "answer was found. Use this instead of searching for values yourself."
        ),
        licence="Apache-2.0",
        version=VERSION,
        task="constraints",
        request=REQUEST,
        answer=ANSWER,
        terms=_TERMS,
        checks=RULES,
        defaults=_DEFAULTS,
        limits=_LIMITS,
        self_test={
            "request": REQUEST["examples"][0],
            "answer": {"values": {"red": "tue", "blue": "mon"}, "cost": 0.0},
        },
    )


def scheduling() -> Card:
    """The header of the file for schedules."""
    return Card(
        name="scheduling",
        title="Scheduling",
        description=(
            "Schedules meetings, lessons, visits and jobs. Send `activities` (name, duration, who has to be there, room, "
            "window, what it comes after), and where they matter `days`, `hours`, `people` and `rooms` with their busy times, "
            '`travel` times and `preferences`; write times as "mon 9:00-12:00" or in ISO 8601. You get a start for each '
            "activity, checked against everything that was asked, with the preferences it breaks; or what contradicts what. "
            "Use this instead of comparing calendars yourself."
        ),
        licence="Apache-2.0",
        version=VERSION,
        task="scheduling",
        request=schedules.REQUEST,
        answer=schedules.ANSWER,
        terms=_TERMS,
        checks=RULES,
        defaults=_DEFAULTS,
        limits=_LIMITS,
        self_test={
            "request": {
                "days": ["mon"],
                "hours": "9:00-12:00",
                "people": {"Ada": {"busy": ["mon 9:00-10:00"]}, "Bob": {"free": ["mon until 11:00"]}},
                "activities": [{"name": "Plan", "duration": 60, "who": ["Ada", "Bob"]}],
            },
            "answer": {
                "activities": [{"name": "Plan", "start": "mon 10:00", "end": "mon 11:00", "who": ["Ada", "Bob"]}]
            },
        },
    )


TOOLS = {"constraints": constraints, "scheduling": scheduling}


def main(argv: list[str] | None = None) -> int:
    """Export settings; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m groundstate_models.constraints.export",
        description="Export learned numbers, and keep them beside the files.",
    )
    parser.add_argument("--settings", type=Path, default=kept(), help="default: those of the bundled files")
    parser.add_argument("--hand", action="store_true", help="the energy written by hand instead")
    parser.add_argument("--out", type=Path, help="a folder (default: those of the bundled files)")
    options = parser.parse_args(argv)
    try:
        settings = Settings() if options.hand else Settings.read(options.settings)
        for name, tool in TOOLS.items():
            folder = options.out or Path(__file__).parents[1] / name
            print(export(**arguments(settings, tool()), path=folder / f"{name}.onnx"), end="\n\n")
        settings.keep((options.out or kept().parent) / kept().name)
    except (ExportError, ValueError, OSError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
